import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Fault } from '@serin/core/fault';
import { type Bucket, ownBucket } from '@serin/core/ports';
import { toolkitProgram, toolkitScript } from './jobs/start-script.ts';

interface CodeFile {
  readonly path: string;
  readonly blob: string;
  readonly bytes: number;
  readonly executable: boolean;
}

const maxManifestBytes = 8_000_000;
const blobsAtOnce = 16;

/**
 * A code folder as the `sourcedir.tar.gz` of SageMaker's toolkits, in the own bucket; answers its key there.
 *
 * Twice, also concurrently: equal bytes, written once. It holds `serin-start.sh` beside the files. `bucket` is the own
 * one. A folder that was not released whole is `invalid`. Too big: the archive is
 * held in memory, packed, and 16 files beside it.
 */
export async function codeArchive(digest: string, bucket: Bucket): Promise<string> {
  if (!/^[0-9a-f]{16,64}$/.test(digest))
    throw new Fault('invalid', `'${digest}' is no digest of a code folder; release the code again`);
  const key = `code/archives/${digest}.tar.gz`;
  if ((await bucket.read({ key, maxBytes: 1 })) !== undefined) return key;
  const files = await filesOf(digest, bucket);
  const pieces: Uint8Array[] = [];
  await pipeline(tarOf(files, bucket), createGzip(), async (packed: AsyncIterable<Uint8Array>) => {
    for await (const piece of packed) pieces.push(piece);
  });
  await bucket.write(key, Buffer.concat(pieces), { ifAbsent: true });
  return key;
}

async function* tarOf(files: readonly CodeFile[], bucket: Bucket): AsyncGenerator<Uint8Array> {
  const start = { path: toolkitProgram, content: Buffer.from(toolkitScript), executable: true };
  yield* tarEntry(start);
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (let from = 0; from < sorted.length; from += blobsAtOnce) {
    const entries = await Promise.all(sorted.slice(from, from + blobsAtOnce).map((file) => entryOf(file, bucket)));
    for (const entry of entries) yield* tarEntry(entry);
  }
  yield Buffer.alloc(1024);
}

async function filesOf(digest: string, bucket: Bucket): Promise<readonly CodeFile[]> {
  const key = `code/${digest}.json`;
  const object = await bucket.read({ key, maxBytes: maxManifestBytes });
  if (object === undefined || object.truncated)
    throw new Fault('invalid', `${key} is not in the bucket '${ownBucket}'; release the code again`);
  const { files } = JSON.parse(new TextDecoder().decode(object.content)) as { readonly files: readonly CodeFile[] };
  const bad = files.find(
    ({ path }, index) =>
      !isSafePath(path) || path === toolkitProgram || files.findIndex((f) => f.path === path) < index,
  );
  if (bad === undefined) return files;
  throw new Fault(
    'invalid',
    `the code ${digest} has a file that cannot be placed: ${JSON.stringify(bad.path)}; rename it`,
  );
}

interface Entry {
  readonly path: string;
  readonly content: Uint8Array;
  readonly executable: boolean;
}

async function entryOf({ path, blob, bytes, executable }: CodeFile, bucket: Bucket): Promise<Entry> {
  const object = await bucket.read({ key: `code/blobs/${blob}`, maxBytes: Math.max(1, bytes) });
  if (object !== undefined && !object.truncated && createHash('sha256').update(object.content).digest('hex') === blob)
    return { path, content: object.content, executable };
  const what = object === undefined ? 'is missing' : 'is not what was released';
  throw new Fault('invalid', `the code file '${path}' (${blob}) ${what}; release the code again`);
}

const isSafePath = (path: string): boolean =>
  !/[\\\0]/.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

/** A file in a tar archive (POSIX.1-1988 ustar), without times and owners. */
function tarEntry({ path, content, executable }: Entry): readonly Uint8Array[] {
  const name = Buffer.from(path);
  const file = [...tarPart('0', name.subarray(0, 100), content, executable ? 0o755 : 0o644)];
  if (name.length <= 100) return file;
  // GNU's entry for the long name of the next one: GNU tar, Python and busybox read it, unlike pax headers.
  return [...tarPart('L', Buffer.from('././@LongLink'), Buffer.concat([name, Buffer.alloc(1)]), 0), ...file];
}

/** Header, content and padding. */
function tarPart(type: '0' | 'L', name: Uint8Array, content: Uint8Array, mode: number): readonly Uint8Array[] {
  const header = Buffer.alloc(512);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  header.set(name, 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(content.length, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(`        ${type}`, 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)} `, 148);
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}
