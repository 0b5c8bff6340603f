import { describe, expect, test } from 'vitest';
import {
  addOutcomes,
  classMeasures,
  errorMeasures,
  lacksIn,
  lossOf,
  noOutcomes,
  type Outcomes,
  wilson,
} from './outcomes.ts';
import { drawsOf } from './profile.fixture.ts';

describe('how good predictions are by their labels', () => {
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

  // Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3: four decimals.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('%d of %d are between %d and %d, as they were published', (hits, rows, low, high) => {
    const limits = wilson(hits, rows);

    expect([limits.low, limits.high].map((limit) => Number(limit.toFixed(4)))).toEqual([low, high]);
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

  test('is the share of wrong ones, or the mean of losses', () => {
    const wrong = { predictions: 300, labels: 200, lost: 20, losses: 0 };
    const losses = { predictions: 200, labels: 200, lost: 60.5, losses: 200 };

    expect(lossOf(wrong)).toEqual(wilson(20, 200));
    expect(lossOf(addOutcomes(addOutcomes(noOutcomes, wrong), losses)).value).toBeCloseTo(80.5 / 400, 12);
  });

  test('waits for 200 labels, and for labels of half of the predictions', () => {
    const lacks = (labels: number, predictions: number) => lacksIn({ predictions, labels });

    expect([lacks(0, 0), lacks(199, 199), lacks(199, 399)]).toEqual(['labels', 'labels', 'labels']);
    expect([lacks(199, 400), lacks(0, 5000), lacks(499, 1000)]).toEqual(['coverage', 'coverage', 'coverage']);
    expect([lacks(200, 200), lacks(200, 400), lacks(500, 1000)]).toEqual([undefined, undefined, undefined]);
  });
});

const sumsOf = (labels: number, more: Partial<Outcomes>, predictions = labels): Outcomes => ({
  ...{ predictions, labels, lost: 0, losses: 0 },
  ...more,
});

describe('how good predictions of a class are', () => {
  const measuresOf = (
    [truePositives, falsePositives, falseNegatives, trueNegatives]: readonly [number, number, number, number],
    predictions?: number,
  ) => {
    const labels = truePositives + falsePositives + falseNegatives + trueNegatives;
    const classes = { truePositives, falsePositives, falseNegatives, trueNegatives };
    return classMeasures(sumsOf(labels, { classes }, predictions));
  };

  test('is how many of the predicted ones are it, and how many of those that are it were predicted', () => {
    expect(measuresOf([60, 40, 20, 180])).toEqual({ precision: wilson(60, 100), recall: wilson(60, 80) });
  });

  test('has no precision where it was never predicted', () => {
    expect(measuresOf([0, 0, 60, 200])).toEqual({ recall: wilson(0, 60) });
  });

  test('is not said below 200 truths, 50 of the class, and truths of half of the predictions', () => {
    expect(measuresOf([60, 20, 20, 99])).toEqual({ lacks: 'labels' });
    expect(measuresOf([60, 20, 20, 100])).toHaveProperty('recall');
    expect(measuresOf([29, 90, 20, 200])).toEqual({ lacks: 'positives' });
    expect(measuresOf([30, 90, 20, 200])).toHaveProperty('recall');
    expect(measuresOf([60, 40, 20, 180], 601)).toEqual({ lacks: 'coverage' });
    expect(measuresOf([60, 40, 20, 180], 600)).toHaveProperty('recall');
    expect(classMeasures(sumsOf(500, {}))).toBeUndefined();
  });
});

describe('how far off numbers are', () => {
  const measuresOf = (
    errors: readonly number[],
    more: { readonly unknown?: number; readonly predictions?: number } = {},
  ) => {
    const sum = (of: (error: number) => number) => errors.reduce((all, error) => all + of(error), 0);
    const sums = { absolute: sum(Math.abs), squares: sum((error) => error ** 2), fourths: sum((error) => error ** 4) };
    const counts = { numbers: errors.length, unknown: more.unknown ?? 0 };
    return errorMeasures(sumsOf(errors.length, { errors: { ...counts, ...sums } }, more.predictions));
  };

  test('is the mean error and the root of the mean square, with limits', () => {
    const shown = measuresOf([...Array.from({ length: 100 }, () => 3), ...Array.from({ length: 100 }, () => -1)]);

    // |e| is 3 or 1 and e^2 is 9 or 1, each for half of 200 rows: standard deviations of 1 and 4.
    const [half, halfOfSquares] = [0.1385903824349678, 0.5543615297398711];
    expect(shown).toEqual({
      mae: { value: 2, low: expect.closeTo(2 - half, 12), high: expect.closeTo(2 + half, 12) },
      rmse: {
        value: expect.closeTo(2.23606797749979, 12),
        low: expect.closeTo(Math.sqrt(5 - halfOfSquares), 12),
        high: expect.closeTo(Math.sqrt(5 + halfOfSquares), 12),
      },
    });
  });

  test('has limits that hold in 90 % of all cases at least, also of errors with long tails', () => {
    const draw = drawsOf(7);
    // Laplace: the mean of |e| is 1, and the root mean square is the root of 2.
    const laplace = () => {
      const share = draw() - 0.5;
      return -Math.sign(share) * Math.log(1 - 2 * Math.abs(share));
    };
    const held = { mae: 0, rmse: 0 };
    for (let run = 0; run < 500; run += 1) {
      const shown = measuresOf(Array.from({ length: 200 }, laplace));
      if (shown === undefined || 'lacks' in shown) continue;
      if (shown.mae.low <= 1 && shown.mae.high >= 1) held.mae += 1;
      if (shown.rmse.low <= Math.SQRT2 && shown.rmse.high >= Math.SQRT2) held.rmse += 1;
    }

    expect(held.mae).toBeGreaterThan(460);
    expect(held.rmse).toBeGreaterThan(440);
  });

  test('is not said below 200 numbers, and numbers of half of the predictions', () => {
    const errors = (count: number) => Array.from({ length: count }, () => 1);

    expect(measuresOf(errors(199), { unknown: 300 })).toEqual({ lacks: 'labels' });
    expect(measuresOf(errors(200), { predictions: 401 })).toEqual({ lacks: 'coverage' });
    expect(measuresOf(errors(200), { predictions: 400 })).toHaveProperty('mae');
    expect(errorMeasures(sumsOf(500, {}))).toBeUndefined();
  });

  test('is 0 where nothing is off, and finite where everything is as far off as is counted', () => {
    expect(measuresOf(Array.from({ length: 200 }, () => 0))).toEqual({
      mae: { value: 0, low: 0, high: 0 },
      rmse: { value: 0, low: 0, high: 0 },
    });
    const far = measuresOf(Array.from({ length: 200 }, () => 1e60));
    expect(far).toMatchObject({ mae: { value: expect.closeTo(1e60, -50) } });
    expect(JSON.stringify(far)).not.toContain('null');
  });
});

test('sums of parts are those of the whole, also where only one part has truths', () => {
  const classes = { truePositives: 1, falsePositives: 2, falseNegatives: 3, trueNegatives: 4 };
  const errors = { numbers: 1, unknown: 2, absolute: 3, squares: 4, fourths: 5 };
  const both = addOutcomes(sumsOf(10, { classes }), addOutcomes(sumsOf(3, { errors }), sumsOf(10, { classes })));

  expect(both).toEqual(
    sumsOf(23, { classes: { truePositives: 2, falsePositives: 4, falseNegatives: 6, trueNegatives: 8 }, errors }),
  );
  expect(addOutcomes(noOutcomes, noOutcomes)).toEqual(noOutcomes);
});
