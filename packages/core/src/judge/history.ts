import { byMeasure, errors } from '../base/measures.ts';
import { grouped, median, percent } from '../base/numbers.ts';
import { day, durationText, minute } from '../base/time.ts';
import type { Tick } from '../ports/telemetry.ts';
import { type Part, partsOf } from './past.ts';
import { type Together, togetherOf, windowMs } from './together.ts';
import { mostOf } from './weather.ts';

/** What the champion did before the start, alone. */
export interface History {
  /** Milliseconds since the epoch, of the longer window that was read. */
  readonly from: number;
  readonly to: number;
  /** Ticks of the last day with requests. */
  readonly ticks: number;
  /** By measure; one that is not counted here is absent. */
  readonly measures: Readonly<Record<string, MeasureHistory>>;
  /** Absent: the longer window has too few ticks to rank a rollout among them. */
  readonly together?: Together;
}

export interface MeasureHistory {
  /** Of the longer window. */
  readonly bad: number;
  readonly requests: number;
  /** What the least share of the champion is taken from, see `partsOf`; absent: of an older record. */
  readonly parts?: readonly Part[];
  /** Median of the bad requests of a tick, last day. */
  readonly typical: number;
  /**
   * Standard deviation of the log-odds between two arms that are alike, as far as it is no chance of single requests.
   * Absent: too few bad requests in a tick, or too few ticks, to tell.
   */
  readonly noise?: number;
  /** Bad requests that come together, on average, where no burst is; 1: each comes by itself. See `dispersionOf`. */
  readonly dispersion: number;
  /** How often far more requests were bad than before and after, for minutes or in one tick. Absent: never. */
  readonly incidents?: number;
  /** There was none, and the counts of the last day scatter as chance alone would have them, see `scattersByChance`. */
  readonly calm: boolean;
}

/** In short, for a person: `7d, 604,800 requests, 0.5 % failed; a share that varies by 12 % by itself`. */
export function historyText(history: History | 'none'): string {
  if (history === 'none') return 'not known: it was too new, or its counts could not be read';
  const { from, to, measures } = history;
  const failed = measures[errors];
  const span = durationText(to - from);
  if (failed === undefined) return span;
  const share = `${span}, ${grouped(failed.requests)} requests, ${percent(failed.bad / failed.requests)} failed`;
  return failed.noise === undefined
    ? share
    : `${share}; a share that varies by ${percent(failed.noise / Math.SQRT2)} by itself`;
}

/** How far back the longer window goes, and its ticks: a rate needs many requests, and no small ticks. */
export const historyMs = 7 * day;
export const historyTickMs = windowMs;

/** Noise is one of ticks of the plan: those of the last day, or so many where they are shorter than a minute. */
const mostTicks = day / minute;
export const recentMs = (tickMs: number): number => Math.min(day, mostTicks * tickMs);

/** What was read. Ticks are ascending. */
export interface Past {
  /** The champion's. */
  readonly deployment: string;
  readonly measures: readonly string[];
  readonly tickMs: number;
  /** When the rollout began. */
  readonly start: number;
  /** Of the last day, at the tick of the plan. */
  readonly recent: readonly Tick[];
  /** Of the last seven days, of `historyTickMs`. */
  readonly long: readonly Tick[];
}

/** `undefined`: the champion answered no request alone, so nothing is known of it. */
export function historyOf({ deployment, measures, tickMs, start, recent, long }: Past): History | undefined {
  const lately = aloneIn(recent, deployment);
  const before = aloneIn(long, deployment);
  const [first, last] = [long[0], long.at(-1)];
  if (first === undefined || last === undefined || before.length === 0) return undefined;
  const together = togetherOf(before, { start, measures });
  return {
    from: first.start,
    to: last.start + historyTickMs,
    ticks: lately.length,
    measures: byMeasure(measures, (measure) =>
      measureOf(
        lately.flatMap(badOf(measure)).map((count) => ({ ...count, index: count.start / tickMs })),
        before.flatMap(badOf(measure)),
      ),
    ),
    ...(together === undefined ? {} : { together }),
  };
}

/** Requests of a tick that nobody else answered, and those of them that were bad. */
export interface Alone {
  readonly start: number;
  readonly requests: number;
  readonly bad: Readonly<Record<string, number>>;
}

/**
 * The ticks in which only this deployment answered. One without requests says nothing, and an unserved one less. One that
 * is told twice counts once.
 */
export function aloneIn(ticks: readonly Tick[], deployment: string): readonly Alone[] {
  return ticks.flatMap(({ start, counts, unserved }, index) => {
    const own = counts[deployment];
    if (unserved || own === undefined || own.requests === 0 || start === ticks[index - 1]?.start) return [];
    const others = Object.entries(counts).some(([name, { requests }]) => name !== deployment && requests > 0);
    return others ? [] : [{ start, ...own }];
  });
}

