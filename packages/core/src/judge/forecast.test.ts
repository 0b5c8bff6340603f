import { describe, expect, test } from 'vitest';
import { minute } from '../base/time.ts';
import { planOf } from '../model/model.fixture.ts';
import type { GivenRollout } from '../model/rollout/judge.fixture.ts';
import { drawsOf } from './draws.ts';
import { forecastOf, forecastText, rolloutWarnings } from './forecast.ts';

const defaults = { steps: [5, 25, 50], bake: '15m', warmUp: 10, guardrails: {} };
const planWith = (rollout: GivenRollout = {}) => planOf({ rollout: { ...defaults, ...rollout } }).rollout;
const forecast = (rpm: number, rollout: GivenRollout = {}, errorShare = 0.005) =>
  forecastOf(planWith(rollout), rpm, errorShare);

describe('a forecast', () => {
  test('of much traffic is that a candidate is certified about when its steps have baked', () => {
    const found = forecast(6000);

    expect(found?.certifies?.median).toBeLessThanOrEqual(47 * minute);
    expect(found).toMatchObject({ certified: { inTime: 1, atAll: 1 }, idle: [] });
  });

  test('of little traffic leaves out the step that shows nothing, and waits in the last', () => {
    const found = forecast(60);

    expect(found?.idle).toEqual([5]);
    expect(found?.certifies?.ofLastStep).toBeGreaterThan(30 * minute);
    expect(found?.certifies?.median).toBe(15 * minute + (found?.certifies?.ofLastStep ?? 0));
    expect(found?.slowest).toBe('errors');
  });

  test('of hardly any traffic is that nothing is certified before its hold ends', () => {
    expect(forecast(1)).toMatchObject({ certified: { inTime: 0, atAll: 0 } });
    expect(forecast(1)?.certifies).toBeUndefined();
    expect(forecastText(planWith({ expected: { rpm: 1 } }))).toContain('not before a hold of 1d ends');
  });

  test('of a champion without errors is not put off by fractions of an error', () => {
    const none = forecast(60, {}, 0)?.certifies?.ofLastStep ?? Number.POSITIVE_INFINITY;

    expect(none).toBeLessThan(170 * minute);
  });

  test('finds less with less traffic, and nothing where all requests of the candidate would be too few', () => {
    const to = (rpm: number, id: string) => forecast(rpm)?.finds.find(({ stream }) => stream === id)?.to;

    expect(to(6000, 'errors')).toBeLessThan(to(600, 'errors') ?? 0);
    expect(to(600, 'errors')).toBeLessThan(to(60, 'errors') ?? 0);
    expect(to(1, 'latency.p50')).toBeUndefined();
  });

  test('is the same each time', () => {
    expect(forecast(60)).toEqual(forecast(60));
  });

  test('is not made of a rollout without steps, or without a guardrail that decides', () => {
    expect(forecast(60, { strategy: 'allAtOnce' })).toBeUndefined();
    expect(forecast(60, { guardrails: { errors: false, latency: false } })).toBeUndefined();
  });
});

test('a config is warned of only if its traffic is too little for its time', () => {
  const warnings = (rpm: number) =>
    rolloutWarnings(planWith({ expected: { rpm, errorShare: 0.005 } }), false).filter((text) => /atMost/.test(text));

  expect(warnings(6000)).toEqual([]);
  expect(warnings(6)).toEqual([
    expect.stringMatching(/^with 6 requests a minute atMost \(1h\) is too short: 0 % of the healthy candidates/),
  ]);
});

describe('drawn counts', () => {
  test.each([0, 0.3, 5, 59, 61, 40_000])('have the mean and the variance of a Poisson law with mean %d', (mean) => {
    const draws = drawsOf(7);
    const counts = Array.from({ length: 4000 }, () => draws.poisson(mean));
    const average = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const variance = counts.reduce((sum, count) => sum + (count - average) ** 2, 0) / counts.length;

    expect(Math.abs(average - mean)).toBeLessThanOrEqual(4 * Math.sqrt(mean / 4000));
    expect(Math.abs(variance - mean)).toBeLessThanOrEqual(0.12 * mean);
    expect(counts.every((count) => Number.isSafeInteger(count) && count >= 0)).toBe(true);
  });
});
