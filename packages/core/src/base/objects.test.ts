import { expect, test } from 'vitest';
import { lastOf, withLast } from './objects.ts';

const record = { a: 1, b: 2, c: 3 };

test('a record keeps its last entries, in the order in which they were added', () => {
  expect(Object.entries(withLast(record, ['d', 4], 3))).toEqual([
    ['b', 2],
    ['c', 3],
    ['d', 4],
  ]);
  expect(Object.keys(withLast(record, ['d', 4], 9))).toEqual(['a', 'b', 'c', 'd']);
  expect(Object.keys(lastOf(record, 2))).toEqual(['b', 'c']);
  expect(lastOf(record, 3)).toBe(record);
});

test('a key may be any text that somebody sends, also the name of a prototype', () => {
  const kept = withLast({}, ['__proto__', 'done'], 3);

  expect(Object.entries(withLast(kept, ['x', 'done'], 3))).toEqual([
    ['__proto__', 'done'],
    ['x', 'done'],
  ]);
  expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
});
