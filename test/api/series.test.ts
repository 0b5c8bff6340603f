import { instant, minute } from '@serin/core/base/time';
import type { Telemetry, Tick, TickQuery } from '@serin/core/ports/telemetry';
import { expect, test } from 'vitest';
import { compiled, modelRules, openWorld } from './world.ts';

/** A champion, and a challenger whose rollout bakes. */
async function withCanary() {
  const world = await openWorld();
  await world.release(compiled());
  await world.drop();
  await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 4 * minute);
  const { rollout } = await world.model();
  return { world, id: rollout.id as string, path: `/v1/rollouts/${rollout.id}/evidence` };
}

test('the evidence of a rollout goes on with it, and ends with what its certificate says', async () => {
  const { world, id, path } = await withCanary();

  const during = (await world.call('GET', path)).body;
  await world.pass(15 * minute);
  const after = (await world.call('GET', path)).body;

  expect(during.points.length).toBeGreaterThan(0);
  expect(after.points.slice(0, during.points.length)).toEqual(during.points);
  expect(after.weights.map(({ weight }: { weight: number }) => weight)).toEqual([0, 10, 50, 95, 100]);
  const { certificate } = (await world.call('GET', `/v1/rollouts/${id}`)).body;
  const decided = after.points.find(({ at }: { at: string }) => at === instant(certificate.readTo));
  expect(decided.logE).toBeCloseTo(certificate.logE, 9);
  expect(decided.streams.errors.logSafe).toBeGreaterThanOrEqual(Math.log(1 / after.beta));
  expect(after).toMatchObject({ rollout: id, model: 'fraud', alpha: 0.01, lastWeight: 50 });
});

test('two that ask at once get the same evidence, and so does one who asks later', async () => {
  const { world, path } = await withCanary();

  const [one, two] = await Promise.all([world.call('GET', path), world.call('GET', path)]);

  expect(two.body).toEqual(one.body);
  expect((await world.call('GET', path)).body).toEqual(one.body);
});

test('a viewer sees the evidence, and a token of another model none', async () => {
  const { world, id, path } = await withCanary();

  const viewer = await world.call('GET', path, undefined, { token: await world.token('viewer') });
  const stranger = await world.call('GET', path, undefined, { token: await world.token('viewer', ['churn']) });
  const beginning = await world.call('GET', path.replace(id, id.slice(3)));

  expect([viewer.status, stranger.status]).toEqual([200, 404]);
  expect(beginning.body.rollout).toBe(id);
});

test('traffic is told by deployment, and adds up to what was sent', async () => {
  const { world } = await withCanary();
  const [from, to] = [instant(world.now() - 10 * minute), instant(world.now())];

  const { body } = await world.call('GET', `/v1/models/fraud/traffic?from=${from}&to=${to}`);

  const sum = (name: string) =>
    body.ticks.reduce(
      (all: number, tick: { deployments: Record<string, { requests: number }> }) =>
        all + (tick.deployments[name]?.requests ?? 0),
      0,
    );
  expect(body.tickMs).toBe(minute);
  expect(sum('v1') + sum('v2')).toBe(6000 * body.ticks.length);
  expect(sum('v2')).toBeGreaterThan(0);
  expect(body.latency.requests).toBeGreaterThan(0);
  expect(body.ticks[0].deployments.v1).toMatchObject({ errors: 0, slow: expect.any(Number) });
});

test('traffic of a day has at most 200 ticks, which are whole ones of the rollout', async () => {
  const { world } = await withCanary();

  const { body } = await world.call('GET', '/v1/models/fraud/traffic');

  expect(body.ticks.length).toBeLessThanOrEqual(200);
  expect(body.tickMs % minute).toBe(0);
  expect(Date.parse(body.ticks[0].at) % body.tickMs).toBe(0);
});

test('who asks for the same traffic again at once gets the same, and later what came since', async () => {
  const { world } = await withCanary();
  const [from, to] = [instant(world.now() - 10 * minute), instant(world.now() + 10 * minute)];
  const ask = async () => (await world.call('GET', `/v1/models/fraud/traffic?from=${from}&to=${to}`)).body.ticks;

  const [one, two] = [await ask(), await ask()];
  await world.pass(2 * minute);

  expect(two).toEqual(one);
  expect((await ask()).length).toBe(one.length + 2);
});

