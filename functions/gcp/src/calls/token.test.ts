import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { metadataTokens } from './token.ts';

/** A metadata server, whose tokens are numbered and last for an hour, unless it answers otherwise. */
async function worldOf(answer?: (count: number) => RequestListener | undefined) {
  let count = 0;
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    count += 1;
    asked.push(`${request.url} ${request.headers['metadata-flavor']}`);
    const other = answer?.(count);
    if (other !== undefined) return other(request, response);
    response.end(JSON.stringify({ access_token: `token-${count}`, expires_in: 3600, token_type: 'Bearer' }));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const clock = { now: 1_700_000_000_000 };
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { tokens: metadataTokens({ host, now: () => clock.now }), clock, asked };
}

const minute = 60_000;

test('a token is kept until five minutes before it expires', async () => {
  const { tokens, clock, asked } = await worldOf();

  expect(await tokens()).toBe('token-1');
  clock.now += 55 * minute - 1;
  expect(await tokens()).toBe('token-1');
  clock.now += 1;
  expect(await tokens()).toBe('token-2');

  expect(asked[0]).toBe('/computeMetadata/v1/instance/service-accounts/default/token Google');
});

const failing: RequestListener = (_, response) => response.writeHead(503).end();

test.each<[string, RequestListener, RegExp]>([
  ['that fails', failing, /: HTTP 503$/],
  ['that is no JSON', (_, response) => response.end('<html>'), /JSON/],
  ['without a token', (_, response) => response.end('{"expires_in":3599}'), /: its answer has no token$/],
  ['that never comes', (_, response) => void response.destroy(), /: fetch failed$/],
])('an answer %s is unavailable, and the next call asks anew', async (_, answer, why) => {
  const { tokens } = await worldOf((count) => (count <= 2 ? answer : undefined));

  await expect(tokens()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(why) });
  expect(await tokens()).toBe('token-3');
});
