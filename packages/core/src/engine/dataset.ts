import { type NotData, notData } from '../base/data-files.mjs';
import { Fault } from '../base/fault.ts';
import { decodeText, digestOf, encodeText, sha256Hex } from '../base/json.ts';
import { defined } from '../base/objects.ts';
import type { DatasetVersion, ListingProgress } from '../model/intake/protocol.ts';
import type { Order } from '../model/protocol.ts';
import { type Bucket, type LeftOut, type ObjectInfo, ownBucket } from '../ports/bucket.ts';
import type { Ports } from '../ports/ports.ts';
import { otherDigest, type ReadOwn, readKept, readNamed } from './stored.ts';

/** Keys that one listing effect takes in: a commit each, and a chunk of the manifest. */
const keysPerPart = 50_000;

/** A dataset manifest: which objects, and in which chunks their identities are written down. Jobs read it, never the prefix. */
export interface Manifest {
  readonly bucket: string;
  readonly prefix: string;
  readonly objects: number;
  readonly bytes: number;
  /** Objects in the project's own bucket, each `{objects: [{key, version, bytes}]}`. */
  readonly chunks: readonly string[];
}

type ListOrder = Extract<Order, { kind: 'list' }>;

/**
 * One part of a listing: up to 50,000 keys, and at its end the manifest of the dataset version.
 *
 * The digest is a hash chain over (key, version, size) in key order, one link per object, so where the parts were cut
 * does not matter. What is no data (`notData`) is left out and counted, the marker or manifest object as well. It is
 * looked at before the first key and has to be the same at the end, so a listing never takes in more than it released.
 * Twice: the same objects are written again.
 */
export async function listDataset(
  order: ListOrder,
  ports: Ports,
  at: number,
): Promise<{ readonly progress: ListingProgress; readonly dataset?: DatasetVersion }> {
  const bucket = ports.bucket(order.bucket);
  const own = ports.bucket(ownBucket);
  const gate = await gateOf(order, bucket);
  const begun = { chain: '', chunks: [], objects: 0, bytes: 0, complete: false, ...defined({ gate: gate?.write }) };
  const before: ListingProgress = order.progress ?? begun;
  const wanted = await wantedBy(order, gate, bucket);
  if (wanted === 'waits') return { progress: stopped(before) };
  const { objects, leftOut, cursor } = await takeKeys(bucket, order.prefix, before.cursor);
  const named = objects.filter(({ key }) => key !== gate?.key && (wanted === undefined || wanted.has(key)));
  const progress = await advanced(before, named, leftOut, order, own);
  if (cursor !== undefined) return { progress: { ...progress, cursor } };
  const missing = wanted === undefined ? [] : await missingOf(wanted, progress, own);
  if (missing.length > 0) return { progress: { ...progress, missing } };
  if ((await gateOf(order, bucket))?.write !== progress.gate) return { progress };
  const ended = { ...progress, complete: gate !== undefined };
  return ended.objects === 0
    ? { progress: ended }
    : { progress: ended, dataset: await writeManifest(own, order, ended, at) };
}

/** With the objects of one more part. */
async function advanced(
  before: ListingProgress,
  named: readonly ObjectInfo[],
  unlisted: readonly LeftOut[],
  { prefix }: ListOrder,
  own: Bucket,
): Promise<ListingProgress> {
  const data = named.filter(({ key, bytes }) => notData(key, bytes, prefix) === undefined);
  const leftOut = allLeftOut([...(before.leftOut ?? []), ...unlisted, ...namedLeftOut(named, prefix)]);
  return {
    ...stopped(before),
    chain: chained(before.chain, data),
    chunks: [...before.chunks, ...(await writeChunk(own, data))],
    objects: before.objects + data.length,
    bytes: data.reduce((sum, { bytes }) => sum + bytes, before.bytes),
    ...(leftOut.length === 0 ? {} : { leftOut }),
  };
}

const stopped = ({ cursor: _, ...progress }: ListingProgress): ListingProgress => progress;

/** The marker or manifest object that the order names, and the name of this write of it; `undefined`: it is not there. */
async function gateOf(
  order: ListOrder,
  bucket: Bucket,
): Promise<{ readonly key: string; readonly write: string } | undefined> {
  const key = order.marker ?? order.manifest;
  // Its key comes first of all that begin with it.
  const [first] = key === undefined ? [] : (await bucket.list(key)).items;
  if (first === undefined || first.key !== key) return undefined;
  return { key, write: digestOf([order.bucket, key, first.version, first.written ?? '']) };
}

