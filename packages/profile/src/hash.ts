import { isUtf8, toUtf8 } from './utf8.ts';

/** The finalizer of MurmurHash3 (Appleby, public domain): each bit of the input changes each bit of the output by half. */
export function mix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const encoder = new TextEncoder();
const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

/**
 * The hash of one value, as two numbers of 32 bits: by its kind and its content, in no way by the format of the file.
 *
 * Numbers go by the 64 bits of the double (-0 is 0), times by their milliseconds, texts by their bytes. Bytes that are no
 * UTF-8 count as the replacement characters that they are shown as. It holds the last hash, because an object for each
 * value would cost more than the hash.
 */
export class ValueHash {
  high = 0;
  low = 0;

  number(value: number): void {
    this.bits(value, 0x2545f491);
  }

  time(ms: number): void {
    this.bits(ms, 0x1b56c4e9);
  }

  boolean(value: boolean): void {
    this.bits(value ? 1 : 0, 0x7feb352d);
  }

  nested(json = ''): void {
    const bytes = encoder.encode(json);
    this.text(bytes, 0, bytes.length);
    this.high = mix(this.high ^ 0x3c6ef372);
  }

  private bits(value: number, kind: number): void {
    double[0] = value + 0; // -0 + 0 is 0
    const low = halves[0] ?? 0;
    const high = halves[1] ?? 0;
    this.high = mix(mix(low ^ kind) ^ high);
    this.low = mix(mix(high ^ ~kind) ^ low);
  }

  /** Two lanes of MurmurHash3's mixing, each fed by the other. */
  text(bytes: Uint8Array, from: number, to: number): void {
    let high = 0x9747b28c | 0;
    let low = 0x5bd1e995 ^ (to - from);
    let seen = 0;
    let at = from;
    for (; at + 4 <= to; at += 4) {
      const word =
        (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
      seen |= word;
      high = (laneOf(high, word, 0x239b961b) + low) | 0;
      low = (laneOf(low, word, 0x38b34ae5) + high) | 0;
    }
    let rest = 0;
    for (; at < to; at += 1) rest = (rest << 8) | (bytes[at] ?? 0);
    seen |= rest;
    if ((seen & 0x80808080) !== 0 && !isUtf8(bytes, from, to)) {
      const shown = toUtf8(bytes, from, to);
      this.text(shown, 0, shown.length);
      return;
    }
    high = laneOf(high, rest, 0x239b961b) + low;
    low = laneOf(low, rest, 0x38b34ae5) + high;
    this.high = mix(high ^ (to - from));
    this.low = mix(low + this.high);
  }
}

function laneOf(lane: number, word: number, by: number): number {
  const k = Math.imul(word, by);
  const h = lane ^ Math.imul((k << 15) | (k >>> 17), 0xa1e38b93);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0x561ccd1b) | 0;
}

/**
 * The hash of one row: the sum over its columns, so their order plays no part. A column without a value (missing, empty
 * text, NaN) adds nothing, so an absent key is a null.
 *
 * ```
 * hash.number(value); row.add(salt, hash); ... row.end(); row.high, row.low; row.begin();
 * ```
 */
export class RowHash {
  high = 0;
  low = 0;

  begin(): void {
    this.high = 0;
    this.low = 0;
  }

  add(column: ColumnSalt, value: ValueHash): void {
    this.high = (this.high + mix(value.high + column.high)) | 0;
    this.low = (this.low + mix(value.low + column.low)) | 0;
  }

  end(): void {
    this.high = mix(this.high ^ 0x6a09e667);
    this.low = mix(this.low + this.high);
  }
}

/** What makes the same value another one in another column. */
export interface ColumnSalt {
  readonly high: number;
  readonly low: number;
}

export function saltOf(column: string): ColumnSalt {
  const bytes = encoder.encode(column);
  const hash = new ValueHash();
  hash.text(bytes, 0, bytes.length);
  return { high: hash.high, low: hash.low };
}
