import { Fault } from '@serin/core/base/fault';
import { instant } from '@serin/core/base/time';
import type { Series } from '@serin/platform/ticks';
import { workspaceId } from '../calls/ml.ts';
import { ifThere } from '../faults.ts';
import { type Answered, daysOf, minuteMs, type Source, type SourceOptions, statusOf, type Window } from './answers.ts';

/** https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-machinelearningservices-workspaces-onlineendpoints-metrics */
interface Metric {
  readonly names: readonly string[];
  /** All that the metric has, but for what follows from the others: a mean over several series would be no count. */
  readonly by: readonly string[];
}

const requests: Metric = {
  names: ['RequestsPerMinute'],
  by: ['deployment', 'statusCode', 'modelStatusCode'],
};
const percentiles: Metric = {
  names: ['RequestLatency_P50', 'RequestLatency_P90', 'RequestLatency_P99'],
  by: ['deployment'],
};

/** One value of a metric in one minute. */
interface Point {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly start: number;
  readonly value: number;
}

/**
 * The metrics of an endpoint, which need no Log Analytics. `RequestsPerMinute` is "the number of requests sent to online
 * endpoint within a minute", as an average of what is sampled in the minute.
 *
 * How many requests are slower than a threshold is not told: a percentile of a minute says that they are more or fewer than
 * a tenth of them, which is no count.
 */
export function endpointMetrics(options: SourceOptions): Source {
  return {
    counter: {
      name: 'Azure Monitor',
      stepMs: minuteMs,
      counts: 'Azure Monitor has one value of a metric for each minute',
      // "Azure platform metrics are available in under a minute in the metrics database".
      // https://learn.microsoft.com/azure/azure-monitor/logs/data-ingestion-time#azure-metrics-resource-logs-activity-log
      settleMs: 3 * minuteMs,
      patienceMs: 15 * minuteMs,
      // https://learn.microsoft.com/azure/azure-monitor/metrics/data-platform-metrics#retention-of-metrics
      keptMs: 93 * 24 * 60 * minuteMs,
    },

    async answered(window) {
      const points = await pointsOf(options, requests, window);
      return points?.map(
        ({ labels, start, value }): Answered => ({
          deployment: labels.deployment ?? '',
          start,
          status: statusOf(labels.statuscode),
          modelStatus: statusOf(labels.modelstatuscode),
          requests: value,
          slow: [],
        }),
      );
    },

    async latencies(window) {
      const [counted, measured] = [
        await pointsOf(options, requests, window),
        await pointsOf(options, percentiles, window),
      ];
      if (counted === undefined || measured === undefined) return undefined;
      return [...new Set(counted.map(deploymentOf))].map((deployment) => {
        const of = (points: readonly Point[], metric: string): Series => {
          const sums = new Map<number, number>();
          for (const { metric: name, start, value, labels } of points)
            if (name === metric && labels.deployment === deployment) sums.set(start, (sums.get(start) ?? 0) + value);
          return sums;
        };
        const [p50, p90, p99] = percentiles.names.map((name) => of(measured, name)) as [Series, Series, Series]; // its three names
        return { deployment, requests: of(counted, 'RequestsPerMinute'), p50, p90, p99 };
      });
    },
  };
}

const deploymentOf = ({ labels }: Point): string => labels.deployment ?? '';

interface Told {
  readonly value?: readonly {
    readonly name: { readonly value: string };
    /** `Success`, or why there is less than all of it. */
    readonly errorCode?: string;
    readonly timeseries?: readonly {
      readonly metadatavalues?: readonly { readonly name: { readonly value: string }; readonly value: string }[];
      /** A minute without data has a time and no value. */
      readonly data?: readonly { readonly timeStamp: string; readonly average?: number }[];
    }[];
  }[];
}

/** "The maximum number of records to retrieve per resource ID in the request [...] Defaults to 10". */
const mostSeries = 1000;

/**
 * The values of metrics by minute and dimension, in no order; names of dimensions are in lower case. `undefined`: Azure
 * could not read all of them.
 */
async function pointsOf(
  { azure, ...place }: SourceOptions,
  metric: Metric,
  window: Window,
): Promise<readonly Point[] | undefined> {
  const points: Point[] = [];
  for (const { endpoint, from, to } of daysOf(window)) {
    const told = await ifThere(`asking Azure Monitor for ${metric.names[0]} of the endpoint ${endpoint}`, () =>
      azure.json<Told>({
        service: 'management',
        method: 'GET',
        path: `${workspaceId(place).slice(1)}/onlineEndpoints/${endpoint}/providers/Microsoft.Insights/metrics`,
        query: {
          'api-version': '2024-02-01',
          metricnames: metric.names.join(','),
          aggregation: 'average',
          interval: 'PT1M',
          timespan: `${instant(from)}/${instant(to)}`,
          $filter: metric.by.map((name) => `${name} eq '*'`).join(' and '),
          top: mostSeries,
        },
      }),
    );
    for (const { name, errorCode = 'Success', timeseries = [] } of told?.value ?? []) {
      if (errorCode !== 'Success') return undefined;
      checkWhole(endpoint, timeseries.length);
      for (const { metadatavalues = [], data = [] } of timeseries) {
        const labels = Object.fromEntries(metadatavalues.map((of) => [of.name.value.toLowerCase(), of.value]));
        for (const { timeStamp, average } of data) {
          const start = Date.parse(timeStamp);
          if (average !== undefined && start >= from && start < to)
            points.push({ metric: name.value, labels, start, value: average });
        }
      }
    }
  }
  return points;
}

function checkWhole(endpoint: string, series: number): void {
  if (series < mostSeries) return;
  throw new Fault(
    'invalid',
    `the metrics of the endpoint ${endpoint} have ${mostSeries} series or more in a day; set logWorkspace, so that its requests are read from the traffic log`,
  );
}