/** The keys that may be taken; `undefined`: all. `waits`: what says so is not there. */
async function wantedBy(
  { marker, manifest, prefix }: ListOrder,
  gate: object | undefined,
  bucket: Bucket,
): Promise<ReadonlySet<string> | undefined | 'waits'> {
  if (marker === undefined && manifest === undefined) return undefined;
  if (gate === undefined) return 'waits';
  return manifest === undefined ? undefined : ((await readWanted(bucket, manifest, prefix)) ?? 'waits');
}

const leftOutWords: Readonly<Record<NotData, string | undefined>> = {
  folder: undefined,
  marker: undefined,
  hidden: 'hidden by name',
  temporary: 'temporary by name',
  empty: 'empty',
};

function namedLeftOut(objects: readonly ObjectInfo[], prefix: string): readonly LeftOut[] {
  return objects.flatMap(({ key, bytes }) => {
    const why = notData(key, bytes, prefix);
    const what = why === undefined ? undefined : leftOutWords[why];
    return what === undefined ? [] : [{ what, objects: 1, first: key }];
  });
}

/** One row per kind. */
function allLeftOut(rows: readonly LeftOut[]): readonly LeftOut[] {
  const sums = new Map<string, LeftOut>();
  for (const { what, objects, first } of rows) {
    const known = sums.get(what);
    sums.set(what, { what, objects: (known?.objects ?? 0) + objects, first: known?.first ?? first });
  }
  return [...sums.values()];
}

const maxMissing = 3;

/** The first keys that a user's manifest names and that are not there, or are still empty. */
async function missingOf(
  wanted: ReadonlySet<string>,
  { objects, chunks }: ListingProgress,
  own: Bucket,
): Promise<readonly string[]> {
  if (objects >= wanted.size) return [];
  const found = new Set<string>();
  for (const chunk of chunks) {
    const content = await readNamed((key, maxBytes) => own.read({ key, maxBytes }), chunk, { sha256: sha256Hex });
    if (content !== undefined) for (const { key } of objectsIn(content)) found.add(key);
  }
  return [...wanted].filter((key) => !found.has(key)).slice(0, maxMissing);
}

const chained = (before: string, objects: readonly ObjectInfo[]): string =>
  objects.reduce(
    (chain, { key, version, bytes }) => sha256Hex(`${chain}\n${JSON.stringify([key, version, bytes])}`),
    before,
  );

async function takeKeys(
  bucket: Bucket,
  prefix: string,
  from: string | undefined,
): Promise<{
  readonly objects: readonly ObjectInfo[];
  readonly leftOut: readonly LeftOut[];
  readonly cursor?: string;
}> {
  const objects: ObjectInfo[] = [];
  const leftOut: LeftOut[] = [];
  let cursor = from;
  do {
    const page = await bucket.list(prefix, cursor);
    objects.push(...page.items);
    leftOut.push(...(page.leftOut ?? []));
    cursor = page.next;
  } while (cursor !== undefined && objects.length < keysPerPart);
  return { objects, leftOut, ...(cursor === undefined ? {} : { cursor }) };
}

async function writeChunk(own: Bucket, objects: readonly ObjectInfo[]): Promise<readonly string[]> {
  if (objects.length === 0) return [];
  const content = encodeText(
    JSON.stringify({ objects: objects.map(({ key, version, bytes }) => ({ key, version, bytes })) }),
  );
  const key = `datasets/chunks/${sha256Hex(content)}.json`;
  await own.write(key, content, { ifAbsent: true });
  return [key];
}

async function writeManifest(
  own: Bucket,
  order: ListOrder,
  { chain, chunks, objects, bytes, leftOut }: ListingProgress,
  at: number,
): Promise<DatasetVersion> {
  const { bucket, prefix, model } = order;
  const digest = datasetDigest(bucket, prefix, chain);
  const manifest: Manifest = { bucket, prefix, objects, bytes, chunks };
  const key = manifestKey(model, digest);
  await own.write(key, encodeText(JSON.stringify(manifest)), { ifAbsent: true });
  return { digest, bucket, prefix, manifest: key, objects, bytes, at, ...defined({ leftOut }) };
}

const datasetDigest = (bucket: string, prefix: string, chain: string): string =>
  sha256Hex(JSON.stringify([bucket, prefix, chain]));

