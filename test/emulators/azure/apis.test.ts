import { type AutoscaleSettingResource, MonitorClient } from '@azure/arm-monitor';
import { LogsQueryClient } from '@azure/monitor-query-logs';
import type { AzureError, Call } from '@serin/azure/calls/azure';
import { afterEach, expect, test } from 'vitest';
import { emulatedAzure } from '../emulated.ts';
import { type Routes, type Served, serveAzure } from './rest.ts';

let served: Served | undefined;

async function serve(routes: Routes): Promise<Served> {
  served = await serveAzure('azure-checks-apis', routes);
  return served;
}

afterEach(async () => {
  await served?.stop();
  served = undefined;
});

/** Microsoft's clients send no token over HTTP: they are told of HTTPS, and their calls are carried here. */
const over = ({ url, variables }: Served, base = '') => ({
  credential: {
    async getToken(scope: string | string[]) {
      const asked = new URL(variables.IDENTITY_ENDPOINT ?? '');
      const resource = [scope].flat()[0]?.replace('/.default', '') ?? '';
      const query = { resource, 'api-version': '2019-08-01', client_id: 'microsoft' };
      for (const [name, value] of Object.entries(query)) asked.searchParams.set(name, value);
      const headers = { 'x-identity-header': variables.IDENTITY_HEADER ?? '' };
      const given = (await (await fetch(asked, { headers })).json()) as Readonly<Record<string, string>>;
      return { token: given.access_token ?? '', expiresOnTimestamp: Number(given.expires_on) * 1000 };
    },
  },
  options: {
    retryOptions: { maxRetries: 0 },
    httpClient: {
      // biome-ignore lint/suspicious/noExplicitAny: the pipeline's own request and response
      async sendRequest(request: any): Promise<any> {
        const { pathname, search } = new URL(request.url);
        const answer = await fetch(`${url}${base}${pathname}${search}`, {
          method: request.method,
          headers: request.headers.toJSON(),
          body: request.body ?? null,
        });
        const headers = request.headers.constructor;
        const made = Object.assign(Object.create(headers.prototype), request.headers);
        return {
          request,
          status: answer.status,
          headers: { ...made, get: (name: string) => answer.headers.get(name) ?? undefined, toJSON: () => ({}) },
          bodyAsText: await answer.text(),
        };
      },
    },
  },
});

const endpoint = 'subscriptions/s-1/resourceGroups/ml/providers/Microsoft.MachineLearningServices/onlineEndpoints/e';
const metric = {
  id: `/${endpoint}/providers/Microsoft.Insights/metrics/RequestsPerMinute`,
  type: 'Microsoft.Insights/metrics',
  name: { value: 'RequestsPerMinute', localizedValue: 'Requests Per Minute' },
  unit: 'Count',
  timeseries: [
    {
      metadatavalues: [{ name: { value: 'deployment', localizedValue: 'deployment' }, value: 'v1' }],
      data: [{ timeStamp: '2026-11-20T14:00:00Z' }, { timeStamp: '2026-11-20T14:01:00Z', average: 12.5 }],
    },
  ],
};
const answered = { cost: 0, timespan: '2026-11-20T14:00:00Z/PT2M', interval: 'PT1M', value: [metric] };

const rule = {
  metricTrigger: {
    metricName: 'CpuUtilizationPercentage',
    metricResourceUri: `/${endpoint}/deployments/v1`,
    timeGrain: 'PT1M',
    statistic: 'Average',
    timeWindow: 'PT5M',
    timeAggregation: 'Average',
    operator: 'GreaterThan',
    threshold: 70,
  },
  scaleAction: { direction: 'Increase', type: 'ChangeCount', value: '1', cooldown: 'PT5M' },
};
const setting = {
  location: 'westeurope',
  properties: {
    enabled: true,
    targetResourceUri: `/${endpoint}/deployments/v1`,
    profiles: [{ name: 'p', capacity: { minimum: '1', maximum: '5', default: '1' }, rules: [rule] }],
  },
};

const metricsRoute = 'GET /{resource+}/providers/Microsoft.Insights/metrics';
const settingsRoute = 'PUT /subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Insights/autoscalesettings/{name}';
const diagnosticsRoute = 'PUT /{resource+}/providers/Microsoft.Insights/diagnosticSettings/{name}';
const logsRoute = 'POST logs:/v1/workspaces/{id}/query';
const statusRoute =
  'GET /subscriptions/{s}/providers/Microsoft.MachineLearningServices/locations/{l}/mfeOperationsStatus/{operation}';
