import type { ValueHash } from '../hash.ts';
import { fromUtf8, isContinuation } from '../utf8.ts';
import type { Input, Output } from './bytes.ts';
import { Distinct } from './distinct.ts';
import { HashCounts } from './hash-counts.ts';
import { release, roomier } from './memory.ts';

const capacity = 1024;
const textCapacity = 2 ** 16;
const shownCharacters = 128;

const kinds = { number: 0, boolean: 1, time: 2, text: 3 } as const;

/**
 * How often each value came, and how many different ones there are. Exact up to 1,024 values (of 64 KB of text in all);
 * from then on the values that come rarely are dropped again and again, as Misra and Gries (1982) do with one counter and
 * DataSketches with the median of all: each count is too low by at most `error`, which is at most n / 512, and a value
 * that came more often than that is here. How many there are is then counted by `Distinct`.
 */
export class Frequent {
  error = 0;
  distinct: Distinct | undefined;
  private readonly table = new HashCounts();
  private kinds = new Uint8Array(16);
  /** The number, or the place and length of the text: place * 1024 + length. */
  private values = new Float64Array(16);
  private texts = new Uint8Array(0);
  private textLength = 0;

  number(value: number, hash: ValueHash): void {
    this.plain(kinds.number, value, hash);
  }

  boolean(value: boolean, hash: ValueHash): void {
    this.plain(kinds.boolean, value ? 1 : 0, hash);
  }

  time(ms: number, hash: ValueHash): void {
    this.plain(kinds.time, ms, hash);
  }

  text(bytes: Uint8Array, from: number, to: number, hash: ValueHash): void {
    if (this.hasCounted(hash)) return;
    const end = cutOf(bytes, from, to);
    if (this.textLength + end - from > textCapacity) this.drop();
    this.insert(kinds.text, this.textLength * 1024 + end - from, hash.high, hash.low, 1);
    this.keepText(bytes, from, end);
  }

  private plain(kind: number, value: number, hash: ValueHash): void {
    if (!this.hasCounted(hash)) this.insert(kind, value, hash.high, hash.low, 1);
  }

  private hasCounted({ high, low }: ValueHash): boolean {
    const { table } = this;
    const entry = table.find(high, low);
    if (entry >= 0) table.counts[entry] = (table.counts[entry] ?? 0) + 1;
    else {
      this.distinct?.add(high, low);
      if (table.size === capacity) this.drop();
    }
    return entry >= 0;
  }

  private insert(kind: number, value: number, high: number, low: number, count: number): void {
    const entry = this.table.add(high, low, count);
    if (entry === this.values.length) {
      this.kinds = new Uint8Array(roomier(this.kinds, 2 * entry));
      this.values = new Float64Array(roomier(this.values, 16 * entry));
    }
    this.kinds[entry] = kind;
    this.values[entry] = value;
  }

  private keepText(bytes: Uint8Array, from: number, to: number): void {
    const end = this.textLength + to - from;
    if (end > this.texts.length) this.texts = new Uint8Array(roomier(this.texts, 2 * end));
    const { texts, textLength } = this;
    for (let at = from; at < to; at += 1) texts[textLength + at - from] = bytes[at] ?? 0;
    this.textLength = end;
  }

  /** Takes the median of all counts from each, and drops what has none left: half of the values at least. */
  private drop(): void {
    const { table } = this;
    this.beginDistinct();
    const median = this.median();
    this.error += median;
    for (let entry = 0; entry < table.size; entry += 1) table.counts[entry] = (table.counts[entry] ?? 0) - median;
    this.textLength = 0;
    table.dropUncounted((from, to) => {
      const [kind, value] = [this.kinds[from] ?? 0, this.values[from] ?? 0];
      this.kinds[to] = kind;
      this.values[to] = kind === kinds.text ? this.textLength * 1024 + (value % 1024) : value;
      // Texts lie in the order of their entries, so what is moved to the left overwrites nothing that is still needed.
      if (kind === kinds.text) {
        const at = Math.floor(value / 1024);
        this.keepText(this.texts, at, at + (value % 1024));
      }
    });
  }

  /** Of the counts; most often it is 1. */
  private median(): number {
    const { counts, size } = this.table;
    let ones = 0;
    for (let entry = 0; entry < size; entry += 1) if (counts[entry] === 1) ones += 1;
    return ones > size >> 1 ? 1 : (counts.slice(0, size).sort()[size >> 1] ?? 0);
  }

  private beginDistinct(): void {
    if (this.distinct !== undefined) return;
    this.distinct = new Distinct();
    for (let entry = 0; entry < this.table.size; entry += 1)
      this.distinct.add(this.table.highs[entry] ?? 0, this.table.lows[entry] ?? 0);
  }

