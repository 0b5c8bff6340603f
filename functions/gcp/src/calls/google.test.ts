import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Fault } from '@serin/core/base/fault';
import { expect, onTestFinished, test } from 'vitest';
import { type Call, type Google, googleClient, hostsOf } from './google.ts';

const get: Call = { service: 'storage', method: 'GET', path: 'x' };
const post: Call = { service: 'pubsub', method: 'POST', path: 'x', body: {} };

interface World {
  readonly google: Google;
  /** The tokens with which the service was asked, in order. */
  readonly asked: string[];
  /** The tokens that were refused, as the metadata server was told. */
  readonly refused: (string | undefined)[];
}

/** A service that answers one after the other, the last one from then on. */
const worldOf = (...answers: readonly (number | RequestListener)[]): Promise<World> => openWorld(answers, {});

async function openWorld(
  answers: readonly (number | RequestListener)[],
  patience: { readonly wholeMs?: number; readonly onceMs?: number; readonly pausesMs?: readonly number[] },
): Promise<World> {
  const asked: string[] = [];
  const refused: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? 200;
    asked.push(request.headers.authorization ?? '');
    if (typeof answer === 'number') response.writeHead(answer).end('{}');
    else answer(request, response);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const google = googleClient({
    hosts: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens: async (not) => `token-${refused.push(not)}`,
    patience: { wholeMs: 20_000, onceMs: 8000, pausesMs: [1, 1], ...patience },
  });
  return { google, asked, refused };
}

const never: RequestListener = () => {};
const lost: RequestListener = (_, response) => void response.destroy();

test.each([
  ['a read', get],
  ['a call that may be repeated', { ...post, repeatable: true }],
])('%s is made up to three times while the service is not available', async (_, call) => {
  const { google, asked } = await worldOf(503, lost, 200);

  await google.json(call);

  expect(asked).toHaveLength(3);
});

test.each([408, 429, 500, 502, 503, 504])('HTTP %d passes, and is given up after three times', async (status) => {
  const { google, asked } = await worldOf(status);

  await expect(google.json(get)).rejects.toMatchObject({ name: 'GoogleError', status });

  expect(asked).toHaveLength(3);
});

test.each([400, 403, 404, 409, 412])('HTTP %d is an answer, and nothing is repeated', async (status) => {
  const { google, asked } = await worldOf(status, 200);

  await expect(google.json({ ...post, repeatable: true })).rejects.toMatchObject({ status });

  expect(asked).toHaveLength(1);
});

test.each<[string, number | RequestListener]>([
  ['503', 503],
  ['429', 429],
  ['no answer', lost],
])('a call that would do its work twice is never repeated, also not after %s', async (_, answer) => {
  const { google, asked } = await worldOf(answer, 200);

  await expect(google.json(post)).rejects.toMatchObject({ name: 'GoogleError' });

  expect(asked).toHaveLength(1);
});

test('a read that may not be repeated is made once', async () => {
  const { google, asked } = await worldOf(503, 200);

  await expect(google.json({ ...get, repeatable: false })).rejects.toMatchObject({ status: 503 });

  expect(asked).toHaveLength(1);
});

test.each<[string, Call, readonly number[]]>([
  ['a read', get, [401, 200]],
  ['a call that is never repeated', post, [401, 200]],
  ['a read that was repeated before', get, [503, 401, 200]],
  ['a read that is repeated afterwards', get, [401, 503, 200]],
])('a token that is refused is renewed: %s', async (_, call, answers) => {
  const { google, asked, refused } = await worldOf(...answers);

  await google.json(call);

  expect(asked).toHaveLength(answers.length);
  const at = answers.indexOf(401);
  expect(refused[at + 1]).toBe(`token-${at + 1}`);
});

test('a token is renewed once: when the next one is refused too, that is the answer', async () => {
  const { google, asked } = await worldOf(401);

  await expect(google.json(get)).rejects.toMatchObject({ status: 401 });

  expect(asked).toEqual(['Bearer token-1', 'Bearer token-2']);
});

