import { expect, test } from 'vitest';
import { readBody, tickBody } from './message.ts';

const native = () => [];

test.each(['project', 'model/fraud', `model/a${'b'.repeat(62)}`])('a tick of our own has %s looked at', (stream) => {
  expect(readBody(tickBody(stream), native)).toEqual([{ kind: 'tick', stream }]);
});

test.each(['run/run_1', 'model/', 'model/Fraud', `model/a${'b'.repeat(63)}`, 'model/a/b', ''])(
  'a tick of what is not a stream of ours cannot be read: %j',
  (stream) => {
    expect(() => readBody(tickBody(stream), native)).toThrow(/a tick of Serin/);
  },
);
