import type { RowSample } from '@serin/core/drift/profile';
import type { Input, Output } from './bytes.ts';
import { HashCounts } from './hash-counts.ts';

const size = 4096;
/** More than the entries of a table. */
const keyStep = 2 ** 20;

/**
 * The 4,096 distinct rows of the lowest hashes, and how often each came: a bottom-k sample (Cohen and Kaplan 2007). What
 * is in it is exact, because a row once in it leaves only when 4,096 others are lower. Two datasets sample the same rows.
 */
export class LowestRows {
  private readonly table = new HashCounts();
  /** Rows above this hash are in the sample no more; as unsigned numbers. */
  private high = 2 ** 32 - 1;
  private low = 2 ** 32 - 1;

  add(high: number, low: number, count = 1): void {
    if (high >>> 0 > this.high || (high >>> 0 === this.high && low >>> 0 > this.low)) return;
    const { table } = this;
    const entry = table.find(high, low);
    if (entry >= 0) table.counts[entry] = (table.counts[entry] ?? 0) + count;
    else {
      table.add(high, low, count);
      if (table.size === 2 * size) this.trim();
    }
  }

  private trim(): void {
    const { table } = this;
    if (table.size <= size) return;
    const last = this.ascending()[size - 1] ?? 0;
    [this.high, this.low] = [(table.highs[last] ?? 0) >>> 0, (table.lows[last] ?? 0) >>> 0];
    this.dropAbove();
  }

  /** By the high half and the entry as one double, as sorting by a function takes ten times as long; then by the low half. */
  private ascending(): number[] {
    const { highs, lows, size: entries } = this.table;
    const keys = new Float64Array(entries);
    for (let entry = 0; entry < entries; entry += 1) keys[entry] = ((highs[entry] ?? 0) >>> 0) * keyStep + entry;
    const order = Array.from(keys.sort(), (key) => key % keyStep);
    for (let at = 1; at < entries; at += 1) {
      const entry = order[at] ?? 0;
      let to = at;
      for (; to > 0; to -= 1) {
        const before = order[to - 1] ?? 0;
        if (highs[before] !== highs[entry] || (lows[before] ?? 0) >>> 0 < (lows[entry] ?? 0) >>> 0) break;
        order[to] = before;
      }
      order[to] = entry;
    }
    return order;
  }

  merge(other: LowestRows): void {
    if (other.high < this.high || (other.high === this.high && other.low < this.low))
      [this.high, this.low] = [other.high, other.low];
    const { highs, lows, counts } = other.table;
    for (let entry = 0; entry < other.table.size; entry += 1)
      this.add(highs[entry] ?? 0, lows[entry] ?? 0, counts[entry]);
    this.dropAbove();
  }

  private dropAbove(): void {
    const { highs, lows, counts } = this.table;
    const isIn = (high: number, low: number) => high < this.high || (high === this.high && low <= this.low);
    for (let entry = 0; entry < this.table.size; entry += 1)
      if (!isIn((highs[entry] ?? 0) >>> 0, (lows[entry] ?? 0) >>> 0)) counts[entry] = 0;
    this.table.dropUncounted();
  }

  sample(): RowSample {
    this.trim();
    const { highs, lows, counts } = this.table;
    return {
      below: hexOf(this.high) + hexOf(this.low),
      rows: this.ascending().map((entry) => [hexOf(highs[entry] ?? 0) + hexOf(lows[entry] ?? 0), counts[entry] ?? 0]),
    };
  }

  write(to: Output): void {
    this.trim();
    to.int32(this.high | 0);
    to.int32(this.low | 0);
    to.whole(this.table.size);
    for (const entry of this.ascending()) {
      to.int32(this.table.highs[entry] ?? 0);
      to.int32(this.table.lows[entry] ?? 0);
      to.whole(this.table.counts[entry] ?? 0);
    }
  }

  static read(from: Input): LowestRows {
    const rows = new LowestRows();
    [rows.high, rows.low] = [from.int32() >>> 0, from.int32() >>> 0];
    for (let left = from.whole(); left > 0; left -= 1) rows.add(from.int32(), from.int32(), from.whole());
    return rows;
  }
}

const hexOf = (half: number): string => (half >>> 0).toString(16).padStart(8, '0');
