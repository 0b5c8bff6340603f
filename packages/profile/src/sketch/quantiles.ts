import type { Input, Output } from './bytes.ts';
import { release, roomier } from './memory.ts';

const k = 200;
const bufferSize = 512;
const blockShift = 3;
const blockSize = 2 ** blockShift;
/** From here on one value of each block of eight is taken: a deviation of the rank of 0.28 % at most. */
const sampledFrom = 65_536;

/** What a level may hold, by its distance from the highest. */
const capacities = Array.from({ length: 64 }, (_, depth) => Math.max(8, Math.ceil(k * (2 / 3) ** depth)));
/** What goes up a level, of whichever sketch does it now. */
let lifted = new Float64Array(bufferSize);

/**
 * Quantiles of any number of values in about 8 KB: KLL (Karnin, Lang, Liberty 2016, arXiv:1603.05346) with k = 200. An
 * item of level `h` stands for 2^h values; a level that is full is sorted, and every other item goes up, by a coin. The
 * error of the rank is 1.33 % (99 %) for one quantile and 1.65 % for all (of 15 sketches of a million values the median
 * was 1.3 %, the worst 1.7 %); up to 511 values it is exact. The weights sum to the count, always.
 *
 * The coins know nothing of the values, and begin with `seed`: the same values in the same order give the same sketch.
 */
export class Quantiles {
  /** The levels one after the other, the lowest first: one array, as a list a level would be garbage at each lift. */
  private items = new Float64Array(0);
  /** How many items each level has. */
  private readonly held: number[] = [];
  private buffer = new Float64Array(16);
  private filled = 0;
  private readonly block: number[] = [];
  /** The level of what is in the buffer. */
  private shift = 0;
  private count = 0;
  private coins: number;

  constructor(seed: number) {
    this.coins = seed | 1;
  }

  add(values: Float64Array, count: number): void {
    this.count += count;
    let at = 0;
    if (this.shift === 0) {
      for (; at < count && this.shift === 0; at += 1) this.take(values[at] ?? 0);
    }
    for (; at < count && this.block.length > 0; at += 1) this.takeOfBlock(values[at] ?? 0);
    for (; at + blockSize <= count; at += blockSize) this.take(values[at + (this.coin() >>> 29)] ?? 0);
    for (; at < count; at += 1) this.takeOfBlock(values[at] ?? 0);
  }

  private takeOfBlock(value: number): void {
    this.block.push(value);
    if (this.block.length < blockSize) return;
    this.take(this.block[this.coin() >>> 29] ?? 0);
    this.block.length = 0;
  }

  private take(value: number): void {
    if (this.filled === this.buffer.length) this.hold(2 * this.filled);
    this.buffer[this.filled] = value;
    this.filled += 1;
    if (this.filled < bufferSize) return;
    this.buffer.sort();
    this.filled = 0;
    this.liftBuffer();
    this.compress();
    if (this.shift === 0 && this.taken() >= sampledFrom) this.shift = blockShift;
  }

  /** Few values take little memory, because there may be many columns of few values. */
  private hold(size: number): void {
    this.buffer = new Float64Array(roomier(this.buffer, 8 * size));
  }

  /** Values that have left the buffer, while each stands for itself. */
  private taken(): number {
    return this.held.reduce((sum, items, height) => sum + items * 2 ** height, 0);
  }

  /** Xorshift32 (Marsaglia 2003). */
  private coin(): number {
    let x = this.coins;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.coins = x;
    return x;
  }

  /** Every other one of an even number of sorted values, by a coin; they are in `lifted`. */
  private halve(sorted: Float64Array, from: number, count: number): number {
    if (lifted.length < count / 2) lifted = new Float64Array(count);
    let half = 0;
    for (let at = this.coin() >>> 31; at < count; at += 2, half += 1) lifted[half] = sorted[from + at] ?? 0;
    return half;
  }

  private liftBuffer(): void {
    this.append(this.shift + 1, lifted, this.halve(this.buffer, 0, bufferSize));
  }

