import type { Label, LabelCounts } from './by-label.ts';
import type { Reference, ReferenceColumn } from './reference.ts';

/**
 * Whether one feature alone says the label: then it is most likely the label itself, or was measured after it. Of counts
 * by cell and by class, which are exact; the cells of numbers are in their order, those of categories in any.
 */

/** From these on a feature is too good to be true. */
export const tooGood = { auc: 0.98, r2: 0.98, missingAuc: 0.95 } as const;

/**
 * The area under the curve of a feature that ranks its cells best: numbers in their order or against it, categories by
 * the share of the class. Ties within a cell count half. 1/2 where a class has no rows: nothing is known then.
 */
export function aucAlone(positive: readonly number[], negative: readonly number[], isOrdered: boolean): number {
  const cells = positive.map((count, cell) => [count, negative[cell] ?? 0] as const);
  const ranked = isOrdered ? cells : cells.toSorted(([a, b], [c, d]) => a * d - c * b);
  const auc = areaOf(ranked);
  return Math.max(auc, 1 - auc);
}

/** That a row of the one class lies in a later cell than one of the other, ties half. */
function areaOf(cells: readonly (readonly [positive: number, negative: number])[]): number {
  let [won, negatives, positives] = [0, 0, 0];
  for (const [positive, negative] of cells) {
    won += positive * (negatives + negative / 2);
    negatives += negative;
    positives += positive;
  }
  return positives === 0 || negatives === 0 ? 0.5 : won / positives / negatives;
}

/** The same for whether a value is missing: the best of the two ways round. */
export const missingAuc = (
  positive: { readonly missing: number; readonly rows: number },
  negative: { readonly missing: number; readonly rows: number },
): number =>
  aucAlone(
    [positive.missing, positive.rows - positive.missing],
    [negative.missing, negative.rows - negative.missing],
    false,
  );

/**
 * The share of the variance of a label that is a number which the cells of a feature explain: between them, of all
 * (eta squared). By cell: how many labels, their mean, and the sum of squares about it.
 */
export function r2Alone(
  cells: readonly { readonly count: number; readonly mean: number; readonly m2: number }[],
): number {
  const count = cells.reduce((sum, cell) => sum + cell.count, 0);
  const mean = cells.reduce((sum, cell) => sum + cell.count * cell.mean, 0) / count;
  const between = cells.reduce((sum, cell) => sum + cell.count * (cell.mean - mean) ** 2, 0);
  const within = cells.reduce((sum, cell) => sum + cell.m2, 0);
  return between + within > 0 ? between / (between + within) : 0;
}

/** What a column alone tells of the label. */
export interface Alone {
  /** Of a label of classes: the best of all classes against the rest, and that of whether there is a value. */
  readonly auc?: number;
  readonly missingAuc?: number;
  /** The classes of the two. */
  readonly class?: string;
  readonly missingClass?: string;
  /** Of a label that is a number. */
  readonly r2?: number;
}

/** Fewer rows say nothing: of a class, and of the labels in a cell. */
const fewestRows = 20;

/** By column, in the order of the reference. */
export function aloneOf({ columns }: Reference, counts: LabelCounts, label: Label): readonly Alone[] {
  return columns.map((column, at): Alone => {
    if (column.name === label.column) return {};
    const its = counts.columns[at] ?? [];
    return label.kind === 'number' ? r2Of(column, its) : bestOf(column, its, label.classes);
  });
}

function bestOf(column: ReferenceColumn, byClass: readonly (readonly number[])[], classes: readonly string[]): Alone {
  const all = sumsOf(byClass);
  let best: Alone = {};
  for (const [at, name] of classes.entries()) {
    const its = byClass[at] ?? [];
    const rest = all.map((count, cell) => count - (its[cell] ?? 0));
    const auc = aucOf(column, its, rest);
    if (auc !== undefined && auc > (best.auc ?? 0)) best = { ...best, auc, class: name };
    const missing = missingOf(its, rest);
    if (missing !== undefined && missing > (best.missingAuc ?? 0))
      best = { ...best, missingAuc: missing, missingClass: name };
  }
  return best;
}

const sumsOf = (lists: readonly (readonly number[])[]): readonly number[] =>
  (lists[0] ?? []).map((_, cell) => lists.reduce((sum, list) => sum + (list[cell] ?? 0), 0));
const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** Among rows that have a value. Categories of few rows are taken together: each would be ranked by chance. */
function aucOf({ kind }: ReferenceColumn, its: readonly number[], rest: readonly number[]): number | undefined {
  const [one, other] = [its.slice(0, -1), rest.slice(0, -1)];
  if (kind === 'plain' || sum(one) < fewestRows || sum(other) < fewestRows) return undefined;
  if (kind === 'number') return aucAlone(one, other, true);
  const pooled = pool(one.map((count, cell) => [count, other[cell] ?? 0]));
  return aucAlone(
    pooled.map(([count = 0]) => count),
    pooled.map(([, count = 0]) => count),
    false,
  );
}

function missingOf(its: readonly number[], rest: readonly number[]): number | undefined {
  const sides = [its, rest].map((counts) => ({ missing: counts.at(-1) ?? 0, rows: sum(counts) }));
  const [one, other] = sides;
  if (one === undefined || other === undefined || Math.min(one.rows, other.rows) < fewestRows) return undefined;
  return missingAuc(one, other);
}

/** Cells of few rows as one. */
function pool(cells: readonly (readonly number[])[], rowsOf: (cell: readonly number[]) => number = sum): number[][] {
  const rest = cells.filter((cell) => rowsOf(cell) < fewestRows);
  const large = cells.filter((cell) => rowsOf(cell) >= fewestRows);
  return [...large, sumsOf(rest)].filter((cell) => cell.length > 0).map((cell) => [...cell]);
}

/** Rows without a value are a cell as well. Neighbours are taken together until they have enough rows to have a mean. */
function r2Of({ kind }: ReferenceColumn, [rows = [], sums = [], squares = []]: readonly (readonly number[])[]): Alone {
  if (kind === 'plain' || sum(rows) < 10 * fewestRows) return {};
  const cells = rows.map((count, cell) => [count, sums[cell] ?? 0, squares[cell] ?? 0]);
  const merged = kind === 'number' ? neighbours(cells) : pool(cells, ([count = 0]) => count);
  return { r2: r2Alone(merged.flatMap(momentsOf)) };
}

function neighbours(cells: readonly (readonly number[])[]): number[][] {
  const merged: number[][] = [];
  let open: number[] = [0, 0, 0];
  for (const cell of cells) {
    open = open.map((sum, at) => sum + (cell[at] ?? 0));
    if ((open[0] ?? 0) < fewestRows) continue;
    merged.push(open);
    open = [0, 0, 0];
  }
  const last = merged.pop() ?? [0, 0, 0];
  return [...merged, last.map((sum, at) => sum + (open[at] ?? 0))];
}

const momentsOf = ([count = 0, total = 0, squares = 0]: readonly number[]) =>
  count === 0 ? [] : [{ count, mean: total / count, m2: Math.max(0, squares - (total * total) / count) }];
