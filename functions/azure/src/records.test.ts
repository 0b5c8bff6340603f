import { expect, test } from 'vitest';
import { takenFrom } from './records.ts';

const delivered = (message: unknown, triggerMetadata: Record<string, unknown> = {}) =>
  takenFrom(message, { triggerMetadata });

test.each([
  ['JSON, which the host parses', { a: [1, 'ä'] }, '{"a":[1,"ä"]}'],
  ['a text that is no JSON', 'hello', 'hello'],
  ['a number', 5, '5'],
  ['null', null, 'null'],
  ['bytes', Buffer.from('{"a":1}'), '{"a":1}'],
  ['bytes that are no text', new Uint8Array([0xff]), '\uFFFD'],
  ['nothing', undefined, ''],
])('a message of %s is its text', (_, message, body) => {
  expect(delivered(message)).toMatchObject({ body });
});

test('a message that is nested too deeply to be written is taken all the same', () => {
  const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`);

  expect(delivered(deep, { messageId: 'm1' })).toMatchObject({ id: 'm1', body: expect.stringContaining('too deeply') });
});

test('a message has the id that Service Bus knows, and says how often it was delivered', () => {
  expect(delivered({}, { messageId: 'm1', deliveryCount: 3 })).toEqual({ id: 'm1', attempt: 3, body: '{}' });
});

test('a copy goes on counting, under the id of its message', () => {
  const copy = { messageId: 'm1/3', deliveryCount: 1, applicationProperties: { copyOf: 'm1', attempt: '3' } };

  expect(delivered({}, copy)).toMatchObject({ id: 'm1', attempt: 3 });
  expect(delivered({}, { ...copy, deliveryCount: 2 })).toMatchObject({ id: 'm1', attempt: 4 });
});

test.each([{}, { messageId: '', deliveryCount: 0 }, { messageId: 'a b', deliveryCount: 'x' }, { messageId: 7 }])(
  'a message without an id that can name it gets one by its text: %j',
  (metadata) => {
    const [one, same, other] = [
      delivered({ a: 1 }, metadata),
      delivered({ a: 1 }, metadata),
      delivered({ a: 2 }, metadata),
    ];

    expect(one.attempt).toBe(1);
    expect(one.id).toMatch(/^message_[0-9a-f]{32}$/);
    expect([same.id, other.id === one.id]).toEqual([one.id, false]);
  },
);
