import { expect, test } from 'vitest';
import { lastLines, linesFrom } from './log-bytes.ts';

const readerOf = (text: string) => async (begin: number, bytes: number) =>
  new Uint8Array(Buffer.from(text).subarray(begin, begin + bytes));
const part = (text: string, from: number, max: number, isOver = false) =>
  linesFrom({ from, max, isOver }, readerOf(text));

test('whole lines come, and the next part goes on behind them', async () => {
  const text = 'one\ntwo\nünf\nfour\n';

  const first = await part(text, 0, 9);
  const second = await part(text, first.next, 100);

  expect(first).toEqual({ text: 'one\ntwo\n', next: 8 });
  expect(second).toEqual({ text: 'ünf\nfour\n', next: 18 });
  expect(await part(text, second.next, 100)).toEqual({ text: '', next: 18 });
});

test('a line that is being written comes when it has its end, or when nothing comes any more', async () => {
  expect(await part('one\ntw', 4, 100)).toEqual({ text: '', next: 4 });
  expect(await part('one\ntw', 4, 100, true)).toEqual({ text: 'tw', next: 6 });
  expect(await part('one\ntw', 0, 6, true)).toEqual({ text: 'one\n', next: 4 });
});

test('one line comes at least, however little is asked for', async () => {
  expect(await part('a long line\nnext\n', 0, 3)).toEqual({ text: 'a long line\n', next: 12 });
  expect(await part('a long line', 0, 3)).toEqual({ text: '', next: 0 });
  expect(await part('a long line', 0, 3, true)).toEqual({ text: 'a long line', next: 11 });
});

test('a line of more than a megabyte is broken, so that what follows can be read', async () => {
  const { next } = await part('x'.repeat(3_000_000), 0, 1000);

  expect(next).toBe(1024 * 1024);
});

test('the last lines are those at the end, without an empty one', () => {
  expect(lastLines(Buffer.from('a\nb\nc\n'), 2)).toEqual(['b', 'c']);
  expect(lastLines(Buffer.from('a\nb'), 5)).toEqual(['a', 'b']);
  expect(lastLines(new Uint8Array(), 5)).toEqual([]);
});
