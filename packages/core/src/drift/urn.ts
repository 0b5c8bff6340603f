import { logRising } from '../base/log.ts';
import type { ColumnCounts, ReferenceColumn } from './reference.ts';

/**
 * The Polya urn of a column: what the counts of new rows are like, where nothing changed.
 *
 * Numbers. The edges are order statistics of the reference, so the probability of a cell is a sum of spacings of n
 * uniform numbers: the cells are Dirichlet with n_k of the n + 1 spacings in cell k (an edge is in the cell below it, so
 * the last cell has one spacing more than values). Given the past, new counts are then Dirichlet-multinomial with these
 * parameters, whatever the distribution, and each counted row adds 1 to its cell (Wilks, Mathematical Statistics, 1962,
 * 8.7). It holds exactly where rows are exchangeable and no two values are equal.
 *
 * It also holds for edges that a quantile sketch chose. A KLL compares values and flips coins. Of exchangeable rows
 * without ties, the order in which the values come is independent of the values once they are sorted, and comparisons
 * and coins depend on that order only. So the chosen ranks are independent of the sorted values: given the ranks, the
 * edges are order statistics of fixed rank. Counting all rows on them gives the ranks exactly. Cells that are merged by
 * their counts are merged by ranks, so the same holds for groups. It does not hold where rows drift while the reference
 * is read; then rows are not exchangeable, and there is no null to hold.
 *
 * Categories, numbers with ties, and numbers of one weekday, of which a cell may have none. No law holds for every share.
 * n_k + 1/K (Perks) is the predictive law of a Dirichlet prior of weight 1, so false alarms are bounded on average over
 * that prior. That they are rare for fixed shares is measured (decisions/0084). Unseen values get the number of values
 * that came once, which is Good and Turing's estimate of them: 1/n of it is their share (Good, Biometrika 40, 1953).
 */

export const mostGroups = 32;

/** Which group each cell is judged in. */
export interface Groups {
  readonly of: readonly number[];
  readonly count: number;
}

/** Decided by the counts of the reference only: at most 32 groups, whose evidence costs a tenth of 256 cells'. */
export function groupsOf({ kind, cells }: ReferenceColumn): Groups {
  if (kind === 'plain') return { of: [], count: 1 };
  if (cells.length <= mostGroups) return { of: cells.map((_, cell) => cell), count: cells.length };
  return kind === 'number' ? neighbours(cells) : largest(cells);
}

/** Neighbours of about equal mass. A cell that is heavier is a group of its own, so its mass is not mixed with others'. */
function neighbours(cells: readonly number[]): Groups {
  const rows = cells.reduce((sum, count) => sum + count, 0);
  // Two neighbours are together over the limit, so it ends at twice the equal share at the latest.
  for (let share = 1; ; share += 0.05) {
    const groups = packed(cells, (share * rows) / mostGroups);
    if (groups !== undefined) return groups;
  }
}

/** `undefined` where they are too many groups. Written by index, since it runs over every cell of every column. */
function packed(cells: readonly number[], limit: number): Groups | undefined {
  const of = new Array<number>(cells.length).fill(0);
  let [group, mass] = [0, 0];
  for (let cell = 0; cell < cells.length; cell += 1) {
    const count = cells[cell] ?? 0;
    if (cell > 0 && mass + count > limit) {
      group += 1;
      mass = 0;
    }
    if (group === mostGroups) return undefined;
    mass += count;
    of[cell] = group;
  }
  return { of, count: group + 1 };
}

/**
 * The 30 most frequent values; all others that the reference knows; the unseen. Which values come last in a list of the
 * most frequent depends on chance: each looks more frequent than it is, and what is not listed less. Together they do not.
 */
function largest(cells: readonly number[]): Groups {
  const listed = cells.slice(0, -2).map((count, cell) => ({ count, cell }));
  const first = listed.sort((one, other) => other.count - one.count || one.cell - other.cell).slice(0, mostGroups - 2);
  const of = new Array<number>(cells.length).fill(mostGroups - 2);
  for (const [group, { cell }] of first.entries()) of[cell] = group;
  of[cells.length - 1] = mostGroups - 1;
  return { of, count: mostGroups };
}

/** Rows by group, and then those without a value that the column can hold. Of `plain` columns all values are one group. */
export function grouped(groups: Groups, { rows, missing, mistyped, cells }: ColumnCounts): number[] {
  const sums = new Array<number>(groups.count + 1).fill(0);
  for (let cell = 0; cell < cells.length; cell += 1) {
    const group = groups.of[cell] ?? 0;
    sums[group] = (sums[group] ?? 0) + (cells[cell] ?? 0);
  }
  if (groups.of.length === 0) sums[0] = rows - missing - mistyped;
  sums[groups.count] = missing + mistyped;
  return sums;
}

/** An urn over the groups, and one of two cells: rows with a value, and rows without. */
export interface Urns {
  readonly values: Float64Array;
  readonly presence: Float64Array;
}

/**
 * The urn of the reference and what was learned since. `dispersion` divides all counts of rows: of rows that depend on
 * each other, so many count as one.
 */
export function urnsOf(
  column: ReferenceColumn,
  groups: Groups,
  given: { readonly counts: ColumnCounts; readonly learned: readonly number[]; readonly dispersion: number },
): Urns {
  const { counts, learned, dispersion } = given;
  const sums = grouped(groups, counts);
  const values = new Float64Array(groups.count);
  const hasSpacings = column.kind === 'number' && column.isContinuous === true && counts === column;
  const priorOf = (group: number): number => (hasSpacings ? Number(group === groups.count - 1) : 1 / groups.count);
  for (let group = 0; group < groups.count; group += 1)
    values[group] = ((sums[group] ?? 0) + (learned[group] ?? 0)) / dispersion + priorOf(group);
  if (column.kind === 'category') {
    const unseen = groups.count - 1;
    const share = column.rows === 0 ? 0 : counts.rows / column.rows;
    values[unseen] =
      (values[unseen] ?? 0) + (column.isWhole === true ? (column.singletons ?? 0) * share : 0) / dispersion;
  }
  const none = (sums[groups.count] ?? 0) + (learned[groups.count] ?? 0);
  let some = 0;
  for (let group = 0; group < groups.count; group += 1) some += (sums[group] ?? 0) + (learned[group] ?? 0);
  return { values, presence: Float64Array.of(some / dispersion + 0.5, none / dispersion + 0.5) };
}

/** The log probability of a sequence of rows with the counts y from the urn b: Dirichlet-multinomial, without the factor that counts orders. */
export function logUrn(b: Float64Array, y: ArrayLike<number>): number {
  let [log, balls, rows] = [0, 0, 0];
  for (let cell = 0; cell < b.length; cell += 1) {
    const [in_, count] = [b[cell] ?? 0, y[cell] ?? 0];
    balls += in_;
    rows += count;
    if (count > 0) log += logRising(in_, count);
  }
  return log - logRising(balls, rows);
}
