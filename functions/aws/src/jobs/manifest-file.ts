import { notData } from '@serin/core/data-files';
import type { Manifest } from '@serin/core/dataset';
import { Fault } from '@serin/core/fault';
import { digestOf } from '@serin/core/json';
import { type ObjectInfo, ownBucket, type Source } from '@serin/core/ports';
import type { Buckets } from './settings.ts';

type ManifestSource = Extract<Source, { kind: 'manifest' }>;

/** Of our manifests, and of SageMaker's manifest file: about a million objects; it is held in memory once. */
const maxBytes = 64_000_000;

/**
 * A dataset manifest as SageMaker's ManifestFile, in the own bucket; answers its key there. Written once per source.
 *
 * A channel has the files under their keys without the longest folder of the prefix. SageMaker names objects without
 * versions: one that is overwritten after the dataset was checked reaches the job in its new content. What older code
 * listed though it is no data is left out. Keys that cannot be a path below the channel, and a file of more than 64 MB,
 * are `invalid`.
 *
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
 */
export async function manifestFile(
  source: ManifestSource,
  buckets: Buckets,
): Promise<{ readonly key: string; readonly bytes: number }> {
  const manifest = (await readJson(source, source.key, buckets)) as Manifest;
  if (!Array.isArray(manifest.chunks)) throw unusable(source, source.key, 'is no dataset manifest');
  const key = `datasets/manifests/${digestOf([source.bucket, source.key, source.under ?? ''])}.json`;
  const own = buckets(ownBucket);
  if ((await own.read({ key, maxBytes: 1 })) === undefined)
    await own.write(key, await fileOf(source, manifest, buckets), { ifAbsent: true });
  return { key, bytes: manifest.bytes };
}

async function fileOf(source: ManifestSource, manifest: Manifest, buckets: Buckets): Promise<Uint8Array> {
  const start = source.under ?? manifest.prefix;
  const folder = start.slice(0, start.lastIndexOf('/') + 1);
  const pieces = [Buffer.from(JSON.stringify([{ prefix: `s3://${manifest.bucket}/${folder}` }]).slice(0, -1))];
  let bytes = 1;
  for (const chunk of manifest.chunks) {
    const { objects } = (await readJson(source, chunk, buckets)) as { readonly objects: readonly ObjectInfo[] };
    if (!Array.isArray(objects)) throw unusable(source, chunk, 'is no part of a dataset manifest');
    const names = objects
      .filter(
        ({ key, bytes }) => key.startsWith(source.under ?? '') && notData(key, bytes, manifest.prefix) === undefined,
      )
      .map(({ key }) => `,${JSON.stringify(pathBelow(folder, key))}`);
    pieces.push(Buffer.from(names.join('')));
    bytes += pieces.at(-1)?.length ?? 0;
    if (bytes > maxBytes)
      throw unusable(
        source,
        source.key,
        `names more objects than SageMaker's manifest file of ${maxBytes} bytes holds`,
      );
  }
  if (bytes === 1) throw unusable(source, source.key, `has no objects under '${start}'`);
  return Buffer.concat([...pieces, Buffer.from(']')]);
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

async function readJson(source: ManifestSource, key: string, buckets: Buckets): Promise<unknown> {
  const object = await buckets(source.bucket).read({ key, maxBytes });
  if (object === undefined) throw unusable(source, key, 'is not there');
  if (object.truncated) throw unusable(source, key, `is larger than ${maxBytes} bytes`);
  try {
    return JSON.parse(new TextDecoder().decode(object.content));
  } catch (error) {
    throw unusable(source, key, 'is not JSON', error);
  }
}

const unusable = ({ bucket }: ManifestSource, key: string, why: string, cause?: unknown): Fault =>
  new Fault('invalid', `${key} in the bucket ${bucket} ${why}; the job cannot be given its files`, { cause });
