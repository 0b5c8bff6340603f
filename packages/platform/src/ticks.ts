import { Fault } from '@serin/core/base/fault';
import { byMeasure, errors as errorsMeasure, thresholdOf } from '@serin/core/base/measures';
import type { Counts, Tick, TickQuery } from '@serin/core/ports/telemetry';
import { checkTicks } from './telemetry.ts';

/** A metric of one deployment: values by the start of their step; a step without data is not there. */
export type Series = ReadonlyMap<number, number>;

/** What a cloud has counted of one deployment. */
export interface Counted {
  readonly deployment: string;
  /** As it is now; 0 of one that is gone. */
  readonly weight: number;
  readonly requests: Series;
  /** What errors are made of, as `errorsOf` takes them. */
  readonly outcomes: readonly Series[];
  /** Requests over each threshold, in the order in which they were asked for. */
  readonly slow: readonly Series[];
}

/** Metrics of a cloud, which come late, in any order, and are forgotten. */
export interface Counter {
  /** As an error names it. */
  readonly name: string;
  /** It counts in steps of so long, told as `counts`. */
  readonly stepMs: number;
  readonly counts: string;
  /** How long after its end a tick is read. */
  readonly settleMs: number;
  /** A tick whose metrics do not fit together for so long is told by what there is. */
  readonly patienceMs: number;
  readonly keptMs: number;
  errorsOf(outcomes: readonly number[]): number;
  /** So many outcomes, the first ones, have a value wherever there are requests; the others are not waited for forever. */
  readonly sure: number;
}

interface Window {
  readonly from: number;
  readonly to: number;
}

// Far more than any cloud keeps: only what is no time at all is over it.
const mostTicks = 1_000_000;

/** The whole ticks of a query that may be closed; `undefined` when there is none. `invalid` for what is forgotten. */
export function closedTicks(query: TickQuery, counter: Counter, now: number): Window | undefined {
  const { from, to, tickMs } = query;
  checkTicks(query, { stepMs: counter.stepMs, counts: counter.counts, mostTicks });
  const first = Math.ceil(from / tickMs);
  const end = Math.min(Math.floor(to / tickMs), Math.floor((now - counter.settleMs) / tickMs));
  if (end <= first) return undefined;
  const window = { from: first * tickMs, to: end * tickMs };
  checkKept(window, counter, now);
  return window;
}

/** The whole steps of a window; `undefined` when there is none. `invalid` for what is forgotten. */
export function wholeSteps({ from, to }: Window, counter: Counter, now: number): Window | undefined {
  const { stepMs } = counter;
  const window = { from: Math.ceil(from / stepMs) * stepMs, to: Math.floor(to / stepMs) * stepMs };
  if (!(window.to > window.from)) return undefined;
  checkKept(window, counter, now);
  return window;
}

const dayMs = 86_400_000;

function checkKept({ from }: Window, { name, keptMs }: Counter, now: number): void {
  if (from >= now - keptMs) return;
  const since = new Date(from).toISOString();
  throw new Fault(
    'invalid',
    `cannot read the requests since ${since}; ask for the last ${Math.floor(keptMs / dayMs)} days, ${name} keeps no more`,
  );
}

/** The measures that are thresholds: a cloud knows no other beside errors. */
export const slowOf = (measures: readonly string[]): readonly string[] =>
  measures.filter((measure) => thresholdOf(measure) !== undefined);

/**
 * The ticks of a window, as far as they are closed.
 *
 * A tick in which a deployment has requests and not all of its outcomes is not closed, nor one in which a deployment has
 * no requests that should have many. After the patience of the counter it is told by what there is, or empty where
 * nothing fits together, for part of a tick would mislead. What is not there then may be requests that did not come, or
 * data: the metrics of a cloud have no zeros. The judge leaves such a tick out (judge/routing.ts of core). Counts of requests and errors that are not whole numbers throw
 * `invalid`; such counts of slow requests are left out.
 */
export function ticksOf(
  rows: readonly Counted[],
  { from, to, tickMs, measures }: Pick<TickQuery, 'from' | 'to' | 'tickMs' | 'measures'>,
  counter: Counter,
  now: number,
): readonly Tick[] {
  const slow = slowOf(measures);
  const parted = rows.map((row) => partedBy(tickMs, row));
  const ticks: Tick[] = [];
  for (let start = from; start < to; start += tickMs) {
    const isLate = now >= start + tickMs + counter.patienceMs;
    const counts = countsOf(parted, { start, isLate }, slow, counter);
    const isWhole = counts !== undefined && !lacksOne(rows, counts);
    if (!isWhole && !isLate) break;
    ticks.push({ start, counts: counts ?? {} });
  }
  return ticks;
}

