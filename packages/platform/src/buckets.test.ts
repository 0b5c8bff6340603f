import { ownBucket } from '@serin/core/ports/bucket';
import { expect, test } from 'vitest';
import { bucketsBy, checkKey, contentUpTo } from './buckets.ts';
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

  expect(contentUpTo(9, come(3), 'a')).toEqual({ ...come(3), truncated: false });
  expect(contentUpTo(2, come(3), 'a')).toEqual({ ...come(3), content: new Uint8Array([1, 2]), truncated: true });
  expect(() => contentUpTo(9, come(4), 'a')).toThrow(expect.objectContaining({ code: 'unavailable' }));
});
