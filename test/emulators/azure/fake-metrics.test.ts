import { MonitorClient } from '@azure/arm-monitor';
import type { PipelineRequest } from '@azure/core-rest-pipeline';
import { LogsQueryClient } from '@azure/monitor-query-logs';
import { managedIdentity } from '@serin/azure/calls/token';
import { minute } from '@serin/core/base/time';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emulatedAzure } from '../emulated.ts';
import { fakeMonitor, type Requested } from './fake-metrics.ts';
import { type Served, serveAzure } from './rest.ts';

const start = Date.UTC(2026, 10, 20, 12);
const endpoint =
  'subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/onlineEndpoints/fraud';
const requestsOfAnHour = `AmlOnlineEndpointTrafficLog
| where TimeGenerated >= datetime(2026-11-20T12:00:00.000Z) and TimeGenerated < datetime(2026-11-20T13:00:00.000Z)
| where EndpointName =~ "FRAUD"
| summarize requests = count()`;
const counting = `${requestsOfAnHour}, slow0 = countif(TotalDurationMs > 100) by DeploymentName, ResponseCode, ModelStatusCode, minute = bin(TimeGenerated, 1m)`;
const measuring = `${requestsOfAnHour}, p50 = percentile(TotalDurationMs, 50), p90 = percentile(TotalDurationMs, 90), p99 = percentile(TotalDurationMs, 99) by DeploymentName`;
const always = { startTime: new Date(start), endTime: new Date(start + 60 * minute) };