interface Count {
  readonly requests: number;
  readonly bad: number;
}

interface Timed extends Count {
  readonly start: number;
}

const badOf =
  (measure: string) =>
  ({ start, requests, bad }: Alone): readonly Timed[] =>
    bad[measure] === undefined ? [] : [{ start, requests, bad: bad[measure] }];

function measureOf(recent: readonly (Indexed & Timed)[], long: readonly Timed[]): MeasureHistory | undefined {
  if (recent.length === 0 || long.length === 0) return undefined;
  const noise = noiseOf(recent);
  const incidents = incidentsIn(recent, long);
  return {
    bad: sum(long, ({ bad }) => bad),
    requests: sum(long, ({ requests }) => requests),
    parts: partsOf(long),
    typical: median(recent.map(({ bad }) => bad)),
    ...(noise === undefined ? {} : { noise }),
    dispersion: dispersionOf(recent.map(({ bad }) => bad)),
    ...(incidents === 0 ? {} : { incidents }),
    calm: incidents === 0 && scattersByChance(recent.map(({ bad }) => bad)),
  };
}

/** A count of the tick of this number. */
export interface Indexed extends Count {
  readonly index: number;
}

/** Fewer say nothing of noise: an hour of ticks with another an hour before and after, where a tick is a minute. */
export const fewestTicks = 180;
/** Below it chance is greater than noise. */
const fewestBad = 10;
/** Shorter ones miss noise that is slow, and an hour leaves out what comes with each hour. */
const noiseLag = 60;
/** The median of the square of a standard normal: of chi-squared with one degree of freedom. */
const medianOfSquare = 0.4549364231;
/** So much is added for what is not known of the sample. */
const caution = 1.1;

/**
 * The standard deviation of the difference of the log-odds of two arms that both vary as this one did.
 *
 * With x the log-odds of a tick and v the variance that chance alone gives it (1/bad + 1/good, each with a half added:
 * Haldane 1955, Anscombe 1956), x_t - (x_(t-lag) + x_(t+lag)) / 2 has the variance 1.5 (s² + v) where v hardly changes. It
 * is blind to a trend, as from day to night, and to what comes with each hour: both arms would have these alike, and they
 * are no noise. The median of its square in the place of the mean: incidents and bursts are not noise. The variance of a
 * median is that of a normal distribution, an assumption. Two arms differ by twice the variance of one. The lag, the
 * caution and the fewest counts were chosen by simulation, and no bound rests on them: see decisions/0075.
 */
export function noiseOf(counts: readonly Indexed[], { lag = noiseLag, fewest = fewestTicks } = {}): number | undefined {
  if (counts.length < fewest || median(counts.map(({ bad }) => bad)) < fewestBad) return undefined;
  const odds = new Map(counts.map(({ index, bad, requests }) => [index, logOdds(bad, requests)]));
  const squares = [...odds].flatMap(([index, now]) => {
    const [before, after] = [odds.get(index - lag), odds.get(index + lag)];
    return before === undefined || after === undefined ? [] : [(now - (before + after) / 2) ** 2 / 1.5];
  });
  if (squares.length < fewest - 2 * lag) return undefined;
  const chance = median(counts.map(({ bad, requests }) => 1 / (bad + 0.5) + 1 / (requests - bad + 0.5)));
  return Math.sqrt(2 * Math.max((caution * median(squares)) / medianOfSquare - chance, 0));
}

const logOdds = (bad: number, requests: number): number => Math.log((bad + 0.5) / (requests - bad + 0.5));

/**
 * Bad requests that come together, as where a client repeats what failed: the index of dispersion, variance over mean, of
 * the counts of ticks, 1 for a Poisson count. The variance is half of the mean square of the difference to the tick
 * before, which is blind to slow changes (von Neumann 1941). Ticks with a burst are left out: a rollout cuts those.
 */
export function dispersionOf(bad: readonly number[]): number {
  const kept = withoutBursts(bad);
  const pairs = kept.slice(1).map((now, index) => [now, kept[index]] as const);
  const squares = pairs.flatMap(([now, then]) =>
    now === undefined || then === undefined ? [] : [(now - then) ** 2 / 2],
  );
  const counts = kept.filter((count) => count !== undefined);
  const mean = sum(counts, (count) => count) / counts.length;
  return mean > 0 && squares.length > 0 ? Math.max(1, sum(squares, (square) => square) / squares.length / mean) : 1;
}