export const manifestKey = (model: string, digest: string): string => `datasets/${model}/${digest}.json`;

/** The dataset digest that a manifest's key ends in; `undefined` for another key. */
export const digestOfManifest = (key: string): string | undefined =>
  /^datasets\/[^/]+\/([0-9a-f]{64})\.json$/.exec(key)?.[1];

/**
 * The objects of a dataset version, part by part in key order, each with the manifest.
 *
 * A part is compared with its own digest before it comes, and all of them with the digest of the version after the last
 * one: a job may begin only when the walk has ended well. What is missing, or is not what it was, is `invalid`.
 */
export async function* datasetParts(
  read: ReadOwn,
  key: string,
  sha256: (content: Uint8Array) => string = sha256Hex,
): AsyncGenerator<{ readonly manifest: Manifest; readonly objects: readonly ObjectInfo[] }> {
  const manifest = await readManifest(read, key);
  let chain = '';
  for (const chunk of manifest.chunks) {
    const content = await readNamed(read, chunk, { sha256 });
    if (content === undefined) throw unusable(chunk, 'is not there');
    const objects = objectsIn(content);
    yield { manifest, objects };
    chain = chained(chain, objects);
  }
  const found = datasetDigest(manifest.bucket, manifest.prefix, chain);
  const wanted = digestOfManifest(key);
  if (wanted === found) return;
  if (wanted === undefined) throw unusable(key, 'is not named by the digest of a dataset version');
  throw otherDigest(`the dataset version that ${key} describes`, wanted, found, mend);
}

/**
 * The objects of one chunk of a dataset version, compared with its own digest. Whether the chunks are those of the version,
 * only the whole walk says.
 */
export async function datasetChunk(
  read: ReadOwn,
  key: string,
  chunk: number,
): Promise<{ readonly objects: readonly ObjectInfo[]; readonly isLast: boolean }> {
  const { chunks } = await readManifest(read, key);
  const name = chunks[chunk];
  return {
    objects: name === undefined ? [] : objectsIn(await readKept(read, name)),
    isLast: chunk + 1 >= chunks.length,
  };
}

// Written by `writeChunk`, as its digest says.
const objectsIn = (chunk: Uint8Array): readonly ObjectInfo[] =>
  (JSON.parse(decodeText(chunk)) as { readonly objects: readonly ObjectInfo[] }).objects;

const mend = 'restore it from a backup, or delete it: the next listing of the data writes it again';

const unusable = (key: string, why: string): Fault =>
  new Fault('invalid', `${key} in the bucket '${ownBucket}' ${why}; ${mend}`);

async function readManifest(read: ReadOwn, key: string): Promise<Manifest> {
  const object = await read(key, maxManifestBytes);
  if (object === undefined) throw unusable(key, 'is not there');
  if (object.truncated) throw unusable(key, `is larger than ${maxManifestBytes} bytes`);
  try {
    const manifest = JSON.parse(decodeText(object.content)) as Manifest;
    if (manifest.chunks.every((chunk) => typeof chunk === 'string')) return manifest;
  } catch {
    // Refused below, like every other content that is not a manifest.
  }
  throw unusable(key, 'is not a dataset manifest');
}

const maxManifestBytes = 64_000_000;

/** The keys that a user's manifest object names: `{"files": [...]}` or a list, relative to the prefix. */
async function readWanted(bucket: Bucket, key: string, prefix: string): Promise<ReadonlySet<string> | undefined> {
  const object = await bucket.read({ key, maxBytes: 16_000_000 });
  if (object === undefined) return undefined;
  const problem = (what: string): Fault =>
    new Fault(
      'invalid',
      `the manifest object '${key}' ${what}; write {"files": ["a.csv", ...]}, relative to '${prefix}'`,
    );
  if (object.truncated) throw problem('is larger than 16 MB');
  let parsed: unknown;
  try {
    parsed = JSON.parse(decodeText(object.content));
  } catch {
    throw problem('is not JSON');
  }
  const files = Array.isArray(parsed) ? parsed : (parsed as { readonly files?: unknown } | null)?.files;
  if (!Array.isArray(files) || !files.every((file) => typeof file === 'string')) throw problem('names no files');
  const keys = files.map((file) => prefix + file);
  const hidden = keys.find((name) => notData(name, 1, prefix) !== undefined);
  if (hidden !== undefined) throw problem(`names '${hidden}', which has the name of a marker or a temporary file`);
  return new Set(keys);
}
