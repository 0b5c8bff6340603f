import { createHash } from 'node:crypto';
import { Fault } from '@serin/core/base/fault';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Bus } from '@serin/core/ports/bus';
import type { Job, Jobs } from '@serin/core/ports/jobs';
import type { Journal } from '@serin/core/ports/journal';
import type { Notify } from '@serin/core/ports/notify';
import type { Registry } from '@serin/core/ports/registry';
import type { Deployment, Mirror, Serving, Weights } from '@serin/core/ports/serving';
import type { Counts } from '@serin/core/ports/telemetry';
import { shardedJournal } from '@serin/platform/sharded-journal';
import { describe, expect, test } from 'vitest';
import { absentBucket, memoryBucket } from '../simulation/fakes/bucket.ts';
import { memoryBus } from '../simulation/fakes/bus.ts';
import { memoryJobs } from '../simulation/fakes/jobs.ts';
import { memoryJournal } from '../simulation/fakes/journal.ts';
import { memoryStore } from '../simulation/fakes/journal-store.ts';
import { labelledJobs } from '../simulation/fakes/labelled-jobs.ts';
import { putJobs } from '../simulation/fakes/put-jobs.ts';
import { putServing } from '../simulation/fakes/put-serving.ts';
import { memoryRegistry } from '../simulation/fakes/registry.ts';
import { memoryServing, type ServingShape } from '../simulation/fakes/serving.ts';
import { shapes } from '../simulation/fakes/shapes.ts';
import { memorySinks } from '../simulation/fakes/sinks.ts';
import { atOnce } from '../simulation/fakes/sync.ts';
import { memoryTelemetry, type TelemetryOptions } from '../simulation/fakes/telemetry.ts';
import { bucketContract } from './bucket.contract.ts';
import { busContract } from './bus.contract.ts';
import { askedAgain, jobsContract } from './jobs.contract.ts';
import { journalContract } from './journal.contract.ts';
import { type Answer, notifyContract } from './notify.contract.ts';
import { registryContract } from './registry.contract.ts';
import { servingContract } from './serving.contract.ts';

// What the simulator runs the core on has to hold the promises that the platforms hold.
const close = async (): Promise<void> => {};

journalContract('memory', async () => ({ port: atOnce<Journal>(memoryJournal()), close }));

journalContract('memory in shards', async () => ({
  port: shardedJournal(memoryStore().store, {
    stored: { bytes: 390_000, of: 'a row' },
    between: { due: '#', name: '\0' },
  }),
  close,
}));

registryContract('memory', async () => ({ port: atOnce<Registry>(memoryRegistry()), close }));

busContract('memory', async () => {
  const bus = memoryBus();
  return { port: atOnce<Bus>(bus), received: async () => bus.received(), close };
});

bucketContract('memory', async () => ({
  port: atOnce<Bucket>(memoryBucket()),
  other: atOnce<Bucket>(memoryBucket()),
  absent: atOnce<Bucket>(absentBucket('absent')),
  close,
}));

const fateOf = (_: Job) => ({ waitMs: 0, runMs: 20, status: 'succeeded' as const });
const opened = (jobs: Jobs) => ({
  jobs,
  code: async (files: unknown) => createHash('sha256').update(JSON.stringify(files)).digest('hex'),
  dataset: async () => ({ kind: 'manifest', bucket: 'serin', key: 'none' }) as const,
  change: async () => {},
  close,
});

jobsContract('memory', async () => opened(atOnce<Jobs>(memoryJobs({ now: () => Date.now(), fateOf }))));

jobsContract('memory by name', async () => {
  const provider = memoryJobs({ now: () => Date.now(), fateOf });
  const call = async <Result>(_: string, apply: () => Result) => apply();
  return opened(putJobs({ provider, call }));
});

jobsContract('memory without keys', async () => {
  const now = () => Date.now();
  const provider = memoryJobs({ now, fateOf, keyed: false });
  const call = async <Result>(_: string, apply: () => Result) => apply();
  return opened(askedAgain(labelledJobs({ provider, now, unseenMs: () => 0, call, intents: new Map() })));
});

/** A deployment whose command says what becomes of it. */
function deploymentThat(does: 'serves' | 'breaks' | 'is refused', version: number): Deployment {
  const digest = createHash('sha256').update(String(version)).digest('hex');
  return {
    name: `v${version}`,
    version,
    artifact: { uri: `memory:${digest}`, digest, bytes: 1 },
    command: [does],
    environment: {},
    instances: { min: 1, max: 1 },
    compute: { nodes: 1, spot: false },
    readyTimeoutMs: 1000,
  };
}

