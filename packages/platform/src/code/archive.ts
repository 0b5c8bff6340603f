import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync } from 'node:zlib';
import { Fault } from '@serin/core/base/fault';
import { type CodeFile, otherDigest, readBlob, readCode } from '@serin/core/engine/stored';
import { type Bucket, ownBucket } from '@serin/core/ports/bucket';
import { padding, tarEnd, tarHead } from './tar.ts';

/** Bytes of an unpacked archive, at most: it is held in memory. */
const maxBytes = 256 * 1024 * 1024;
const blobsAtOnce = 16;

/** A program that a platform may put beside the files of each archive. */
export interface StartFile {
  readonly path: string;
  readonly text: string;
}

/**
 * A code folder as one `tar.gz`, in the own bucket; answers its key there.
 *
 * Twice, also concurrently: equal bytes, written once. `bucket` is the own one. An archive that is already there is
 * read and compared, file by file, with what was released. An archive that was changed is `invalid`, and so is a folder
 * that was not completely released. Too big, over 250 MB: `invalid`.
 */
export async function codeArchive(digest: string, bucket: Bucket, startFile?: StartFile): Promise<string> {
  const key = archiveKey(digest, startFile);
  const read = (key: string, maxBytes: number) => bucket.read({ key, maxBytes });
  const own = startFile === undefined ? [] : [stored(startFile)];
  const files = await filesOf(digest, read, startFile?.path);
  const kept = await read(key, maxBytes);
  if (kept !== undefined) {
    checkArchive(key, kept.content, [...own, ...files]);
    return key;
  }
  const pieces: Uint8Array[] = [];
  await pipeline(tarOf(own, files, read), createGzip(), async (packed: AsyncIterable<Uint8Array>) => {
    for await (const piece of packed) pieces.push(piece);
  });
  await bucket.write(key, Buffer.concat(pieces), { ifAbsent: true });
  return key;
}

/** Another version of the start file makes another archive of the same code. */
export function archiveKey(digest: string, start?: StartFile): string {
  if (!/^[0-9a-f]{16,64}$/.test(digest))
    throw new Fault('invalid', `'${digest}' is not the digest of a code folder; release the code again`);
  const version = start === undefined ? '' : `-${stored(start).blob.slice(0, 8)}`;
  return `code/archives/${digest}${version}.tar.gz`;
}

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

type Read = Parameters<typeof readCode>[0];

interface Start extends CodeFile {
  readonly content: Uint8Array;
}

function stored({ path, text }: StartFile): Start {
  const content = Buffer.from(text);
  return { path, content, blob: sha256(content), bytes: content.length, executable: true };
}

/** In the order of the archive. */
async function filesOf(digest: string, read: Read, taken: string | undefined): Promise<readonly CodeFile[]> {
  const files = await readCode(read, digest);
  const refused = (why: string, mend: string) => new Fault('invalid', `the code ${digest} ${why}; ${mend}`);
  if (files.some(({ path }) => path === taken))
    throw refused(`has a file ${taken}, a name that Serin itself uses`, 'rename it');
  if (files.reduce((total, { bytes }) => total + bytes, 0) > 250_000_000)
    throw refused('has more than 250 MB', 'put large files into a data bucket');
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function* tarOf(own: readonly Start[], files: readonly CodeFile[], read: Read): AsyncGenerator<Uint8Array> {
  for (const file of own) yield* [...tarHead(file), file.content, padding(file)];
  for (let from = 0; from < files.length; from += blobsAtOnce) {
    const some = files.slice(from, from + blobsAtOnce);
    const contents = await Promise.all(some.map((file) => readBlob(read, file, sha256)));
    for (const [index, file] of some.entries())
      yield* [...tarHead(file), contents[index] ?? new Uint8Array(), padding(file)];
  }
  yield tarEnd;
}

/** Throws `invalid` unless it is the archive that would be made of these files. */
function checkArchive(key: string, packed: Uint8Array, files: readonly CodeFile[]): void {
  const tar = unpacked(key, packed);
  let at = 0;
  const next = (length: number): Buffer => {
    at += length;
    return tar.subarray(at - length, at);
  };
  const expect = (wanted: Uint8Array): void => {
    if (!next(wanted.length).equals(wanted)) throw damaged(key, 'does not have the files that were released');
  };
  for (const file of files) {
    for (const piece of tarHead(file)) expect(piece);
    const found = sha256(next(file.bytes));
    if (found !== file.blob) throw otherDigest(`the file '${file.path}' in ${key}`, file.blob, found, mend);
    expect(padding(file));
  }
  expect(tarEnd);
  if (at !== tar.length) throw damaged(key, 'has more in it than was released');
}

function unpacked(key: string, packed: Uint8Array): Buffer {
  try {
    return gunzipSync(packed, { maxOutputLength: maxBytes });
  } catch (error) {
    throw damaged(key, 'cannot be unpacked', error);
  }
}

const mend = 'delete it, and the next start makes it again from the released files';
const damaged = (key: string, what: string, cause?: unknown): Fault =>
  new Fault('invalid', `${key} in the bucket '${ownBucket}' ${what}, so it was changed or damaged; ${mend}`, { cause });
