/**
 * Hashes of rows, so that equal rows are found in files of any format.
 *
 * A row's hash is the sum of the hashes of its cells, in two lanes of 32 bits that wrap around. The order of the columns is
 * therefore nothing, and a cell without a value adds nothing: null, an absent key, an empty text and NaN are all missing.
 * The hash of a cell is made of its column's name, of the kind of the value, and of two words of the value:
 *
 * - a number: the 64 bits of the double, minus zero as zero. `1`, `1.0` and `1e0` are one value; a float of 32 bits is
 *   the double that it is, which is not the one that its shortest text is read as.
 * - a time: its milliseconds since the epoch, as a double; what is finer was cut off.
 * - a boolean: 1 or 0, which are not the numbers 1 and 0.
 * - a text: its UTF-8, as two hashes of 32 bits. The text `12` in Parquet is not the number 12 of a CSV.
 * - a list or a record: the sum of its scalars, each as a cell of its own. Its path takes the place of the name (`inside`).
 *   An empty list and an empty record add nothing. A map is a list of records with `key` and `value`.
 *
 * Numbers are stored in profiles: a change here is a new version of the profiler.
 */

/** Two words of 32 bits: what a hash is made of. */
export interface Words {
  readonly high: number;
  readonly low: number;
}

const kinds = { number: 0x9e3779b9, time: 0x7f4a7c15, boolean: 0x3c6ef372, text: 0x1b873593 } as const;
const noPath: Words = { high: 0x6a09e667, low: 0xbb67ae85 | 0 };

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);
const utf8 = new TextEncoder();

/** A bijection of 32 bits, in which each bit depends on all (the last step of MurmurHash3). */
function mix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** One lane of the hash of two words; the two lanes differ in their seed. */
const lane = (seed: number, first: number, second: number): number => mix((mix(first ^ seed) + second) | 0);

/** One lane of the hash of bytes (MurmurHash3, 32 bits). */
function bytesLane(seed: number, bytes: Uint8Array, from: number, to: number): number {
  let hash = seed;
  let at = from;
  for (; at + 4 <= to; at += 4) hash = taken(hash, wordAt(bytes, at));
  let rest = 0;
  for (let shift = 0; at < to; at += 1, shift += 8) rest |= (bytes[at] ?? 0) << shift;
  return mix(taken(hash, rest) ^ (to - from));
}

function taken(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);

/** The two words of a text. */
export const wordsOfText = (bytes: Uint8Array, from: number, to: number): Words => ({
  high: bytesLane(0x243f6a88, bytes, from, to),
  low: bytesLane(0x85a308d3 | 0, bytes, from, to),
});

/** The path of what is inside of a list (a place, from 0 on) or a record (a key). */
export function inside(path: Words, step: string | number): Words {
  const bytes = typeof step === 'string' ? utf8.encode(step) : undefined;
  const { high, low } = bytes ? wordsOfText(bytes, 0, bytes.length) : { high: Number(step), low: 0x51ed270b };
  return { high: lane(path.high, high, low), low: lane(path.low, low, high) };
}

/** The path of a column. */
export const columnPath = (name: string): Words => inside(noPath, name);

/** The hashes of as many rows as are read at once; a reader of rows has one, and starts it anew after each row. */
export class RowHashes {
  readonly high: Uint32Array;
  readonly low: Uint32Array;

  constructor(rows: number) {
    this.high = new Uint32Array(rows);
    this.low = new Uint32Array(rows);
  }

  startAnew(): void {
    this.high.fill(0);
    this.low.fill(0);
  }

  number(row: number, path: Words, value: number): void {
    if (!Number.isNaN(value)) this.#addDouble(row, path, kinds.number, value);
  }

  time(row: number, path: Words, ms: number): void {
    this.#addDouble(row, path, kinds.time, ms);
  }

  boolean(row: number, path: Words, value: boolean): void {
    this.#add(row, path, kinds.boolean, value ? 1 : 0, 0);
  }

  text(row: number, path: Words, bytes: Uint8Array, from: number, to: number): void {
    if (to === from) return;
    const first = bytesLane(0x243f6a88, bytes, from, to);
    this.#add(row, path, kinds.text, first, bytesLane(0x85a308d3 | 0, bytes, from, to));
  }

  /** A text of at least one character, of which the words are known. */
  textOf(row: number, path: Words, text: Words): void {
    this.#add(row, path, kinds.text, text.high, text.low);
  }

  #addDouble(row: number, path: Words, kind: number, value: number): void {
    double[0] = value + 0;
    this.#add(row, path, kind, doubleWords[0] ?? 0, doubleWords[1] ?? 0);
  }

  #add(row: number, path: Words, kind: number, first: number, second: number): void {
    this.high[row] = (this.high[row] ?? 0) + lane(path.high ^ kind, first, second);
    this.low[row] = (this.low[row] ?? 0) + lane(path.low ^ kind, first, second);
  }
}
