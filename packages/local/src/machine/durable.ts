import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { lstat, open, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What a later start believes is durable before it can be believed: after a power cut it is there whole, or not at all. */

const filesAtOnce = 32;

/** Runs work for each item, up to 32 at once. */
export async function forEach<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(filesAtOnce, items.length) }, worker));
}

/** Makes the files and names of a tree durable, or one file; what is neither file nor folder is left alone. */
export async function syncTree(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isFile()) await syncFile(path);
  if (!found?.isDirectory()) return;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const at = (kept: typeof entries) => kept.map(({ parentPath, name }) => join(parentPath, name));
  await forEach(at(entries.filter((entry) => entry.isFile())), syncFile);
  await forEach([...at(entries.filter((entry) => entry.isDirectory())), path], syncFile);
}

// A pipe that took the place of the file meanwhile must not hold this process.
const plainly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function syncFile(file: string): Promise<void> {
  await using handle = await open(file, plainly);
  await handle.sync();
}

/** A folder that was drafted beside its target takes its place: whole and durable, or not at all. */
export async function appearWhole(draft: string, target: string): Promise<void> {
  await syncTree(draft);
  await rename(draft, target);
  syncDirectory(dirname(target));
}

/**
 * Writes text into a file that is never seen in part and is durable on return; only its owner may read it.
 *
 * With `create` exactly one of all callers gets `true`; the others change nothing.
 */
export function writeWhole(file: string, text: string, mode: 'create' | 'replace'): boolean {
  const draft = `${file}.${process.pid}.new`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true });
    if (mode === 'replace') renameSync(draft, file);
    else linkSync(draft, file);
    syncDirectory(dirname(file));
    return true;
  } catch (error) {
    if (mode === 'create' && existsSync(file)) return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** JSON, as `writeWhole`. */
export const writeJson = (file: string, content: unknown, mode: 'create' | 'replace'): boolean =>
  writeWhole(file, JSON.stringify(content), mode);

/** What a file of `writeJson` holds; `undefined` when it is not there or not JSON. */
export function readJson<Content>(file: string): Content | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Content; // written by `writeJson`
  } catch {
    return undefined;
  }
}

/** Makes the names in a directory durable: a rename or link is only on disk once its directory is. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Room that a program which failed for want of it may still have left. */
const leftOverBytes = 1024 * 1024;

/** Of the disk of a directory: nothing of any size can be written to it. */
export function isFull(directory: string): boolean {
  try {
    const { bsize, bfree, bavail, files, ffree } = statfsSync(directory);
    // Some blocks are kept for root.
    const free = (process.getuid?.() === 0 ? bfree : bavail) * bsize;
    return free < leftOverBytes || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
}
