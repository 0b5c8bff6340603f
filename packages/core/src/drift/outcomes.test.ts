import { describe, expect, test } from 'vitest';
import { lossOf, noOutcomes, type Outcome, performanceOf, wilson, withOutcome } from './outcomes.ts';

const times = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);

describe('how good predictions are by their labels', () => {
  const shownOf = (outcomes: readonly Outcome[], predictions = outcomes.length) =>
    performanceOf(outcomes.reduce(withOutcome, noOutcomes), predictions);

  test.each([
    [180, 200, 0.8505941875672826, 0.9343295513309041],
    [0, 50, 0, 0.07134759913335872],
    [50, 50, 0.9286524008666412, 1],
    [37, 120, 0.23272736988916295, 0.3958299772380067],
  ])('%d of %d are between %d and %d', (hits, rows, low, high) => {
    const limits = wilson(hits, rows);

    expect(limits.low).toBeCloseTo(low, 12);
    expect(limits.high).toBeCloseTo(high, 12);
    expect(limits.value).toBe(hits / rows);
  });

  test('nothing is known of no rows', () => {
    expect(wilson(0, 0)).toEqual({ value: 0, low: 0, high: 1 });
  });

  test('Wilson limits hold in 93 % of all cases at least, at shares that matter', () => {
    for (const share of [0.02, 0.1, 0.5, 0.9]) {
      let [probability, covered] = [(1 - share) ** 200, 0];
      for (let hits = 0; hits <= 200; hits += 1) {
        const { low, high } = wilson(hits, 200);
        if (low <= share && share <= high) covered += probability;
        probability *= ((200 - hits) / (hits + 1)) * (share / (1 - share));
      }
      expect(covered).toBeGreaterThan(0.93);
    }
  });

  const yes = { predicted: true, truth: true };
  const binary = [
    ...times(60, yes),
    ...times(20, { predicted: false, truth: true }),
    ...times(40, { predicted: true, truth: false }),
    ...times(180, { predicted: false, truth: false }),
  ];

  test('of yes and no are accuracy, precision and recall', () => {
    expect(shownOf(binary)).toEqual({
      isMature: true,
      accuracy: wilson(240, 300),
      precision: wilson(60, 100),
      recall: wilson(60, 80),
    });
  });

  test('of many classes are the share that is right', () => {
    expect(shownOf([...times(150, { isWrong: false }), ...times(50, { isWrong: true })])).toEqual({
      isMature: true,
      accuracy: wilson(150, 200),
    });
  });

  test('of numbers are the mean error and the root of the mean square, with limits', () => {
    const shown = shownOf([...times(100, { error: 3 }), ...times(100, { error: -1 })]);

    // |e| is 3 or 1, e^2 is 9 or 1, each for half of 200 rows.
    const [half, halfOfSquares] = [1, 4].map((deviation) => (1.959963984540054 * deviation) / Math.sqrt(200));
    expect(shown).toEqual({
      isMature: true,
      mae: { value: 2, low: expect.closeTo(2 - (half ?? 0), 12), high: expect.closeTo(2 + (half ?? 0), 12) },
      rmse: {
        value: expect.closeTo(Math.sqrt(5), 12),
        low: expect.closeTo(Math.sqrt(5 - (halfOfSquares ?? 0)), 12),
        high: expect.closeTo(Math.sqrt(5 + (halfOfSquares ?? 0)), 12),
      },
    });
  });

  test('wait for labels, for positives and for coverage', () => {
    expect(shownOf(times(199, { isWrong: false }))).toEqual({ isMature: false, waitsFor: 'labels' });
    expect(shownOf(times(200, { isWrong: false })).isMature).toBe(true);
    expect(shownOf([...times(49, yes), ...times(200, { predicted: false, truth: false })])).toEqual({
      isMature: false,
      waitsFor: 'positives',
    });
    expect(shownOf([...times(50, yes), ...times(200, { predicted: false, truth: false })]).isMature).toBe(true);
    expect(shownOf(times(200, { isWrong: false }), 401)).toEqual({ isMature: false, waitsFor: 'coverage' });
    expect(shownOf(times(200, { isWrong: false }), 400).isMature).toBe(true);
  });

  test('say nothing of what was never predicted, and pass over errors without end', () => {
    const never = shownOf([
      ...times(60, { predicted: false, truth: true }),
      ...times(200, { predicted: false, truth: false }),
    ]);
    const odd = shownOf([...times(200, { error: 1 }), { error: Number.NaN }, { error: Number.POSITIVE_INFINITY }]);

    expect(never).toEqual({ isMature: true, accuracy: wilson(200, 260), recall: wilson(0, 60) });
    expect(odd).toMatchObject({ mae: { value: 1, low: 1, high: 1 }, rmse: { value: 1, low: 1, high: 1 } });
  });

  test('a loss is between 0 and 1, and an error that is no number is the worst', () => {
    expect(
      [{ isWrong: true }, yes, { error: 2 }, { error: -30 }, { error: Number.NaN }].map((one) => lossOf(one, 8)),
    ).toEqual([1, 0, 0.25, 1, 1]);
  });
});
