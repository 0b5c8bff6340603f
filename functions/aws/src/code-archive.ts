import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync } from 'node:zlib';
import { Fault } from '@serin/core/base/fault';
import { type CodeFile, otherDigest, readBlob, readCode } from '@serin/core/engine/stored';
import { type Bucket, ownBucket } from '@serin/core/ports/bucket';
import { toolkitProgram, toolkitScript } from './jobs/start-script.ts';

/** Of an archive, unpacked: it is held in memory, and Lambda has four times this. */
const maxBytes = 256 * 1024 * 1024;
const blobsAtOnce = 16;

/**
 * A code folder as the `sourcedir.tar.gz` of SageMaker's toolkits, in the own bucket; answers its key there.
 *
 * Twice, also concurrently: equal bytes, written once. It holds `serin-start.sh` beside the files. `bucket` is the own
 * one. An archive that is there is read and compared, file by file, with what was released: whatever was changed is
 * `invalid`, and so is a folder that was not released whole. Too big, over 250 MB: `invalid`.
 */
export async function codeArchive(digest: string, bucket: Bucket): Promise<string> {
  const key = archiveKey(digest);
  const read = (key: string, maxBytes: number) => bucket.read({ key, maxBytes });
  const files = await filesOf(digest, read);
  const kept = await read(key, maxBytes);
  if (kept !== undefined) {
    checkArchive(key, kept.content, files);
    return key;
  }
  const pieces: Uint8Array[] = [];
  await pipeline(tarOf(files, read), createGzip(), async (packed: AsyncIterable<Uint8Array>) => {
    for await (const piece of packed) pieces.push(piece);
  });
  await bucket.write(key, Buffer.concat(pieces), { ifAbsent: true });
  return key;
}

/** Another version of our start makes another archive of the same code. */
export function archiveKey(digest: string): string {
  if (!/^[0-9a-f]{16,64}$/.test(digest))
    throw new Fault('invalid', `'${digest}' is no digest of a code folder; release the code again`);
  return `code/archives/${digest}-${start.blob.slice(0, 8)}.tar.gz`;
}

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

type Read = Parameters<typeof readCode>[0];

const start: CodeFile & { readonly content: Uint8Array } = {
  path: toolkitProgram,
  content: Buffer.from(toolkitScript),
  blob: sha256(Buffer.from(toolkitScript)),
  bytes: Buffer.byteLength(toolkitScript),
  executable: true,
};

/** In the order of the archive. */
async function filesOf(digest: string, read: Read): Promise<readonly CodeFile[]> {
  const files = await readCode(read, digest);
  const refused = (why: string, mend: string) => new Fault('invalid', `the code ${digest} ${why}; ${mend}`);
  if (files.some(({ path }) => path === toolkitProgram))
    throw refused(`has a file ${toolkitProgram}, which is the name of our own`, 'rename it');
  if (files.reduce((total, { bytes }) => total + bytes, 0) > 250_000_000)
    throw refused('has more than 250 MB', 'keep what is large in a bucket of data');
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function* tarOf(files: readonly CodeFile[], read: Read): AsyncGenerator<Uint8Array> {
  yield* [...tarHead(start), start.content, padding(start)];
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
    if (!next(wanted.length).equals(wanted)) throw damaged(key, 'has not the files that were released');
  };
  for (const file of [start, ...files]) {
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

const mend = 'delete it: the next start makes it again from the released files';
const damaged = (key: string, what: string, cause?: unknown): Fault =>
  new Fault('invalid', `${key} in the bucket '${ownBucket}' ${what}: it was changed or damaged; ${mend}`, { cause });

type Listed = Pick<CodeFile, 'path' | 'bytes' | 'executable'>;

/** What stands before a file's content in a tar archive (POSIX.1-1988 ustar), without times and owners. */
function tarHead({ path, bytes, executable }: Listed): readonly Uint8Array[] {
  const name = Buffer.from(path);
  const file = tarHeader('0', name.subarray(0, 100), bytes, executable ? 0o755 : 0o644);
  if (name.length <= 100) return [file];
  // GNU's entry for the long name of the next one: GNU tar, Python and busybox read it, unlike pax headers.
  const longName = Buffer.concat([name, Buffer.alloc(1)]);
  const long = { bytes: longName.length };
  return [tarHeader('L', Buffer.from('././@LongLink'), long.bytes, 0), longName, padding(long), file];
}

const padding = ({ bytes }: Pick<CodeFile, 'bytes'>): Uint8Array => Buffer.alloc((512 - (bytes % 512)) % 512);
const tarEnd = Buffer.alloc(1024);

function tarHeader(type: '0' | 'L', name: Uint8Array, bytes: number, mode: number): Uint8Array {
  const header = Buffer.alloc(512);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  header.set(name, 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(bytes, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(`        ${type}`, 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)} `, 148);
  return header;
}
