import type { Input, Output } from './bytes.ts';

const k = 200;
const bufferSize = 512;
const blockShift = 3;
const blockSize = 2 ** blockShift;
/** From here on one value of each block of eight is taken: a deviation of the rank of 0.28 % at most. */
const sampledFrom = 65_536;

/** What a level may hold, by its distance from the highest. */
const capacityOf = (depth: number) => Math.max(8, Math.ceil(k * (2 / 3) ** depth));

/**
 * Quantiles of any number of values in about 8 KB: KLL (Karnin, Lang, Liberty 2016, arXiv:1603.05346) with k = 200. An
 * item of level `h` stands for 2^h values; a level that is full is sorted, and every other item goes up, by a coin. The
 * error of the rank is 1.33 % (99 %) for one quantile and 1.65 % for all (of 15 sketches of a million values the median
 * was 1.3 %, the worst 1.7 %); up to 511 values it is exact. The weights sum to the count, always.
 *
 * The coins know nothing of the values, and begin with `seed`: the same values in the same order give the same sketch.
 */
export class Quantiles {
  private readonly levels: number[][] = [];
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
    this.lift(this.buffer, bufferSize, this.shift);
    this.compress();
    if (this.shift === 0 && this.taken() >= sampledFrom) this.shift = blockShift;
  }

  /** Few values take little memory, because there may be many columns of few values. */
  private hold(size: number): void {
    const grown = new Float64Array(size);
    grown.set(this.buffer);
    this.buffer = grown;
  }

  /** Values that have left the buffer, while each stands for itself. */
  private taken(): number {
    return this.levels.reduce((sum, level, height) => sum + level.length * 2 ** height, 0);
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

  /** Every other one of an even number of sorted values goes up. */
  private lift(sorted: ArrayLike<number>, count: number, height: number): void {
    const above = this.level(height + 1);
    for (let at = this.coin() >>> 31; at < count; at += 2) above.push(sorted[at] ?? 0);
  }

  private level(height: number): number[] {
    for (;;) {
      const level = this.levels[height];
      if (level !== undefined) return level;
      this.levels.push([]);
    }
  }

  private compress(): void {
    for (;;) {
      const top = this.levels.length - 1;
      const full = this.levels.findIndex((level, height) => level.length >= capacityOf(top - height));
      if (full < 0) return;
      const level = this.level(full);
      const odd = level.length % 2 === 1 ? level.pop() : undefined;
      level.sort((one, other) => one - other);
      this.lift(level, level.length, full);
      level.length = 0;
      if (odd !== undefined) level.push(odd);
    }
  }

  merge(other: Quantiles): void {
    this.count += other.count;
    for (const [height, level] of other.levels.entries()) this.level(height).push(...level);
    this.level(other.shift).push(...other.buffer.subarray(0, other.filled));
    this.level(0).push(...other.block);
    this.compress();
  }

  /** The values of the ranks `i / parts`, `i` from 1 to `parts - 1`; each is a value that came. */
  inner(parts: number): number[] {
    const runs = [
      ...this.levels.map((level, height) => ({ weight: 2 ** height, values: Float64Array.from(level) })),
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
    return 8 * (this.buffer.length + blockSize + this.levels.reduce((sum, level) => sum + level.length, 0));
  }

  write(to: Output): void {
    to.whole(this.count);
    to.int32(this.coins);
    to.whole(this.shift);
    to.doubles(this.block);
    to.doubles(this.buffer, this.filled);
    to.whole(this.levels.length);
    for (const level of this.levels) to.doubles(level);
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
    for (let levels = from.whole(); levels > 0; levels -= 1) sketch.levels.push(from.doubles());
    return sketch;
  }
}

const headOf = ({ values, at }: { readonly values: Float64Array; readonly at: number }): number =>
  values[at] ?? Number.POSITIVE_INFINITY;
