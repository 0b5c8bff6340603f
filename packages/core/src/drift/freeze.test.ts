import { describe, expect, test } from 'vitest';
import { cellRule, countRows } from './cells.ts';
import { freeze, nextBelow } from './freeze.ts';
import { kindOf } from './kind.ts';
import { columnOf, profileOf } from './profile.fixture.ts';
import type { ColumnProfile, DatasetProfile } from './profile.ts';

const dataset = 'd'.repeat(64);
const datasetOf = (...columns: readonly ColumnProfile[]): DatasetProfile => ({ ...profileOf({}), columns });
const frozen = (column: ColumnProfile, columns = {}) => freeze(datasetOf(column), { dataset, columns }).columns[0];
const drawn = (count: number, draw: (unit: number) => number) =>
  Array.from({ length: count }, (_, i) => draw(((i * 7919) % count) / count));
const typed = (column: ColumnProfile, types: Partial<ColumnProfile['types']>): ColumnProfile => ({
  ...column,
  types: { boolean: 0, integer: 0, decimal: 0, timestamp: 0, text: 0, nested: 0, ...types },
});

describe('the kind of a column', () => {
  const prices = columnOf(
    'price',
    drawn(1000, (u) => u * 9.99),
  );
  const few = columnOf(
    'rooms',
    drawn(1000, (u) => Math.floor(u * 20)),
  );

  test.each<[string, ColumnProfile, string]>([
    ['decimals', prices, 'number'],
    ['twenty whole numbers', few, 'category'],
    [
      'twenty-one whole numbers',
      columnOf(
        'n',
        drawn(1000, (u) => Math.floor(u * 21)),
      ),
      'number',
    ],
    [
      'few whole numbers that are over 5 % of the rows',
      columnOf(
        'n',
        drawn(100, (u) => Math.floor(u * 6)),
      ),
      'number',
    ],
    ['numbers with text in fewer than half of the rows', typed(prices, { decimal: 501, text: 499 }), 'number'],
    ['numbers with more text', typed(prices, { decimal: 499, text: 501 }), 'plain'],
    [
      'numbers that were counted up',
      columnOf(
        'id',
        drawn(1000, (u) => 5000 + u * 1000),
      ),
      'plain',
    ],
    [
      'every fifth of numbers that were counted up',
      columnOf(
        'id',
        drawn(1000, (u) => Math.round(u * 1000) * 5),
      ),
      'plain',
    ],
    [
      'whole numbers far apart',
      columnOf(
        'n',
        drawn(1000, (u) => Math.floor(u * 1000) * 9),
      ),
      'number',
    ],
    [
      'long whole numbers',
      columnOf(
        'id',
        drawn(1000, (u) => 1.7e12 + Math.floor(u * 1000) * 1e6),
      ),
      'plain',
    ],
    ['text that repeats', columnOf('colour', ['red', 'blue', 'red']), 'category'],
    ['text that hardly repeats', columnOf('note', drawn(100, (u) => u).map(String)), 'plain'],
    ['booleans', typed(columnOf('flag', ['true', 'false']), { boolean: 2 }), 'category'],
    ['times', typed(columnOf('at', ['a', 'a', 'a']), { timestamp: 2, text: 1 }), 'plain'],
    ['lists', typed(columnOf('tags', ['a', 'a', 'a']), { nested: 3 }), 'plain'],
    ['no value at all', typed(columnOf('void', []), {}), 'plain'],
  ])('of %s', (_, column, kind) => {
    expect(kindOf(column)).toBe(kind);
  });

  test('is what the config says, and a column that is off is left out', () => {
    const both = datasetOf(prices, few);

    const { columns } = freeze(both, { dataset, columns: { rooms: 'number', price: 'off' } });

    expect(columns.map(({ name, kind }) => [name, kind])).toEqual([['rooms', 'number']]);
  });

  test('is not what every object inherits', () => {
    expect(frozen({ ...few, name: 'constructor' })?.kind).toBe('category');
  });
});

