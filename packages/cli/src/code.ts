import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { encodeText, sha256Hex } from '@serin/core/json';
import { Failure } from './failure.ts';

export interface CodeFile {
  /** With `/`, relative to the folder. */
  readonly path: string;
  readonly blob: string;
  readonly bytes: number;
  readonly executable: boolean;
  /** Where it is read from; no part of the manifest. */
  readonly source: string;
}

/** A folder of code as a release stores it: blobs by content, and a manifest whose own digest names the folder. */
export interface CodeFolder {
  readonly directory: string;
  readonly digest: string;
  readonly manifest: Uint8Array;
  readonly files: readonly CodeFile[];
}

const ignored = new Set(['.git', 'node_modules', '.serin', '__pycache__']);
const maxBytes = 200_000_000;
const maxFiles = 10_000;

/** Belongs to no release: other versions of the code, its dependencies, what running it leaves. */
export const isIgnored = (name: string): boolean => ignored.has(name) || name.endsWith('.pyc');

/**
 * Hashes a folder. Equal content, names and execute bits give an equal digest, whatever the times and the order on disk.
 *
 * Symbolic links, more than 200 MB and what is no file are refused: a job on another machine would not see the same.
 */
export async function hashFolder(directory: string): Promise<CodeFolder> {
  const found = await filesIn(directory, '', directory);
  const total = found.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxBytes) throw tooBig(directory, found, total);
  if (found.length === 0) throw new Failure(2, `the code folder ${directory} has no files`);
  return folderOf(directory, found);
}

/** The same of files that lie in several places, as one flat folder. */
export async function hashFiles(sources: readonly string[]): Promise<CodeFolder> {
  return folderOf('', await Promise.all(sources.map((source) => fileAt(source, basename(source)))));
}

async function folderOf(directory: string, found: readonly Found[]): Promise<CodeFolder> {
  const files: CodeFile[] = [];
  for (const file of found.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
    files.push({ ...file, blob: await hashFile(file.source) });
  const entries = files.map(({ path, blob, bytes, executable }) => ({ path, blob, bytes, executable }));
  const manifest = encodeText(JSON.stringify({ files: entries }));
  return { directory, digest: sha256Hex(manifest), manifest, files };
}

type Found = Omit<CodeFile, 'blob'>;

async function filesIn(directory: string, under: string, root: string): Promise<Found[]> {
  const entries = await readdir(join(directory), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(2, `cannot read the code folder ${directory}`, { why: error.message, cause: error });
  });
  const found: Found[] = [];
  for (const entry of entries.filter(({ name }) => !isIgnored(name))) {
    const path = `${under}${entry.name}`;
    const file = join(directory, entry.name);
    if (entry.isDirectory()) found.push(...(await filesIn(file, `${path}/`, root)));
    else if (entry.isFile()) found.push(await fileAt(file, path));
    else
      throw new Failure(
        2,
        `${path} in the code folder ${root} is ${entry.isSymbolicLink() ? 'a symbolic link' : 'no regular file'}`,
        { why: 'a job on another machine would not find what it points to', mend: 'put the file itself there' },
      );
    if (found.length > maxFiles)
      throw new Failure(2, `the code folder ${root} has more than ${maxFiles} files`, {
        mend: "name a smaller folder as 'code'; data goes into the bucket",
      });
  }
  return found;
}

async function fileAt(file: string, path: string): Promise<Found> {
  const { size, mode } = await lstat(file);
  return { path, bytes: size, executable: (mode & 0o111) !== 0, source: file };
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

function tooBig(directory: string, files: readonly Found[], total: number): Failure {
  const largest = [...files].sort((a, b) => b.bytes - a.bytes)[0];
  return new Failure(2, `the code folder ${directory} has ${megabytes(total)}, more than ${megabytes(maxBytes)}`, {
    why: `every job gets a copy of it; the largest file is ${largest?.path} (${megabytes(largest?.bytes ?? 0)})`,
    mend: "put data into the bucket, or name a smaller folder as 'code'",
  });
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
