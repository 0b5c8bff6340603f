import { minute } from '@serin/core/base/time';
import { Refusal, type Request, type Routes } from './rest.ts';

/** One request, as Azure ML tells Azure Monitor of it. */
export interface Requested {
  readonly endpoint: string;
  /** '' when it was answered before a deployment was chosen. */
  readonly deployment: string;
  readonly receivedAt: number;
  readonly durationMs: number;
  /** Of HTTP, to the caller; 0 when the caller was gone. */
  readonly status: number;
  /** Of HTTP, from the model; 0 when it did not answer. */
  readonly modelStatus: number;
}

interface Options {
  readonly now: () => number;
  /** How long after a request has ended it is in the log. */
  readonly logLagMs?: (deployment: string) => number;
  /** How long after the end of a minute a metric has its value. */
  readonly metricLagMs?: (metric: string, deployment: string) => number;
  /** What a workspace answers at most. */
  readonly mostRows?: number;
  /** How often in a minute a metric is sampled. */
  readonly samples?: number;
}

const dimensions = {
  RequestsPerMinute: ['deployment', 'statusCode', 'statusCodeClass', 'modelStatusCode'],
  RequestLatency_P50: ['deployment'],
  RequestLatency_P90: ['deployment'],
  RequestLatency_P95: ['deployment'],
  RequestLatency_P99: ['deployment'],
} as const;
type Metric = keyof typeof dimensions;

/**
 * Azure Monitor, as far as the requests of online endpoints go.
 *
 * The log: https://learn.microsoft.com/azure/azure-monitor/reference/tables/amlonlineendpointtrafficlog. Nothing here knows
 * KQL: the two queries that Serin sends are known by their whole text, and any other one is refused. What Log Analytics
 * makes of them is unproven.
 *
 * The metrics: https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-machinelearningservices-workspaces-onlineendpoints-metrics.
 * Guesses: that `RequestsPerMinute` is sampled once in a minute for each series, so that its average is the count; that a
 * request is in the minute in which it ends; that a status which is not there is '-'.
 */
