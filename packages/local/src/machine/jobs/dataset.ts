import { chmod, mkdir } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Manifest } from '@serin/core/dataset';
import { Fault } from '@serin/core/fault';
import { sha256Hex } from '@serin/core/json';
import type { ObjectInfo, Source } from '@serin/core/ports';
import { isSafePath, readManifest, type Stores } from './stores.ts';

const copiesAtOnce = 4;

/** Brings the objects that a dataset manifest names, read-only, each at the version that it names. */
export async function stageManifest(
  source: Extract<Source, { kind: 'manifest' }>,
  channel: string,
  stores: Stores,
  signal: AbortSignal,
): Promise<void> {
  const manifest = (await readManifest(source.bucket, source.key, stores)) as Manifest;
  if (!Array.isArray(manifest.chunks))
    throw new Fault('invalid', `${source.key} in the bucket ${source.bucket} is no dataset manifest`);
  const nameOf = channelNames(source.under ?? manifest.prefix);
  for (const chunk of manifest.chunks) {
    const { objects } = (await readManifest(source.bucket, chunk, stores)) as {
      readonly objects: readonly ObjectInfo[];
    };
    if (!Array.isArray(objects))
      throw new Fault('invalid', `${chunk} in the bucket ${source.bucket} is no part of a dataset manifest`);
    const wanted = objects.filter(({ key }) => key.startsWith(source.under ?? ''));
    for (let from = 0; from < wanted.length; from += copiesAtOnce) {
      signal.throwIfAborted();
      await Promise.all(
        wanted.slice(from, from + copiesAtOnce).map(async ({ key, version }) => {
          const target = join(channel, nameOf(key));
          await mkdir(dirname(target), { recursive: true });
          await stores.materialise(manifest.bucket, key, version, target);
          await chmod(target, 0o444);
        }),
      );
    }
  }
}

/** The file of each key: the key without the prefix where that is a safe path that is still free, else its digest. */
function channelNames(prefix: string): (key: string) => string {
  const files = new Set<string>();
  const folders = new Set<string>();
  const parents = (path: string) =>
    path
      .split('/')
      .slice(0, -1)
      .map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  return (key) => {
    const path = key.slice(prefix.length).replace(/^\/+/, '') || (key.split('/').at(-1) ?? '');
    const free =
      isSafePath(path) && !files.has(path) && !folders.has(path) && !parents(path).some((parent) => files.has(parent));
    const name = free ? path : sha256Hex(key) + (/^\.\w{1,16}$/.exec(extname(key))?.[0] ?? '');
    files.add(name);
    for (const parent of parents(name)) folders.add(parent);
    return name;
  };
}
