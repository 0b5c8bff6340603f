import { defined } from '../base/objects.ts';
import { addClasses, addErrors, type Classes, type Errors } from '../base/truths.ts';

/**
 * How good the predictions are by labels that came late: what is shown. What alarms is in losses.ts.
 */

/** Sums: adding those of two parts gives those of both. */
export interface Outcomes {
  /** Those whose labels could have come by now. */
  readonly predictions: number;
  /** Those with a label in time. */
  readonly labels: number;
  /** Sum of what was lost, in [0, 1] each: a wrong prediction is 1. */
  readonly lost: number;
  /** Labels that are losses, and say neither right nor wrong. */
  readonly losses: number;
  /** Of truths of a class. Absent: there were none, or nobody asked. */
  readonly classes?: Classes;
  /** Of truths that are numbers, which are losses as well. Absent: as with `classes`. */
  readonly errors?: Errors;
}

export const noOutcomes: Outcomes = { predictions: 0, labels: 0, lost: 0, losses: 0 };

export const addOutcomes = (one: Outcomes, other: Outcomes): Outcomes => ({
  predictions: one.predictions + other.predictions,
  labels: one.labels + other.labels,
  lost: one.lost + other.lost,
  losses: one.losses + other.losses,
  ...defined({
    classes: addClasses(one.classes, other.classes),
    errors: addErrors(one.errors, other.errors),
  }),
});

/** With limits between which the true value is in 95 % of all cases. */
export interface Measured {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export const leastLabels = 200;
export const leastPositives = 50;
export const leastCoverage = 0.5;

/**
 * What lacks before anything is said of predictions: 200 labels, or labels for half of them. `undefined`: nothing.
 *
 * More predictions can bring labels. Where there are enough of them already, what lacks is coverage.
 */
export function lacksIn({
  predictions,
  labels,
}: Pick<Outcomes, 'predictions' | 'labels'>): 'labels' | 'coverage' | undefined {
  if (labels >= leastCoverage * predictions && labels >= leastLabels) return undefined;
  return leastCoverage * predictions < leastLabels ? 'labels' : 'coverage';
}

/** The mean loss, which is the share of wrong predictions where labels say right or wrong. */
export const lossOf = ({ lost, labels }: Pick<Outcomes, 'lost' | 'labels'>): Measured => wilson(lost, labels);

/** What is said of one class; or what lacks before it is. */
export type ClassMeasures =
  | { readonly lacks: 'labels' | 'coverage' | 'positives' }
  | {
      /** Of the predicted positives, those that are. Absent: none was predicted. */
      readonly precision?: Measured;
      /** Of the positives, those that were predicted. */
      readonly recall: Measured;
    };

/** `undefined`: no truth was of a class. */
export function classMeasures({ predictions, classes }: Outcomes): ClassMeasures | undefined {
  if (classes === undefined) return undefined;
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = classes;
  const [positives, predicted] = [truePositives + falseNegatives, truePositives + falsePositives];
  const lacks = lacksIn({ predictions, labels: positives + falsePositives + trueNegatives });
  if (lacks !== undefined) return { lacks };
  if (positives < leastPositives) return { lacks: 'positives' };
  return {
    ...(predicted === 0 ? {} : { precision: wilson(truePositives, predicted) }),
    recall: wilson(truePositives, positives),
  };
}

/** What is said of numbers, in units of the prediction; or what lacks before it is. */
export type ErrorMeasures =
  | { readonly lacks: 'labels' | 'coverage' }
  | { readonly mae: Measured; readonly rmse: Measured };

/**
 * `undefined`: no truth was to be a number. Limits by the normal law: of the mean of |e|, and of the mean of e^2, whose root
 * is taken after that.
 */
export function errorMeasures({ predictions, errors }: Outcomes): ErrorMeasures | undefined {
  if (errors === undefined) return undefined;
  const { numbers, absolute, squares, fourths } = errors;
  const lacks = lacksIn({ predictions, labels: numbers });
  if (lacks !== undefined) return { lacks };
  const { value, low, high } = meanOf(squares, fourths, numbers);
  return {
    mae: meanOf(absolute, squares, numbers),
    rmse: { value: Math.sqrt(value), low: Math.sqrt(low), high: Math.sqrt(high) },
  };
}

/** Of values that are at least 0, by their sum and the sum of their squares. */
function meanOf(sum: number, squares: number, rows: number): Measured {
  const value = sum / rows;
  const half = z * Math.sqrt(Math.max(0, squares / rows - value * value) / rows);
  return { value, low: Math.max(0, value - half), high: value + half };
}

/** Two-sided, 95 %, of a normal. */
const z = 1.959963984540054;

/**
 * The limits of a share by Wilson (1927): never outside [0, 1]. Of no rows: between 0 and 1, with the value 0.
 * `hits` may be a sum of losses in [0, 1]: with the same mean they vary less than hits, so that the limits are wide enough.
 */
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
