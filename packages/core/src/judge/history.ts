import { byMeasure, errors } from '../base/measures.ts';
import { grouped, percent } from '../base/numbers.ts';
import { day, durationText, minute } from '../base/time.ts';
import type { Tick } from '../ports/telemetry.ts';
import { type Part, partsOf } from './past.ts';

/** What the champion did before the start, alone. */
export interface History {
  /** Milliseconds since the epoch, of the longer window that was read. */
  readonly from: number;
  readonly to: number;
  /** Ticks of the last day with requests. */
  readonly ticks: number;
  /** By measure; one that is not counted here is absent. */
  readonly measures: Readonly<Record<string, MeasureHistory>>;
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
  /** Ticks of the last day with far more bad requests than those before them, see `outliersIn`. */
  readonly outliers: number;
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
export const historyTickMs = 5 * minute;

/** Noise is one of ticks of the plan: those of the last day, or so many where they are shorter than a minute. */
const mostTicks = day / minute;
export const recentMs = (tickMs: number): number => Math.min(day, mostTicks * tickMs);

/** What was read. Ticks are ascending. */
export interface Past {
  /** The champion's. */
  readonly deployment: string;
  readonly measures: readonly string[];
  readonly tickMs: number;
  /** Of the last day, at the tick of the plan. */
  readonly recent: readonly Tick[];
  /** Of the last seven days, of `historyTickMs`. */
  readonly long: readonly Tick[];
}

/** `undefined`: the champion answered no request alone, so nothing is known of it. */
export function historyOf({ deployment, measures, tickMs, recent, long }: Past): History | undefined {
  const lately = aloneIn(recent, deployment);
  const before = aloneIn(long, deployment);
  const [first, last] = [long[0], long.at(-1)];
  if (first === undefined || last === undefined || before.length === 0) return undefined;
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

const badOf =
  (measure: string) =>
  ({ start, requests, bad }: Alone): readonly (Count & { readonly start: number })[] =>
    bad[measure] === undefined ? [] : [{ start, requests, bad: bad[measure] }];

function measureOf(
  recent: readonly Indexed[],
  long: readonly (Count & { readonly start: number })[],
): MeasureHistory | undefined {
  if (recent.length === 0 || long.length === 0) return undefined;
  const noise = noiseOf(recent);
  return {
    bad: sum(long, ({ bad }) => bad),
    requests: sum(long, ({ requests }) => requests),
    parts: partsOf(long),
    typical: median(recent.map(({ bad }) => bad)),
    ...(noise === undefined ? {} : { noise }),
    outliers: outliersIn(recent.map(({ bad }) => bad)),
  };
}

/** A count of the tick of this number. */
export interface Indexed extends Count {
  readonly index: number;
}

/** Fewer say nothing of noise: an hour and a half of pairs that are half an hour apart, where a tick is a minute. */
const fewestTicks = 120;
/** Below it chance is greater than noise. */
const fewestBad = 10;
/** Shorter ones miss noise that is slow: half an hour where a tick is a minute. */
const noiseLag = 30;
/** The median of the square of a standard normal: of chi-squared with one degree of freedom. */
const medianOfSquare = 0.4549364231;
/** So much is added for what is not known of the sample. */
const caution = 1.1;

/**
 * The standard deviation of the difference of the log-odds of two arms that both vary as this one did.
 *
 * With x the log-odds of a tick and v the variance that chance alone gives it (1/bad + 1/good, each with a half added:
 * Haldane 1955, Anscombe 1956), x_t - x_(t-lag) has the variance 2 s² + v_t + v_(t-lag). The median of its square in the
 * place of the mean: incidents and bursts are not noise. The variance of a median is that of a normal distribution, an
 * assumption. Two arms differ by twice the variance of one. The lag, the caution and the fewest counts were chosen by
 * simulation, and no bound rests on them: see decisions/0075.
 */
export function noiseOf(counts: readonly Indexed[], { lag = noiseLag, fewest = fewestTicks } = {}): number | undefined {
  if (counts.length < fewest || median(counts.map(({ bad }) => bad)) < fewestBad) return undefined;
  const odds = new Map(counts.map(({ index, bad, requests }) => [index, logOdds(bad, requests)]));
  const squares = [...odds].flatMap(([index, now]) => {
    const then = odds.get(index - lag);
    return then === undefined ? [] : [(now - then) ** 2 / 2];
  });
  if (squares.length < fewest - lag) return undefined;
  const chance = median(counts.map(({ bad, requests }) => 1 / (bad + 0.5) + 1 / (requests - bad + 0.5)));
  return Math.sqrt(2 * Math.max((caution * median(squares)) / medianOfSquare - chance, 0));
}

const logOdds = (bad: number, requests: number): number => Math.log((bad + 0.5) / (requests - bad + 0.5));

/**
 * How many of these counts of ticks, in order, are more than `most`, which is what a rollout counts of a tick at most:
 * half as many again as usual, twice the chance of it and two, or as many as the tick before.
 */
function outliersIn(bad: readonly number[]): number {
  const [first = 0, second = 0] = bad;
  let usual = Math.min(first, second);
  let outliers = 0;
  for (let index = 1; index < bad.length; index += 1) {
    const now = bad[index] ?? 0;
    const most = Math.max(1.5 * usual + 2 * Math.sqrt(usual) + 2, bad[index - 1] ?? 0);
    if (now > most) outliers += 1;
    usual += 0.2 * (Math.min(now, most) - usual);
  }
  return outliers;
}

const sum = <Row>(rows: readonly Row[], value: (row: Row) => number): number =>
  rows.reduce((total, row) => total + value(row), 0);

/** Of an even number the mean of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}
