import { minute } from '@serin/core/base/time';
import type { Distribution } from '@serin/gcp/serving/distribution';
import { type Handlers, Refusal, type Request } from './discovery.ts';

/** One request, as Vertex AI tells Cloud Monitoring of it. */
export interface Predicted {
  readonly endpoint: string;
  /** The id of the deployed model; '' when the front end answered without one. */
  readonly model: string;
  /** When it ended. */
  readonly at: number;
  readonly latencyMs: number;
  /** The class of its answer; '' when there was none and it is counted all the same. */
  readonly code: '2xx' | '3xx' | '4xx' | '5xx' | '';
  readonly instances?: number;
  readonly spot?: 'True' | 'False';
}

interface Options {
  readonly now: () => number;
  /** After the end of a minute; of these metrics it is not said how late they are. */
  readonly lagMs: (metric: string, model: string) => number;
  /** Points of an answer, before it goes on with a `nextPageToken`. */
  readonly pageSize?: number;
  readonly buckets?: Distribution['bucketOptions'] & object;
  /** Whether failed requests have a latency. */
  readonly failuresHaveLatency?: boolean;
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** `bounds[i] = 0.1 ms * 1.05^i`: a guess, and a fine one. No document has the bounds of Vertex AI. */
const fine = { exponentialBuckets: { numFiniteBuckets: 272, growthFactor: 1.05, scale: 0.1 } };

/**
 * Cloud Monitoring, as far as the metrics of online prediction go.
 * https://docs.cloud.google.com/monitoring/api/metrics_gcp_a_b#gcp-aiplatform: all are DELTA; `response_count` by
 * `response_code` ("1xx, 2xx, 3xx, 4xx, 5xx"), `error_count` without it, `prediction_count` ("if you have more than one
 * instance per request, each instance is counted"), `prediction_latencies` in ms by `latency_type`.
 *
 * Guesses: that a minute appears at once and whole; which answers of the front end are counted for a deployed model;
 * that a request which failed has no latency (of a private endpoint it is said: "only for successful requests").
 */
export function fakeMetrics({ now, lagMs, pageSize = 100_000, buckets = fine, failuresHaveLatency = false }: Options) {
  const predicted: Predicted[] = [];

  function samplesOf(name: string, row: Predicted): readonly Sample[] {
    const { model, code, latencyMs, instances = 1, spot = 'False' } = row;
    const names = { model_display_name: `model of ${model}`, endpoint_display_name: row.endpoint };
    const labels = { deployed_model_id: model, spot, ...names };
    if (name === 'response_count') return [{ labels: { ...labels, response_code: code }, value: 1 }];
    if (name === 'error_count') return /^[123]/.test(code) ? [] : [{ labels, value: 1 }];
    if (name === 'prediction_count') return [{ labels, value: instances }];
    if (code !== '2xx' && !failuresHaveLatency) return [];
    const latencies = { total: latencyMs, model: latencyMs * 0.9, overhead: latencyMs * 0.1 };
    return Object.entries(latencies).map(([latency_type, value]) => ({ labels: { ...labels, latency_type }, value }));
  }

  function list({ params, query }: Request) {
    const { name, endpoint, only } = readFilter(query.get('filter') ?? '');
    const isDistribution = name === 'prediction_latencies';
    demandAggregation(query);
    if (!/^projects\/[^/]+$/.test(params.name ?? '')) throw new Refusal('INVALID_ARGUMENT', 'name: not a project');
    const by = query.getAll('aggregation.groupByFields').map((field) => field.replace('metric.labels.', ''));
    const [from, to] = [time(query, 'startTime'), time(query, 'endTime')];
    if (!(from < to)) throw new Refusal('INVALID_ARGUMENT', 'interval.startTime must be earlier than the end time.');
    const groups = new Map<string, Map<number, number[]>>();
    for (const row of predicted.filter((each) => each.endpoint === endpoint)) {
      // "(startTime, endTime]": a point belongs to the end of its minute.
      const end = Math.floor(row.at / minute) * minute + minute;
      if (end <= from || end > to || end + lagMs(name, row.model) > now()) continue;
      for (const { labels, value } of samplesOf(name, row)) {
        if (Object.entries(only).some(([label, wanted]) => labels[label] !== wanted)) continue;
        const key = JSON.stringify(Object.fromEntries(by.map((label) => [label, labels[label]])));
        const ends = groups.get(key) ?? new Map<number, number[]>();
        groups.set(key, ends.set(end, ends.get(end) ?? []));
        ends.get(end)?.push(value);
      }
    }
    const points = [...groups].flatMap(([key, ends]) =>
      [...ends]
        .sort(([a], [b]) => b - a)
        .map(([end, values]) => ({
          key,
          interval: { startTime: stamp(end - minute), endTime: stamp(end) },
          value: isDistribution
            ? { distributionValue: distributionOf(values, buckets) }
            : { int64Value: String(values.reduce((sum, each) => sum + each, 0)) },
        })),
    );
    const first = Number(query.get('pageToken') || 0);
    const page = points.slice(first, first + pageSize);
    return {
      timeSeries: [...new Set(page.map(({ key }) => key))].map((key) => ({
        metric: { type: `${prefix}${name}`, labels: JSON.parse(key) as Record<string, string> },
        resource: { type: resource, labels: { project_id: 'p' } },
        metricKind: 'DELTA',
        valueType: isDistribution ? 'DISTRIBUTION' : 'INT64',
        points: page.filter((point) => point.key === key).map(({ interval, value }) => ({ interval, value })),
      })),
      unit: isDistribution ? 'ms' : '1',
      ...(first + pageSize < points.length ? { nextPageToken: String(first + pageSize) } : {}),
    };
  }

  const handlers = { 'monitoring.projects.timeSeries.list': list } satisfies Handlers;
  return { handlers, predicted };
}

const prefix = 'aiplatform.googleapis.com/prediction/online/';
const resource = 'aiplatform.googleapis.com/Endpoint';
const metrics = ['response_count', 'error_count', 'prediction_count', 'prediction_latencies'];

/** Without the milliseconds, as Google writes times. */
const stamp = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z');

const time = (query: URLSearchParams, name: string): number => Date.parse(query.get(`interval.${name}`) ?? '');

/** `a="b" AND c="d"`; nothing else of the language of filters. */
function readFilter(filter: string) {
  const parts = filter.split(' AND ').map((part) => /^([\w.]+)\s*=\s*"([^"]*)"$/.exec(part) ?? []);
  const fields = new Map(parts.map(([, field = '', value = '']) => [field, value]));
  const name = fields.get('metric.type')?.replace(prefix, '') ?? '';
  if (!metrics.includes(name))
    throw new Refusal('NOT_FOUND', `Cannot find metric(s) that match type = "${fields.get('metric.type')}".`);
  if (fields.get('resource.type') !== resource || fields.get('resource.labels.location') !== 'europe-west4')
    throw new Refusal('INVALID_ARGUMENT', `the filter names no endpoints of this region: ${filter}`);
  const labels = [...fields].filter(([field]) => field.startsWith('metric.labels.'));
  return {
    name,
    endpoint: fields.get('resource.labels.endpoint_id') ?? '',
    only: Object.fromEntries(labels.map(([field, value]) => [field.replace('metric.labels.', ''), value])),
  };
}

