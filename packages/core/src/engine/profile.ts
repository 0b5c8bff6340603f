import { notData } from '../base/data-files.mjs';
import { Fault } from '../base/fault.ts';
import { canonical, decodeText, encodeText } from '../base/json.ts';
import { defined, without } from '../base/objects.ts';
import { aloneOf } from '../drift/alone.ts';
import { answersName } from '../drift/answers.ts';
import { labelIn } from '../drift/by-label.ts';
import { daysKept } from '../drift/by-time.ts';
import { emptyCounts, withCounts } from '../drift/cells.ts';
import type { CountedBy, DatasetCounts } from '../drift/dataset-counts.ts';
import { withDays } from '../drift/days.ts';
import { freeze } from '../drift/freeze.ts';
import type { DatasetProfile } from '../drift/profile.ts';
import type { ObjectSource, Place, Profiler, ReadPart } from '../drift/profiler.ts';
import type { Reference } from '../drift/reference.ts';
import { timeColumnOf } from '../drift/time-column.ts';
import { validateDataset } from '../drift/validate.ts';
import type { DatasetVersion } from '../model/intake/protocol.ts';
import type { Order } from '../model/protocol.ts';
import { type Cells, type Reading, readingStart } from '../model/run/protocol.ts';
import { type Bucket, type ObjectInfo, ownBucket } from '../ports/bucket.ts';
import type { Ports } from '../ports/ports.ts';
import { datasetChunk } from './dataset.ts';
import {
  profileKey,
  type ReadOwn,
  readKept,
  readNamed,
  referenceKey,
  reportKey,
  unfinishedProfileKey,
  writeKept,
} from './stored.ts';

/** What one call reads: its bounds are of sizes and never of time, so twice it reads the same. */
const bytesPerPart = 64 * 1024 * 1024;
const objectsPerPart = 100;

type OrderOf<Kind extends Order['kind']> = Extract<Order, { kind: Kind }>;
type Stores = Pick<Ports, 'bucket'>;
interface Around {
  readonly ports: Stores;
  readonly profiler: () => Promise<Profiler>;
}

/**
 * Reads the next part of a dataset; the last one writes its profile.
 *
 * Objects that are written have the digest of their content as their name, so a part that is read twice, late, or again
 * after a crash, writes what is there already. An object that is not the one that was listed is `invalid`.
 */
export async function profileDataset(
  { dataset, reading, under = '', key }: OrderOf<'profileDataset'>,
  { ports, profiler: load }: Around,
): Promise<{ readonly reading: Reading; readonly ended?: { readonly profile: string; readonly rows: number } }> {
  const profiler = await load();
  const own = ports.bucket(ownBucket);
  const part = await readPart({ ...dataset, under }, reading, ports, profiler, {
    take: (object, given) => profiler.profile(object, { ...given, ...defined({ key }) }),
    encode: (state: Uint8Array) => state,
    decode: (bytes) => bytes,
  });
  if (part.isPaused) return { reading: part.reading };
  const { passedOver } = part.reading;
  const seen = part.state === undefined ? nothing : profiler.finish(part.state);
  const profile = await writeJson(own, profileKey, { ...seen, passedOver });
  return { reading: part.reading, ended: { profile, rows: seen.rows } };
}

/** Counts the rows of the next part on cells; the last one writes the reference that has the cells and the counts. */
export async function countDataset(
  { dataset, cells, reading }: OrderOf<'countDataset'>,
  { ports, profiler: load }: Around,
): Promise<{ readonly reading: Reading; readonly ended?: { readonly reference: string } }> {
  const profiler = await load();
  const own = ports.bucket(ownBucket);
  const counting = await countingOf(cells, dataset, readOf(own));
  const { reference, by } = counting;
  const part = await readPart({ ...dataset, under: '' }, reading, ports, profiler, {
    take: (object, given) => profiler.count(object, { reference, by, ...given }),
    encode: (counts: DatasetCounts) => encodeText(JSON.stringify(counts)),
    decode: (bytes) => JSON.parse(decodeText(bytes)) as DatasetCounts, // encoded above, as the digest says
  });
  if (part.isPaused) return { reading: part.reading };
  const counted = referenceOf(counting, part.state ?? emptyCounts(reference));
  return { reading: part.reading, ended: { reference: await writeJson(own, referenceKey, counted) } };
}

