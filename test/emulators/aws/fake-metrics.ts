import type { GetMetricDataCommandInput, ListMetricsCommandInput, MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { minute } from './fake-endpoints.ts';
import { Refusal, seconds } from './fake-wire.ts';

/** One request, as SageMaker tells CloudWatch of it. */
export interface Answered {
  readonly endpoint: string;
  readonly variant: string;
  readonly at: number;
  readonly latencyMs: number;
  /** What came of it; 'none': the model hung, died or broke the connection, and SageMaker answered in its place. */
  readonly outcome: '2xx' | '4xx' | '5xx' | 'none';
}

interface Options {
  readonly now: () => number;
  /** How late a metric is; SageMaker's are "available at a 1-minute frequency", and how late is said nowhere. */
  readonly lagMs: (metric: string, variant: string) => number;
  /** Datapoints of an answer, before it goes on with a `NextToken`. */
  readonly pageSize?: number;
}

/** "After you create a metric, allow up to 15 minutes for the metric to appear" (ListMetrics). */
const listedAfterMs = 15 * minute;

const sampleOf: Readonly<Record<string, (row: Answered) => number | readonly []>> = {
  Invocations: () => 1,
  Invocation4XXErrors: ({ outcome }) => Number(outcome === '4xx'),
  Invocation5XXErrors: ({ outcome }) => Number(outcome === '5xx'),
  InvocationModelErrors: ({ outcome }) => Number(outcome !== '2xx'),
  ModelLatency: ({ outcome, latencyMs }) => (outcome === 'none' ? [] : latencyMs * 1000),
};

/**
 * CloudWatch, as far as SageMaker's invocation metrics go (developer guide, "Monitor SageMaker with CloudWatch"):
 * Invocations 1 for each request; Invocation4XXErrors and Invocation5XXErrors "requests where the model returned" such a
 * code, InvocationModelErrors those that "did not result in 2XX HTTP response", with "low-level socket errors, malformed
 * HTTP responses, and request timeouts", 1 or 0 for each; ModelLatency in microseconds.
 * Statistics by "CloudWatch statistics definitions": TC(a:b) is exclusive below and inclusive above.
 *
 * Guesses: that ModelLatency keeps each value, so that a trimmed count is exact, and has none of a request that the
 * model never answered; that a minute appears at once.
 */
export function fakeMetrics({ now, lagMs, pageSize = 100_800 }: Options) {
  const answered: Answered[] = [];
  const names = (row: Answered) => `${row.endpoint}/${row.variant}`;

  const byMinute = new Map<string, Answered[]>();
  let indexed = 0;
  const keyOf = (endpoint: string, variant: string, at: number) => `${endpoint}/${variant}/${Math.floor(at / minute)}`;
  /** Those of a minute that begins anywhere. A history asks for each minute of days. */
  function answeredIn(endpoint: string, variant: string, from: number): readonly Answered[] {
    for (; indexed < answered.length; indexed += 1) {
      const row = answered[indexed] as Answered; // below its length
      const key = keyOf(row.endpoint, row.variant, row.at);
      byMinute
        .set(key, byMinute.get(key) ?? [])
        .get(key)
        ?.push(row);
    }
    const parts = [from, from + minute].map((at) => byMinute.get(keyOf(endpoint, variant, at)) ?? []);
    return parts.flat().filter(({ at }) => at >= from && at < from + minute);
  }

  function samples({ MetricStat }: MetricDataQuery, from: number): readonly number[] {
    const { MetricName = '', Dimensions = [] } = MetricStat?.Metric ?? {};
    const value = (name: string) => Dimensions.find(({ Name }) => Name === name)?.Value ?? '';
    const variant = value('VariantName');
    if (from + minute + lagMs(MetricName, variant) > now()) return [];
    return answeredIn(value('EndpointName'), variant, from).flatMap((row) => sampleOf[MetricName]?.(row) ?? []);
  }

  const cloudwatch = {
    GetMetricData(input: GetMetricDataCommandInput) {
      const queries = input.MetricDataQueries ?? [];
      if (queries.length > 500) throw new Refusal('ValidationError', 'at most 500 queries');
      // Seconds on the wire.
      const [from, to] = [Number(input.StartTime) * 1000, Number(input.EndTime) * 1000];
      const points = queries.flatMap((query) => {
        const periodMs = (query.MetricStat?.Period ?? 60) * 1000;
        const all: { Id: string; at: number; value: number }[] = [];
        for (let at = from; at < to; at += periodMs) {
          const minutes = Array.from({ length: periodMs / minute }, (_, index) => at + index * minute);
          const found = minutes.flatMap((start) => samples(query, start));
          // "Zero is not published": a period without samples has no datapoint.
          if (found.length > 0)
            all.push({ Id: query.Id ?? '', at, value: statistic(query.MetricStat?.Stat ?? '', found) });
        }
        return all;
      });
      const start = Number(input.NextToken ?? 0);
      const page = points.slice(start, start + pageSize);
      const next = start + pageSize < points.length ? String(start + pageSize) : undefined;
      return {
        MetricDataResults: queries.map(({ Id }) => {
          const mine = page.filter((point) => point.Id === Id);
          return {
            Id,
            Label: Id,
            Timestamps: mine.map(({ at }) => seconds(at)),
            Values: mine.map(({ value }) => value),
            StatusCode: next === undefined ? 'Complete' : 'PartialData',
          };
        }),
        ...(next === undefined ? {} : { NextToken: next }),
      };
    },

    ListMetrics(input: ListMetricsCommandInput) {
      const endpoint = input.Dimensions?.find(({ Name }) => Name === 'EndpointName')?.Value;
      const old = answered.filter((row) => row.endpoint === endpoint && row.at + listedAfterMs <= now());
      const dimensions = (row: Answered) => [
        { Name: 'EndpointName', Value: row.endpoint },
        { Name: 'VariantName', Value: row.variant },
      ];
      const metric = { Namespace: input.Namespace, MetricName: input.MetricName };
      const once = [...new Map(old.map((row) => [names(row), row])).values()];
      return {
        Metrics: once.flatMap((row) => [
          { ...metric, Dimensions: dimensions(row) },
          { ...metric, Dimensions: [...dimensions(row), { Name: 'EndpointConfigName', Value: 'c' }] },
        ]),
      };
    },
  };

  return { cloudwatch, answered };
}

function statistic(stat: string, values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  if (stat === 'Sum') return values.reduce((total, value) => total + value, 0);
  const percentile = /^p(\d+)$/.exec(stat);
  if (percentile !== null) return sorted[Math.ceil((Number(percentile[1]) / 100) * sorted.length) - 1] ?? 0;
  const range = /^TC\((\d+(?:\.\d+)?):(\d+(?:\.\d+)?)\)$/.exec(stat);
  if (range !== null) return sorted.filter((value) => value > Number(range[1]) && value <= Number(range[2])).length;
  throw new Refusal('InvalidParameterValue', `the fake has no statistic ${stat}`);
}
