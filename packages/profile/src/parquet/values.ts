import { damaged } from './limits.ts';
import type { Meaning } from './meaning.ts';

/** What a text says: itself, or a number, a boolean or a time, whose double stands with it. */
export const says = { text: 0, whole: 1, fraction: 2, boolean: 3, time: 4 } as const;

/** Room for values that are read at once: doubles, or places in bytes with what they say and the words of their hashes. */
export class Values {
  readonly size: number;
  readonly doubles: Float64Array;
  bytes: Uint8Array = new Uint8Array(0);
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly says: Uint8Array;
  readonly high: Uint32Array;
  readonly low: Uint32Array;

  constructor(size: number, { convert }: Meaning) {
    const texts = convert === undefined ? size : 0;
    this.size = size;
    this.doubles = new Float64Array(size);
    [this.from, this.to] = [new Uint32Array(texts), new Uint32Array(texts)];
    this.says = new Uint8Array(texts);
    [this.high, this.low] = [new Uint32Array(texts), new Uint32Array(texts)];
  }

  copy(index: number, from: Values, at: number): void {
    this.from[index] = from.from[at] ?? 0;
    this.to[index] = from.to[at] ?? 0;
    this.says[index] = from.says[at] ?? 0;
    this.doubles[index] = from.doubles[at] ?? 0;
    this.high[index] = from.high[at] ?? 0;
    this.low[index] = from.low[at] ?? 0;
  }
}

/** The next `count` values of a page, written into `out` from its beginning. */
export type Source = (out: Values, count: number) => void;

export const tooShort = (): never => {
  throw damaged('a page ends before its last value');
};
