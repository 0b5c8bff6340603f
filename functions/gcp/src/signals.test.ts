import { expect, test } from 'vitest';
import { read, withoutVariables } from './signals.ts';

const env = [{ name: 'API_KEY', value: 'canary-of-a-secret' }];
const spec = (more: object) => ({
  logName: 'projects/p/logs/cloudaudit.googleapis.com%2Factivity',
  protoPayload: {
    request: { customJob: { jobSpec: { workerPoolSpecs: [{ containerSpec: { imageUri: 'x', ...more } }] } } },
  },
});
const inData = (entry: object) => ({ message: { data: Buffer.from(JSON.stringify(entry)).toString('base64') } });

test.each([
  ['as it stands', spec({ env }), spec({})],
  ['in a message of Pub/Sub', inData(spec({ env })), inData(spec({}))],
  ['in a message inside a message', inData(inData(spec({ env }))), inData(inData(spec({})))],
  [
    'in an event with bytes',
    { specversion: '1.0', data_base64: inData(spec({ env })).message.data },
    { specversion: '1.0', data_base64: inData(spec({})).message.data },
  ],
])('of a log of a request nothing is kept of the variables of its job, secrets among them (%s)', (_, body, kept) => {
  expect(JSON.parse(withoutVariables(JSON.stringify(body)))).toEqual(kept);
});

test.each(['not JSON "env"', '[1]', '{"message":{"data":"/w=="}}', '{ "data": "no base64!" }'])(
  'anything else stays as it is: %s',
  (body) => {
    expect(withoutVariables(body)).toBe(body);
  },
);

test.each([
  ['a message of Pub/Sub without data', { message: { attributes: { a: 'b' } } }],
  ['a message of Pub/Sub whose data is empty', { message: { data: '', attributes: { a: 'b' } } }],
  [
    'a log of another service about something of the same name',
    { logName: 'l', protoPayload: { serviceName: 'ml.googleapis.com', resourceName: 'projects/p/endpoints/e' } },
  ],
  [
    'a log of a part of an endpoint',
    { logName: 'l', protoPayload: { serviceName: 'aiplatform.googleapis.com', resourceName: 'p/endpoints/e/x' } },
  ],
])('%s is for nobody', (_, body) => {
  expect(read(JSON.stringify(body))).toMatchObject([{ kind: 'unrouted' }]);
});

test('a message with an attribute that Cloud Storage has too is read for what its data says', () => {
  const data = Buffer.from('{"serin":{"tick":"model/fraud"}}').toString('base64');

  expect(read(JSON.stringify({ message: { data, attributes: { eventType: 'x' } } }))).toMatchObject([
    { kind: 'tick', stream: 'model/fraud' },
  ]);
});

test.each(['OBJECT_METADATA_UPDATE', 'OBJECT_DELETE', 'OBJECT_ARCHIVE'])(
  'a notification that nothing new is stored starts nothing (%s)',
  (eventType) => {
    const attributes = { eventType, bucketId: 'drops', objectId: 'fraud/a.csv' };

    expect(read(JSON.stringify({ message: { attributes } }))).toMatchObject([{ kind: 'unrouted' }]);
  },
);