/** The steps of a series by the start of their tick: of a week of them each is looked at once. */
type Parted = ReadonlyMap<number, Steps>;
type Steps = readonly (readonly [number, number])[];

function partedBy(tickMs: number, { deployment, requests, outcomes, slow }: Counted) {
  const parted = (series: Series): Parted => Map.groupBy(series, ([step]) => Math.floor(step / tickMs) * tickMs);
  return { deployment, requests: parted(requests), outcomes: outcomes.map(parted), slow: slow.map(parted) };
}

interface Within {
  readonly start: number;
  /** Nothing more is waited for. */
  readonly isLate: boolean;
}

/** `undefined`: what there is of the tick does not fit together (yet). */
function countsOf(
  rows: readonly ReturnType<typeof partedBy>[],
  { start, isLate }: Within,
  slow: readonly string[],
  { name, errorsOf, sure }: Counter,
): Readonly<Record<string, Counts>> | undefined {
  const counts: Record<string, Counts> = {};
  for (const row of rows) {
    const within = (series: Parted): Steps => series.get(start) ?? [];
    const requestsByStep = within(row.requests);
    const outcomes = row.outcomes.map(within);
    const requests = sum(requestsByStep);
    const errors = errorsOf(outcomes.map(sum));
    if (requests === 0 && errors === 0) continue;
    if (!Number.isSafeInteger(requests) || !Number.isSafeInteger(errors))
      throw new Fault(
        'invalid',
        `${name} has ${errors} errors of ${requests} requests of ${row.deployment}, which are not whole numbers; report it as a defect of Serin`,
      );
    const needed = isLate ? outcomes.slice(0, sure) : outcomes;
    const isWhole = requestsByStep.every(
      ([step, value]) => value === 0 || needed.every((values) => values.some(([at]) => at === step)),
    );
    const slower = row.slow.map((series) => sum(within(series)));
    if (!isWhole || errors > requests || slower.some((count) => count > requests)) return undefined;
    const isCount = slower.every(Number.isSafeInteger);
    const bad = {
      [errorsMeasure]: errors,
      ...byMeasure(isCount ? slow : [], (measure) => slower[slow.indexOf(measure)]),
    };
    counts[row.deployment] = { requests, bad };
  }
  return counts;
}

/** So many requests are not missing by chance: it happens to two of a billion ticks. */
const surely = 20;

/** Whether a deployment with weight has no requests, though so many should have come to it beside those of the others. */
function lacksOne(rows: readonly Counted[], counts: Readonly<Record<string, Counts>>): boolean {
  return rows.some(({ deployment, weight }) => {
    if (weight === 0 || counts[deployment] !== undefined) return false;
    const others = rows.filter((row) => row.weight > 0 && row.deployment !== deployment);
    const requests = others.reduce((total, row) => total + (counts[row.deployment]?.requests ?? 0), 0);
    const share = others.reduce((total, row) => total + row.weight, 0);
    return share > 0 && (requests * weight) / share >= surely;
  });
}

const sum = (values: Steps): number => values.reduce((total, [, value]) => total + value, 0);

/** What a cloud measured of one deployment, in units of its own. */
export interface Measured {
  readonly requests: Series;
  readonly p50: Series;
  readonly p90: Series;
  readonly p99: Series;
}

/**
 * Percentiles, in milliseconds, of the deployment with the most requests, for those of several cannot be joined; over several periods the
 * mean, by requests. `undefined` without requests.
 */
export function percentilesOf(rows: readonly Measured[], unitsPerMs: number) {
  const requestsOf = ({ requests }: Measured): number => sum([...requests]);
  const requests = rows.reduce((total, row) => total + requestsOf(row), 0);
  const main = rows.toSorted((a, b) => requestsOf(b) - requestsOf(a))[0];
  if (main === undefined || requests === 0) return undefined;
  const mean = (values: Series): number => {
    const known = [...values].map(([start, value]) => ({ value, weight: main.requests.get(start) ?? 0 }));
    const weight = known.reduce((total, row) => total + row.weight, 0);
    return known.reduce((total, row) => total + row.value * row.weight, 0) / weight / unitsPerMs;
  };
  const [p50, p90, p99] = [mean(main.p50), mean(main.p90), mean(main.p99)];
  return [p50, p90, p99].every(Number.isFinite) ? { p50, p90, p99, requests } : undefined;
}
