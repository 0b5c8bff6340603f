import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { managedIdentity } from './token.ts';

const start = 1_700_000_000_000;
const minute = 60_000;

/** An identity endpoint, whose tokens are numbered and last for an hour, unless it answers otherwise. */
async function worldOf(answer?: (count: number) => RequestListener | undefined) {
  const clock = { now: start };
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const count = asked.push(`${request.headers['x-identity-header']} ${request.url}`);
    const other = answer?.(count);
    if (other !== undefined) return other(request, response);
    response.end(JSON.stringify({ access_token: `token-${count}`, expires_on: `${clock.now / 1000 + 3600}` }));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const tokens = managedIdentity({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token?of=host`,
    header: 'a-secret',
    clientId: 'client-1',
    now: () => clock.now,
  });
  return { tokens, clock, asked };
}

test('a token is asked for as Azure Functions has it documented, for one identity and one resource', async () => {
  const { tokens, asked } = await worldOf();

  expect(await tokens('https://storage.azure.com/')()).toBe('token-1');

  expect(asked).toEqual([
    'a-secret /msi/token?of=host&resource=https%3A%2F%2Fstorage.azure.com%2F&api-version=2019-08-01&client_id=client-1',
  ]);
});

test('each resource has its token, and asks for it once', async () => {
  const { tokens } = await worldOf();

  const answered = [
    await tokens('https://vault.azure.net')(),
    await tokens('https://storage.azure.com/')(),
    await tokens('https://vault.azure.net')(),
  ];

  expect(answered).toEqual(['token-1', 'token-2', 'token-1']);
});

test('a token is kept until two minutes before it expires', async () => {
  const { tokens, clock } = await worldOf();
  const ask = tokens('https://vault.azure.net');

  expect(await ask()).toBe('token-1');
  clock.now += 58 * minute - 1;
  expect(await ask()).toBe('token-1');
  clock.now += 1;
  expect(await ask()).toBe('token-2');
});

test('the time at which a token expires may be a number', async () => {
  const body = JSON.stringify({ access_token: 'a', expires_on: start / 1000 + 3600 });
  const { tokens, asked } = await worldOf(() => (_, response) => void response.end(body));
  const ask = tokens('https://vault.azure.net');

  expect([await ask(), await ask()]).toEqual(['a', 'a']);
  expect(asked).toHaveLength(1);
});

test.each<[string, RequestListener, RegExp]>([
  [
    'that fails',
    (_, response) => void response.writeHead(400).end('{"message":"no such identity"}'),
    /: HTTP 400 .*no such identity/,
  ],
  ['that is no JSON', (_, response) => void response.end('<html>'), /JSON/],
  ['without a token', (_, response) => void response.end('{"expires_on":"1"}'), /: its answer has no token$/],
  ['without an end', (_, response) => void response.end('{"access_token":"a"}'), /: its answer has no token$/],
  ['that never comes', (_, response) => void response.destroy(), /: fetch failed$/],
])('an answer %s is unavailable, and the next call asks anew', async (_, answer, why) => {
  const { tokens } = await worldOf((count) => (count <= 2 ? answer : undefined));
  const ask = tokens('https://vault.azure.net');

  await expect(ask()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(why) });
  expect(await ask()).toBe('token-3');
});
