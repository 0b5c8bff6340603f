import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { isMissing } from './faults.ts';

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
const headerBytes = 32;
const frameHeaderBytes = 24;
const magics: readonly number[] = [0x377f0682, 0x377f0683];

type Sum = readonly [number, number];

/**
 * What is damaged in a write-ahead log, which SQLite itself would take for the end of it; `undefined`: nothing.
 *
 * Of a power cut, the transaction that was being written may be there in part: nobody was told that it is committed. A
 * transaction begins to be written when the one before is durable, so a bad frame with another transaction behind its
 * own is damage: something that was committed would be taken back in silence.
 */
export function walDamage(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    return damageIn(descriptor, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

function damageIn(descriptor: number, size: number): string | undefined {
  if (size < headerBytes + frameHeaderBytes) return undefined;
  const header = Buffer.alloc(headerBytes);
  readSync(descriptor, header, 0, headerBytes, 0);
  const bigEndian = header.readUInt32BE(0) === 0x377f0683;
  const seed = sumOf(header.subarray(0, 24), [0, 0], bigEndian);
  const isHeader = magics.includes(header.readUInt32BE(0)) && isSum(header, 24, seed);
  if (!isHeader) return header.every((byte) => byte === 0) ? undefined : 'its log does not begin like a log';

  const pageBytes = header.readUInt32BE(8);
  const frame = Buffer.alloc(frameHeaderBytes + pageBytes);
  let sum = seed;
  let bad: number | undefined;
  let isEnded = false;
  for (let index = 0; headerBytes + (index + 1) * frame.length <= size; index += 1) {
    readSync(descriptor, frame, 0, frame.length, headerBytes + index * frame.length);
    // Frames of an earlier round of the log have other salts: they are no part of it.
    const isOfThisLog = frame.compare(header, 16, 24, 8, 16) === 0;
    if (bad === undefined) {
      sum = sumOf(frame.subarray(frameHeaderBytes), sumOf(frame.subarray(0, 8), sum, bigEndian), bigEndian);
      if (isOfThisLog && isSum(frame, 16, sum)) continue;
      bad = index;
    }
    if (!isOfThisLog) continue;
    if (isEnded) return `frame ${bad + 1} of its log is bad, and committed ones stand behind it`;
    isEnded = frame.readUInt32BE(4) !== 0;
  }
  return undefined;
}

const isSum = (bytes: Buffer, at: number, [first, second]: Sum): boolean =>
  bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second;

/** The checksum of the file format, over pairs of 32-bit words. */
function sumOf(bytes: Buffer, [first, second]: Sum, bigEndian: boolean): Sum {
  let [a, b] = [first, second];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + view.getUint32(at, !bigEndian) + b) >>> 0;
    b = (b + view.getUint32(at + 4, !bigEndian) + a) >>> 0;
  }
  return [a, b];
}