test('without a token nothing is asked, and what the metadata server failed by is thrown as it is', async () => {
  const fault = new Fault('unavailable', 'no access token; wait, it is tried again');
  const google = googleClient({ hosts: () => 'http://127.0.0.1:1', tokens: () => Promise.reject(fault) });

  await expect(google.json(get)).rejects.toBe(fault);
});

test('a read that is not answered in time is made once more', async () => {
  const { google, asked } = await openWorld([never, 200], { onceMs: 500 });

  await google.json(get);

  expect(asked).toHaveLength(2);
});

test('a call that is never repeated may take the whole time', async () => {
  const slow: RequestListener = (_, response) => void setTimeout(() => response.end('{"late":true}'), 100);
  const { google, asked } = await openWorld([slow], { onceMs: 20 });

  expect(await google.json(post)).toEqual({ late: true });
  expect(asked).toHaveLength(1);
});

test('a call is given up in the end', async () => {
  const { google } = await openWorld([never], { wholeMs: 100 });

  await expect(google.json(post)).rejects.toMatchObject({ status: 0, message: expect.stringContaining('timeout') });
});

test('a call that is given up is not paused for', async () => {
  const { google } = await openWorld([never], { wholeMs: 100, pausesMs: [60_000] });

  await expect(google.json(get)).rejects.toMatchObject({ status: 0 });
});

test('an answer that is not JSON did not come from Google', async () => {
  const { google } = await worldOf((_, response) => response.end('<html>proxy</html>'));

  await expect(google.json(get)).rejects.toMatchObject({
    status: 502,
    message: expect.stringContaining('<html>proxy'),
  });
  expect(Buffer.from((await google.bytes(get)).content).toString()).toBe('<html>proxy</html>');
});

test('a page that is not found is no word of the API that a thing is not there', async () => {
  const page: RequestListener = (_, response) =>
    response.writeHead(404).end('\n<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>');
  const away = await worldOf(page);
  const back = await worldOf(page, 200);

  await expect(away.google.json(get)).rejects.toMatchObject({ status: 502, message: expect.stringContaining('404') });
  expect(await back.google.json(get)).toEqual({});
});

test('an answer of nothing is an empty one', async () => {
  const { google } = await worldOf((_, response) => response.writeHead(204).end());

  expect(await google.json(post)).toEqual({});
});

test.each<[string, unknown, object]>([
  [
    'of google.rpc.Status',
    {
      error: {
        ...{ code: 403, status: 'PERMISSION_DENIED', message: 'It is disabled.' },
        details: [{ '@type': 'type.googleapis.com/google.rpc.Help' }, { reason: 'SERVICE_DISABLED' }],
      },
    },
    { rpc: 'PERMISSION_DENIED', reason: 'SERVICE_DISABLED', message: 'It is disabled.' },
  ],
  [
    'of a method that answers with a list',
    [{ error: { code: 403, status: 'NOT_FOUND', message: 'No database.' } }],
    { rpc: 'NOT_FOUND', reason: '', message: 'No database.' },
  ],
  [
    'of Cloud Storage',
    { error: { code: 403, message: 'Forbidden.', errors: [{ domain: 'global', reason: 'forbidden' }] } },
    { rpc: '', reason: 'forbidden', message: 'Forbidden.' },
  ],
  ['of OAuth', { error: 'invalid_grant' }, { rpc: '', message: 'HTTP 403 {"error":"invalid_grant"}' }],
  ['that is null', null, { rpc: '', message: 'HTTP 403 null' }],
])('a refusal says what it is: one %s', async (_, body, said) => {
  const { google } = await worldOf((__, response) => response.writeHead(403).end(JSON.stringify(body)));

  await expect(google.json(get)).rejects.toMatchObject({ status: 403, ...said });
});

test('each service has its host, Vertex AI one for each region, and a variable names another', () => {
  const hosts = hostsOf('europe-west4', { CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: 'http://127.0.0.1:4443/' });

  expect(hosts('firestore')).toBe('https://firestore.googleapis.com');
  expect(hosts('aiplatform')).toBe('https://europe-west4-aiplatform.googleapis.com');
  expect(hosts('storage')).toBe('http://127.0.0.1:4443');
});
