import type { Order } from './effect.ts';
import { Fault } from './fault.ts';
import { decodeText, encodeText, sha256Hex } from './json.ts';
import { type Bucket, type ObjectInfo, ownBucket, type Ports } from './ports.ts';
import type { DatasetVersion, ListingProgress } from './signal.ts';
import { otherDigest, type ReadOwn, readNamed } from './stored.ts';

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
 * does not matter. Marker and manifest objects are not part of the data. Twice: the same objects are written again.
 */
export async function listDataset(
  order: ListOrder,
  ports: Ports,
  at: number,
): Promise<{ readonly progress: ListingProgress; readonly dataset?: DatasetVersion }> {
  const before = order.progress ?? { chain: '', chunks: [], objects: 0, bytes: 0, complete: false };
  const bucket = ports.bucket(order.bucket);
  const wanted = order.manifest === undefined ? undefined : await readWanted(bucket, order.manifest, order.prefix);
  const { objects, cursor } = await takeKeys(bucket, order.prefix, before.cursor);
  const gate = order.marker ?? order.manifest;
  const data = objects.filter(({ key }) => key !== gate && (wanted === undefined || wanted.has(key)));
  const own = ports.bucket(ownBucket);
  const chunk = await writeChunk(own, data);
  const progress: ListingProgress = {
    chain: chained(before.chain, data),
    chunks: [...before.chunks, ...chunk],
    objects: before.objects + data.length,
    bytes: data.reduce((sum, { bytes }) => sum + bytes, before.bytes),
    complete:
      before.complete ||
      (order.manifest === undefined ? objects.some(({ key }) => key === gate) : wanted !== undefined),
    ...(cursor === undefined ? {} : { cursor }),
  };
  if (cursor !== undefined || progress.objects === 0) return { progress };
  if (wanted !== undefined && progress.objects < wanted.size) return { progress: { ...progress, complete: false } };
  return { progress, dataset: await writeManifest(own, order, progress, at) };
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
): Promise<{ readonly objects: readonly ObjectInfo[]; readonly cursor?: string }> {
  const objects: ObjectInfo[] = [];
  let cursor = from;
  do {
    const page = await bucket.list(prefix, cursor);
    objects.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined && objects.length < keysPerPart);
  return { objects, ...(cursor === undefined ? {} : { cursor }) };
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
  { chain, chunks, objects, bytes }: ListingProgress,
  at: number,
): Promise<DatasetVersion> {
  const { bucket, prefix, model } = order;
  const digest = datasetDigest(bucket, prefix, chain);
  const manifest: Manifest = { bucket, prefix, objects, bytes, chunks };
  const key = manifestKey(model, digest);
  await own.write(key, encodeText(JSON.stringify(manifest)), { ifAbsent: true });
  return { digest, bucket, prefix, manifest: key, objects, bytes, at };
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
    const { objects } = JSON.parse(decodeText(content)) as { readonly objects: readonly ObjectInfo[] }; // as its digest
    yield { manifest, objects };
    chain = chained(chain, objects);
  }
  const found = datasetDigest(manifest.bucket, manifest.prefix, chain);
  const wanted = digestOfManifest(key);
  if (wanted === found) return;
  if (wanted === undefined) throw unusable(key, 'is not named by the digest of a dataset version');
  throw otherDigest(`the dataset version that ${key} describes`, wanted, found, mend);
}

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
      `the manifest object '${key}' ${what}; it wants {"files": ["a.csv", ...]}, relative to '${prefix}'`,
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
  return new Set(files.map((file) => prefix + file));
}

const headBytes = 64_000;
const headsChecked = 5;

/**
 * What makes a dataset version unusable, before anything is paid for: missing or changed objects, empty files, more
 * bytes than allowed, missing columns in CSV headers and NDJSON heads. The deep profile comes between this and training.
 */
export async function checkDataset(
  { dataset, columns, maxBytes }: Extract<Order, { kind: 'checkDataset' }>,
  ports: Ports,
): Promise<readonly string[]> {
  const problems: string[] = [];
  if (maxBytes !== undefined && dataset.bytes > maxBytes)
    problems.push(`${dataset.bytes} bytes, more than data.maxBytes (${maxBytes})`);
  if (dataset.bytes === 0) problems.push('all objects are empty');
  try {
    for (const object of await firstObjects(ports.bucket(ownBucket), dataset.manifest))
      problems.push(...(await checkObject(ports.bucket(dataset.bucket), object, columns)));
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'invalid') throw error;
    problems.push(error.message);
  }
  return problems;
}

/** Of a dataset of one part, which nearly all are, the whole is compared with its digest; else its first part is. */
async function firstObjects(own: Bucket, manifest: string): Promise<readonly ObjectInfo[]> {
  const parts = datasetParts((key, maxBytes) => own.read({ key, maxBytes }), manifest);
  const first = await parts.next();
  const {
    objects = [],
    manifest: { chunks },
  } = first.done ? { manifest: { chunks: [] } } : first.value;
  if (chunks.length <= 1) await parts.next();
  return objects.slice(0, headsChecked);
}

async function checkObject(
  bucket: Bucket,
  { key, version, bytes }: ObjectInfo,
  columns: readonly string[],
): Promise<readonly string[]> {
  if (bytes === 0) return [`'${key}' is empty`];
  const object = await bucket.read({ key, version, maxBytes: headBytes });
  if (object === undefined) return [`'${key}' has changed or gone since it was listed`];
  const found = columns.length === 0 ? undefined : columnsOf(key, decodeText(object.content));
  const missing = found === undefined ? [] : columns.filter((column) => !found.includes(column));
  return missing.length === 0
    ? []
    : [
        `'${key}' lacks the column ${missing.map((column) => `'${column}'`).join(', ')} (it has ${(found ?? []).slice(0, 10).join(', ').slice(0, 500) || 'none'})`,
      ];
}

/** Column names of a CSV header or of the first NDJSON line; `undefined` for other kinds of file. */
function columnsOf(key: string, head: string): readonly string[] | undefined {
  const line = head.split(/\r?\n/, 1)[0] ?? '';
  if (/\.csv$/i.test(key))
    return line
      .replace(/^\ufeff/, '')
      .split(',')
      .map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
  if (!/\.(ndjson|jsonl)$/i.test(key)) return undefined;
  try {
    const row: unknown = JSON.parse(line);
    return typeof row === 'object' && row !== null ? Object.keys(row) : [];
  } catch {
    return [];
  }
}
