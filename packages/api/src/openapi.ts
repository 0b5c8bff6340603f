import * as z from 'zod';
import { problemSchema } from './problem.ts';
import { pathParameters, type WholeRoute } from './route.ts';

/** Statuses that a problem document may have on a route, besides those that it names itself. */
export function problemStatuses(route: WholeRoute): readonly number[] {
  const takes = route.method === 'post' || route.method === 'put';
  const token = route.role !== 'public' && route.role !== 'signed';
  const statuses = [
    400,
    403,
    ...(token ? [401, 404] : []),
    ...(takes ? [413, 422] : []),
    ...(route.body === undefined ? [] : [415]),
    ...(token && route.method === 'post' ? [409] : []),
    ...(route.role === 'public' ? [] : [500, 503]),
    ...(route.problems ?? []),
  ];
  return [...new Set(statuses)].sort((a, b) => a - b);
}

/** Predictions are the gateway's and have no route here; whoever reads the document looks for them all the same. */
const predictionsText =
  "On one machine predictions are asked for at the same address, by the contract of the model's own server: POST /endpoints/{name}/invocations passes the body to it as POST /invocations, and GET /endpoints/{name}/ping says whether something is served. On a cloud they are asked of the cloud's own endpoint.";

/** OpenAPI 3.1 of the route table, from the very schemas that validate. */
export function openApi(routes: readonly WholeRoute[], version: string): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replace('*}', '}');
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Serin',
      version,
      description: predictionsText,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(route: WholeRoute): Readonly<Record<string, unknown>> {
  const open = route.role === 'public' || route.role === 'signed';
  return {
    operationId: `${route.method} ${route.path}`.replace(/[^a-zA-Z0-9]+/g, '_').replace(/_$/, ''),
    summary: route.summary,
    ...(open ? {} : { description: `needs the role ${route.role}` }),
    security: open ? [] : [{ token: [] }],
    parameters: parametersOf(route),
    ...requestBodyOf(route),
    responses: responsesOf(route),
  };
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

function parametersOf(route: WholeRoute): readonly unknown[] {
  const from = (schema: z.ZodType | undefined, place: 'path' | 'query') => {
    const { properties = {}, required = [] } = (
      schema === undefined ? {} : jsonSchema(schema, 'input')
    ) as ObjectSchema;
    return Object.entries(properties).map(([name, property]) => ({
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      schema: property,
    }));
  };
  const known = from(route.params, 'path');
  const missing = pathParameters(route.path).filter((name) => known.every((parameter) => parameter.name !== name));
  if (missing.length > 0)
    throw new Error(
      `the route ${route.path} has no schema for ${missing.join(', ')}; this is a defect of Serin, report it`,
    );
  const key = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  };
  return [
    ...known,
    ...from(route.query, 'query'),
    ...(route.method === 'post' && route.role !== 'signed' ? [key] : []),
  ];
}

function requestBodyOf(route: WholeRoute): Readonly<Record<string, unknown>> {
  if (route.body !== undefined) {
    const content = { 'application/json': { schema: jsonSchema(route.body, 'input') } };
    return { requestBody: { required: !route.body.safeParse({}).success, content } };
  }
  if (route.media === undefined) return {};
  return { requestBody: { required: true, content: Object.fromEntries(route.media.map((media) => [media, {}])) } };
}

function responsesOf(route: WholeRoute): Readonly<Record<string, unknown>> {
  const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  const problems = problemStatuses(route).map((status) => [status, { description: 'refused', content: problem }]);
  const answers = Object.entries(route.answers).map(([status, { description, schema, media }]) => {
    const type = media ?? (schema === undefined ? undefined : 'application/json');
    const content =
      type === undefined
        ? {}
        : { content: { [type]: schema === undefined ? {} : { schema: jsonSchema(schema, 'output') } } };
    return [status, { description, ...content }];
  });
  return Object.fromEntries([...problems, ...answers]);
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Readonly<Record<string, unknown>> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
