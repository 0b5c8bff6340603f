import { describe, expect, test } from 'vitest';
import {
  calibrationError,
  estimatePerformance,
  expectedPerformance,
  noCalibration,
  noProbabilities,
  withCalibration,
  withProbability,
} from './estimate.ts';

const of = (probabilities: readonly number[], cutoff?: number) =>
  probabilities.reduce((sums, one) => withProbability(sums, one, cutoff), noProbabilities);
/** 100 rows in each of two tenths, of which as many are positive as their probability says, but for `missed`. */
const calibrated = (missed = 0) =>
  Array.from({ length: 100 }, (_, at) => at).reduce(
    (known, at) => withCalibration(withCalibration(known, 0.2, at < 20 + missed), 0.9, at < 90 - missed),
    noCalibration,
  );

describe('an estimate without labels', () => {
  test('is what the probabilities promise', () => {
    const estimate = expectedPerformance(of([0.1, 0.2, 0.35, 0.6, 0.8, 0.95]));

    expect(estimate?.accuracy).toBeCloseTo(0.783333333333, 9);
    expect(estimate?.precision).toBeCloseTo(2.35 / 3, 12);
    expect(estimate?.recall).toBeCloseTo(2.35 / 3, 12);
  });

  test('goes by the cut-off of the model, which itself is positive', () => {
    const estimate = expectedPerformance(of([0.1, 0.8], 0.8));

    expect(estimate).toEqual({ accuracy: expect.closeTo(0.85, 12), precision: 0.8, recall: expect.closeTo(8 / 9, 12) });
  });

  test('is absent where there is nothing to estimate, and passes over what is no probability', () => {
    expect(expectedPerformance(noProbabilities)).toBeUndefined();
    expect(expectedPerformance(of([0, 0]))).toEqual({ accuracy: 1 });
    expect(of([Number.NaN, -0.1, 1.1])).toEqual(noProbabilities);
  });

  test('is made only of a model that was calibrated on the hold-out', () => {
    const live = of(Array.from({ length: 200 }, () => 0.9));

    expect(calibrationError(calibrated())).toBeCloseTo(0, 12);
    expect(calibrationError(calibrated(8))).toBeCloseTo(0.08, 12);
    expect(estimatePerformance(live, calibrated(4))?.accuracy).toBeCloseTo(0.9, 12);
    expect(estimatePerformance(live, calibrated(6))).toBeUndefined();
    expect(estimatePerformance(live, noCalibration)).toBeUndefined();
    expect(calibrationError(noCalibration)).toBe(1);
  });

  test('waits for 200 rows, live and in the hold-out', () => {
    const few = Array.from({ length: 199 }, () => 0.9);
    const short = few.reduce((known, one, at) => withCalibration(known, one, at % 10 !== 0), noCalibration);

    expect(estimatePerformance(of(few), calibrated())).toBeUndefined();
    expect(estimatePerformance(of([...few, 0.9]), short)).toBeUndefined();
    expect(estimatePerformance(of([...few, 0.9]), calibrated())).toBeDefined();
  });

  test('counts a probability of 1 in the last tenth', () => {
    const certain = withCalibration(noCalibration, 1, true);

    expect(certain[9]).toEqual({ rows: 1, sum: 1, positives: 1 });
    expect(withCalibration(certain, Number.NaN, true)).toEqual(certain);
  });
});
