import { expect, test } from 'vitest';
import { healthy, planOf } from '../model/model.fixture.ts';
import { challenge, type GivenModel, until } from '../model/rollout/judge.fixture.ts';
import { whatBreaks } from './breaks.ts';

test.each<[string, GivenModel]>([
  ['a canary', { rollout: { bake: '5m', guard: '5m' } }],
  ['one without a warm-up', { rollout: { bake: '5m', guard: '5m', warmUp: 0 } }],
  ['one by the share that came', { rollout: { bake: '5m', guard: '5m', routing: 'realised' } }],
  ['one with bursts', { rollout: { bake: '5m', guard: '5m', guardrails: { errors: { maxBurst: 5 } } } }],
])('each condition of the certificate of %s says what breaks it', (_, plan) => {
  const world = challenge(planOf(plan));

  const { certificate } = until(world, { ...healthy, failing: { v1: 0.001, v2: 0.05 } }, 'rolledBack', 'promoted');

  expect(certificate?.conditions.length).toBeGreaterThan(2);
  for (const condition of certificate?.conditions ?? [])
    expect([condition, whatBreaks(condition)]).toEqual([condition, expect.stringMatching(/^[A-Z].*\.$/)]);
});

test.each([
  '1,200 requests mirrored, 0 copies never sent, which count nowhere; one pair an entity',
  'labels: 100 of 200 requests had one; the others are taken at their worst',
  'labels: 100 of 200 requests had one; whether one comes does not depend on the model',
  "unit: the user's first bad request; a promotion goes by the users still at risk, and does not certify latency",
])('%s: what breaks it is told', (condition) => {
  expect(whatBreaks(condition)).toMatch(/^Breaks if /);
});

test('what is not measured is told as a gap', () => {
  expect(whatBreaks('latency: not judged, the platform does not measure it')).toBe('If it gets worse, nobody notices.');
});

test('a condition that nobody wrote a sentence for has none', () => {
  expect(whatBreaks('the moon is full')).toBeUndefined();
});
