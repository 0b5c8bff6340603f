import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { answers } from './http.ts';

const app = new Hono();
app.put('/v1/buckets/:bucket/objects/:key{.+}', async (c) => {
  const bytes = new Uint8Array(await c.req.arrayBuffer());
  return c.json({
    path: new URL(c.req.url).pathname,
    query: c.req.query('a'),
    token: c.req.header('authorization'),
    bytes: [...bytes],
  });
});

const body = Buffer.from([0, 255, 10, 13]).toString('base64');
const path = '/v1/buckets/serin/objects/code%2Fblobs/a%20b';
const headers = { authorization: 'Bearer x', host: 'serin.example', 'content-type': 'application/octet-stream' };

const events = {
  'a function URL': {
    version: '2.0',
    rawPath: path,
    rawQueryString: 'a=1',
    headers,
    requestContext: { http: { method: 'PUT', path } },
    body,
    isBase64Encoded: true,
  },
  'a private REST API': {
    httpMethod: 'PUT',
    path,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: { a: '1' },
    multiValueQueryStringParameters: { a: ['1'] },
    requestContext: { path, httpMethod: 'PUT', identity: {} },
    body,
    isBase64Encoded: true,
  },
};

const opened = () => {
  const app = new Hono();
  app.all('*', (c) => c.json({ method: c.req.method }));
  return answers(app);
};
const asked = (method: string, more: object = {}) => ({
  ...events['a function URL'],
  requestContext: { http: { method, path } },
  ...more,
});

test.each(['GET', 'HEAD'])('a %s with a body is answered without it', async (method) => {
  const answer = await opened()(asked(method) as never, {} as never);

  expect(answer.statusCode).toBe(200);
});

test.each([
  ['a TRACE', asked('TRACE'), 405],
  ['a TRACE through a REST API', { ...events['a private REST API'], httpMethod: 'TRACE' }, 405],
  ['a body that is not base64', asked('PUT', { body: 'not base64!' }), 400],
  ['a body that is cut off', asked('PUT', { body: 'AAAAA' }), 400],
])('%s is a problem document with the id of the request', async (_, event, status) => {
  const answer = await opened()(event as never, { awsRequestId: '1' } as never);

  expect(answer).toMatchObject({
    statusCode: status,
    headers: { 'content-type': 'application/problem+json', 'x-request-id': 'req_1', 'cache-control': 'no-store' },
  });
  expect(JSON.parse(answer.body ?? '')).toMatchObject({ status, instance: path, requestId: 'req_1' });
});

test.each(Object.entries(events))('a request through %s arrives as it was sent, bytes and all', async (_, event) => {
  const answer = await answers(app)(event as never, {} as never);

  expect(answer.statusCode).toBe(200);
  expect(JSON.parse(answer.body ?? '')).toEqual({ path, query: '1', token: 'Bearer x', bytes: [0, 255, 10, 13] });
});
