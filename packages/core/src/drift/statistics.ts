import { chiSquareLimit, chiSquareTail, twoProportions } from './laws.ts';

/**
 * How far the counts of live rows are from those of the reference, cell by cell (a: n reference rows, b: m live rows, in
 * K cells). All are plain numbers without a unit, 0 where nothing differs, and 0 where one side has no rows: then nothing
 * is known. Never `NaN`, never infinite.
 */

export type Counts = readonly number[];

export const total = (counts: Counts): number => counts.reduce((sum, count) => sum + count, 0);

/** 1/n + 1/m: how much two samples differ by chance. 0 where one is empty. */
const chanceOf = (n: number, m: number): number => (n === 0 || m === 0 ? 0 : 1 / n + 1 / m);

export interface Stability {
  readonly value: number;
  /** Less what it is on average without any drift, (K-1)(1/n + 1/m); below 0 in half of all windows without drift. */
  readonly corrected: number;
  /** What it exceeds with probability `alpha` without drift: the chi-square limit with K - 1 degrees, times (1/n + 1/m). */
  readonly critical: number;
}

/**
 * The population stability index: sum (q - p) ln(q/p) with p = (a + 1/2) / (n + K/2) and q alike (Jeffreys), so that it is
 * finite with empty cells too. The rule of thumb "0.1, 0.25" knows nothing of n and m: compare with `critical`.
 * Source: its law without drift is that of a scaled chi-square (Yurdakul & Naranjo 2020).
 */
export function stabilityIndex(a: Counts, b: Counts, alpha = 0.01): Stability {
  const [n, m, k] = [total(a), total(b), a.length];
  if (n === 0 || m === 0) return { value: 0, corrected: 0, critical: 0 };
  let value = 0;
  for (let cell = 0; cell < k; cell += 1) {
    const [p, q] = [((a[cell] ?? 0) + 0.5) / (n + k / 2), ((b[cell] ?? 0) + 0.5) / (m + k / 2)];
    value += (q - p) * Math.log(q / p);
  }
  const chance = chanceOf(n, m);
  return { value, corrected: value - (k - 1) * chance, critical: chiSquareLimit(alpha, k - 1) * chance };
}

export interface JensenShannon {
  /** The square root of the divergence, base 2: from 0 to 1 (no cell in common). */
  readonly distance: number;
  /** The divergence (the square of `distance`) less what it is on average without drift, (K-1)(1/n + 1/m) / (8 ln 2). */
  readonly excess: number;
}

/**
 * Jensen-Shannon, base 2: half the two divergences of p and q to their mean, and the square root of it. A cell that only
 * one side has counts as it is. Source: Lin (1991); Endres & Schindelin (2003) for the distance.
 */
export function jensenShannon(a: Counts, b: Counts): JensenShannon {
  const [n, m] = [total(a), total(b)];
  if (n === 0 || m === 0) return { distance: 0, excess: 0 };
  let sum = 0;
  for (let cell = 0; cell < a.length; cell += 1) {
    const [p, q] = [(a[cell] ?? 0) / n, (b[cell] ?? 0) / m];
    const mean = (p + q) / 2;
    if (p > 0) sum += (p * Math.log2(p / mean)) / 2;
    if (q > 0) sum += (q * Math.log2(q / mean)) / 2;
  }
  const divergence = Math.max(0, sum);
  const chance = ((a.length - 1) * chanceOf(n, m)) / (8 * Math.LN2);
  return { distance: Math.sqrt(divergence), excess: divergence - chance };
}

/** max |p - q| over cells: how many points one category won or lost, from 0 to 1. */
export function largestDifference(a: Counts, b: Counts): number {
  const [n, m] = [total(a), total(b)];
  if (n === 0 || m === 0) return 0;
  let most = 0;
  a.forEach((count, cell) => {
    most = Math.max(most, Math.abs(count / n - (b[cell] ?? 0) / m));
  });
  return most;
}

/**
 * max |F - G| over the edges between cells in their order (Kolmogorov-Smirnov), from 0 to 1. Between edges the two may be
 * farther apart; exact where every value that came is an edge.
 */
export const kolmogorovDistance = (a: Counts, b: Counts): number =>
  Math.max(0, ...gaps(a, b).map((gap) => Math.abs(gap)));

/** F - G at each edge: behind each cell but the last. */
function gaps(a: Counts, b: Counts): readonly number[] {
  const [n, m] = [total(a), total(b)];
  if (n === 0 || m === 0) return [];
  let [below, belowLive] = [0, 0];
  return a.slice(0, -1).map((count, cell) => {
    below += count;
    belowLive += b[cell] ?? 0;
    return below / n - belowLive / m;
  });
}

