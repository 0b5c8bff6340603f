import { once } from 'node:events';
import { Agent, createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { dialects } from './dialect.ts';

/** What a model server turns out to speak, and which paths it was asked. */
async function ask(listener: RequestListener, times = 1) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    listener(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  const upstream = { port: (server.address() as AddressInfo).port, agent: new Agent(), heard() {} };
  const dialect = dialects();
  const found: unknown[] = [];
  for (let index = 0; index < times; index += 1)
    found.push(await dialect(upstream, 'a b', 5000).catch((error: Error) => `failed: ${error.message}`));
  return { found, paths };
}

const metadata = { name: 'm', inputs: [], outputs: [] };

test('a server that says a name and inputs speaks it, and is asked once', async () => {
  const { found, paths } = await ask((_, response) => response.end(JSON.stringify(metadata)), 3);

  expect(found).toEqual([metadata, metadata, metadata]);
  expect(paths).toEqual(['/v2/models/a%20b']);
});

test.each([
  ['has no name', 200, '{"inputs":[]}'],
  ['has a name that is a number', 200, '{"name":1,"inputs":[]}'],
  ['has no inputs', 200, '{"name":"m"}'],
  ['is not JSON', 200, 'ok'],
  ['is nothing', 200, 'null'],
  ['is an error', 404, JSON.stringify(metadata)],
  ['is endless', 200, JSON.stringify({ ...metadata, more: 'x'.repeat(2 ** 20) })],
])('a server whose answer %s does not speak it', async (_, status, body) => {
  const { found } = await ask((_request, response) => response.writeHead(status).end(body));

  expect(found).toEqual([undefined]);
});

test('a server that breaks off is asked again', async () => {
  let asked = 0;

  const { found } = await ask((request, response) => {
    asked += 1;
    if (asked > 2) response.end(JSON.stringify(metadata));
    else if (asked === 2) request.socket.destroy();
    else response.writeHead(200, { 'content-length': '100' }).write('half', () => request.socket.destroy());
  }, 3);

  expect(found).toEqual([expect.stringMatching(/^failed/), expect.stringMatching(/^failed/), metadata]);
});
