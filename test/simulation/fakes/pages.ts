import { Fault } from '@serin/core/base/fault';
import type { Json } from '@serin/core/base/json';
import type { Page } from '@serin/core/ports/page';

export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export const copyOf = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** What nobody can change any more; parts that are frozen already are not walked again. */
export function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}

/** One page of rows in the order of their keys (UTF-8 bytes, unless they are given in order). The cursor is the last key seen. */
export function pageOf<Row extends { readonly key: string }>(
  rows: readonly Row[],
  cursor: string | undefined,
  size: number,
  order: 'sort' | 'given' = 'sort',
): Page<Row> {
  const sorted = order === 'given' ? rows : [...rows].sort((a, b) => byBytes(a.key, b.key));
  const after = cursor === undefined ? undefined : read(cursor);
  const start = after === undefined ? 0 : firstAfter(sorted, after, order);
  const items = sorted.slice(start, start + size);
  const last = items.at(-1);
  return start + size < sorted.length && last !== undefined
    ? { items, next: `after:${Buffer.from(last.key).toString('base64url')}` }
    : { items };
}

function firstAfter(rows: readonly { readonly key: string }[], after: string, order: 'sort' | 'given'): number {
  if (order === 'given') {
    const known = rows.findIndex(({ key }) => key === after);
    if (known >= 0) return known + 1;
  }
  const index = rows.findIndex(({ key }) => byBytes(key, after) > 0);
  return index < 0 ? rows.length : index;
}

function read(cursor: string): string {
  if (!cursor.startsWith('after:')) throw new Fault('invalid', `the cursor '${cursor}' is not one of ours`);
  return Buffer.from(cursor.slice('after:'.length), 'base64url').toString();
}
