import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '@serin/core/fault';
import { ownBucket } from '@serin/core/ports';
import { isSafePath, readManifest, type Stores } from './stores.ts';

interface CodeFile {
  readonly path: string;
  readonly blob: string;
  readonly bytes: number;
  readonly executable: boolean;
}

const isDigest = (text: unknown): text is string => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);

/** Brings a code folder: `code/<digest>.json` names the files, `code/blobs/<sha256>` hold them. */
export async function stageCode(
  digest: string,
  directory: string,
  stores: Pick<Stores, 'readObject'>,
  signal?: AbortSignal,
): Promise<void> {
  if (!/^[0-9a-f]{16,64}$/.test(digest))
    throw new Fault('invalid', `'${digest}' is no digest of a code folder; release the code again`);
  const manifest = (await readManifest(ownBucket, `code/${digest}.json`, stores)) as { readonly files?: unknown };
  const files = Array.isArray(manifest.files) ? (manifest.files as readonly Partial<CodeFile>[]) : [];
  const paths = new Set<string>();
  for (const { path, blob, bytes, executable } of files) {
    signal?.throwIfAborted();
    if (
      typeof path !== 'string' ||
      !isSafePath(path) ||
      paths.has(path) ||
      !isDigest(blob) ||
      !Number.isSafeInteger(bytes)
    ) {
      throw new Fault(
        'invalid',
        `the code ${digest} names a file that cannot be placed: ${JSON.stringify(path)}; release the code again`,
      );
    }
    paths.add(path);
    const content = await readBlob(blob, Number(bytes), path, stores);
    const target = join(directory, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { mode: executable === true ? 0o755 : 0o644, flag: 'wx' });
  }
}

async function readBlob(
  blob: string,
  bytes: number,
  path: string,
  stores: Pick<Stores, 'readObject'>,
): Promise<Uint8Array> {
  const object = await stores.readObject(ownBucket, `code/blobs/${blob}`, Math.max(1, bytes));
  if (object !== undefined && !object.truncated && object.content.length === bytes && hashOf(object.content) === blob)
    return object.content;
  const what = object === undefined ? 'is missing' : 'is not what was released';
  throw new Fault('invalid', `the code file '${path}' (${blob}) ${what}; release the code again`);
}

const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
