import { sha256Hex } from '../base/json.ts';
import { countRows, withCounts } from './cells.ts';
import { freeze } from './freeze.ts';
import type { ColumnProfile, DatasetProfile, ValueType } from './profile.ts';
import type { Reference, WindowCounts } from './reference.ts';

/** Small exact profiles of rows in memory, for tests. */

export type Cell = string | number | boolean | null;
export type Columns = Readonly<Record<string, readonly Cell[]>>;

const lastHash = 'f'.repeat(16);

export function profileOf(columns: Columns, { hashes = true, sampled = 4096 } = {}): DatasetProfile {
  const names = Object.keys(columns);
  const rows = Math.max(0, ...Object.values(columns).map((cells) => cells.length));
  return {
    ...{ version: 1, objects: 1, passedOver: 0, bytes: 100 * rows, rows, badRows: { rows: 0 } },
    rowSample: hashes ? sampleOf(columns, rows, sampled) : { below: lastHash, rows: [] },
    columns: names.map((name) => columnOf(name, columns[name] ?? [])),
  };
}

function sampleOf(columns: Columns, rows: number, sampled: number) {
  const counts = new Map<string, number>();
  const names = Object.keys(columns).sort();
  for (let row = 0; row < rows; row += 1) {
    const text = JSON.stringify(names.map((name) => columns[name]?.[row] ?? null));
    const hash = sha256Hex(new TextEncoder().encode(text)).slice(0, 16);
    counts.set(hash, (counts.get(hash) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
  const kept = sorted.slice(0, sampled);
  return { below: sorted.length > sampled ? (kept.at(-1)?.[0] ?? lastHash) : lastHash, rows: kept };
}

export function columnOf(name: string, cells: readonly Cell[]): ColumnProfile {
  const types: Record<ValueType, number> = { boolean: 0, integer: 0, decimal: 0, timestamp: 0, text: 0, nested: 0 };
  const values = cells.filter((cell) => cell !== null);
  for (const value of values) types[typeOf(value)] += 1;
  const numbers = Float64Array.from(values.filter((value): value is number => Number.isFinite(value))).sort();
  const counts = new Map<string, number>();
  for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const frequent = [...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1)).slice(0, 128);
  const isExact = counts.size <= 1024;
  return {
    ...{ name, rows: cells.length, missing: cells.length - values.length, types, frequent },
    empty: values.filter((value) => value === '').length,
    nan: values.filter((value) => Number.isNaN(value)).length,
    plusInfinity: values.filter((value) => value === Number.POSITIVE_INFINITY).length,
    minusInfinity: values.filter((value) => value === Number.NEGATIVE_INFINITY).length,
    ...(numbers.length === 0 ? {} : { numbers: numbersOf(numbers) }),
    distinct: counts.size,
    distinctIsExact: isExact,
    ...(isExact ? { singletons: [...counts.values()].filter((count) => count === 1).length } : {}),
    frequentAbout: 0,
  };
}

function typeOf(value: Exclude<Cell, null>): ValueType {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\d/.test(value) ? 'timestamp' : 'text';
  return Number.isInteger(value) ? 'integer' : 'decimal';
}

function numbersOf(sorted: Float64Array) {
  const count = sorted.length;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / count;
  const deviation = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
  const at = (rank: number): number => sorted[rank] ?? 0;
  const quantiles = Array.from({ length: 257 }, (_, index) => at(Math.round(((count - 1) * index) / 256)));
  return { count, min: at(0), max: at(count - 1), mean, deviation, quantiles };
}

/** The cells of a reference, with the rows that it was frozen of. */
export function referenceOf(columns: Columns): Reference {
  const cells = freeze(profileOf(columns, { hashes: false }), { dataset: 'd' });
  return withCounts(cells, windowOf(cells, columns));
}

export function windowOf(reference: Reference, columns: Columns): WindowCounts {
  const cells = Object.values(columns);
  const rows = repeat(Math.max(0, ...cells.map(({ length }) => length)), (row) => cells.map((all) => all[row] ?? null));
  return countRows(reference, rows, Object.keys(columns));
}

/** Numbers between 0 and 1 that are the same in each run. */
export function drawsOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const normal = (draw: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());

export const repeat = <Value>(count: number, make: (index: number) => Value): readonly Value[] =>
  Array.from({ length: count }, (_, index) => make(index));
