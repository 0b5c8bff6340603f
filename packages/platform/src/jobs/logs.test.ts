import { Fault } from '@serin/core/base/fault';
import { expect, test } from 'vitest';
import { beganAfter, type LogEvent, logEndBy, logEndOf, logPart } from './logs.ts';

const epoch = 1_000_000;
const event = (after: number, message: string): LogEvent => ({ timestamp: epoch + after, message });
const all = (...events: readonly LogEvent[]) => ({ events, until: Number.POSITIVE_INFINITY });

/** The whole log, read part by part. */
async function read(max: number, streams: readonly (readonly LogEvent[])[]): Promise<readonly string[]> {
  const texts: string[] = [];
  for (let from = 0; ; ) {
    const { text, next } = await logPart({ epoch, from, max }, async (start) =>
      streams.map((events) => all(...events.filter(({ timestamp }) => timestamp >= start))),
    );
    if (text === '') return texts;
    texts.push(text);
    from = next;
  }
}

test('a log is read in whole lines, each once, also of one millisecond', async () => {
  const stream = [event(1, 'one'), event(5, 'two'), event(5, 'three'), event(5, 'four'), event(9, 'five')];

  expect(await read(8, [stream])).toEqual(['one\ntwo\n', 'three\n', 'four\n', 'five\n']);
  expect(await read(1000, [stream])).toEqual(['one\ntwo\nthree\nfour\nfive\n']);
});

test('a line that is longer than a part comes alone', async () => {
  expect(await read(4, [[event(1, 'a long line'), event(2, 'b')]])).toEqual(['a long line\n', 'b\n']);
});

test('the streams of a job that was started again are one log, in the order of time', async () => {
  expect(
    await read(1000, [
      [event(1, 'a'), event(4, 'd')],
      [event(2, 'b'), event(3, 'c')],
    ]),
  ).toEqual(['a\nb\nc\nd\n']);
});

test('what lies behind the end of a stream that has more is not told yet', async () => {
  const cut = { events: [event(1, 'a'), event(2, 'b')], until: epoch + 2 };

  const { text } = await logPart({ epoch, from: 0, max: 1000 }, async () => [cut, all(event(3, 'later'))]);

  expect(text).toBe('a\nb\n');
});

test('a log begins when its run did, and its end is the end of a sentence', () => {
  expect(beganAfter(`run_0198c5e0f000${'0'.repeat(20)}/train/1`)).toBe(0x0198c5e0f000);
  expect(beganAfter('run_1/train/1')).toBe(Date.UTC(2026, 0, 1));
  expect(logEndOf('')).toBe('');
  expect(logEndOf('a\nb')).toBe('; the end of its log:\na\nb');
});

test('the end of a log that can never be read is told, and one that comes later is waited for', async () => {
  const failing = (code: 'invalid' | 'throttled') => async () => {
    throw new Fault(code, 'not now');
  };

  expect(await logEndBy(async () => ['a', 'b'])).toBe('; the end of its log:\na\nb');
  expect(await logEndBy(async () => undefined)).toBe('');
  expect(await logEndBy(failing('invalid'))).toBe('; its log cannot be read: not now');
  await expect(logEndBy(failing('throttled'))).rejects.toMatchObject({ code: 'throttled' });
});