/** Each count, or `undefined` where a rollout would not count all of it (`mostOf`). */
function withoutBursts(bad: readonly number[]): readonly (number | undefined)[] {
  let typical = Math.min(bad[0] ?? 0, bad[1] ?? 0);
  return bad.map((now, index) => {
    const most = mostOf(typical, bad[index - 1] ?? now);
    typical += 0.2 * (Math.min(now, most) - typical);
    return now > most ? undefined : now;
  });
}

/** So many counts in a row are held against those of five such rows, two before and two after included. */
const blockCounts = 6;
const blocksBeside = 2;

/**
 * How often far more requests were bad than before and after: in ticks of the last day, and in five minutes of the last
 * seven days. What is no further apart than five minutes is one incident. Nobody knows whether the other arm would have
 * had it too: it may be one of an arm's own. One that lasts for more than an hour may look usual, as all that is near is
 * part of it: of those of 80 minutes or more a third to a half are missed.
 */
export function incidentsIn(recent: readonly Timed[], long: readonly Timed[]): number {
  const starts = [...standingOut(recent), ...standingOut(long)].sort((a, b) => a - b);
  return starts.filter((start, index) => start - (starts[index - 1] ?? -Infinity) > historyTickMs).length;
}

function standingOut(counts: readonly Timed[]): readonly number[] {
  const starts: number[] = [];
  for (let from = 0; from < counts.length; from += blockCounts) {
    const beside = blocksBeside * blockCounts;
    const near = counts.slice(Math.max(0, from - beside), from + blockCounts + beside);
    const [bad, requests] = [median(near.map((count) => count.bad)), median(near.map((count) => count.requests))];
    for (const count of counts.slice(from, from + blockCounts))
      if (count.bad > mostByChance(bad, count.requests / requests)) starts.push(count.start);
  }
  return starts;
}

/**
 * Where the neighbours have so many bad requests, and this tick so many times their requests. The mean of a Poisson count
 * is less than log 2 above its median (Choi 1994). Half more is not far more. The rest was chosen by simulation: fewer than
 * one in a hundred calm champions has an incident in its week, and one of ten minutes with ten times the bad requests is
 * seen from 0.3 a minute on, with five times from 1 on, and with three times from 3 on.
 */
function mostByChance(medianBad: number, traffic: number): number {
  const usual = (medianBad + Math.LN2) * Math.max(1, traffic);
  return Math.max(1.5 * usual, usual + 5.5 * Math.sqrt(usual) + 1.5);
}

const blockTicks = 60;
const fewestForCalm = 1000;
/** Blocks that are left out on each side: an incident is no noise, and is counted by itself. */
const trimmed = 1 / 8;
/** Standard errors above 1. One in fifteen calm champions is above them, and is judged as carefully as a noisy one. */
const calmErrors = 1.5;

/**
 * Whether the counts of ticks scatter no more than Poisson counts: no noise of the champion's own. The
 * index of dispersion of each hour (60 ticks) about its own trend, and the mean of the middle three quarters of the hours;
 * its variance under Poisson is (2.3 + 1 / mean) / ticks, the 2.3 being 2 and what the trim costs. A day shows bursts of
 * 10 requests once in 20 ticks where fewer than about 30 a tick are bad; with more they weigh little.
 */
export function scattersByChance(bad: readonly number[]): boolean {
  if (bad.length < fewestForCalm) return false;
  const blocks = Array.from({ length: Math.floor(bad.length / blockTicks) }, (_, index) =>
    bad.slice(index * blockTicks, (index + 1) * blockTicks),
  );
  const scatter = blocks.map(scatterOf).sort((a, b) => a - b);
  const left = Math.floor(scatter.length * trimmed);
  const middle = scatter.slice(left, scatter.length - left);
  const mean = Math.max(sum(bad, (count) => count) / bad.length, 1e-3);
  const error = Math.sqrt((2.3 + 1 / mean) / bad.length);
  return sum(middle, (each) => each) / middle.length <= 1 + calmErrors * error;
}

/** Variance about a straight line, over the mean; 1 without any. */
function scatterOf(bad: readonly number[]): number {
  const mean = sum(bad, (count) => count) / bad.length;
  if (mean === 0) return 1;
  const center = (bad.length - 1) / 2;
  let [along, squares] = [0, 0];
  for (const [index, count] of bad.entries()) {
    along += (index - center) * count;
    squares += (index - center) ** 2;
  }
  const slope = along / squares;
  const left = bad.map((count, index) => (count - mean - slope * (index - center)) ** 2);
  return sum(left, (each) => each) / (bad.length - 2) / mean;
}

const sum = <Row>(rows: readonly Row[], value: (row: Row) => number): number =>
  rows.reduce((total, row) => total + value(row), 0);
