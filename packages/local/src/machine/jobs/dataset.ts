import { chmod, mkdir } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { sha256Hex } from '@serin/core/base/json';
import { datasetParts } from '@serin/core/engine/dataset';
import { isSafePath, type ReadOwn } from '@serin/core/engine/stored';
import type { ObjectInfo } from '@serin/core/ports/bucket';
import type { Source } from '@serin/core/ports/jobs';
import { sha256Of } from '../objects/versions.ts';
import type { Stores } from './stores.ts';

const copiesAtOnce = 4;

/**
 * Brings the objects that a dataset manifest names, read-only, each at the version that it names. The channel may be used
 * when this has ended well: only then are all parts of the manifest known to be those of the dataset's digest.
 */
export async function stageManifest(
  source: Extract<Source, { kind: 'manifest' }>,
  channel: string,
  stores: Stores,
  signal: AbortSignal,
): Promise<void> {
  const read: ReadOwn = (key, maxBytes) => stores.readObject(source.bucket, key, maxBytes);
  let nameOf: ((key: string) => string) | undefined;
  for await (const { manifest, objects } of datasetParts(read, source.key, sha256Of)) {
    nameOf ??= channelNames(source.under ?? manifest.prefix);
    const toName = nameOf;
    const wanted = objects.filter(({ key }) => key.startsWith(source.under ?? ''));
    for (let from = 0; from < wanted.length; from += copiesAtOnce) {
      signal.throwIfAborted();
      const named = wanted.slice(from, from + copiesAtOnce).map((object) => ({ object, name: toName(object.key) }));
      await Promise.all(named.map(({ object, name }) => place(object, join(channel, name), manifest.bucket, stores)));
    }
  }
}

async function place({ key, version }: ObjectInfo, target: string, bucket: string, stores: Stores): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await stores.materialise(bucket, key, version, target);
  await chmod(target, 0o444);
}

/** The file of each key: the key without the folder of the prefix where that is a safe path that is still free, else its digest. */
function channelNames(prefix: string): (key: string) => string {
  const folder = prefix.lastIndexOf('/') + 1;
  const files = new Set<string>();
  const folders = new Set<string>();
  const parents = (path: string) =>
    path
      .split('/')
      .slice(0, -1)
      .map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  return (key) => {
    const path = key.slice(folder).replace(/^\/+/, '') || (key.split('/').at(-1) ?? '');
    const free =
      isSafePath(path) && !files.has(path) && !folders.has(path) && !parents(path).some((parent) => files.has(parent));
    const name = free ? path : sha256Hex(key) + (/^\.\w{1,16}$/.exec(extname(key))?.[0] ?? '');
    files.add(name);
    for (const parent of parents(name)) folders.add(parent);
    return name;
  };
}
