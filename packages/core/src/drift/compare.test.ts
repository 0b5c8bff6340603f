import { describe, expect, test } from 'vitest';
import { type Check, compareColumn, compareDatasets } from './compare.ts';
import type { ColumnCounts, ReferenceColumn } from './reference.ts';

const cellsOf = (cells: readonly number[]): ColumnCounts => {
  const rows = cells.reduce((sum, count) => sum + count, 0);
  return { rows, missing: 0, mistyped: 0, outside: 0, cells };
};
const even = (count: number, times = 20) => Array.from({ length: times }, () => count);

/** 10,000 rows on 20 cells between 0 and 100. */
const amount: ReferenceColumn = {
  ...cellsOf(even(500)),
  ...{ name: 'amount', kind: 'number', edges: even(0, 19).map((_, at) => 5 * (at + 1)) },
  numbers: { min: 0, max: 100, mean: 50, deviation: 29 },
};
const colour: ReferenceColumn = {
  ...cellsOf([600, 300, 100, 0, 0]),
  ...{ name: 'colour', kind: 'category', values: ['red', 'green', 'blue'], isWhole: true, singletons: 0 },
};
const id: ReferenceColumn = { ...{ name: 'id', kind: 'plain' }, ...cellsOf([]), rows: 1000, missing: 10 };

const shifted = cellsOf([...even(25, 10), ...even(75, 10)]);

const numbersIn = (value: unknown): readonly unknown[] =>
  typeof value === 'object' && value !== null
    ? Object.values(value).flatMap(numbersIn)
    : typeof value === 'string'
      ? []
      : [value];
const expectPlain = (value: unknown) => {
  for (const one of numbersIn(value)) expect(Number.isFinite(one)).toBe(true);
  expect(JSON.parse(JSON.stringify(value))).toEqual(value);
};

describe('a column beside its reference', () => {
  test('of numbers shows how far they moved, and that this is no chance', () => {
    const { distribution, values } = compareColumn(amount, shifted);

    expect(values).toEqual({ before: 10_000, now: 1000 });
    expect(distribution?.size).toBeCloseTo(0.25, 12);
    expect(distribution?.p).toBeLessThan(1e-40);
    expect(distribution?.robust).toBeCloseTo(0.25 - 1.6276236307 * Math.sqrt(0.0011), 9);
    // A quarter of the rows moved from 25 to 75, on average.
    expect(distribution?.wasserstein).toBeCloseTo(12.5 / 29, 9);
    expect(distribution?.psi.value).toBeGreaterThan(distribution?.psi.critical ?? 1);
    expectPlain(distribution);
  });

  test('the stability index of numbers is that of ten cells, whatever the number of edges', () => {
    const tenths = compareColumn(amount, shifted).distribution?.psi;
    const edges = even(0, 9).map((_, at) => 10 * (at + 1));
    const ten = { ...shifted, cells: [...even(50, 5), ...even(150, 5)] };
    const onTen = compareColumn({ ...amount, cells: even(1000, 10), edges }, ten).distribution?.psi;

    expect(tenths).toEqual(onTen);
  });

  test('of categories shows the one that won or lost most', () => {
    const { distribution } = compareColumn(colour, cellsOf([500, 400, 100, 0, 0]));

    expect(distribution?.size).toBeCloseTo(0.1, 12);
    expect(distribution?.p).toBeLessThan(1e-4);
    expect(distribution).not.toHaveProperty('wasserstein');
  });

  test('of identifiers shows missing values only', () => {
    const { distribution, missing, unseen, outside } = compareColumn(id, { ...cellsOf([]), rows: 500, missing: 25 });

    expect([distribution, unseen, outside]).toEqual([undefined, undefined, undefined]);
    expect(missing).toEqual({ before: 0.01, now: 0.05, p: expect.closeTo(1.31359e-6, 10) });
  });

  test('with only a category that the reference does not know differs as much as anything can', () => {
    const { distribution, unseen } = compareColumn(colour, cellsOf([0, 0, 0, 0, 50]));

    expect(distribution?.size).toBe(1);
    expect(distribution?.p).toBeLessThan(1e-30);
    expect(unseen).toMatchObject({ before: 0, now: 1 });
    expect(unseen?.p).toBeLessThan(1e-30);
  });

  test('with values that came once expects as many values that it does not know', () => {
    const names = { ...colour, singletons: 100 };

    const { unseen } = compareColumn(names, cellsOf([54, 27, 9, 0, 10]));

    expect(unseen).toMatchObject({ before: 0.1, now: 0.1, p: 1 });
  });

  test('expects a live row beyond the two ends of the reference now and then', () => {
    const of = (outside: number, rows = 1000) =>
      compareColumn(amount, { ...cellsOf(even(rows / 20)), outside }).outside;

    expect(of(0)).toEqual({ before: 0, now: 0, p: 1 });
    // Of 1,000 live rows and 10,000 of the reference: the probability that one lives beyond both ends is 2/11 at most.
    expect(of(1)?.p).toBeGreaterThan(0.15);
    expect(of(10)?.p).toBeLessThan(1e-6);
  });

  test.each([
    ['an empty window', cellsOf(even(0))],
    ['a window of missing values', { ...cellsOf(even(0)), rows: 100, missing: 100 }],
    ['a window of texts in a column of numbers', { ...cellsOf(even(0)), rows: 100, mistyped: 100 }],
  ])('of %s says nothing about its distribution', (_, live) => {
    const shown = compareColumn(amount, live);

    expect(shown.distribution).toMatchObject({ size: 0, robust: 0, p: 1, wasserstein: 0 });
    expect(shown.missing.now).toBe(live.missing / Math.max(live.rows, 1));
    expect(shown.mistyped.now).toBe(live.mistyped / Math.max(live.rows, 1));
    expectPlain(shown);
  });

  test('of one row says nothing either, wherever the row lies', () => {
    const top = compareColumn(amount, { ...cellsOf([...even(0, 19), 1]), outside: 1 });
    const unknown = compareColumn(colour, cellsOf([0, 0, 0, 0, 1]));

    expect(top.distribution?.p).toBeGreaterThan(0.04);
    expect(top.outside?.p).toBeGreaterThan(1e-4);
    expect(unknown.distribution?.p).toBeGreaterThan(9e-4);
    expectPlain([top, unknown]);
  });

  test('with one value on both sides differs in nothing', () => {
    const constant = {
      ...amount,
      ...cellsOf([1000, 0]),
      edges: [7],
      numbers: { min: 7, max: 7, mean: 7, deviation: 0 },
    };

    const { distribution } = compareColumn(constant, cellsOf([50, 0]));

    expect(distribution).toMatchObject({ size: 0, p: 1, psi: { value: 0 }, js: { distance: 0 } });
    expect(distribution).not.toHaveProperty('wasserstein');
  });

  test('with infinities counts them in the first and the last cell, and stays finite', () => {
    const shown = compareColumn(amount, { ...cellsOf([50, ...even(0, 18), 50]), outside: 100 });

    expect(shown.distribution?.size).toBeCloseTo(0.45, 12);
    expect(shown.outside?.now).toBe(1);
    expectPlain(shown);
  });
});

