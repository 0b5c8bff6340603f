import { randomUUID } from 'node:crypto';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { endpointName } from '@serin/aws/names';
import { cloudWatchTelemetry } from '@serin/aws/ports/telemetry';
import { sageMakerEndpoints } from '@serin/aws/serving/described';
import { slowerThan } from '@serin/core/base/measures';
import type { Bucket } from '@serin/core/ports/bucket';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { capturedContract, type OpenCaptured } from '../../contract/captured.contract.ts';
import { labelsOver } from '../../contract/captured-labels.ts';
import { cloudCounts } from '../../contract/cloud-counts.ts';
import { labelsContract } from '../../contract/labels.contract.ts';
import { type RoutedRequest, telemetryContract } from '../../contract/telemetry.contract.ts';
import { memoryBucket } from '../../simulation/fakes/bucket.ts';
import { atOnce } from '../../simulation/fakes/sync.ts';
import { emulated } from '../emulated.ts';
import { startMoto } from '../installed.ts';
import { reach, recorder } from './clients.ts';
import { minute } from './fake-endpoints.ts';
import { type Answered, fakeMetrics } from './fake-metrics.ts';
import { fakeWire, Refusal, seconds } from './fake-wire.ts';

const installation = { project: 'shop', environment: 'prod' };
const recorded = recorder({ suite: 'telemetry', against: 'fake-metrics.ts' });
afterAll(() => recorded.save());

const settleMs = 3 * minute;
const start = Date.UTC(2026, 10, 20, 12);

type Changes = Partial<Parameters<typeof fakeMetrics>[0]> & {
  /** Answers of CloudWatch as they are changed on their way. */
  readonly bent?: (answer: ReturnType<ReturnType<typeof fakeMetrics>['cloudwatch']['GetMetricData']>) => object;
};

function opened({ bent, ...options }: Changes = {}) {
  const clock = { now: start };
  const bucket = atOnce<Bucket>(memoryBucket());
  const { cloudwatch, answered } = fakeMetrics({ now: () => clock.now, lagMs: () => minute, ...options });
  /** What the endpoint has now; nothing: it is gone. */
  const hosted = { production: ['v1', 'v2'], shadow: [] as string[] };
  const listed = (names: readonly string[]) =>
    names.length === 0 ? undefined : names.map((VariantName) => ({ VariantName }));
  const sagemaker = {
    DescribeEndpoint({ EndpointName }: { EndpointName: string }) {
      const arn = `arn:aws:sagemaker:eu-west-1:123456789012:endpoint/${EndpointName}`;
      if (hosted.production.length === 0) throw new Refusal('ValidationException', `Could not find endpoint "${arn}".`);
      return {
        EndpointName,
        EndpointArn: arn,
        EndpointStatus: 'InService',
        CreationTime: seconds(start),
        LastModifiedTime: seconds(start),
        ProductionVariants: listed(hosted.production),
        ShadowProductionVariants: listed(hosted.shadow),
      };
    },
  };
  const requestHandler = fakeWire({
    GraniteServiceVersion20100801: {
      ...cloudwatch,
      GetMetricData: (input: never) => {
        const answer = cloudwatch.GetMetricData(input);
        return bent === undefined ? answer : bent(answer);
      },
    },
    SageMaker: sagemaker,
  });
  const settings = { ...reach('http://fake'), requestHandler };
  const endpoints = sageMakerEndpoints({
    sagemaker: recorded.watch(new SageMakerClient(settings)),
    now: () => clock.now,
  });
  const telemetry = cloudWatchTelemetry({
    cloudwatch: recorded.watch(new CloudWatchClient(settings)),
    endpoints,
    installation,
    now: () => clock.now,
    bucket,
  });
  const answer = (endpoint: string, variant: string, latencyMs: number, outcome: Answered['outcome'] = '2xx') => {
    answered.push({ endpoint: endpointName(installation, endpoint), variant, at: clock.now, latencyMs, outcome });
  };
  const read = (ticks = 1, more: { measures?: readonly string[]; usersSince?: number; tickMs?: number } = {}) =>
    telemetry.ticks({
      endpoint: 'e',
      from: start,
      to: start + ticks * minute,
      tickMs: minute,
      measures: ['errors'],
      ...more,
    });
  return { clock, hosted, bucket, endpoints, telemetry, answer, read };
}

