import { expect, test } from 'vitest';
import { day, hour } from '../base/time.ts';
import { decideModel } from './decide.ts';
import { estimateText } from './drift/estimate.ts';
import { driver, fakeEndpoint, planOf, trainOne, withChampion } from './model.fixture.ts';
import { performanceText } from './performance/text.ts';
import { lastTruths } from './performance/truths.ts';
import type { Model } from './state.ts';
import { upgrade } from './upgrade.ts';

test('a state of schema 1 with a rollout under way is judged from now on', () => {
  const drive = driver();
  trainOne(drive, 'one');
  expect(fakeEndpoint().observe()).toBe('absent');
  const oldPlan = {
    strategy: 'canary',
    steps: [10],
    bake: 1,
    tick: 1000,
    guard: 0,
    minRequests: 5,
    limits: planOf().rollout.limits,
  };
  const arm = { requests: 7, errors: 1 };
  const old = JSON.parse(
    JSON.stringify({
      ...drive.state,
      schema: 1,
      plan: { ...drive.state.plan, rollout: oldPlan },
      rollout: {
        id: 'ro_1',
        kind: 'release',
        candidate: 1,
        stable: 0,
        plan: oldPlan,
        steps: [10],
        guardMs: 0,
        startedAt: 1,
        by: 'gate',
        evidence: { readTo: 5000, candidate: arm, stable: arm, stepRequests: 3 },
        story: [],
        status: 'baking',
        step: 0,
        since: 1,
        until: 6000,
      },
    }),
  );

  const now = upgrade(old) as Model;
  const decided = decideModel(
    now,
    { type: 'clockTicked', id: 'c', at: drive.now + 120_000, actor: { subject: 's', issuer: 'clock', role: 'system' } },
    { model: 'fraud', seq: 9 },
    { self: 'test', dispatches: true, alone: true },
  );

  expect(now.schema).toBe(3);
  expect(now.plan.rollout).toMatchObject({ alpha: 0.01, steps: [10], guardrails: { errors: { margin: 2 } } });
  expect(now.plan.rollout).not.toHaveProperty('minRequests');
  expect(now.rollout?.evidence).toMatchObject({ readTo: 5000, ticks: 0, candidate: arm });
  expect('moved' in decided && decided.taken.map(({ kind }) => kind)).toContain('readTicks');
});

test('an alert of a state of schema 2 goes on firing, and is resolved by its sender', () => {
  const drive = driver();
  const monitor = {
    status: 'alarmed',
    since: 1,
    runs: [],
    tookBackAt: 1,
    alerts: { 'grafana|psi|age|T1': { at: 1, title: 'errors high', did: 'notify' } },
  };
  const old = { ...drive.state, schema: 2, monitor, plan: { ...drive.state.plan, alerts: { onAlert: 'notify' } } };

  const now = upgrade(JSON.parse(JSON.stringify(old))) as Model;
  const resolved = decideModel(
    now,
    {
      type: 'alertResolved',
      sender: 'grafana',
      fingerprint: 'psi|age',
      id: 'r',
      at: drive.now,
      actor: { subject: 's', issuer: 'token', role: 'operator' },
    },
    { model: 'fraud', seq: 9 },
    { self: 'test', dispatches: true, alone: true },
  );

  expect(now.plan.alerts).toEqual({ onAlert: 'notify', whileFiring: 'hold', types: [] });
  expect(Object.values(now.monitor.alerts)).toMatchObject([{ fingerprint: 'psi|age', startedAt: 'T1', kind: 'alert' }]);
  expect('moved' in resolved && resolved.moved.monitor.status).toBe('quiet');
});

test('labels and drift of before truths and estimates go on, and under a plan that asks for those as well', () => {
  const before = { capture: { share: '10%', fields: ['age'] }, drift: {}, performance: { limit: 0.2 } };
  const { drive } = withChampion(planOf({ monitor: before }));
  const since = drive.now;
  const loss = { predictions: 300, labels: 300, lost: 60, losses: 0 };
  const window = { from: 0, to: since, version: 1, ...loss, limit: 0.2, evidence: 1.5 };
  const performance = {
    ...{ status: 'counting', version: 1, turn: 4, from: since, until: since + day, readTo: since + hour },
    ...{ outcomes: loss, evidence: { logs: [] }, first: loss, windows: [window] },
  };
  const seen = { from: 0, to: since, rows: 300, evidence: 1, threshold: 365, size: 0.01, alarms: [] };
  const drift = {
    ...{ status: 'judging', version: 1, turn: 4, reference: 'r', from: since, until: since + day, windows: [seen] },
    counted: { counts: 'c', rows: 900 },
  };
  const known = upgrade(JSON.parse(JSON.stringify({ ...drive.state, performance, drift }))) as Model;
  const stamp = { id: 'r', at: since, actor: { subject: 's', issuer: 'token', role: 'operator' } } as const;
  const monitor = {
    ...before,
    ...{ performance: { limit: 0.2, positive: 'fraud' }, estimate: { probability: '/1' } },
  };
  const released = decideModel(
    known,
    { ...stamp, type: 'configReleased', revision: 9, plan: planOf({ monitor }) },
    { model: 'fraud', seq: 900 },
    { self: 'test', dispatches: true, alone: true },
  );
  const next = 'moved' in released ? released.moved : expect.fail(JSON.stringify(released));

  for (const state of [known, next]) {
    expect(performanceText(state, since)).toContain('in the last window v1 was wrong in 20 % (15.9 % to 24.9 %)');
    expect(lastTruths(state.performance ?? expect.fail('no labels are judged'))).toBeUndefined();
    expect(state.drift).toMatchObject({ windows: [seen] });
  }
  expect(estimateText(known)).toBeUndefined();
  expect(estimateText(next)).toMatch(/^nothing is estimated without labels: the evaluate job of v1 reported no/);
});

test('a state that newer code wrote waits for that code', () => {
  expect(() => upgrade({ schema: 99 })).toThrow(/newer code/);
});
