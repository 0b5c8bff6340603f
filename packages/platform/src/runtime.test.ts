import { Fault } from '@serin/core/base/fault';
import type { Signal } from '@serin/core/engine/outcome';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Bus } from '@serin/core/ports/bus';
import type { Journal } from '@serin/core/ports/journal';
import type { Ports } from '@serin/core/ports/ports';
import { describe, expect, test } from 'vitest';
import { memoryBucket } from '../../../test/simulation/fakes/bucket.ts';
import { memoryBus } from '../../../test/simulation/fakes/bus.ts';
import { memoryJournal } from '../../../test/simulation/fakes/journal.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { planOf } from '../../core/src/model/model.fixture.ts';
import { apiRuntime, idlePorts, runtimeOf } from './runtime.ts';
import type { WebhookSecrets } from './secrets.ts';
import { withoutLabels } from './telemetry.ts';

const stream = 'model/fraud';
const actor = { subject: 'ann', issuer: 'token', role: 'admin' } as const;

function opened() {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const faults: string[] = [];
  const told: string[] = [];
  const ports: Ports = {
    ...idlePorts(withoutLabels('a test')),
    journal: atOnce<Journal>(memoryJournal()),
    bucket: () => atOnce<Bucket>(memoryBucket()),
    bus: atOnce<Bus>(memoryBus()),
  };
  const clockwork = {
    now: () => clock.now,
    log: { say: () => {}, fault: (what: string) => void faults.push(what), count: () => {} },
    queue: {
      tick: async () => {},
      ticks: async (streams: readonly string[]) => void told.push(...streams),
      send: async () => {},
    },
  };
  const runtime = runtimeOf({ ports, source: 'serin://test', self: 'one', clockwork });
  const say = (body: object) =>
    runtime.engine.receive(stream, { type: 'configReleased', id: 'c1', at: clock.now, actor, ...body } as Signal);
  const release = () => say({ revision: 1, plan: planOf() });
  const leave = () => say({ revision: 2, was: planOf() });
  return { clock, faults, told, clockwork, runtime, release, leave };
}

describe('an engine of a function', () => {
  test('knows when what it appended to wants to be looked at again, in this invocation', async () => {
    const { runtime, release, leave, clock } = opened();

    runtime.begin(30_000);
    await release();
    const waiting = runtime.due().get(stream);
    await leave();
    const left = runtime.due().has(stream);
    runtime.begin(30_000);

    expect(waiting).toBeGreaterThanOrEqual(clock.now);
    expect(left).toBe(false);
  });

  test('forgets at the next invocation what the one before had to look at again', async () => {
    const { runtime, release } = opened();

    runtime.begin(30_000);
    await release();
    runtime.begin(30_000);

    expect(runtime.due().size).toBe(0);
  });

  test('begins no effect that it cannot end within its invocation', async () => {
    const { runtime, release, clock } = opened();
    runtime.begin(30_000);
    await release();

    clock.now += 29_999;
    await runtime.engine.dispatch(stream);

    expect(runtime.due().has(stream)).toBe(true);
  });
});

describe('the API of a function', () => {
  type Given = Parameters<typeof apiRuntime>[0];

  function apiOf(secrets: Given['secrets'], more: Partial<Given> = {}) {
    const world = opened();
    const options: Given['options'] = () => ({
      version: '1',
      environment: 'test',
      platform: 'local',
      problemsOf: () => [],
    });
    const { runtime, clockwork } = world;
    return { ...world, api: apiRuntime({ runtime, clockwork, secrets, options, ...more }) };
  }
  const secrets = async (): Promise<WebhookSecrets> => ({ github: [], standard: [] });

  test('is made once, and anew when its secrets are older than five minutes', async () => {
    let looks = 0;
    const { api, clock } = apiOf(async () => {
      looks += 1;
      return secrets();
    });

    const first = await api.api();
    clock.now += 5 * 60_000;
    const second = await api.api();
    clock.now += 1;
    const third = await api.api();

    expect([first === second, second === third, looks]).toEqual([true, false, 2]);
  });

  test('goes on without webhooks when their secrets cannot be read', async () => {
    const { api, faults } = apiOf(async () => Promise.reject(new Fault('unavailable', 'no answer')));

    await api.api();

    expect(faults).toEqual(['the webhook secrets']);
  });

  test('that could not be made is made by the next request', async () => {
    let isBroken = true;
    const { api } = apiOf(async () => (isBroken ? { github: [], standard: ['no base64!'] } : secrets()));

    await expect(api.api()).rejects.toThrow('not base64');
    isBroken = false;

    expect(await api.api()).toBeDefined();
  });
});
