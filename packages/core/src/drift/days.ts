import { addColumn, noRows } from './cells.ts';
import type { ColumnCounts, Reference, ReferenceColumn, WindowCounts } from './reference.ts';
import { normalScores, sum } from './tilts.ts';
import { grouped, groupsOf } from './urn.ts';

/** What was counted of one day of the reference (UTC), in days since the epoch. */
export interface DayCounts {
  readonly day: number;
  readonly counts: WindowCounts;
}

const daysForWeekdays = 28;
const daysForDispersion = 14;

/** A reference with the counts of its own rows, day by day: with counts by weekday from 28 days on, and dispersion from 14. */
export function withDays(reference: Reference, days: readonly DayCounts[]): Reference {
  const numbers = days.map(({ day }) => day);
  const span = days.length === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers) + 1;
  const of = (index: number): readonly ColumnOfDay[] =>
    days.flatMap(({ day, counts }) => {
      const column = counts.columns[index];
      return column === undefined ? [] : [{ day, weekday: (((day + 4) % 7) + 7) % 7, counts: column }];
    });
  const columns = reference.columns.map((empty, index) => {
    const its = of(index);
    const all = { ...empty, ...total(empty, its) };
    const column = span < daysForWeekdays ? all : { ...all, byWeekday: weekdays(empty, its) };
    if (span < daysForDispersion) return column;
    return { ...column, dispersion: dispersionOf(column, its), dayRows: all.rows / its.length };
  });
  const rows = days.reduce((sum, { counts }) => sum + counts.rows, 0);
  return { ...reference, rows, columns };
}

interface ColumnOfDay {
  readonly day: number;
  readonly weekday: number;
  readonly counts: ColumnCounts;
}

const total = (column: ReferenceColumn, days: readonly ColumnOfDay[]): ColumnCounts =>
  days.reduce((sum, { counts }) => addColumn(sum, counts), noRows(column));

const weekdays = (column: ReferenceColumn, days: readonly ColumnOfDay[]): ColumnCounts[] =>
  Array.from({ length: 7 }, (_, weekday) =>
    total(
      column,
      days.filter((day) => day.weekday === weekday),
    ),
  );

/**
 * How much more the counts vary from day to day than those of independent rows: Pearson's chi-square over its degrees of
 * freedom (McCullagh & Nelder, Generalized Linear Models, 1989, 4.5), of all groups, and of each direction in which a
 * change is looked for: location and width of numbers, each of the most frequent categories. The largest counts, as a day
 * that shifts all rows by a little hides among 31 other directions. Where a day is like the day before, a direction counts
 * (1 + r) / (1 - r) times as much, which is the variance of a long sum under an autocorrelation r.
 */
function dispersionOf(column: ReferenceColumn, days: readonly ColumnOfDay[]): number {
  const groups = groupsOf(column);
  const tables = days.map(({ day, weekday, counts }): Table => {
    const expected = sharesOf(grouped(groups, column.byWeekday?.[weekday] ?? column));
    return { day, live: grouped(groups, counts), shares: expected };
  });
  const used = tables.filter(({ live }) => rowsOf(live) > 0);
  const freedom = used.length - (column.byWeekday === undefined ? 1 : 7);
  if (freedom < 1 || column.kind === 'plain') return 1;
  const shares = sharesOf(grouped(groups, column));
  const cells = Math.max(1, shares.filter((share) => share > 0).length - 1);
  const found = directions(column, shares).map((scores) => {
    const of = used.map((table) => ({ day: table.day, score: scoreOf(table, scores) }));
    return (sum(of.map(({ score }) => score ** 2)) / freedom) * persistence(of);
  });
  return Math.max(1, sum(used.map(pearson)) / cells / freedom, ...found);
}

/**
 * The factor of the autocorrelation from one day to the next: none, unless it is 1.5 standard errors above what chance
 * makes, and then its upper limit, as a short series shows too little of it.
 */
function persistence(days: readonly { readonly day: number; readonly score: number }[]): number {
  const next = new Map(days.map(({ day, score }) => [day, score]));
  const squares = sum(days.map(({ score }) => score ** 2));
  const together = sum(days.map(({ day, score }) => score * (next.get(day + 1) ?? 0)));
  const [r, error] = [squares === 0 ? 0 : together / squares, 1 / Math.sqrt(days.length)];
  const kept = r < 1.5 * error ? 0 : Math.min(0.9, r + error);
  return (1 + kept) / (1 - kept);
}

interface Table {
  readonly day: number;
  readonly live: readonly number[];
  readonly shares: readonly number[];
}

/** Shares of the groups, rows without a value left out. */
function sharesOf(counts: readonly number[]): number[] {
  const values = counts.slice(0, -1);
  const rows = sum(values);
  return values.map((count) => (rows === 0 ? 0 : count / rows));
}

function directions({ kind }: ReferenceColumn, shares: readonly number[]): readonly (readonly number[])[] {
  if (kind === 'number') {
    const scores = Array.from(normalScores(Float64Array.from(shares)));
    return [scores, scores.map((score) => score * score)];
  }
  const most = [...shares.entries()].sort(([, one], [, other]) => other - one).slice(0, 4);
  return most.map(([group]) => shares.map((_, index) => (index === group ? 1 : 0)));
}

const rowsOf = (live: readonly number[]): number => sum(live) - (live.at(-1) ?? 0);

function pearson({ live, shares }: Table): number {
  const rows = rowsOf(live);
  return sum(
    shares.map((share, group) => (share === 0 ? 0 : ((live[group] ?? 0) - rows * share) ** 2 / (rows * share))),
  );
}

/** A day's summed scores, in standard deviations of what independent rows give. */
function scoreOf({ live, shares }: Table, scores: readonly number[]): number {
  const mean = sum(shares.map((share, group) => share * (scores[group] ?? 0)));
  const variance = sum(shares.map((share, group) => share * ((scores[group] ?? 0) - mean) ** 2));
  const score = sum(shares.map((_, group) => (live[group] ?? 0) * ((scores[group] ?? 0) - mean)));
  return variance === 0 ? 0 : score / Math.sqrt(rowsOf(live) * variance);
}
