import type { Json } from '../base/json.ts';
import type { ColumnCounts, Reference, ReferenceColumn, WindowCounts } from './reference.ts';
import { timeIn } from './times.ts';

/**
 * Which cell a value falls into: the one rule, by which datasets and live requests are counted.
 *
 * A number may come as a number or as its text; texts of numbers and booleans are told apart by what they mean, so
 * `1`, `"1"` and `"1.0"` are one value in whatever format they come.
 */

/** A row of features, by name or by place. */
export type Row = Readonly<Record<string, Json>> | readonly Json[];

/** No value: null, an absent key, empty text, NaN. */
export const missing = -1;
/** A value that the column's kind cannot hold. */
export const mistyped = -2;

/** Texts of values are cut to so many characters (code points). */
export const mostCharacters = 128;

/** What a value means: a number, a text, or none of them. Texts of numbers are numbers, also `inf` and `nan`. */
function meaningOf(value: Json | undefined): number | string | typeof nested {
  if (value === null || value === undefined) return Number.NaN;
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return nested;
  return value === '' ? Number.NaN : (numberIn(value) ?? value);
}

const nested = Symbol('a list or a record');

/** The number that a text says; `undefined` where it says none. Decimal only; spaces around it are ignored. */
export function numberIn(text: string): number | undefined {
  const bare = text.trim();
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(bare)) return Number(bare);
  const word = /^([+-]?)(nan|inf|infinity)$/i.exec(bare);
  if (word === null) return undefined;
  if (word[2]?.toLowerCase() === 'nan') return Number.NaN;
  return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** The name of a category: the number as JavaScript writes it, `true` and `false` in lower case, a time in UTC, other texts cut. */
export function categoryOf(value: number | string): string {
  if (typeof value === 'number') return String(value);
  if (/^(true|false)$/i.test(value)) return value.toLowerCase();
  const time = timeIn(value);
  if (time !== undefined) return time;
  return value.length <= mostCharacters ? value : Array.from(value).slice(0, mostCharacters).join('');
}

/** The category that a text of a value is: `1.0` is `1`, and `True` is `true`. */
export const asCategory = (text: string): string => categoryOf(numberIn(text) ?? text);

/** How many edges are below the number, which is its cell. */
export function intervalOf(edges: readonly number[], value: number): number {
  let [from, to] = [0, edges.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((edges[middle] ?? Number.POSITIVE_INFINITY) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** How many cells a column has. */
export const cellsOf = ({ kind, edges = [], values = [] }: ReferenceColumn): number =>
  kind === 'number' ? edges.length + 1 : kind === 'category' ? values.length + 2 : 0;

/** A column's rule: the cell of a value, or `missing`, or `mistyped`. Values of `plain` columns are in cell 0, not counted. */
export function cellRule(column: ReferenceColumn): (value: Json | undefined) => number {
  const { kind, edges = [], values = [], isWhole = false } = column;
  const places = new Map(values.map((value, place) => [value, place]));
  const unlisted = isWhole ? values.length + 1 : values.length;
  return (value) => {
    const meaning = meaningOf(value);
    if (typeof meaning === 'number' && Number.isNaN(meaning)) return missing;
    if (kind === 'plain') return 0;
    if (meaning === nested) return mistyped;
    if (kind === 'category') return places.get(categoryOf(meaning)) ?? unlisted;
    return typeof meaning === 'number' ? intervalOf(edges, meaning) : mistyped;
  };
}

/** A value of a column of numbers that the reference's range does not hold. */
function outsideRule({ kind, numbers }: ReferenceColumn): (value: Json | undefined) => boolean {
  if (kind !== 'number' || numbers === undefined) return () => false;
  return (value) => {
    const meaning = meaningOf(value);
    return typeof meaning === 'number' && (meaning < numbers.min || meaning > numbers.max);
  };
}

/** A window without a row. */
export const emptyCounts = (reference: Reference): WindowCounts => ({
  version: 1,
  rows: 0,
  columns: reference.columns.map(noRows),
});

export const noRows = (column: ReferenceColumn): ColumnCounts => ({
  rows: 0,
  missing: 0,
  mistyped: 0,
  outside: 0,
  cells: new Array<number>(cellsOf(column)).fill(0),
});

/**
 * Counts rows on the cells of a reference, in addition to `into`. `fields` are the features that rows may hold, and the
 * order of rows without names: a column that is not among them is not counted, and what else a row holds is ignored.
 */
export function countRows(
  reference: Reference,
  rows: Iterable<Row>,
  fields: readonly string[],
  into: WindowCounts = emptyCounts(reference),
): WindowCounts {
  const all = [...rows];
  const places = new Map(fields.map((field, place) => [field, place]));
  const columns = reference.columns.map((column, index): ColumnCounts => {
    const before = into.columns[index] ?? noRows(column);
    const place = places.get(column.name);
    return place === undefined ? before : countColumn(column, before, fieldOf(all, column.name, place));
  });
  return { version: 1, rows: into.rows + all.length, columns };
}

function* fieldOf(rows: readonly Row[], name: string, place: number): Iterable<Json | undefined> {
  for (const row of rows) yield isPlaced(row) ? row[place] : Object.hasOwn(row, name) ? row[name] : undefined;
}

const isPlaced = (row: Row): row is readonly Json[] => Array.isArray(row);

function countColumn(column: ReferenceColumn, before: ColumnCounts, values: Iterable<Json | undefined>): ColumnCounts {
  const [cellOf, isOutside] = [cellRule(column), outsideRule(column)];
  const counts = { ...before, cells: [...before.cells] };
  for (const value of values) {
    const cell = cellOf(value);
    counts.rows += 1;
    if (cell === missing) counts.missing += 1;
    else if (cell === mistyped) counts.mistyped += 1;
    else if (cell < counts.cells.length) counts.cells[cell] = (counts.cells[cell] ?? 0) + 1;
    if (isOutside(value)) counts.outside += 1;
  }
  return counts;
}

/** The counts of two windows as those of one. */
export const addCounts = (one: WindowCounts, other: WindowCounts): WindowCounts => ({
  version: 1,
  rows: one.rows + other.rows,
  columns: one.columns.map((column, index) => addColumn(column, other.columns[index])),
});

export function addColumn(one: ColumnCounts, other: ColumnCounts | undefined): ColumnCounts {
  if (other === undefined) return one;
  return {
    rows: one.rows + other.rows,
    missing: one.missing + other.missing,
    mistyped: one.mistyped + other.mistyped,
    outside: one.outside + other.outside,
    cells: one.cells.map((count, cell) => count + (other.cells[cell] ?? 0)),
  };
}

/** A reference with the counts of its own rows. */
export const withCounts = (reference: Reference, counts: WindowCounts): Reference => ({
  ...reference,
  rows: counts.rows,
  columns: reference.columns.map((column, index) => ({ ...column, ...counts.columns[index] })),
});
