import { Fault } from '@serin/core/base/fault';
import { type Json, sha256Hex } from '@serin/core/base/json';
import { bury } from '@serin/core/engine/dead-letters';
import type { Signal } from '@serin/core/engine/outcome';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Bus } from '@serin/core/ports/bus';
import type { Journal } from '@serin/core/ports/journal';
import type { Ports } from '@serin/core/ports/ports';
import { describe, expect, test } from 'vitest';
import { memoryBucket } from '../../../test/simulation/fakes/bucket.ts';
import { memoryBus } from '../../../test/simulation/fakes/bus.ts';
import { memoryJournal } from '../../../test/simulation/fakes/journal.ts';
import { noProfiler } from '../../../test/simulation/fakes/profiler.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { planOf } from '../../core/src/model/model.fixture.ts';
import { apiRuntime, idlePorts, notHere, runtimeOf } from './runtime.ts';
import type { WebhookSecrets } from './secrets.ts';

const stream = 'model/fraud';
const actor = { subject: 'ann', issuer: 'token', role: 'admin' } as const;

const alert = (at: number) =>
  ({
    ...{ type: 'alertRaised', id: 'a1', at, actor, kind: 'alert', sender: 's', fingerprint: 'f' },
    ...{ startedAt: '2026-01-01T00:00:00Z', title: 'errors' },
  }) as Signal;

function opened() {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const faults: string[] = [];
  const told: string[] = [];
  const bus = memoryBus();
  const ports: Ports = {
    ...idlePorts(notHere),
    journal: atOnce<Journal>(memoryJournal()),
    bucket: () => atOnce<Bucket>(memoryBucket()),
    bus: atOnce<Bus>(bus),
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
  const runtime = runtimeOf({ ports, profiler: noProfiler, source: 'serin://test', self: 'one', clockwork });
  const say = (body: object) =>
    runtime.engine.receive(stream, { type: 'configReleased', id: 'c1', at: clock.now, actor, ...body } as Signal);
  const release = () => say({ revision: 1, plan: planOf() });
  const leave = () => say({ revision: 2, was: planOf() });
  return { clock, faults, told, clockwork, runtime, release, leave, published: () => bus.received().length };
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

  test('begins no effect that it cannot end within its invocation: the next one does', async () => {
    const { runtime, release, clock, published } = opened();
    runtime.begin(30_000);
    await release();
    await runtime.engine.receive(stream, alert(clock.now));

    clock.now += 29_999;
    await runtime.engine.dispatch(stream);
    const late = published();
    clock.now += 10 * 60_000;
    runtime.begin(30_000);
    await runtime.engine.dispatch(stream);

    expect(late).toBe(0);
    expect(published()).toBeGreaterThan(0);
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

  describe('tells whoever dispatches what its requests made owed', () => {
    async function replayed() {
      const tokenHash = sha256Hex('srn_admin');
      const options: Given['options'] = () => ({
        ...{ version: '1', environment: 'test', platform: 'local', problemsOf: () => [], bootstrap: { tokenHash } },
      });
      const world = apiOf(secrets, { options });
      const { api, runtime, release, clock } = world;
      await release();
      api.begin(30_000);
      const { id, ...signal } = alert(clock.now);
      await bury(
        runtime.ports.journal,
        { id, stream, signal: { ...signal, id } as unknown as Json, because: 'x', at: clock.now },
        actor,
      );
      const answer = await (await api.api()).request(`/v1/dead-letters/${id}/replay`, {
        method: 'POST',
        headers: { authorization: 'Bearer srn_admin', 'content-type': 'application/json' },
        body: '{}',
      });
      expect(answer.status).toBe(202);
      return world;
    }

    test('in this invocation only', async () => {
      const { api, told } = await replayed();

      await api.nudged();
      api.begin(30_000);
      await api.nudged();

      expect(told).toEqual([stream]);
    });

    test('and leaves it to the clock when the queue does not answer', async () => {
      const { api, clockwork, faults } = await replayed();
      clockwork.queue.ticks = async () => Promise.reject(new Fault('unavailable', 'no answer'));

      await api.nudged();

      expect(faults).toEqual(['telling who dispatches']);
    });
  });
});