const secretRoute = 'GET vault:/secrets/{name}';

emulatedAzure("Microsoft's clients of Azure Monitor", () => {
  test('read metrics from a fake, and ask in a form that it takes', async () => {
    const made = await serve({ [metricsRoute]: () => answered });
    const { credential, options } = over(made);

    const read = await new MonitorClient(credential, 's-1', options).metrics.list(endpoint, {
      timespan: '2026-11-20T14:00:00Z/2026-11-20T14:02:00Z',
      interval: 'PT1M',
      metricnames: 'RequestsPerMinute',
      aggregation: 'Average',
      filter: "deployment eq '*'",
    });

    expect(read.value[0]?.timeseries[0]?.data?.map(({ average }) => average)).toEqual([undefined, 12.5]);
    expect(made.calls[0]?.params.resource).toBe(endpoint);
    expect(made.calls[0]?.query.get('$filter')).toBe("deployment eq '*'");
  });

  test('write settings of autoscale, which a fake reads as they are', async () => {
    const made = await serve({ [settingsRoute]: ({ body }) => ({ ...body, name: 'a' }) });
    const { credential, options } = over(made);
    const given = { location: 'westeurope', ...setting.properties } as unknown as AutoscaleSettingResource;

    const written = await new MonitorClient(credential, 's-1', options).autoscaleSettings.createOrUpdate(
      'ml',
      'a',
      given,
    );

    expect(written.profiles[0]?.capacity).toEqual({ minimum: '1', maximum: '5', default: '1' });
    expect(made.calls[0]?.body.properties.profiles[0].rules).toEqual([
      { ...rule, metricTrigger: { ...rule.metricTrigger, threshold: 70 } },
    ]);
  });

  test('read an answer of Log Analytics from a fake, and what is only a part of one', async () => {
    const table = { name: 'PrimaryResult', columns: [{ name: 'n', type: 'long' }], rows: [[3]] };
    const parts = [{ tables: [table] }, { tables: [table], error: { code: 'PartialError', message: 'too long' } }];
    const made = await serve({ [logsRoute]: () => parts.shift() });
    const { credential, options } = over(made, '/~logs/-');
    const client = new LogsQueryClient(credential, options);

    const whole = await client.queryWorkspace('w-1', 'T | count', { duration: 'PT1H' });
    const part = await client.queryWorkspace('w-1', 'T | count', { duration: 'PT1H' });

    expect(whole).toMatchObject({ status: 'Success', tables: [{ rows: [[3]] }] });
    expect(part).toMatchObject({ status: 'PartialFailure', partialError: { code: 'PartialError' } });
  });
});

