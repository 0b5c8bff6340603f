/**
 * How good the predictions are by labels that came late: what is shown. What alarms is in losses.ts.
 */

/** What became of one prediction: of a class, of the positive class or not, or of a number (predicted less true). */
export type Outcome =
  | { readonly isWrong: boolean }
  | { readonly predicted: boolean; readonly truth: boolean }
  | { readonly error: number };

/** In [0, 1]: wrong is 1; an error counts in parts of `scale` (above 0), and one that is greater, or no number, as 1. */
export function lossOf(outcome: Outcome, scale: number): number {
  if ('isWrong' in outcome) return outcome.isWrong ? 1 : 0;
  if ('predicted' in outcome) return outcome.predicted === outcome.truth ? 0 : 1;
  const parts = Math.abs(outcome.error) / scale;
  return Number.isNaN(parts) ? 1 : Math.min(parts, 1);
}

/** Sums: adding those of two parts gives those of both. */
export interface Outcomes {
  readonly classes: number;
  readonly wrong: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
  /** Errors that are finite numbers; others are in none of these. */
  readonly numbers: number;
  readonly absolute: number;
  readonly squares: number;
  readonly fourths: number;
}

export const noOutcomes: Outcomes = {
  ...{ classes: 0, wrong: 0, truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 },
  ...{ numbers: 0, absolute: 0, squares: 0, fourths: 0 },
};

export function withOutcome(sums: Outcomes, outcome: Outcome): Outcomes {
  if ('error' in outcome) return withError(sums, outcome.error);
  const classes = { ...sums, classes: sums.classes + 1, wrong: sums.wrong + lossOf(outcome, 1) };
  if ('isWrong' in outcome) return classes;
  const { predicted, truth } = outcome;
  const which = `${predicted === truth ? 'true' : 'false'}${predicted ? 'Positives' : 'Negatives'}` as const;
  return { ...classes, [which]: sums[which] + 1 };
}

function withError(sums: Outcomes, error: number): Outcomes {
  const square = error * error;
  if (!Number.isFinite(square * square)) return sums;
  return {
    ...sums,
    numbers: sums.numbers + 1,
    absolute: sums.absolute + Math.abs(error),
    squares: sums.squares + square,
    fourths: sums.fourths + square * square,
  };
}

/** With limits between which the true value is in 95 % of all cases. */
export interface Measured {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export type Performance =
  | { readonly isMature: false; readonly waitsFor: 'labels' | 'positives' | 'coverage' }
  | {
      readonly isMature: true;
      readonly accuracy?: Measured;
      /** Of the predicted positives, those that are. Absent without one. */
      readonly precision?: Measured;
      /** Of the positives, those that were predicted. */
      readonly recall?: Measured;
      /** In units of the prediction. */
      readonly mae?: Measured;
      readonly rmse?: Measured;
    };

export const leastLabels = 200;
export const leastPositives = 50;
export const leastCoverage = 0.5;

/**
 * What the labels say, or what they wait for: 200 labels, 50 positives where the class is yes or no, and labels for half of
 * `predictions`, which are those whose labels could have come by now.
 */
export function performanceOf(sums: Outcomes, predictions: number): Performance {
  const labels = sums.classes + sums.numbers;
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = sums;
  const positives = truePositives + falseNegatives;
  const isBinary = positives + falsePositives + trueNegatives > 0;
  if (labels < leastLabels) return { isMature: false, waitsFor: 'labels' };
  if (isBinary && positives < leastPositives) return { isMature: false, waitsFor: 'positives' };
  if (labels < leastCoverage * predictions) return { isMature: false, waitsFor: 'coverage' };
  const predicted = truePositives + falsePositives;
  return {
    isMature: true,
    ...(sums.classes === 0 ? {} : { accuracy: wilson(sums.classes - sums.wrong, sums.classes) }),
    ...(predicted === 0 ? {} : { precision: wilson(truePositives, predicted) }),
    ...(positives === 0 ? {} : { recall: wilson(truePositives, positives) }),
    ...(sums.numbers === 0 ? {} : errorsOf(sums)),
  };
}

/** Two-sided, 95 %, of a normal. */
const z = 1.959963984540054;

/** The limits of a share by Wilson (1927): never outside [0, 1]. Of no rows: between 0 and 1, with the value 0. */
export function wilson(hits: number, rows: number): Measured {
  if (rows === 0) return { value: 0, low: 0, high: 1 };
  const share = hits / rows;
  const chance = (z * z) / rows;
  const middle = (share + chance / 2) / (1 + chance);
  const half = (z / (1 + chance)) * Math.sqrt((share * (1 - share)) / rows + chance / (4 * rows));
  return {
    value: share,
    low: hits === 0 ? 0 : Math.max(0, middle - half),
    high: hits === rows ? 1 : Math.min(1, middle + half),
  };
}

/** Limits by the normal law of the mean of |e|, and of the mean of e^2, whose root is taken after that. */
function errorsOf({ numbers, absolute, squares, fourths }: Outcomes): {
  readonly mae: Measured;
  readonly rmse: Measured;
} {
  const mae = meanOf(absolute, squares, numbers);
  const { value, low, high } = meanOf(squares, fourths, numbers);
  return { mae, rmse: { value: Math.sqrt(value), low: Math.sqrt(low), high: Math.sqrt(high) } };
}

/** Of values that are at least 0, by their sum and the sum of their squares. */
function meanOf(sum: number, squares: number, rows: number): Measured {
  const value = sum / rows;
  const half = z * Math.sqrt(Math.max(0, squares / rows - value * value) / rows);
  return { value, low: Math.max(0, value - half), high: value + half };
}
