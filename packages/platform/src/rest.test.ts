import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Fault } from '@serin/core/base/fault';
import { expect, onTestFinished, test } from 'vitest';
import { type Patience, type Rest, type RestCall, RestError, restClient } from './rest.ts';

const get: RestCall = { method: 'GET', path: 'x' };
const post: RestCall = { method: 'POST', path: 'x', body: {} };

/** As a vendor has it. */
class VendorError extends RestError {
  override readonly name = 'VendorError';
}

const clientOf = (host: string, tokenFor: (refused?: string) => Promise<string>, patience?: Patience): Rest<RestCall> =>
  restClient({
    hostOf: () => host,
    tokenFor: (_, refused) => tokenFor(refused),
    refusal: ({ status }) => new VendorError(`HTTP ${status}`, { status }),
    lost: (message, given) => new VendorError(message, given),
    random: () => 0.5,
    ...(patience === undefined ? {} : { patience }),
  });

async function serving(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A client of a service that always answers so. */
const answering = async (answer: RequestListener) => clientOf(await serving(answer), async () => 'a-token');

interface World {
  readonly rest: Rest<RestCall>;
  /** The tokens with which the service was asked, in order. */
  readonly asked: string[];
  /** The tokens that were refused, as who gives them was told. */
  readonly refused: (string | undefined)[];
}

/** A service that answers one after the other, the last one from then on. */
const worldOf = (...answers: readonly (number | RequestListener)[]): Promise<World> => openWorld(answers, {});

async function openWorld(answers: readonly (number | RequestListener)[], patience: Partial<Patience>): Promise<World> {
  const asked: string[] = [];
  const refused: (string | undefined)[] = [];
  const host = await serving((request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? 200;
    asked.push(request.headers.authorization ?? '');
    if (typeof answer === 'number') response.writeHead(answer).end('{}');
    else answer(request, response);
  });
  const tokens = async (not?: string) => `token-${refused.push(not)}`;
  return {
    rest: clientOf(host, tokens, { wholeMs: 20_000, onceMs: 8000, pausesMs: [1, 1], ...patience }),
    asked,
    refused,
  };
}

const never: RequestListener = () => {};
const lost: RequestListener = (_, response) => void response.destroy();

test.each([
  ['a read', get],
  ['a call that may be repeated', { ...post, repeatable: true }],
])('%s is made up to three times while the service is not available', async (_, call) => {
  const { rest, asked } = await worldOf(503, lost, 200);

  await rest.json(call);

  expect(asked).toHaveLength(3);
});

test.each([408, 429, 500, 502, 503, 504])('HTTP %d passes, and is given up after three times', async (status) => {
  const { rest, asked } = await worldOf(status);

  await expect(rest.json(get)).rejects.toMatchObject({ name: 'VendorError', status });

  expect(asked).toHaveLength(3);
});

test.each([400, 403, 404, 409, 412])('HTTP %d is an answer, and nothing is repeated', async (status) => {
  const { rest, asked } = await worldOf(status, 200);

  await expect(rest.json({ ...post, repeatable: true })).rejects.toMatchObject({ status });

  expect(asked).toHaveLength(1);
});

test.each<[string, number | RequestListener]>([
  ['503', 503],
  ['429', 429],
  ['no answer', lost],
])('a call that would do its work twice is never repeated, also not after %s', async (_, answer) => {
  const { rest, asked } = await worldOf(answer, 200);

  await expect(rest.json(post)).rejects.toMatchObject({ name: 'VendorError' });

  expect(asked).toHaveLength(1);
});

test('a read that may not be repeated is made once', async () => {
  const { rest, asked } = await worldOf(503, 200);

  await expect(rest.json({ ...get, repeatable: false })).rejects.toMatchObject({ status: 503 });

  expect(asked).toHaveLength(1);
});

test.each<[string, RestCall, readonly number[]]>([
  ['a read', get, [401, 200]],
  ['a call that is never repeated', post, [401, 200]],
  ['a read that was repeated before', get, [503, 401, 200]],
  ['a read that is repeated afterwards', get, [401, 503, 200]],
])('a token that is refused is renewed: %s', async (_, call, answers) => {
  const { rest, asked, refused } = await worldOf(...answers);

  await rest.json(call);

  expect(asked).toHaveLength(answers.length);
  const at = answers.indexOf(401);
  expect(refused[at + 1]).toBe(`token-${at + 1}`);
});

test('a token is renewed once: when the next one is refused too, that is the answer', async () => {
  const { rest, asked } = await worldOf(401);

  await expect(rest.json(get)).rejects.toMatchObject({ status: 401 });

  expect(asked).toEqual(['Bearer token-1', 'Bearer token-2']);
});

test('without a token nothing is asked, and what their source failed by is thrown as it is', async () => {
  const fault = new Fault('unavailable', 'no access token; wait, it is tried again');
  const rest = clientOf('http://127.0.0.1:1', () => Promise.reject(fault));

  await expect(rest.json(get)).rejects.toBe(fault);
});

test('a read that is not answered in time is made once more', async () => {
  const { rest, asked } = await openWorld([never, 200], { onceMs: 500 });

  await rest.json(get);

  expect(asked).toHaveLength(2);
});

test('a call that is never repeated may take the whole time', async () => {
  const slow: RequestListener = (_, response) => void setTimeout(() => response.end('{"late":true}'), 100);
  const { rest, asked } = await openWorld([slow], { onceMs: 20 });

  expect(await rest.json(post)).toEqual({ late: true });
  expect(asked).toHaveLength(1);
});

test('a call is given up in the end', async () => {
  const { rest } = await openWorld([never], { wholeMs: 100 });

  await expect(rest.json(post)).rejects.toMatchObject({ status: 0, message: expect.stringContaining('timeout') });
});

test('a call that is given up is not paused for', async () => {
  const { rest } = await openWorld([never], { wholeMs: 100, pausesMs: [60_000] });

  await expect(rest.json(get)).rejects.toMatchObject({ status: 0 });
});

test('an answer that is not JSON did not come from the vendor', async () => {
  const { rest } = await worldOf((_, response) => response.end('<html>proxy</html>'));

  await expect(rest.json(get)).rejects.toMatchObject({
    status: 502,
    message: expect.stringContaining('<html>proxy'),
  });
  expect(Buffer.from((await rest.bytes(get)).content).toString()).toBe('<html>proxy</html>');
});

test('an answer that came in part stands in no error: it may be a secret', async () => {
  const { rest } = await worldOf((_, response) => response.end('{"value":"canary'));

  const error = await rest.json(get).then(
    () => undefined,
    (thrown: Error) => thrown,
  );

  expect(error?.message).toBe('the answer is not JSON: 16 characters');
  expect(String(error?.cause)).not.toContain('canary');
});

test('an answer of nothing is an empty one', async () => {
  const { rest } = await worldOf((_, response) => response.writeHead(204).end());

  expect(await rest.json(post)).toEqual({});
});

test('an answer that is gzipped comes with the bytes that were sent', async () => {
  const packed = gzipSync('day,n\n');
  const rest = await answering((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed));

  const { content, headers } = await rest.bytes(post);

  expect(Buffer.from(content)).toEqual(packed);
  expect(headers.get('content-encoding')).toBe('gzip');
});

test.each(['POST', 'DELETE'] as const)(
  'what is sent by %s arrives with its length, its type and the token',
  async (method) => {
    const rest = await answering(async (request, response) => {
      const body = (await request.toArray()).join('');
      const { authorization, 'content-type': type, 'content-length': bytes } = request.headers;
      response.end(JSON.stringify({ url: request.url, authorization, type, bytes, body }));
    });

    const said = await rest.json({ ...post, method, query: { a: 'b c+d', left: undefined }, body: { ü: 1 } });

    expect(said).toEqual({
      url: '/x?a=b%20c%2Bd',
      authorization: 'Bearer a-token',
      type: 'application/json',
      bytes: '8',
      body: '{"ü":1}',
    });
  },
);

test.each<[string, RequestListener]>([
  ['a connection that breaks before the answer', (_, response) => void response.destroy()],
  [
    'a connection that breaks within the answer',
    (_, response) => void response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy()),
  ],
])('%s is no answer', async (_, answer) => {
  const rest = await answering(answer);

  await expect(rest.bytes(post)).rejects.toMatchObject({
    status: 0,
    message: expect.stringMatching(/^no answer from 127\.0\.0\.1:\d+: \S/),
  });
});

test('a server that is not there gives no answer, with the reason', async () => {
  const rest = clientOf('http://127.0.0.1:1', async () => 'a-token');

  await expect(rest.bytes(post)).rejects.toMatchObject({
    status: 0,
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('an answer that sends somewhere else is not followed', async () => {
  const rest = await answering((_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());

  await expect(rest.bytes(post)).rejects.toMatchObject({ status: 302 });
});