/** A machine, or one of the clouds that the simulator knows. */
function openServing(shape?: ServingShape) {
  return async () => {
    let now = 0;
    const serving = memoryServing({
      now: () => now,
      ...(shape === undefined ? {} : { shape }),
      fateOf: (_, { command: [does] }) => {
        if (does === 'is refused') throw new Fault('invalid', 'the image has no such command');
        return { readyMs: 100, becomes: does === 'serves' ? 'ready' : 'failed' };
      },
      operationMs: () => 50,
    });
    const { change, observe } = serving;
    const call = async <Result>(_: string, apply: () => Result) => apply();
    return {
      serving:
        shape?.isPut === true
          ? putServing({ provider: serving, now: () => now, call })
          : atOnce<Serving>({ change, observe }),
      good: (version: number) => deploymentThat('serves', version),
      broken: (version: number) => deploymentThat('breaks', version),
      impossible: (version: number) => deploymentThat('is refused', version),
      servesAlone: shape?.routesTheOnlyOne ?? false,
      pause: async () => {
        now += 25;
        await new Promise((resolve) => setImmediate(resolve));
      },
      close,
    };
  };
}

servingContract('memory', openServing());
servingContract('memory like aws', openServing(shapes.aws.serving));
servingContract('memory like vertex', openServing(shapes.vertex.serving));
servingContract('memory like azure', openServing(shapes.azure.serving));

const faultOf = (answer: Answer, secret: string): Fault | undefined => {
  const because = `it says ${secret}`;
  if (answer === 'takes it') return undefined;
  if (answer === 'refuses it for good') return new Fault('invalid', because);
  return new Fault(answer === 'is busy' ? 'throttled' : 'unavailable', because);
};

notifyContract('memory', async () => {
  const secret = 'planted';
  const taken: string[] = [];
  let answered: Answer = 'takes it';
  const sinks = memorySinks({
    now: () => 0,
    answer: (_, { id }) => {
      const fault = faultOf(answered, secret);
      if (fault === undefined) taken.push(id);
      return fault;
    },
  });
  return {
    port: atOnce<Notify>(sinks),
    sink: { name: 'ops', kind: 'webhook', on: ['*'], settings: {} },
    secret,
    answer: (answer) => {
      answered = answer;
    },
    taken: () => taken,
  };
});

test.each([
  ['vertex', 1],
  ['azure', 51],
] as const)('like on %s, %i % mirrored is invalid and changes nothing', async (name, percent) => {
  const { serving, good, pause } = await openServing({ ...shapes[name].serving, firstSteps: 0 })();
  const settle = async () => {
    for (let looks = 0; looks < 5; looks += 1) await pause();
  };
  // The first deploy may make nothing but the endpoint.
  for (const version of [1, 1, 2]) {
    await serving.change('e', { kind: 'deploy', deployment: good(version) });
    await settle();
  }
  await serving.change('e', { kind: 'weigh', weights: { v1: 100 } });
  await settle();

  const mirror = { deployment: 'v2', percent };
  const weighing = serving.change('e', { kind: 'weigh', weights: { v1: 100 }, mirror });

  await expect(weighing).rejects.toMatchObject({ code: 'invalid' });
  expect(await serving.observe('e')).toMatchObject({ weights: { v1: 100 }, busy: false });
  expect(await serving.observe('e')).not.toHaveProperty('mirror');
});

