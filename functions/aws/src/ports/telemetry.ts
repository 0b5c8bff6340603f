import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { Fault } from '@serin/core/base/fault';
import { byMeasure, errors as errorsMeasure, thresholdOf } from '@serin/core/base/measures';
import type { Counts, Labels, Telemetry, Tick, TickQuery } from '@serin/core/ports/telemetry';
import type { Installation } from '@serin/platform/names';
import { checkTicks, withoutLabels } from '@serin/platform/telemetry';
import { endpointName } from '../names.ts';
import type { Endpoints } from '../serving/described.ts';
import { metricValues, type Series, type Values } from '../serving/metric-data.ts';
import { variantsOf } from '../serving/variants.ts';

interface Options {
  readonly cloudwatch: CloudWatchClient;
  readonly endpoints: Endpoints;
  readonly installation: Installation;
  readonly now: () => number;
  /** How long after its end a minute is read. */
  readonly settleMs?: number;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** "Data points with a period of 60 seconds are available for 15 days" (API reference, GetMetricData). */
const keptMs = 15 * dayMs;
// Far more than are kept: only what is no time at all is over it.
const counted = { stepMs: minuteMs, counts: 'CloudWatch counts whole minutes', mostTicks: 1_000_000 };
/** A tick whose metrics do not fit together for so long is told without any. */
const patienceMs = 15 * minuteMs;

/**
 * Telemetry from CloudWatch's metrics of a SageMaker endpoint, by whole minutes (`tickMs`: a multiple of 60,000).
 *
 * A tick is closed three minutes after its end: SageMaker publishes late, and nothing says how late. A request counts in
 * the minute for which SageMaker counts it. An error is a request that the model failed to answer, with a 5xx or not at
 * all (see `errorsOf`): a 4xx is the caller's. Latency is ModelLatency, the model's own time as SageMaker sees it, without
 * the overhead that is the same for all. A tick in which a variant has requests and no other metrics is not closed; after
 * 15 minutes it is told by what there is, or empty without InvocationModelErrors, for half of a tick is no evidence. Nor
 * is one closed in which a variant has no requests that should have many: after 15 minutes it is told so.
 * Counts of requests and errors that are not whole numbers throw `invalid`; such counts of slow ones are left out.
 * Ticks of more than 15 days ago are `invalid`. There are no users, segments, pairs or labels.
 * A threshold is rounded to the microsecond. `latency` is that of the deployment with the most requests: percentiles of
 * several cannot be joined.
 */
export function cloudWatchTelemetry(options: Options): Telemetry & Labels {
  const { cloudwatch, endpoints, installation, now, settleMs = 3 * minuteMs } = options;

  async function ticks({ endpoint, from, to, tickMs, measures }: TickQuery): Promise<readonly Tick[]> {
    checkTicks({ from, to, tickMs }, counted);
    const first = Math.ceil(from / tickMs);
    const end = Math.min(Math.floor(to / tickMs), Math.floor((now() - settleMs) / tickMs));
    if (end <= first) return [];
    const window = { endpoint: endpointName(installation, endpoint), from: first * tickMs, to: end * tickMs };
    checkKept(window.from, now());
    const variants = await variantsOf({ cloudwatch, endpoints }, window.endpoint);
    const slow = measures.filter((measure) => thresholdOf(measure) !== undefined);
    const statistics = statisticsOf(slow);
    const series = variants.flatMap(({ name }) =>
      statistics.map((statistic): Series => ({ variant: name, ...statistic })),
    );
    // By the minute, whatever the tick is: how longer periods are aligned is not documented, and counts add up.
    const values = await metricValues(cloudwatch, { ...window, periodMs: minuteMs }, series);
    if (values === undefined) return [];
    const rows = variants.map(({ name, weight }, index) => ({
      variant: name,
      weight,
      values: values.slice(index * statistics.length, (index + 1) * statistics.length),
    }));
    const answer: Tick[] = [];
    for (let start = window.from; start < window.to; start += tickMs) {
      const isLate = now() >= start + tickMs + patienceMs;
      const counts = countsOf(rows, { from: start, to: start + tickMs, isLate }, slow);
      const isWhole = counts !== undefined && !lacksOne(rows, counts);
      if (!isWhole && !isLate) break;
      answer.push({ start, counts: counts ?? {} });
    }
    return answer;
  }

  return {
    ticks,

    async latency(endpoint, from, to) {
      const window = {
        endpoint: endpointName(installation, endpoint),
        from: Math.ceil(from / minuteMs) * minuteMs,
        to: Math.floor(to / minuteMs) * minuteMs,
      };
      if (!(window.to > window.from)) return undefined;
      checkKept(window.from, now());
      const variants = await variantsOf({ cloudwatch, endpoints }, window.endpoint);
      const stats: readonly Omit<Series, 'variant'>[] = [
        { metric: 'Invocations', stat: 'Sum' },
        ...['p50', 'p90', 'p99'].map((stat) => ({ metric: 'ModelLatency' as const, stat })),
      ];
      const series = variants.flatMap(({ name }) =>
        stats.map((statistic): Series => ({ variant: name, ...statistic })),
      );
      const values = await metricValues(cloudwatch, { ...window, periodMs: window.to - window.from }, series);
      if (values === undefined)
        throw new Fault('unavailable', `CloudWatch has not all metrics of ${endpoint} yet; ask again later`);
      const rows = variants.map((_, index) => values.slice(index * stats.length, (index + 1) * stats.length));
      return percentilesOf(rows);
    },

    ...withoutLabels('AWS'),
  };
}

/** Longer than any answer of an endpoint may take, in microseconds: an hour. */
const longestUs = 3_600_000_000;

// ModelLatency is in microseconds. "TC(0.005:0.030) returns the number of data points with values between 0.005
// (exclusive) and 0.030 (inclusive)" (CloudWatch, Statistics definitions); PR would be a percentage, not a count.
const statisticsOf = (slow: readonly string[]): readonly Omit<Series, 'variant'>[] => [
  { metric: 'Invocations', stat: 'Sum' },
  { metric: 'InvocationModelErrors', stat: 'Sum' },
  { metric: 'Invocation4XXErrors', stat: 'Sum' },
  { metric: 'Invocation5XXErrors', stat: 'Sum' },
  ...slow.map((measure) => ({
    metric: 'ModelLatency' as const,
    stat: `TC(${Math.min(longestUs - 1, Math.round((thresholdOf(measure) ?? 0) * 1000))}:${longestUs})`,
  })),
];

interface Row {
  readonly variant: string;
  readonly weight: number;
  readonly values: Values;
}

interface Within {
  readonly from: number;
  readonly to: number;
  /** Nothing more is waited for. */
  readonly isLate: boolean;
}

/** `undefined`: what CloudWatch has of the tick does not fit together (yet). */
function countsOf(
  rows: readonly Row[],
  { from, to, isLate }: Within,
  slow: readonly string[],
): Readonly<Record<string, Counts>> | undefined {
  const counts: Record<string, Counts> = {};
  for (const { variant, values } of rows) {
    const [requestsByMinute = [], failed = [], refused = [], answered5xx = [], ...slowByMinute] = values.map((series) =>
      within(series, from, to),
    );
    const requests = sum(requestsByMinute);
    const errors = errorsOf(sum(failed), sum(refused), sum(answered5xx));
    if (requests === 0 && errors === 0) continue;
    if (!Number.isSafeInteger(requests) || !Number.isSafeInteger(errors))
      throw new Fault('invalid', `CloudWatch has ${errors} errors of ${requests} requests of ${variant}: no numbers`);
    // "For each error response, 1 is sent; otherwise, 0 is sent": where there are requests there is a value. Whether
    // that holds of the two that count answers, when there was no answer, is not proven: they are not waited for forever.
    const needed = isLate ? [failed] : [failed, refused, answered5xx];
    const isWhole = requestsByMinute.every(
      ([minute, value]) => value === 0 || needed.every((minutes) => hasMinute(minutes, minute)),
    );
    if (!isWhole || errors > requests) return undefined;
    const slower = slowByMinute.map(sum);
    if (slower.some((count) => count > requests)) return undefined;
    const isCount = slower.every(Number.isSafeInteger);
    const bad = {
      [errorsMeasure]: errors,
      ...byMeasure(isCount ? slow : [], (measure) => slower[slow.indexOf(measure)]),
    };
    counts[variant] = { requests, bad };
  }
  return counts;
}

/**
 * InvocationModelErrors are requests that "did not result in 2XX HTTP response. This includes 4XX/5XX status codes,
 * low-level socket errors, malformed HTTP responses, and request timeouts"; the other two count what "the model returned"
 * and know nothing of a model that hangs, dies or is killed (developer guide, "Amazon SageMaker AI metrics in Amazon
 * CloudWatch").
 */
const errorsOf = (failed: number, refused: number, answered5xx: number): number =>
  Math.max(answered5xx, failed - refused);

/** So many requests are not missing by chance: it happens to two of a billion ticks. */
const surely = 20;

/** Whether a variant with weight has no requests, though so many should have come to it beside those of the others. */
function lacksOne(rows: readonly Row[], counts: Readonly<Record<string, Counts>>): boolean {
  return rows.some(({ variant, weight }) => {
    if (weight === 0 || counts[variant] !== undefined) return false;
    const others = rows.filter((row) => row.weight > 0 && row.variant !== variant);
    const requests = others.reduce((total, row) => total + (counts[row.variant]?.requests ?? 0), 0);
    const share = others.reduce((total, row) => total + row.weight, 0);
    return share > 0 && (requests * weight) / share >= surely;
  });
}

type Minutes = readonly (readonly [number, number])[];
const within = (series: ReadonlyMap<number, number>, from: number, to: number): Minutes =>
  [...series].filter(([minute]) => minute >= from && minute < to);
const sum = (minutes: Minutes): number => minutes.reduce((total, [, value]) => total + value, 0);
const hasMinute = (minutes: Minutes, minute: number): boolean => minutes.some(([start]) => start === minute);

/** Rows of requests, p50, p90 and p99, each by period. Where a window has more than one: their mean, by requests. */
function percentilesOf(rows: readonly Values[]) {
  const requestsOf = ([requests]: Values): number => sum([...(requests ?? [])]);
  const requests = rows.reduce((total, row) => total + requestsOf(row), 0);
  const main = rows.toSorted((a, b) => requestsOf(b) - requestsOf(a))[0];
  if (main === undefined || requests === 0) return undefined;
  const ms = (values: ReadonlyMap<number, number> | undefined): number => {
    const [weights] = main;
    const known = [...(values ?? [])].map(([start, value]) => ({ value, weight: weights?.get(start) ?? 0 }));
    const weight = known.reduce((total, row) => total + row.weight, 0);
    return known.reduce((total, row) => total + row.value * row.weight, 0) / weight / 1000;
  };
  const [p50, p90, p99] = main.slice(1).map(ms);
  if (![p50, p90, p99].every(Number.isFinite)) return undefined;
  return { p50: p50 ?? 0, p90: p90 ?? 0, p99: p99 ?? 0, requests };
}

function checkKept(from: number, now: number): void {
  if (from >= now - keptMs) return;
  const since = new Date(from).toISOString();
  throw new Fault('invalid', `cannot read the requests since ${since}: CloudWatch keeps minutes for 15 days`);
}
