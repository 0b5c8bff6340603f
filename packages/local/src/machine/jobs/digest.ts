import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import { forEach } from '../durable.ts';
import { openPlain } from '../plain-file.ts';

interface Found {
  /** With `/`, relative to the directory. */
  readonly path: string;
  readonly file: string;
}

/** Files of a directory tree, in byte order of their paths; anything but files and directories is `invalid`. */
export async function filesUnder(directory: string): Promise<readonly Found[]> {
  const entries: Dirent[] = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const path = relative(directory, file).split(sep).join('/');
      if (entry.isFile()) return { path, file };
      throw new Fault(
        'invalid',
        `${path} is not a file (links and devices cannot be kept); write a copy of the file instead`,
      );
    })
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

/**
 * One digest for a directory: SHA-256 over a line of JSON `[path, sha256, bytes]` per file, in byte order of the paths.
 * Of a directory that holds one file, equal to the digest of that file alone under its name.
 */
export async function digestOfDirectory(
  directory: string,
): Promise<{ readonly digest: string; readonly bytes: number; readonly files: number }> {
  const files = await filesUnder(directory);
  const contents = new Map<string, { readonly digest: string; readonly bytes: number }>();
  await forEach(files, async ({ path, file }) => contents.set(path, await hashFile(file)));
  const whole = createHash('sha256');
  let bytes = 0;
  for (const { path } of files) {
    const content = contents.get(path) ?? { digest: '', bytes: 0 };
    whole.update(`${JSON.stringify([path, content.digest, content.bytes])}\n`);
    bytes += content.bytes;
  }
  return { digest: whole.digest('hex'), bytes, files: files.length };
}

async function hashFile(file: string): Promise<{ readonly digest: string; readonly bytes: number }> {
  await using handle = await openPlain(file);
  if (handle === undefined)
    throw new Fault('invalid', `${file} is not a file any more; let the job leave its results in place`);
  const hash = createHash('sha256');
  let bytes = 0;
  const highWaterMark = Math.min(1024 * 1024, (await handle.stat()).size + 1);
  for await (const chunk of handle.createReadStream({ highWaterMark, autoClose: false })) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { digest: hash.digest('hex'), bytes };
}
