import { Problem } from '@serin/api/problem';
import { Fault } from '@serin/core/base/fault';
import { expect, test } from 'vitest';
import { serve } from './http.ts';

const logged: string[] = [];

/** A request as the host hands it over, which is one of the fetch standard but for its class. */
async function ask(take: (request: Request) => Promise<Response>, method = 'GET', more: RequestInit = {}) {
  logged.length = 0;
  const log = { fault: (what: string, error: unknown) => logged.push(`${what}: ${(error as Error).message}`) };
  const sent = new Request('https://serin.example/v1/a%20b%23%25%F0%9F%98%80?a=1%2B', { method, ...more });
  const { status, headers, body } = await serve(sent, { log, newId: (prefix) => `${prefix}_1`, take });
  const text = body === undefined ? undefined : new TextDecoder().decode(body as Uint8Array);
  return { status, headers: headers as Record<string, string>, text };
}

test('a request arrives as it was sent, bytes and all', async () => {
  const { text } = await ask(
    async (request) =>
      Response.json({
        ...{ method: request.method, url: request.url, token: request.headers.get('authorization') },
        bytes: [...new Uint8Array(await request.arrayBuffer())],
      }),
    'PUT',
    { body: new Uint8Array([0, 255, 10, 13]), headers: { authorization: 'Bearer x' } },
  );

  expect(JSON.parse(text ?? '')).toEqual({
    ...{ method: 'PUT', url: 'https://serin.example/v1/a%20b%23%25%F0%9F%98%80?a=1%2B', token: 'Bearer x' },
    bytes: [0, 255, 10, 13],
  });
});

test('an answer leaves with its headers and bytes; to a HEAD, and without content, with none', async () => {
  const answer = async () => new Response('x', { status: 201, headers: { 'x-request-id': 'req_1' } });
  const empty = async () => new Response(null, { status: 204 });

  expect(await ask(answer)).toMatchObject({ status: 201, text: 'x', headers: { 'x-request-id': 'req_1' } });
  expect(await ask(answer, 'HEAD')).toMatchObject({ status: 201, text: undefined });
  expect(await ask(empty, 'DELETE')).toMatchObject({ status: 204, text: undefined });
});

test.each([
  ['a problem', new Problem('forbidden', 'not you'), 403, 'not you', []],
  [
    'a fault that passes',
    new Fault('unavailable', 'the store is away; try again'),
    503,
    'the store is away',
    ['req_1'],
  ],
  ['what nobody foresaw', new Error('secret detail'), 500, 'look in the log', ['secret detail']],
])('%s is answered, and what is not for the caller is only logged', async (_, error, status, told, inLog) => {
  const { status: answered, text } = await ask(() => Promise.reject(error));

  expect(answered).toBe(status);
  expect(text).toContain(told);
  expect(text).not.toContain('secret detail');
  expect(logged).toHaveLength(inLog.length);
  for (const [index, part] of inLog.entries()) expect(logged[index]).toContain(part);
});

test('an answer that breaks off while it is read is a defect, not half an answer', async () => {
  const broken = new ReadableStream({ pull: () => Promise.reject(new Error('gone')) });

  expect(await ask(async () => new Response(broken))).toMatchObject({ status: 500 });
});