  merge(other: Frequent): void {
    if (other.distinct !== undefined) {
      this.beginDistinct();
      this.distinct?.merge(other.distinct);
    }
    this.error += other.error;
    for (let entry = 0; entry < other.table.size; entry += 1) this.mergeEntry(other, entry);
  }

  private mergeEntry(other: Frequent, from: number): void {
    const [high, low] = [other.table.highs[from] ?? 0, other.table.lows[from] ?? 0];
    const [count, kind, value] = [other.table.counts[from] ?? 0, other.kinds[from] ?? 0, other.values[from] ?? 0];
    const known = this.table.find(high, low);
    if (known >= 0) {
      this.table.counts[known] = (this.table.counts[known] ?? 0) + count;
      return;
    }
    const [at, length] = kind === kinds.text ? [Math.floor(value / 1024), value % 1024] : [0, 0];
    this.distinct?.add(high, low);
    if (this.table.size === capacity || this.textLength + length > textCapacity) this.drop();
    this.insert(kind, kind === kinds.text ? this.textLength * 1024 + length : value, high, low, count);
    this.keepText(other.texts, at, at + length);
  }

  get size(): number {
    return this.distinct === undefined ? this.table.size : Math.round(this.distinct.estimate());
  }

  get singletons(): number {
    return this.table.counts.subarray(0, this.table.size).reduce((sum, count) => sum + (count === 1 ? 1 : 0), 0);
  }

  /**
   * The most frequent values, equal counts by value. Values that are shown as the same text are one. Where counts are
   * not exact, only those that surely came more often than the error.
   */
  most(atMost: number): readonly (readonly [value: string, count: number])[] {
    const byText = new Map<string, number>();
    const mayBeOne = this.mayBeShownAlike();
    for (let entry = 0; entry < this.table.size; entry += 1) {
      const count = this.table.counts[entry] ?? 0;
      if (count <= this.error && !mayBeOne) continue;
      const text = this.textOf(entry);
      byText.set(text, (byText.get(text) ?? 0) + count);
    }
    return [...byText]
      .filter(([, count]) => count > this.error)
      .sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1))
      .slice(0, atMost);
  }

  /** Whether two values may be shown as the same text: texts are cut, and a text may say what a number is shown as. */
  private mayBeShownAlike(): boolean {
    const used = this.kinds.subarray(0, this.table.size);
    return used.some((kind) => kind === kinds.text || kind !== used[0]);
  }

  private textOf(entry: number): string {
    const value = this.values[entry] ?? 0;
    const kind = this.kinds[entry];
    if (kind === kinds.number) return String(value);
    if (kind === kinds.boolean) return String(value === 1);
    if (kind === kinds.time) return isoOf(value);
    const at = Math.floor(value / 1024);
    return fromUtf8(this.texts, at, at + (value % 1024));
  }

  get bytes(): number {
    return this.table.bytes + 9 * this.values.length + this.texts.length + (this.distinct?.registers.length ?? 0);
  }

  release(): void {
    this.table.release();
    release(this.kinds, this.values, this.texts);
  }

  write(to: Output): void {
    to.whole(this.error);
    to.blob(this.distinct?.registers ?? new Uint8Array(0));
    to.whole(this.table.size);
    for (let entry = 0; entry < this.table.size; entry += 1) {
      const [kind, value] = [this.kinds[entry] ?? 0, this.values[entry] ?? 0];
      to.int32(this.table.highs[entry] ?? 0);
      to.int32(this.table.lows[entry] ?? 0);
      to.whole(this.table.counts[entry] ?? 0);
      to.whole(kind);
      to.double(value);
    }
    to.blob(this.texts.subarray(0, this.textLength));
  }

  static read(from: Input): Frequent {
    const frequent = new Frequent();
    frequent.error = from.whole();
    const registers = from.blob();
    if (registers.length > 0) frequent.distinct = new Distinct(registers);
    for (let left = from.whole(); left > 0; left -= 1) {
      const [high, low, count, kind] = [from.int32(), from.int32(), from.whole(), from.whole()];
      frequent.insert(kind, from.double(), high, low, count);
    }
    frequent.texts = from.blob();
    frequent.textLength = frequent.texts.length;
    return frequent;
  }
}

/** The ISO text of a time, or its number where it is too far for one. */
export const isoOf = (ms: number): string => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms));

/** Where the first 128 characters of a text end. */
export function cutOf(bytes: Uint8Array, from: number, to: number): number {
  if (to - from <= shownCharacters) return to;
  let characters = 0;
  for (let at = from; at < to; at += 1) {
    if (isContinuation(bytes[at] ?? 0) && at - from < 4 * shownCharacters) continue;
    if (characters === shownCharacters || at - from >= 4 * shownCharacters) return at;
    characters += 1;
  }
  return to;
}
