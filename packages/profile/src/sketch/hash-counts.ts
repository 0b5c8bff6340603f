import { release, roomier } from './memory.ts';

/** How often each hash of 64 bits came: an open-addressing table that grows up to 16,384 entries. */
export class HashCounts {
  size = 0;
  highs = new Int32Array(16);
  lows = new Int32Array(16);
  counts = new Float64Array(16);
  private slots = new Int16Array(32).fill(-1);

  /** The entry of a hash, -1 where it has none. */
  find(high: number, low: number): number {
    return this.slots[this.slotOf(high, low)] ?? -1;
  }

  /** A new entry; the hash has none yet. */
  add(high: number, low: number, count: number): number {
    if (this.size === this.counts.length) this.grow();
    const entry = this.size;
    this.size += 1;
    this.highs[entry] = high;
    this.lows[entry] = low;
    this.counts[entry] = count;
    this.slots[this.slotOf(high, low)] = entry;
    return entry;
  }

  /** Drops the entries whose count is 0 or less, and closes the gaps in order. */
  dropUncounted(moved?: (from: number, to: number) => void): void {
    const { size } = this;
    this.size = 0;
    this.slots.fill(-1);
    for (let entry = 0; entry < size; entry += 1) {
      const count = this.counts[entry] ?? 0;
      if (count <= 0) continue;
      const to = this.add(this.highs[entry] ?? 0, this.lows[entry] ?? 0, count);
      moved?.(entry, to);
    }
  }

  get bytes(): number {
    return this.counts.length * 20;
  }

  release(): void {
    release(this.highs, this.lows, this.counts, this.slots);
  }

  private slotOf(high: number, low: number): number {
    const mask = this.slots.length - 1;
    let slot = low & mask;
    for (;;) {
      const entry = this.slots[slot] ?? -1;
      if (entry < 0 || (this.lows[entry] === low && this.highs[entry] === high)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private grow(): void {
    const capacity = 2 * this.counts.length;
    this.highs = new Int32Array(roomier(this.highs, 4 * capacity));
    this.lows = new Int32Array(roomier(this.lows, 4 * capacity));
    this.counts = new Float64Array(roomier(this.counts, 8 * capacity));
    this.slots = new Int16Array(roomier(this.slots, 4 * capacity)).fill(-1);
    for (let entry = 0; entry < this.size; entry += 1)
      this.slots[this.slotOf(this.highs[entry] ?? 0, this.lows[entry] ?? 0)] = entry;
  }
}
