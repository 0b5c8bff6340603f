import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { Problem } from '@serin/api/problem';
import { Fault } from '@serin/core/base/fault';
import { Hono } from 'hono';
import { afterEach, expect, test } from 'vitest';
import { type HttpRequest, requestOf, serve } from './http.ts';

const app = new Hono();
app.all('/echo/:key{.+}', async (c) =>
  c.json({
    ...{ method: c.req.method, path: new URL(c.req.url).pathname, query: c.req.query('a') },
    ...{ token: c.req.header('authorization'), bytes: [...new Uint8Array(await c.req.arrayBuffer())] },
  }),
);

const logged: string[] = [];
const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  logged.length = 0;
});

/** Asks a function as the framework would have it asked: with the whole body read before. */
async function ask(
  take: (request: HttpRequest) => Promise<Response>,
  { method = 'GET', path = '/echo/x', headers = {}, body }: Asked = {},
) {
  const log = { fault: (what: string, error: unknown) => logged.push(`${what}: ${(error as Error).message}`) };
  const server = createServer(async (request, response) => {
    const rawBody = await buffer(request);
    const asked = Object.assign(request, { originalUrl: request.url ?? '', rawBody });
    await serve(asked, response, { log, newId: (prefix) => `${prefix}_1`, take: () => take(asked) });
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  send({ port, host: '127.0.0.1', method, path, headers: { connection: 'close', ...headers } }, resolve)
    .on('error', reject)
    .end(body);
  const answer = await promise;
  return { status: answer.statusCode, headers: answer.headers, content: await text(answer) };
}
interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const echo = async (request: HttpRequest) => app.fetch(requestOf(request));

test('a request arrives as it was sent, bytes and all', async () => {
  const path = '/echo/code%2Fblobs/a%20b%23%25%F0%9F%98%80';

  const { content } = await ask(echo, {
    ...{ method: 'PUT', path: `${path}?a=1`, body: new Uint8Array([0, 255, 10, 13]) },
    headers: { authorization: 'Bearer x', 'content-type': 'application/octet-stream' },
  });

  expect(JSON.parse(content)).toEqual({
    ...{ method: 'PUT', path, query: '1', token: 'Bearer x', bytes: [0, 255, 10, 13] },
  });
});

test('bytes of an address that were not encoded are those bytes', async () => {
  const server = await ask(
    async (request) => echo(Object.assign(request, { originalUrl: `/echo/${Buffer.from('é').toString('latin1')}` })),
    {},
  );

  expect(JSON.parse(server.content)).toMatchObject({ path: '/echo/%C3%A9' });
});

test.each(['GET', 'HEAD'])('a %s with a body is answered without it', async (method) => {
  const answer = await ask(echo, { method, body: new Uint8Array([1]), headers: { 'content-length': '1' } });

  expect(answer.status).toBe(200);
  if (method === 'GET') expect(JSON.parse(answer.content)).toMatchObject({ bytes: [] });
  else expect([answer.content, answer.headers['content-length']]).toEqual(['', undefined]);
});

test.each<readonly [string, Asked, number]>([
  ['a method that no request can have', { method: 'TRACE' }, 405],
  ['a body that was packed', { method: 'PUT', headers: { 'content-encoding': 'gzip' } }, 415],
  ['a host that is none', { headers: { host: 'a b' } }, 400],
])('%s is a problem document with the id of the request', async (_, asked, status) => {
  const answer = await ask(echo, asked);

  expect(answer).toMatchObject({
    status,
    headers: { 'content-type': 'application/problem+json', 'x-request-id': 'req_1', 'cache-control': 'no-store' },
  });
  expect(JSON.parse(answer.content)).toMatchObject({ status, instance: '/echo/x', requestId: 'req_1' });
});

test.each([
  ['nobody foresaw', new Error('canary of a secret'), 500],
  ['is wrong with the deployment', new Fault('invalid', 'canary of a variable'), 500],
])('what %s is logged, and its text is not answered', async (_, error, status) => {
  const answer = await ask(() => Promise.reject(error));

  expect(answer.status).toBe(status);
  expect(answer.content).not.toContain('canary');
  expect(logged).toEqual([`request req_1: ${error.message}`]);
});

test('what will pass is answered with its reason', async () => {
  const answer = await ask(() => Promise.reject(new Fault('unavailable', 'no answer; try again')));

  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.content)).toMatchObject({ detail: 'no answer; try again' });
});

test('what a caller did wrong is answered, and is no fault of ours', async () => {
  const answer = await ask(() => Promise.reject(new Problem('unauthenticated', 'who are you?')));

  expect([answer.status, logged]).toEqual([401, []]);
});

test('an answer that breaks off is none: nothing of it was sent before it was whole', async () => {
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array([1]));
      controller.error(new Error('the store is gone'));
    },
  });

  const answer = await ask(async () => new Response(broken));

  expect(answer.status).toBe(500);
});

test('an answer without content has none', async () => {
  const answer = await ask(async () => new Response(null, { status: 204 }));

  expect(answer).toMatchObject({ status: 204, content: '' });
  expect(answer.headers).not.toHaveProperty('content-length');
});
