import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aloneOf, aucAlone, missingAuc, r2Alone } from './alone.ts';
import { labelIn } from './by-label.ts';
import { categories, drawsOf, numbersOf, referenceOf } from './drift.fixture.ts';
import type { ReferenceColumn } from './reference.ts';

test('a feature that parts the classes has 1, and one that says nothing a half', () => {
  expect(aucAlone([0, 0, 9, 5], [4, 7, 0, 0], true)).toBe(1);
  expect(aucAlone([4, 7, 0, 0], [0, 0, 9, 5], true)).toBe(1);
  expect(aucAlone([2, 4, 6], [1, 2, 3], true)).toBe(0.5);
  expect(aucAlone([2, 4], [0, 0], true)).toBe(0.5);
});

test('numbers keep their order, and categories are ranked', () => {
  expect(aucAlone([5, 0, 5], [0, 10, 0], true)).toBe(0.5);
  expect(aucAlone([5, 0, 5], [0, 10, 0], false)).toBe(1);
});

test('is the share of pairs that are ranked rightly, ties half', () => {
  const counts = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(counts, (cells) => {
      const rows = (side: 0 | 1) => cells.flatMap((pair, cell) => Array<number>(pair[side]).fill(cell));
      const pairs = rows(0).flatMap((one) => rows(1).map((other) => (Math.sign(one - other) + 1) / 2));
      const area = pairs.length === 0 ? 0.5 : pairs.reduce((sum, won) => sum + won, 0) / pairs.length;

      const found = aucAlone(
        cells.map(([positive]) => positive),
        cells.map(([, negative]) => negative),
        true,
      );
      expect(found).toBeCloseTo(Math.max(area, 1 - area), 12);
    }),
  );
});

test('a value that is missing only in one class says the class', () => {
  expect(missingAuc({ missing: 10, rows: 10 }, { missing: 0, rows: 90 })).toBe(1);
  expect(missingAuc({ missing: 1, rows: 10 }, { missing: 9, rows: 90 })).toBe(0.5);
});

test('R2 is what the cells explain of a label that is a number', () => {
  const cells = [
    { count: 2, mean: 1, m2: 0 },
    { count: 2, mean: 3, m2: 0 },
  ];

  expect(r2Alone(cells)).toBe(1);
  expect(r2Alone(cells.map((cell) => ({ ...cell, m2: 2 })))).toBe(0.5);
  expect(r2Alone([{ count: 5, mean: 1, m2: 0 }])).toBe(0);
  expect(r2Alone([])).toBe(0);
});

const plain = { ...categories('id', []), kind: 'plain' as const, cells: [] };
const columns = [
  numbersOf('n', [1, 2, 3]),
  categories('c', ['a', 'b', 'c']),
  plain,
  categories('y', ['no', 'yes', 'maybe']),
];
const classes = { column: 'y', kind: 'classes', classes: ['no', 'yes', 'maybe'] } as const;
/** Rows by cell, and last those without a value, of each class. */
const byClass = (...lists: readonly (readonly (readonly number[])[])[]) =>
  aloneOf(referenceOf(...columns), { columns: [...lists, [], []].slice(0, 4) }, classes);

test('of the classes the one is told that a column parts best from the rest', () => {
  const [n, c, id, y] = byClass(
    [
      [30, 30, 0, 0, 5],
      [0, 0, 0, 40, 5],
      [20, 20, 20, 0, 5],
    ],
    [
      [100, 0, 0, 0, 0, 0],
      [0, 50, 50, 0, 0, 0],
      [0, 50, 50, 0, 0, 0],
    ],
    [
      [100, 0],
      [100, 0],
      [1, 99],
    ],
  );

  expect(n).toMatchObject({ auc: 1, class: 'yes' });
  expect(n?.missingAuc).toBeLessThan(0.6);
  expect(c).toMatchObject({ auc: 1, class: 'no' });
  expect(id).toEqual({ missingAuc: expect.closeTo(0.995, 9), missingClass: 'maybe' });
  expect(y).toEqual({});
});

test('few rows tell nothing: of a class, and of categories that each came seldom', () => {
  const values = Array.from({ length: 100 }, (_, at) => `v${at}`);
  const many = referenceOf(categories('c', values), categories('y', ['no', 'yes']));
  const label = { column: 'y', kind: 'classes', classes: ['no', 'yes'] } as const;
  // Each value came five times, in one class only: by chance of the draw, or as it names the row.
  const of = (yes: number) => values.map((_, at) => (at % 2 === yes ? 5 : 0));
  const [c] = aloneOf(
    many,
    {
      columns: [
        [
          [...of(0), 0, 0, 0],
          [...of(1), 0, 0, 0],
        ],
        [],
      ],
    },
    label,
  );
  const [n] = byClass([
    [30, 30, 0, 0, 5],
    [0, 0, 0, 19, 0],
    [50, 50, 0, 0, 0],
  ]);

  expect(c?.auc).toBe(0.5);
  expect(n?.class).not.toBe('yes');
});

test('of a label that is a number it is told how much a column explains, with rows enough for a mean in each cell', () => {
  const draws = drawsOf(1);
  const edges = Array.from({ length: 255 }, (_, at) => at);
  const reference = referenceOf(numbersOf('n', edges), numbersOf('y', [1]));
  const label = { column: 'y', kind: 'number', about: 10 } as const;
  const of = (labels: readonly number[]) => {
    const lists = [0, 1, 2].map((power) => [...labels.map((value) => value ** power), 0]);
    return aloneOf(reference, { columns: [lists, []] }, label)[0];
  };
  const cells = Array.from({ length: 256 }, (_, at) => at);

  expect(of(cells)?.r2).toBeGreaterThan(0.99);
  // 256 cells of one row each would explain anything.
  expect(of(cells.map(() => draws.normal()))?.r2).toBeLessThan(0.2);
  expect(
    aloneOf(
      reference,
      {
        columns: [
          [
            [9, 0],
            [1, 0],
            [1, 0],
          ],
          [],
        ],
      },
      label,
    )[0],
  ).toEqual({});
});

test('a label is one of a few values, or a number; else nothing is counted by it', () => {
  const label = (column: ReferenceColumn, name = column.name) => labelIn(referenceOf(column), name);
  const mean = { min: 0, max: 9, mean: 3, deviation: 1 };

  expect(label(categories('y', ['no', 'yes']))).toEqual({ column: 'y', kind: 'classes', classes: ['no', 'yes'] });
  expect(label({ ...numbersOf('y', [1, 2]), numbers: mean })).toEqual({ column: 'y', kind: 'number', about: 3 });
  expect(
    label(
      categories(
        'y',
        Array.from({ length: 21 }, (_, at) => `v${at}`),
      ),
    ),
  ).toEqual({
    because: 'it has more than 20 values',
  });
  expect(label(plain)).toEqual({ because: 'it is neither a number nor one of a few values' });
  expect(label(plain, 'y')).toEqual({ because: 'it is not there, or monitor.drift.columns turns it off' });
});