export function fakeMonitor({
  now,
  logLagMs = () => minute,
  metricLagMs = () => minute,
  mostRows = 500_000,
  samples = 1,
}: Options) {
  const requests: Requested[] = [];
  /** The shares of the deployments of an endpoint; one that is not here is gone. */
  const traffic = new Map<string, Readonly<Record<string, number>>>();
  const logged = ({ receivedAt, durationMs, deployment }: Requested) =>
    receivedAt + durationMs + logLagMs(deployment) <= now();

  function query({ body }: Request) {
    const asked = readQuery(body.query);
    const rows = requests.filter(
      (row) =>
        logged(row) &&
        row.receivedAt >= asked.from &&
        row.receivedAt < asked.to &&
        row.endpoint.toLowerCase() === asked.endpoint.toLowerCase(),
    );
    const table = asked.slowerThan === undefined ? percentilesIn(rows) : countsIn(rows, asked.slowerThan);
    const partial = { code: 'PartialError', message: 'There were some errors when processing your query.' };
    const isWhole = table.rows.length <= mostRows;
    return { tables: [{ ...table, rows: table.rows.slice(0, mostRows) }], ...(isWhole ? {} : { error: partial }) };
  }

  function metrics({ params, query: given }: Request) {
    const endpoint = /\/onlineEndpoints\/([^/]+)$/i.exec(params.resource ?? '')?.[1];
    if (endpoint === undefined) throw new Refusal(404, 'ResourceNotFound', `${params.resource} is no endpoint`);
    const names = (given.get('metricnames') ?? '').split(',').map(metricOf);
    const by = filterOf(given.get('$filter'), names);
    const [from, to] = windowOf(given);
    const top = Number(given.get('top') ?? 10);
    return {
      ...{ cost: 0, timespan: given.get('timespan'), interval: 'PT1M', resourceregion: 'westeurope' },
      namespace: 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints',
      value: names.map((name) => {
        const of = requests.filter((row) => row.endpoint === endpoint);
        const groups = Map.groupBy(of, (row) => JSON.stringify(by.map((dimension) => labelOf(row, dimension))));
        return {
          id: `/${params.resource}/providers/Microsoft.Insights/metrics/${name}`,
          type: 'Microsoft.Insights/metrics',
          name: { value: name, localizedValue: name },
          ...{ unit: name === 'RequestsPerMinute' ? 'Count' : 'MilliSeconds', errorCode: 'Success' },
          timeseries: [...groups].slice(0, top).map(([key, all]) => ({
            metadatavalues: (JSON.parse(key) as readonly string[]).map((value, index) => ({
              name: { value: by[index], localizedValue: by[index] },
              value,
            })),
            data: pointsOf(name, all, minutesOf(from, to)),
          })),
        };
      }),
    };
  }

  /** Sorted by their minutes once: a history asks for each minute of days. */
  function pointsOf(name: Metric, all: readonly Requested[], starts: readonly number[]) {
    const byMinute = Map.groupBy(
      all,
      ({ receivedAt, durationMs }) => Math.floor((receivedAt + durationMs) / minute) * minute,
    );
    return starts.map((start) => pointOf(name, byMinute.get(start) ?? [], start));
  }

  function pointOf(name: Metric, rows: readonly Requested[], start: number) {
    const ended = rows.filter(({ deployment }) => start + minute + metricLagMs(name, deployment) <= now());
    const timeStamp = new Date(start).toISOString().replace('.000Z', 'Z');
    if (ended.length === 0) return { timeStamp };
    if (name !== 'RequestsPerMinute')
      return {
        timeStamp,
        average: percentile(
          ended.map(({ durationMs }) => durationMs),
          Number(name.slice(-2)),
        ),
      };
    const series = new Set(ended.map((row) => JSON.stringify(dimensions[name].map((each) => labelOf(row, each)))));
    return { timeStamp, average: ended.length / series.size / samples };
  }

  function endpointOf({ params }: Request) {
    const name = params.endpoint ?? '';
    const shares = traffic.get(name);
    if (shares === undefined) throw new Refusal(404, 'ResourceNotFound', `the endpoint ${name} was not found`);
    const type = 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints';
    const id = `/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/onlineEndpoints/${name}`;
    const properties = { authMode: 'AADToken', provisioningState: 'Succeeded', traffic: shares };
    return { id, name, type, location: 'westeurope', properties };
  }

  const routes = {
    'POST logs:/v1/workspaces/{workspace}/query': query,
    'GET /{resource+}/providers/Microsoft.Insights/metrics': metrics,
    'GET onlineEndpoints/{endpoint}': endpointOf,
  } satisfies Routes;
  return { routes, requests, traffic };
}

const text = '"(?:[^"\\\\]|\\\\.)*"';
const head = `AmlOnlineEndpointTrafficLog
\\| where TimeGenerated >= datetime\\((?<from>\\S+)\\) and TimeGenerated < datetime\\((?<to>\\S+)\\)
\\| where EndpointName =~ (?<endpoint>${text})
\\| summarize requests = count\\(\\)`;
const counts = new RegExp(
  `^${head}(?<slow>(?:, slow\\d+ = countif\\(TotalDurationMs > [\\d.]+\\))*) by DeploymentName, ResponseCode, ModelStatusCode, minute = bin\\(TimeGenerated, 1m\\)$`,
);
const percentiles = new RegExp(
  `^${head}, p50 = percentile\\(TotalDurationMs, 50\\), p90 = percentile\\(TotalDurationMs, 90\\), p99 = percentile\\(TotalDurationMs, 99\\) by DeploymentName$`,
);

