import { addCounts } from './cells.ts';
import type { Reference, ReferenceColumn, WindowCounts } from './reference.ts';

/**
 * Rows of a dataset by the time that a column tells (UTC): what seasons and the difference of days are estimated from.
 *
 * Weekdays have all cells, as a window of a weekday is judged on them. Hours and days have broad cells, of which the
 * newest days are kept: the state stays bounded for any number of days, and adding two gives what counting all at once
 * gives. A day that is dropped once has as many newer days ever after, so those that are kept are whole.
 */
export interface TimeCounts {
  /** Rows whose time is missing, or cannot be read as one. They are in nothing below. */
  readonly untimed: number;
  /** 7, Sunday first. */
  readonly weekdays: readonly WindowCounts[];
  /** 24, of the day in UTC. */
  readonly hours: readonly BroadCounts[];
  /** Ascending, the newest. */
  readonly days: readonly DayCounts[];
}

export interface BroadCounts {
  readonly rows: number;
  /** By column, in the order of the reference: rows by broad cell, and last those without a value. */
  readonly columns: readonly (readonly number[])[];
}

export interface DayCounts extends BroadCounts {
  /** Days since the epoch. */
  readonly day: number;
}

/** Day 0 of the epoch was a Thursday. */
export const weekdayOf = (day: number): number => (((day + 4) % 7) + 7) % 7;

const mostBroad = 16;

/**
 * Which broad cell each cell is in, known before anything is counted: neighbours of about equal mass, as the cells of a
 * profile are; the values that the profile saw most, all others that it knows, and the unseen.
 */
export function broadOf({ kind, edges = [], values = [] }: ReferenceColumn): {
  readonly of: readonly number[];
  readonly count: number;
} {
  if (kind === 'plain') return { of: [], count: 1 };
  const cells = kind === 'number' ? edges.length + 1 : values.length + 2;
  const count = Math.min(mostBroad, cells);
  const of = Array.from({ length: cells }, (_, cell) =>
    kind === 'number' ? Math.floor((cell * count) / cells) : cell === cells - 1 ? count - 1 : Math.min(cell, count - 2),
  );
  return { of, count };
}

/** Numbers that weekdays may take, and days: 1,000 columns of 256 cells have room for 123 days. */
const room = 2 ** 21;
const mostDays = 400;
/** Four weeks: with room for fewer, nothing is counted by time. */
const fewestDays = 28;

/** So many days are kept; `undefined`: there are too many columns to count any. */
export function daysKept({ columns }: Reference): number | undefined {
  const cells = columns.reduce((sum, column) => sum + column.cells.length + 4, 0);
  const broad = columns.reduce((sum, column) => sum + broadOf(column).count + 1, 0);
  const days = Math.min(mostDays, Math.floor(room / Math.max(1, broad)));
  return 7 * cells > room || days < fewestDays ? undefined : days;
}

/** As if the rows of both had been counted together. */
export function addTimes(one: TimeCounts, other: TimeCounts, mostDays: number): TimeCounts {
  return {
    untimed: one.untimed + other.untimed,
    weekdays: one.weekdays.map((counts, at) => added(counts, other.weekdays[at], addCounts)),
    hours: one.hours.map((counts, at) => added(counts, other.hours[at], addBroad)),
    days: addDays(one.days, other.days).slice(-mostDays),
  };
}

const added = <Counts>(one: Counts, other: Counts | undefined, add: (one: Counts, other: Counts) => Counts): Counts =>
  other === undefined ? one : add(one, other);

const addBroad = (one: BroadCounts, other: BroadCounts): BroadCounts => ({
  rows: one.rows + other.rows,
  columns: one.columns.map((counts, at) => counts.map((count, cell) => count + (other.columns[at]?.[cell] ?? 0))),
});

function addDays(one: readonly DayCounts[], other: readonly DayCounts[]): DayCounts[] {
  const days = new Map(one.map((counts) => [counts.day, counts]));
  for (const counts of other) {
    const known = days.get(counts.day);
    days.set(counts.day, known === undefined ? counts : { day: counts.day, ...addBroad(known, counts) });
  }
  return [...days.values()].sort((early, late) => early.day - late.day);
}
