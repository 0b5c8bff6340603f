import type { ObjectSource } from '@serin/core/drift/profiler';
import type { ColumnSink, RowSink } from './sink.ts';

/** For tests: bytes as stores give them, a part of a larger `Buffer`, whose `slice` copies nothing. */
export const asGiven = (bytes: Uint8Array): Uint8Array => Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);

/** For tests: an object of these bytes. */
export function objectOf(key: string, content: string | Uint8Array): ObjectSource {
  const bytes = asGiven(typeof content === 'string' ? new TextEncoder().encode(content) : content);
  return { key, bytes: bytes.length, read: async (from, length) => bytes.subarray(from, from + length) };
}

/** For tests: a sink that keeps the rows as what they were given as, and the places of bad ones. */
export function recordingSink(): RowSink & {
  readonly rows: Readonly<Record<string, unknown>>[];
  readonly bad: string[];
} {
  const [rows, bad]: [Record<string, unknown>[], string[]] = [[], []];
  let row: Record<string, unknown> = {};
  const column = (name: string): ColumnSink => ({
    missing: () => {
      row[name] = null;
    },
    number: (value, isWhole) => {
      row[name] = isWhole || !Number.isInteger(value) ? value : value.toFixed(1);
    },
    boolean: (value) => {
      row[name] = value;
    },
    time: (ms) => {
      row[name] = new Date(ms);
    },
    text: (bytes, from, to) => {
      row[name] = new TextDecoder().decode(bytes.subarray(from, to));
    },
    nested: () => {
      row[name] = 'nested';
    },
    numbers: () => undefined,
  });
  return {
    rows,
    bad,
    column,
    rowEnded: () => {
      rows.push(row);
      row = {};
    },
    rowsEnded: () => undefined,
    badRow: (where) => bad.push(where),
  };
}