test('what jobs logged is told where somebody keeps it, and elsewhere it is said that nobody does', async () => {
  const points = [{ step: 1, at: 0, value: 0.5 }];
  const keeping = await openWorld({ logged: () => [{ job: 'train', attempt: 1, name: 'loss', points }] });
  const { world: other } = await withCanary();
  await keeping.release(compiled());
  await keeping.drop();
  const ask = async (world: typeof keeping) => {
    const [{ id }] = (await world.call('GET', '/v1/runs')).body.runs;
    return world.call('GET', `/v1/runs/${id}/metrics`);
  };

  const [kept, not] = [await ask(keeping), await ask(other)];

  expect(kept.body.metrics).toEqual([
    { job: 'train', attempt: 1, name: 'loss', points: [{ step: 1, at: '1970-01-01T00:00:00.000Z', value: 0.5 }] },
  ]);
  expect(not.status).toBe(501);
});

test('traffic of no time, and of more than a week, is refused', async () => {
  const { world } = await withCanary();
  const ask = (query: string) => world.call('GET', `/v1/models/fraud/traffic?${query}`);

  const never = await ask('from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z');
  const long = await ask('from=2025-12-24T00:00:00Z&to=2026-01-01T00:00:00Z');

  expect([never.status, long.status]).toEqual([422, 422]);
  expect(long.body.detail).toBe('one answer covers at most 7d of traffic; ask for a shorter time');
});

test('a time counts as one without service only if none of it was served', async () => {
  const { world: base } = await withCanary();
  const ticks = async ({ from, to, tickMs }: TickQuery): Promise<readonly Tick[]> =>
    Array.from({ length: (to - from) / tickMs }, (_, index) => {
      const at = from + index * tickMs;
      const isOff = index % 2 === 0 || at < Date.UTC(2025, 11, 29);
      return isOff
        ? { start: at, counts: {}, unserved: true }
        : { start: at, counts: { v1: { requests: 2, bad: { errors: 1 } } } };
    });
  const telemetry: Telemetry = { ticks, latency: async () => undefined, captured: async () => ({ items: [] }) };
  const world = await openWorld({ ports: { ...base.ports, telemetry: () => telemetry } });

  const { body } = await world.call(
    'GET',
    '/v1/models/fraud/traffic?from=2025-12-27T00:00:00Z&to=2025-12-31T00:00:00Z',
  );

  const [first, last] = [body.ticks[0], body.ticks.at(-1)];
  const parts = body.tickMs / (3 * minute);
  expect(first).toMatchObject({ unserved: true, deployments: {} });
  expect(last.unserved).toBeUndefined();
  expect(last.deployments.v1).toEqual({ requests: 2 * Math.floor(parts / 2), errors: Math.floor(parts / 2) });
});

test('a model that nobody serves says why it has no traffic', async () => {
  const world = await openWorld();
  const { serve: _, rollout: __, ...rules } = modelRules;
  await world.release(compiled({ ...rules, serve: 'none' }));

  const unserved = await world.call('GET', '/v1/models/fraud/traffic');

  expect(unserved.body).toMatchObject({ ticks: [], because: 'this model is not served by Serin' });
});

test('a model without an endpoint says so', async () => {
  const world = await openWorld();
  await world.release(compiled());

  const early = await world.call('GET', '/v1/models/fraud/traffic');

  expect(early.body).toMatchObject({ ticks: [], because: 'it has no endpoint yet' });
});

test('the steps of a run are told with their times, also those of an earlier run', async () => {
  const { world } = await withCanary();
  const runs = (await world.call('GET', '/v1/runs')).body.runs;

  for (const { id, startedAt, endedAt } of runs) {
    const { steps } = (await world.call('GET', `/v1/runs/${id}/steps`)).body;

    expect(steps.map(({ step }: { step: string }) => step).slice(0, 3)).toEqual(['prepare', 'train', 'evaluate']);
    expect(steps[0].from >= startedAt).toBe(true);
    expect(steps.at(-1).to <= endedAt).toBe(true);
  }
  expect(runs).toHaveLength(2);
});
