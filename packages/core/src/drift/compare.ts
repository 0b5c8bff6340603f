import { adjusted, kolmogorovOfTwo, type Part, twoProportions } from './laws.ts';
import type { ColumnCounts, ColumnKind, Reference, ReferenceColumn, WindowCounts } from './reference.ts';
import {
  type Counts,
  chiSquare,
  earthMovers,
  type JensenShannon,
  jensenShannon,
  kolmogorovDistance,
  largestDifference,
  robustDistance,
  robustFactor,
  type Stability,
  stabilityIndex,
  total,
} from './statistics.ts';

/** A share of rows before and now, from 0 to 1, and the p-value of the difference (two proportions). */
export interface Change {
  readonly before: number;
  readonly now: number;
  readonly p: number;
}

/** One column of live rows beside its reference: plain JSON, numbers only, no `NaN`. */
export interface ColumnComparison {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Rows with a value that is in a cell. */
  readonly values: { readonly before: number; readonly now: number };
  /** Absent for `plain`. */
  readonly distribution?: Distribution;
  /** No value, of all rows. */
  readonly missing: Change;
  /** A value of another type than the column's, of the rows that have a value. */
  readonly mistyped: Change;
  /** `number`: beyond the reference's least and greatest value, of the rows in a cell. */
  readonly outside?: Change;
  /**
   * `category`: a value that the reference does not know, of the rows in a cell. `before` is the share that was still unseen
   * in the reference: its values that came once, as each of them is unseen by all other rows (Good & Turing).
   */
  readonly unseen?: Change;
}

export interface Distribution {
  /** The greatest distance of the two distribution functions (numbers), or of the shares of one category; from 0 to 1. */
  readonly size: number;
  /** `size` without what chance explains at level 0.01. */
  readonly robust: number;
  /** Of the Kolmogorov-Smirnov distance (numbers; too great where many rows are equal), or of chi-square. */
  readonly p: number;
  /** On up to 10 cells of about the same number of reference rows (numbers), or on the categories that came. */
  readonly psi: Stability;
  /** On the cells of `psi`. */
  readonly js: JensenShannon;
  /** `number`: in standard deviations of the reference; absent for a constant one. */
  readonly wasserstein?: number;
}

/** At this level differences are shown and found. */
const level = 0.01;

/** What a report or a page shows of one column. With no rows on one side all distances are 0 and all p are 1. */
export function compareColumn(reference: ReferenceColumn, live: ColumnCounts): ColumnComparison {
  const { name, kind } = reference;
  const [before, now] = [total(reference.cells), total(live.cells)];
  return {
    name,
    kind,
    values: { before, now },
    ...(kind === 'plain' ? {} : { distribution: distributionOf(reference, live.cells) }),
    missing: change({ hits: reference.missing, rows: reference.rows }, { hits: live.missing, rows: live.rows }),
    mistyped: change(
      { hits: reference.mistyped, rows: reference.rows - reference.missing },
      { hits: live.mistyped, rows: live.rows - live.missing },
    ),
    ...(kind === 'number' ? { outside: outsideOf(reference, live) } : {}),
    ...(kind === 'category' ? { unseen: unseenOf(reference, live) } : {}),
  };
}

const shareOf = ({ hits, rows }: Part): number => (rows === 0 ? 0 : hits / rows);

const change = (before: Part, now: Part): Change => ({
  before: shareOf(before),
  now: shareOf(now),
  p: twoProportions(before, now).p,
});

/**
 * No reference row is outside its own range, so its share says nothing. Of the law of rows beyond two order statistics
 * (negative hypergeometric) the tail is that of Fisher's test with one hit in the reference.
 */
function outsideOf(reference: ReferenceColumn, live: ColumnCounts): Change {
  const rows = total(reference.cells);
  const now = { hits: live.outside, rows: total(live.cells) };
  const known = { hits: Math.min(rows, Math.max(1, reference.outside)), rows };
  return { ...change({ hits: reference.outside, rows }, now), p: now.hits === 0 ? 1 : twoProportions(known, now).p };
}

function unseenOf({ cells, singletons = 0 }: ReferenceColumn, live: ColumnCounts): Change {
  const rows = total(cells);
  return change({ hits: Math.min(singletons, rows), rows }, { hits: live.cells.at(-1) ?? 0, rows: total(live.cells) });
}

