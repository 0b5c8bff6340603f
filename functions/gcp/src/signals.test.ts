import { expect, test } from 'vitest';
import { withoutVariables } from './signals.ts';

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
