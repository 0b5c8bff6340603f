import { createHash } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { Fault } from '@serin/core/fault';

/** Files of a directory tree, by path with `/`; anything but files and directories is `invalid`. */
export async function filesUnder(
  directory: string,
): Promise<readonly { readonly path: string; readonly file: string }[]> {
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
    });
}

/**
 * One digest for a directory: SHA-256 over a line of JSON `[path, sha256, bytes]` per file, in byte order of the paths.
 * Of a directory that holds one file, equal to the digest of that file alone under its name.
 */
export async function digestOfDirectory(
  directory: string,
): Promise<{ readonly digest: string; readonly bytes: number; readonly files: number }> {
  const files = [...(await filesUnder(directory))].sort((a, b) =>
    Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
  );
  const whole = createHash('sha256');
  let bytes = 0;
  for (const { path, file } of files) {
    const content = await hashFile(file);
    whole.update(`${JSON.stringify([path, content.digest, content.bytes])}\n`);
    bytes += content.bytes;
  }
  return { digest: whole.digest('hex'), bytes, files: files.length };
}

async function hashFile(file: string): Promise<{ readonly digest: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { digest: hash.digest('hex'), bytes };
}