/** Compares what was seen of a dataset with what the champion was trained on, and writes the report. */
export async function validate(
  { profile, reference, former, seen, rules, rowsBefore }: OrderOf<'validateDataset'>,
  ports: Stores,
): Promise<{ readonly report: string; readonly refused: boolean; readonly because: string }> {
  const own = ports.bucket(ownBucket);
  const read = readOf(own);
  const known = async <Kept>(digest: string | undefined, kept: (read: ReadOwn, digest: string) => Promise<Kept>) =>
    digest === undefined ? undefined : kept(read, digest);
  const [before, cells, counts, train, holdout, itself] = await Promise.all([
    known(former?.profile, readProfile),
    known(former?.reference, readReference),
    known(seen.onFormerCells, readReference),
    known(seen.train, readProfile),
    known(seen.holdout, readProfile),
    known(reference, readReference),
  ]);
  const found = validateDataset({
    ...{ profile: await readProfile(read, profile), rules, rowsBefore },
    ...(before === undefined ? {} : { against: { profile: before, ...defined({ reference: cells }) } }),
    ...(train === undefined || holdout === undefined ? {} : { parts: { train, holdout } }),
    ...defined({ counts, own: itself }),
  });
  return { report: await writeJson(own, reportKey, found), refused: found.refused, because: found.because };
}

/** On what cells rows are counted, by what besides, and why not by time or label. The same for each part. */
interface Counting {
  readonly reference: Reference;
  readonly by: CountedBy;
  readonly unknown: { readonly days?: string; readonly label?: string };
}

async function countingOf(cells: Cells, { digest }: DatasetVersion, read: ReadOwn): Promise<Counting> {
  if ('reference' in cells)
    return { reference: cellsOf(await readReference(read, cells.reference), digest), by: {}, unknown: {} };
  const profile = await readProfile(read, cells.profile);
  const reference = freeze(profile, { dataset: digest, columns: { ...cells.columns, [answersName]: 'off' } });
  const time = timeColumnOf(profile, cells.time);
  const label = cells.label === undefined ? undefined : labelIn(reference, cells.label);
  const days = 'because' in time ? time.because : daysKept(reference) === undefined ? tooWide : undefined;
  return {
    reference,
    by: {
      ...(days === undefined && 'column' in time ? { time: time.column } : {}),
      ...(label === undefined || 'because' in label ? {} : { label }),
    },
    unknown: defined({ days, label: label && 'because' in label ? label.because : undefined }),
  };
}

/** What another dataset's days and labels tell is not of this one. */
const cellsOf = ({ version, rows, columns }: Reference, dataset: string): Reference => ({
  ...{ version, dataset, rows },
  columns: columns.map((column) => without(column, 'byWeekday', 'seasons', 'dispersion', 'dayRows', 'alone')),
});

const tooWide = 'the dataset has too many columns to count each by day';

/** The reference with its counts, what its days tell, and what each column alone tells of the label. */
function referenceOf({ reference, by, unknown }: Counting, counts: DatasetCounts): Reference {
  const { byTime, byLabel, ...all } = counts;
  const counted = withCounts(reference, all);
  const timed = byTime === undefined || by.time === undefined ? counted : withDays(counted, byTime, by.time);
  const alone = byLabel === undefined || by.label === undefined ? [] : aloneOf(reference, byLabel, by.label);
  return {
    ...timed,
    ...(unknown.days === undefined ? {} : { days: { days: 0, because: unknown.days } }),
    ...(unknown.label === undefined ? {} : { labelUnknown: unknown.label }),
    columns: timed.columns.map((column, at) => ({ ...column, ...defined({ alone: alone[at] }) })),
  };
}

// Written above, as their digests say.
export const readProfile = async (read: ReadOwn, digest: string): Promise<DatasetProfile> =>
  JSON.parse(decodeText(await readKept(read, profileKey(digest)))) as DatasetProfile;
export const readReference = async (read: ReadOwn, digest: string): Promise<Reference> =>
  JSON.parse(decodeText(await readKept(read, referenceKey(digest)))) as Reference;

export const readOf =
  (own: Bucket): ReadOwn =>
  (key, maxBytes) =>
    own.read({ key, maxBytes });

const writeJson = (own: Bucket, name: (digest: string) => string, value: object): Promise<string> =>
  writeKept(own, name, encodeText(canonical(value)));

/** Of a dataset that has no object whose format is read. */
const nothing: DatasetProfile = {
  ...{ version: 1, objects: 0, passedOver: 0, bytes: 0, rows: 0, badRows: { rows: 0 } },
  ...{ rowSample: { below: 'f'.repeat(16), rows: [] }, columns: [] },
};

/** What a reading makes of the objects, and how that is kept between two parts. */
interface Making<State> {
  readonly take: (
    object: ObjectSource,
    given: { readonly state?: State; readonly from?: Place; readonly atMostBytes: number },
  ) => Promise<ReadPart<State>>;
  readonly encode: (state: State) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => State;
}

/** What was seen of the objects before, and where the present one goes on; absent: at its beginning. */
interface Kept<State> {
  readonly state?: State;
  readonly from?: Place;
}

type Part<State> =
  | { readonly isPaused: true; readonly reading: Reading }
  | { readonly isPaused: false; readonly reading: Reading; readonly state?: State };

