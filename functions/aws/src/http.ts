import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';

/** A request through a function URL or an HTTP API of API Gateway (payload 2.0), or a REST API (1.0), goes to the API. */
export function answers(
  api: Hono,
): (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2> {
  const handler = handle(api);
  // hono describes the same event in types of its own.
  return async (event, context) =>
    (await handler(event as never, context as never)) as APIGatewayProxyStructuredResultV2;
}
