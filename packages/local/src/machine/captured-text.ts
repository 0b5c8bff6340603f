import type { Json } from '@serin/core/base/json';

type Row = Readonly<Record<string, Json>>;

/** Names stand once where all rows have the same ones: they would take more than the values. */
type Written = readonly Row[] | { readonly names: readonly string[]; readonly rows: readonly (readonly Json[])[] };

export function rowsText(rows: readonly Row[]): string {
  const names = Object.keys(rows[0] ?? {});
  const isEven = (row: Row) =>
    Object.keys(row).length === names.length && names.every((name) => Object.hasOwn(row, name));
  const written: Written = rows.every(isEven)
    ? { names, rows: rows.map((row) => names.map((name) => row[name] ?? null)) }
    : rows;
  return JSON.stringify(written);
}

/** The rows as they were, but for what may not be known any more. */
export function rowsOf(text: string, allowed: ReadonlySet<string>): readonly Row[] {
  const written = JSON.parse(text) as Written; // of `rowsText`
  const entries = !('names' in written)
    ? written.map((row) => Object.entries(row))
    : written.rows.map((row) => written.names.map((name, place) => [name, row[place] ?? null] as const));
  // Own properties: a field may be called like one of a prototype.
  return entries.map((row) => Object.fromEntries(row.filter(([name]) => allowed.has(name))));
}
