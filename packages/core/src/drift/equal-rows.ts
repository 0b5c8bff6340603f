import { chanceOfMore, type Share } from './noise.ts';
import type { DatasetProfile, RowSample } from './profile.ts';

/** What samples of rows by their hash say: of rows that came more than once, and of rows that two datasets share. */

/** A share, and between which limits it lies with all but certainty. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Limits are so many standard errors away: about one in 4,000 estimates lies beyond one of them. */
const errors = 3.5;

/**
 * The share of rows that are copies of another row.
 *
 * Each distinct row is in the sample with the probability pi = (below + 1) / 2^64. Two estimators follow. By counts: 1 - r,
 * with r = d / D, where d distinct rows of the sample came D times; its error is sqrt((1 - pi) sum (1 - r c)^2) / D, which
 * is small where copies are few. By the number of all rows: 1 - (d / pi) / N, whose error (d / pi) sqrt((1 - pi) / d) / N
 * holds for any counts. The first is blind to rows that came often and are not in the sample, so it is taken only where no
 * row of the sample came often, and where the second does not contradict it.
 */
export function duplicateShare({ rows, rowSample }: DatasetProfile): Estimate {
  const distinct = rowSample.rows.length;
  if (rows === 0 || distinct === 0) return { value: 0, low: 0, high: 0 };
  const pi = inclusion(rowSample);
  const all = distinct / pi;
  const byRows = around(1 - all / rows, (all / rows) * Math.sqrt((1 - pi) / distinct));
  if (rowSample.rows.some(([, count]) => count > often)) return byRows;
  const sampled = rowSample.rows.reduce((sum, [, count]) => sum + count, 0);
  const ratio = distinct / sampled;
  const squares = rowSample.rows.reduce((sum, [, count]) => sum + (1 - ratio * count) ** 2, 0);
  const byCounts = around(1 - ratio, Math.sqrt((1 - pi) * squares) / sampled);
  const [low, high] = [Math.max(byCounts.low, byRows.low), Math.min(byCounts.high, byRows.high)];
  return low > high ? byRows : { value: Math.min(high, Math.max(low, byCounts.value)), low, high };
}

const often = 16;

const around = (value: number, error: number): Estimate => ({
  value: clamp(value),
  low: clamp(value - errors * error),
  high: clamp(value + errors * error),
});
const clamp = (share: number): number => Math.min(1, Math.max(0, share));

const inclusion = ({ below }: Pick<RowSample, 'below'>): number => Math.min(1, (Number(`0x${below}`) + 1) / 2 ** 64);

/** Distinct rows of the hold-out that training has as well, of those that both samples would have. */
export interface Leak extends Share {
  /** All rows of both were looked at. */
  readonly isWhole: boolean;
}

type Sampled = Pick<DatasetProfile, 'rowSample'>;

/** How many rows of the hold-out are rows of training; that hashes of 64 bits are equal by chance plays no part. */
export function leakOf(train: Sampled, holdout: Sampled): Leak {
  const [below = ''] = [train.rowSample.below, holdout.rowSample.below].sort();
  const known = new Set(train.rowSample.rows.map(([hash]) => hash));
  const looked = holdout.rowSample.rows.filter(([hash]) => hash <= below);
  return {
    count: looked.filter(([hash]) => known.has(hash)).length,
    of: looked.length,
    isWhole: inclusion({ below }) === 1,
  };
}

/** The leak is over a share, whatever rows the sample chose. */
export function leaksOver(leak: Leak, share: number): boolean {
  if (leak.of === 0 || leak.count / leak.of <= share) return false;
  // A share that is known is that of endless rows.
  return leak.isWhole || chanceOfMore(leak, { count: share * 1e12, of: 1e12 }) < 0.001;
}
