import { broadOf, type TimeCounts, weekdayOf } from './by-time.ts';
import { addCounts, emptyCounts, noRows, withCounts } from './cells.ts';
import { withDays } from './days.ts';
import { follow, type Incident } from './incident.ts';
import { normal, drawsOf as unitsOf } from './profile.fixture.ts';
import type { Reference, ReferenceColumn, WindowCounts } from './reference.ts';
import type { Verdict } from './verdict.ts';

const none = { rows: 0, missing: 0, mistyped: 0, outside: 0, cells: [] };
const filled = (column: ReferenceColumn): ReferenceColumn => ({ ...column, ...noRows(column) });

export const numbersOf = (name: string, edges: readonly number[]): ReferenceColumn =>
  filled({ name, kind: 'number', edges, isContinuous: true, ...none });

export const categories = (name: string, values: readonly string[]): ReferenceColumn =>
  filled({ name, kind: 'category', values, isWhole: true, ...none });

/** A column with the counts that it was given. */
export const counted = (column: ReferenceColumn, cells: readonly number[], nulls = 0): ReferenceColumn => ({
  ...column,
  rows: cells.reduce((sum, count) => sum + count, nulls),
  missing: nulls,
  cells,
});

export const referenceOf = (...columns: readonly ReferenceColumn[]): Reference => ({
  version: 1,
  dataset: 'd'.repeat(64),
  rows: Math.max(0, ...columns.map(({ rows }) => rows)),
  columns,
});

export interface Draws {
  unit(): number;
  normal(): number;
  /** Counts of `rows` rows by cells of these shares. */
  counts(shares: readonly number[], rows: number): number[];
  /** The shares of cells between order statistics of a continuous column, for these numbers of spacings. */
  shares(spacings: readonly number[]): number[];
}

/** The same seed gives the same draws. */
export function drawsOf(seed: number): Draws {
  const unit = unitsOf(seed);
  return {
    unit,
    normal: () => normal(unit),
    counts: (shares, rows) => {
      const counts = shares.map(() => 0);
      for (let row = 0; row < rows; row += 1) {
        let [cell, left] = [0, unit() - (shares[0] ?? 0)];
        for (; left > 0 && cell < shares.length - 1; left -= shares[cell] ?? 0) cell += 1;
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
      return counts;
    },
    // Spacings of uniform numbers are those of independent exponential ones.
    shares: (spacings) => {
      const masses = spacings.map((count) => Array.from({ length: count }, () => -Math.log(1 - unit())).reduce(add, 0));
      return masses.map((mass) => mass / masses.reduce(add, 0));
    },
  };
}

const add = (one: number, other: number): number => one + other;

/** Counts of a window, of columns that have only cells. */
export const windowOf = (...cells: readonly (readonly number[])[]): WindowCounts => ({
  version: 1,
  rows: (cells[0] ?? []).reduce(add, 0),
  columns: cells.map((counts) => ({ rows: counts.reduce(add, 0), missing: 0, mistyped: 0, outside: 0, cells: counts })),
});

/** The incident after a verdict, as the machine of a model follows it. */
export function followed(open: Incident | undefined, { window, columns, isSilent }: Verdict): Incident | undefined {
  const alarms = columns.filter(({ alarm }) => alarm !== undefined);
  const isMajor = alarms.some(({ alarm }) => alarm === 'major');
  const seen = {
    columns: alarms.map(({ name }) => name),
    size: Math.max(0, ...alarms.map(({ size }) => size)),
    ...(alarms.length === 0 ? {} : { level: isMajor ? ('major' as const) : ('notice' as const) }),
    ...(isSilent ? { isSilent } : {}),
  };
  return follow(open, seen, { from: window.start, at: window.end, version: 1 });
}

/** What was counted in an hour of a day (UTC), in days since the epoch. */
export interface Timed {
  readonly day: number;
  readonly hour?: number;
  readonly counts: WindowCounts;
}

/** Counts by time, of whole windows; one a day. */
export function timesOf(reference: Reference, windows: readonly Timed[], untimed = 0): TimeCounts {
  const sumOf = (some: readonly Timed[]) => some.map(({ counts }) => counts).reduce(addCounts, emptyCounts(reference));
  const broad = (some: readonly Timed[]) => {
    const { rows, columns } = sumOf(some);
    return {
      rows,
      columns: reference.columns.map((column, at) => {
        const { of, count } = broadOf(column);
        const { cells, missing, mistyped, rows: all } = columns[at] ?? noRows(column);
        const sums = new Array<number>(count).fill(0);
        for (const [cell, group] of of.entries()) sums[group] = (sums[group] ?? 0) + (cells[cell] ?? 0);
        return [...(of.length === 0 ? [all - missing - mistyped] : sums), missing + mistyped];
      }),
    };
  };
  const days = [...new Set(windows.map(({ day }) => day))].sort((one, other) => one - other);
  return {
    untimed,
    weekdays: Array.from({ length: 7 }, (_, at) => sumOf(windows.filter(({ day }) => weekdayOf(day) === at))),
    hours: Array.from({ length: 24 }, (_, at) => broad(windows.filter(({ hour = 0 }) => hour === at))),
    days: days.map((day) => ({ day, ...broad(windows.filter((window) => window.day === day)) })),
  };
}

/** A reference of these windows, which knows their days. */
export const referenceOfDays = (empty: Reference, windows: readonly Timed[]): Reference =>
  withDays(
    withCounts(empty, windows.map(({ counts }) => counts).reduce(addCounts, emptyCounts(empty))),
    timesOf(empty, windows),
    'at',
  );
