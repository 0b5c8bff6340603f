import { logMean, logSum, turningPoint } from '../base/log.ts';

/**
 * An e-detector of a mean loss above a limit: one sum of bets per stake (Shiryaev-Roberts), as logarithms.
 *
 * H0: each loss, in [0, 1], has a mean of at most `limit` given what came before. A bet on one loss multiplies by
 * 1 + stake (loss - limit), with a fixed stake in (0, 1 / (2 limit)]: never below 1/2, and 1 or less on average under H0.
 * Each window R = (1 + R) times the bets of its losses, which is all bets that began with this window or an earlier one;
 * so under H0 R grows by 1 a window at most on average, and the mean over stakes too. Reaching A takes A windows or more
 * on average, whenever one looks and in whatever order labels come. A change is found however late it comes, as the bets
 * that began with it are in the sum; a stake that learns from a long good past would be near 0 by then.
 *
 * Condition: whether a label comes, and when, does not depend on the loss. Labels that come sooner for failures look like
 * worse predictions, which is why nothing is said below a coverage of 50 %.
 *
 * Sources: Shin, Ramdas & Rinaldo (2022), "E-detectors"; Waudby-Smith & Ramdas (2010.09686), bets on a bounded mean;
 * stakes half as great each, from the greatest one on, as a mixture.
 */
export interface LossEvidence {
  /** By stake; none before the first window. */
  readonly logs: readonly number[];
}

export const noLosses: LossEvidence = { logs: [] };

/** From half of what may be lost down to what finds 1 point of a limit of 50 %. */
const stakes = [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64];

/** A window begins: any number of labels that came together. Each may be the one since which predictions are worse. */
export const withWindow = ({ logs }: LossEvidence): LossEvidence => ({
  logs: stakes.map((_, at) => logSum([0, logs[at] ?? Number.NEGATIVE_INFINITY])),
});

/**
 * One more loss of the window that began last, or `times` equal ones. `limit` may change with the model, not with the losses.
 */
export const withLoss = ({ logs }: LossEvidence, loss: number, limit: number, times = 1): LossEvidence => ({
  logs: logs.map((log, at) => log + times * Math.log1p((stakes[at] ?? 0) * bet(loss, limit))),
});

function bet(loss: number, limit: number): number {
  const bounded = Math.min(1, Math.max(0, loss));
  const above = Math.max(limit, 1e-9);
  return (bounded - above) / (2 * above);
}

/** ln R: predictions are worse where it is at least ln A, A being the windows between two false alarms. */
export const logWorse = ({ logs }: LossEvidence): number =>
  logs.length === 0 ? Number.NEGATIVE_INFINITY : logMean(logs);

export const isWorse = (evidence: LossEvidence, windows = 365): boolean => logWorse(evidence) >= Math.log(windows);

/**
 * The mean loss that is not yet worse: the upper limit of what it was on the reference (95 %), and a tolerance; at most 1.
 * It holds for any losses in [0, 1], and is near that of Clopper & Pearson for right and wrong.
 * Source: the bound of Chernoff and Hoeffding, n kl(mean, limit) <= ln 20 (Hoeffding 1963, theorem 1).
 */
export function lossLimit(reference: { readonly sum: number; readonly labels: number }, tolerance = 0.02): number {
  if (reference.labels === 0) return 1;
  const mean = Math.min(1, Math.max(0, reference.sum / reference.labels));
  const inside = (limit: number) => Math.log(20) - reference.labels * divergence(mean, limit);
  return Math.min(1, turningPoint(mean, 1, inside) + tolerance);
}

/** Kullback-Leibler, of right and wrong. */
const divergence = (p: number, q: number): number => part(p, q) + part(1 - p, 1 - q);
const part = (p: number, q: number): number => (p === 0 ? 0 : p * Math.log(p / q));