emulatedAzure("the Azure Monitor of the suites, asked by Microsoft's clients", () => {
  const clock = { now: start };
  let fake: ReturnType<typeof fakeMonitor>;
  let served: Served;
  let monitor: MonitorClient;
  let logs: LogsQueryClient;
  beforeEach(async () => {
    clock.now = start;
    fake = fakeMonitor({ now: () => clock.now, mostRows: 3 });
    served = await serveAzure('azure-fake-metrics', fake.routes);
    const { IDENTITY_ENDPOINT = '', IDENTITY_HEADER = '', AZURE_CLIENT_ID = '' } = served.variables;
    const identity = { endpoint: IDENTITY_ENDPOINT, header: IDENTITY_HEADER, clientId: AZURE_CLIENT_ID, now: Date.now };
    const credential = (resource: string) => ({
      getToken: async () => ({
        token: await managedIdentity(identity)(resource)(),
        expiresOnTimestamp: Date.now() + 60 * minute,
      }),
    });
    monitor = new MonitorClient(credential('https://management.azure.com/'), 's', over(served.url));
    logs = new LogsQueryClient(
      credential('https://api.loganalytics.io'),
      over(served.variables.SERIN_ENDPOINT_LOGS ?? ''),
    );
  });
  afterEach(() => served.stop());

  const request = (change: Partial<Requested> = {}) =>
    fake.requests.push({
      ...{ endpoint: 'fraud', deployment: 'v1', receivedAt: clock.now, durationMs: 50, status: 200, modelStatus: 200 },
      ...change,
    });

  async function series(metricnames: string, by: readonly string[], more: { readonly top?: number } = {}) {
    const { value } = await monitor.metrics.list(endpoint, {
      ...{ metricnames, aggregation: 'average', interval: 'PT1M', ...more },
      timespan: `${new Date(start).toISOString()}/${new Date(start + 3 * minute).toISOString()}`,
      filter: by.map((name) => `${name} eq '*'`).join(' and '),
    });
    return value.flatMap(({ name, timeseries }) =>
      timeseries.map(({ metadatavalues = [], data = [] }) => ({
        metric: name.value,
        labels: metadatavalues.map(({ value: label }) => label),
        data: data.map(({ timeStamp, average }) => [(timeStamp.getTime() - start) / minute, average]),
      })),
    );
  }
  const all = ['deployment', 'statusCode', 'statusCodeClass', 'modelStatusCode'];

  test('a metric has a point for each minute; one without data has no value', async () => {
    request();
    request();
    clock.now += 3 * minute;

    expect(await series('RequestsPerMinute', all)).toEqual([
      {
        ...{ metric: 'RequestsPerMinute', labels: ['v1', '200', '2xx', '200'] },
        data: [
          [0, 2],
          [1, undefined],
          [2, undefined],
        ],
      },
    ]);
  });

  test('a request is in the minute in which it ended, and comes late', async () => {
    request({ durationMs: minute });

    clock.now += 3 * minute - 1;
    const early = await series('RequestsPerMinute', all);
    clock.now += 1;
    const late = await series('RequestsPerMinute', all);

    expect([early, late].map(([one]) => one?.data[1]?.[1])).toEqual([undefined, 1]);
  });

  test('a dimension that is left out makes a mean of its series, and no sum', async () => {
    for (const status of [200, 200, 200, 503]) request({ status });
    clock.now += 3 * minute;

    expect((await series('RequestsPerMinute', ['deployment']))[0]?.data[0]).toEqual([0, 2]);
  });

  test('there are ten series, unless more are asked for', async () => {
    for (let status = 500; status < 515; status++) request({ status });
    clock.now += 3 * minute;

    expect(await series('RequestsPerMinute', all)).toHaveLength(10);
    expect(await series('RequestsPerMinute', all, { top: 20 })).toHaveLength(15);
  });

  test('several metrics are answered at once, and one that is not there is refused', async () => {
    for (const durationMs of [10, 20, 30]) request({ durationMs });
    clock.now += 3 * minute;

    const latencies = await series('RequestLatency_P50,RequestLatency_P99', ['deployment']);

    expect(latencies.map(({ metric, data }) => [metric, data[0]?.[1]])).toEqual([
      ['RequestLatency_P50', 20],
      ['RequestLatency_P99', 30],
    ]);
    await expect(series('RequestCount', ['deployment'])).rejects.toMatchObject({ statusCode: 400 });
  });

  test('the log is counted by the minute in which a request was received, and comes late', async () => {
    request({ durationMs: 150 });
    request({ deployment: 'v2', status: 408, modelStatus: 0, durationMs: 2 * minute });
    clock.now += 2 * minute;

    const early = await logs.queryWorkspace('w', counting, always);
    clock.now += 2 * minute;
    const late = await logs.queryWorkspace('w', counting, always);

    const first = ['v1', 200, 200, new Date(start), 1, 1];
    expect(early).toMatchObject({ status: 'Success', tables: [{ rows: [first] }] });
    expect(late).toMatchObject({ tables: [{ rows: [first, ['v2', 408, null, new Date(start), 1, 1]] }] });
  });

  test('its percentiles are those of each deployment', async () => {
    for (let durationMs = 1; durationMs <= 100; durationMs++) request({ durationMs });
    clock.now += 5 * minute;

    expect(await logs.queryWorkspace('w', measuring, always)).toMatchObject({
      tables: [{ rows: [['v1', 100, 50, 90, 99]] }],
    });
  });

  test('more rows than are answered at once are only a part', async () => {
    for (let status = 200; status < 205; status++) request({ status });
    clock.now += 5 * minute;

    expect(await logs.queryWorkspace('w', counting, always)).toMatchObject({
      status: 'PartialFailure',
      partialTables: [{ rows: { length: 3 } }],
    });
  });

  test('a query of which nothing is known is refused', async () => {
    await expect(logs.queryWorkspace('w', `${counting}\n| take 1`, always)).rejects.toMatchObject({ statusCode: 400 });
  });
});

/** The clients send no token over HTTP: they are told https, and what they send goes to the fake. */
const over = (base: string) => ({
  httpClient: {
    async sendRequest(request: PipelineRequest) {
      const { pathname, search } = new URL(request.url);
      const { method, headers, body } = request;
      const answer = await fetch(`${base}${pathname}${search}`, {
        ...{ method, headers: headers.toJSON() },
        ...(body === undefined ? {} : { body: String(body) }),
      });
      return { request, status: answer.status, headers, bodyAsText: await answer.text() };
    },
  },
  retryOptions: { maxRetries: 0 },
});
