import { Fault } from '@serin/core/base/fault';

const chunkSize = 2 ** 16;

/** Writes numbers and bytes one after another, in chunks; `Input` reads them back in the same order. */
export class Output {
  private readonly full: Uint8Array[] = [];
  private bytes = new Uint8Array(chunkSize);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  /** A whole number from 0 on, up to 2^53. */
  whole(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
  }

  /** Any double; small whole ones are short. */
  double(value: number): void {
    if (Number.isSafeInteger(value) && Math.abs(value) < 2 ** 50 && !Object.is(value, -0)) {
      this.whole(1 + (value < 0 ? -2 * value - 1 : 2 * value));
      return;
    }
    this.whole(0);
    this.reserve(8);
    this.view.setFloat64(this.length, value);
    this.length += 8;
  }

  int32(value: number): void {
    this.reserve(4);
    this.view.setInt32(this.length, value);
    this.length += 4;
  }

  doubles(values: ArrayLike<number>, count = values.length): void {
    this.whole(count);
    for (let at = 0; at < count; at += 1) this.double(values[at] ?? 0);
  }

  blob(bytes: Uint8Array): void {
    this.whole(bytes.length);
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  text(text: string): void {
    this.blob(new TextEncoder().encode(text));
  }

  written(): Uint8Array {
    const chunks = [...this.full, this.bytes.subarray(0, this.length)];
    const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    this.full.push(this.bytes.subarray(0, this.length));
    this.bytes = new Uint8Array(Math.max(chunkSize, more));
    this.view = new DataView(this.bytes.buffer);
    this.length = 0;
  }
}

/** Reads what `Output` has written; what ends too early is `invalid`. */
export class Input {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    // Stores give a `Buffer`, whose `slice` copies nothing: what is read here must not share its memory with the rest.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  whole(): number {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = this.bytes[this.skip(1)] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  double(): number {
    const short = this.whole();
    if (short === 0) return this.view.getFloat64(this.skip(8));
    const folded = short - 1;
    return folded % 2 === 1 ? -(folded + 1) / 2 : folded / 2;
  }

  int32(): number {
    return this.view.getInt32(this.skip(4));
  }

  doubles(): Float64Array<ArrayBuffer> {
    const length = this.whole();
    if (length > this.bytes.length - this.at) throw broken();
    const values = new Float64Array(length);
    for (let at = 0; at < length; at += 1) values[at] = this.double();
    return values;
  }

  blob(): Uint8Array<ArrayBuffer> {
    const length = this.whole();
    const from = this.skip(length);
    return this.bytes.slice(from, from + length);
  }

  text(): string {
    return new TextDecoder().decode(this.blob());
  }

  private skip(length: number): number {
    const from = this.at;
    this.at += length;
    if (this.at > this.bytes.length) throw broken();
    return from;
  }
}

const broken = () => new Fault('invalid', 'the state of a profile breaks off; start the run again');
