import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { encodeText, sha256Hex } from '@serin/core/base/json';
import { type FoundFile, fileAt, type Walked, walkCode } from './code-files.ts';
import { Failure } from './failure.ts';

export interface CodeFile extends FoundFile {
  readonly blob: string;
}

/** A folder of code as a release stores it: blobs by content, and a manifest whose own digest names the folder. */
export interface CodeFolder {
  readonly directory: string;
  readonly digest: string;
  readonly manifest: Uint8Array;
  readonly files: readonly CodeFile[];
  readonly dataFolders: Walked['dataFolders'];
}

const maxBytes = 200_000_000;

/**
 * Hashes a folder. Equal content, names and execute bits give an equal digest, whatever the times and the order on disk.
 *
 * Symbolic links, more than 200 MB and anything that is not a file are refused: a job on another machine would not see
 * the same.
 */
export async function hashFolder(directory: string): Promise<CodeFolder> {
  const walked = await walkCode(directory);
  if (walked.refused !== undefined) throw walked.refused;
  const total = walked.files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxBytes) throw tooBig(directory, walked.files, total);
  if (walked.files.length === 0) throw empty(directory, walked);
  return folderOf(directory, walked);
}

/** The same of files that lie in several places, as one flat folder. */
export async function hashFiles(sources: readonly string[]): Promise<CodeFolder> {
  return folderOf('', { files: await Promise.all(sources.map((source) => fileAt(source))), dataFolders: [] });
}

async function folderOf(
  directory: string,
  { files: found, dataFolders }: Pick<Walked, 'files' | 'dataFolders'>,
): Promise<CodeFolder> {
  const files: CodeFile[] = [];
  for (const file of found.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
    files.push({ ...file, blob: await hashFile(file.source) });
  const entries = files.map(({ path, blob, bytes, executable }) => ({ path, blob, bytes, executable }));
  const manifest = encodeText(JSON.stringify({ files: entries }));
  return { directory, digest: sha256Hex(manifest), manifest, files, dataFolders };
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

function empty(directory: string, { ignored, dataFolders }: Walked): Failure {
  const leftOut = ignored + dataFolders.length;
  return new Failure(
    2,
    `the code folder ${directory} has no files; put the code there, or name another folder as 'code'`,
    {
      ...(leftOut === 0
        ? {}
        : {
            why: `${leftOut} ${leftOut === 1 ? 'entry is' : 'entries are'} left out: .gitignore, data, secrets or logs`,
            mend: "bring back what is code in a file .serinignore there, with lines such as '!dist/**'",
          }),
    },
  );
}

function tooBig(directory: string, files: readonly FoundFile[], total: number): Failure {
  const largest = [...files].sort((a, b) => b.bytes - a.bytes)[0];
  return new Failure(2, `the code folder ${directory} has ${megabytes(total)}, more than ${megabytes(maxBytes)}`, {
    why: `every job gets a copy of it; the largest file is ${largest?.path} (${megabytes(largest?.bytes ?? 0)})`,
    mend: "put data into the bucket, or name a smaller folder as 'code'",
  });
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