  private startOf(height: number): number {
    let start = 0;
    for (let below = 0; below < height; below += 1) start += this.held[below] ?? 0;
    return start;
  }

  private append(height: number, values: Float64Array, count: number): void {
    while (this.held.length <= height) this.held.push(0);
    const [to, end] = [this.startOf(height + 1), this.startOf(this.held.length)];
    if (end + count > this.items.length) this.items = new Float64Array(roomier(this.items, 8 * (end + count + 64)));
    this.items.copyWithin(to + count, to, end);
    for (let at = 0; at < count; at += 1) this.items[to + at] = values[at] ?? 0;
    this.held[height] = (this.held[height] ?? 0) + count;
  }

  private compress(): void {
    for (;;) {
      const top = this.held.length - 1;
      const full = this.held.findIndex((items, height) => items >= (capacities[top - height] ?? 0));
      if (full < 0) return;
      this.lift(full);
    }
  }

  /** Of a level with an odd number of items the last one stays. */
  private lift(height: number): void {
    const [from, items] = [this.startOf(height), this.held[height] ?? 0];
    const [end, odd] = [from + items, items % 2];
    this.items.subarray(from, end - odd).sort();
    const half = this.halve(this.items, from, items - odd);
    this.items.copyWithin(from, end - odd, this.startOf(this.held.length));
    this.held[height] = odd;
    this.append(height + 1, lifted, half);
  }

  private level(height: number): Float64Array {
    const from = this.startOf(height);
    return this.items.subarray(from, from + (this.held[height] ?? 0));
  }

  merge(other: Quantiles): void {
    this.count += other.count;
    for (const [height, items] of other.held.entries()) this.append(height, other.level(height), items);
    this.append(other.shift, other.buffer, other.filled);
    this.append(0, Float64Array.from(other.block), other.block.length);
    this.compress();
  }

  /** The values of the ranks `i / parts`, `i` from 1 to `parts - 1`; each is a value that came. */
  inner(parts: number): number[] {
    const runs = [
      ...this.held.map((_, height) => ({ weight: 2 ** height, values: this.level(height).slice() })),
      { weight: 2 ** this.shift, values: this.buffer.slice(0, this.filled) },
      { weight: 1, values: Float64Array.from(this.block) },
    ].map(({ weight, values }) => ({ weight, values: values.sort(), at: 0 }));
    let [value, below] = [0, 0];
    return Array.from({ length: parts - 1 }, (_, part) => {
      while (below < ((part + 1) / parts) * this.count) {
        const lowest = runs.reduce((one, other) => (headOf(other) < headOf(one) ? other : one));
        value = headOf(lowest);
        below += lowest.weight;
        lowest.at += 1;
      }
      return value;
    });
  }

  get bytes(): number {
    return 8 * (this.buffer.length + blockSize + this.items.length);
  }

  release(): void {
    release(this.items, this.buffer);
  }

  write(to: Output): void {
    to.whole(this.count);
    to.int32(this.coins);
    to.whole(this.shift);
    to.doubles(this.block);
    to.doubles(this.buffer, this.filled);
    to.whole(this.held.length);
    for (const height of this.held.keys()) to.doubles(this.level(height));
  }

  static read(from: Input): Quantiles {
    const sketch = new Quantiles(1);
    sketch.count = from.whole();
    sketch.coins = from.int32();
    sketch.shift = from.whole();
    const [block, buffer] = [from.doubles(), from.doubles()];
    sketch.block.push(...block);
    while (sketch.buffer.length < buffer.length) sketch.hold(2 * sketch.buffer.length);
    sketch.buffer.set(buffer);
    sketch.filled = buffer.length;
    for (let [height, levels] = [0, from.whole()]; height < levels; height += 1) {
      const items = from.doubles();
      sketch.append(height, items, items.length);
    }
    return sketch;
  }
}

const headOf = ({ values, at }: { readonly values: Float64Array; readonly at: number }): number =>
  values[at] ?? Number.POSITIVE_INFINITY;
