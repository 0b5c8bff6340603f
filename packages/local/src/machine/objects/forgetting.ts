import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../faults.ts';

/** Deletes the files in a folder, and in the folders below, that were last written before a time. No folder: nothing. */
export async function forgetFiles(root: string, before: number): Promise<void> {
  const files = await orMissing(readdir(root, { recursive: true, withFileTypes: true }));
  for (const file of files ?? []) {
    const path = join(file.parentPath, file.name);
    const stats = file.isFile() ? await orMissing(stat(path)) : undefined;
    if (stats !== undefined && stats.mtimeMs < before) await rm(path, { force: true });
  }
}

const orMissing = <Found>(found: Promise<Found>): Promise<Found | undefined> =>
  found.catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
