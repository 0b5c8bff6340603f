import type { ColumnCounts, ColumnKind } from './reference.ts';
import { sum } from './tilts.ts';

/** Counts by group, and the last for rows without a value, of a window and of the reference that it is compared with. */
export interface Pair {
  readonly live: readonly number[];
  readonly reference: readonly number[];
}

/** How large a change is: shares of rows, -1 to 1. */
export interface Size {
  /** Of numbers the Kolmogorov-Smirnov distance, of categories the largest change of a share; 0 for others. */
  readonly size: number;
  /** Live share without a value less that of the reference. */
  readonly missingChange: number;
  readonly unseenChange: number;
}

/** Fewer rows do not say how large a change is: by chance alone, 500 rows of numbers are 0.04 apart. */
const enoughRows = 500;
/** The windows that are pooled. A change that is sudden is largest in the last one. */
const pools: readonly number[] = [1, 3, 7];
export const mostPooled = 7;

/**
 * The largest change over the pooled counts of the last 1, 3 and 7 windows that have at least 500 rows; of all of them
 * where none has. `windows` are by group, oldest first; `latest` is the last one in all cells.
 *
 * Each window is compared with what the reference of its own weekday expects of as many rows.
 */
export function largestSize(kind: ColumnKind, latest: Pair, windows: readonly Pair[]): Size {
  const pooled = [sized(kind, added(undefined, latest))];
  let pool = added(undefined, windows.at(-1) ?? latest);
  for (let count = 2; count <= windows.length; count += 1) {
    pool = added(pool, windows[windows.length - count] ?? latest);
    if (pools.includes(count) || count === windows.length) pooled.push(sized(kind, pool));
  }
  return {
    size: furthest(pooled.map(({ rows, size }) => ({ rows, value: size }))),
    missingChange: furthest(pooled.map(({ all, missingChange }) => ({ rows: all, value: missingChange }))),
    unseenChange: furthest(pooled.map(({ rows, unseenChange }) => ({ rows, value: unseenChange }))),
  };
}

/** How far the rows of one group are from those of another, whatever their number. */
export const sizeOf = (kind: ColumnKind, pair: Pair): Size => sized(kind, added(undefined, pair));

/** The value furthest from 0 among those with enough rows; else that of the most windows. */
function furthest(values: readonly { readonly rows: number; readonly value: number }[]): number {
  const enough = values.filter(({ rows }) => rows >= enoughRows);
  const counted = enough.length > 0 ? enough : values.slice(-1);
  return counted.reduce((most, { value }) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
}

/** Live counts less those expected, by group, over some windows. `rows`: those with a value. */
interface Pool {
  readonly rows: number;
  readonly all: number;
  readonly change: Float64Array;
}

function added(pool: Pool | undefined, { live, reference }: Pair): Pool {
  const last = live.length - 1;
  const [liveAll, referenceAll] = [sum(live), sum(reference)];
  const [liveRows, referenceRows] = [liveAll - (live[last] ?? 0), referenceAll - (reference[last] ?? 0)];
  const change = pool?.change ?? new Float64Array(last + 1);
  const share = referenceRows === 0 ? 0 : liveRows / referenceRows;
  for (let group = 0; group < last; group += 1)
    change[group] = (change[group] ?? 0) + (live[group] ?? 0) - (reference[group] ?? 0) * share;
  const expected = referenceAll === 0 ? 0 : ((reference[last] ?? 0) * liveAll) / referenceAll;
  change[last] = (change[last] ?? 0) + (live[last] ?? 0) - expected;
  return { rows: (pool?.rows ?? 0) + liveRows, all: (pool?.all ?? 0) + liveAll, change };
}

function sized(kind: ColumnKind, { rows, all, change }: Pool): Size & { readonly rows: number; readonly all: number } {
  const last = change.length - 1;
  const distance = kind === 'number' ? largestGap(change.subarray(0, last)) : largestOf(change.subarray(0, last));
  return {
    rows,
    all,
    size: rows === 0 || kind === 'plain' ? 0 : distance / rows,
    missingChange: all === 0 ? 0 : (change[last] ?? 0) / all,
    unseenChange: rows === 0 || kind !== 'category' ? 0 : (change[last - 1] ?? 0) / rows,
  };
}

/** Kolmogorov-Smirnov on the edges, in rows. A loop, as it runs for each column and pool of a window. */
function largestGap(change: Float64Array): number {
  let [total, most] = [0, 0];
  for (let cell = 0; cell < change.length; cell += 1) {
    total += change[cell] ?? 0;
    most = Math.max(most, Math.abs(total));
  }
  return most;
}

/** L-infinity, in rows. */
function largestOf(change: Float64Array): number {
  let most = 0;
  for (let cell = 0; cell < change.length; cell += 1) most = Math.max(most, Math.abs(change[cell] ?? 0));
  return most;
}

/** All cells of a column, each as a group. */
export const ungrouped = ({ cells, missing, mistyped }: ColumnCounts): number[] => [...cells, missing + mistyped];
