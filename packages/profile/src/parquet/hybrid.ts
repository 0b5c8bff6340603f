import { damaged } from './limits.ts';

/**
 * Numbers of up to 32 bits as runs of one value or packed bit by bit: levels, places in a dictionary, and booleans
 * (parquet-format/Encodings.md, "RLE / Bit-Packing Hybrid"). It gives as many as are asked for, so that a run of a billion
 * values takes no memory.
 */
export class Hybrid {
  readonly #view: DataView;
  readonly #width: number;
  #at: number;
  /** How many are left of the run, its value, or where its next bits are. */
  #left = 0;
  #value = 0;
  #bit = -1;

  constructor(bytes: Uint8Array, at: number, width: number) {
    if (width > 32) throw damaged(`it packs numbers in ${width} bits`);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
    this.#width = width;
  }

  fill(out: Uint32Array, count: number): void {
    if (this.#width === 0) {
      out.fill(0, 0, count);
      return;
    }
    for (let done = 0; done < count; ) {
      if (this.#left === 0) this.#begin();
      const taken = Math.min(this.#left, count - done);
      if (this.#bit < 0) out.fill(this.#value, done, done + taken);
      else this.#unpack(out, done, taken);
      this.#left -= taken;
      done += taken;
    }
  }

  #begin(): void {
    const header = this.#varint();
    const length = (header - (header % 2)) / 2;
    if (header % 2 === 0) this.#beginRun(length);
    else this.#beginPacked(length);
  }

  #beginRun(length: number): void {
    this.#bit = -1;
    this.#left = length;
    this.#value = 0;
    for (let shift = 0; shift < this.#width; shift += 8) this.#value |= this.#byte() << shift;
  }

  /** `groups` times eight values. Some writers leave out the end of the last group. */
  #beginPacked(groups: number): void {
    const available = this.#view.byteLength - this.#at;
    const bytes = Math.min(groups * this.#width, available);
    this.#bit = this.#at * 8;
    this.#left = Math.min(groups * 8, Math.floor((bytes * 8) / this.#width));
    this.#at += bytes;
    if (this.#left === 0 && groups > 0) throw damaged('its packed numbers end too early');
  }

  #unpack(out: Uint32Array, from: number, count: number): void {
    const [view, width] = [this.#view, this.#width];
    const mask = width === 32 ? -1 : (1 << width) - 1;
    let bit = this.#bit;
    let index = from;
    // Four bytes hold any 25 bits, wherever they begin.
    const quickEnd = width <= 25 ? (view.byteLength - 4) * 8 : 0;
    for (const end = from + count; index < end && bit < quickEnd; index += 1, bit += width)
      out[index] = (view.getUint32(bit >>> 3, true) >>> (bit & 7)) & mask;
    for (const end = from + count; index < end; index += 1, bit += width) out[index] = this.#bits(bit, width);
    this.#bit = bit;
  }

  #bits(bit: number, width: number): number {
    let value = 0;
    for (let taken = 0; taken < width; ) {
      const from = (bit + taken) & 7;
      const some = Math.min(8 - from, width - taken);
      value += ((this.#view.getUint8((bit + taken) >>> 3) >>> from) & ((1 << some) - 1)) * 2 ** taken;
      taken += some;
    }
    return value;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 35; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw damaged('it has a run of more than 2^32 numbers');
  }

  #byte(): number {
    if (this.#at >= this.#view.byteLength) throw damaged('its levels or places in a dictionary end too early');
    this.#at += 1;
    return this.#view.getUint8(this.#at - 1);
  }
}
