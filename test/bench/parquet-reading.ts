import { openSync, readFileSync, readSync, statSync } from 'node:fs';
import type { Place } from '@serin/core/drift/profiler';
import { parquetMetadata, parquetRead } from 'hyparquet';
import { readParquet } from '../../packages/profile/src/parquet/read.ts';
import { profiler } from '../../packages/profile/src/profiler.ts';
import type { ColumnSink } from '../../packages/profile/src/sink.ts';

/** `node parquet-reading.ts profile|own|hyparquet <file>`: one reader in a process of its own, so that its memory is its own. */
const [reader = '', file = ''] = process.argv.slice(2);
const descriptor = openSync(file, 'r');
const { size } = statSync(file);

function bytesOf(from: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  readSync(descriptor, bytes, 0, length, from);
  return bytes;
}

let values = 0;
let sum = 0;
const one = (value = 1): void => {
  values += 1;
  sum += value;
};

/** As cheap as a sink can be that looks at each value. */
const cheap: ColumnSink = {
  missing: () => one(),
  number: (value) => one(value),
  boolean: () => one(),
  time: (ms) => one(ms),
  text: (_, from, to) => one(to - from),
  nested: () => one(),
  numbers: (batch, count) => {
    values += count;
    for (let index = 0; index < count; index += 1) sum += batch[index] ?? 0;
  },
};

const object = { key: file, bytes: size, read: async (from: number, length: number) => bytesOf(from, length) };
const atMostBytes = 64 << 20;

async function readProfile(): Promise<void> {
  let part = await profiler.profile(object, { atMostBytes });
  while (part.next) part = await profiler.profile(object, { atMostBytes, state: part.state, from: part.next });
  const { rows, columns } = profiler.finish(part.state);
  values = rows * columns.length;
}

async function readOwn(): Promise<void> {
  const sink = { column: () => cheap, rowEnded: () => {}, rowsEnded: () => {}, badRow: () => {} };
  for (let from: Place | undefined, more = true; more; more = from !== undefined)
    from = (await readParquet(object, { atMostBytes, ...(from && { from }) }, sink)).next;
}

/** One row group and one column at a time, which is how it takes the least memory. */
async function readOther(): Promise<void> {
  const metadata = parquetMetadata(readFileSync(file));
  const slice = async (from: number, to = size) => bytesOf(from, to - from).buffer;
  const names = metadata.schema.slice(1).map(({ name }) => name);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    for (const name of names)
      await parquetRead({
        file: { byteLength: size, slice },
        metadata,
        rowStart,
        rowEnd,
        columns: [name],
        onChunk: ({ columnData }) => {
          for (const value of columnData) one(typeof value === 'number' ? value : 1);
        },
      });
    rowStart = rowEnd;
  }
}

const readers: Readonly<Record<string, () => Promise<void>>> = {
  profile: readProfile,
  own: readOwn,
  hyparquet: readOther,
};
const read = readers[reader];
if (!read) throw new Error(`no reader is named ${reader}`);
const passes: number[] = [];
for (let pass = 0; pass < 3; pass += 1) {
  const begun = process.cpuUsage();
  values = 0;
  await read();
  const { user, system } = process.cpuUsage(begun);
  passes.push((user + system) / 1e6);
}
const seconds = passes.sort((a, b) => a - b)[1];
if (!Number.isFinite(sum)) throw new Error('unreachable');
console.log(JSON.stringify({ values, seconds, megabytes: process.resourceUsage().maxRSS / 1e3 }));
