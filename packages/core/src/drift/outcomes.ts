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
}

export const noOutcomes: Outcomes = { predictions: 0, labels: 0, lost: 0, losses: 0 };

export const addOutcomes = (one: Outcomes, other: Outcomes): Outcomes => ({
  predictions: one.predictions + other.predictions,
  labels: one.labels + other.labels,
  lost: one.lost + other.lost,
  losses: one.losses + other.losses,
});

/** With limits between which the true value is in 95 % of all cases. */
export interface Measured {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export const leastLabels = 200;
export const leastCoverage = 0.5;

/**
 * What lacks before anything is said of predictions: 200 labels, or labels for half of them. `undefined`: nothing.
 *
 * More predictions can bring labels. Where there are enough of them already, what lacks is coverage.
 */
export function lacksIn({ predictions, labels }: Outcomes): 'labels' | 'coverage' | undefined {
  if (labels >= leastCoverage * predictions && labels >= leastLabels) return undefined;
  return leastCoverage * predictions < leastLabels ? 'labels' : 'coverage';
}

/** The mean loss, which is the share of wrong predictions where labels say right or wrong. */
export const lossOf = ({ lost, labels }: Pick<Outcomes, 'lost' | 'labels'>): Measured => wilson(lost, labels);

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