describe('the cells of numbers', () => {
  test('are 256 of about equal mass where no value comes twice', () => {
    const values = drawn(10_240, (u) => u + 1e-9);

    const column = frozen(columnOf('x', values));

    expect([column?.edges?.length, column?.isContinuous, column?.cells.length]).toEqual([255, true, 256]);
    const reference = freeze(datasetOf(columnOf('x', values)), { dataset });
    const counts = countRows(
      reference,
      values.map((value) => [value]),
      ['x'],
    ).columns[0];
    expect([Math.min(...(counts?.cells ?? [])), Math.max(...(counts?.cells ?? []))]).toEqual([39, 41]);
    expect(counts?.outside).toBe(0);
  });

  test('set a value apart that has 1/256 of the mass or more', () => {
    const values = drawn(2560, (u) => (u < 0.25 ? 0 : u));
    const column = frozen(columnOf('x', values));

    expect(column?.edges?.slice(0, 2)).toEqual([nextBelow(0), 0]);
    expect(column?.isContinuous).toBe(false);
    expect(column && [-1e-300, 0, 1e-300].map(cellRule(column))).toEqual([0, 1, 2]);
  });

  test('of one value are three: below it, it, and above it', () => {
    const column = frozen(
      columnOf(
        'x',
        drawn(100, () => 1.5),
      ),
    );

    expect(column?.edges).toEqual([nextBelow(1.5), 1.5]);
    expect(column && [1, 1.5, 2].map(cellRule(column))).toEqual([0, 1, 2]);
  });

  test('are at most 256, also where both ends are values of their own', () => {
    const values = drawn(25_600, (u) => Math.min(0.994, Math.max(0.006, u)));

    const edges = frozen(columnOf('x', values))?.edges ?? [];

    expect(edges.length).toBeLessThanOrEqual(255);
    expect(edges).toContain(0.006);
    expect(edges).toContain(nextBelow(0.994));
  });

  test('are finite and ascending for the greatest and the smallest doubles', () => {
    const ends = [-Number.MAX_VALUE, 0, Number.MIN_VALUE, Number.MAX_VALUE];
    const edges =
      frozen(
        columnOf(
          'x',
          drawn(400, (u) => ends[Math.floor(u * 4)] ?? 0),
        ),
        { x: 'number' },
      )?.edges ?? [];

    expect(edges.every(Number.isFinite)).toBe(true);
    expect(edges).toEqual([...new Set(edges)].sort((one, other) => one - other));
  });

  test('of whole numbers with ties are not exact spacings', () => {
    expect(
      frozen(
        columnOf(
          'n',
          drawn(10_000, (u) => Math.floor(u * 3000)),
        ),
      )?.isContinuous,
    ).toBe(false);
  });
});

describe('the cells of categories', () => {
  const names = (count: number) =>
    Array.from({ length: count }, (_, i) => [`v${i}`, `v${i}`, `v${i}`].slice(i % 2)).flat();

  test('are all values and two more, where there are at most 127', () => {
    const column = frozen(columnOf('c', names(127)));

    expect([column?.values?.length, column?.isWhole, column?.cells.length]).toEqual([127, true, 129]);
  });

  test('are the 127 most frequent ones, where there are more: what is not listed is known', () => {
    const column = frozen(columnOf('c', names(128)));

    expect([column?.values?.length, column?.isWhole]).toEqual([127, false]);
    expect(column && cellRule(column)('never seen')).toBe(127);
  });

  test('of numbers are named as JSON writes them, whatever the file did', () => {
    const column = frozen(typed(columnOf('c', ['1.0', '1', '1', '2.50']), { text: 4 }), { c: 'category' });

    expect(column?.values).toEqual(['1', '2.5']);
  });

  test('say how many values came once', () => {
    expect(frozen(columnOf('c', ['a', 'a', 'b', 'c', 'c']))?.singletons).toBe(1);
  });
});

test.each([0, 1, -1, 0.1, -0.1, 1e308, -1e308, Number.MIN_VALUE, -Number.MIN_VALUE])(
  'nothing is between %d and the double below it',
  (value) => {
    const below = nextBelow(value);

    expect(below).toBeLessThan(value);
    expect([below, value]).toContain(below + (value - below) / 2);
  },
);
