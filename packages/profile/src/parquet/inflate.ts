import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { damaged } from './limits.ts';
import { inflateLz4, inflateSnappy } from './small-codecs.ts';

/** Room for an inflated page, of exactly so many bytes. */
export type RoomOf = (size: number) => Uint8Array;
/** Makes `size` bytes of a page, in the room or in its own; or throws anything. */
type Inflate = (bytes: Uint8Array, size: number, roomOf: RoomOf) => Uint8Array;

/** No more than is promised comes out, and all of it in one buffer, which is taken as a whole only where it is not filled. */
const atMost = (size: number) => ({ maxOutputLength: size, chunkSize: size + 64 });

/** CompressionCodec by its number (parquet.thrift). */
const codecs: Readonly<Record<number, { readonly name: string; readonly inflate?: Inflate }>> = {
  0: { name: 'none', inflate: (bytes) => bytes },
  1: { name: 'Snappy', inflate: (bytes, size, roomOf) => inflateSnappy(bytes, roomOf(size)) },
  2: { name: 'gzip', inflate: (bytes, size) => gunzipSync(bytes, atMost(size)) },
  3: { name: 'LZO' },
  4: { name: 'Brotli', inflate: (bytes, size) => brotliDecompressSync(bytes, atMost(size)) },
  // The older of two framings, in which writers differ.
  5: { name: 'LZ4 as Hadoop frames it' },
  6: { name: 'Zstandard', inflate: (bytes, size) => zstdDecompressSync(bytes, atMost(size)) },
  7: { name: 'LZ4', inflate: (bytes, size, roomOf) => inflateLz4(bytes, roomOf(size)) },
};

/** The page as it was before it was compressed: exactly `size` bytes, and never more memory than these. */
export function inflatePage(bytes: Uint8Array, codec: number, size: number, roomOf: RoomOf): Uint8Array {
  const { name, inflate } = codecs[codec] ?? { name: `number ${codec}` };
  if (!inflate)
    throw damaged(`its compression (${name}) is not read; write it with Snappy, Zstandard, gzip, Brotli or LZ4_RAW`);
  const page = size === 0 ? bytes.subarray(0, 0) : attempt(name, () => inflate(bytes, size, roomOf));
  if (page.length !== size) throw damaged(`a page of ${size} bytes has ${page.length} (${name})`);
  return page;
}

function attempt<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw damaged(`a page cannot be inflated (${name}): ${error instanceof Error ? error.message : String(error)}`);
  }
}
