import type { CodeFile } from '@serin/core/engine/stored';

type Listed = Pick<CodeFile, 'path' | 'bytes' | 'executable'>;

/** What stands before a file's content in a tar archive (POSIX.1-1988 ustar), without times and owners. */
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
