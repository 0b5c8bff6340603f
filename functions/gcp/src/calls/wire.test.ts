import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { type Call, type Google, googleClient } from './google.ts';

/** A client of a service that answers so. */
async function clientOf(answer: RequestListener): Promise<Google> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const hosts = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return googleClient({ hosts, tokens: async () => 'a-token' });
}

const call = { service: 'storage', method: 'POST', path: 'x' } as const satisfies Call;

test('an answer that is gzipped comes with the bytes that were sent', async () => {
  const packed = gzipSync('day,n\n');
  const google = await clientOf((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed));

  const { content, headers } = await google.bytes(call);

  expect(Buffer.from(content)).toEqual(packed);
  expect(headers.get('content-encoding')).toBe('gzip');
});

test.each(['POST', 'DELETE'] as const)(
  'what is sent by %s arrives with its length, its type and the token',
  async (method) => {
    const google = await clientOf(async (request, response) => {
      const body = (await request.toArray()).join('');
      const { authorization, 'content-type': type, 'content-length': bytes } = request.headers;
      response.end(JSON.stringify({ url: request.url, authorization, type, bytes, body }));
    });

    const said = await google.json({ ...call, method, query: { a: 'b c+d', left: undefined }, body: { ü: 1 } });

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
  const google = await clientOf(answer);

  await expect(google.bytes(call)).rejects.toMatchObject({
    status: 0,
    message: expect.stringMatching(/^no answer from 127\.0\.0\.1:\d+: \S/),
  });
});

test('a server that is not there gives no answer, with the reason', async () => {
  const google = googleClient({ hosts: () => 'http://127.0.0.1:1', tokens: async () => 'a-token' });

  await expect(google.bytes(call)).rejects.toMatchObject({
    status: 0,
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('an answer that sends somewhere else is not followed', async () => {
  const google = await clientOf((_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());

  await expect(google.bytes(call)).rejects.toMatchObject({ status: 302 });
});
