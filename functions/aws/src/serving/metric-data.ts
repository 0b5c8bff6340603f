import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataQuery,
  type StatusCode,
} from '@aws-sdk/client-cloudwatch';
import { Fault } from '@serin/core/base/fault';
import { guarded } from '../faults.ts';

export interface Statistic {
  readonly metric:
    | 'Invocations'
    | 'InvocationModelErrors'
    | 'Invocation4XXErrors'
    | 'Invocation5XXErrors'
    | 'ModelLatency';
  readonly stat: string;
}

/** One statistic of a variant. */
interface Series extends Statistic {
  readonly variant: string;
}

export interface Window {
  readonly endpoint: string;
  /** Multiples of the period. */
  readonly from: number;
  readonly to: number;
  readonly periodMs: number;
}

/** Values by the start of their period, in the order of the series; a period without data is not there. */
export type Values = readonly ReadonlyMap<number, number>[];

// "As many as 500 different metrics in a single request" (API reference, GetMetricData).
const maxQueries = 500;
const maxPages = 200;

/** What CloudWatch has of SageMaker's endpoint metrics; `undefined`: not all of it, ask again later. */
export async function metricValues(
  cloudwatch: CloudWatchClient,
  window: Window,
  series: readonly Series[],
): Promise<Values | undefined> {
  const values = series.map(() => new Map<number, number>());
  for (let first = 0; first < series.length; first += maxQueries) {
    const isWhole = await read(cloudwatch, window, series.slice(first, first + maxQueries), values.slice(first));
    if (!isWhole) return undefined;
  }
  return values;
}

async function read(
  cloudwatch: CloudWatchClient,
  { endpoint, from, to, periodMs }: Window,
  series: readonly Series[],
  values: readonly Map<number, number>[],
): Promise<boolean> {
  const doing = `reading the metrics of the endpoint ${endpoint}`;
  const status = new Map<string, StatusCode | undefined>();
  const MetricDataQueries = series.map((one, index) => queryOf(endpoint, periodMs, one, index));
  const asked = { MetricDataQueries, StartTime: new Date(from), EndTime: new Date(to) };
  let NextToken: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const command = new GetMetricDataCommand({
      ...asked,
      ScanBy: 'TimestampAscending',
      ...(NextToken === undefined ? {} : { NextToken }),
    });
    const answer = await guarded(doing, () => cloudwatch.send(command));
    for (const { Id = '', Timestamps = [], Values = [], StatusCode } of answer.MetricDataResults ?? []) {
      status.set(Id, StatusCode);
      if (StatusCode === 'Forbidden')
        throw new Fault('invalid', `${doing} failed; give the role the permission to read them`);
      for (const [index, time] of Timestamps.entries())
        values[Number(Id.slice(1))]?.set(time.getTime(), Values[index] ?? 0);
    }
    NextToken = answer.NextToken;
    // "Retry your request using NextToken, if present"; what is partial without one comes whole later, if at all.
    if (NextToken === undefined) return series.every((_, index) => status.get(`q${index}`) === 'Complete');
  }
  throw new Fault('invalid', `${doing} failed; ask for less at once, the answer has more than ${maxPages} pages`);
}

const queryOf = (endpoint: string, periodMs: number, { variant, metric, stat }: Series, index: number) =>
  ({
    Id: `q${index}`,
    MetricStat: {
      Metric: {
        Namespace: 'AWS/SageMaker',
        MetricName: metric,
        Dimensions: [
          { Name: 'EndpointName', Value: endpoint },
          { Name: 'VariantName', Value: variant },
        ],
      },
      Period: periodMs / 1000,
      Stat: stat,
    },
    ReturnData: true,
  }) satisfies MetricDataQuery;
