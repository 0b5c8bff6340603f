import { randomUUID } from 'node:crypto';
import { deploymentName, endpointName } from '@serin/azure/names';
import { monitorTelemetry } from '@serin/azure/ports/telemetry';
import { slowerThan } from '@serin/core/base/measures';
import { day, minute, second } from '@serin/core/base/time';
import type { Bucket } from '@serin/core/ports/bucket';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { capturedContract, type OpenCaptured } from '../../contract/captured.contract.ts';
import { labelsOver } from '../../contract/captured-labels.ts';
import { cloudCounts } from '../../contract/cloud-counts.ts';
import { labelsContract } from '../../contract/labels.contract.ts';
import { type RoutedRequest, telemetryContract } from '../../contract/telemetry.contract.ts';
import { memoryBucket } from '../../simulation/fakes/bucket.ts';
import { atOnce } from '../../simulation/fakes/sync.ts';
import { emulatedAzure } from '../emulated.ts';
import { fakeMonitor, type Requested } from './fake-metrics.ts';
import { Refusal, Reply, type Request, type Routes, type Served, serveAzure } from './rest.ts';

const installation = { project: 'shop', environment: 'prod' };
const place = { subscription: 's', resourceGroup: 'g', workspace: 'w' };

const start = Date.UTC(2026, 10, 20, 12);
const settleMs = { log: 13 * minute, metrics: 3 * minute };
const patienceMs = { log: 25 * minute, metrics: 15 * minute };
type Kind = keyof typeof settleMs;

const theirs = (deployment: string) => (deployment === '' ? '' : deploymentName(deployment));

type Changes = Partial<Parameters<typeof fakeMonitor>[0]> & {
  /** Answers of the log or of the metrics as they are changed on their way. */
  // biome-ignore lint/suspicious/noExplicitAny: what is bent is what Microsoft's client can read
  readonly bent?: (answer: any, request: Request) => unknown;
};