/**
 * The distance of earth mover, in standard deviations of the reference: the integral of |F - G| / deviation, in which each
 * row lies at the upper edge of its cell, and the rows of the last cell at `last` (the reference's greatest). So it is
 * exact where every value that came is an edge, else about as exact as the cells are narrow, and what lies outside the
 * reference counts as lying at its end. `undefined` for a reference with one value: its constant is broken or is not.
 */
export function earthMovers(
  a: Counts,
  b: Counts,
  { edges, last, deviation }: { readonly edges: readonly number[]; readonly last: number; readonly deviation: number },
): number | undefined {
  if (!(deviation > 0)) return undefined;
  let sum = 0;
  gaps(a, b).forEach((gap, cell) => {
    const [from, to] = [edges[cell] ?? last, edges[cell + 1] ?? last];
    sum += Math.abs(gap) * Math.max(0, to - from);
  });
  return sum / deviation;
}

/** c in `robustDistance`: two samples differ by more than c sqrt((n+m)/(nm)) with probability alpha, about. */
export const robustFactor = (alpha: number): number => Math.sqrt(-Math.log(alpha / 2) / 2);

/** What SageMaker's `Robust` takes for c, whatever the number of rows. Source: awslabs/deequ, `Distance.scala`. */
export const sagemakerFactor = 1.8;

/** What of a distance is left without what chance explains: max(0, D - c sqrt((n+m)/(nm))). */
export const robustDistance = (distance: number, n: number, m: number, factor: number): number =>
  Math.max(0, distance - factor * Math.sqrt(chanceOf(n, m)));

export interface ChiSquare {
  readonly statistic: number;
  readonly degrees: number;
  readonly p: number;
}

/**
 * The chi-square test of two samples in 2 x K cells, without Yates' correction: sum (observed - expected)^2 / expected with
 * the shares of both together, so that the reference may be small as well.
 *
 * Cells that are empty on both sides are dropped. Those of which one side expects fewer than 5 are merged, rarest first, into
 * cells that expect 5. Two cells of which one is still rare are judged by Fisher's exact test; one cell is no difference:
 * statistic 0, p = 1. Source: Pearson; Cochran (1954) for the 5.
 */
export function chiSquare(a: Counts, b: Counts): ChiSquare {
  const [n, m] = [total(a), total(b)];
  const cells = n === 0 || m === 0 ? [] : merged(pairsOf(a, b), Math.min(n, m) / (n + m));
  const [first, second] = cells;
  if (first === undefined || second === undefined) return { statistic: 0, degrees: 0, p: 1 };
  let statistic = 0;
  for (const [ours, theirs] of cells) {
    const both = ours + theirs;
    statistic += (n * m * (ours / n - theirs / m) ** 2) / both;
  }
  const degrees = cells.length - 1;
  if (degrees > 1) return { statistic, degrees, p: chiSquareTail(statistic, degrees) };
  const { p } = twoProportions({ hits: first[0], rows: n }, { hits: first[1], rows: m });
  return { statistic, degrees, p };
}

type Pair = readonly [ours: number, theirs: number];
const sizeOf = ([ours, theirs]: Pair): number => ours + theirs;

const pairsOf = (a: Counts, b: Counts): readonly Pair[] =>
  a.map((count, cell): Pair => [count, b[cell] ?? 0]).filter((pair) => sizeOf(pair) > 0);

const plus = (left: Pair, right: Pair): Pair => [left[0] + right[0], left[1] + right[1]];

/**
 * By the sums of both sides alone, so that what is merged says nothing about the difference. `share`: of the smaller side in
 * all rows; times the rows of a cell, it is what that side expects there.
 */
function merged(pairs: readonly Pair[], share: number): readonly Pair[] {
  const isRare = (pair: Pair) => sizeOf(pair) * share < 5;
  const byRows = [...pairs].sort((left, right) => sizeOf(left) - sizeOf(right));
  const largest = byRows.pop() ?? [0, 0];
  const cells: Pair[] = [];
  let rest: Pair = [0, 0];
  for (const pair of byRows) {
    rest = plus(rest, pair);
    if (isRare(rest)) continue;
    cells.push(rest);
    rest = [0, 0];
  }
  // With one cell beside it, the largest stays alone: two cells can be judged however rare they are.
  if (isRare(largest) && cells.length > 1) rest = plus(rest, largest);
  else if (sizeOf(largest) > 0) cells.unshift(largest);
  if (sizeOf(rest) > 0) cells.push(plus(cells.length > 1 ? (cells.pop() ?? [0, 0]) : [0, 0], rest));
  return cells;
}
