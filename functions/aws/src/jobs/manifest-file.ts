import { createHash } from 'node:crypto';
import { notData } from '@serin/core/base/data-files';
import { Fault } from '@serin/core/base/fault';
import { datasetParts } from '@serin/core/engine/dataset';
import { otherDigest } from '@serin/core/engine/stored';
import { ownBucket } from '@serin/core/ports/bucket';
import type { Source } from '@serin/core/ports/jobs';
import type { Buckets } from './settings.ts';

export type ManifestSource = Extract<Source, { kind: 'manifest' }>;

/** Of SageMaker's manifest file: about a million objects; it is held in memory once. */
const maxBytes = 64_000_000;

/**
 * A dataset manifest as SageMaker's ManifestFile, in the own bucket; answers its key there. It is named by its content.
 *
 * The dataset is read and compared with its digest each time, and so is a file that is there already: what is not what it
 * was is `invalid`. A channel has the files under their keys without the longest folder of the prefix. SageMaker names
 * objects without versions: one that is overwritten after the dataset was checked reaches the job in its new content. What
 * older code listed though it is no data is left out. Keys that cannot be a path below the channel, and a file of more than 64 MB,
 * are `invalid`.
 *
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
 */
export async function manifestFile(
  source: ManifestSource,
  buckets: Buckets,
): Promise<{ readonly key: string; readonly bytes: number }> {
  const { content, bytes } = await fileOf(source, buckets);
  const digest = sha256(content);
  const key = `datasets/manifests/${digest}.json`;
  const own = buckets(ownBucket);
  const kept = await own.read({ key, maxBytes });
  if (kept === undefined) await own.write(key, content, { ifAbsent: true });
  else if (sha256(kept.content) !== digest)
    throw otherDigest(`${key} in the bucket '${ownBucket}'`, digest, sha256(kept.content), 'delete it');
  return { key, bytes };
}

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function fileOf(source: ManifestSource, buckets: Buckets): Promise<{ content: Uint8Array; bytes: number }> {
  const { under, key, bucket } = source;
  const pieces: Uint8Array[] = [];
  let size = 0;
  let bytes = 0;
  const refused = (why: string) =>
    new Fault('invalid', `${key} in the bucket ${bucket} ${why}; the job cannot be given its files`);
  for await (const { manifest, objects } of datasetParts(
    (key, maxBytes) => buckets(bucket).read({ key, maxBytes }),
    key,
    sha256,
  )) {
    const start = under ?? manifest.prefix;
    const folder = start.slice(0, start.lastIndexOf('/') + 1);
    bytes = manifest.bytes;
    if (pieces.length === 0)
      pieces.push(Buffer.from(JSON.stringify([{ prefix: `s3://${manifest.bucket}/${folder}` }]).slice(0, -1)));
    const names = objects
      .filter(({ key, bytes }) => key.startsWith(under ?? '') && notData(key, bytes, manifest.prefix) === undefined)
      .map(({ key }) => `,${JSON.stringify(pathBelow(folder, key))}`);
    const piece = Buffer.from(names.join(''));
    pieces.push(piece);
    size += piece.length;
    if (size > maxBytes) throw refused(`names more objects than SageMaker's manifest file of ${maxBytes} bytes holds`);
  }
  if (size === 0) throw refused(`has no objects under '${under ?? 'its prefix'}'`);
  return { content: Buffer.concat([...pieces, Buffer.from(']')]), bytes };
}

/** SageMaker writes each object to this path below the channel. */
function pathBelow(folder: string, key: string): string {
  const path = key.slice(folder.length);
  const parts = path.split('/');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  if (!/[\x00-\x1f\x7f\\]/.test(path) && parts.every((part) => part !== '' && part !== '.' && part !== '..'))
    return path;
  throw new Fault(
    'invalid',
    `the object ${JSON.stringify(key)} cannot become a file of a SageMaker channel; rename it, or keep it out of the dataset's prefix`,
  );
}