emulated('CloudWatch telemetry', () => {
  telemetryContract('cloudWatchTelemetry', async () => {
    const { clock, telemetry, answer } = opened();
    const begin =
      ({ endpoint, deployment }: RoutedRequest) =>
      ({ latencyMs, isError }: { latencyMs: number; isError: boolean }) =>
        answer(endpoint, deployment, latencyMs, isError ? '5xx' : '2xx');
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

  cloudCounts({ name: 'AWS', settleMs, keptDays: 15 }, () => {
    const { clock, telemetry, answer } = opened();
    return { clock, telemetry, answer: () => answer('e', 'v1', 5) };
  });

  describe('a tick', () => {
    test.each([
      ['InvocationModelErrors', {}],
      ['Invocation4XXErrors', { v1: { requests: 1, bad: { errors: 0 } }, v2: { requests: 1, bad: { errors: 1 } } }],
      ['Invocation5XXErrors', { v1: { requests: 1, bad: { errors: 0 } }, v2: { requests: 1, bad: { errors: 1 } } }],
    ])(
      'that lacks %s of one deployment is not closed, and is told by what there is when it never comes',
      async (late, told) => {
        const { clock, answer, read } = opened({
          lagMs: (metric, variant) => (metric === late && variant === 'v2' ? 60 * minute : minute),
        });
        answer('e', 'v1', 5);
        answer('e', 'v2', 5, '5xx');

        clock.now = start + minute + settleMs;
        const early = await read();
        clock.now = start + 20 * minute;
        const after = await read();

        expect(early).toEqual([]);
        expect(after).toEqual([{ start, counts: told }]);
      },
    );

    test('in which all of one deployment is late is closed once it has come', async () => {
      const { clock, answer, read } = opened();
      answer('e', 'v1', 5);
      answer('e', 'v2', 5, '5xx');

      clock.now = start + minute + settleMs - 1;
      const early = await read();
      clock.now += 1;

      expect(early).toEqual([]);
      expect(await read()).toMatchObject([{ counts: { v1: { requests: 1 }, v2: { bad: { errors: 1 } } } }]);
    });

    test('of several minutes adds them up', async () => {
      const { clock, answer, read } = opened();
      for (let index = 0; index < 10; index++) {
        answer('e', 'v1', index < 3 ? 500 : 5, index === 0 ? '5xx' : '2xx');
        clock.now += minute / 2;
      }
      clock.now += settleMs;

      const ticks = await read(5, { tickMs: 5 * minute, measures: ['errors', 'slower than 100 ms'] });

      expect(ticks).toEqual([{ start, counts: { v1: { requests: 10, bad: { errors: 1, 'slower than 100 ms': 3 } } } }]);
    });

    test('is the same however many pages CloudWatch makes of it', async () => {
      const counts = async (pageSize: number) => {
        const { clock, answer, read } = opened({ pageSize });
        for (let index = 0; index < 40; index++) {
          answer('e', `v${(index % 2) + 1}`, index, index % 5 === 0 ? '5xx' : '2xx');
          clock.now += 10_000;
        }
        clock.now += settleMs;
        return read(6, { measures: ['errors', 'slower than 10 ms', 'slower than 20 ms'] });
      };

      expect(await counts(3)).toEqual(await counts(1000));
      expect(await counts(3)).toHaveLength(6);
    });

    test.each([
      ['InternalError', []],
      ['PartialData', []],
    ])('of which CloudWatch says %s without a next page is not closed', async (StatusCode, expected) => {
      const { clock, answer, read } = opened({
        bent: (whole) => ({
          ...whole,
          MetricDataResults: whole.MetricDataResults.map((row, index) => (index === 0 ? { ...row, StatusCode } : row)),
        }),
      });
      answer('e', 'v1', 5);
      clock.now += minute + settleMs;

      expect(await read()).toEqual(expected);
    });

    test('with parts of slow requests has no counts of them, and one with parts of requests is refused', async () => {
      const half = (metric: number) =>
        opened({
          bent: (whole) => ({
            ...whole,
            MetricDataResults: whole.MetricDataResults.map((row, index) =>
              index % 5 === metric ? { ...row, Values: row.Values.map((value) => value / 2) } : row,
            ),
          }),
        });
      const counted = async ({ clock, answer, read }: ReturnType<typeof opened>) => {
        answer('e', 'v1', 50);
        clock.now += minute + settleMs;
        return read(1, { measures: ['errors', 'slower than 10 ms'] });
      };

      expect(await counted(half(4))).toEqual([{ start, counts: { v1: { requests: 1, bad: { errors: 0 } } } }]);
      await expect(counted(half(0))).rejects.toMatchObject({ code: 'invalid' });
    });
  });

  describe('the counts of a deployment', () => {
    test('have as errors what the model failed to answer, and not what it refused', async () => {
      const { clock, answer, read } = opened();
      const outcomes: readonly Answered['outcome'][] = ['2xx', '2xx', '4xx', '4xx', '4xx', '5xx', 'none', 'none'];
      for (const outcome of outcomes) answer('e', 'v1', 5, outcome);
      clock.now += minute + settleMs;

      expect((await read())[0]?.counts).toEqual({ v1: { requests: 8, bad: { errors: 3 } } });
    });

    test('have a 5xx as an error also where CloudWatch does not count it among the errors of the model', async () => {
      const { clock, answer, read } = opened({
        bent: (whole) => ({
          ...whole,
          MetricDataResults: whole.MetricDataResults.map((row, index) =>
            index % 4 === 1 ? { ...row, Values: row.Values.map(() => 0) } : row,
          ),
        }),
      });
      for (const outcome of ['2xx', '4xx', '5xx'] as const) answer('e', 'v1', 5, outcome);
      clock.now += minute + settleMs;

      expect((await read())[0]?.counts).toEqual({ v1: { requests: 3, bad: { errors: 1 } } });
    });

    test('are there from its first minute, and after it is gone', async () => {
      const { clock, hosted, answer, read } = opened();
      answer('e', 'v2', 5, '5xx');
      clock.now += minute + settleMs;

      const young = await read();
      clock.now += 20 * minute;
      hosted.production = ['v1'];
      const retired = await read();
      hosted.production = [];
      const deleted = await read();

      const expected = [{ start, counts: { v2: { requests: 1, bad: { errors: 1 } } } }];
      expect([young, retired, deleted]).toEqual([expected, expected, expected]);
    });

    test('are not those of a mirror', async () => {
      const { clock, hosted, answer, read } = opened();
      hosted.production = ['v1'];
      hosted.shadow = ['v2'];
      answer('e', 'v1', 5);
      answer('e', 'v2', 5, '5xx');
      clock.now += 20 * minute;

      expect((await read())[0]?.counts).toEqual({ v1: { requests: 1, bad: { errors: 0 } } });
    });

    test('have a slow one only when it took longer than the threshold, to the microsecond', async () => {
      const { clock, answer, read } = opened();
      for (const latencyMs of [99.999, 100, 100.001]) answer('e', 'v1', latencyMs);
      clock.now += minute + settleMs;

      const [tick] = await read(1, { measures: ['errors', 'slower than 100 ms', 'slower than 99.999 ms'] });
      expect(tick?.counts.v1?.bad).toEqual({ errors: 0, 'slower than 100 ms': 1, 'slower than 99.999 ms': 2 });
    });
  });

  test('more statistics than one call can ask for are asked for in several', async () => {
    const { clock, hosted, answer, read } = opened();
    hosted.production = Array.from({ length: 60 }, (_, index) => `v${index + 1}`);
    for (const name of hosted.production) answer('e', name, 50);
    clock.now += minute + settleMs;

    const [tick] = await read(1, {
      measures: ['errors', ...Array.from({ length: 10 }, (_, index) => slowerThan(index * 10))],
    });

    expect(Object.keys(tick?.counts ?? {})).toHaveLength(60);
    expect(Object.values(tick?.counts.v60?.bad ?? {})).toEqual([0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
  });

  test('a look at an endpoint asks SageMaker once, however many read from it, and half a minute later again', async () => {
    const { clock, endpoints, answer, read } = opened();
    answer('e', 'v1', 5);
    clock.now += minute + settleMs;
    const looks = () => recorded.recorded.filter(({ operation }) => operation === 'DescribeEndpoint').length;
    const before = looks();

    await endpoints.describe(endpointName(installation, 'e'));
    await read();
    await read();
    const once = looks() - before;
    clock.now += minute / 2;
    await read();

    expect([once, looks() - before]).toEqual([1, 2]);
  });

  test('latency is that of the deployment with the most requests', async () => {
    const { clock, telemetry, answer } = opened();
    for (let index = 0; index < 10; index++) answer('e', 'v1', 20);
    answer('e', 'v2', 5000);
    clock.now += 5 * minute;

    expect(await telemetry.latency('e', start, clock.now)).toEqual({ p50: 20, p90: 20, p99: 20, requests: 11 });
  });

  async function openCaptured(): Promise<OpenCaptured> {
    const { clock, bucket, telemetry } = opened();
    const files = new Map<string, string[]>();
    const side = (mode: string, data: string, observedContentType: string) => ({
      ...{ observedContentType, mode, data },
      encoding: observedContentType === 'text/csv' ? 'CSV' : 'JSON',
    });
    return {
      telemetry,
      now: () => clock.now,
      advance: async (ms) => {
        for (const [key, lines] of files) await bucket.write(key, Buffer.from(lines.join('')));
        clock.now += ms;
      },
      begin:
        ({ endpoint, deployment, body, contentType, answer, id }) =>
        () => {
          const inferenceTime = `${new Date(clock.now).toISOString().slice(0, 19)}Z`;
          const hour = inferenceTime.slice(0, 13).replaceAll(/[-T]/g, '/');
          const key = `captured/${endpointName(installation, endpoint)}/${deployment}/${hour}/a.jsonl`;
          const line = {
            captureData: {
              endpointInput: side('INPUT', body, contentType),
              ...(answer === undefined ? {} : { endpointOutput: side('OUTPUT', answer, 'application/json') }),
            },
            eventMetadata: {
              ...{ eventId: randomUUID(), inferenceTime },
              ...(id === undefined ? {} : { inferenceId: id }),
            },
            eventVersion: '0',
          };
          const lines = files.get(key) ?? [];
          lines.push(`${JSON.stringify(line)}\n`);
          files.set(key, lines);
        },
      lagMs: 30 * minute,
      close: async () => {},
    };
  }

  capturedContract('cloudWatchTelemetry', openCaptured);

  labelsContract('capturedLabels on AWS', () => labelsOver(openCaptured));

  describe('captured requests', () => {
    const side = (data: string, more: object = {}) => ({
      observedContentType: 'text/csv',
      ...{ mode: 'INPUT', data, encoding: 'CSV' },
      ...more,
    });
    /** A line as the developer guide has it, "Capture data from real-time endpoint"; the values are invented. */
    const line = (number: number, at: number, more: { input?: object; output?: object; meta?: object } = {}) =>
      JSON.stringify({
        captureData: {
          endpointInput: side(`${number},red\n`, more.input),
          endpointOutput: side(`0.${number}`, { mode: 'OUTPUT', ...more.output }),
        },
        eventMetadata: { eventId: `event-${number}`, inferenceTime: new Date(at).toISOString(), ...more.meta },
        eventVersion: '0',
      });
    const put = ({ bucket }: Pick<ReturnType<typeof opened>, 'bucket'>, place: string, lines: readonly string[]) =>
      bucket.write(
        `captured/${endpointName(installation, 'e')}/${place}.jsonl`,
        Buffer.from(lines.map((each) => `${each}\n`).join('')),
      );
    const asked = (more: object = {}) => ({
      ...{ endpoint: 'e', from: start, to: start + 60 * minute, fields: ['size', 'colour'] },
      ...more,
    });

    test('are told with their rows and answers by the variant that answered, from the files of their hours', async () => {
      const world = opened();
      await put(world, 'v1/2026/11/20/12/05-00-000-a', [line(1, start), line(2, start + minute)]);
      await put(world, 'v2/2026/11/20/13/01-00-000-b', [line(3, start + 59 * minute), line(4, start + 61 * minute)]);
      await put(world, 'v2/2026/11/20/11/01-00-000-b', [line(5, start - minute)]);
      world.clock.now = start + 90 * minute;

      const { items, ...rest } = await world.telemetry.captured(asked());

      const row = (number: number) => ({ rows: [{ size: number, colour: 'red' }], answers: [number / 10] });
      expect(items).toEqual([
        { at: start, deployment: 'v1', requestId: 'event-1', ...row(1) },
        { at: start + minute, deployment: 'v1', requestId: 'event-2', ...row(2) },
        { at: start + 59 * minute, deployment: 'v2', requestId: 'event-3', ...row(3) },
      ]);
      expect(rest).toEqual({});
    });

    test('have the id that the caller gave, and payloads of any encoding', async () => {
      const world = opened();
      const json = { observedContentType: 'application/json', encoding: 'JSON' };
      const encoded = { encoding: 'BASE64', data: Buffer.from('7,blue\n').toString('base64') };
      await put(world, 'v1/2026/11/20/12/a', [
        line(1, start, {
          input: { ...json, data: '{"instances":[{"size":1,"secret":9},{"size":2}]}' },
          output: { ...json, data: '{"predictions":[0.1,0.2]}' },
        }),
        line(2, start, { input: encoded, meta: { inferenceId: 'order-2' } }),
        line(3, start, { output: { data: undefined } }),
      ]);
      world.clock.now = start + 90 * minute;

      const { items } = await world.telemetry.captured(asked());

      expect(items.map(({ requestId, rows, answers }) => [requestId, rows, answers])).toEqual([
        ['event-1', [{ size: 1 }, { size: 2 }], [0.1, 0.2]],
        ['order-2', [{ size: 7, colour: 'blue' }], [0.2]],
        ['event-3', [{ size: 3, colour: 'red' }], []],
      ]);
    });

    test('that cannot be read are counted, with why, and not told', async () => {
      const world = opened();
      await put(world, 'v1/2026/11/20/12/a', ['{"captureData":', line(1, start), '{"eventVersion":"0"}', 'null']);
      world.clock.now = start + 90 * minute;

      const { items, unread } = await world.telemetry.captured(asked());

      expect(items).toHaveLength(1);
      expect(unread).toEqual({ requests: 3, first: 'a line of a capture file is not what SageMaker writes' });
    });

    test('may still come for half an hour, and are gone after two weeks', async () => {
      const world = opened();
      world.clock.now = start + 90 * minute - 1;

      await expect(world.telemetry.captured(asked())).rejects.toMatchObject({ code: 'unavailable' });
      world.clock.now = start + 14 * 24 * 60 * minute;
      expect(await world.telemetry.captured(asked())).toEqual({ items: [] });
      world.clock.now += 1;
      await expect(world.telemetry.captured(asked())).rejects.toMatchObject({ code: 'invalid' });
    });

    test('of a mirror are not told, for each is a copy of another', async () => {
      const world = opened();
      world.hosted.production = ['v1'];
      world.hosted.shadow = ['v2'];
      await put(world, 'v2/2026/11/20/12/a', [line(1, start)]);
      world.clock.now = start + 90 * minute;

      expect(await world.telemetry.captured(asked())).toEqual({ items: [] });
    });
  });

  describe('with moto for CloudWatch, which others wrote', () => {
    // It counts sums alone, and shows a value at once.
    let moto: Awaited<ReturnType<typeof startMoto>>;
    beforeAll(async () => {
      moto = await startMoto();
    });
    afterAll(() => moto?.stop());

    test('requests and errors of a minute are counted by deployment', async () => {
      const cloudwatch = recorded.watch(new CloudWatchClient(reach(moto.url)));
      const begun = Math.floor(Date.now() / minute) * minute - 10 * minute;
      const put = (VariantName: string, MetricName: string, values: readonly number[]) =>
        cloudwatch.send(
          new PutMetricDataCommand({
            Namespace: 'AWS/SageMaker',
            MetricData: values.map((Value) => ({
              MetricName,
              Value,
              Timestamp: new Date(begun + 1000),
              Dimensions: [
                { Name: 'EndpointName', Value: endpointName(installation, 'e') },
                { Name: 'VariantName', Value: VariantName },
              ],
            })),
          }),
        );
      await put('v1', 'Invocations', [1, 1, 1]);
      await put('v1', 'InvocationModelErrors', [0, 1, 1]);
      await put('v1', 'Invocation4XXErrors', [0, 0, 1]);
      await put('v1', 'Invocation5XXErrors', [0, 0, 0]);
      await put('v2', 'Invocations', [1]);
      for (const metric of ['InvocationModelErrors', 'Invocation4XXErrors', 'Invocation5XXErrors'])
        await put('v2', metric, [0]);
      const telemetry = cloudWatchTelemetry({
        cloudwatch,
        endpoints: sageMakerEndpoints({
          sagemaker: recorded.watch(new SageMakerClient(reach(moto.url))),
          now: Date.now,
        }),
        installation,
        now: Date.now,
        bucket: atOnce<Bucket>(memoryBucket()),
      });
      const query = { endpoint: 'e', tickMs: minute, measures: ['errors'] };

      const ticks = await telemetry.ticks({ ...query, from: begun, to: begun + 2 * minute });

      expect(ticks).toEqual([
        {
          start: begun,
          counts: { v1: { requests: 3, bad: { errors: 1 } }, v2: { requests: 1, bad: { errors: 0 } } },
        },
        { start: begun + minute, counts: {} },
      ]);
    });
  });
});
