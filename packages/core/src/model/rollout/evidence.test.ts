import { expect, test } from 'vitest';
import { minute } from '../../base/time.ts';
import { withCanary } from '../model.fixture.ts';
import { affordableStep } from './evidence.ts';
import type { Rollout } from './state.ts';

const canary = withCanary().drive.state.rollout ?? expect.fail();
const counted = { requests: 3000, errors: 3 };

/** What the second step may have, after ten minutes at 10 %. */
function second(steps: readonly number[], atMost: number, harmBudget?: number) {
  const plan = { ...canary.plan, bake: 5 * minute, tick: minute, atMost, ...(harmBudget && { harmBudget }) };
  const evidence = {
    ...canary.evidence,
    ...{ closed: 10, excess: 0.01 },
    candidate: { ...canary.evidence.candidate, ...counted },
    stable: { ...canary.evidence.stable, requests: 27_000 },
  };
  const found = affordableStep({ ...canary, steps, plan, evidence } as Rollout, 1);
  return 'weight' in found ? found.weight : found;
}

test('the last step pays for all the time that it may take, and the others for their bake', () => {
  expect(second([10, 50], 60 * minute, 300)).toBeLessThan(Number(second([10, 50], 5 * minute, 300)));
  expect(second([10, 50, 80], 60 * minute, 300)).toBe(second([10, 50, 80], 5 * minute, 300));
});

test('without a budget a step has what was planned', () => {
  expect(second([10, 50], 60 * minute)).toBe(50);
});
