import { describe, expect, test } from 'vitest';
import { histogramOf } from './histogram.ts';
import type { ReferenceColumn } from './reference.ts';

const counts = (cells: readonly number[]) => ({
  rows: cells.reduce((sum, count) => sum + count, 0),
  ...{ missing: 0, mistyped: 0, outside: 0, cells },
});
const numbers = (edges: readonly number[], cells: readonly number[], [min, max]: readonly [number, number]) =>
  ({
    ...counts(cells),
    ...{ name: 'age', kind: 'number', edges, numbers: { min, max, mean: 0, deviation: 1 } },
  }) as const satisfies ReferenceColumn;
const total = (shares: readonly number[] = []) => shares.reduce((sum, share) => sum + share, 0);

describe('the bars of a column of numbers', () => {
  test('have equal widths, and hold all rows of both', () => {
    const column = numbers([25, 50, 75], [10, 10, 10, 10], [0, 100]);

    const { bounds = [], reference, live } = histogramOf(column, counts([40, 0, 0, 40])) ?? {};

    expect([bounds.length, bounds[0], bounds.at(-1)]).toEqual([25, 0, 100]);
    expect(reference?.every((share) => Math.abs(share - 1 / 24) < 1e-12)).toBe(true);
    expect(live?.map((share) => share > 0)).toEqual([
      ...Array(6).fill(true),
      ...Array(12).fill(false),
      ...Array(6).fill(true),
    ]);
    expect(total(live)).toBeCloseTo(1, 12);
  });

  test('have bounds that are numbers, also where the highest double stands for a missing value', () => {
    const { bounds = [], reference = [] } =
      histogramOf(numbers([10], [90, 10], [0, Number.MAX_VALUE]), counts([5, 5])) ?? {};

    expect([bounds.length, bounds.every(Number.isFinite), reference.every(Number.isFinite)]).toEqual([25, true, true]);
    expect(histogramOf(numbers([0], [9, 9], [-1.7e308, 1.7e308]), counts([5, 5]))).toBeUndefined();
  });

  test('leave no room for an outlier: the last bar takes it in', () => {
    const column = numbers([50, 100], [500, 500, 1], [0, 1e9]);

    const { bounds = [], reference } = histogramOf(column, counts([0, 0, 7])) ?? {};

    expect(bounds.at(-1)).toBe(100);
    expect(total(reference)).toBeCloseTo(1, 12);
  });

  test('are one bar where the reference has one value', () => {
    const column = numbers([2.9999999999999996, 3], [0, 9, 0], [3, 3]);

    expect(histogramOf(column, counts([0, 9, 0]))).toEqual({ bounds: [3, 3], reference: [1], live: [1] });
  });
});

test('the bars of a category are its most frequent values in either, and what is left', () => {
  const values = Array.from({ length: 20 }, (_, index) => `v${index}`);
  const column = { ...counts([...values.map(() => 5), 0, 0]), name: 'c', kind: 'category', values } as const;

  const {
    values: shown,
    reference,
    live,
  } = histogramOf(column, counts([...values.map((_, i) => (i === 19 ? 60 : 2)), 0, 2])) ?? {};

  expect(shown?.[0]).toBe('v19');
  expect(shown?.slice(-2)).toEqual(['other values', 'values not seen before']);
  expect([total(reference), total(live)]).toEqual([expect.closeTo(1, 12), expect.closeTo(1, 12)]);
  expect(live?.at(-1)).toBeCloseTo(0.02, 12);
});

test('there is nothing to draw without rows, or of a column of which only missing values are counted', () => {
  const column = numbers([1], [1, 1], [0, 2]);

  expect(histogramOf(column, counts([0, 0]))).toBeUndefined();
  expect(histogramOf({ ...counts([]), name: 'id', kind: 'plain' }, counts([]))).toBeUndefined();
});