/** The parts of a query that Serin may send; `slowerThan` only of the one that counts. */
function readQuery(kql: string) {
  const { from = '', to = '', endpoint = '""', slow } = (counts.exec(kql) ?? percentiles.exec(kql))?.groups ?? {};
  if (from === '') throw new Refusal(400, 'BadArgumentError', `the fake does not know this query: ${kql}`);
  const slowerThan = slow === undefined ? undefined : [...slow.matchAll(/> ([\d.]+)\)/g)].map(([, ms]) => Number(ms));
  return { from: Date.parse(from), to: Date.parse(to), endpoint: JSON.parse(endpoint) as string, slowerThan };
}

function countsIn(rows: readonly Requested[], slowerThan: readonly number[]) {
  const startOf = ({ receivedAt }: Requested) => Math.floor(receivedAt / minute) * minute;
  const groups = Map.groupBy(rows, (row) =>
    JSON.stringify([row.deployment, row.status || null, row.modelStatus || null, new Date(startOf(row)).toISOString()]),
  );
  return {
    name: 'PrimaryResult',
    columns: [
      ...columnsOf({ DeploymentName: 'string', ResponseCode: 'int', ModelStatusCode: 'int', minute: 'datetime' }),
      ...columnsOf({ requests: 'long' }),
      ...slowerThan.map((_, index) => ({ name: `slow${index}`, type: 'long' })),
    ],
    rows: [...groups].map(([key, of]) => [
      ...(JSON.parse(key) as readonly unknown[]),
      of.length,
      ...slowerThan.map((ms) => of.filter(({ durationMs }) => durationMs > ms).length),
    ]),
  };
}

function percentilesIn(rows: readonly Requested[]) {
  return {
    name: 'PrimaryResult',
    columns: columnsOf({ DeploymentName: 'string', requests: 'long', p50: 'long', p90: 'long', p99: 'long' }),
    rows: [...Map.groupBy(rows, ({ deployment }) => deployment)].map(([deployment, of]) => {
      const durations = of.map(({ durationMs }) => durationMs);
      return [deployment, of.length, ...[50, 90, 99].map((share) => percentile(durations, share))];
    }),
  };
}

const columnsOf = (types: Readonly<Record<string, string>>) =>
  Object.entries(types).map(([name, type]) => ({ name, type }));

/** By the nearest rank. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((share / 100) * sorted.length) - 1] ?? Number.NaN;
}

function metricOf(name: string): Metric {
  if (!Object.hasOwn(dimensions, name))
    throw new Refusal(400, 'BadRequest', `Failed to find metric configuration for provider: metric ${name}`);
  return name as Metric; // its own key
}

/** `a eq '*' and b eq '*'`: one series for each of their values; nothing else of the language of filters. */
function filterOf(filter: string | null, names: readonly Metric[]): readonly string[] {
  const by = (filter ?? '').split(' and ').map((part) => /^(\w+) eq '\*'$/.exec(part)?.[1] ?? '');
  const known = (dimension: string) =>
    names.every((name) => (dimensions[name] as readonly string[]).includes(dimension));
  if (!by.every(known)) throw new Refusal(400, 'BadRequest', `the fake does not know the filter ${filter}`);
  return by;
}

function windowOf(given: URLSearchParams): readonly [number, number] {
  const [from = Number.NaN, to = Number.NaN] = (given.get('timespan') ?? '').split('/').map((at) => Date.parse(at));
  if (!(from < to)) throw new Refusal(400, 'BadRequest', `the timespan ${given.get('timespan')} is none`);
  if (given.get('interval') !== 'PT1M' || given.get('aggregation') !== 'average')
    throw new Refusal(400, 'BadRequest', 'the fake averages by minutes, and nothing else');
  return [from, to];
}

const minutesOf = (from: number, to: number): readonly number[] =>
  Array.from({ length: Math.ceil((to - from) / minute) }, (_, index) => from + index * minute);

function labelOf({ deployment, status, modelStatus }: Requested, dimension: string): string {
  if (dimension === 'deployment') return deployment;
  const code = dimension === 'modelStatusCode' ? modelStatus : status;
  if (code === 0) return '-';
  return dimension === 'statusCodeClass' ? `${Math.floor(code / 100)}xx` : String(code);
}
