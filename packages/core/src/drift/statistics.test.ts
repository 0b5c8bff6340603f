import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exactKolmogorov, kolmogorovTail } from './laws.ts';
import {
  chiSquare,
  earthMovers,
  jensenShannon,
  kolmogorovDistance,
  largestDifference,
  robustDistance,
  robustFactor,
  sagemakerFactor,
  stabilityIndex,
} from './statistics.ts';

const expectClose = (value: number | undefined, wanted: number, relative = 1e-9) =>
  expect(Math.abs((value ?? Number.NaN) - wanted)).toBeLessThanOrEqual(relative * Math.abs(wanted));

/** Two samples on cells whose edges are all values that came: nothing is lost. */
function onEdges(reference: readonly number[], live: readonly number[]) {
  const edges = [...new Set([...reference, ...live])].sort((left, right) => left - right);
  const count = (rows: readonly number[]) =>
    [...edges, Number.POSITIVE_INFINITY].map(
      (edge, at) => rows.filter((row) => row <= edge && row > (edges[at - 1] ?? Number.NEGATIVE_INFINITY)).length,
    );
  return { a: count(reference), b: count(live), edges, last: edges.at(-1) ?? 0 };
}

describe('how far live rows are from the reference', () => {
  test('Kolmogorov-Smirnov of two samples of 100 and 50', () => {
    const reference = Array.from({ length: 100 }, (_, i) => (i + 1) / 100);
    const { a, b } = onEdges(
      reference,
      Array.from({ length: 50 }, (_, i) => 0.1 + (0.8 * (i + 1)) / 50),
    );

    const d = kolmogorovDistance(a, b);

    expectClose(d, 0.11);
    expectClose(exactKolmogorov(d, 100, 50), 0.804177768619);
    expectClose(kolmogorovTail(d, 33), 0.7792071879965);
  });

  test('one to five against three to seven', () => {
    const { a, b, edges, last } = onEdges([1, 2, 3, 4, 5], [3, 4, 5, 6, 7]);

    expectClose(kolmogorovDistance(a, b), 0.4);
    expectClose(exactKolmogorov(0.4, 5, 5), 0.873015873015873);
    expectClose(earthMovers(a, b, { edges, last, deviation: 1 }), 2, 1e-12);
    expectClose(earthMovers(a, b, { edges, last, deviation: Math.SQRT2 }), Math.SQRT2, 1e-12);
  });

  test('three categories', () => {
    const [a, b] = [
      [500, 300, 200],
      [450, 330, 220],
    ];

    expectClose(stabilityIndex(a, b).value, 0.0100039063481);
    expectClose(jensenShannon(a, b).distance, 0.0425282500099);
    expectClose(largestDifference(a, b), 0.05);
    expectClose(chiSquare(a, b).statistic, 5.0125313283208);
    expectClose(chiSquare(a, b).p, 0.0815722894989);
    expect(chiSquare(a, b).degrees).toBe(2);
  });

  test('a greater reference says more', () => {
    const { statistic, p } = chiSquare([5000, 3000, 2000], [450, 330, 220]);

    expectClose(statistic, 9.0916604678072);
    expectClose(p, 0.010611359148);
  });

  test('what chance explains is taken away', () => {
    expectClose(robustFactor(0.05), 1.3581015157, 1e-10);
    expectClose(robustFactor(0.01), 1.6276236307, 1e-10);
    expectClose(robustFactor(0.001), 1.9494746035, 1e-10);
    expectClose(robustDistance(0.2, 100, 100, sagemakerFactor), 0);
    expectClose(robustDistance(0.5, 100, 100, sagemakerFactor), 0.5 - 1.8 * Math.sqrt(0.02), 1e-12);
  });

  test('the stability index is corrected for the number of rows, and has a limit that belongs to it', () => {
    const reference = Array.from({ length: 10 }, () => 1000);
    const [hundred, thousand] = [10, 100].map((count) =>
      stabilityIndex(
        reference,
        Array.from({ length: 10 }, () => count),
      ),
    );

    expectClose((hundred?.corrected ?? 0) - (hundred?.value ?? 0), -0.0909, 1e-12);
    expectClose((thousand?.corrected ?? 0) - (thousand?.value ?? 0), -0.0099, 1e-12);
    expect(thousand?.critical).toBeCloseTo(0.0238, 4);
  });

  test('the excess of Jensen-Shannon is what the divergence is over chance', () => {
    const { distance, excess } = jensenShannon([500, 300, 200], [450, 330, 220]);

    expectClose(excess, distance ** 2 - (2 * 0.002) / (8 * Math.LN2), 1e-12);
    expect(jensenShannon([7, 0], [0, 3]).distance).toBe(1);
  });

  test('rare categories are merged until they can be judged', () => {
    const manyRare = Array.from({ length: 40 }, () => 10);

    const merged = chiSquare([1000, ...manyRare], [100, ...manyRare.map(() => 1)]);

    expect(merged.degrees).toBeGreaterThan(3);
    expect(merged.degrees).toBeLessThan(14);
    expect(chiSquare([500, 300, 0, 200], [450, 330, 0, 220])).toEqual(chiSquare([500, 300, 200], [450, 330, 220]));
  });

  test('two cells of which one is rare are judged exactly', () => {
    expectClose(chiSquare([997, 3], [491, 9]).p, 0.0037273994280326017);
    expectClose(chiSquare([1000, 0], [0, 10]).p, 3.435263087769455e-24);
  });

  test('what is missing, alone or the same has distance 0 and p 1', () => {
    for (const [a, b] of [
      [[], []],
      [
        [10, 20],
        [0, 0],
      ],
      [
        [0, 0],
        [10, 20],
      ],
      [[100], [7]],
      [
        [100, 0],
        [7, 0],
      ],
    ] as const) {
      expect(chiSquare(a, b)).toEqual({ statistic: 0, degrees: 0, p: 1 });
      expect(kolmogorovDistance(a, b)).toBe(0);
      expect(largestDifference(a, b)).toBe(0);
      expect(jensenShannon(a, b).distance).toBe(0);
    }
    expect(stabilityIndex([10, 20], [0, 0])).toEqual({ value: 0, corrected: 0, critical: 0 });
    expect(earthMovers([10, 0], [1, 2], { edges: [3], last: 3, deviation: 0 })).toBeUndefined();
  });

  test('no counts give anything but finite numbers, and both ways round the same distance', () => {
    const pairs = fc
      .array(fc.tuple(fc.nat({ max: 1_000_000 }), fc.nat({ max: 20 })), { maxLength: 60 })
      .map((rows) => [rows.map(([ours]) => ours), rows.map(([, theirs]) => theirs)] as const);

    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const { statistic, p } = chiSquare(a, b);
        const stability = stabilityIndex(a, b);
        const distances = [kolmogorovDistance(a, b), largestDifference(a, b), jensenShannon(a, b).distance];

        for (const value of [statistic, p, ...Object.values(stability), jensenShannon(a, b).excess, ...distances])
          expect(Number.isFinite(value)).toBe(true);
        for (const value of [p, ...distances]) expect(value >= 0 && value <= 1 + 1e-12).toBe(true);
        expect(chiSquare(b, a).p).toBeCloseTo(p, 9);
        expect(jensenShannon(b, a).distance).toBeCloseTo(jensenShannon(a, b).distance, 9);
      }),
      { numRuns: 200 },
    );
  });
});
