import { createHash } from 'node:crypto';
import { notData } from '@serin/core/base/data-files';
import { Fault } from '@serin/core/base/fault';
import { datasetParts } from '@serin/core/engine/dataset';
import { otherDigest } from '@serin/core/engine/stored';
import { type Bucket, ownBucket } from '@serin/core/ports/bucket';
import type { Source } from '@serin/core/ports/jobs';

export type ManifestSource = Extract<Source, { kind: 'manifest' }>;

/** The file by which a cloud is told which objects a channel has. */
export interface ListFormat {
  /** As an error names it. */
  readonly name: string;
  /** It is held in memory once. */
  readonly maxBytes: number;
  begin(bucket: string, folder: string): string;
  item(path: string): string;
  readonly end: string;
}

export interface DatasetList {
  /** Of the list, in the own bucket. */
  readonly key: string;
  /** In which the files are. */
  readonly bucket: string;
  /** How much all files of the dataset are. */
  readonly bytes: number;
}

type Buckets = (name: string) => Bucket;

/**
 * A dataset manifest as a list of a cloud, in the own bucket. It is named by its content.
 *
 * The dataset is read and compared with its digest each time, and so is a list that is there already. Either is
 * `invalid` if it was changed. A channel has the files under their keys without the longest folder of the prefix.
 * Objects that older code listed although they are not data are left out. Keys that cannot be a path below the channel,
 * and a list that is too large, are `invalid`.
 */
export async function datasetList(source: ManifestSource, buckets: Buckets, format: ListFormat): Promise<DatasetList> {
  const { content, ...list } = await listOf(source, buckets, format);
  const digest = sha256(content);
  const key = `datasets/manifests/${digest}.json`;
  const own = buckets(ownBucket);
  const kept = await own.read({ key, maxBytes: format.maxBytes });
  if (kept === undefined) await own.write(key, content, { ifAbsent: true });
  else if (sha256(kept.content) !== digest)
    throw otherDigest(`${key} in the bucket '${ownBucket}'`, digest, sha256(kept.content), 'delete it');
  return { key, ...list };
}

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function listOf(
  source: ManifestSource,
  buckets: Buckets,
  { name, maxBytes, begin, item, end }: ListFormat,
): Promise<Omit<DatasetList, 'key'> & { readonly content: Uint8Array }> {
  const { under, key, bucket } = source;
  const pieces: Uint8Array[] = [];
  let size = 0;
  let [bytes, of] = [0, ''];
  const refused = (why: string) =>
    new Fault('invalid', `${key} in the bucket ${bucket} ${why}; start a new run, which lists the data again`);
  for await (const { manifest, objects } of datasetParts(
    (key, maxBytes) => buckets(bucket).read({ key, maxBytes }),
    key,
    sha256,
  )) {
    const start = under ?? manifest.prefix;
    const folder = start.slice(0, start.lastIndexOf('/') + 1);
    [bytes, of] = [manifest.bytes, manifest.bucket];
    if (pieces.length === 0) pieces.push(Buffer.from(begin(manifest.bucket, folder)));
    const paths = objects
      .filter(({ key, bytes }) => key.startsWith(under ?? '') && notData(key, bytes, manifest.prefix) === undefined)
      .map(({ key }) => item(pathBelow(folder, key)));
    const piece = Buffer.from(paths.join(''));
    pieces.push(piece);
    size += piece.length;
    if (size > maxBytes) throw refused(`names more objects than ${name} of ${maxBytes} bytes holds`);
  }
  if (size === 0) throw refused(`has no objects under '${under ?? 'its prefix'}'`);
  return { content: Buffer.concat([...pieces, Buffer.from(end)]), bytes, bucket: of };
}

/** An object is written to this path below the channel. */
function pathBelow(folder: string, key: string): string {
  const path = key.slice(folder.length);
  const parts = path.split('/');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  if (!/[\x00-\x1f\x7f\\]/.test(path) && parts.every((part) => part !== '' && part !== '.' && part !== '..'))
    return path;
  throw new Fault(
    'invalid',
    `the object ${JSON.stringify(key)} cannot be a file of a channel; rename it, or move it out of the prefix of the dataset`,
  );
}
