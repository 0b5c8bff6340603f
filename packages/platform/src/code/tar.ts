import { constants, gunzipSync } from 'node:zlib';
import { asFault, Fault } from '@serin/core/base/fault';
import type { CodeFile } from '@serin/core/engine/stored';

type Listed = Pick<CodeFile, 'path' | 'bytes' | 'executable'>;

/** The header of a file in a tar archive (POSIX.1-1988 ustar), without times and owners. */
export function tarHead({ path, bytes, executable }: Listed): readonly Uint8Array[] {
  const name = Buffer.from(path);
  const file = tarHeader('0', name.subarray(0, 100), bytes, executable ? 0o755 : 0o644);
  if (name.length <= 100) return [file];
  // GNU's entry for the long name of the next one: GNU tar, Python and busybox read it, unlike pax headers.
  const longName = Buffer.concat([name, Buffer.alloc(1)]);
  const long = { bytes: longName.length };
  return [tarHeader('L', Buffer.from('././@LongLink'), long.bytes, 0), longName, padding(long), file];
}

/** What fills a file's content up to the next whole block. */
export const padding = ({ bytes }: Pick<CodeFile, 'bytes'>): Uint8Array => Buffer.alloc((512 - (bytes % 512)) % 512);
export const tarEnd = Buffer.alloc(1024);

export function tarHeader(type: '0' | 'L', name: Uint8Array, bytes: number, mode: number): Uint8Array {
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

/**
 * The files with these names at the top of a `tar.gz`, of which only the beginning may be there. Files behind it are
 * not found, so large files of an output must not stand before `metrics.json`. Too big, over `maxBytes` unpacked:
 * `invalid`.
 */
export function filesInArchive(
  beginning: Uint8Array,
  names: readonly string[],
  maxBytes: number,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const tar = unpacked(beginning, maxBytes);
  for (let at = 0; at + 512 <= tar.length; ) {
    const path = pathAt(tar, at);
    const name = path.replace(/^\.\//, '');
    const size = Number.parseInt(fieldOf(tar, at + 124, 12), 8);
    if (path === '' || !Number.isFinite(size)) break;
    const end = at + 512 + size;
    if (names.includes(name) && end <= tar.length) found.set(name, tar.toString('utf8', at + 512, end));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

function unpacked(beginning: Uint8Array, maxOutputLength: number): Buffer {
  try {
    // A stream that was cut is unpacked as far as it goes.
    return gunzipSync(beginning, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength });
  } catch (error) {
    throw new Fault('invalid', `the output of the job is not a tar.gz; run the job again: ${asFault(error).message}`, {
      cause: error,
    });
  }
}

/** A path of more than 100 bytes stands in two fields of a ustar header: the folders first. */
function pathAt(tar: Buffer, at: number): string {
  const name = fieldOf(tar, at, 100);
  // GNU's own format has other things where ustar has the folders.
  const folders = tar.toString('latin1', at + 257, at + 263) === 'ustar\0' ? fieldOf(tar, at + 345, 155) : '';
  return folders === '' ? name : `${folders}/${name}`;
}

const fieldOf = (tar: Buffer, at: number, length: number): string =>
  tar
    .toString('utf8', at, at + length)
    .split('\0', 1)[0]
    ?.trim() ?? '';
