import { slowerThan } from '@serin/core/base/measures';
import { minute } from '@serin/core/base/time';
import { endpointName } from '@serin/gcp/names';
import { monitoringTelemetry } from '@serin/gcp/ports/telemetry';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { capturedContract, type OpenCaptured } from '../../contract/captured.contract.ts';
import { labelsOver } from '../../contract/captured-labels.ts';
import { cloudCounts } from '../../contract/cloud-counts.ts';
import { labelsContract } from '../../contract/labels.contract.ts';
import { type RoutedRequest, telemetryContract } from '../../contract/telemetry.contract.ts';
import { emulatedGcp } from '../emulated.ts';
import { type Handlers, Refusal, type Request, type Served, serveGoogle } from './discovery.ts';
import { fakeBigQuery, type LoggedRow } from './fake-bigquery.ts';
import { fakeMetrics, type Predicted } from './fake-metrics.ts';

const installation = { project: 'shop', environment: 'prod' };
const place = { googleProject: 'acme', region: 'europe-west4' };

const settleMs = 6 * minute;
const start = Date.UTC(2026, 10, 20, 12);

type Changes = Partial<Parameters<typeof fakeMetrics>[0]> & {
  /** Answers as they are changed on their way. */
  readonly bent?: (answer: Listed, request: Request) => unknown;
  /** How many queries of BigQuery are not finished when they are answered. */
  readonly unfinished?: number;
};
type Listed = ReturnType<ReturnType<typeof fakeMetrics>['handlers']['monitoring.projects.timeSeries.list']>;