function distributionOf(reference: ReferenceColumn, live: Counts): Distribution {
  const { kind, cells } = reference;
  const [n, m] = [total(cells), total(live)];
  const isNumber = kind === 'number';
  const [known, counted] = inUse(...(isNumber ? tenths(cells, live) : ([cells, live] as const)));
  const size = isNumber ? kolmogorovDistance(cells, live) : largestDifference(cells, live);
  const wasserstein = isNumber ? earthMovers(cells, live, rangeOf(reference)) : undefined;
  return {
    size,
    robust: robustDistance(size, n, m, robustFactor(level)),
    p: isNumber ? kolmogorovOfTwo(size, n, m) : chiSquare(cells, live).p,
    psi: stabilityIndex(known, counted, level),
    js: jensenShannon(known, counted),
    ...(wasserstein === undefined ? {} : { wasserstein }),
  };
}

const rangeOf = ({ edges = [], numbers }: ReferenceColumn) => ({
  edges,
  last: Math.max(edges.at(-1) ?? 0, numbers?.max ?? 0),
  deviation: numbers?.deviation ?? 0,
});

/** Neighbouring cells together, into 10 at most, by where their middle row is among those of the reference. */
function tenths(a: Counts, b: Counts): readonly [Counts, Counts] {
  const n = total(a);
  const [ours, theirs, last] = [[] as number[], [] as number[], { tenth: -1 }];
  let below = 0;
  a.forEach((count, cell) => {
    const tenth = n === 0 ? 0 : Math.min(9, Math.floor((10 * (below + count / 2)) / n));
    below += count;
    if (tenth !== last.tenth) {
      ours.push(0);
      theirs.push(0);
    }
    last.tenth = tenth;
    ours[ours.length - 1] = (ours.at(-1) ?? 0) + count;
    theirs[theirs.length - 1] = (theirs.at(-1) ?? 0) + (b[cell] ?? 0);
  });
  return [ours, theirs];
}

/** Without the cells that are empty on both sides. */
function inUse(a: Counts, b: Counts): readonly [Counts, Counts] {
  const isUsed = (_: number, cell: number) => (a[cell] ?? 0) + (b[cell] ?? 0) > 0;
  return [a.filter(isUsed), b.filter(isUsed)];
}

export const checks = ['distribution', 'missing', 'mistyped', 'outside', 'unseen'] as const;
export type Check = (typeof checks)[number];

/** A difference that is no chance, and that is not small. */
export interface Finding {
  readonly column: string;
  readonly check: Check;
  /** As it is after the choice among all columns and checks. */
  readonly p: number;
  /** The robust distance (distribution), else by how much the share of rows changed. */
  readonly size: number;
  readonly isMajor: boolean;
}

export interface DatasetComparison {
  readonly columns: readonly ColumnComparison[];
  /** The greatest first. */
  readonly findings: readonly Finding[];
}

export interface Limits {
  /** At most this share of findings is false. */
  readonly q: number;
  /** From this distance on a distribution is a finding, and a major one. */
  readonly notice: number;
  readonly major: number;
  /** More than this change of a share is a finding. */
  readonly change: number;
}

export const usualLimits: Limits = { q: 0.01, notice: 0.03, major: 0.1, change: 0.01 };

/**
 * Compares two datasets once: counts of the new one on the cells of the old one's reference, in the order of its columns.
 *
 * A finding has both: its p is at most `q` among all columns and checks, and what is left of its size without chance is at
 * least `notice`. A share of rows (missing, mistyped, outside, unseen) has to change by more than `change`. Whoever looks
 * every day needs the detector instead: p-values do not bear looking again and again.
 */
export function compareDatasets(
  reference: Reference,
  counts: WindowCounts,
  limits: Limits = usualLimits,
): DatasetComparison {
  const columns = reference.columns.flatMap((column, at) => {
    const live = counts.columns[at];
    return live === undefined ? [] : [compareColumn(column, live)];
  });
  const asked = columns.flatMap((column) => checks.flatMap((check) => askedOf(column, check, limits)));
  const ps = adjusted(asked.map(({ p }) => p));
  const findings = asked
    .map((one, at) => ({ ...one, p: ps[at] ?? 1 }))
    .filter(({ p, isEnough }) => p <= limits.q && isEnough)
    .map(({ isEnough: _, ...finding }) => finding)
    .sort((left, right) => right.size - left.size);
  return { columns, findings };
}

function askedOf(
  column: ColumnComparison,
  check: Check,
  limits: Limits,
): readonly (Finding & { readonly isEnough: boolean })[] {
  const of = { column: column.name, check };
  if (check === 'distribution') {
    const { robust: size, p } = column.distribution ?? { robust: 0, p: undefined };
    return p === undefined ? [] : [{ ...of, p, size, isMajor: size >= limits.major, isEnough: size >= limits.notice }];
  }
  const found = column[check];
  if (found === undefined) return [];
  const size = Math.abs(found.now - found.before);
  return [{ ...of, p: found.p, size, isMajor: size >= limits.major, isEnough: size > limits.change }];
}
