import { checked, damaged, limits } from './limits.ts';

/** Reads numbers of 7 bits a byte, and packed bits, both the lowest first. */
class Bits {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw damaged('its differences end too early');
    this.at += 1;
    return this.bytes[this.at - 1] ?? 0;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw damaged('it has a number of more than 64 bits');
  }

  zigzag(): bigint {
    const folded = this.varint();
    return (folded >> 1n) ^ -(folded & 1n);
  }

  /** `width` bits from bit `from` on. */
  packed(from: number, width: number): bigint {
    let value = 0n;
    let taken = 0;
    for (let bit = from; taken < width; ) {
      const some = Math.min(8 - (bit & 7), width - taken);
      const part = ((this.bytes[Math.floor(bit / 8)] ?? 0) >>> (bit & 7)) & ((1 << some) - 1);
      value |= BigInt(part) << BigInt(taken);
      taken += some;
      bit += some;
    }
    return value;
  }
}

export interface Deltas {
  readonly values: BigInt64Array;
  /** The first byte behind them. */
  readonly end: number;
}

/** Numbers by their differences (parquet-format/Encodings.md, "Delta Encoding"); sums wrap around at 64 bits. */
export function readDeltas(bytes: Uint8Array, at: number): Deltas {
  const bits = new Bits(bytes, at);
  const blockSize = checked('a block of differences', Number(bits.varint()), limits.valuesOfPage, 1);
  const miniblocks = checked('a number of parts of a block', Number(bits.varint()), blockSize, 1);
  const count = checked('a number of differences', Number(bits.varint()), limits.valuesOfPage);
  const size = 8 * checked('a part of a block', blockSize / miniblocks / 8, blockSize, 1);
  const values = new BigInt64Array(count);
  let value = bits.zigzag();
  values[0] = value;
  for (let done = 1; done < count; ) {
    const least = bits.zigzag();
    const widths = Array.from({ length: Math.min(miniblocks, bytes.length - bits.at) }, () => bits.byte());
    if (widths.length < miniblocks) throw damaged('its differences end too early');
    for (const width of widths) {
      if (done >= count) break;
      checked('a width of differences', width, 64);
      const needed = Math.min(size, count - done);
      if (Math.ceil((needed * width) / 8) > bytes.length - bits.at) throw damaged('its differences end too early');
      for (let index = 0; index < needed; index += 1, done += 1) {
        value += least + bits.packed(bits.at * 8 + index * width, width);
        values[done] = value;
      }
      bits.at += (size * width) / 8;
    }
  }
  return { values, end: Math.min(bits.at, bytes.length) };
}

export interface Lengths {
  readonly lengths: Uint32Array;
  readonly end: number;
}

/** Lengths of texts, none of which is negative or longer than a page. */
export function readLengths(bytes: Uint8Array, at: number): Lengths {
  const { values, end } = readDeltas(bytes, at);
  const lengths = new Uint32Array(values.length);
  for (const [index, value] of values.entries())
    lengths[index] = checked('a length of a text', Number(value), limits.pageBytes);
  return { lengths, end };
}
