import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logRising } from '../base/log.ts';
import { categories, counted, drawsOf, numbersOf } from './drift.fixture.ts';
import { apart, normalScores, tilted, weaker } from './tilts.ts';
import { grouped, groupsOf, logUrn, urnsOf } from './urn.ts';

const edges = (count: number) => Array.from({ length: count }, (_, index) => index);
const numbers = (cells: readonly number[]) => counted(numbersOf('x', edges(cells.length - 1)), cells);
const values = (cells: readonly number[], more = {}) =>
  counted({ ...categories('c', edges(cells.length - 2).map(String)), ...more }, cells);
const urnOf = (column: ReturnType<typeof numbers>, more = {}) =>
  urnsOf(column, groupsOf(column), { counts: column, learned: [], dispersion: 1, ...more });

describe('the urn', () => {
  test('gives the odds of ten cells that the design computed', () => {
    const [a, b] = [new Float64Array(10).fill(100), new Float64Array(10).fill(5)];
    const log = (y: readonly number[]) => logUrn(b, y) - logUrn(a, y);

    expect(log(new Array(10).fill(10))).toBeCloseTo(-4.623897983458, 9);
    expect(log([16, 14, 12, 11, 10, 9, 8, 8, 7, 5])).toBeCloseTo(-1.667061890038, 9);
  });

  test('of two windows, the second after the first was learned, is that of both as one', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 4, maxLength: 4 });

    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 1e4, noNaN: true }), { minLength: 4, maxLength: 4 }),
        counts,
        counts,
        (a, one, other) => {
          const urn = Float64Array.from(a);
          const learned = urn.map((count, cell) => count + (one[cell] ?? 0));
          const both = one.map((count, cell) => count + (other[cell] ?? 0));

          expect(logUrn(urn, one) + logUrn(learned, other)).toBeCloseTo(logUrn(urn, both), 7);
        },
      ),
    );
  });

  test('of numbers has as many balls as spacings, one more than rows, and the odd one in the last cell', () => {
    const { values } = urnOf(numbers([10, 20, 30]));

    expect([...values]).toEqual([10, 20, 31]);
  });

  test('of numbers with ties, and of categories, shares one ball among the cells', () => {
    const third = 1 / 3;

    expect([...urnOf({ ...numbers([10, 20, 30]), isContinuous: false }).values]).toEqual([
      10 + third,
      20 + third,
      30 + third,
    ]);
    expect([...urnOf(values([10, 0, 0])).values]).toEqual([10 + third, third, third]);
  });

  test('expects as many unseen rows as values came once, where all values are listed', () => {
    expect(urnOf(values([10, 1, 1, 0, 0], { singletons: 2 })).values.at(-1)).toBeCloseTo(2.2, 12);
    expect(urnOf(values([10, 1, 1, 5, 0], { singletons: 2, isWhole: false })).values.at(-1)).toBeCloseTo(0.2, 12);
  });

  test('learns rows, and divides all by the dispersion', () => {
    const { values, presence } = urnOf(counted(numbers([10, 20, 30]), [10, 20, 30], 6), {
      learned: [2, 2, 2, 4],
      dispersion: 2,
    });

    expect([...values]).toEqual([6, 11, 17]);
    expect([...presence]).toEqual([33.5, 5.5]);
  });
});

