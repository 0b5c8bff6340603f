import { Fault } from '@serin/core/base/fault';
import { instant } from '@serin/core/base/time';
import type { Google } from '../calls/google.ts';
import { ifThere } from '../faults.ts';
import type { Distribution } from './distribution.ts';

interface Place {
  readonly google: Google;
  readonly googleProject: string;
  readonly region: string;
}

/** A metric of an endpoint, `prediction/online/<name>`, summed over all labels but these. */
interface Metric {
  readonly name: 'response_count' | 'prediction_latencies';
  readonly by: readonly string[];
  /** Only series that have these labels. */
  readonly only?: Readonly<Record<string, string>>;
}

export interface Window {
  readonly endpoint: string;
  /** Whole minutes. */
  readonly from: number;
  readonly to: number;
}

/** What was counted in one minute. */
export interface Point {
  readonly labels: Readonly<Record<string, string>>;
  readonly start: number;
  readonly value: Value;
}

interface Value {
  readonly int64Value?: string;
  readonly distributionValue?: Distribution;
}

interface Listed {
  readonly timeSeries?: readonly {
    readonly metric?: { readonly labels?: Readonly<Record<string, string>> };
    readonly points?: readonly { readonly interval: { readonly endTime: string }; readonly value: Value }[];
  }[];
  readonly nextPageToken?: string;
  readonly executionErrors?: readonly unknown[];
}

const minuteMs = 60_000;
const maxPages = 200;

/**
 * The points of a metric by minute, in no order; a minute without data has none. `undefined`: Cloud Monitoring said
 * that something is missing, ask again later.
 *
 * The sums are made by ALIGN_SUM, because of ALIGN_DELTA it is said that "if the selected alignment period results in
 * periods with no data, then the aligned value for such a period is created by interpolation".
 * https://docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#Aligner
 */
export async function metricPoints(
  { google, googleProject, region }: Place,
  { name, by, only = {} }: Metric,
  { endpoint, from, to }: Window,
): Promise<readonly Point[] | undefined> {
  const filter = {
    'metric.type': `aiplatform.googleapis.com/prediction/online/${name}`,
    'resource.type': 'aiplatform.googleapis.com/Endpoint',
    'resource.labels.location': region,
    'resource.labels.endpoint_id': endpoint,
    ...Object.fromEntries(Object.entries(only).map(([label, value]) => [`metric.labels.${label}`, value])),
  };
  const query = {
    filter: Object.entries(filter)
      .map(([field, value]) => `${field}="${value}"`)
      .join(' AND '),
    // "(startTime, endTime]": the points that end after `from`, which are those that begin at it or later.
    'interval.startTime': instant(from),
    'interval.endTime': instant(to),
    'aggregation.alignmentPeriod': `${minuteMs / 1000}s`,
    'aggregation.perSeriesAligner': 'ALIGN_SUM',
    'aggregation.crossSeriesReducer': 'REDUCE_SUM',
    'aggregation.groupByFields': by.map((label) => `metric.labels.${label}`),
    view: 'FULL',
  };
  const points: Point[] = [];
  let pageToken: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const path = `v3/projects/${googleProject}/timeSeries`;
    const call = { service: 'monitoring', method: 'GET', path, query: { ...query, pageToken } } as const;
    // A project in which nothing was ever predicted may not have the metric.
    const answer = await ifThere(`asking Cloud Monitoring for ${name} of the endpoint ${endpoint}`, () =>
      google.json<Listed>(call),
    );
    if (answer === undefined) return [];
    if ((answer.executionErrors ?? []).length > 0) return undefined;
    // A page ends after a number of points, so a series may go on in the next one.
    for (const { metric = {}, points: listed = [] } of answer.timeSeries ?? [])
      for (const { interval, value } of listed)
        points.push({ labels: metric.labels ?? {}, start: Date.parse(interval.endTime) - minuteMs, value });
    pageToken = answer.nextPageToken;
    if (!pageToken) return points;
  }
  throw new Fault(
    'invalid',
    `cannot read ${name} of the endpoint ${endpoint} in ${maxPages} pages; ask for a shorter time`,
  );
}
