import { deflateRawSync } from 'node:zlib';

interface Entry {
  readonly name: string;
  readonly content: Uint8Array;
}

// The first day that a zip can say: the same files are the same zip.
const firstDay = 0x21;

/** Files as a zip. Names are ASCII, and a file is smaller than 4 GB. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
export function zipOf(entries: readonly Entry[]): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of entries) {
    const packed = deflateRawSync(content, { level: 9 });
    const about = aboutOf({ name, content }, packed.byteLength);
    const local = Buffer.concat([numbers([4, 0x04034b50]), about, Buffer.from(name), packed]);
    directory.push(
      Buffer.concat([
        numbers([4, 0x02014b50], [2, 20]),
        about,
        // No comment, on the first disk, with the rights of a file that all may read.
        numbers([2, 0], [2, 0], [2, 0], [4, 0o100644 * 0x10000], [4, offset]),
        Buffer.from(name),
      ]),
    );
    parts.push(local);
    offset += local.byteLength;
  }
  const listed = Buffer.concat(directory);
  const count = entries.length;
  const end = numbers(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, listed.byteLength],
    [4, offset],
    [2, 0],
  );
  return Buffer.concat([...parts, listed, end]);
}

const aboutOf = ({ name, content }: Entry, packedBytes: number): Buffer =>
  numbers(
    [2, 20],
    [2, 0],
    [2, 8],
    [2, 0],
    [2, firstDay],
    [4, crc32(content)],
    [4, packedBytes],
    [4, content.byteLength],
    [2, name.length],
    [2, 0],
  );

/** Little-endian, each with its bytes. */
function numbers(...given: readonly (readonly [bytes: 2 | 4, value: number])[]): Buffer {
  return Buffer.concat(
    given.map(([bytes, value]) => {
      const buffer = Buffer.alloc(bytes);
      buffer.writeUIntLE(value, 0, bytes);
      return buffer;
    }),
  );
}

const table = Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

function crc32(content: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of content) value = (table[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
