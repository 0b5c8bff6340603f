import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addCounts,
  cellRule,
  countRows,
  emptyCounts,
  intervalOf,
  missing,
  mistyped,
  type Row,
  withCounts,
} from './cells.ts';
import { categories, numbersOf, referenceOf } from './drift.fixture.ts';
import { nextBelow } from './freeze.ts';

const size = numbersOf('size', [1, 2, 2.5]);
const colour = categories('colour', ['red', 'blue', '3', 'true']);
const id = { ...numbersOf('id', []), kind: 'plain' as const, cells: [] };
const reference = referenceOf(size, colour, id);

describe('the cell of a value', () => {
  test.each([
    [1, 0],
    [1.0000001, 1],
    [2, 1],
    [2.5, 2],
    [nextBelow(2.5), 2],
    [99, 3],
    ['2', 1],
    [' 2.0 ', 1],
    ['1e0', 0],
    ['-inf', 0],
    ['Infinity', 3],
    [Number.POSITIVE_INFINITY, 3],
    ['', missing],
    [null, missing],
    [undefined, missing],
    [Number.NaN, missing],
    ['nan', missing],
    ['1,5', mistyped],
    ['red', mistyped],
    [true, mistyped],
    [[1], mistyped],
    [{ a: 1 }, mistyped],
  ])('of a column of numbers: %j is in %i', (value, cell) => {
    expect(cellRule(size)(value)).toBe(cell);
  });

  test.each([
    ['red', 0],
    ['blue', 1],
    [3, 2],
    ['3.0', 2],
    [true, 3],
    ['True', 3],
    ['green', 5],
    ['', missing],
    [null, missing],
    ['NaN', missing],
    [[1], mistyped],
  ])('of a column of categories: %j is in %i', (value, cell) => {
    expect(cellRule(colour)(value)).toBe(cell);
  });

  test('a value that is not listed is unseen only where the list is whole', () => {
    const partial = { ...colour, isWhole: false };

    expect([cellRule(colour)('green'), cellRule(partial)('green')]).toEqual([5, 4]);
  });

  test('long texts are told apart by their first 128 characters, however many code units those have', () => {
    const long = '🐧'.repeat(128);
    const rule = cellRule(categories('note', [long, 'x'.repeat(128)]));

    expect([rule(`${long}🐧`), rule(`${'x'.repeat(128)}y`), rule('🐧'.repeat(127))]).toEqual([0, 1, 3]);
  });

  test('is the number of edges below the value', () => {
    const edges = fc
      .uniqueArray(fc.double({ noNaN: true }), { maxLength: 255 })
      .map((all) => all.sort((a, b) => a - b));

    fc.assert(
      fc.property(edges, fc.double({ noNaN: true }), (edges, value) => {
        expect(intervalOf(edges, value)).toBe(edges.filter((edge) => edge < value).length);
      }),
    );
  });
});

describe('counting rows', () => {
  test('by name and by place gives the same, and what is not a feature is ignored', () => {
    const byName: Row[] = [
      { size: 1, colour: 'red', id: 'a', extra: 1 },
      { colour: 'green', size: '7' },
    ];
    const byPlace: Row[] = [
      ['a', 1, 'red', 'more'],
      [null, '7', 'green'],
    ];

    const counts = countRows(reference, byName, ['id', 'size', 'colour']);

    expect(countRows(reference, byPlace, ['id', 'size', 'colour'])).toEqual(counts);
    expect(counts.columns.map(({ rows, missing, cells }) => ({ rows, missing, cells }))).toEqual([
      { rows: 2, missing: 0, cells: [1, 0, 0, 1] },
      { rows: 2, missing: 0, cells: [1, 0, 0, 0, 0, 1] },
      { rows: 2, missing: 1, cells: [] },
    ]);
  });

  test('a column that is not a feature has no rows, and an absent key of one that is has no value', () => {
    const counts = countRows(reference, [{ colour: 'red' }, {}], ['colour', '__proto__']);

    expect(counts.columns.map(({ rows, missing }) => [rows, missing])).toEqual([
      [0, 0],
      [2, 1],
      [0, 0],
    ]);
  });

  test('names that every object inherits are not values', () => {
    const inherited = referenceOf(categories('constructor', ['x']), categories('toString', ['x']));

    const counts = countRows(inherited, [{}], ['constructor', 'toString']);

    expect(counts.columns.map(({ missing }) => missing)).toEqual([1, 1]);
  });

  test('numbers below and above the reference, infinities among them, are outside and in a cell', () => {
    const ranged = { ...size, numbers: { min: 0.5, max: 4, mean: 2, deviation: 1 } };

    const counts = countRows(referenceOf(ranged), [[0.4], [0.5], [4], [5], ['inf'], [null], ['x']], ['size']);

    expect(counts.columns[0]).toEqual({ rows: 7, missing: 1, mistyped: 1, outside: 3, cells: [2, 0, 0, 3] });
  });

  test('of parts, added in any way, is that of the whole', () => {
    const value = fc.oneof(fc.double(), fc.constantFrom(null, '', 'red', 'green', '2', true));
    const row = fc.tuple(value, value);

    fc.assert(
      fc.property(fc.array(row), fc.array(row), (one, other) => {
        const fields = ['size', 'colour'];
        const whole = countRows(reference, [...one, ...other], fields);

        expect(addCounts(countRows(reference, one, fields), countRows(reference, other, fields))).toEqual(whole);
        expect(countRows(reference, other, fields, countRows(reference, one, fields))).toEqual(whole);
        for (const { rows, missing, mistyped, cells } of whole.columns.slice(0, 2))
          expect(cells.reduce((sum, count) => sum + count, 0)).toBe(rows - missing - mistyped);
      }),
    );
    expect(countRows(reference, [], ['size'])).toEqual(emptyCounts(reference));
  });
});

test('a reference with counts keeps its cells, and counts of other rows stay possible on it', () => {
  const fields = ['size', 'colour', 'id'];
  const counts = countRows(reference, [{ size: 1, colour: 'red', id: 1 }], fields);

  const full = withCounts(reference, counts);

  expect([full.rows, full.columns[0]?.edges, full.columns[0]?.cells]).toEqual([1, [1, 2, 2.5], [1, 0, 0, 0]]);
  expect(countRows(full, [{ size: 1 }], ['size']).columns[0]?.cells).toEqual([1, 0, 0, 0]);
});