/** What the server has against a call or its answer. */
async function violationOf(routes: Routes, call: Call): Promise<string> {
  const { azure, check } = await serve(routes);
  await azure.bytes(call).catch((error: AzureError) => error);
  try {
    check();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
}

const changed = (value: object, path: string, to: unknown): unknown => {
  const copy = structuredClone(value);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let at = copy as Record<string, unknown>;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  at[last] = to;
  return copy;
};

emulatedAzure('a call of another service', () => {
  const version = (given: string) => ({ 'api-version': given });
  const management = { service: 'management', path: `${endpoint}/providers/Microsoft.Insights/metrics` } as const;
  const getMetrics: Call = { ...management, method: 'GET', query: version('2024-02-01') };
  const group = 'subscriptions/s-1/resourceGroups/ml/providers/Microsoft.Insights/autoscalesettings/a';
  const put = (body: object): Call => ({
    service: 'management',
    method: 'PUT',
    path: group,
    query: version('2022-10-01'),
    body,
  });
  const secret: Call = { service: 'vault', name: 'kv', method: 'GET', path: 'secrets/a', query: version('7.6') };

  test.each([
    ['an unknown key', 'value.0.timeseries.0.data.1.p99', 3, /p99: Microsoft's client has no such key/],
    ['no time', 'timespan', undefined, /timespan: missing/],
    ['no list of metrics', 'value', undefined, /Microsoft's client cannot read it/],
    ['a time that is none', 'value.0.timeseries.0.data.0.timeStamp', 'yesterday', /timeStamp: it is not a time/],
    ['a metric without its unit', 'value.0.unit', undefined, /unit: missing/],
  ])('is refused for metrics with %s', async (_what, path, to, says) => {
    expect(await violationOf({ [metricsRoute]: () => changed(answered, path, to) }, getMetrics)).toMatch(says);
  });

  test.each([
    ['an unknown key', 'properties.profiles.0.capacity.most', '9', /most: Microsoft's client has no such key/],
    ['a capacity as a number', 'properties.profiles.0.capacity.minimum', 1, /1 is not a number as text/],
    ['a default above the most', 'properties.profiles.0.capacity.default', '6', /minimum, default, maximum/],
    [
      'a trigger without its threshold',
      'properties.profiles.0.rules.0.metricTrigger.threshold',
      undefined,
      /threshold/,
    ],
    ['an action without its direction', 'properties.profiles.0.rules.0.scaleAction.direction', undefined, /direction/],
    ['too many rules', 'properties.profiles.0.rules', Array(11).fill(rule), /rules: 11, more than 10/],
    ['no profile', 'properties.profiles', [], /0, not 1 to 20/],
    ['no location', 'location', undefined, /location: missing/],
  ])('is refused for autoscale with %s', async (_what, path, to, says) => {
    expect(
      await violationOf({ [settingsRoute]: ({ body }) => body }, put(changed(setting, path, to) as object)),
    ).toMatch(says);
  });

  test('is refused with a key that a diagnostic setting does not have', async () => {
    const path = `${endpoint}/providers/Microsoft.Insights/diagnosticSettings/serin`;
    const query = version('2021-05-01-preview');
    const good = {
      properties: { workspaceId: '/w', logs: [{ category: 'AmlOnlineEndpointTrafficLog', enabled: true }] },
    };
    const call = (body: object): Call => ({ service: 'management', method: 'PUT', path, query, body });
    const routes: Routes = { [diagnosticsRoute]: ({ body }) => body };

    expect(await violationOf(routes, call(good))).toBe('nothing');
    expect(await violationOf(routes, call(changed(good, 'properties.logs.0.days', 3) as object))).toMatch(/days/);
  });

  test.each([
    ['another api-version', { ...getMetrics, query: version('2018-01-01') }, /must be 2024-02-01/],
    [
      'an unknown parameter',
      { ...getMetrics, query: { ...getMetrics.query, filter: 'x' } },
      /\?filter: it has no such/,
    ],
  ])('is refused with %s', async (_what, call, says) => {
    expect(await violationOf({ [metricsRoute]: () => answered }, call)).toMatch(says);
  });

  test.each([
    ['no value', { id: 'x' }, /value: it is not text/],
    ['an unknown key', { id: 'x', value: 'y', version: '1' }, /version: a secret has no such key/],
    ['an unknown attribute', { id: 'x', value: 'y', attributes: { disabled: true } }, /disabled: a secret has no/],
  ])('is refused for a secret with %s', async (_what, answer, says) => {
    expect(await violationOf({ [secretRoute]: () => answer }, secret)).toMatch(says);
  });

  test.each([
    ['an unknown key', { status: 'InProgress', since: 'x' }, /since: a status has no such key/],
    ['no status', { name: 'x' }, /status: missing/],
    ['an error of what goes on', { status: 'InProgress', error: { code: 'a', message: 'b' } }, /only then/],
    ['no error of what failed', { status: 'Failed' }, /with Failed and Canceled/],
  ])('is refused for the status of an operation with %s', async (_what, answer, says) => {
    const at = 'subscriptions/s-1/providers/Microsoft.MachineLearningServices/locations/r/mfeOperationsStatus/o-1';
    const look: Call = { service: 'management', method: 'GET', path: at, query: version('2025-12-01') };

    expect(await violationOf({ [statusRoute]: () => answer }, look)).toMatch(says);
  });

  test('is refused for a query of logs with what Log Analytics does not have', async () => {
    const ask: Call = { service: 'logs', method: 'POST', path: 'v1/workspaces/w/query', body: { query: 'T', top: 1 } };

    expect(await violationOf({ [logsRoute]: () => ({ tables: [] }) }, ask)).toMatch(/top: Microsoft's client has no/);
  });

  test('is refused for a query of logs without its text', async () => {
    const ask: Call = { service: 'logs', method: 'POST', path: 'v1/workspaces/w/query', body: { kql: 'T' } };

    expect(await violationOf({ [logsRoute]: () => ({ tables: [] }) }, ask)).toMatch(/query: missing/);
  });
});
