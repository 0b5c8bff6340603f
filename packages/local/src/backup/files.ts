import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, lstat, mkdir, readdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isMissing } from '../machine/faults.ts';

/** One file of a backup: its path with slashes, its size, and the SHA-256 of its bytes. */
export interface BackedUpFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a start makes anew, and what belongs to the process that runs. */
const leftOut =
  /^(serin\.sqlite.*|captures\.sqlite.*|lock\.sqlite.*|journal\.seen.*|server\.json|serving(\/.*)?|mlflow\/artifacts\/incoming\/.*)$/;
/** What the server writes before it gives it its name; where people name files, they may end so as well. */
const drafts = /\.new$/;
const namedByPeople = /^(buckets\/[^/]+\/(?!\.serin-objects\/)|jobs\/[0-9a-f]{32}\/tree\/|mlflow\/artifacts\/)/;
/** Copies of data and code that a job got: the originals are in the buckets. */
const staged = /^jobs\/[0-9a-f]{32}\/tree\/(input\/data|code|tmp|home)\//;

/** The files of a data directory that a backup holds, besides its database. Links are not followed, and not kept. */
export async function filesToKeep(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      join(parentPath, name)
        .slice(directory.length + 1)
        .split(sep)
        .join('/'),
    )
    .filter((path) => !leftOut.test(path) && !staged.test(path))
    .filter((path) => !drafts.test(path) || namedByPeople.test(path))
    .sort();
}

/** Copies a file with its permissions; `undefined`: it is not there any more. */
export async function copyFile(from: string, to: string, path: string): Promise<BackedUpFile | undefined> {
  try {
    const { mode } = await lstat(join(from, path));
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const hash = createHash('sha256');
    let bytes = 0;
    const source = createReadStream(join(from, path));
    source.on('data', (part) => {
      hash.update(part);
      bytes += part.length;
    });
    await pipeline(source, createWriteStream(target, { mode: 0o600, flags: 'wx', flush: true }));
    await chmod(target, mode & 0o777);
    return { path, bytes, sha256: hash.digest('hex') };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A path of a backup that leads nowhere else. */
export const isInside = (path: string): boolean =>
  path !== '' && !path.startsWith('/') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
