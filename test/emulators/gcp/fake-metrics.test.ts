import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MetricServiceClient } from '@google-cloud/monitoring';
import { minute } from '@serin/core/base/time';
import { OAuth2Client } from 'google-auth-library';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emulatedGcp } from '../emulated.ts';
import { type Served, serveGoogle } from './discovery.ts';
import { fakeMetrics, type Predicted } from './fake-metrics.ts';

const start = Date.UTC(2026, 10, 20, 12);
const metric = (name: string) => `metric.type="aiplatform.googleapis.com/prediction/online/${name}"`;
const endpoint =
  'resource.type="aiplatform.googleapis.com/Endpoint" AND resource.labels.location="europe-west4" AND resource.labels.endpoint_id="fraud"';

const enums: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'aggregation.perSeriesAligner': { 14: 'ALIGN_SUM' },
  'aggregation.crossSeriesReducer': { 4: 'REDUCE_SUM' },
  view: { 0: 'FULL' },
};

emulatedGcp('the Cloud Monitoring of the suites, asked by the official client', () => {
  const clock = { now: start };
  let fake: ReturnType<typeof fakeMetrics>;
  let served: Served;
  let client: MetricServiceClient;
  let close: () => void;
  beforeEach(async () => {
    clock.now = start;
    fake = fakeMetrics({
      now: () => clock.now,
      lagMs: (name) => (name === 'error_count' ? 10 * minute : minute),
      pageSize: 2,
      buckets: { explicitBuckets: { bounds: [10, 100, 1000] } },
    });
    served = await serveGoogle('gcp-fake-metrics', fake.handlers);
    // The client takes a host and a port, and no path of its own; it says enums by their numbers.
    const door = createServer(async (asked, answered) => {
      const { authorization = '' } = asked.headers;
      const url = new URL(`${served.hosts('monitoring')}${asked.url}`);
      url.searchParams.delete('$alt');
      for (const [name, words] of Object.entries(enums))
        url.searchParams.set(name, words[url.searchParams.get(name) ?? ''] ?? '');
      const answer = await fetch(url, { headers: { authorization } });
      answered.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    }).listen(0, '127.0.0.1');
    await once(door, 'listening');
    const authClient = new OAuth2Client();
    authClient.setCredentials({ access_token: 'token' });
    client = new MetricServiceClient({
      ...{ fallback: true, protocol: 'http', apiEndpoint: '127.0.0.1', port: (door.address() as AddressInfo).port },
      ...{ projectId: 'acme', authClient },
    });
    close = () => door.close();
  });
  afterEach(async () => {
    await client.close();
    close();
    await served.stop();
  });

  const predict = (change: Partial<Predicted> = {}) =>
    fake.predicted.push({ endpoint: 'fraud', model: '1', at: clock.now, latencyMs: 50, code: '2xx', ...change });

  async function list(name: string, by: readonly string[] = ['deployed_model_id'], seconds = 60) {
    const [series] = await client.listTimeSeries({
      name: 'projects/acme',
      filter: `${metric(name)} AND ${endpoint}`,
      interval: { startTime: { seconds: start / 1000 }, endTime: { seconds: (start + 60 * minute) / 1000 } },
      aggregation: {
        alignmentPeriod: { seconds },
        perSeriesAligner: 'ALIGN_SUM',
        crossSeriesReducer: 'REDUCE_SUM',
        groupByFields: by.map((label) => `metric.labels.${label}`),
      },
      view: 'FULL',
    });
    return series.flatMap(({ metric: of, points = [] }) =>
      (points ?? []).map(({ interval, value }) => ({
        labels: of?.labels,
        at: (Number(interval?.endTime?.seconds) * 1000 - start) / minute,
        value: Number(value?.int64Value ?? Number.NaN),
        distribution: value?.distributionValue,
      })),
    );
  }

  test('points are those of whole minutes, by their end and the newest first, over several pages; there are no zeros', async () => {
    for (const wait of [0, 1, 3]) {
      clock.now += wait * minute;
      predict();
      predict();
    }
    clock.now += 2 * minute;

    expect((await list('response_count')).map(({ at, value }) => [at, value])).toEqual([
      [5, 2],
      [2, 2],
      [1, 2],
    ]);
  });

  test('a minute comes late, and one metric of it later than another', async () => {
    predict({ code: '5xx' });

    clock.now = start + 2 * minute - 1;
    const early = await list('response_count');
    clock.now += 1;
    const [responses, errors] = [await list('response_count'), await list('error_count')];
    clock.now = start + 11 * minute;

    expect([early.length, responses.length, errors.length]).toEqual([0, 1, 0]);
    expect(await list('error_count')).toMatchObject([{ value: 1 }]);
  });

  test('instances are predictions, requests are responses, and errors have no class', async () => {
    predict({ instances: 100 });
    predict({ code: '4xx' });
    predict({ code: '5xx', model: '2' });
    clock.now += 20 * minute;

    const classes = (await list('response_count', ['deployed_model_id', 'response_code'])).map(({ labels, value }) => [
      ...[labels?.deployed_model_id, labels?.response_code, value],
    ]);
    const errors = await list('error_count', ['deployed_model_id', 'response_code']);

    expect((await list('prediction_count')).map(({ value }) => value)).toEqual([101, 1]);
    expect(classes).toEqual([
      ['1', '2xx', 1],
      ['1', '4xx', 1],
      ['2', '5xx', 1],
    ]);
    expect(errors.map(({ labels, value }) => [labels?.response_code, value])).toEqual([
      [undefined, 1],
      [undefined, 1],
    ]);
  });

  test('latencies are buckets, of requests that succeeded, three for each kind of latency', async () => {
    for (const latencyMs of [5, 10, 99, 5000]) predict({ latencyMs });
    predict({ code: '5xx', latencyMs: 60_000 });
    clock.now += 2 * minute;

    const latencies = await list('prediction_latencies', ['deployed_model_id', 'latency_type']);

    expect(latencies.map(({ labels }) => labels?.latency_type).sort()).toEqual(['model', 'overhead', 'total']);
    const { distribution } = latencies.find(({ labels }) => labels?.latency_type === 'total') ?? {};
    expect(distribution?.bucketCounts?.map(Number)).toEqual([1, 2, 0, 1]);
    expect(Number(distribution?.count)).toBe(4);
  });

  test('a period of less than a minute, or a metric that is not there, is refused', async () => {
    await expect(list('response_count', [], 30)).rejects.toMatchObject({ code: 3 });
    await expect(list('request_count')).rejects.toMatchObject({ code: 5 });
  });
});
