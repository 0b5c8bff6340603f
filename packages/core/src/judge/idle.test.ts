import { describe, expect, test } from 'vitest';
import { day, minute } from '../base/time.ts';
import { planOf } from '../model/model.fixture.ts';
import type { GivenRollout } from '../model/rollout/judge.fixture.ts';
import type { History, MeasureHistory } from './history.ts';
import { idleSteps, idleText, trafficOf } from './idle.ts';
import { rulesOf } from './rules.ts';

const thresholds = { p50: 20, p90: 60, p99: 200, requests: 10_000 };

function idle(rpm: number, rollout: GivenRollout = {}, errorShare = 0.005): readonly number[] {
  const plan = planOf({ rollout: { bake: '15m', warmUp: 10, guardrails: {}, ...rollout } }).rollout;
  return idleSteps(plan.steps, plan, rulesOf({ plan, sticky: false, thresholds }), { rpm, errorShare });
}

describe('a step that would not show a candidate that is five times as bad', () => {
  test('is left out at 60 requests a minute, where the next one brings 15', () => {
    expect(idle(60, { steps: [5, 25, 50] })).toEqual([5]);
  });

  test('is left out with the next, too, where a minute has ten requests', () => {
    expect(idle(10, { steps: [5, 25, 50] })).toEqual([5, 25]);
  });

  test('stays if the next step would bring more than 20 requests a minute', () => {
    expect(idle(80, { steps: [5, 25, 50] })).toEqual([5]);
    expect(idle(81, { steps: [5, 25, 50] })).toEqual([]);
    expect(idle(60, { steps: [5, 34, 50] })).toEqual([]);
    expect(idle(6000, { steps: [1, 2] }, 0.00001)).toEqual([]);
  });

  test('is never the last one, nor one of a harm budget', () => {
    expect(idle(1, { steps: [50] })).toEqual([]);
    expect(idle(10, { steps: [5, 25, 50], harmBudget: 30 })).toEqual([]);
  });
});

test('a step that would show it stays', () => {
  const errorsOnly: GivenRollout = { steps: [5, 25, 50], guardrails: { latency: false } };

  expect(idle(60, { ...errorsOnly, bake: '3h' })).toEqual([]);
  expect(idle(60, { ...errorsOnly, bake: '15m' })).toEqual([5]);
  expect(idle(60, { ...errorsOnly, bake: '15m' }, 0.1)).toEqual([]);
});

test('the reason names the steps and the traffic', () => {
  expect(idleText([5], { rpm: 60.2, errorShare: 0 })).toBe(
    'the step of 5 % is left out: with 60 requests a minute even a candidate that is 5 times as bad would not show there',
  );
  expect(idleText([5, 25], { rpm: 10, errorShare: 0 })).toMatch(/^the steps of 5 and 25 % are left out/);
});

describe('the traffic of a champion', () => {
  const errors: MeasureHistory = {
    bad: 500,
    requests: 100_000,
    parts: [10_000, 20_000, 40_000, 30_000, 15_000].map((requests) => ({ bad: 5, requests })),
    typical: 0,
    dispersion: 1,
    calm: true,
  };
  const history: History = { from: 0, to: 7 * day, ticks: 1440, measures: { errors } };

  test('is that of its busiest quarter of a day', () => {
    expect(trafficOf(history)).toEqual({ rpm: 40_000 / ((7 * day) / 4 / minute), errorShare: 0.005 });
  });

  test('is not known of one that did not serve in each quarter of a day, or that nobody counted', () => {
    const young = {
      ...errors,
      parts: errors.parts?.map((part, index) => (index === 1 ? { bad: 0, requests: 0 } : part)),
    };

    expect(trafficOf({ ...history, measures: { errors: young as MeasureHistory } })).toBeUndefined();
    expect(trafficOf({ ...history, measures: {} })).toBeUndefined();
    expect(trafficOf({ ...history, measures: { errors: { ...errors, parts: [] } } })).toBeUndefined();
  });
});
