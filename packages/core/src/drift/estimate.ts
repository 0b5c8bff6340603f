import type { Json } from '../base/json.ts';
import { pointedAt } from '../base/pointer.ts';

/**
 * An estimate of how good predictions are, without labels, from the probabilities that the model gave itself (CBPE).
 *
 * It is right where these are calibrated, also on the live rows. Where the inputs moved to what the model never saw they
 * may not be, and nothing here says so. So it is made only of a model whose error of calibration on the hold-out is small,
 * is called an estimate wherever it is shown, and alarms nobody.
 *
 * Of the hold-out itself, with a cut-off that is a tenth, the estimated accuracy is never further from the true one than
 * the error of calibration: each tenth is on one side of the cut-off, and adds at most what its own mean misses.
 * Source: "confidence-based performance estimation", documentation of NannyML.
 */

/** Rows, and the sum of their probabilities of the positive class. */
interface Side {
  readonly rows: number;
  readonly sum: number;
}

/** Going on from those of one part with another gives those of both. */
export interface Probabilities {
  /** Predicted positive: the probability is at least the cut-off. */
  readonly above: Side;
  readonly below: Side;
  /** Answers without a probability, and what the first of them has in its place. */
  readonly lacking: number;
  readonly lacks?: string;
}

export const noProbabilities: Probabilities = { above: { rows: 0, sum: 0 }, below: { rows: 0, sum: 0 }, lacking: 0 };

/** Where the probability is in an answer to one row, and from which on the row is predicted positive. */
export interface ProbabilityPlace {
  /** A JSON pointer. */
  readonly pointer: string;
  readonly cutoff: number;
}

/** More answers, each to one row; `undefined`: there is none to its row. */
export function withProbabilities(
  before: Probabilities,
  answers: readonly (Json | undefined)[],
  { pointer, cutoff }: ProbabilityPlace,
): Probabilities {
  const [above, below] = [{ ...before.above }, { ...before.below }];
  let { lacking, lacks } = before;
  for (const answer of answers) {
    const value = onlyOf(pointedAt(answer, pointer));
    if (isProbability(value)) {
      const side = value >= cutoff ? above : below;
      side.rows += 1;
      side.sum += value;
    } else {
      lacking += 1;
      lacks ??= shapeOf(value);
    }
  }
  return { above, below, lacking, ...(lacks === undefined ? {} : { lacks }) };
}

/** Some models answer each row with a list of one. */
const onlyOf = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value);

const isProbability = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1;

/** Its form, and nothing of its value. */
function shapeOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'number') return 'a number that is not between 0 and 1';
  if (Array.isArray(value)) return 'a list';
  return { string: 'a text', boolean: 'true or false' }[typeof value as string] ?? 'an object';
}

export const rowsIn = ({ above, below }: Probabilities): number => above.rows + below.rows;

/** Estimated, not measured: shares from 0 to 1. */
export interface Estimate {
  readonly accuracy: number;
  /** Absent where nothing is predicted positive. */
  readonly precision?: number;
  /** Absent where nothing is expected to be positive. */
  readonly recall?: number;
}

/**
 * Expected true positives are the sum of p where predicted positive, false negatives where predicted negative, and so on.
 * Of no rows: `undefined`.
 */
export function expectedPerformance({ above, below }: Probabilities): Estimate | undefined {
  const rows = above.rows + below.rows;
  if (rows === 0) return undefined;
  const [truePositives, falseNegatives] = [above.sum, below.sum];
  const trueNegatives = below.rows - below.sum;
  const positives = truePositives + falseNegatives;
  return {
    accuracy: (truePositives + trueNegatives) / rows,
    ...(above.rows === 0 ? {} : { precision: truePositives / above.rows }),
    ...(positives === 0 ? {} : { recall: truePositives / positives }),
  };
}

/** What the evaluate job of a version measured on its hold-out, by these names of its metrics. */
export interface Calibration {
  /**
   * The expected error of calibration: by how much the mean probability of a tenth misses its share of positives, averaged
   * over rows; from 0 to 1. With few rows chance makes it greater. Source: Naeini, Cooper & Hauskrecht (2015).
   */
  readonly error: number;
  /** Absent: it did not say. */
  readonly rows?: number;
}
export const calibrationMetric = 'calibration_error';
export const holdOutRowsMetric = 'holdout_rows';

/** A greater error of calibration on the hold-out, and nothing is estimated. */
export const mostCalibrationError = 0.05;
/** Of fewer rows nothing is estimated, nor with a calibration that was measured on fewer. */
export const leastRows = 200;
/** With more answers that have no probability nothing is estimated: whatever they were, they would move it by as much. */
export const mostLacking = 0.05;