describe('the memory telemetry', () => {
  const tickMs = 60_000;
  const beginning = 100 * tickMs;

  /** An endpoint `e` that routes by `weights` from the beginning on, and 50 ticks later. */
  function opened(weights: Weights, changes: Partial<TelemetryOptions> = {}) {
    const clock = { now: beginning + 50 * tickMs };
    const telemetry = memoryTelemetry({
      now: () => clock.now,
      perMinute: 6000,
      failing: (deployment) => (deployment === 'v2' ? 0.1 : 0.01),
      slower: (deployment) => (deployment === 'v2' ? 2 : 1),
      wrong: () => 0.1,
      higher: () => 0,
      routed: (set) => set,
      outcomesTakeMs: 5000,
      labelled: { share: 0.8, takeMs: 10 * tickMs },
      told: (tick) => [tick],
      ...changes,
    });
    const route = (at: number, set: Weights, mirror?: Mirror) =>
      telemetry.routed('e', { at, weights: set, isStray: false, ...(mirror === undefined ? {} : { mirror }) });
    route(beginning, weights);
    const read = (ticks: number, from = beginning) =>
      telemetry.ticks({
        endpoint: 'e',
        from,
        to: from + ticks * tickMs,
        tickMs,
        measures: ['errors', 'slower than 20 ms', 'slower than 100 ms', 'slower than 1000 ms'],
      });
    return { telemetry, route, read, clock };
  }

  const slower = (p50: number, p90: number, p99: number) => ({
    'slower than 20 ms': p50,
    'slower than 100 ms': p90,
    'slower than 1000 ms': p99,
  });

  test('shares requests out by the weights, and each part fails and is slow as its model is', () => {
    const { read } = opened({ v1: 90, v2: 10 });

    const [tick] = read(1);

    expect(tick?.counts).toEqual({
      v1: { requests: 5400, bad: { errors: 54, ...slower(2700, 540, 54) } },
      v2: { requests: 600, bad: { errors: 60, ...slower(600, 120, 12) } },
    });
  });

  test('a tick in which the weights change has both parts', () => {
    const { route, read } = opened({ v1: 100 });

    route(beginning + 45_000, { v1: 50, v2: 50 });

    expect(read(2).map(({ counts }) => [counts.v1?.requests, counts.v2?.requests])).toEqual([
      [5250, 750],
      [3000, 3000],
    ]);
  });

  test('ticks add up to what a longer one has, however few requests come', () => {
    const { telemetry, read } = opened({ v1: 93, v2: 7 }, { perMinute: 7, failing: () => 0.3 });

    const ticks = read(40);
    const [whole] = telemetry.ticks({
      ...{ endpoint: 'e', from: 80 * tickMs, to: 120 * tickMs },
      ...{ tickMs: 40 * tickMs, measures: ['errors'] },
    });

    const first20 = ticks.slice(0, 20);
    const sum = (count: (of: Counts) => number | undefined) =>
      first20.reduce((total, { counts: { v1 } }) => total + ((v1 && count(v1)) ?? 0), 0);
    const [requests, errors] = [sum((v1) => v1.requests), sum(({ bad }) => bad.errors)];
    expect({ requests, bad: { errors } }).toEqual(whole?.counts.v1);
    expect(requests).toBe(130);
  });

  test('a tick whose outcomes may be missing ends the answer, and one that was told is told again', () => {
    const { read, clock } = opened({ v1: 100 }, { outcomesTakeMs: 3 * tickMs });

    clock.now = beginning + 10 * tickMs;
    const early = read(20);
    clock.now = beginning + 30 * tickMs;

    expect(early).toHaveLength(7);
    expect(read(7)).toEqual(early);
  });

  test('its percentiles are those that it counts by', () => {
    const { telemetry } = opened({ v1: 100 });

    const latency = telemetry.latency('e', beginning, beginning + tickMs);

    expect(latency).toEqual({ p50: 20, p90: 100, p99: 1000, requests: 6000 });
    expect(telemetry.latency('never', beginning, beginning + tickMs)).toBeUndefined();
  });

  test('counts pairs only while something is mirrored', () => {
    const { route, read } = opened({ v1: 100 });
    route(beginning + tickMs, { v1: 100 }, { deployment: 'v2', percent: 20 });
    route(beginning + 2 * tickMs, { v1: 90, v2: 10 });

    const [before, during, after] = read(3);

    expect([before?.pairs, after?.pairs]).toEqual([undefined, undefined]);
    expect(during?.pairs?.v2).toMatchObject({ pairs: 1200, dropped: 0, bad: { errors: { mirror: 119, served: 11 } } });
    expect(during?.counts.v2).toBeUndefined();
  });

  test('labels are told once they have matured, at the weight of their requests, without those that came later', () => {
    const { telemetry, route, clock } = opened({ v1: 90, v2: 10 });
    route(beginning + tickMs, { v1: 50, v2: 50 });
    const query = { endpoint: 'e', from: beginning, to: beginning + 9 * tickMs, tickMs, maturityMs: 5 * tickMs };

    clock.now = beginning + 7 * tickMs;
    const ticks = telemetry.labels(query);

    expect(ticks.map(({ rows }) => rows)).toEqual([
      [
        { deployment: 'v1', weight: 90, requests: 5400, labelled: 2160, wrong: 216 },
        { deployment: 'v2', weight: 10, requests: 600, labelled: 240, wrong: 24 },
      ],
      [
        { deployment: 'v1', weight: 50, requests: 3000, labelled: 1200, wrong: 120 },
        { deployment: 'v2', weight: 50, requests: 3000, labelled: 1200, wrong: 120 },
      ],
    ]);
  });
});
