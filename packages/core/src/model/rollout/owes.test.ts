import { expect, test } from 'vitest';
import { day, minute } from '../../base/time.ts';
import { planOf, withCanary } from '../model.fixture.ts';
import { rolloutOwes, rolloutWakes } from './owes.ts';
import type { Rollout } from './state.ts';

const plan = planOf({
  rollout: { steps: [10, 50], bake: '2m', guardrails: { latency: false, labels: { maturity: '10m' } } },
});
const canary = withCanary().drive.state.rollout ?? expect.fail();
const rollout: Rollout = { ...canary, plan: plan.rollout };
const { tick } = rollout.plan;
const labelsFrom = Math.ceil(rollout.startedAt / tick) * tick;
const later = rollout.startedAt + 10 * day;

/** In this status, with its ticks read for a day ahead: next is a tick of labels. */
const waiting = (status: Rollout['status'], more: object = {}): Rollout =>
  ({
    ...rollout,
    ...{ status, endsAt: later, until: later, deadline: later, because: 'x' },
    evidence: { ...rollout.evidence, readTo: rollout.startedAt + day },
    ...more,
  }) as Rollout;

test.each(['baking', 'paused', 'held', 'guarding'] as const)(
  'one that is %s wakes for labels that have matured',
  (status) => {
    const due = labelsFrom + tick + 10 * minute;

    expect(rolloutWakes(waiting(status))).toBe(due);
    expect(rolloutOwes(waiting(status), due - 1, 'fraud')).toEqual([]);
    expect(rolloutOwes(waiting(status), due, 'fraud')).toMatchObject([
      {
        ...{ kind: 'readLabels', from: labelsFrom, to: labelsFrom + tick, maturityMs: 10 * minute },
        compared: ['v2', 'v1'],
      },
    ]);
  },
);

test.each(['promoted', 'rolledBack', 'aborted', 'reverting'] as const)('one that is %s owes nothing', (status) => {
  const { since: _, ...ended } = waiting(status) as Rollout & { readonly since?: number };

  expect(rolloutOwes(ended as Rollout, later, 'fraud')).toEqual([]);
  expect(rolloutWakes(ended as Rollout)).toBeUndefined();
});

test('labels are read as numbers where the rollout is judged by their errors, and as text elsewhere', () => {
  const [due, rules] = [labelsFrom + tick + 10 * minute, rollout.plan.guardrails];
  const labels = { ...rules.labels, maturity: 10 * minute, kind: 'loss' as const, scale: 10 };
  const guardrails = { ...rules, labels } as typeof rules;
  const [plain] = rolloutOwes(waiting('baking'), due, 'fraud');

  expect(rolloutOwes(waiting('baking', { plan: { ...rollout.plan, guardrails } }), due, 'fraud')).toEqual([
    { ...plain, truths: { scale: 10 } },
  ]);
  expect(plain).not.toHaveProperty('truths');
});

test('a first version has no champion whose labels it could be compared with', () => {
  const { stable: _, ...first } = waiting('baking');

  expect(rolloutOwes(first as Rollout, rollout.startedAt + day - 1, 'fraud')).toEqual([]);
});

test('ticks that were missed for long are read in parts', () => {
  const behind = { ...rollout.evidence, readTo: labelsFrom };
  const [ticks] = rolloutOwes(waiting('baking', { evidence: behind }), labelsFrom + 1000 * tick, 'fraud');

  expect(ticks).toMatchObject({ kind: 'readTicks', from: labelsFrom, to: labelsFrom + 240 * tick });
});
