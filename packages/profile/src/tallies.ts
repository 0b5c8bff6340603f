import type { Label } from '@serin/core/drift/by-label';
import { broadOf } from '@serin/core/drift/by-time';
import { cellsOf } from '@serin/core/drift/cells';
import type { ColumnCounts, ReferenceColumn } from '@serin/core/drift/reference';
import { outside } from './cell-codes.ts';
import type { LabelGroups, TimeGroups } from './row-groups.ts';

/** Counts of one column. `codes` are those of so many rows, the first of which is row `first` of those that are looked at. */
export interface Tally {
  add(codes: Uint16Array, first: number, count: number): void;
}

const cellBits = outside - 1;

/** The codes of a column: its cells (one of a plain column), none, and mistyped. */
const codeCount = (column: ReferenceColumn): number => Math.max(1, cellsOf(column)) + 2;

/** All rows, in groups of the same cells. */
export class CellTally implements Tally {
  private readonly groupOf: () => ArrayLike<number>;
  private readonly width: number;
  private readonly cells: number;
  private readonly counts: Float64Array;
  private readonly outside: Float64Array;

  constructor(column: ReferenceColumn, groups: number, groupOf: () => ArrayLike<number>) {
    this.groupOf = groupOf;
    this.width = codeCount(column);
    this.cells = cellsOf(column);
    this.counts = new Float64Array(groups * this.width);
    this.outside = new Float64Array(groups);
  }

  add(codes: Uint16Array, first: number, count: number): void {
    const { counts, width } = this;
    const groups = this.groupOf();
    for (let at = 0; at < count; at += 1) {
      const code = codes[at] ?? 0;
      const group = groups[first + at] ?? 0;
      const place = group * width + (code & cellBits);
      counts[place] = (counts[place] ?? 0) + 1;
      if (code >= outside) this.outside[group] = (this.outside[group] ?? 0) + 1;
    }
  }

  of(group: number): ColumnCounts {
    const { counts, width } = this;
    const from = group * width;
    let rows = 0;
    for (let at = from; at < from + width; at += 1) rows += counts[at] ?? 0;
    return {
      rows,
      missing: counts[from + width - 2] ?? 0,
      mistyped: counts[from + width - 1] ?? 0,
      outside: this.outside[group] ?? 0,
      cells: listOf(counts, from, this.cells),
    };
  }

  /** By cell (of a plain column, one), and last without a value. */
  list = (group: number): readonly number[] => withoutKinds(listOf(this.counts, group * this.width, this.width));
}

/** A loop: spreading an array of doubles takes ten times as long, and there are millions of counts. */
function listOf(counts: Float64Array, from: number, length: number): number[] {
  const list = new Array<number>(length);
  for (let at = 0; at < length; at += 1) list[at] = counts[from + at] ?? 0;
  return list;
}

/** Missing and mistyped values, the last two, as one. */
function withoutKinds(list: readonly number[]): readonly number[] {
  const [missing = 0, mistyped = 0] = list.slice(-2);
  return [...list.slice(0, -2), missing + mistyped];
}

/** By hour and by day, in broad cells. */
export class BroadTally implements Tally {
  private readonly times: TimeGroups;
  private readonly broad: Uint8Array;
  private readonly width: number;
  private readonly hours: Float64Array;
  private readonly days: Float64Array;

  constructor(column: ReferenceColumn, times: TimeGroups) {
    const { of, count } = broadOf(column);
    this.times = times;
    this.width = count + 1;
    this.broad = Uint8Array.from([...(of.length === 0 ? [0] : of), count, count]);
    this.hours = new Float64Array(25 * this.width);
    this.days = new Float64Array((times.days + 1) * this.width);
  }

  add(codes: Uint16Array, first: number, count: number): void {
    const { broad, width, hours, days } = this;
    const { hour, slot } = this.times;
    for (let at = 0; at < count; at += 1) {
      const cell = broad[(codes[at] ?? 0) & cellBits] ?? 0;
      const ofHour = (hour[first + at] ?? 0) * width + cell;
      hours[ofHour] = (hours[ofHour] ?? 0) + 1;
      const ofDay = (slot[first + at] ?? 0) * width + cell;
      days[ofDay] = (days[ofDay] ?? 0) + 1;
    }
  }

  dropped(slot: number): void {
    this.days.fill(0, slot * this.width, (slot + 1) * this.width);
  }

  hour = (at: number): readonly number[] => listOf(this.hours, at * this.width, this.width);
  day = (slot: number): readonly number[] => listOf(this.days, slot * this.width, this.width);
}

/** By label: lists as in by-label.ts of core. */
export interface LabelTally extends Tally {
  lists(): readonly (readonly number[])[];
}

export function labelTally(column: ReferenceColumn, label: Label, groups: LabelGroups): LabelTally {
  if (label.kind === 'number') return momentTally(column, groups);
  const { length } = label.classes;
  const tally = new CellTally(column, length + 1, () => groups.class);
  return {
    add: (codes, first, count) => tally.add(codes, first, count),
    lists: () => label.classes.map((_, group) => tally.list(group)),
  };
}

function momentTally(column: ReferenceColumn, groups: LabelGroups): LabelTally {
  const width = codeCount(column);
  const [rows, sums, squares] = [new Float64Array(width), new Float64Array(width), new Float64Array(width)];
  return {
    add(codes, first, count) {
      for (let at = 0; at < count; at += 1) {
        const value = groups.value[first + at] ?? 0;
        if (Number.isNaN(value)) continue;
        const cell = (codes[at] ?? 0) & cellBits;
        rows[cell] = (rows[cell] ?? 0) + 1;
        sums[cell] = (sums[cell] ?? 0) + value;
        squares[cell] = (squares[cell] ?? 0) + value * value;
      }
    },
    lists: () => [rows, sums, squares].map((list) => withoutKinds(listOf(list, 0, width))),
  };
}
