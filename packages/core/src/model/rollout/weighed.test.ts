import { expect, test } from 'vitest';
import { minute } from '../../base/time.ts';
import type { LabelTick } from '../../ports/telemetry.ts';
import { converge, healthy, planOf, serveTicks, type Traffic } from '../model.fixture.ts';
import { countLabels } from './evidence.ts';
import { challenge, type GivenRollout, rolloutOf, until, type World } from './judge.fixture.ts';
import type { Rollout } from './state.ts';
import { verifyRollout } from './verify.ts';

// What labels come to where the platform does not record the weight by which a request was routed.

const hidden: Traffic = { ...healthy, hidesWeights: true };
const ended = ['rolledBack', 'promoted', 'held'] as const;
const guardrails = { latency: false, labels: { maturity: '10m', margin: 2, floor: 0.01 } } as const;

const begun = (rollout: GivenRollout): World =>
  challenge(planOf({ rollout: { bake: '5m', guard: '5m', guardrails, ...rollout } }));

test.each([
  ['takes a candidate back that is wrong more often', { v1: 0.05, v2: 0.08 }, 'rolledBack'],
  ['promotes one that is not', { v1: 0.05, v2: 0.05 }, 'promoted'],
] as const)('an a/b test %s', (_, wrong, status) => {
  const world = begun({ strategy: 'ab', atMost: '2h' });

  const rollout = until(world, { ...hidden, wrong }, ...ended);

  expect(rollout.status).toBe(status);
  expect(verifyRollout(world.drive.entries, rollout.id).problems).toEqual([]);
  expect(Object.keys(rollout.evidence.streams.labels ?? {})).toEqual(['50']);
});

test('losses are bet on at the weight that the rollout remembers', () => {
  const labels = { kind: 'loss', tolerated: 0, marginLoss: 0.2, maturity: '10m' } as const;
  const plan = { strategy: 'ab', atMost: '3h', guardrails: { latency: false, labels } } as const;

  const rollout = until(begun(plan), { ...hidden, loss: { v1: 0.2, v2: 0.6 } }, ...ended);

  expect(rollout).toMatchObject({ status: 'rolledBack', because: { kind: 'evidence' } });
});

/** A canary that bakes at its second step. */
function atSecondStep(labels: boolean = true): Rollout {
  const { labels: _, ...without } = guardrails;
  const world = begun({ steps: [5, 25], guardrails: labels ? guardrails : without });
  for (let round = 0; round < 100; round += 1) {
    converge(world.drive, world.endpoint);
    const rollout = rolloutOf(world);
    if (rollout.status === 'baking' && rollout.step === 1) break;
    serveTicks(world.drive, hidden, 1);
  }
  return rolloutOf(world);
}

test('a rollout remembers from when until when the candidate surely had which weight', () => {
  const { weighed = [], evidence } = atSecondStep();
  const [first, second] = weighed;

  expect(weighed).toMatchObject([{ weight: 5 }, { weight: 25, from: evidence.readTo }]);
  expect(second).not.toHaveProperty('until');
  expect(first?.until).toBeLessThan(evidence.readTo);
  expect((first?.until ?? 0) - (first?.from ?? 0)).toBeGreaterThanOrEqual(4 * minute);
});

test('a rollout that is not judged by labels remembers no weights', () => {
  expect(atSecondStep(false)).not.toHaveProperty('weighed');
});

test('a tick counts at the weight that it lies in as a whole, and not at all while the weight was on its way', () => {
  const rollout = atSecondStep();
  const [first, next] = rollout.weighed ?? [];
  const from = first?.from ?? 0;
  const tick = (start: number): LabelTick => ({
    start,
    rows: ['v1', 'v2', 'v9'].map((deployment) => ({ deployment, requests: 100, labelled: 100, wrong: 10 })),
    ...{ losses: [], pairs: {} },
  });
  const lastWhole = Math.floor(((first?.until ?? 0) - minute) / minute) * minute;
  const ticks = [from - minute, from, lastWhole, lastWhole + minute, next?.from ?? 0].map(tick);
  const start = { ...rollout, evidence: { ...rollout.evidence, labels: undefined as never } };

  const { evidence } = countLabels(start, {
    ...{ type: 'labelsRead', id: 'a', at: 0, key: '', taken: 0, actor: { subject: 's', issuer: 'i', role: 'admin' } },
    ...{ from: from - minute, to: (next?.from ?? 0) + minute, ticks },
  } as never);

  const cells = evidence.streams.labels ?? {};
  expect(
    Object.entries(cells).map(([weight, cell]) => [weight, cell.candidateRequests, cell.championRequests]),
  ).toEqual([
    ['5', 200, 200],
    ['25', 100, 100],
  ]);
  expect(evidence.labels?.requests).toBe(600);
});
