import { describe, expect, test } from 'vitest';
import { addOutcomes, lacksIn, lossOf, noOutcomes, wilson } from './outcomes.ts';

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
    const lacks = (labels: number, predictions: number) => lacksIn({ predictions, labels, lost: 0, losses: 0 });

    expect([lacks(0, 0), lacks(199, 199), lacks(199, 399)]).toEqual(['labels', 'labels', 'labels']);
    expect([lacks(199, 400), lacks(0, 5000), lacks(499, 1000)]).toEqual(['coverage', 'coverage', 'coverage']);
    expect([lacks(200, 200), lacks(200, 400), lacks(500, 1000)]).toEqual([undefined, undefined, undefined]);
  });
});
