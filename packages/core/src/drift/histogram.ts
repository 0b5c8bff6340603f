import type { ColumnCounts, ReferenceColumn } from './reference.ts';

/** The reference and the live rows of a column side by side, as shares (0 to 1) of their rows with a value. */
export interface Histogram {
  /** `number`: the bounds of the bars, one more than there are bars. */
  readonly bounds?: readonly number[];
  /** `category`: what each bar stands for. */
  readonly values?: readonly string[];
  readonly reference: readonly number[];
  readonly live: readonly number[];
}

const bars = 24;
const valuesShown = 12;
/** Beyond these shares of the reference a bar takes in all the rest, so that one outlier does not squeeze the others. */
const tail = 0.005;

/**
 * What a person compares: bars of equal width for numbers, the most frequent values for categories.
 *
 * The bars of numbers are drawn from the cells, each spread evenly over its width, so a bar is right to about the share
 * of a cell (1/256). Nothing is decided on them. `undefined` for a column without cells, or without rows.
 */
export function histogramOf(column: ReferenceColumn, live: ColumnCounts): Histogram | undefined {
  const [before, now] = [sum(column.cells), sum(live.cells)];
  if (before === 0 || now === 0) return undefined;
  if (column.values !== undefined) return valuesOf(column.values, column.cells, live.cells);
  const { edges, numbers } = column;
  if (edges === undefined || numbers === undefined) return undefined;
  const walls = [numbers.min, ...edges.map((edge) => Math.min(Math.max(edge, numbers.min), numbers.max)), numbers.max];
  const bounds = boundsOf(walls, column.cells);
  // From the lowest double to the highest there is no width.
  if (!bounds.every(Number.isFinite)) return undefined;
  const spread = (cells: readonly number[]) => spreadOver(walls, cells, bounds).map((count) => count / sum(cells));
  return { bounds, reference: spread(column.cells), live: spread(live.cells) };
}

/** Equal widths over the middle of the reference; one bar where it has one value. */
function boundsOf(walls: readonly number[], cells: readonly number[]): readonly number[] {
  const all = sum(cells);
  const wallAt = (share: number): number => {
    let seen = 0;
    for (const [index, count] of cells.entries()) {
      if (seen + count > share * all) return walls[index] ?? 0;
      seen += count;
    }
    return walls.at(-1) ?? 0;
  };
  let high = walls.at(-1) ?? 0;
  let seen = 0;
  for (let index = cells.length - 1; index >= 0 && seen + (cells[index] ?? 0) <= tail * all; index -= 1) {
    seen += cells[index] ?? 0;
    high = walls[index] ?? high;
  }
  const low = wallAt(tail);
  if (!(high > low)) return [low, high];
  return Array.from({ length: bars + 1 }, (_, index) => low + (high - low) * (index / bars));
}

function spreadOver(walls: readonly number[], cells: readonly number[], bounds: readonly number[]): number[] {
  const [low = 0, high = 0] = [bounds[0], bounds.at(-1)];
  const counts = new Array<number>(bounds.length - 1).fill(0);
  const width = (high - low) / counts.length;
  const barOf = (value: number): number =>
    width > 0 ? Math.min(counts.length - 1, Math.max(0, Math.floor((value - low) / width))) : 0;
  for (const [index, count] of cells.entries()) {
    const [from = low, to = high] = [walls[index], walls[index + 1]];
    const [first, last] = [barOf(from), barOf(to)];
    if (first === last || !(to > from)) counts[last] = (counts[last] ?? 0) + count;
    else
      for (let bar = first; bar <= last; bar += 1) {
        const begin = bar === first ? from : low + bar * width;
        const end = bar === last ? to : low + (bar + 1) * width;
        counts[bar] = (counts[bar] ?? 0) + (count * (end - begin)) / (to - from);
      }
  }
  return counts;
}

function valuesOf(values: readonly string[], before: readonly number[], now: readonly number[]): Histogram {
  const share = (cells: readonly number[], index: number): number => (cells[index] ?? 0) / sum(cells);
  const largest = values
    .map((value, index) => ({ value, reference: share(before, index), live: share(now, index) }))
    .sort((one, other) => Math.max(other.reference, other.live) - Math.max(one.reference, one.live));
  const shown = largest.slice(0, valuesShown);
  const rest = largest.slice(valuesShown);
  const others = {
    value: 'other values',
    reference: sum(rest.map(({ reference }) => reference)) + share(before, values.length),
    live: sum(rest.map(({ live }) => live)) + share(now, values.length),
  };
  const unseen = {
    value: 'values not seen before',
    reference: share(before, values.length + 1),
    live: share(now, values.length + 1),
  };
  const rows = [...shown, ...[others, unseen].filter(({ reference, live }) => reference + live > 0)];
  return {
    values: rows.map(({ value }) => value),
    reference: rows.map(({ reference }) => reference),
    live: rows.map(({ live }) => live),
  };
}

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);
