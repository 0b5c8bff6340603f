import type { ColumnCounts, ReferenceColumn } from './reference.ts';
import { largestSize, mostPooled, type Size, ungrouped } from './sizes.ts';
import { apart, sum, tilted, tiltedCount, tiltOfLeast, weaker, weakerCount } from './tilts.ts';
import { type Groups, grouped, groupsOf, logUrn, urnsOf } from './urn.ts';

/** Counts are by group, and the last of each list for rows without a value. */
export interface ColumnState {
  /** Rows that the urn learned: one urn for all days, or one a weekday. */
  readonly learned: readonly (readonly number[])[];
  /** The last windows, oldest first, at most 7. */
  readonly recent: readonly (readonly number[])[];
  /** About the last 28 windows: 1/28 of it is forgotten with each. */
  readonly month: readonly number[];
  /** `log(1 + R)` of each alternative, rounded down. */
  readonly growth: readonly number[];
  /** It alarmed, and the incident is still open: the urn does not learn. */
  readonly isDrifted?: true;
}

/** The weekday of a window that is longer than a day. */
export const noWeekday = 7;

export function startColumn(column: ReferenceColumn): ColumnState {
  const { count } = groupsOf(column);
  const empty = new Array<number>(count + 1).fill(0);
  const alternatives = { number: tiltedCount + weakerCount, category: count + weakerCount, plain: 0 }[column.kind];
  return {
    learned: column.byWeekday === undefined ? [empty] : Array.from({ length: noWeekday + 1 }, () => empty),
    recent: [],
    month: empty,
    growth: new Array<number>(alternatives + weakerCount).fill(0),
  };
}

/** What is seen of a column in a window. */
export interface Look {
  readonly column: ReferenceColumn;
  readonly before: ColumnState;
  readonly live: readonly number[];
  /** Which urn the window is of. */
  readonly urn: number;
  readonly size: Size;
  readonly growth: readonly number[];
  readonly evidence: number;
}

export function look(
  column: ReferenceColumn,
  before: ColumnState,
  given: { readonly counts: ColumnCounts; readonly days: readonly number[] },
): Look {
  const { counts, days } = given;
  const groups = groupsOf(column);
  const live = grouped(groups, counts);
  const logs = counts.rows === 0 ? [] : logEvidence(column, groups, { before, live, days });
  const growth = grown(before.growth, logs);
  const evidence = meanOf(column, before.isDrifted ? logs.map(Math.exp) : growth.map(Math.expm1));
  const size = sizeOf(column, groups, { counts, days, recent: [...before.recent, live].slice(-mostPooled) });
  return { column, before, live, urn: urnOf(column, days), size, growth, evidence };
}

function sizeOf(
  column: ReferenceColumn,
  groups: Groups,
  given: { readonly counts: ColumnCounts; readonly days: readonly number[]; readonly recent: ColumnState['recent'] },
): Size {
  const { counts, days, recent } = given;
  const ofDay = new Map<ColumnCounts, readonly number[]>();
  const pairs = recent.map((live, index) => {
    const expected = countsOn(column, days[days.length - recent.length + index]);
    const reference = ofDay.get(expected) ?? grouped(groups, expected);
    ofDay.set(expected, reference);
    return { live, reference };
  });
  const latest = { live: ungrouped(counts), reference: ungrouped(countsOn(column, days.at(-1))) };
  return largestSize(column.kind, column.kind === 'plain' ? (pairs.at(-1) ?? latest) : latest, pairs);
}

/** One urn for all days, or that of the last day. */
const urnOf = (column: ReferenceColumn, days: readonly number[]): number =>
  column.byWeekday === undefined ? 0 : (days.at(-1) ?? noWeekday);

/** The reference's counts of a weekday, where it has them. */
function countsOn(column: ReferenceColumn, day = noWeekday): ColumnCounts {
  const counts = column.byWeekday?.[day];
  return counts === undefined || counts.rows === 0 ? column : counts;
}

/**
 * How many rows of a window count as one. Where whole days vary, they do so the more visibly the more rows they have, so a
 * window with more rows than a day of the reference has more dispersion. Where rows follow each other it has as much.
 */
export const dispersionIn = ({ dispersion = 1, dayRows = 0 }: ReferenceColumn, rows: number): number =>
  1 + Math.max(0, dispersion - 1) * (dayRows > 0 ? Math.max(1, rows / dayRows) : 1);

