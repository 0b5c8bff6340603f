import { Problem, refusedMethod } from '@serin/api/problem';
import { problemAnswer } from '@serin/api/serve';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';

/**
 * A request through a function URL (payload 2.0) or a REST API (1.0) goes to the API. Not through an HTTP API of API
 * Gateway: that one decodes the path, and a key with `%` or `#` in it becomes another key.
 *
 * A request that the API cannot be handed is answered with a problem document as well. The body of a GET is not looked at.
 */
export function answers(
  api: Hono,
): (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2> {
  const handler = handle(api);
  return async (event, context) => {
    const { body, ...bodiless } = event;
    const method = methodOf(event);
    const problem = problemOf(event, method);
    if (problem !== undefined) return answerOf(problem, event, context);
    const asked = method === 'GET' || method === 'HEAD' ? bodiless : event;
    // hono describes the same event in types of its own.
    return (await handler(asked as never, context as never)) as APIGatewayProxyStructuredResultV2;
  };
}

/** As payload 1.0 has it, where 2.0 is typed. */
interface Payload1 {
  readonly httpMethod?: string;
  readonly path?: string;
}

const methodOf = (event: APIGatewayProxyEventV2 & Payload1): string =>
  (event.requestContext?.http?.method ?? event.httpMethod ?? '').toUpperCase();

function problemOf({ body, isBase64Encoded }: APIGatewayProxyEventV2, method: string): Problem | undefined {
  const isBase64 = (text: string) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
  if (isBase64Encoded && body && !isBase64(body))
    return new Problem('malformed', 'the body is marked as base64 but is not; send the bytes as they are');
  return refusedMethod(method);
}

async function answerOf(
  problem: Problem,
  event: APIGatewayProxyEventV2 & Payload1,
  { awsRequestId }: Context,
): Promise<APIGatewayProxyStructuredResultV2> {
  const response = problemAnswer(problem, event.rawPath ?? event.path ?? '/', `req_${awsRequestId}`);
  return { statusCode: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
}
