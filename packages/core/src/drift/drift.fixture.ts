import { noRows } from './cells.ts';
import type { ColumnProfile, DatasetProfile } from './profile.ts';
import type { Reference, ReferenceColumn } from './reference.ts';

const none = { rows: 0, missing: 0, mistyped: 0, outside: 0, cells: [] };
const filled = (column: ReferenceColumn): ReferenceColumn => ({ ...column, ...noRows(column) });

export const numbersOf = (name: string, edges: readonly number[]): ReferenceColumn =>
  filled({ name, kind: 'number', edges, isContinuous: true, ...none });

export const categories = (name: string, values: readonly string[]): ReferenceColumn =>
  filled({ name, kind: 'category', values, isWhole: true, ...none });

/** A column with the counts that it was given. */
export const counted = (column: ReferenceColumn, cells: readonly number[], nulls = 0): ReferenceColumn => ({
  ...column,
  rows: cells.reduce((sum, count) => sum + count, nulls),
  missing: nulls,
  cells,
});

export const referenceOf = (...columns: readonly ReferenceColumn[]): Reference => ({
  version: 1,
  dataset: 'd'.repeat(64),
  rows: Math.max(0, ...columns.map(({ rows }) => rows)),
  columns,
});

const noTypes = { boolean: 0, integer: 0, decimal: 0, timestamp: 0, text: 0, nested: 0 };

/** The profile of one column of numbers, as an exact reading would make it. */
export function numberProfile(name: string, values: readonly number[]): ColumnProfile {
  const sorted = [...values].sort((one, other) => one - other);
  const whole = values.filter(Number.isInteger).length;
  const quantiles = Array.from({ length: 257 }, (_, i) => sorted[Math.round(((values.length - 1) * i) / 256)] ?? 0);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [min, max] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  return {
    ...profileOf(name, values.map(String)),
    types: { ...noTypes, integer: whole, decimal: values.length - whole },
    numbers: { count: values.length, min, max, mean, deviation: 1, quantiles },
  };
}

/** The profile of one column of text. */
export function profileOf(name: string, values: readonly string[]): ColumnProfile {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const frequent = [...counts].sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1));
  return {
    name,
    rows: values.length,
    missing: 0,
    empty: 0,
    nan: 0,
    plusInfinity: 0,
    minusInfinity: 0,
    types: { ...noTypes, text: values.length },
    distinct: counts.size,
    distinctIsExact: counts.size <= 1024,
    singletons: frequent.filter(([, count]) => count === 1).length,
    frequent: frequent.slice(0, 128),
    frequentAbout: 0,
  };
}

export const datasetOf = (...columns: readonly ColumnProfile[]): DatasetProfile => ({
  version: 1,
  objects: 1,
  passedOver: 0,
  bytes: 1,
  rows: columns[0]?.rows ?? 0,
  badRows: { rows: 0 },
  rowSample: { below: 'f'.repeat(16), rows: [] },
  columns,
});
