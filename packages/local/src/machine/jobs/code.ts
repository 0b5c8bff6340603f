import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CodeFile, readBlob, readCode } from '@serin/core/engine/stored';
import { hashFile, sha256Of } from '../objects/versions.ts';
import { ownObjects, type Stores } from './stores.ts';

type OwnStore = Pick<Stores, 'readObject'>;

/** Brings a code folder: `code/<digest>.json` names the files, `code/blobs/<sha256>` hold them. */
export async function stageCode(
  digest: string,
  directory: string,
  stores: OwnStore,
  signal?: AbortSignal,
): Promise<void> {
  const read = ownObjects(stores);
  for (const file of await readCode(read, digest)) {
    signal?.throwIfAborted();
    const content = await readBlob(read, file, sha256Of);
    const target = join(directory, file.path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { mode: file.executable ? 0o755 : 0o644, flag: 'wx' });
  }
}

/** Whether a folder holds every file of the code as it was released; files beside them, as programs leave, do not count. */
export async function holdsCode(digest: string, directory: string, stores: OwnStore): Promise<boolean> {
  const isThere = async ({ path, blob }: CodeFile) => (await hashFile(join(directory, path))) === blob;
  for (const file of await readCode(ownObjects(stores), digest)) if (!(await isThere(file))) return false;
  return true;
}
