import { ownBucket } from '@serin/core/ports/bucket';
import { expect, test } from 'vitest';
import { bucketsBy, checkKey } from './buckets.ts';
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
