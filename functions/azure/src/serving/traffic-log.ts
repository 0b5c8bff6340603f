import { instant } from '@serin/core/base/time';
import type { Series } from '@serin/platform/ticks';
import { type Azure, AzureError } from '../calls/azure.ts';
import { guarded } from '../faults.ts';
import { type Answered, daysOf, minuteMs, type Source, statusOf, type Window } from './answers.ts';

interface LogOptions {
  readonly azure: Azure;
  /** By which the workspace of Log Analytics is queried. */
  readonly logWorkspaceId: string;
}

/** https://learn.microsoft.com/azure/azure-monitor/reference/tables/amlonlineendpointtrafficlog */
const table = 'AmlOnlineEndpointTrafficLog';

/**
 * The traffic log of an endpoint, in a workspace of Log Analytics: one row for each request. Whoever makes the endpoint turns
 * it on, and it "may take up to an hour for the connection to the Log Analytics workspace to be enabled".
 *
 * A request is in the minute in which it "was received by Azure Machine Learning" (`TimeGenerated`). Its row comes when it
 * has ended, after 180 seconds at the latest (the longest time-out of a deployment), and "resource logs are usually available
 * within 3 to 10 minutes end-to-end".
 * https://learn.microsoft.com/azure/azure-monitor/logs/data-ingestion-time#azure-metrics-resource-logs-activity-log
 */
export function trafficLog(options: LogOptions): Source {
  return {
    counter: {
      name: 'the traffic log',
      stepMs: minuteMs,
      counts: 'Serin reads the traffic log by whole minutes',
      settleMs: 13 * minuteMs,
      patienceMs: 25 * minuteMs,
      // What a workspace of Log Analytics keeps unless it is told to keep more.
      // https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure
      keptMs: 30 * 24 * 60 * minuteMs,
    },

    async answered(window, thresholdsMs) {
      const found: Answered[] = [];
      for (const day of daysOf(window)) {
        const rows = await rowsOf(options, day.endpoint, countsIn(day, thresholdsMs));
        if (rows === undefined || rows === 'unconnected') return rows;
        for (const row of rows)
          found.push({
            deployment: String(row.DeploymentName),
            start: Date.parse(String(row.minute)),
            status: statusOf(row.ResponseCode),
            modelStatus: statusOf(row.ModelStatusCode),
            requests: Number(row.requests),
            slow: thresholdsMs.map((_, index) => Number(row[`slow${index}`])),
          });
      }
      return found;
    },

    async latencies(window) {
      const rows = await rowsOf(options, window.endpoint, latenciesIn(window));
      if (rows === 'unconnected') return [];
      // The percentile of nothing is null.
      const at = (value: unknown): Series => new Map([[window.from, Number(value ?? Number.NaN)]]);
      return rows?.map(({ DeploymentName, requests, p50, p90, p99 }) => ({
        deployment: String(DeploymentName),
        ...{ requests: at(requests), p50: at(p50), p90: at(p90), p99: at(p99) },
      }));
    },
  };
}

/** https://learn.microsoft.com/kusto/query/scalar-data-types/string: `\` escapes in it as in JSON. */
const quoted = (text: string): string => JSON.stringify(text);

const requestsIn = ({ endpoint, from, to }: Window): readonly string[] => [
  table,
  `where TimeGenerated >= datetime(${instant(from)}) and TimeGenerated < datetime(${instant(to)})`,
  `where EndpointName =~ ${quoted(endpoint)}`,
];

// What an answer means is decided here and not in the query, which nobody can run without a workspace.
const countsIn = (window: Window, thresholdsMs: readonly number[]): string =>
  [
    ...requestsIn(window),
    `summarize ${[
      'requests = count()',
      ...thresholdsMs.map((ms, index) => `slow${index} = countif(TotalDurationMs > ${ms})`),
    ].join(', ')} by DeploymentName, ResponseCode, ModelStatusCode, minute = bin(TimeGenerated, 1m)`,
  ].join('\n| ');

const latenciesIn = (window: Window): string =>
  [
    ...requestsIn(window),
    `summarize requests = count(), ${[50, 90, 99]
      .map((share) => `p${share} = percentile(TotalDurationMs, ${share})`)
      .join(', ')} by DeploymentName`,
  ].join('\n| ');

interface Told {
  readonly tables?: readonly {
    readonly name: string;
    readonly columns: readonly { readonly name: string }[];
    readonly rows: readonly (readonly unknown[])[];
  }[];
  /** Beside tables that are not whole: "a non-fatal error occurs during query execution". */
  readonly error?: unknown;
}

/** A table that is made with its first row: https://github.com/CDCgov/prime-reportstream/issues/11773 */
const saysNoTable = (error: unknown): boolean =>
  error instanceof AzureError &&
  error.status === 400 &&
  new RegExp(`failed to resolve table .*named '${table}'`, 'i').test(error.message);

/**
 * The rows of an answer by the names of their columns; a workspace without any data answers nothing at all (204), or knows
 * no such table.
 *
 * https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format
 */
async function rowsOf({ azure, logWorkspaceId }: LogOptions, endpoint: string, query: string) {
  const told = await guarded(`reading the traffic log of the endpoint ${endpoint}`, () =>
    azure
      .json<Told>({
        ...{ service: 'logs', method: 'POST', path: `v1/workspaces/${logWorkspaceId}/query`, body: { query } },
        repeatable: true,
      })
      .catch((error: unknown) => {
        if (saysNoTable(error)) return 'unconnected' as const;
        throw error;
      }),
  );
  if (told === 'unconnected') return told;
  if (told.error !== undefined) return undefined;
  if (told.tables === undefined) return [];
  const found = told.tables.find(({ name }) => name === 'PrimaryResult');
  if (found === undefined) return undefined;
  const { columns, rows } = found;
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
}