emulatedGcp('Cloud Monitoring telemetry', () => {
  let served: Served;
  let handlers: Handlers = {};
  beforeAll(async () => {
    served = await serveGoogle('gcp-telemetry', {
      'monitoring.projects.timeSeries.list': (request) => handlers['monitoring.projects.timeSeries.list']?.(request),
      'bigquery.jobs.query': (request) => handlers['bigquery.jobs.query']?.(request),
      'bigquery.jobs.getQueryResults': (request) => handlers['bigquery.jobs.getQueryResults']?.(request),
    });
  });
  afterEach(() => served.check());
  afterAll(() => served?.stop());

  function opened({ bent, unfinished = 0, ...options }: Changes = {}) {
    const clock = { now: start };
    const { handlers: whole, predicted } = fakeMetrics({ now: () => clock.now, lagMs: () => minute, ...options });
    const list = whole['monitoring.projects.timeSeries.list'];
    const logged: LoggedRow[] = [];
    const bigquery = fakeBigQuery(logged, { unfinished });
    handlers = {
      ...bigquery.handlers,
      'monitoring.projects.timeSeries.list': (request) =>
        bent === undefined ? list(request) : bent(list(request), request),
    };
    /** The weights of the endpoint as it is now; without them it is gone. */
    const hosted: { trafficSplit?: Record<string, number> } = { trafficSplit: {} };
    const described = async () => {
      const { trafficSplit } = hosted;
      if (trafficSplit === undefined) return undefined;
      return { trafficSplit, deployedModels: Object.keys(trafficSplit).map((id) => ({ id })) };
    };
    const telemetry = monitoringTelemetry({
      ...place,
      google: served.google,
      captureTable: 'acme.serin.requests',
      installation,
      endpoints: { described },
      now: () => clock.now,
    });
    const answer = (model: string, latencyMs: number, code: Predicted['code'] = '2xx', more: Partial<Predicted> = {}) =>
      predicted.push({ endpoint: endpointName(installation, 'e'), model, at: clock.now, latencyMs, code, ...more });
    const read = (ticks = 1, more: { measures?: readonly string[]; usersSince?: number; tickMs?: number } = {}) =>
      telemetry.ticks({
        ...{ endpoint: 'e', from: start, to: start + ticks * minute, tickMs: minute, measures: ['errors'] },
        ...more,
      });
    return { clock, hosted, telemetry, predicted, logged, asked: bigquery.asked, answer, read };
  }

  telemetryContract('monitoringTelemetry', async () => {
    const { clock, telemetry, predicted } = opened();
    const begin =
      ({ endpoint, deployment }: RoutedRequest) =>
      ({ latencyMs, isError }: { latencyMs: number; isError: boolean }) => {
        const where = { endpoint: endpointName(installation, endpoint), model: deployment.slice(1), at: clock.now };
        predicted.push({ ...where, latencyMs, code: isError ? '5xx' : '2xx' });
      };
    return {
      telemetry,
      now: () => clock.now,
      advance: async (ms) => {
        clock.now += ms;
      },
      begin,
      request: ({ latencyMs, isError = false, ...where }) => begin(where)({ latencyMs, isError }),
      lagMs: settleMs,
      close: async () => {},
    };
  });

  cloudCounts({ name: 'GCP', settleMs, keptDays: 42 }, () => {
    const { clock, telemetry, answer } = opened();
    return { clock, telemetry, answer: () => answer('1', 5) };
  });

  async function openCaptured(): Promise<OpenCaptured> {
    const { clock, telemetry, logged } = opened();
    /** The parts of a prediction, or the whole of a raw one. */
    const parts = (text: string, of: 'instances' | 'predictions'): readonly string[] => {
      try {
        const found: unknown = Object(JSON.parse(text))[of];
        return Array.isArray(found) ? found.map((each) => JSON.stringify(each)) : [text];
      } catch {
        return [text];
      }
    };
    return {
      telemetry,
      now: () => clock.now,
      advance: async (ms) => {
        clock.now += ms;
      },
      begin:
        ({ endpoint, deployment, body, answer, id = '17' }) =>
        () => {
          logged.push({
            endpoint: `projects/123/locations/europe-west4/endpoints/${endpointName(installation, endpoint)}`,
            ...{ deployed_model_id: deployment.slice(1), logging_time: clock.now, request_id: id },
            request_payload: parts(body, 'instances'),
            response_payload: answer === undefined ? [] : parts(answer, 'predictions'),
          });
        },
      lagMs: 30 * minute,
      close: async () => {},
    };
  }

  capturedContract('monitoringTelemetry', openCaptured);

  // Nobody learns the id that Vertex AI gives a request.
  labelsContract('capturedLabels on Google Cloud', () => labelsOver(openCaptured, 'order'));

  describe('captured requests', () => {
    const row = (number: number, more: Partial<LoggedRow> = {}): LoggedRow => ({
      endpoint: `projects/123/locations/europe-west4/endpoints/${endpointName(installation, 'e')}`,
      ...{ deployed_model_id: '3', logging_time: start, request_id: String(number) },
      request_payload: [`{"size":${number},"secret":9}`],
      response_payload: [`{"score":0.${number}}`],
      ...more,
    });
    const query = { endpoint: 'e', from: start, to: start + 60 * minute, fields: ['size', 'colour'] };

    test('are the rows of the endpoint, asked for by parameters, and only of the days of the window', async () => {
      const { clock, telemetry, logged, asked } = opened();
      logged.push(row(1), row(2, { endpoint: 'projects/123/locations/europe-west4/endpoints/another' }));
      logged.push(row(3, { deployed_model_id: null, request_id: null }), row(4, { logging_time: query.to }));
      clock.now = query.to + 30 * minute;

      const { items } = await telemetry.captured(query);

      expect(items).toEqual([
        { at: start, deployment: 'v3', requestId: '1', rows: [{ size: 1 }], answers: [{ score: 0.1 }] },
        { at: start, rows: [{ size: 3 }], answers: [{ score: 0.3 }] },
      ]);
      expect(asked).toHaveLength(1);
      expect(asked[0]).toMatch(/FROM `acme\.serin\.requests` WHERE logging_time >= @from AND logging_time < @to /);
    });

    test('are rows of lists as well, and the whole body of a raw prediction', async () => {
      const { clock, telemetry, logged } = opened();
      logged.push(row(1, { request_payload: ['[4,"blue"]', '[5,null]'], response_payload: ['0.7', '0.4'] }));
      logged.push(row(2, { request_payload: ['{"inputs":[{"size":6}]}'], response_payload: ['{"outputs":[0.6]}'] }));
      logged.push(row(3, { request_payload: ['7,red\n8,red'], response_payload: ['0.7\n0.8'] }));
      logged.push(row(4, { request_payload: [], response_payload: [] }));
      clock.now = query.to + 30 * minute;

      const { items, unread } = await telemetry.captured(query);

      expect(items.map(({ rows, answers }) => [rows, answers])).toEqual([
        [
          [
            { size: 4, colour: 'blue' },
            { size: 5, colour: null },
          ],
          [0.7, 0.4],
        ],
        [[{ size: 6 }], [0.6]],
        [
          [
            { size: 7, colour: 'red' },
            { size: 8, colour: 'red' },
          ],
          [0.7, 0.8],
        ],
        [[], []],
      ]);
      expect(unread?.requests).toBe(1);
    });

    test('of a query that is not finished come with a later page', async () => {
      const { clock, telemetry, logged, asked } = opened({ unfinished: 2 });
      logged.push(row(1));
      clock.now = query.to + 30 * minute;

      const pages = [await telemetry.captured(query)];
      for (let cursor = pages[0]?.next; cursor !== undefined; cursor = pages.at(-1)?.next)
        pages.push(await telemetry.captured({ ...query, cursor }));

      expect(pages.map(({ items }) => items.length)).toEqual([0, 0, 1]);
      expect(asked).toHaveLength(1);
    });

    test('may still come for half an hour, and are gone after two weeks', async () => {
      const { clock, telemetry } = opened();
      clock.now = query.to + 30 * minute - 1;
      const early = telemetry.captured(query);
      await expect(early).rejects.toMatchObject({ code: 'unavailable' });

      clock.now = start + 14 * 24 * 60 * minute + 1;
      await expect(telemetry.captured(query)).rejects.toMatchObject({ code: 'invalid' });
    });
  });

  describe('a tick', () => {
    test('is closed six minutes after its end', async () => {
      const { clock, answer, read } = opened();
      answer('1', 5);

      clock.now = start + minute + settleMs - 1;
      const early = await read();
      clock.now += 1;

      expect([early, await read()]).toEqual([[], [{ start, counts: { v1: { requests: 1, bad: { errors: 0 } } } }]]);
    });

    test('that lacks the latencies of one deployment is not closed, and is told without them when they never come', async () => {
      const { clock, answer, read } = opened({
        lagMs: (metric, model) => (metric === 'prediction_latencies' && model === '2' ? 60 * minute : minute),
      });
      answer('1', 50);
      answer('2', 50);
      const measures = ['errors', 'slower than 10 ms'];

      clock.now = start + minute + settleMs;
      const early = await read(1, { measures });
      clock.now = start + 20 * minute;

      expect(early).toEqual([]);
      expect(await read(1, { measures })).toEqual([
        {
          start,
          counts: {
            v1: { requests: 1, bad: { errors: 0, 'slower than 10 ms': 1 } },
            v2: { requests: 1, bad: { errors: 0 } },
          },
        },
      ]);
    });

    test('in which all requests failed has nothing slow, and is not waited for', async () => {
      const { clock, answer, read } = opened();
      answer('1', 50, '5xx');
      clock.now += minute + settleMs;

      expect(await read(1, { measures: ['errors', 'slower than 10 ms'] })).toEqual([
        { start, counts: { v1: { requests: 1, bad: { errors: 1, 'slower than 10 ms': 0 } } } },
      ]);
    });

    test('in which one deployment is late is closed once it has come', async () => {
      const { clock, hosted, answer, read } = opened({ lagMs: (_, model) => (model === '2' ? 10 * minute : minute) });
      hosted.trafficSplit = { 1: 50, 2: 50 };
      for (let index = 0; index < 30; index++) answer(index % 2 === 0 ? '1' : '2', 5);
      for (let index = 0; index < 10; index++) answer('1', 5);

      clock.now = start + minute + settleMs;
      const early = await read();
      clock.now = start + 11 * minute;

      expect(early).toEqual([]);
      expect(await read()).toMatchObject([{ counts: { v1: { requests: 25 }, v2: { requests: 15 } } }]);
    });

    test('of several minutes adds them up', async () => {
      const { clock, answer, read } = opened();
      for (let index = 0; index < 10; index++) {
        answer('1', index < 3 ? 500 : 5, index === 9 ? '5xx' : '2xx');
        clock.now += minute / 2;
      }
      clock.now += settleMs;

      expect(await read(5, { tickMs: 5 * minute, measures: ['errors', 'slower than 100 ms'] })).toEqual([
        { start, counts: { v1: { requests: 10, bad: { errors: 1, 'slower than 100 ms': 3 } } } },
      ]);
    });

    test('is the same however many pages Cloud Monitoring makes of it', async () => {
      const counts = async (pageSize: number) => {
        const { clock, answer, read } = opened({ pageSize });
        for (let index = 0; index < 40; index++) {
          answer(String((index % 2) + 1), index, index % 5 === 0 ? '5xx' : '2xx');
          clock.now += 10_000;
        }
        clock.now += settleMs;
        return read(6, { measures: ['errors', 'slower than 10 ms', 'slower than 20 ms'] });
      };

      expect(await counts(3)).toEqual(await counts(1000));
      expect(await counts(3)).toHaveLength(6);
    });

    test('of which Cloud Monitoring says that something may be missing is not closed', async () => {
      const { clock, answer, read } = opened({
        bent: (whole) => ({ ...whole, executionErrors: [{ code: 14, message: 'a zone did not answer' }] }),
      });
      answer('1', 5);
      clock.now += minute + settleMs;

      expect(await read()).toEqual([]);
    });

    test('is empty where the project does not have the metric yet', async () => {
      const { clock, telemetry, read } = opened({
        bent: () => {
          throw new Refusal(
            'NOT_FOUND',
            'Cannot find metric(s) that match type = "aiplatform.googleapis.com/prediction"',
          );
        },
      });
      clock.now += minute + settleMs;

      expect(await read()).toEqual([{ start, counts: {} }]);
      expect(await telemetry.latency('e', start, start + minute)).toBeUndefined();
    });

    test('asks for each metric once, and for latencies only when a guardrail is about them', async () => {
      const { clock, answer, read } = opened();
      answer('1', 5);
      clock.now += minute + settleMs;
      const asked = () => served.calls.map(({ query }) => /online\/(\w+)"/.exec(query.get('filter') ?? '')?.[1]);
      const before = asked().length;

      await read();
      await read(1, { measures: ['errors', slowerThan(10), slowerThan(20)] });

      expect(asked().slice(before).sort()).toEqual(['prediction_latencies', 'response_count', 'response_count']);
    });
  });

  describe('the counts of a deployment', () => {
    test('are of requests, and not of the instances in them', async () => {
      const { clock, answer, read } = opened();
      answer('1', 5, '2xx', { instances: 100 });
      clock.now += minute + settleMs;

      expect((await read())[0]?.counts).toEqual({ v1: { requests: 1, bad: { errors: 0 } } });
    });

    test('are of all its VMs, spot or not', async () => {
      const { clock, answer, read } = opened();
      answer('1', 5);
      answer('1', 500, '2xx', { spot: 'True' });
      clock.now += minute + settleMs;

      expect((await read(1, { measures: ['errors', 'slower than 10 ms'] }))[0]?.counts).toEqual({
        v1: { requests: 2, bad: { errors: 0, 'slower than 10 ms': 1 } },
      });
    });

    test('are there from its first minute, and after it is gone', async () => {
      const { clock, hosted, answer, read } = opened();
      answer('2', 5, '5xx');
      clock.now += minute + settleMs;

      const young = await read();
      hosted.trafficSplit = { 1: 100 };
      const retired = await read();
      delete hosted.trafficSplit;
      const deleted = await read();

      const expected = [{ start, counts: { v2: { requests: 1, bad: { errors: 1 } } } }];
      expect([young, retired, deleted]).toEqual([expected, expected, expected]);
    });

    test('are not what the front end answered without a model', async () => {
      const { clock, answer, read } = opened();
      answer('', 5, '4xx');
      answer('1', 5);
      clock.now += minute + settleMs;

      expect((await read())[0]?.counts).toEqual({ v1: { requests: 1, bad: { errors: 0 } } });
    });
  });

  describe('a model that', () => {
    /** What is told of the candidate when each of its requests ends so; the champion answers a hundred. */
    async function told(code: Predicted['code'] | undefined, latencyMs: number, after = minute + settleMs) {
      const { clock, hosted, answer, read } = opened({ failuresHaveLatency: true });
      hosted.trafficSplit = { 1: 50, 2: 50 };
      for (let index = 0; index < 100; index++) {
        answer('1', 5);
        if (code !== undefined) answer('2', latencyMs, code);
      }
      clock.now += after;
      return (await read(1, { measures: ['errors', 'slower than 1000 ms'] }))[0]?.counts;
    }

    test.each([
      ['answers with a 5xx itself', '5xx', 5],
      ['hangs until Vertex AI answers 504 in its place', '5xx', 60_000],
      ['is killed, so that Vertex AI answers 503 in its place', '5xx', 20],
      ['is counted with no class of answer at all', '', 20],
    ] as const)('%s has errors', async (_, code, latencyMs) => {
      expect((await told(code, latencyMs))?.v2).toMatchObject({ requests: 100, bad: { errors: 100 } });
    });

    test('hangs until its callers give up (499) has none that a caller can be told from, but is slow', async () => {
      expect((await told('4xx', 10_000))?.v2).toEqual({
        requests: 100,
        bad: { errors: 0, 'slower than 1000 ms': 100 },
      });
    });

    test('is counted nowhere is waited for, and then missing, beside its share of the traffic', async () => {
      const early = await told(undefined, 0);
      const late = await told(undefined, 0, 20 * minute);

      expect(early).toBeUndefined();
      expect(late).toEqual({ v1: expect.objectContaining({ requests: 100 }) });
    });

    test('refuses what its callers sent has no errors', async () => {
      expect((await told('4xx', 5))?.v2).toMatchObject({ requests: 100, bad: { errors: 0 } });
    });
  });

  describe('a threshold', () => {
    const coarse = { explicitBuckets: { bounds: [10, 100, 1000] } };

    test('that is a bound of the buckets is counted exactly, and any other is rounded down to one', async () => {
      const { clock, answer, read } = opened({ buckets: coarse });
      for (const latencyMs of [5, 50, 99, 100, 500, 5000]) answer('1', latencyMs);
      clock.now += minute + settleMs;

      const [tick] = await read(1, { measures: ['errors', ...[100, 300, 1000, 2000].map(slowerThan)] });

      expect(tick?.counts.v1?.bad).toEqual({
        errors: 0,
        'slower than 100 ms': 3,
        'slower than 300 ms': 3,
        'slower than 1000 ms': 1,
        'slower than 2000 ms': 1,
      });
    });

    test('that is one of the percentiles has at most as many over it as the percentile says', async () => {
      const { clock, telemetry, answer, read } = opened({ buckets: coarse });
      for (let index = 0; index < 100; index++) answer('1', index < 50 ? 20 : index < 95 ? 200 : 2000);
      clock.now += minute + settleMs;

      const latency = await telemetry.latency('e', start, start + minute);
      const thresholds = [latency?.p50 ?? 0, latency?.p90 ?? 0, latency?.p99 ?? 0];
      const [tick] = await read(1, { measures: ['errors', ...thresholds.map(slowerThan)] });

      expect(latency).toEqual({ p50: 100, p90: 1000, p99: 1000, requests: 100 });
      expect(tick?.counts.v1?.bad).toEqual({ errors: 0, 'slower than 100 ms': 50, 'slower than 1000 ms': 5 });
    });

    test('is not counted where a distribution has no buckets', async () => {
      const { clock, answer, read } = opened({
        bent: (whole) => ({
          ...whole,
          timeSeries: whole.timeSeries.map((series) => ({
            ...series,
            points: series.points.map(({ interval, value }) => ({
              interval,
              value: 'distributionValue' in value ? { distributionValue: { count: '1', mean: 50 } } : value,
            })),
          })),
        }),
      });
      answer('1', 50);
      clock.now += minute + settleMs;

      expect((await read(1, { measures: ['errors', 'slower than 10 ms'] }))[0]?.counts).toEqual({
        v1: { requests: 1, bad: { errors: 0 } },
      });
    });

    test('has no more over it than there were requests, though the metrics are not sampled at one moment', async () => {
      const { clock, answer, read } = opened({
        bent: (whole, { query }) => ({
          ...whole,
          timeSeries: whole.timeSeries.map((series) => ({
            ...series,
            points: series.points.map(({ interval, value }) => ({
              interval,
              value: query.get('filter')?.includes('response_count') ? { int64Value: '9' } : value,
            })),
          })),
        }),
      });
      for (let index = 0; index < 10; index++) answer('1', 500);
      clock.now += minute + settleMs;

      expect((await read(1, { measures: ['errors', 'slower than 10 ms'] }))[0]?.counts).toEqual({
        v1: { requests: 9, bad: { errors: 0, 'slower than 10 ms': 9 } },
      });
    });
  });

  describe('latency', () => {
    test('is that of the deployment with the most requests, over all minutes', async () => {
      const { clock, telemetry, answer } = opened({ buckets: { explicitBuckets: { bounds: [10, 100, 1000] } } });
      for (let index = 0; index < 10; index++) {
        answer('1', index === 0 ? 2 : 20);
        clock.now += minute;
      }
      answer('2', 5000);
      for (let index = 0; index < 20; index++) answer('', 5);
      clock.now += 5 * minute;

      expect(await telemetry.latency('e', start, clock.now)).toEqual({ p50: 100, p90: 100, p99: 100, requests: 11 });
    });

    test('is asked for again later when Cloud Monitoring has only part of it', async () => {
      const { clock, telemetry } = opened({ bent: (whole) => ({ ...whole, executionErrors: [{ code: 14 }] }) });
      clock.now += 5 * minute;

      await expect(telemetry.latency('e', start, clock.now)).rejects.toMatchObject({ code: 'unavailable' });
    });
  });
});
