import { captureTimes } from '@serin/clouds/captured';
import { thresholdOf } from '@serin/core/base/measures';
import type { Telemetry } from '@serin/core/ports/telemetry';
import { checkCaptured } from '@serin/platform/captured';
import { notYet } from '@serin/platform/faults';
import type { Installation } from '@serin/platform/names';
import {
  type Counter,
  closedTicks,
  percentilesOf,
  type Series,
  slowOf,
  ticksOf,
  wholeSteps,
} from '@serin/platform/ticks';
import type { Google } from '../calls/google.ts';
import { endpointName } from '../names.ts';
import { capturedRows } from '../serving/captured.ts';
import { boundsOf, countOf, countOver } from '../serving/distribution.ts';
import { deployedIn, type Endpoints, nameOfId } from '../serving/endpoints.ts';
import { metricPoints, type Point, type Window } from '../serving/metric-data.ts';

interface Options {
  readonly google: Google;
  readonly googleProject: string;
  readonly region: string;
  readonly captureTable: string;
  readonly installation: Installation;
  readonly endpoints: Pick<Endpoints, 'described'>;
  readonly now: () => number;
}

const minuteMs = 60_000;
const none: Series = new Map();

/**
 * How late the metrics of an endpoint are is said only of a private one: "Sampled every 60 seconds. After sampling, data
 * is not visible for up to 360 seconds." That is the longest time of all metrics of online prediction.
 * https://docs.cloud.google.com/monitoring/api/metrics_gcp_a_b#gcp-aiplatform
 */
const counter: Counter = {
  name: 'Cloud Monitoring',
  stepMs: minuteMs,
  counts: 'Cloud Monitoring has one count for each minute',
  settleMs: 6 * minuteMs,
  patienceMs: 15 * minuteMs,
  // https://docs.cloud.google.com/monitoring/quotas#data_retention_policy
  keptMs: 6 * 7 * 24 * 60 * minuteMs,
  errorsOf: ([failed = 0]) => failed,
  sure: 1,
};

/**
 * Telemetry from Cloud Monitoring's metrics of a Vertex AI endpoint, by whole minutes (`tickMs`: a multiple of 60,000).
 *
 * A tick is closed six minutes after its end, or up to 15 while its metrics do not fit together (see `ticksOf`).
 * Requests are responses, for `prediction_count` counts instances. A response counts in the minute in which it was
 * sampled, so a request that hangs counts when its time is over. An error is a response that is neither a success nor a
 * refusal (4xx). A request of which nothing is counted is missing in the share of its deployment, which the judge
 * compares with the configured one.
 *
 * Latency is the total time as Vertex AI sees it, which is "always populated", of requests that succeeded.
 * `latency` answers bounds of its buckets, so that what is slower than one of them is counted exactly; any other
 * threshold is rounded down to a bound. Ticks of more than six weeks ago are `invalid`. Users, segments and pairs
 * are not counted.
 *
 * `captured` queries the table of BigQuery that endpoints log into, half an hour after a window: later rows are never read.
 */
export function monitoringTelemetry(options: Options): Telemetry {
  const { installation, endpoints, now } = options;

  const responsesIn = (window: Window) =>
    metricPoints(options, { name: 'response_count', by: ['deployed_model_id', 'response_code'] }, window);
  const latenciesIn = (window: Window) =>
    metricPoints(
      options,
      { name: 'prediction_latencies', by: ['deployed_model_id'], only: { latency_type: 'total' } },
      window,
    );

  return {
    async ticks(query) {
      const closed = closedTicks(query, counter, now());
      if (closed === undefined) return [];
      const window = { ...closed, endpoint: endpointName(installation, query.endpoint) };
      const thresholds = slowOf(query.measures).map((measure) => thresholdOf(measure) ?? 0);
      const [responses, latencies, endpoint = {}] = await Promise.all([
        responsesIn(window),
        thresholds.length === 0 ? [] : latenciesIn(window),
        endpoints.described(window.endpoint),
      ]);
      if (responses === undefined || latencies === undefined) return [];
      const weights = new Map(deployedIn(endpoint).map(({ id, weight }) => [id, weight]));
      const ids = new Set([...responses.map(idOf), ...weights.keys()]);
      const rows = [...ids].filter(isVersion).map((id) => ({
        deployment: nameOfId(id),
        weight: weights.get(id) ?? 0,
        ...countedOf(responses.filter(of(id)), latencies.filter(of(id)), thresholds),
      }));
      return ticksOf(rows, { ...query, ...window }, counter, now());
    },

    async latency(endpoint, from, to) {
      const whole = wholeSteps({ from, to }, counter, now());
      if (whole === undefined) return undefined;
      const points = await latenciesIn({ ...whole, endpoint: endpointName(installation, endpoint) });
      if (points === undefined) throw notYet(`Cloud Monitoring has only part of the latencies of ${endpoint}`);
      const rows = [...new Set(points.map(idOf))].filter(isVersion).map((id) => {
        const found = points.filter(of(id)).map(({ value }) => value.distributionValue ?? {});
        const requests = found.reduce((total, each) => total + countOf(each), 0);
        const [p50 = none, p90 = none, p99 = none] = boundsOf(found, [0.5, 0.9, 0.99]).map(
          (bound) => new Map([[whole.from, bound]]),
        );
        return { requests: new Map([[whole.from, requests]]), p50, p90, p99 };
      });
      return percentilesOf(rows, 1);
    },

    async captured(query) {
      checkCaptured(query, captureTimes, now());
      return capturedRows(options, endpointName(installation, query.endpoint), query);
    },
  };
}

const idOf = ({ labels }: Point): string => labels.deployed_model_id ?? '';
const of = (id: string) => (point: Point) => idOf(point) === id;

/** What Vertex AI answered without a model has no id. */
const isVersion = (id: string): boolean => /^\d+$/.test(id);

/** `response_code` is a class (`2xx`), or a code where the endpoint is private. No class at all is no answer. */
const classOf = ({ labels }: Point) => {
  const [first = ''] = labels.response_code ?? '';
  if ('123'.includes(first) && first !== '') return 'succeeded';
  return first === '4' ? 'refused' : 'failed';
};

function countedOf(responses: readonly Point[], latencies: readonly Point[], thresholds: readonly number[]) {
  const sumOf = (counts: (point: Point) => boolean): ReadonlyMap<number, number> => {
    const sums = new Map<number, number>();
    for (const point of responses)
      sums.set(point.start, (sums.get(point.start) ?? 0) + (counts(point) ? Number(point.value.int64Value) : 0));
    return sums;
  };
  const requests = sumOf(() => true);
  const succeeded = sumOf((point) => classOf(point) === 'succeeded');
  const measured = new Map(latencies.map(({ start, value }) => [start, value.distributionValue ?? {}]));
  /** `NaN`: its latencies are not there. A minute in which nothing succeeded may have none. */
  const slowIn = (start: number, total: number, threshold: number): number => {
    const found = measured.get(start);
    if (found === undefined) return succeeded.get(start) === 0 ? 0 : Number.NaN;
    // The two metrics are not sampled at one moment: a request may be in a later minute of the other.
    return Math.min(total, countOver(found, threshold));
  };
  const slow = thresholds.map(
    (threshold) => new Map([...requests].map(([start, total]) => [start, slowIn(start, total, threshold)])),
  );
  const whole = new Map([...requests].filter(([start]) => measured.has(start) || succeeded.get(start) === 0));
  const failed = sumOf((point) => classOf(point) === 'failed');
  return { requests, outcomes: [failed, ...(thresholds.length === 0 ? [] : [whole])], slow };
}
