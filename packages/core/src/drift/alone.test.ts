import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aucAlone, missingAuc, r2Alone } from './alone.ts';

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
