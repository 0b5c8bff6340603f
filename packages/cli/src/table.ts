import { instant } from '@serin/core/base/time';
import { harmless, type Terminal } from './terminal.ts';

/** Column title -> where its value is in a row: `run.status`. */
export type Columns = Readonly<Record<string, string>>;

/** The value at a path of plain JSON; `undefined` where there is none. */
export function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
          ? (inner as Record<string, unknown>)[key]
          : undefined,
      value,
    );
}

const isTime = (key: string, value: unknown): value is number =>
  typeof value === 'number' && value > 1e11 && /(^|\.)(at|since|until|due|[a-zA-Z]+At|expires|deadline)$/.test(key);

/** A value as a person reads it: times as RFC 3339, digests short, lists and records in one line. */
export function textOf(key: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (isTime(key, value)) return instant(value).replace('.000Z', 'Z');
  if (typeof value === 'string')
    return harmless(/^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : value).replaceAll('\n', ' ');
  if (Array.isArray(value)) return value.map((item) => textOf(key, item)).join(', ');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, inner]) => `${harmless(name)} ${textOf(name, inner)}`)
      .join(', ');
  return typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toPrecision(6))) : String(value);
}

/** Aligned columns; an empty column is left out, and on a terminal the last one is cut at its edge. */
export function table(rows: readonly unknown[], columns: Columns, terminal: Pick<Terminal, 'paint' | 'width'>): string {
  const cells = rows.map((row) => Object.values(columns).map((path) => textOf(path, valueAt(row, path))));
  const titles = Object.keys(columns);
  const shown = titles
    .map((_, column) => column)
    .filter((column) => column === 0 || cells.some((row) => row[column] !== ''));
  const widths = titles.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string => {
    const text = shown
      .map((column) => (row[column] ?? '').padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
    return terminal.width === undefined || text.length <= terminal.width
      ? text
      : `${text.slice(0, terminal.width - 1)}…`;
  };
  return [terminal.paint('dim', line(titles)), ...cells.map(line)].map((text) => `${text}\n`).join('');
}

/** One object, a field a line. */
export function facts(value: unknown, terminal: Pick<Terminal, 'paint'>): string {
  if (typeof value !== 'object' || value === null) return `${textOf('', value)}\n`;
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null);
  const width = Math.max(0, ...fields.map(([key]) => key.length));
  return fields
    .map(([key, inner]) => `${terminal.paint('dim', harmless(key).padEnd(width))}  ${textOf(key, inner)}\n`)
    .join('');
}
