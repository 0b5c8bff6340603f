import { formatOf } from '@serin/core/base/data-files';
import type { ObjectSource, Place, Profiler } from '@serin/core/drift/profiler';
import { countingSink } from './count.ts';
import { DatasetState, type PartSink, stateVersion } from './dataset.ts';
import { readParquet } from './parquet/read.ts';
import type { RowSink } from './sink.ts';
import { readCsv } from './text/csv.ts';
import { readNdjson } from './text/ndjson.ts';
import type { Reading } from './text/read-rows.ts';

/** A format that is read. `isLoose`: each row has the keys it likes. */
interface Format {
  readonly isLoose: boolean;
  readonly read: (object: ObjectSource, given: Reading, sink: RowSink) => Promise<{ readonly next?: Place }>;
}

const formats: Readonly<Record<string, Format>> = {
  csv: { isLoose: false, read: readCsv },
  ndjson: { isLoose: true, read: readNdjson },
  parquet: { isLoose: false, read: readParquet },
};

/** The format of an object by the ending of its name, with `.gz` behind it or without. */
const formatAt = (key: string): Format | undefined =>
  formats[/\.(parquet|pq)$/i.test(key) ? 'parquet' : (formatOf(key.replace(/\.gz$/i, '')) ?? '')];

/** The profiler of all platforms. An object of a format that is not read is counted as passed over. */
export const profiler: Profiler = {
  version: stateVersion,

  reads: (key) => formatAt(key) !== undefined,

  async profile(object, { state: before, from, atMostBytes, key }) {
    const state = DatasetState.read(before);
    const format = formatAt(object.key);
    if (format === undefined) {
      state.passedOver += 1;
      return { state: state.written() };
    }
    const next = await readPart(format, object, { from, atMostBytes }, state.sink(format.isLoose, key));
    if (next !== undefined) return { state: state.written(), next };
    state.objects += 1;
    state.bytes += object.bytes;
    return { state: state.written() };
  },

  finish: (state) => DatasetState.profileOf(state),

  async count(object, { reference, by, state, from, atMostBytes }) {
    const format = formatAt(object.key);
    const sink = countingSink(reference, format?.isLoose ?? false, { before: state, by });
    const next = format && (await readPart(format, object, { from, atMostBytes }, sink));
    return { state: sink.counts(), ...(next !== undefined && { next }) };
  },
};

async function readPart(
  format: Format,
  object: ObjectSource,
  given: Reading,
  sink: PartSink,
): Promise<Place | undefined> {
  const { next } = await format.read(object, given, sink);
  sink.end();
  return next;
}

/** The state of two states: as if the rows of both had been read, those of the first before those of the second. */
export function mergeStates(one: Uint8Array, other: Uint8Array): Uint8Array {
  const state = DatasetState.read(one);
  state.merge(DatasetState.read(other));
  return state.written();
}
