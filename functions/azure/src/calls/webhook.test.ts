import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '@serin/api/problem';
import { Fault } from '@serin/core/base/fault';
import { expect, test } from 'vitest';
import { takeDelivery } from './webhook.ts';

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../../../test/events/azure', `${name}.json`), 'utf8');

interface Sent {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

const queueInto = (queued: string[]) => ({
  sendAll: async (texts: readonly string[]) => void queued.push(...texts),
});

async function deliver({ method = 'POST', body, headers = {} }: Sent, more: object = {}) {
  const queued: string[] = [];
  const request = new Request('https://x/azure/events', { method, headers, ...(body === undefined ? {} : { body }) });
  const options = { callers: async () => {}, queue: queueInto(queued), ...more };
  const answer = await takeDelivery(request, options);
  return { status: answer.status, headers: answer.headers, text: await answer.text(), queued };
}

test('what is delivered is durable in the queue when it is answered, each event of an array as a message', async () => {
  const several = fixture('blob-created-several');

  const [one, many] = [await deliver({ body: fixture('alert-legacy') }), await deliver({ body: several })];

  expect([one.status, one.queued]).toEqual([200, [fixture('alert-legacy')]]);
  expect(many.queued.map((text) => JSON.parse(text))).toEqual(JSON.parse(several));
});

test('the code of Event Grid is answered, and nothing is queued', async () => {
  const { status, text, queued } = await deliver({ body: fixture('subscription-validation') });

  expect([status, JSON.parse(text), queued]).toEqual([
    200,
    { validationResponse: '512d38b6-c7b8-40c8-89fe-f46f9e9622b6' },
    [],
  ]);
});

test('no event is lost that comes together with a code', async () => {
  const events = [JSON.parse(fixture('subscription-validation')), JSON.parse(fixture('blob-created-several'))].flat();

  const { queued } = await deliver({ body: JSON.stringify(events) });

  expect(queued.map((text) => JSON.parse(text))).toEqual(events);
});

test('Event Grid may send CloudEvents, at any rate if it asks for one, and nobody else may', async () => {
  const ask = (headers: Record<string, string>) => deliver({ method: 'OPTIONS', headers });
  const origin = { 'webhook-request-origin': 'eventgrid.azure.net' };

  const [plain, rated] = [await ask(origin), await ask({ ...origin, 'webhook-request-rate': '120' })];

  expect(plain.status).toBe(200);
  expect(plain.headers.get('webhook-allowed-origin')).toBe('eventgrid.azure.net');
  expect([plain.headers.get('webhook-allowed-rate'), rated.headers.get('webhook-allowed-rate')]).toEqual([null, '*']);
  for (const headers of [{}, { 'webhook-request-origin': 'evil.example' }])
    await expect(ask(headers)).rejects.toMatchObject({ code: 'forbidden' });
});

test('of a caller who is none of ours nothing is read, not even a code', async () => {
  const queued: string[] = [];
  const callers = () => Promise.reject(new Problem('unauthenticated', 'who are you'));

  for (const name of ['subscription-validation', 'alert-legacy'])
    await expect(deliver({ body: fixture(name) }, { callers, queue: queueInto(queued) })).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  expect(queued).toEqual([]);
});

test.each(['unavailable', 'throttled', 'notFound', 'invalid'] as const)(
  'what cannot be queued is not taken, and is sent again, also when the queue is %s',
  async (code) => {
    const queue = { sendAll: () => Promise.reject(new Fault(code, 'give the identity its role')) };

    await expect(deliver({ body: '{}' }, { queue })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('give the identity its role'),
    });
  },
);

test.each([
  ['a body that is no JSON', { body: 'hello' }, 'malformed'],
  ['another method', { method: 'PUT', body: '{}' }, 'methodNotAllowed'],
] as const)('%s is refused', async (_, sent, code) => {
  await expect(deliver(sent)).rejects.toMatchObject({ code });
});
