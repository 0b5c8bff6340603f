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
