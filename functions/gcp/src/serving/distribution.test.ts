import { describe, expect, test } from 'vitest';
import { boundsOf, countOf, countOver } from './distribution.ts';

// 0 to 10, 10 to 20, 20 to 40, 40 to 80, over it.
const exponentialBuckets = { numFiniteBuckets: 3, growthFactor: 2, scale: 10 };
const one = { count: '10', bucketOptions: { exponentialBuckets }, bucketCounts: ['1', '2', '3', '4'] };

describe('what is over a threshold', () => {
  test('is what is in the buckets that end above it', () => {
    expect([0, 10, 19, 20, 40, 79, 80].map((threshold) => countOver(one, threshold))).toEqual([10, 9, 9, 7, 4, 4, 0]);
    expect(countOver({ ...one, count: '15', bucketCounts: ['1', '2', '3', '4', '5'] }, 1e9)).toBe(5);
  });

  test.each([
    ['explicit', { explicitBuckets: { bounds: [10, 20, 40, 80] } }],
    ['linear', { linearBuckets: { numFiniteBuckets: 3, offset: 10, width: 10 } }],
  ])('is the same by %s buckets', (_, bucketOptions) => {
    expect(countOver({ ...one, bucketOptions }, 10)).toBe(9);
    expect(countOver({ ...one, bucketOptions }, 20)).toBe(7);
  });

  test.each([
    ['without buckets', { count: '10' }],
    ['with counts for fewer values', { ...one, count: '11' }],
    ['with more counts than buckets', { ...one, count: '12', bucketCounts: ['1', '2', '3', '4', '1', '1'] }],
    ['with buckets of a kind that is not known', { ...one, bucketOptions: {} }],
  ])('is not known %s', (_, distribution) => {
    expect(countOver(distribution, 10)).toBeNaN();
  });

  test('is nothing where nothing was counted', () => {
    expect(countOver({}, 10)).toBe(0);
    expect([countOf({}), countOf(one)]).toEqual([0, 10]);
  });
});

describe('a percentile', () => {
  test('is the lowest bound that so many are below, over several distributions', () => {
    const other = { ...one, count: '10', bucketCounts: ['10'] };

    expect(boundsOf([one], [0.1, 0.3, 0.31, 0.5, 0.9, 0.99])).toEqual([10, 20, 40, 40, 80, 80]);
    expect(boundsOf([one, other], [0.5, 0.55, 0.9])).toEqual([10, 10, 80]);
  });

  test('is the last bound when it is over all of them, and no number without values', () => {
    expect(boundsOf([{ ...one, count: '20', bucketCounts: ['0', '0', '0', '0', '20'] }], [0.5])).toEqual([80]);
    expect(boundsOf([], [0.5])).toEqual([Number.NaN]);
  });

  test('of a day by the minute is found', () => {
    const bucketOptions = { exponentialBuckets: { numFiniteBuckets: 200, growthFactor: 1.05, scale: 1 } };
    const minutes = Array.from({ length: 1440 }, () => ({ count: '2', bucketOptions, bucketCounts: ['1', '1'] }));

    expect(boundsOf(minutes, [0.5, 0.9])).toEqual([1, 1.05]);
  });
});
