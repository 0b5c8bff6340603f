import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { CountedBy, DatasetCounts } from '@serin/core/drift/dataset-counts';
import type { Place, ReadPart } from '@serin/core/drift/profiler';
import type { Reference, ReferenceColumn } from '@serin/core/drift/reference';
import { countingSink } from '../../packages/profile/src/count.ts';
import { profiler } from '../../packages/profile/src/profiler.ts';

/**
 * A process of its own, so that its memory is that of the profiler: profiles the file that it is given in parts of 64 MB,
 * counts it on cells, and counts its lines. Speeds are per second of CPU, so other work on the machine plays no part.
 */
const empty = process.resourceUsage().maxRSS / 1000;
const path = process.argv[2] ?? '';
const file = openSync(path, 'r');
const buffer = new Uint8Array(2 ** 20);
const object = {
  key: path,
  bytes: statSync(path).size,
  read: async (from: number, length: number) => buffer.subarray(0, readSync(file, buffer, 0, length, from)),
};
const atMostBytes = 64 * 2 ** 20;

async function inParts<State>(
  readPart: (state: State | undefined, from: Place | undefined) => Promise<ReadPart<State>>,
) {
  let part = await readPart(undefined, undefined);
  while (part.next !== undefined) part = await readPart(part.state, part.next);
  return part.state;
}

const profileOnce = () =>
  inParts<Uint8Array>((state, from) =>
    profiler.profile(object, {
      atMostBytes,
      ...(state !== undefined && { state }),
      ...(from !== undefined && { from }),
    }),
  );

const none = { rows: 0, missing: 0, mistyped: 0, outside: 0, cells: [] };

/** A reference with the cells of a profile, whose counts play no part. */
function referenceOf(state: Uint8Array): Reference {
  const { rows, columns } = profiler.finish(state);
  const frozen = columns.map(({ name, numbers, frequent, lengths }): ReferenceColumn => {
    if (numbers) return { ...none, name, kind: 'number', numbers, edges: [...new Set(numbers.quantiles.slice(1, -1))] };
    if (!lengths) return { ...none, name, kind: 'plain' };
    return { ...none, name, kind: 'category', values: frequent.slice(0, 127).map(([value]) => value) };
  });
  return { version: 1, dataset: 'bench', rows, columns: frozen };
}

/** Million a second of CPU, the best of some runs. */
async function speedOf(millions: number, work: () => unknown, times = 3): Promise<number> {
  let best = 0;
  for (let run = 0; run < times; run += 1) {
    const begun = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(begun);
    best = Math.max(best, (millions * 1e6) / (user + system));
  }
  return best;
}

function countLines(): number {
  let lines = 0;
  for (let from = 0; from < object.bytes; ) {
    const read = readSync(file, buffer, 0, buffer.length, from);
    for (let at = buffer.indexOf(10); at >= 0 && at < read; at = buffer.indexOf(10, at + 1)) lines += 1;
    from += read;
  }
  return lines;
}

const reference = referenceOf(await profileOnce());
const values = (reference.rows * reference.columns.length) / 1e6;
const profiled = await speedOf(values, profileOnce);
const countOnce = (by: CountedBy) =>
  inParts<DatasetCounts>((state, from) =>
    profiler.count(object, {
      ...{ reference, by, atMostBytes },
      ...(state !== undefined && { state }),
      ...(from !== undefined && { from }),
    }),
  );
const counted = await speedOf(values, () => countOnce({}));
const time = reference.columns.find(({ kind }) => kind === 'plain')?.name ?? '';
const byDay = await speedOf(values, () => countOnce({ time }));
const lines = await speedOf(object.bytes / 1e6, countLines);
const batch = Float64Array.from({ length: 1024 }, (_, at) => ((at * 7919) % 1024) / 10);
const column = countingSink(reference, false).column(
  reference.columns.find(({ kind }) => kind === 'number')?.name ?? '',
);
const batches = await speedOf(20.48, () => {
  for (let run = 0; run < 20_000; run += 1) column.numbers(batch, batch.length, false);
});
const days = countingSink(reference, false, { by: { time } });
const rows = 20 * batch.length;
/** As the columnar reader does, in row groups of 20 batches: the times, and then a column. */
function countByDay(): void {
  days.rowsBegin?.(rows);
  const times = days.column(time);
  for (let row = 0; row < rows; row += 1) times.time(Math.floor(row / 256) * 86_400_000);
  const to = days.column(reference.columns.find(({ kind }) => kind === 'number')?.name ?? '');
  for (let run = 0; run < 20; run += 1) to.numbers(batch, batch.length, false);
  days.rowsEnded(new Uint32Array(0), new Uint32Array(0), rows);
}
const batchesByDay = await speedOf(40.96, () => {
  for (let run = 0; run < 1000; run += 1) countByDay();
});
closeSync(file);
console.log(
  JSON.stringify({
    values,
    profiled,
    counted,
    byDay,
    batches,
    batchesByDay,
    lines,
    megabytes: object.bytes / 1e6,
    empty,
    peak: process.resourceUsage().maxRSS / 1000,
  }),
);
