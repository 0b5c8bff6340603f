import { leastLabels } from './outcomes.ts';

/**
 * An estimate of how good predictions are, without labels, from the probabilities that the model gave itself (CBPE).
 *
 * It is right only where these are calibrated, also on the live data: where the inputs moved to what the model never saw it
 * is not, and says nothing of it. So it is made only of a model whose error of calibration on the hold-out is small, is
 * called an estimate wherever it is shown, and alarms nobody.
 * Source: "confidence-based performance estimation", documentation of NannyML.
 */

/** Sums over probabilities of the positive class: adding those of two parts gives those of both. */
export interface Probabilities {
  readonly rows: number;
  /** Sum of p, and rows, of those that are predicted positive (p >= the cut-off), and of the others. */
  readonly above: { readonly rows: number; readonly sum: number };
  readonly below: { readonly rows: number; readonly sum: number };
}

export const noProbabilities: Probabilities = {
  rows: 0,
  above: { rows: 0, sum: 0 },
  below: { rows: 0, sum: 0 },
};

/** One more prediction. What is not between 0 and 1 is no probability, and is passed over. */
export function withProbability(sums: Probabilities, probability: number, cutoff = 0.5): Probabilities {
  if (!(probability >= 0 && probability <= 1)) return sums;
  const side = probability >= cutoff ? 'above' : 'below';
  const { rows, sum } = sums[side];
  return { ...sums, rows: sums.rows + 1, [side]: { rows: rows + 1, sum: sum + probability } };
}

/** Estimated, not measured: shares from 0 to 1. */
export interface Estimate {
  readonly accuracy: number;
  /** Absent where nothing is predicted positive. */
  readonly precision?: number;
  /** Absent where nothing is expected to be positive. */
  readonly recall?: number;
}

/** Expected true positives: the sum of p where predicted positive; false negatives: where predicted negative; and so on. */
export function expectedPerformance({ rows, above, below }: Probabilities): Estimate | undefined {
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

/** Of the hold-out, by tenths of the probability: rows, sum of p, and rows that are positive. Can be added. */
export type Calibration = readonly { readonly rows: number; readonly sum: number; readonly positives: number }[];

export const noCalibration: Calibration = Array.from({ length: 10 }, () => ({ rows: 0, sum: 0, positives: 0 }));

export function withCalibration(known: Calibration, probability: number, isPositive: boolean): Calibration {
  if (!(probability >= 0 && probability <= 1)) return known;
  const tenth = Math.min(9, Math.floor(10 * probability));
  return known.map((bin, at) =>
    at === tenth
      ? { rows: bin.rows + 1, sum: bin.sum + probability, positives: bin.positives + (isPositive ? 1 : 0) }
      : bin,
  );
}

/**
 * The expected error of calibration: by how much the mean probability of a tenth misses its share of positives, averaged
 * over rows; from 0 to 1. With few rows chance alone makes it greater. Source: Naeini, Cooper & Hauskrecht (2015).
 */
export function calibrationError(known: Calibration): number {
  const rows = known.reduce((sum, bin) => sum + bin.rows, 0);
  const missed = known.reduce((sum, bin) => sum + Math.abs(bin.sum - bin.positives), 0);
  return rows === 0 ? 1 : missed / rows;
}

/** A greater error of calibration on the hold-out, and nothing is estimated. */
export const mostCalibrationError = 0.05;

/** `undefined`: the model is not calibrated well enough, or the hold-out or the window has fewer than 200 rows. */
export function estimatePerformance(live: Probabilities, holdOut: Calibration): Estimate | undefined {
  const known = holdOut.reduce((sum, bin) => sum + bin.rows, 0);
  if (Math.min(known, live.rows) < leastLabels || calibrationError(holdOut) > mostCalibrationError) return undefined;
  return expectedPerformance(live);
}
