import { expect, test } from 'vitest';
import { planOf } from '../model/model.fixture.ts';
import type { GivenRollout } from '../model/rollout/judge.fixture.ts';
import { certificationUnder } from './forecast.ts';
import { proposalFields, proposalFor, proposalText } from './proposal.ts';

const planWith = (rollout: GivenRollout = {}) =>
  planOf({ rollout: { steps: [5, 25, 50], bake: '15m', warmUp: 10, guardrails: {}, ...rollout } }).rollout;
const few = { rpm: 60, errorShare: 0.005 };

test('a config for few requests is told bounds that end its rollouts within hours, and they do', () => {
  const plan = planWith({ expected: few });

  const proposal = proposalFor(plan);

  const { margin = 0, floor = 0, atMost = 0, certifies = 0 } = proposal ?? {};
  const rule = { ...plan.guardrails.errors, margin, floor };
  const changed = { ...plan, atMost, guardrails: { ...plan.guardrails, errors: rule, latency: rule } } as typeof plan;
  const after = certificationUnder(changed, few);
  expect(after?.certified.inTime).toBeGreaterThanOrEqual(0.95);
  expect(after?.certifies?.median).toBe(certifies);
  expect(certifies).toBeLessThanOrEqual(90 * 60_000);
  expect(atMost).toBeLessThanOrEqual(4 * 3_600_000);
});

test('is told nothing if its traffic is enough, or not known', () => {
  expect(proposalFor(planWith({ expected: { rpm: 6000 } }))).toBeUndefined();
  expect(proposalFor(planWith())).toBeUndefined();
});

test('is never told to look closer than it asked for, and only about guardrails that decide', () => {
  const guardrails = { errors: { margin: 4, floor: 0.005 }, latency: { dryRun: true } };

  const proposal = proposalFor(planWith({ expected: { rpm: 10, errorShare: 0.005 }, guardrails }));

  expect(proposal).toMatchObject({ margin: 5, floor: 0.01, guardrails: ['errors'] });
});

test('the proposal is a text to paste, and says what it gives up', () => {
  const proposal = {
    margin: 3,
    floor: 0.01,
    atMost: 4 * 3_600_000,
    guardrails: ['errors', 'latency'],
    certifies: 74.5 * 60_000,
  } as const;

  expect(proposalFields(proposal)).toBe(
    "atMost: '4h', guardrails: { errors: { margin: 3, floor: 0.01 }, latency: { margin: 3, floor: 0.01 } }",
  );
  expect(proposalText(proposal)).toBe(
    'half of the healthy candidates are certified within 1h 15m, and nearly all within atMost; a candidate that is less than 3 times as bad, or bad in less than 1 % of its requests, may then be promoted',
  );
});