emulatedAzure('Azure Monitor telemetry', () => {
  let served: Served;
  let fake: Routes = {};
  const calls = [
    'POST logs:/v1/workspaces/{workspace}/query',
    'GET /{resource+}/providers/Microsoft.Insights/metrics',
    'GET onlineEndpoints/{endpoint}',
    'GET onlineEndpoints/{endpoint}/deployments',
  ];
  beforeAll(async () => {
    served = await serveAzure(
      'azure-telemetry',
      Object.fromEntries(calls.map((call) => [call, (request: Request) => fake[call]?.(request)])),
    );
  });
  afterEach(() => served.check());
  afterAll(() => served?.stop());

  const asked = (since: number) => served.calls.slice(since).map(({ id }) => id);

  function opened(kind: Kind, { bent = (answer) => answer, ...options }: Changes = {}) {
    const clock = { now: start };
    const bucket = atOnce<Bucket>(memoryBucket());
    const { routes, requests, traffic } = fakeMonitor({ now: () => clock.now, ...options });
    fake = Object.fromEntries(
      Object.entries<Routes[string]>(routes).map(([call, handler]) => [
        call,
        (request) => (call.includes('{endpoint}') ? handler(request) : bent(handler(request), request)),
      ]),
    );
    const name = endpointName(installation, 'e');
    const share = (shares: Readonly<Record<string, number>>) =>
      traffic.set(
        name,
        Object.fromEntries(Object.entries(shares).map(([deployment, percent]) => [theirs(deployment), percent])),
      );
    share({});
    const telemetry = monitorTelemetry({
      ...{ azure: served.azure, installation, ...place, now: () => clock.now, bucket },
      ...(kind === 'log' ? { logWorkspaceId: 'workspace-1' } : {}),
    });
    const answer = (deployment: string, durationMs: number, more: Partial<Requested> = {}) =>
      requests.push({
        ...{ endpoint: name, deployment: theirs(deployment), receivedAt: clock.now, durationMs },
        ...{ status: 200, modelStatus: 200, ...more },
      });
    const read = (ticks = 1, more: { measures?: readonly string[]; from?: number } = {}) =>
      telemetry.ticks({
        ...{ endpoint: 'e', from: start, to: start + ticks * minute, tickMs: minute, measures: ['errors'] },
        ...more,
      });
    /** Until the tick that begins now is closed. */
    const settle = () => {
      clock.now += minute + settleMs[kind];
    };
    return { clock, bucket, share, gone: () => traffic.delete(name), telemetry, requests, answer, read, settle };
  }

  const openContract = (kind: Kind) => async () => {
    const { clock, telemetry, requests } = opened(kind);
    const begin = ({ endpoint, deployment }: RoutedRequest) => {
      const receivedAt = clock.now;
      return ({ latencyMs, isError }: { latencyMs: number; isError: boolean }) => {
        const [status, modelStatus] = isError ? [424, 500] : [200, 200];
        const where = { endpoint: endpointName(installation, endpoint), deployment: theirs(deployment), receivedAt };
        requests.push({ ...where, durationMs: Math.max(latencyMs, clock.now - receivedAt), status, modelStatus });
      };
    };
    return {
      telemetry,
      now: () => clock.now,
      advance: async (ms: number) => {
        clock.now += ms;
      },
      begin,
      request: ({ latencyMs, isError = false, ...where }: RoutedRequest & { latencyMs: number; isError?: boolean }) =>
        begin(where)({ latencyMs, isError }),
      lagMs: settleMs[kind],
      close: async () => {},
    };
  };

  telemetryContract('monitorTelemetry (traffic log)', openContract('log'));
  telemetryContract('monitorTelemetry (metrics)', openContract('metrics'));

  for (const [kind, keptDays] of [
    ['log', 30],
    ['metrics', 93],
  ] as const)
    cloudCounts({ name: 'Azure', settleMs: settleMs[kind], keptDays }, () => {
      const { clock, telemetry, answer } = opened(kind);
      return { clock, telemetry, answer: () => answer('v1', 5) };
    });

  async function openCaptured(): Promise<OpenCaptured> {
    const { bucket, clock, share, telemetry } = opened('log');
    share({ v1: 100 });
    const files = new Map<string, string[]>();
    const jsonOr = (text: string): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    };
    return {
      telemetry,
      now: () => clock.now,
      advance: async (ms) => {
        for (const [key, lines] of files) await bucket.write(key, Buffer.from(lines.join('')));
        clock.now += ms;
      },
      begin: ({ endpoint, deployment, body, contentType, answer, id }) => {
        const correlationid = randomUUID();
        const ids = { correlationid, ...(id === undefined ? {} : { xrequestid: id }) };
        const collect = (collection: string, text: string, datacontenttype: string) => {
          const time = `${new Date(clock.now).toISOString().slice(0, 19)}Z`;
          const hour = time.slice(0, 13).replaceAll(/[-T]/g, '/');
          const place = `${endpointName(installation, endpoint)}/${theirs(deployment)}/${collection}`;
          const key = `captured/${place}/${hour}/i.jsonl`;
          const line = { type: `azureml.inference.${collection}`, time, datacontenttype, ...ids };
          const lines = files.get(key) ?? [];
          lines.push(`${JSON.stringify({ ...line, data: jsonOr(text) })}\n`);
          files.set(key, lines);
        };
        return () => {
          collect('request', body, contentType);
          if (answer !== undefined) collect('response', answer, 'application/json');
        };
      },
      lagMs: 30 * minute,
      close: async () => {},
    };
  }

  capturedContract('monitorTelemetry', openCaptured);

  labelsContract('capturedLabels on Azure', () => labelsOver(openCaptured));

  test('captured requests are read from the own container, half an hour after the window, for two weeks', async () => {
    const { bucket, clock, share, telemetry } = opened('log');
    share({ v1: 100 });
    const line = (id: string, data: unknown) =>
      JSON.stringify({
        time: new Date(start).toISOString(),
        datacontenttype: 'application/json',
        data,
        correlationid: id,
      });
    const put = (collection: string, content: string) =>
      bucket.write(
        `captured/${endpointName(installation, 'e')}/v01/${collection}/2026/11/20/12/i.jsonl`,
        Buffer.from(content),
      );
    await put('request', line('a', { instances: [{ size: 3, secret: 9 }] }));
    await put('response', line('a', { predictions: [0.5] }));
    const query = { endpoint: 'e', from: start, to: start + 60 * minute, fields: ['size'] };

    clock.now = query.to + 30 * minute - 1;
    await expect(telemetry.captured(query)).rejects.toMatchObject({ code: 'unavailable' });
    clock.now += 1;
    const { items } = await telemetry.captured(query);
    clock.now = start + 14 * day + 1;

    expect(items).toEqual([{ at: start, deployment: 'v1', requestId: 'a', rows: [{ size: 3 }], answers: [0.5] }]);
    await expect(telemetry.captured(query)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('each deployment says which share of its requests it collects, and one without a collector none', async () => {
    const { telemetry } = opened('log');
    const deployment = (name: string, more: object) => ({
      ...{ name, location: 'westeurope', properties: { endpointComputeType: 'Managed', ...more } },
    });
    const collections = { request: { dataCollectionMode: 'Enabled', samplingRate: 0.07 } };
    const value = [deployment('v01', {}), deployment('v02', { dataCollector: { collections } })];
    fake = { ...fake, 'GET onlineEndpoints/{endpoint}/deployments': () => ({ value }) };

    expect(await telemetry.captureShares?.('e')).toEqual({ v1: 0, v2: 7 });
  });

  describe.each(['log', 'metrics'] as const)('a tick of the %s', (kind) => {
    test('is closed when all of its requests should be there', async () => {
      const { clock, answer, read } = opened(kind);
      answer('v1', 5);

      clock.now = start + minute + settleMs[kind] - 1;
      const early = await read();
      clock.now += 1;

      expect([early, await read()]).toEqual([[], [{ start, counts: { v1: { requests: 1, bad: { errors: 0 } } } }]]);
    });

    test('in which one deployment is late is closed once it has come', async () => {
      const late = (deployment: string) => (deployment === 'v02' ? 20 * minute : minute);
      const { clock, share, answer, read, settle } = opened(kind, {
        logLagMs: late,
        metricLagMs: (_, deployment) => late(deployment) / 2,
      });
      share({ v1: 50, v2: 50 });
      for (let index = 0; index < 50; index++) {
        answer('v1', 5);
        answer('v2', 5);
      }

      settle();
      const early = await read();
      clock.now = start + minute + patienceMs[kind] - minute;

      expect(early).toEqual([]);
      expect((await read())[0]?.counts).toMatchObject({ v1: { requests: 50 }, v2: { requests: 50 } });
    });

    test('in which a deployment with weight has nothing at all is told without it in the end', async () => {
      const { clock, share, answer, read, settle } = opened(kind);
      share({ v1: 50, v2: 50 });
      for (let index = 0; index < 50; index++) answer('v1', 5);

      settle();
      const early = await read();
      clock.now = start + minute + patienceMs[kind];

      expect(early).toEqual([]);
      expect(await read()).toEqual([{ start, counts: { v1: { requests: 50, bad: { errors: 0 } } } }]);
    });

    test('tells the requests of a deployment that has no weight any more, or whose endpoint is gone', async () => {
      const { share, gone, answer, read, settle } = opened(kind);
      answer('v2', 5, { status: 503, modelStatus: 0 });
      settle();

      const young = await read();
      share({ v1: 100, v2: 0 });
      const retired = await read();
      gone();
      const deleted = await read();

      const expected = [{ start, counts: { v2: { requests: 1, bad: { errors: 1 } } } }];
      expect([young, retired, deleted]).toEqual([expected, expected, expected]);
    });

    test('does not tell what was answered before a deployment was chosen', async () => {
      const { answer, read, settle } = opened(kind);
      answer('', 5, { status: 401, modelStatus: 0 });
      answer('', 5, { status: 404, modelStatus: 0 });
      answer('v1', 5);
      settle();

      expect((await read())[0]?.counts).toEqual({ v1: { requests: 1, bad: { errors: 0 } } });
    });

    test('is read once for a window, and again for each day of a long one', async () => {
      const { clock, read } = opened(kind);
      clock.now = start + 3 * day;
      const before = served.calls.length;

      await read(2);
      const short = asked(before).length;
      await read(2, { from: start - 2 * day });

      expect([short, asked(before).length - short]).toEqual([2, 4]);
    });

    test('cannot be read without the permission, and says so', async () => {
      const { clock, read } = opened(kind, {
        bent: () => {
          throw new Refusal(403, 'InsufficientAccessError', 'The provided credentials have insufficient access');
        },
      });
      clock.now += day;

      await expect(read()).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(/of the endpoint prod-shop-.*permission/),
      });
    });

    test('is asked for again later when Azure was asked too often', async () => {
      const { clock, read } = opened(kind, {
        bent: () => {
          throw new Refusal(429, 'TooManyRequests', 'Slow down', { headers: { 'Retry-After': '30' } });
        },
      });
      clock.now += day;

      await expect(read()).rejects.toMatchObject({ code: 'throttled', retry: 'later' });
    });
  });

  describe.each(['log', 'metrics'] as const)('by the %s a model that', (kind) => {
    /** What is told of the candidate when each of its requests ends so; the champion answers a hundred. */
    async function told(ended: Partial<Requested> | undefined, afterMs = settleMs[kind]) {
      const { clock, share, answer, read } = opened(kind);
      share({ v1: 50, v2: 50 });
      for (let index = 0; index < 100; index++) {
        answer('v1', 5);
        if (ended !== undefined) answer('v2', 20, ended);
      }
      clock.now += minute + afterMs;
      return (await read())[0]?.counts;
    }

    test.each([
      ['answers with a 5xx', { status: 424, modelStatus: 500 }],
      ['answers with something that is not HTTP', { status: 424, modelStatus: 0 }],
      ['hangs until its time is over', { status: 408, modelStatus: 0, durationMs: 30_000 }],
      ['hangs until too many requests are pending', { status: 429, modelStatus: 0 }],
      ['hangs until its callers are gone, without any status', { status: 0, modelStatus: 0 }],
      ['is killed', { status: 503, modelStatus: 0 }],
    ])('%s has errors', async (_, ended) => {
      expect((await told(ended))?.v2).toMatchObject({ requests: 100, bad: { errors: 100 } });
    });

    test.each([
      ['refuses what its callers sent', { status: 424, modelStatus: 400 }],
      ['has callers that give up (499)', { status: 499, modelStatus: 0 }],
      ['has callers that send too much', { status: 413, modelStatus: 0 }],
    ])('%s has none that its callers are not to blame for', async (_, ended) => {
      expect((await told(ended))?.v2).toMatchObject({ requests: 100, bad: { errors: 0 } });
    });

    test('is counted nowhere is waited for, and then missing, beside its share of the traffic', async () => {
      const early = await told(undefined);
      const late = await told(undefined, patienceMs[kind]);

      expect(early).toBeUndefined();
      expect(late).toEqual({ v1: expect.objectContaining({ requests: 100 }) });
    });
  });

  describe('the traffic log', () => {
    test('has a request of the longest time-out in its tick, though the log is as late as it may be', async () => {
      const { clock, answer, read, settle } = opened('log', { logLagMs: () => 10 * minute });
      clock.now += minute - 1;
      answer('v1', 180 * second, { status: 408, modelStatus: 0 });
      clock.now = start;

      settle();

      expect((await read())[0]?.counts).toEqual({ v1: { requests: 1, bad: { errors: 1 } } });
    });

    test('counts what is slower than a threshold exactly, failed requests too', async () => {
      const { answer, read, settle } = opened('log');
      for (const durationMs of [5, 99, 100, 101, 5000]) answer('v1', durationMs);
      answer('v1', 30_000, { status: 408, modelStatus: 0 });
      answer('v1', 10_000, { status: 499, modelStatus: 0 });
      settle();

      const [tick] = await read(1, { measures: ['errors', slowerThan(100), slowerThan(1000.5)] });

      expect(tick?.counts.v1).toEqual({
        requests: 7,
        bad: { errors: 1, 'slower than 100 ms': 4, 'slower than 1000.5 ms': 3 },
      });
    });

    test('of which only a part was answered is read again later', async () => {
      const { clock, telemetry, answer, read, settle } = opened('log', { mostRows: 1 });
      answer('v1', 5);
      answer('v2', 5);
      settle();

      expect(await read()).toEqual([]);
      await expect(telemetry.latency('e', start, clock.now)).rejects.toMatchObject({ code: 'unavailable' });
    });

    test('of a workspace without any data has no requests', async () => {
      const { telemetry, read, settle } = opened('log', { bent: () => new Reply(204) });
      settle();

      expect(await read()).toEqual([{ start, counts: {} }]);
      expect(await telemetry.latency('e', start, start + minute)).toBeUndefined();
    });
  });

  describe('the traffic log of a workspace that has not had a row yet', () => {
    const unconnected = (table: string) => ({
      bent: () => {
        const innererror = {
          code: 'SEM0100',
          message: `'where' operator: Failed to resolve table or column expression named '${table}'`,
        };
        return new Reply(400, {
          error: {
            ...{ code: 'BadArgumentError', message: 'The request had some invalid properties' },
            innererror: { code: 'SemanticError', message: 'A semantic error occurred.', innererror },
          },
        });
      },
    });

    test('is waited for until the first row should have come, and then had no requests', async () => {
      const { clock, telemetry, read, settle } = opened('log', unconnected('AmlOnlineEndpointTrafficLog'));
      settle();

      const early = await read(2);
      clock.now = start + minute + 73 * minute;
      const late = await read(2);

      expect([early, late]).toEqual([[], [{ start, counts: {} }]]);
      expect(await telemetry.latency('e', start, start + minute)).toBeUndefined();
    });

    test('is not taken for one that Serin asks in a wrong way', async () => {
      const { read, settle } = opened('log', unconnected('EndpointName'));
      settle();

      await expect(read()).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('EndpointName') });
    });
  });

  describe('the metrics', () => {
    test('of which Azure could not read all are read again later', async () => {
      const { clock, telemetry, answer, read, settle } = opened('metrics', {
        bent: (whole) => {
          for (const metric of whole.value)
            Object.assign(metric, { errorCode: 'InternalServerError', errorMessage: 'It failed.', timeseries: [] });
          return whole;
        },
      });
      answer('v1', 5);
      settle();

      expect(await read()).toEqual([]);
      await expect(telemetry.latency('e', start, clock.now)).rejects.toMatchObject({ code: 'unavailable' });
    });

    test('count nothing by thresholds: a percentile is no count', async () => {
      const { answer, read, settle } = opened('metrics');
      answer('v1', 500);
      settle();

      expect((await read(1, { measures: ['errors', slowerThan(100)] }))[0]?.counts).toEqual({
        v1: { requests: 1, bad: { errors: 0 } },
      });
    });

    test('are added up over all series, of which there may be more than ten', async () => {
      const { answer, read, settle } = opened('metrics');
      for (let status = 500; status < 520; status++) answer('v1', 5, { status: 424, modelStatus: status });
      answer('v1', 5);
      settle();

      expect((await read())[0]?.counts).toEqual({ v1: { requests: 21, bad: { errors: 20 } } });
    });

    test('that have more series than Azure answers are refused in words', async () => {
      const { answer, read, settle } = opened('metrics');
      for (let index = 0; index < 1000; index++) answer(`v${index + 1}`, 5);
      settle();

      await expect(read()).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('set logWorkspace'),
      });
    });

    test('that are no counts are not taken for some', async () => {
      const { answer, read, settle } = opened('metrics', { samples: 2 });
      answer('v1', 5);
      settle();

      await expect(read()).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('not whole numbers'),
      });
    });

    test('are read by their dimensions in whatever case', async () => {
      const { answer, read, settle } = opened('metrics', {
        bent: (whole) => {
          for (const { timeseries } of whole.value)
            for (const { metadatavalues } of timeseries)
              for (const { name } of metadatavalues) name.value = name.value.toLowerCase();
          return whole;
        },
      });
      answer('v1', 5, { status: 424, modelStatus: 400 });
      settle();

      expect((await read())[0]?.counts).toEqual({ v1: { requests: 1, bad: { errors: 0 } } });
    });

    test('of a day end where those of the next begin, though Azure answers a minute of both', async () => {
      const { answer, read, settle } = opened('metrics', {
        bent: (whole, { query }) => {
          const [from = 0, to = 0] = (query.get('timespan') ?? '').split('/').map((at) => Date.parse(at));
          for (const { timeseries } of whole.value)
            for (const { data } of timeseries)
              for (const at of [from - minute, to]) data.push({ timeStamp: new Date(at).toISOString(), average: 1 });
          return whole;
        },
      });
      answer('v1', 5);
      settle();

      const ticks = await read(1, { from: start - day - minute });

      expect(ticks.filter(({ counts }) => counts.v1 !== undefined)).toEqual([
        { start, counts: { v1: { requests: 1, bad: { errors: 0 } } } },
      ]);
    });

    test('of minutes that nobody asked for are left out', async () => {
      const { clock, answer, read, settle } = opened('metrics', {
        bent: (whole) => {
          for (const { timeseries } of whole.value)
            for (const { data } of timeseries)
              data.push(
                { timeStamp: '2026-11-20T11:59:00Z', average: 5 },
                { timeStamp: '2026-11-20T12:01:00Z', average: 7 },
              );
          return whole;
        },
      });
      answer('v1', 5);
      settle();
      clock.now += minute;

      expect(await read()).toEqual([{ start, counts: { v1: { requests: 1, bad: { errors: 0 } } } }]);
    });
  });

  describe.each(['log', 'metrics'] as const)('latency by the %s', (kind) => {
    test('is that of the deployment with the most requests, over all minutes', async () => {
      const { clock, telemetry, answer } = opened(kind);
      for (let index = 0; index < 10; index++) {
        answer('v1', index === 0 ? 2 : 20);
        clock.now += minute;
      }
      answer('v2', 5000);
      for (let index = 0; index < 20; index++) answer('', 5, { status: 401, modelStatus: 0 });
      clock.now += 10 * minute;

      const latency = await telemetry.latency('e', start, clock.now);

      expect(latency).toMatchObject({ requests: 11 });
      expect(latency?.p50).toBeGreaterThan(15);
      expect(latency?.p99).toBe(kind === 'log' ? 20 : latency?.p50);
    });

    test('is weighed by all requests of a deployment, however they were answered', async () => {
      const { clock, telemetry, answer } = opened(kind);
      for (const status of [200, 200, 503, 429]) answer('v1', 20, { status });
      answer('v2', 5000);
      clock.now += 20 * minute;

      expect(await telemetry.latency('e', start, clock.now)).toEqual({ p50: 20, p90: 20, p99: 20, requests: 5 });
    });

    test('of less than a whole minute is none', async () => {
      const { clock, telemetry, answer } = opened(kind);
      answer('v1', 20);
      clock.now += 20 * minute;

      expect(await telemetry.latency('e', start + 1, start + minute)).toBeUndefined();
    });
  });
});