describe('an alternative', () => {
  /** All counts of so many rows. */
  function* countsOf(cells: number, rows: number): Iterable<number[]> {
    if (cells === 1) return yield [rows];
    for (let first = 0; first <= rows; first += 1)
      for (const rest of countsOf(cells - 1, rows - first)) yield [first, ...rest];
  }
  const logFactorial = (count: number): number => logRising(1, count);

  test.each([
    [
      'weaker',
      (urn: Float64Array, y: number[]) => weaker({ urn, week: [1, 5, 2], month: [30, 2, 9] }, y, logUrn(urn, y)),
    ],
    ['tilted', (urn: Float64Array, y: number[]) => tilted(urn, [], y, logUrn(urn, y))],
    ['tilted but for the last rows', (urn: Float64Array, y: number[]) => tilted(urn, [0.2, 3, 1], y, logUrn(urn, y))],
    ['apart', (urn: Float64Array, y: number[]) => apart(urn, y)],
  ])('that is %s has the expectation 1 where the urn holds', (_, evidence) => {
    for (const urn of [Float64Array.of(3, 5, 2), Float64Array.of(0.3, 40, 7)]) {
      const means: number[] = [];
      for (const y of countsOf(3, 7)) {
        const ways = logFactorial(7) - y.reduce((sum, count) => sum + logFactorial(count), 0);
        for (const [index, log] of evidence(urn, y).entries())
          means[index] = (means[index] ?? 0) + Math.exp(ways + logUrn(urn, y) + log);
      }
      expect(means.length).toBeGreaterThan(2);
      for (const mean of means) expect(mean).toBeCloseTo(1, 9);
    }
  });

  test('that is tilted by the shift that happened has the most evidence', () => {
    const urn = new Float64Array(20).fill(500);
    const scores = [...normalScores(urn)];
    const moved = (d: number) => scores.map((score) => Math.exp(d * score));
    const counts = (weights: readonly number[]) =>
      weights.map((weight) => (weight * 2000) / weights.reduce((a, b) => a + b));
    const shifts = [0.1, -0.1, 0.2, -0.2, 0.4, -0.4];

    for (const [index, d] of shifts.entries()) {
      const y = counts(moved(d));
      const logs = tilted(urn, [], y, logUrn(urn, y));

      expect(logs.indexOf(Math.max(...logs))).toBe(index);
    }
    const wide = counts(scores.map((score) => Math.exp(0.1 * (score * score - 1))));
    const narrow = counts(scores.map((score) => Math.exp(-0.1 * (score * score - 1))));
    const best = (y: number[]) => {
      const logs = tilted(urn, [], y, logUrn(urn, y));
      return logs.indexOf(Math.max(...logs));
    };
    expect([best(wide), best(narrow)]).toEqual([6, 7]);
  });

  test('that is tilted expects no change a second time of rows that came after it', () => {
    const reference = new Float64Array(20).fill(50);
    const shares = [...normalScores(reference)].map((score) => Math.exp(0.2 * score));
    const all = shares.reduce((a, b) => a + b);
    const rows = (count: number) => shares.map((share) => (share * count) / all);
    const urn = reference.map((count, cell) => count + (rows(2000)[cell] ?? 0));
    const y = rows(1000);
    const [after, again] = [rows(2000), []].map((lately) => tilted(urn, lately, y, logUrn(urn, y))[2] ?? 0);

    // A third of the urn is of before, so a third of the shift is news: 0.2 / 3 of it, and not 0.2.
    expect(after).toBeGreaterThan(1);
    expect(again).toBeLessThan(-1);
  });

  test('that sets a category apart has the most evidence for the one that changed', () => {
    const urn = Float64Array.from([2000, 1000, 1000, 1000]);
    const logs = apart(urn, [400, 300, 150, 150]);

    expect(logs.indexOf(Math.max(...logs))).toBe(1);
  });

  test('is never surer of the shares than the urn, so rows that vary less than they should are not evidence', () => {
    const urn = Float64Array.of(6, 6, 6);
    const y = [6, 6, 6];

    for (const log of [...weaker({ urn, week: y, month: y }, y, logUrn(urn, y)).slice(0, 3), ...apart(urn, y)])
      expect(log).toBeLessThan(1e-9);
  });

  test('scores cells by the normal quantile in their middle', () => {
    const scores = normalScores(Float64Array.of(1, 1, 2));

    for (const [index, score] of [-1.1503494, -0.3186394, 0.6744898].entries())
      expect(Math.abs((scores[index] ?? 0) - score)).toBeLessThan(5e-4);
  });
});

describe('groups', () => {
  test('of up to 32 cells are the cells', () => {
    expect(groupsOf(numbers(edges(32)))).toEqual({ of: edges(32), count: 32 });
    expect(groupsOf(values(edges(32)))).toEqual({ of: edges(32), count: 32 });
  });

  test('of numbers are at most 32 neighbours, whatever the counts', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1000 }), { minLength: 33, maxLength: 256 }), (cells) => {
        const { of, count } = groupsOf(numbers(cells));

        expect(count).toBeLessThanOrEqual(32);
        expect(of.at(-1)).toBe(count - 1);
        for (let cell = 1; cell < of.length; cell += 1) expect([0, 1]).toContain((of[cell] ?? 0) - (of[cell - 1] ?? 0));
      }),
    );
    expect(groupsOf(numbers(new Array(256).fill(40)))).toEqual({ of: edges(256).map((cell) => cell >> 3), count: 32 });
  });

  test('leave a value with much mass by itself', () => {
    const cells = new Array<number>(100).fill(10);
    cells[50] = 1000;
    const { of } = groupsOf(numbers(cells));

    expect(of.filter((group) => group === of[50])).toEqual([of[50]]);
  });

  test('of categories are the 30 most frequent values, the other known ones, and the unseen', () => {
    const { of, count } = groupsOf(values([...edges(60), 7, 0]));

    expect(count).toBe(32);
    expect([of[59], of[30], of[29], of[0], of[60], of[61]]).toEqual([0, 29, 30, 30, 30, 31]);
    expect(grouped({ of, count }, values([...edges(60), 7, 0])).slice(30)).toEqual([(29 * 30) / 2 + 7, 0, 0]);
  });
});

test('spacings between order statistics are what the urn says they are', () => {
  const draws = drawsOf(1);
  const cells = [3, 3, 3];
  const runs = 20_000;
  const squares = [0, 0, 0];
  for (let run = 0; run < runs; run += 1)
    for (const [cell, share] of draws.shares([3, 3, 4]).entries()) squares[cell] = (squares[cell] ?? 0) + share * share;

  // E[share^2] of a Dirichlet: a (a + 1) / (A (A + 1)).
  const { values } = urnOf(numbers(cells));
  for (const [cell, balls] of values.entries())
    expect(Math.abs((squares[cell] ?? 0) / runs - (balls * (balls + 1)) / 110)).toBeLessThan(0.003);
});
