import { healthy, planOf, type Traffic } from '../model.fixture.ts';
import { challenge, first, type GivenModel, noLatency, until, type World } from './judge.fixture.ts';
import type { Rollout } from './state.ts';

/** Rollouts that end, or wait, each for another reason: what is said of them must be understood. */

const ended = ['promoted', 'rolledBack', 'aborted'] as const;

function under(traffic: Traffic, plan: GivenModel = {}, statuses: readonly Rollout['status'][] = ended): World {
  const world = challenge(
    planOf({ ...plan, rollout: { bake: '15m', guard: '30m', steps: [5, 25, 50], ...plan.rollout } }),
    60,
  );
  until(world, traffic, ...statuses);
  return world;
}

const arms = (v1: number, v2: number) => ({ v1, v2 });
const calm = { ...healthy, failing: arms(0.005, 0.005) };

export const endings = {
  'more errors': () => under({ perMinute: 6000, failing: arms(0.005, 0.015) }),
  'slower answers': () => under({ ...calm, slower: { v2: 2 } }),
  'wrong predictions': () =>
    under(
      { ...calm, wrong: arms(0.05, 0.09) },
      {
        rollout: {
          strategy: 'ab',
          atMost: '2h',
          guardrails: { latency: false, labels: { maturity: '10m', floor: 0.01 } },
        },
      },
    ),
  'larger losses': () =>
    under(
      { ...calm, loss: arms(0.2, 0.5) },
      {
        rollout: {
          strategy: 'ab',
          atMost: '3h',
          guardrails: { latency: false, labels: { kind: 'loss', marginLoss: 0.2, maturity: '10m' } },
        },
      },
    ),
  'users who stay': () =>
    under(
      { ...healthy, newUsers: 400, failing: arms(0.01, 0.06) },
      { serve: { command: ['node', 'serve.mjs'], stickyBy: 'x-user' }, rollout: { guardrails: { latency: false } } },
    ),
  'one country': () =>
    under(
      { ...healthy, failing: arms(0.004, 0.006), failingInDe: arms(0.004, 0.03) },
      { rollout: { guardrails: { latency: false }, segments: { by: 'x-country', values: ['de', 'fr'] } } },
    ),
  'a mirror': () =>
    under(
      { ...calm, pairs: { mirror: 12, served: 1, dropped: 40 } },
      { rollout: { ...noLatency, strategy: 'shadow' } },
    ),
  'a promotion': () => under(calm),
  'a promotion without errors': () => under({ perMinute: 6000 }),
  'too little evidence': () => under({ perMinute: 60 }, {}, ['held', ...ended]),
  'all at once': () => under(calm, { rollout: { strategy: 'allAtOnce' } }),
  'requests that came otherwise': () => under({ ...calm, skew: 1.5 }, { rollout: noLatency }, ['held', ...ended]),
  'a hard limit': () => under({ ...healthy, failing: arms(0.005, 0.9) }, { rollout: noLatency }),
  'a person': () => {
    const world = under(calm, {}, ['baking']);
    world.drive.say({ type: 'abortRequested', because: 'the model is biased' });
    until(world, calm, ...ended);
    return world;
  },
  'a first version': () => {
    const world = first(planOf({ rollout: { guard: '30m' } }));
    until(world, calm, ...ended);
    return world;
  },
} satisfies Readonly<Record<string, () => World>>;
