import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Server, type ServerOptions, startServer } from '@serin/local/compose';
import { expect, onTestFinished, test } from 'vitest';
import { newDirectory } from './serving-machine.ts';

async function start(patience: ServerOptions['patience'] = {}): Promise<Server> {
  const server = await startServer({ directory: join(newDirectory(), 'data'), port: 0, version: 'test', patience });
  onTestFinished(() => server.close());
  return server;
}

/** A connection that has sent this much; `said`: all that it was told, once the server has ended it. */
function opened({ port }: Server, text: string): { readonly socket: Socket; readonly said: Promise<string> } {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  onTestFinished(() => void socket.destroy());
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part)).on('error', () => undefined);
  return { socket, said: once(socket, 'close').then(() => Buffer.concat(parts).toString()) };
}

const headers = ({ port, token }: Server): string =>
  `host: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n`;

test.each([
  ['the headers', { headersTimeout: 1000 }, ''],
  ['the body', { headersTimeout: 1000, requestTimeout: 1000 }, 'idempotency-key: a\r\ncontent-length: 9\r\n\r\n{'],
])('who sends %s of a request too slowly is cut off and told why, and others are answered', async (_, limits, rest) => {
  const server = await start({ connectionsCheckingInterval: 20, ...limits });

  const { said } = opened(server, `POST /v1/runs HTTP/1.1\r\n${headers(server)}${rest}`);
  const other = await fetch(`${server.url}/version`);

  expect(await said).toMatch(/^HTTP\/1\.1 408 /);
  expect(other.status).toBe(200);
});

test('a connection beyond the most that may be open is closed, and one is taken again when another has ended', async () => {
  const server = await start({ maxConnections: 1 });
  const asked = `GET /version HTTP/1.1\r\n${headers(server)}\r\n`;
  const first = opened(server, asked);
  await once(first.socket, 'data');

  const second = await opened(server, asked).said;
  first.socket.end();
  await first.said;
  const third = () => fetch(`${server.url}/version`).then(({ status }) => status, String);

  expect(second).toBe('');
  await expect.poll(third, { interval: 10 }).toBe(200);
});
