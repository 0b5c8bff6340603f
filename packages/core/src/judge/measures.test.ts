import { expect, test } from 'vitest';
import type { Stream } from '../guardrails/guardrail.ts';
import { planOf } from '../model/model.fixture.ts';
import { noEvidence, withTick } from './evidence.ts';
import { unmeasured } from './judge.ts';
import { measuresOf, type Rules, rulesOf } from './rules.ts';

const thresholds = { p50: 20, p90: 20, p99: 50, requests: 1000 };
const place = { weight: 50, lastWeight: 50, candidate: 'v2', champion: 'v1' };
const tick = {
  start: 0,
  counts: { v1: { requests: 10, bad: { errors: 3 } }, v2: { requests: 10, bad: { errors: 4 } } },
};

/** The judge of errors alone, watching another measure. */
function watching(measure: string): Rules {
  const rules = rulesOf({ plan: planOf().rollout, sticky: false });
  const streams: readonly Stream[] = [{ id: measure, measure, harm: true, promotes: true, events: measure }];
  return { ...rules, guardrails: rules.guardrails.map((guardrail) => ({ ...guardrail, streams })) };
}

test('a rollout asks for errors, and for what its guardrails watch', () => {
  const plan = planOf({ rollout: { guardrails: {} } }).rollout;

  expect(measuresOf(rulesOf({ plan, sticky: false, thresholds }))).toEqual([
    ...['errors', 'slower than 20 ms', 'slower than 20 ms', 'slower than 50 ms'],
  ]);
  expect(measuresOf(rulesOf({ plan, sticky: false }))).toEqual(['errors']);
});

test('a measure that the platform does not count is judged by nothing, least of all by errors', () => {
  const rules = watching('timeouts');

  const evidence = withTick(noEvidence(0), tick, 60_000, place, rules);

  expect(evidence.streams).toEqual({});
  expect(evidence.candidate).toEqual({ requests: 10, errors: 4 });
  expect(rules.guardrails.map((guardrail) => unmeasured(evidence, guardrail))).toEqual([true]);
});

test('a measure that it counts is judged by its own counts', () => {
  const counted = { ...tick, counts: { ...tick.counts, v2: { requests: 10, bad: { errors: 4, timeouts: 2 } } } };
  const both = { ...counted, counts: { ...counted.counts, v1: { requests: 10, bad: { errors: 3, timeouts: 1 } } } };

  const { streams } = withTick(noEvidence(0), both, 60_000, place, watching('timeouts'));

  expect(streams.timeouts?.['50']).toMatchObject({ candidate: 2, champion: 1, candidateRequests: 10 });
});

test('counts without errors are refused', () => {
  const broken = { start: 0, counts: { v2: { requests: 10, bad: { timeouts: 1 } } } };

  expect(() => withTick(noEvidence(0), broken, 60_000, place, watching('timeouts'))).toThrow(
    'the errors of v2 are not counted',
  );
});

test('both arms together are watched in the measures that decide, and not by segment', () => {
  const guardrails = { errors: { floor: 0.05, toleratedRatio: 1.5 }, latency: { dryRun: true } };
  const { rollout: plan } = planOf({ rollout: { guardrails, segments: { by: 'x-country', values: ['ch', 'de'] } } });
  const before = { bad: 10, requests: 1000, worst: 0.01 };
  const together = { windows: 2016, measures: { errors: before, 'slower than 50 ms': before } };
  const history = { from: 0, to: 1, ticks: 1, measures: {}, together };

  expect(rulesOf({ plan, sticky: false, thresholds, history }).together).toMatchObject({
    windows: 2016,
    ceilings: [{ measure: 'errors', events: 'failed requests', limit: 0.05 }],
  });
});