describe('two datasets', () => {
  const reference = { version: 1, dataset: 'd1', rows: 10_000, columns: [amount, colour, id] } as const;
  const found = (
    amounts: ColumnCounts,
    colours: ColumnCounts,
    ids: ColumnCounts,
  ): readonly [string, Check, boolean][] =>
    compareDatasets(reference, { version: 1, rows: 1000, columns: [amounts, colours, ids] }).findings.map(
      ({ column, check, isMajor }) => [column, check, isMajor],
    );
  const same = { ids: { ...cellsOf([]), rows: 1000, missing: 10 }, amounts: cellsOf(even(50)) };

  test('that are alike have no finding', () => {
    expect(found(same.amounts, cellsOf([590, 305, 105, 0, 0]), same.ids)).toEqual([]);
  });

  test('name what differs, the greatest first', () => {
    const ids = { ...same.ids, missing: 60 };

    const findings = found(shifted, cellsOf([500, 400, 100, 0, 0]), ids);

    expect(findings).toEqual([
      ['amount', 'distribution', true],
      ['id', 'missing', false],
    ]);
  });

  test('do not differ in what is sure but small', () => {
    const [n, m] = [cellsOf(even(50_000)), cellsOf([...even(49_000, 10), ...even(51_000, 10)])];
    const large = { ...reference, columns: [{ ...amount, ...n }] };

    const { columns, findings } = compareDatasets(large, { version: 1, rows: 1_000_000, columns: [m] });

    expect(columns[0]?.distribution?.p).toBeLessThan(1e-40);
    expect(findings).toEqual([]);
  });

  test('of 1,000 columns without drift have a finding in at most q of the comparisons', () => {
    const columns = Array.from({ length: 1000 }, () => amount);
    // A column that alone would be found at 0.01: D is 1.7 sqrt(0.0011).
    const moved = cellsOf([...even(44, 10), ...even(56, 10)]);

    const { findings } = compareDatasets(
      { ...reference, columns },
      { version: 1, rows: 1000, columns: columns.map((_, at) => (at === 0 ? moved : same.amounts)) },
      { q: 0.01, notice: 0, major: 0.1, change: 0.01 },
    );

    expect(compareColumn(amount, moved).distribution?.p).toBeLessThan(0.01);
    expect(findings).toEqual([]);
  });
});
