import { day as dayMs } from '@serin/core/base/time';
import { withCounts } from '@serin/core/drift/cells';
import { withDays } from '@serin/core/drift/days';
import { freeze } from '@serin/core/drift/freeze';
import { normalTails } from '@serin/core/drift/laws';
import type { Reference, ReferenceColumn, WindowCounts } from '@serin/core/drift/reference';
import { countingSink } from '../../packages/profile/src/count.ts';
import { DatasetState, type PartSink } from '../../packages/profile/src/dataset.ts';
import type { Random } from '../bench-judge/random.ts';

/** Values of a column; a row without a value is left out of it. */
export type Rows = { readonly name: string } & (
  | { readonly numbers: Float64Array }
  | { readonly texts: readonly string[] }
);

/** Where rows come from. Day 0 is the first live one; the reference is of the days before. */
export interface World {
  rows(count: number, day: number, random: Random): readonly Rows[];
  /**
   * Of rows that are independent within a day: what share of them is in each cell, and what share has no value. Counts are
   * then drawn at once, from the same law as row by row. Absent: they are counted row by row.
   */
  readonly law?: (column: ReferenceColumn, day: number) => { readonly cells: Float64Array; readonly missing: number };
}

/** The rows of a day. */
export interface Day {
  readonly day: number;
  readonly rows: number;
  readonly columns: readonly Rows[];
}

/** A reference of the days before day 0. */
export function referenceOf(
  world: World,
  given: { readonly days: number; readonly rowsPerDay: number; readonly hasTime: boolean },
  random: Random,
): Reference {
  const { days, rowsPerDay, hasTime } = given;
  const all = Array.from({ length: days }, (_, index): Day => {
    const day = index - days;
    return { day, rows: rowsPerDay, columns: world.rows(rowsPerDay, day, random) };
  });
  return referenceFrom(all, hasTime);
}

/** As the product makes it: profiled, frozen, and counted in a second reading; day by day where it `hasTime`. */
export function referenceFrom(days: readonly Day[], hasTime: boolean): Reference {
  const state = new DatasetState();
  for (const { columns, rows } of days) give(state.sink(false), columns, rows);
  const frozen = freeze(DatasetState.profileOf(state.written()), { dataset: 'd'.repeat(64) });
  const sink = countingSink(frozen, false, hasTime ? { by: { time } } : {});
  for (const { day: at, columns, rows } of days) give(sink, columns, rows, at * dayMs);
  const counts = sink.counts();
  return counts.byTime === undefined
    ? withCounts(frozen, counts)
    : withDays(withCounts(frozen, counts), counts.byTime, time);
}

export function countRows(reference: Reference, columns: readonly Rows[], rows: number): WindowCounts {
  const sink = countingSink(reference, false);
  give(sink, columns, rows);
  return sink.counts();
}

const encoder = new TextEncoder();

/** No column of a world has this name. */
const time = 'at';

function give(sink: PartSink, columns: readonly Rows[], rows: number, at?: number): void {
  sink.rowsBegin?.(rows);
  const times = at === undefined ? undefined : sink.column(time);
  for (let row = 0; at !== undefined && row < rows; row += 1) times?.time(at);
  for (const column of columns) {
    const to = sink.column(column.name);
    const values = 'numbers' in column ? column.numbers : column.texts;
    if ('numbers' in column) to.numbers(column.numbers, column.numbers.length, false);
    else
      for (const text of column.texts) {
        const bytes = encoder.encode(text);
        to.text(bytes, 0, bytes.length);
      }
    // By day each row has a value or none; else what is left out is none.
    for (let row = values.length; at !== undefined && row < rows; row += 1) to.missing();
  }
  // Nothing here asks which rows are equal.
  const hashes = new Uint32Array(rows);
  sink.rowsEnded(hashes, hashes, rows);
  sink.end();
}

/** What a window of so many rows counts. */
export function windowOf(
  world: World,
  reference: Reference,
  given: { readonly rows: number; readonly day: number },
  random: Random,
): WindowCounts {
  const { rows, day } = given;
  const { law } = world;
  if (law === undefined) return countRows(reference, world.rows(rows, day, random), rows);
  const columns = reference.columns.map((column) => {
    const { cells, missing } = law(column, day);
    const without = random.binomial(rows, missing);
    return { rows, missing: without, mistyped: 0, outside: 0, cells: multinomial(rows - without, cells, random) };
  });
  return { version: 1, rows, columns };
}

/** Exact, as a chain of binomials. */
export function multinomial(rows: number, shares: Float64Array, random: Random): number[] {
  const counts = new Array<number>(shares.length).fill(0);
  let [left, rest] = [rows, 1];
  for (let cell = 0; cell < shares.length && left > 0; cell += 1) {
    const share = shares[cell] ?? 0;
    const count = cell === shares.length - 1 || share >= rest ? left : random.binomial(left, share / rest);
    counts[cell] = count;
    left -= count;
    rest -= share;
  }
  return counts;
}

/** P(normal <= z). */
const below = (z: number): number => (z < 0 ? normalTails(z) / 2 : 1 - normalTails(z) / 2);

/** Shares of the cells of a normal column. */
export function normalShares({ edges = [] }: ReferenceColumn, shift: number, scale = 1): Float64Array {
  const shares = new Float64Array(edges.length + 1);
  let before = 0;
  for (let cell = 0; cell < edges.length; cell += 1) {
    const now = below(((edges[cell] ?? 0) - shift) / scale);
    shares[cell] = now - before;
    before = now;
  }
  shares[edges.length] = 1 - before;
  return shares;
}

/** Shares of the cells of a column of categories `v0`, `v1` and so on. */
export function categoryShares({ values = [], isWhole = false }: ReferenceColumn, of: ArrayLike<number>): Float64Array {
  const shares = new Float64Array(values.length + 2);
  let rest = 1;
  for (const [cell, value] of values.entries()) {
    shares[cell] = of[Number(value.slice(1))] ?? 0;
    rest -= shares[cell];
  }
  shares[values.length + (isWhole ? 1 : 0)] = Math.max(0, rest);
  return shares;
}

/** Rows of categories, by their shares. */
export function categoriesOf(count: number, of: Float64Array, random: Random): readonly string[] {
  const texts: string[] = [];
  const sums = sumsOf(of);
  for (let row = 0; row < count; row += 1) texts.push(`v${placeOf(sums, random.next())}`);
  return texts;
}

const sumsCache = new WeakMap<Float64Array, Float64Array>();
function sumsOf(shares: Float64Array): Float64Array {
  const known = sumsCache.get(shares);
  if (known !== undefined) return known;
  let total = 0;
  const sums = shares.map((share) => {
    total += share;
    return total;
  });
  sumsCache.set(shares, sums);
  return sums;
}

function placeOf(sums: Float64Array, unit: number): number {
  let [from, to] = [0, sums.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sums[middle] ?? 1) < unit) from = middle + 1;
    else to = middle;
  }
  return from;
}
