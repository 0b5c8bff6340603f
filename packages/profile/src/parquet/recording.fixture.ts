import type { ObjectSource, Place } from '@serin/core/drift/profiler';
import type { ColumnSink, RowSink } from '../sink.ts';
import { readParquet } from './read.ts';

/** Of tests: what a reader gave to a sink, call by call. */
export interface RecordedColumn {
  readonly calls: unknown[];
  readonly areWhole: Set<boolean>;
  batches: number;
}

export interface Recorded {
  readonly columns: ReadonlyMap<string, RecordedColumn>;
  readonly rows: readonly string[];
  readonly next?: Place;
}

export const sourceOf = (key: string, bytes: Uint8Array, claimed = bytes.length): ObjectSource => ({
  key,
  bytes: claimed,
  read: async (from, length) => bytes.slice(from, from + length),
});

const utf8 = new TextDecoder();

function columnSink(column: RecordedColumn): ColumnSink {
  const { calls, areWhole } = column;
  const number = (value: number, isWhole: boolean): void => {
    calls.push(value);
    areWhole.add(isWhole);
  };
  return {
    number,
    missing: () => calls.push('missing'),
    boolean: (value) => calls.push(value),
    time: (ms) => calls.push({ time: ms }),
    text: (bytes, from, to) => calls.push(utf8.decode(bytes.subarray(from, to))),
    nested: () => calls.push('nested'),
    numbers: (values, count, whole) => {
      column.batches += 1;
      for (const value of values.subarray(0, count)) number(value, whole);
    },
  };
}

export async function record(
  object: ObjectSource,
  given: { readonly from?: Place; readonly atMostBytes: number } = { atMostBytes: 1 << 26 },
): Promise<Recorded> {
  const columns = new Map<string, RecordedColumn>();
  const sinks = new Map<string, ColumnSink>();
  const rows: string[] = [];
  const sink: RowSink = {
    column: (name) => {
      const column = columns.get(name) ?? { calls: [], areWhole: new Set(), batches: 0 };
      columns.set(name, column);
      const made = sinks.get(name) ?? columnSink(column);
      sinks.set(name, made);
      return made;
    },
    rowEnded: () => {
      throw new Error('a columnar reader ends many rows at once');
    },
    rowsEnded: (high, low, count) => {
      for (let row = 0; row < count; row += 1) rows.push(`${high[row]} ${low[row]}`);
    },
    badRow: (where) => {
      throw new Error(`a columnar reader knows no bad row: ${where}`);
    },
  };
  const { next } = await readParquet(object, given, sink);
  return { columns, rows, ...(next && { next }) };
}
