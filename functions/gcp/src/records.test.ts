import { expect, test } from 'vitest';
import { deliveredOf } from './records.ts';
import { read } from './signals.ts';

const encoded = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');
const posted = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  deliveredOf({ headers, rawBody: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) });
const pushed = (message: object, more: object = {}) =>
  posted({ message: { messageId: '7', ...message }, subscription: 'projects/p/subscriptions/s', ...more });

const tick = '{"serin":{"tick":"model/fraud"}}';
const notification = { eventType: 'OBJECT_FINALIZE', bucketId: 'drops', objectId: 'fraud/ä.csv' };
const object = { bucket: 'drops', name: 'fraud/ä.csv' };
const finalized = 'google.cloud.storage.object.v1.finalized';

test('a push is a message with the id, the count and the text that Pub/Sub has for it', () => {
  expect(pushed({ data: encoded(tick) }, { deliveryAttempt: 3 })).toMatchObject({ id: '7', attempt: 3, body: tick });
});

test.each([
  ['no count', {}],
  ['a count of nothing', { deliveryAttempt: 0 }],
  ['a count that is none', { deliveryAttempt: 'x' }],
])('a message with %s is delivered for the first time', (_, more) => {
  expect(pushed({ data: encoded(tick) }, more).attempt).toBe(1);
});

test('an id is read as Pub/Sub writes it today and wrote it once', () => {
  expect(pushed({ messageId: undefined, message_id: '8', data: encoded(tick) }).id).toBe('8');
});

test('what is said by attributes stays in its envelope, and so do bytes that are no text', () => {
  const bytes = encoded(new Uint8Array([0xff, 0xfe]));

  expect(read(pushed({ attributes: notification, data: encoded('{}') }).body)).toMatchObject([{ kind: 'object' }]);
  expect(JSON.parse(pushed({ data: bytes }).body)).toMatchObject({ message: { data: bytes } });
});

test('a dead letter that is sent again is the same letter, however often', () => {
  const once = pushed({ attributes: notification, data: encoded('{}') }).body;
  const twice = pushed({ data: encoded(once) }).body;

  expect(twice).toBe(once);
});

test("a message from the topic of dead letters is what it was, without Pub/Sub's notes on it", () => {
  const attributes = { CloudPubSubDeadLetterSourceDeliveryCount: '5' };

  expect(pushed({ data: encoded(tick), attributes }).body).toBe(tick);
});

test('an event of Eventarc whose attributes are headers is the same event in one body', () => {
  const headers = { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-type': finalized, 'ce-source': '//s' };

  const event = posted(object, { ...headers, 'content-type': 'application/json', host: 'h' });

  expect(JSON.parse(event.body)).toEqual({
    specversion: '1.0',
    id: 'e1',
    type: finalized,
    source: '//s',
    data: object,
  });
  expect(event.id).toBe('e1');
  expect(read(event.body)).toMatchObject([{ kind: 'object', key: 'fraud/ä.csv' }]);
});

test('an event of Eventarc with bytes of another kind keeps them', () => {
  const rawBody = new Uint8Array([0xff, 1]);

  const { body } = deliveredOf({ headers: { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-type': 't' }, rawBody });

  expect(JSON.parse(body)).toMatchObject({ data_base64: encoded(rawBody) });
});

test('a message of Pub/Sub inside an event of Eventarc is that message', () => {
  const event = { specversion: '1.0', id: 'e1', type: 'google.cloud.pubsub.topic.v1.messagePublished', source: '//p' };

  expect(posted({ ...event, data: { message: { messageId: '9', data: encoded(tick) } } })).toMatchObject({
    id: '9',
    body: tick,
  });
});

test.each([
  ['of the first generation', { context: { eventId: 'b1', eventType: 't' }, data: {} }],
  ['of the very first functions', { eventId: 'b1', eventType: 't', data: {} }],
])('an event %s has its own id', (_, event) => {
  expect(posted(event).id).toBe('b1');
});

test.each([
  ['longer than a dead letter can be called', 'x'.repeat(401)],
  ['of characters that no dead letter can be called by', 'e\0'],
  ['of another script', 'ü'.repeat(200)],
])('an id that is %s is not taken', (_, id) => {
  const event = { specversion: '1.0', id, type: 't', data: {} };

  expect(posted(event).id).toMatch(/^[\w-]+$/);
  expect(posted(event).id).toBe(posted(event).id);
});

test('a body without an id has one that is the same each time, and no other body has it', () => {
  expect(posted('hello').id).toBe(posted('hello').id);
  expect(posted('hello').id).not.toBe(posted('hullo').id);
  expect(deliveredOf({ headers: {} })).toMatchObject({ body: '', attempt: 1 });
});

test('a body that is nested deeper than anybody can write it again is a message all the same', () => {
  const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
  const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-type': finalized };

  for (const { body } of [posted(deep), posted(deep, headers), pushed({ data: encoded(deep) })])
    expect(body).toContain(deep);
});
