import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { captureTimes } from '@serin/clouds/captured';
import { thresholdOf } from '@serin/core/base/measures';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Telemetry } from '@serin/core/ports/telemetry';
import { type CaptureFiles, capturedInFiles, checkCaptured } from '@serin/platform/captured';
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
import { endpointName } from '../names.ts';
import { capturedFolder, readCaptured } from '../serving/captured.ts';
import type { Endpoints } from '../serving/described.ts';
import { metricValues, type Statistic, type Window } from '../serving/metric-data.ts';
import { variantsOf } from '../serving/variants.ts';

interface Options {
  readonly cloudwatch: CloudWatchClient;
  readonly endpoints: Endpoints;
  readonly installation: Installation;
  readonly now: () => number;
  /** The own bucket: what endpoints capture is there. */
  readonly bucket: Bucket;
}

const minuteMs = 60_000;
const microsecondsPerMs = 1000;
const none: Series = new Map();

/** SageMaker's metrics, which it publishes late; nothing says how late. */
const counter: Counter = {
  name: 'CloudWatch',
  stepMs: minuteMs,
  counts: 'CloudWatch counts whole minutes',
  settleMs: 3 * minuteMs,
  patienceMs: 15 * minuteMs,
  // "Data points with a period of 60 seconds are available for 15 days" (API reference, GetMetricData).
  keptMs: 15 * 24 * 60 * minuteMs,
  // InvocationModelErrors are requests that "did not result in 2XX HTTP response. This includes 4XX/5XX status codes,
  // low-level socket errors, malformed HTTP responses, and request timeouts"; the other two count what "the model
  // returned" and know nothing of a model that hangs, dies or is killed (developer guide, "Amazon SageMaker AI metrics in
  // Amazon CloudWatch").
  errorsOf: ([failed = 0, refused = 0, answered5xx = 0]) => Math.max(answered5xx, failed - refused),
  // "For each error response, 1 is sent; otherwise, 0 is sent": where there are requests there is a value. Whether that
  // holds of the two that count answers, when there was no answer, is not proven.
  sure: 1,
};

/**
 * Telemetry from CloudWatch's metrics of a SageMaker endpoint, by whole minutes (`tickMs`: a multiple of 60,000).
 *
 * A tick is closed three minutes after its end, or up to 15 while its metrics do not fit together (see `ticksOf`). A
 * request counts in the minute for which SageMaker counts it. An error is a request that the model failed to answer, with
 * a 5xx or not at all (see `errorsOf`): a 4xx is the caller's. Latency is ModelLatency, the model's own time as SageMaker
 * sees it, without the overhead that is the same for all. Ticks of more than 15 days ago are `invalid`. There are no
 * users, segments or pairs. A threshold is rounded to the microsecond.
 *
 * `captured` reads what SageMaker captured into the own bucket, half an hour after the window ended: a copy that is
 * written later is never read. A request has the id that its caller gave, else SageMaker's own.
 */
export function cloudWatchTelemetry({ cloudwatch, endpoints, installation, now, bucket }: Options): Telemetry {
  /** Each statistic of each variant of an endpoint; `undefined`: CloudWatch has not all of them yet. */
  async function read(window: Window, statistics: readonly Statistic[]) {
    const variants = await variantsOf({ cloudwatch, endpoints }, window.endpoint);
    const series = variants.flatMap(({ name }) => statistics.map((statistic) => ({ variant: name, ...statistic })));
    const values = await metricValues(cloudwatch, window, series);
    return (
      values &&
      variants.map((variant, index) => ({
        ...variant,
        values: values.slice(index * statistics.length, (index + 1) * statistics.length),
      }))
    );
  }

  return {
    async ticks(query) {
      const window = closedTicks(query, counter, now());
      if (window === undefined) return [];
      const endpoint = endpointName(installation, query.endpoint);
      // By the minute, whatever the tick is: how longer periods are aligned is not documented, and counts add up.
      const rows = await read({ ...window, endpoint, periodMs: minuteMs }, countsOf(slowOf(query.measures)));
      if (rows === undefined) return [];
      const counted = rows.map(({ name, weight, values: [requests = none, ...values] }) => ({
        ...{ deployment: name, weight, requests },
        outcomes: values.slice(0, outcomes.length),
        slow: values.slice(outcomes.length),
      }));
      return ticksOf(counted, { ...query, ...window }, counter, now());
    },

    async latency(endpoint, from, to) {
      const window = wholeSteps({ from, to }, counter, now());
      if (window === undefined) return undefined;
      const where = { ...window, endpoint: endpointName(installation, endpoint), periodMs: window.to - window.from };
      const rows = await read(where, latencies);
      if (rows === undefined) throw notYet(`CloudWatch does not have all metrics of ${endpoint} yet`);
      const measured = rows.map(({ values: [requests = none, p50 = none, p90 = none, p99 = none] }) => ({
        ...{ requests, p50, p90, p99 },
      }));
      return percentilesOf(measured, microsecondsPerMs);
    },

    async captured(query) {
      checkCaptured(query, captureTimes, now());
      const endpoint = endpointName(installation, query.endpoint);
      const variants = await variantsOf({ cloudwatch, endpoints }, endpoint);
      const folders = variants.map(({ name }) => capturedFolder(endpoint, name));
      const readPart: CaptureFiles['readPart'] = (...part) => readCaptured(bucket, query.fields, ...part);
      return capturedInFiles({ bucket, folders, lagMs: captureTimes.lagMs, readPart }, query);
    },
  };
}

const outcomes = ['InvocationModelErrors', 'Invocation4XXErrors', 'Invocation5XXErrors'] as const;

/** Longer than any answer of an endpoint may take, in microseconds: an hour. */
const longestUs = 3_600_000_000;

// ModelLatency is in microseconds. "TC(0.005:0.030) returns the number of data points with values between 0.005
// (exclusive) and 0.030 (inclusive)" (CloudWatch, Statistics definitions); PR would be a percentage, not a count.
const countsOf = (slow: readonly string[]): readonly Statistic[] => [
  ...(['Invocations', ...outcomes] as const).map((metric) => ({ metric, stat: 'Sum' })),
  ...slow.map((measure) => ({
    metric: 'ModelLatency' as const,
    stat: `TC(${Math.min(longestUs - 1, Math.round((thresholdOf(measure) ?? 0) * microsecondsPerMs))}:${longestUs})`,
  })),
];

const latencies: readonly Statistic[] = [
  { metric: 'Invocations', stat: 'Sum' },
  ...['p50', 'p90', 'p99'].map((stat) => ({ metric: 'ModelLatency' as const, stat })),
];
