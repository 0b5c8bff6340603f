import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Call, type Google, googleClient, hostsOf } from './google.ts';

const get: Call = { service: 'storage', method: 'GET', path: 'x' };

/** A client of a service that answers one after the other, the last one from then on. */
async function clientOf(...answers: readonly RequestListener[]): Promise<Google> {
  let asked = 0;
  const server = createServer((request, response) =>
    answers[Math.min(asked++, answers.length - 1)]?.(request, response),
  );
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return googleClient({
    hosts: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens: async () => 'a-token',
    patience: { wholeMs: 20_000, onceMs: 8000, pausesMs: [1, 1] },
  });
}

test('no answer is an error of Google', async () => {
  const google = await clientOf((_, response) => void response.destroy());

  await expect(google.json(get)).rejects.toMatchObject({ name: 'GoogleError', status: 0, rpc: '' });
});

test('a page that is not found is no word of the API that a thing is not there', async () => {
  const page: RequestListener = (_, response) =>
    response.writeHead(404).end('\n<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>');
  const away = await clientOf(page);
  const back = await clientOf(page, (_, response) => void response.end('{}'));

  await expect(away.json(get)).rejects.toMatchObject({ status: 502, message: expect.stringContaining('404') });
  expect(await back.json(get)).toEqual({});
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
  const google = await clientOf((__, response) => void response.writeHead(403).end(JSON.stringify(body)));

  await expect(google.json(get)).rejects.toMatchObject({ status: 403, ...said });
});

test('each service has its host, Vertex AI one for each region, and a variable names another', () => {
  const hosts = hostsOf('europe-west4', { CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: 'http://127.0.0.1:4443/' });

  expect(hosts('firestore')).toBe('https://firestore.googleapis.com');
  expect(hosts('aiplatform')).toBe('https://europe-west4-aiplatform.googleapis.com');
  expect(hosts('storage')).toBe('http://127.0.0.1:4443');
});
