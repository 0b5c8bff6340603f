import { damaged } from './limits.ts';

/** Writes what is inflated, piece by piece, into room for exactly as many bytes as were promised. */
class Output {
  readonly bytes: Uint8Array;
  #at = 0;

  constructor(page: Uint8Array) {
    this.bytes = page;
  }

  get isFull(): boolean {
    return this.#at === this.bytes.length;
  }

  literal(from: Uint8Array, at: number, length: number): void {
    if (length > from.length - at || length > this.bytes.length - this.#at)
      throw damaged('a literal runs over its end');
    if (length > 32) this.bytes.set(from.subarray(at, at + length), this.#at);
    else for (let index = 0; index < length; index += 1) this.bytes[this.#at + index] = from[at + index] ?? 0;
    this.#at += length;
  }

  /** Repeats what was written `back` bytes ago; it may reach into what it writes. */
  copy(back: number, length: number): void {
    const { bytes } = this;
    const to = this.#at;
    if (back === 0 || back > to || length > bytes.length - to) throw damaged('a copy reaches out of its page');
    if (back >= length && length > 32) bytes.copyWithin(to, to - back, to - back + length);
    else for (let index = to; index < to + length; index += 1) bytes[index] = bytes[index - back] ?? 0;
    this.#at += length;
  }
}

/** `bytes` bytes from `at` on as a number, the lowest first. */
function littleEndian(from: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > from.length) throw damaged('it ends in the middle of a length');
  let value = 0;
  for (let index = bytes - 1; index >= 0; index -= 1) value = value * 256 + (from[at + index] ?? 0);
  return value;
}

/** Snappy's raw format (github.com/google/snappy/blob/main/format_description.txt). */
export function inflateSnappy(from: Uint8Array, page: Uint8Array): Uint8Array {
  let at = 0;
  let promised = 0;
  for (let more = true, scale = 1; more && at < 5; at += 1, scale *= 128) {
    promised += ((from[at] ?? 0) & 127) * scale;
    more = (from[at] ?? 0) >= 128;
  }
  if (promised !== page.length) throw damaged(`it says ${promised} bytes, and its page ${page.length}`);
  const output = new Output(page);
  while (at < from.length) {
    const tag = from[at] ?? 0;
    at += 1;
    if ((tag & 3) === 0) {
      const lengthBytes = Math.max(0, (tag >>> 2) - 59);
      const length = (lengthBytes === 0 ? tag >>> 2 : littleEndian(from, at, lengthBytes)) + 1;
      output.literal(from, at + lengthBytes, length);
      at += lengthBytes + length;
    } else if ((tag & 3) === 1) {
      output.copy(((tag >>> 5) << 8) | littleEndian(from, at, 1), ((tag >>> 2) & 7) + 4);
      at += 1;
    } else {
      const offsetBytes = (tag & 3) === 2 ? 2 : 4;
      output.copy(littleEndian(from, at, offsetBytes), (tag >>> 2) + 1);
      at += offsetBytes;
    }
  }
  return whole(output);
}

/** One block of LZ4 (github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md). */
export function inflateLz4(from: Uint8Array, page: Uint8Array): Uint8Array {
  const output = new Output(page);
  let at = 0;
  const longer = (nibble: number): number => {
    let length = nibble;
    for (let last = nibble === 15 ? 255 : 0; last === 255; at += 1) {
      last = littleEndian(from, at, 1);
      length += last;
    }
    return length;
  };
  while (at < from.length) {
    const token = from[at] ?? 0;
    at += 1;
    const literal = longer(token >>> 4);
    output.literal(from, at, literal);
    at += literal;
    if (at >= from.length) break;
    const back = littleEndian(from, at, 2);
    at += 2;
    output.copy(back, longer(token & 15) + 4);
  }
  return whole(output);
}

function whole(output: Output): Uint8Array {
  if (!output.isFull) throw damaged('it ends before its page is full');
  return output.bytes;
}
