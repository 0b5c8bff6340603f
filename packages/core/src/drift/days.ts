import { countText, percent } from '../base/numbers.ts';
import { type DayCounts, type TimeCounts, weekdayOf } from './by-time.ts';
import type { ColumnCounts, Reference, ReferenceColumn, ReferenceDays, Season } from './reference.ts';
import { named } from './report.ts';
import { sizeOf } from './sizes.ts';
import { normalScores, sum } from './tilts.ts';

const fewestDaysForDispersion = 14;
/** Four weeks, of which so many days have rows: five of each. */
const weeks = { span: 28, days: 20 } as const;
/** Smaller days say little of how much days differ, and a time with so few rows a day is hardly that of a request. */
const fewestRowsPerDay = 50;
const mostUntimed = 0.05;

/**
 * A reference that has its counts, with what the days of its rows tell: its seasons; from 14 days on how much its days
 * differ; from four weeks on counts by weekday. `days.because` says why it has less.
 */
export function withDays(reference: Reference, times: TimeCounts, column: string): Reference {
  const { rows } = reference;
  const { untimed, days } = times;
  const known = { column, days: days.length };
  if (untimed > mostUntimed * rows)
    return {
      ...reference,
      days: { ...known, because: `${percent(untimed / rows)} of its rows have no time that can be read` },
    };
  const because = tooFew(days);
  const isKnown = because === undefined;
  const hasWeeks = isKnown && spanOf(days) >= weeks.span && days.length >= weeks.days;
  return {
    ...reference,
    days: isKnown ? { ...known, weekdays: hasWeeks } : { ...known, because },
    columns: reference.columns.map((its, at) => {
      const seasons = seasonsOf(its, at, times);
      if (!isKnown) return { ...its, seasons };
      const byWeekday = times.weekdays.flatMap(({ columns }): readonly ColumnCounts[] => columns.slice(at, at + 1));
      return { ...its, ...(hasWeeks ? { byWeekday } : {}), seasons, ...daysOf(its, at, days, hasWeeks) };
    }),
  };
}

/** What is known of the seasons of the data that a champion was trained on, behind "Seasons:". */
export function daysText({ column, days, weekdays, because }: ReferenceDays): string {
  if (because !== undefined) return `not known: ${because}. A change that comes each night or each week may alarm`;
  const known = `${named(column ?? '')} tells the day of a row, and the training data has ${countText(days, 'day')}`;
  return weekdays === true
    ? `${known}: a window is compared with the rows of its weekday`
    : `${known}: from four weeks on a window is compared with the rows of its weekday`;
}

const spanOf = (days: readonly DayCounts[]): number => (days.at(-1)?.day ?? 0) - (days[0]?.day ?? 0) + 1;

function tooFew(days: readonly DayCounts[]): string | undefined {
  if (days.length < fewestDaysForDispersion)
    return `its rows are of ${countText(days.length, 'day')}, and ${fewestDaysForDispersion} are the least`;
  const usual = sum(days.map(({ rows }) => rows)) / days.length;
  return usual < fewestRowsPerDay
    ? `its days have ${countText(Math.round(usual), 'row')} on average, and ${fewestRowsPerDay} are the least`
    : undefined;
}

/** How far the hours of the day, and the days of the week, are from all rows. */
function seasonsOf(column: ReferenceColumn, at: number, { hours, weekdays }: TimeCounts) {
  return {
    day: seasonOf(
      column.kind,
      hours.map(({ columns }) => columns[at] ?? []),
    ),
    week: seasonOf(
      column.kind,
      weekdays.map(({ columns }) => {
        const { cells = [], missing = 0, mistyped = 0, rows = 0 } = columns[at] ?? {};
        return [...(column.kind === 'plain' ? [rows - missing - mistyped] : cells), missing + mistyped];
      }),
    ),
  };
}

/** The largest difference of a group of rows from all, less what chance alone explains of it in one of 1,000 groups. */
function seasonOf(kind: ReferenceColumn['kind'], groups: readonly (readonly number[])[]): Season {
  const width = groups[0]?.length ?? 0;
  const all = Array.from({ length: width }, (_, cell) => sum(groups.map((counts) => counts[cell] ?? 0)));
  const found = groups.map((counts) => {
    const { size, missingChange } = sizeOf(kind, { live: counts, reference: all });
    const beyond = (change: number, rows: number) =>
      Math.max(0, Math.abs(change) - chance / Math.sqrt(Math.max(1, rows)));
    return { size: beyond(size, rowsOf(counts)), missing: beyond(missingChange, sum(counts)) };
  });
  const most = (of: 'size' | 'missing') => Number(Math.max(0, ...found.map((each) => each[of])).toFixed(4));
  return { size: most('size'), missing: most('missing') };
}

/** Of the law of Kolmogorov, at 0.001. */
const chance = 1.9495;

function daysOf(
  column: ReferenceColumn,
  at: number,
  days: readonly DayCounts[],
  hasWeeks: boolean,
): Pick<ReferenceColumn, 'dispersion' | 'dayRows'> {
  const counted = days.map(({ day, columns }) => ({ day, live: columns[at] ?? [] }));
  const used = counted.filter(({ live }) => rowsOf(live) > 0);
  const rows = sum(counted.map(({ live }) => sum(live)));
  return { dispersion: dispersionOf(column, used, hasWeeks), dayRows: used.length === 0 ? 0 : rows / used.length };
}

type Counted = Pick<Table, 'day' | 'live'>;

/**
 * How much more the counts vary from day to day than those of independent rows: Pearson's chi-square over its degrees of
 * freedom (McCullagh & Nelder, Generalized Linear Models, 1989, 4.5), of all groups, and of each direction in which a
 * change is looked for: location and width of numbers, each of the most frequent categories. The largest counts, as a day
 * that shifts all rows by a little hides among 31 other directions. Where a day is like the day before, a direction counts
 * (1 + r) / (1 - r) times as much, which is the variance of a long sum under an autocorrelation r.
 */
function dispersionOf(column: ReferenceColumn, days: readonly Counted[], hasWeeks: boolean): number {
  const freedom = days.length - (hasWeeks ? 7 : 1);
  if (freedom < 1 || column.kind === 'plain') return 1;
  const shares = sharesOf(totalOf(days));
  const ofWeekday = Array.from({ length: 7 }, (_, weekday) =>
    hasWeeks ? sharesOf(totalOf(days.filter(({ day }) => weekdayOf(day) === weekday))) : shares,
  );
  const tables = days.map(({ day, live }): Table => ({ day, live, shares: ofWeekday[weekdayOf(day)] ?? shares }));
  const cells = Math.max(1, shares.filter((share) => share > 0).length - 1);
  const found = directions(column, shares).map((scores) => {
    const of = tables.map((table) => ({ day: table.day, score: scoreOf(table, scores) }));
    return (sum(of.map(({ score }) => score ** 2)) / freedom) * persistence(of);
  });
  return Math.max(1, sum(tables.map(pearson)) / cells / freedom, ...found);
}

/** By group, of all days together. */
const totalOf = (days: readonly Counted[]): readonly number[] =>
  (days[0]?.live ?? []).map((_, group) => sum(days.map(({ live }) => live[group] ?? 0)));

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
