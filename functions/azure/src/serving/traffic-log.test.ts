import { expect, test } from 'vitest';
import type { Azure, Call } from '../calls/azure.ts';
import { trafficLog } from './traffic-log.ts';

const from = Date.UTC(2026, 10, 20, 12);
const window = { endpoint: 'prod-shop-fraud-1', from, to: from + 120_000 };
const nothing = { tables: [{ name: 'PrimaryResult', columns: [], rows: [] }] };

/** A log that answers this, and what it was asked. */
function asked(answer: object = nothing) {
  const calls: Call[] = [];
  const azure: Azure = {
    json: async <Body>(call: Call) => {
      calls.push(call);
      return answer as Body;
    },
    bytes: () => Promise.reject(new Error('nothing is read as bytes')),
  };
  const log = trafficLog({ azure, logWorkspaceId: 'ws-1' });
  return { log, calls, queries: () => calls.map(({ body }) => (body as { readonly query: string }).query) };
}

/**
 * What the table has: https://learn.microsoft.com/azure/azure-monitor/reference/tables/amlonlineendpointtrafficlog (of
 * 2024-02-18).
 */
const columns: Readonly<Record<string, 'string' | 'int' | 'datetime'>> = {
  DeploymentName: 'string',
  EndpointName: 'string',
  ModelStatusCode: 'int',
  ResponseCode: 'int',
  TimeGenerated: 'datetime',
  TotalDurationMs: 'int',
};

/** What the language has, by its page below https://learn.microsoft.com/kusto/query/. */
const words: Readonly<Record<string, string>> = {
  AmlOnlineEndpointTrafficLog: 'the table',
  where: 'where-operator',
  and: 'scalar-data-types/bool',
  summarize: 'summarize-operator',
  by: 'summarize-operator',
  count: 'count-aggregation-function',
  countif: 'countif-aggregation-function',
  percentile: 'percentiles-aggregation-function',
  bin: 'bin-function',
  datetime: 'scalar-data-types/datetime',
  m: 'scalar-data-types/timespan',
};

test('the requests of a window are counted by deployment, minute and answer', async () => {
  const { log, calls, queries } = asked();

  await log.answered(window, [1000, 12.5]);

  expect(calls).toMatchObject([
    { service: 'logs', method: 'POST', path: 'v1/workspaces/ws-1/query', repeatable: true },
  ]);
  expect(queries()).toEqual([
    [
      'AmlOnlineEndpointTrafficLog',
      '| where TimeGenerated >= datetime(2026-11-20T12:00:00.000Z) and TimeGenerated < datetime(2026-11-20T12:02:00.000Z)',
      '| where EndpointName =~ "prod-shop-fraud-1"',
      '| summarize requests = count(), slow0 = countif(TotalDurationMs > 1000), slow1 = countif(TotalDurationMs > 12.5) by DeploymentName, ResponseCode, ModelStatusCode, minute = bin(TimeGenerated, 1m)',
    ].join('\n'),
  ]);
});

test('the percentiles of a window are those of each deployment', async () => {
  const { log, queries } = asked();

  await log.latencies(window);

  expect(queries()[0]?.split('\n')[3]).toBe(
    '| summarize requests = count(), p50 = percentile(TotalDurationMs, 50), p90 = percentile(TotalDurationMs, 90), p99 = percentile(TotalDurationMs, 99) by DeploymentName',
  );
});

test('a query says nothing but columns of the table, words of the language, and names that it gives itself', async () => {
  const { log, queries } = asked();

  await log.answered(window, [1000]);
  await log.latencies(window);

  for (const query of queries()) {
    const bare = query.replaceAll(/"[^"]*"/g, '').replaceAll(/datetime\([^)]*\)/g, 'datetime');
    const given = [...bare.matchAll(/(\w+) = /g)].map(([, name]) => name);
    const used = bare.match(/[A-Za-z]\w*/g) ?? [];
    expect(used.filter((name) => !(name in columns) && !(name in words) && !given.includes(name))).toEqual([]);
  }
});

test('a name is text in a query, whatever is in it', async () => {
  const { log, queries } = asked();

  await log.answered({ ...window, endpoint: '"\\\n| take 1' }, []);

  expect(queries()[0]?.split('\n')[2]).toBe('| where EndpointName =~ "\\"\\\\\\n| take 1"');
});

test('a long window is read by days, one after the other', async () => {
  const { log, queries } = asked();

  await log.answered({ ...window, to: from + 36 * 3_600_000 }, []);

  expect(queries().map((query) => /datetime\((\S+)Z\) and .*datetime\((\S+)Z\)/.exec(query)?.slice(1))).toEqual([
    ['2026-11-20T12:00:00.000', '2026-11-21T12:00:00.000'],
    ['2026-11-21T12:00:00.000', '2026-11-22T00:00:00.000'],
  ]);
});

test('rows are read by the names of their columns', async () => {
  const { log } = asked({
    tables: [
      { name: 'Statistics', columns: [{ name: 'requests' }], rows: [[7]] },
      {
        name: 'PrimaryResult',
        columns: ['minute', 'slow0', 'requests', 'ResponseCode', 'ModelStatusCode', 'DeploymentName'].map((name) => ({
          name,
        })),
        rows: [['2026-11-20T12:01:00Z', 2, 3, 424, 500, 'v1']],
      },
    ],
  });

  expect(await log.answered(window, [10])).toEqual([
    { deployment: 'v1', start: from + 60_000, status: 424, modelStatus: 500, requests: 3, slow: [2] },
  ]);
});

test('an answer that is only part of one is none', async () => {
  const { log } = asked({ ...nothing, error: { code: 'PartialError', message: 'There were some errors' } });

  expect([await log.answered(window, []), await log.latencies(window)]).toEqual([undefined, undefined]);
});

test('an answer without the table that was asked for is not one of no requests', async () => {
  const { log } = asked({ tables: [{ name: 'Statistics', columns: [], rows: [] }] });

  expect([await log.answered(window, []), await log.latencies(window)]).toEqual([undefined, undefined]);
});

test('a workspace without any data has no requests', async () => {
  const { log } = asked({});

  expect([await log.answered(window, []), await log.latencies(window)]).toEqual([[], []]);
});

test('a percentile of nothing is none, and not a request that took no time', async () => {
  const { log } = asked({
    tables: [
      {
        name: 'PrimaryResult',
        columns: ['DeploymentName', 'requests', 'p50', 'p90', 'p99'].map((name) => ({ name })),
        rows: [['v01', 4, null, 'NaN', 7]],
      },
    ],
  });

  expect(await log.latencies(window)).toEqual([
    {
      deployment: 'v01',
      requests: new Map([[from, 4]]),
      p50: new Map([[from, Number.NaN]]),
      p90: new Map([[from, Number.NaN]]),
      p99: new Map([[from, 7]]),
    },
  ]);
});