function demandAggregation(query: URLSearchParams): void {
  const of = (name: string) => query.get(`aggregation.${name}`) ?? '';
  if (!(Number(of('alignmentPeriod').replace(/s$/, '')) >= 60))
    throw new Refusal('INVALID_ARGUMENT', 'aggregation.alignmentPeriod: must be at least 60 seconds.');
  // Each series is of one VM type and one display name: unless they are summed there are several of a deployed model.
  if (
    of('alignmentPeriod') !== '60s' ||
    of('perSeriesAligner') !== 'ALIGN_SUM' ||
    of('crossSeriesReducer') !== 'REDUCE_SUM'
  )
    throw new Refusal('INVALID_ARGUMENT', 'the fake sums by minutes, and nothing else');
}

/** "The underflow bucket has number 0 [...] and the overflow bucket has number N-1"; its zeros at the end left out. */
function distributionOf(values: readonly number[], bucketOptions: Distribution['bucketOptions'] & object) {
  const { exponentialBuckets, explicitBuckets } = bucketOptions;
  const { numFiniteBuckets = 0, growthFactor = 0, scale = 0 } = exponentialBuckets ?? {};
  const exponential = Array.from({ length: numFiniteBuckets + 1 }, (_, index) => scale * growthFactor ** index);
  const bounds = explicitBuckets?.bounds ?? exponential;
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  for (const value of values) {
    const bucket = bounds.findIndex((bound) => value < bound);
    const index = bucket === -1 ? bounds.length : bucket;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  return {
    count: String(values.length),
    mean,
    sumOfSquaredDeviation: values.reduce((sum, each) => sum + (each - mean) ** 2, 0),
    bucketOptions,
    bucketCounts: counts.slice(0, counts.findLastIndex((count) => count > 0) + 1).map(String),
  };
}