/**
 * The logarithms of E of all alternatives of a column, for one window. An urn of a weekday knows nothing of other days,
 * so its alternatives must not either: with them the law of its next counts would be another one.
 */
function logEvidence(
  column: ReferenceColumn,
  groups: Groups,
  given: { readonly before: ColumnState; readonly live: readonly number[]; readonly days: readonly number[] },
): number[] {
  const { before, live, days } = given;
  const urn = urnOf(column, days);
  const learned = before.learned[urn] ?? [];
  const counts = column.byWeekday === undefined ? column : countsOn(column, urn);
  const dispersion = dispersionIn(column, sum(live));
  const urns = urnsOf(column, groups, { counts, learned, dispersion });
  const hasWeekday = column.byWeekday !== undefined && urn !== noWeekday;
  const last = before.recent.filter((_, index, { length }) => !hasWeekday || days.at(index - length - 1) === urn);
  const thinned = (counts: readonly number[]) => counts.map((count) => count / dispersion);
  const y = thinned(live);
  const week = thinned(total(last, live.length));
  // What is drifted is not learned, nor is a day in the urn of longer windows.
  const isLearned = before.isDrifted !== true && (column.byWeekday === undefined || hasWeekday);
  const month = thinned(hasWeekday ? learned : before.month);
  const presenceOf = (counts: readonly number[]) => {
    const none = counts[groups.count] ?? 0;
    return [sum(counts) - none, none];
  };
  const presence = { urn: urns.presence, week: presenceOf(week), month: presenceOf(month) };
  const nulls = weaker(presence, presenceOf(y), logUrn(urns.presence, presenceOf(y)));
  if (column.kind === 'plain') return nulls;
  const log = logUrn(urns.values, y);
  const own =
    column.kind === 'number'
      ? tilted(urns.values, isLearned ? week : [], y, log)
      : apart(urns.values, y.slice(0, groups.count));
  return [...own, ...weaker({ urn: urns.values, week, month }, y, log), ...nulls];
}

function total(windows: readonly (readonly number[])[], length: number): number[] {
  const sums = new Array<number>(length).fill(0);
  for (const window of windows)
    for (let group = 0; group < length; group += 1) sums[group] = (sums[group] ?? 0) + (window[group] ?? 0);
  return sums;
}

/** So much of the evidence is kept from one window to the next: what says nothing adds up to 28 at most. */
const kept = 27 / 28;

/** `log(1 + R)` after R = (1 + 27/28 R) E. Rounded down to four digits: then a state takes less room, and R is no more. */
const grown = (growth: readonly number[], logs: readonly number[]): readonly number[] =>
  logs.length === 0
    ? growth
    : growth.map((log, index) => {
        const sum = log + Math.log(kept + (1 - kept) * Math.exp(-log)) + (logs[index] ?? 0);
        return Math.floor((sum > 30 ? sum : Math.log1p(Math.exp(sum))) * 1e4) / 1e4;
      });

/** The weighted mean over the alternatives of a column. */
function meanOf({ kind }: ReferenceColumn, values: readonly number[]): number {
  const { count, weight } = kind === 'number' ? tiltOfLeast : { count: 0, weight: 1 };
  const more = (weight - 1) * sum(values.slice(0, count));
  return values.length === 0 ? 0 : (sum(values) + more) / (values.length + (weight - 1) * count);
}

/** The column after the window. A window counts as recent in any case; drift is not learned, and leaves no evidence. */
export function after(
  seen: Look,
  { isDrifted, keepsEvidence }: { readonly isDrifted: boolean; readonly keepsEvidence: boolean },
): ColumnState {
  const { before, live, urn, growth } = seen;
  const add = (counts: readonly number[]) => counts.map((count, group) => count + (live[group] ?? 0));
  return {
    learned: isDrifted ? before.learned : before.learned.map((counts, index) => (index === urn ? add(counts) : counts)),
    recent: [...before.recent, live].slice(-mostPooled),
    month: isDrifted ? before.month : add(before.month.map((count) => Math.floor((count * 27) / 28))),
    growth: keepsEvidence && !isDrifted ? growth : growth.map(() => 0),
    ...(isDrifted ? { isDrifted } : {}),
  };
}
