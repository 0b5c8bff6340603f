import { day, hour } from '@serin/core/base/time';
import type { Label } from '@serin/core/drift/by-label';
import { weekdayOf } from '@serin/core/drift/by-time';

/** Of which weekday, hour and day each of the rows is that are looked at. Rows without a time are in a place of their own. */
export class TimeGroups {
  /** Sunday first, and then rows without a time. */
  weekday = new Uint8Array(0);
  hour = new Uint8Array(0);
  /** The place of the day, or `days`: there is none, or it is older than those that are kept. */
  slot = new Uint16Array(0);
  readonly days: number;
  readonly weekdayRows = new Float64Array(8);
  readonly hourRows = new Float64Array(25);
  readonly dayRows: Float64Array;
  private readonly slots = new Map<number, number>();
  private readonly dropped: (slot: number) => void;

  /** The newest `days` are kept; `dropped` is told of a place that another day takes. */
  constructor(days: number, dropped: (slot: number) => void) {
    this.days = days;
    this.dayRows = new Float64Array(days + 1);
    this.dropped = dropped;
  }

  /** Takes the times of the next rows; NaN: none. Days have their places before the rows do, so a row is in a day that stays. */
  look(times: Float64Array, count: number): void {
    if (this.weekday.length < count) {
      this.weekday = new Uint8Array(count);
      this.hour = new Uint8Array(count);
      this.slot = new Uint16Array(count);
    }
    let last = Number.NaN;
    for (let row = 0; row < count; row += 1) {
      const its = Math.floor((times[row] ?? Number.NaN) / day);
      if (its !== last && !Number.isNaN(its)) this.place(its);
      last = its;
    }
    let slot = this.days;
    last = Number.NaN;
    for (let row = 0; row < count; row += 1) {
      const ms = times[row] ?? Number.NaN;
      const its = Math.floor(ms / day);
      if (its !== last) slot = this.slots.get(its) ?? this.days;
      last = its;
      this.put(row, ms, its, slot);
    }
  }

  private put(row: number, ms: number, its: number, slot: number): void {
    const [weekday, hourOf] = Number.isNaN(ms) ? [7, 24] : [weekdayOf(its), Math.floor((ms - its * day) / hour)];
    this.weekday[row] = weekday;
    this.hour[row] = hourOf;
    this.slot[row] = slot;
    this.weekdayRows[weekday] = (this.weekdayRows[weekday] ?? 0) + 1;
    this.hourRows[hourOf] = (this.hourRows[hourOf] ?? 0) + 1;
    this.dayRows[slot] = (this.dayRows[slot] ?? 0) + 1;
  }

  private place(its: number): void {
    if (this.slots.has(its)) return;
    if (this.slots.size < this.days) {
      this.slots.set(its, this.slots.size);
      return;
    }
    const oldest = Math.min(...this.slots.keys());
    if (its < oldest) return;
    const slot = this.slots.get(oldest) ?? this.days;
    this.slots.delete(oldest);
    this.slots.set(its, slot);
    this.dayRows[slot] = 0;
    this.dropped(slot);
  }

  /** The days that are kept and where, the oldest first. */
  kept(): readonly (readonly [day: number, slot: number])[] {
    return [...this.slots].sort(([one], [other]) => one - other);
  }
}

/** The label of each of the rows that are looked at. */
export class LabelGroups {
  /** Its place among the classes, or as many as there are: none. */
  class = new Uint8Array(0);
  /** Of a label that is a number: less what it is about; NaN: none. */
  value = new Float64Array(0);
  private readonly label: Label;

  constructor(label: Label) {
    this.label = label;
  }

  look({ codes, values }: { readonly codes: Uint16Array; readonly values: Float64Array }, count: number): void {
    if (this.class.length < count) {
      this.class = new Uint8Array(count);
      this.value = new Float64Array(count);
    }
    const { label } = this;
    for (let row = 0; row < count; row += 1)
      if (label.kind === 'number') this.value[row] = finite(values[row]) - label.about;
      else this.class[row] = Math.min(codes[row] ?? 0, label.classes.length);
  }
}

/** An infinite label has no mean. */
const finite = (value = Number.NaN): number => (Number.isFinite(value) ? value : Number.NaN);