/**
 * One part: many small objects, or a piece of a large one, all of one chunk of the manifest. An object that does not fit
 * into what is left of a part begins the next one, so a piece is never smaller than it has to be.
 */
async function readPart<State>(
  { under, ...dataset }: DatasetVersion & { readonly under: string },
  before: Reading,
  ports: Stores,
  profiler: Profiler,
  making: Making<State>,
): Promise<Part<State>> {
  const own = ports.bucket(ownBucket);
  const begun = await resumed(before, own, profiler, making);
  let { reading, kept } = begun;
  const pausedAt = async (place: Pick<Reading, 'chunk' | 'object'>): Promise<Part<State>> => ({
    isPaused: true,
    reading: await paused({ ...reading, ...place }, kept, own, profiler, making),
  });
  const { chunk } = reading;
  const { objects, isLast } = await datasetChunk(readOf(own), dataset.manifest, chunk);
  let [bytesLeft, objectsLeft] = [bytesPerPart, objectsPerPart];
  for (let object = reading.object; object < objects.length; object += 1) {
    const info = objects[object];
    // Older code listed also objects that are not data.
    if (info === undefined || notData(info.key, info.bytes, dataset.prefix) !== undefined) continue;
    if (!info.key.startsWith(under)) continue;
    if (!profiler.reads(info.key)) {
      reading = { ...reading, passedOver: reading.passedOver + 1, bytes: reading.bytes + info.bytes };
      continue;
    }
    if (objectsLeft === 0 || (bytesLeft < bytesPerPart && info.bytes > bytesLeft)) return pausedAt({ chunk, object });
    const source = sourceOf(ports.bucket(dataset.bucket), info);
    const { state, next } = await making.take(source, { ...kept, atMostBytes: bytesLeft });
    if (next !== undefined && canonical(next) === canonical(kept.from))
      throw new Fault('defect', `reading '${info.key}' does not come forward; this is a defect of Serin, report it`);
    kept = { state, ...defined({ from: next }) };
    reading = { ...reading, bytes: reading.bytes + source.taken() };
    if (next !== undefined) return pausedAt({ chunk, object });
    bytesLeft -= source.taken();
    objectsLeft -= 1;
  }
  if (!isLast) return pausedAt({ chunk: chunk + 1, object: 0 });
  return { isPaused: false, reading: { ...reading, parts: reading.parts + 1 }, ...defined({ state: kept.state }) };
}

function sourceOf(bucket: Bucket, { key, version, bytes }: ObjectInfo): ObjectSource & { taken(): number } {
  let taken = 0;
  return {
    ...{ key, bytes },
    async read(from, length) {
      const found = await bucket.read({ key, version, from, maxBytes: length });
      if (found === undefined)
        throw new Fault(
          'invalid',
          `'${key}' has changed or gone since it was listed; start another run, which reads what is there now`,
        );
      taken += found.content.length;
      return found.content;
    },
    taken: () => taken,
  };
}

/** The first line of what is kept between two parts; the rest is what was seen. A place may be large, and so is not in the model. */
interface Head {
  readonly version: number;
  readonly from?: Place;
}

const lineEnd = 0x0a;

/**
 * Where a part goes on. The dataset is read from its beginning where what was seen of it is gone, as after a long
 * stoppage, or is of another version of the profiler.
 */
async function resumed<State>(
  reading: Reading,
  own: Bucket,
  { version }: Profiler,
  { decode }: Making<State>,
): Promise<{ readonly reading: Reading; readonly kept: Kept<State> }> {
  if (reading.state === undefined) return { reading, kept: {} };
  const anew = { reading: { ...readingStart, parts: reading.parts }, kept: {} };
  const content = await readNamed(readOf(own), unfinishedProfileKey(reading.state));
  if (content === undefined) return anew;
  const end = content.indexOf(lineEnd);
  const head = JSON.parse(decodeText(content.subarray(0, end))) as Head; // written by `paused`, as the digest says
  if (head.version !== version) return anew;
  return { reading, kept: { state: decode(content.subarray(end + 1)), ...defined({ from: head.from }) } };
}

async function paused<State>(
  { state: _, ...reading }: Reading,
  { state, from }: Kept<State>,
  own: Bucket,
  { version }: Profiler,
  { encode }: Making<State>,
): Promise<Reading> {
  const next = { ...reading, parts: reading.parts + 1 };
  if (state === undefined) return next;
  const head: Head = { version, ...defined({ from }) };
  const line = encodeText(`${JSON.stringify(head)}\n`);
  const seen = encode(state);
  const content = new Uint8Array(line.length + seen.length);
  content.set(line);
  content.set(seen, line.length);
  return { ...next, state: await writeKept(own, unfinishedProfileKey, content) };
}
