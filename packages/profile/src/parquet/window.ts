import type { ObjectSource } from '@serin/core/drift/profiler';
import { damaged } from './limits.ts';

const aheadBytes = 8 << 20;
/** Writers make pages of about so many. */
const pageBytes = 1 << 20;

/** Bytes of an object in ascending order, read ahead, so that many small columns are one read. */
export class Window {
  readonly #object: ObjectSource;
  #from = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #page = new Uint8Array(0);

  constructor(object: ObjectSource) {
    this.#object = object;
  }

  /** `length` bytes from `from` on. They hold until the next are read. */
  async read(from: number, length: number): Promise<Uint8Array> {
    const end = from + length;
    if (end > this.#object.bytes) throw damaged(`it says bytes up to ${end}, and the object has ${this.#object.bytes}`);
    if (from < this.#from || end > this.#from + this.#bytes.length) await this.#load(from, length);
    return this.#bytes.subarray(from - this.#from, end - this.#from);
  }

  /** Room for a page that is inflated. It holds until the next is asked for: garbage of a megabyte a page piles up. */
  readonly roomOf = (size: number): Uint8Array => {
    if (this.#page.length < size) this.#page = new Uint8Array(Math.max(size, pageBytes));
    return this.#page.subarray(0, size);
  };

  async #load(from: number, length: number): Promise<void> {
    const wanted = Math.min(Math.max(length, aheadBytes), this.#object.bytes - from);
    this.#bytes = new Uint8Array(0);
    const bytes = await this.#object.read(from, wanted);
    if (bytes.length < wanted) throw damaged(`${wanted} bytes were asked for at ${from}, and ${bytes.length} came`);
    this.#from = from;
    this.#bytes = bytes;
  }
}
