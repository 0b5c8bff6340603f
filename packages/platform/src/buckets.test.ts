import { ownBucket } from '@serin/core/ports/bucket';
import { expect, test } from 'vitest';
import { bucketsBy, checkKey, contentUpTo, extentOf, rangeOf } from './buckets.ts';
import { imagined } from './rehearsal.ts';

test('each bucket is made once, and the own one by both of its names', () => {
  const made: string[] = [];
  const buckets = bucketsBy('acme-serin', (name) => {
    made.push(name);
    return { ...imagined };
  });

  expect(buckets(ownBucket)).toBe(buckets('acme-serin'));
  expect(buckets('drops')).toBe(buckets('drops'));
  expect(made).toEqual(['acme-serin', 'drops']);
});

test('a key has bytes of valid Unicode, as many as the store takes', () => {
  expect(() => checkKey('aä', 3)).not.toThrow();
  for (const key of ['', 'aää', 'a\ud800']) expect(() => checkKey(key, 4)).toThrow('cannot be a key; use 1 to 4 bytes');
});

test('of an object no more is answered than was asked for, and less is tried again later', () => {
  const come = (bytes: number) => ({ key: 'a', version: '1', bytes, content: new Uint8Array([1, 2, 3]) });

  expect(contentUpTo({ from: 0, limit: 9 }, come(3), 'a')).toEqual({ ...come(3), truncated: false });
  expect(contentUpTo({ from: 0, limit: 2 }, come(3), 'a')).toEqual({
    ...come(3),
    content: new Uint8Array([1, 2]),
    truncated: true,
  });
  expect(contentUpTo({ from: 4, limit: 3 }, come(8), 'a')).toMatchObject({ bytes: 8, truncated: true });
  expect(contentUpTo({ from: 5, limit: 9 }, come(8), 'a')).toMatchObject({ bytes: 8, truncated: false });
  for (const extent of [
    { from: 0, limit: 9 },
    { from: 4, limit: 4 },
  ])
    expect(() => contentUpTo(extent, come(8), 'a')).toThrow(expect.objectContaining({ code: 'unavailable' }));
});

test.each([
  [{ maxBytes: 10 }, 'bytes=0-9'],
  [{ from: 5, maxBytes: 10 }, 'bytes=5-14'],
  [{ from: 5, maxBytes: 0 }, 'bytes=5-5'],
  [{ from: -1, maxBytes: 1.5 }, 'bytes=0-0'],
])('%j is asked for as %s', (part, header) => {
  expect(rangeOf(extentOf(part))).toBe(header);
});
