import { damaged, limits } from './limits.ts';

/** Reads one field of a struct; `type` is its type on the wire. */
export type Field = (thrift: Thrift, type: number) => void;

const types = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
};

/**
 * Thrift's compact protocol, in which Parquet writes its footer and the headers of pages
 * (github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). Nothing is kept but what is asked for, and no
 * length is believed: what runs over the end is refused.
 */
export class Thrift {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** A struct: the fields that have a reader are read, in the order in which they come; the others are passed over. */
  struct(fields: Readonly<Record<number, Field>>, depth = 0): void {
    if (depth > limits.depth) throw damaged('its structures are nested too deeply');
    for (let id = 0; ; ) {
      const header = this.#byte();
      if (header === 0) return;
      const type = header & 15;
      id = header >>> 4 === 0 ? this.integer() : id + (header >>> 4);
      const field = fields[id];
      if (field) field(this, type);
      else this.skip(type, depth);
    }
  }

  /** How many elements a list has, and their type; each of them has one byte at least. */
  list(): { readonly count: number; readonly type: number } {
    const header = this.#byte();
    const count = header >>> 4 === 15 ? this.#varint() : header >>> 4;
    if (count > this.bytes.length - this.at) throw damaged(`a list of ${count} elements runs over its end`);
    return { count, type: header & 15 };
  }

  integer(): number {
    const folded = this.#varint();
    return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
  }

  binary(): Uint8Array {
    const length = this.#varint();
    if (length > this.bytes.length - this.at) throw damaged(`a text of ${length} bytes runs over its end`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  skip(type: number, depth: number): void {
    if (type === types.byte) this.#byte();
    else if (type === types.i16 || type === types.i32 || type === types.i64) this.#varint();
    else if (type === types.double) this.#advance(8);
    else if (type === types.binary) this.binary();
    else if (type === types.struct) this.struct({}, depth + 1);
    else if (type === types.list || type === types.set) this.#skipList(depth + 1);
    else if (type === types.map) this.#skipMap(depth + 1);
    else if (type !== types.true && type !== types.false) throw damaged(`it has a field of the unknown type ${type}`);
  }

  #skipList(depth: number): void {
    if (depth > limits.depth) throw damaged('its structures are nested too deeply');
    const { count, type } = this.list();
    for (let index = 0; index < count; index += 1) this.#skipElement(type, depth);
  }

  #skipMap(depth: number): void {
    if (depth > limits.depth) throw damaged('its structures are nested too deeply');
    const count = this.#varint();
    const kinds = count === 0 ? 0 : this.#byte();
    for (let index = 0; index < count; index += 1) {
      this.#skipElement(kinds >>> 4, depth);
      this.#skipElement(kinds & 15, depth);
    }
  }

  /** In a list a boolean is a byte of its own. */
  #skipElement(type: number, depth: number): void {
    if (type === types.true || type === types.false) this.#byte();
    else this.skip(type, depth);
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0, scale = 1; shift < 10; shift += 1, scale *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw damaged('it has a number of more than 64 bits');
  }

  #byte(): number {
    this.#advance(1);
    return this.bytes[this.at - 1] ?? 0;
  }

  #advance(bytes: number): void {
    if (bytes > this.bytes.length - this.at) throw damaged('it ends in the middle of a structure');
    this.at += bytes;
  }
}

export const isTrue = (type: number): boolean => type === types.true;
