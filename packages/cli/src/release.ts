import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { digestOf } from '@serin/core/base/json';
import { type CompiledConfig, codeFolders, compile, splitterFolder } from '@serin/core/config/config';
import { type Platform, platforms } from '@serin/core/config/platforms';
import type { Client } from './client.ts';
import { type CodeFolder, hashFiles, hashFolder } from './code.ts';
import { type LoadedConfig, loadConfig } from './config-file.ts';
import { path } from './invocation.ts';
import { splitterFiles } from './places.ts';

/** What a server runs on, as it says itself; one that says nothing is one machine. */
export async function platformOf(client: Client): Promise<Platform> {
  const { platform } = (await client.get('/version')) as { readonly platform?: unknown };
  return platforms.find((one) => one === platform) ?? 'local';
}

/** A config and its code, ready to be stored: nothing has left this machine yet. */
export interface Prepared {
  readonly config: LoadedConfig;
  readonly compiled: CompiledConfig;
  /** Digest of the compiled config: equal means that a release would change nothing. */
  readonly digest: string;
  /** By the name that the config gives the folder. */
  readonly folders: ReadonlyMap<string, CodeFolder>;
}

/** Loads a config, hashes its code folders and compiles it for a platform. Throws a `Failure` with every problem. */
export async function prepareRelease(file: string, platform: Platform = 'local'): Promise<Prepared> {
  const config = await loadConfig(file);
  const folders = new Map<string, CodeFolder>();
  for (const folder of codeFolders(config.parsed))
    folders.set(folder, await hashFolder(resolve(config.directory, folder)));
  if (usesSplitter(config)) folders.set(splitterFolder, await hashSplitter());
  const digests = new Map([...folders].map(([name, { digest }]) => [name, digest]));
  const compiled = compile(config.parsed, digests, platform);
  return { config, compiled, digest: digestOf(compiled), folders };
}

/** What somebody may miss in the code of a release. */
export const dataLeftOut = ({ folders }: Prepared): readonly string[] =>
  [...folders].flatMap(([name, { dataFolders }]) =>
    dataFolders.map(
      ({ path, files }) =>
        `the code ${name} goes without ${path}/ (${files} files): data comes through the bucket; '!${path}/' in a file .serinignore takes it along`,
    ),
  );

/** The splitter's code: the same digest in the repository and in the published package. */
export const hashSplitter = (): Promise<CodeFolder> => hashFiles(splitterFiles);

const usesSplitter = ({ parsed }: LoadedConfig): boolean =>
  Object.values(parsed.models).some(
    ({ split }) => split !== undefined && 'holdout' in split && split.holdout.by !== 'manifest',
  );

export interface Uploaded {
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Stores what the server does not have yet, the manifest of a folder last: a folder whose manifest is there is whole.
 * Twice, also concurrently: the same objects under the same keys.
 */
export async function uploadCode(
  client: Client,
  folders: Iterable<CodeFolder>,
  told: (line: string, done: number, total: number) => void = () => undefined,
): Promise<Uploaded> {
  let sum: Uploaded = { blobs: 0, bytes: 0 };
  for (const folder of folders) {
    const manifest = `code/${folder.digest}.json`;
    if ((await keysUnder(client, manifest)).has(manifest)) continue;
    const known = await keysUnder(client, 'code/blobs/');
    const missing = folder.files.filter(
      ({ blob }, index, all) =>
        !known.has(`code/blobs/${blob}`) && all.findIndex((file) => file.blob === blob) === index,
    );
    const total = missing.reduce((all, { bytes }) => all + bytes, 0);
    let done = 0;
    for (const { path: file, blob, bytes, source } of missing) {
      told(`storing ${file} (${bytes} bytes)`, done, total);
      done += bytes;
      await put(client, `code/blobs/${blob}`, await readFile(source));
    }
    await put(client, manifest, folder.manifest);
    sum = {
      blobs: sum.blobs + missing.length,
      bytes: sum.bytes + total,
    };
  }
  return sum;
}

async function keysUnder(client: Client, prefix: string): Promise<ReadonlySet<string>> {
  const { items } = await client.list('/v1/buckets/serin/objects', { prefix }, Number.MAX_SAFE_INTEGER);
  return new Set(items.map((item) => String((item as { readonly key?: unknown } | null)?.key)));
}

const put = (client: Client, key: string, bytes: Uint8Array) =>
  client.send({
    method: 'PUT',
    path: `/v1/buckets/serin/objects/${key
      .split('/')
      .map((part) => path`${part}`)
      .join('/')}`,
    bytes,
  });
