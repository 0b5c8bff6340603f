import { expect, test } from 'vitest';
import { planOf, withCanary, withChampion } from '../model.fixture.ts';
import type { Model } from '../state.ts';
import { deploymentOf, desiredOf, wishForEndpoint } from './endpoint-wish.ts';

const champion = withChampion().drive.state;
const baking = withCanary().drive.state;
const rollout = (model: Model, more: object) => ({ ...model, rollout: { ...model.rollout, ...more } }) as Model;
const without = withChampion(planOf({ serve: 'none' })).drive.state;

test.each([
  [
    'a champion has all traffic, and nothing else is kept',
    champion,
    [1],
    { '1': 100 },
    { extras: 'retire', needs: [1] },
  ],
  ['a canary has the weight of its step', baking, [1, 2], { '1': 90, '2': 10 }, { extras: 'keep', needs: [2] }],
  [
    'a first version has all traffic as soon as it is ready',
    rollout(baking, { stable: undefined }),
    [2],
    { '2': 100 },
    { urgent: false, needs: [2] },
  ],
  [
    'what goes back needs nothing that is not there, and waits for nothing',
    rollout(baking, { status: 'reverting' }),
    [1],
    { '1': 100 },
    { urgent: true, needs: [], extras: 'keep' },
  ],
  [
    'a first version that goes back leaves nothing',
    rollout(baking, { status: 'reverting', stable: undefined }),
    [],
    {},
    { urgent: true },
  ],
  ['a champion without an endpoint wants none', without, [], {}, { extras: 'retire' }],
] as const)('%s', (_, model, versions, weights, more) => {
  expect(desiredOf(model)).toMatchObject({ versions, weights, ...more });
});

test('a write that is under way when the wish changes may land until half a minute after its lease', () => {
  const lease = { by: 'one', taken: 7, until: baking.at + 60_000, failures: 0 };
  const writing = { ...rollout(baking, { status: 'reverting' }), debts: { 'endpoint/change/1.1': lease } } as Model;

  const wished = wishForEndpoint(writing, { at: baking.at, seq: 1, by: 'ann' });

  expect(wished.endpoint.forward).toEqual({ key: 'endpoint/change/1.1#7', until: baking.at + 90_000 });
});

test('a version is deployed with the accelerator that it asks for', () => {
  const serve = { command: ['node', 'serve.mjs'], compute: { accelerator: { type: 'T4' } } };
  const { state } = withChampion(planOf({ serve })).drive;

  expect(deploymentOf(state, 1)?.compute).toMatchObject({ accelerator: { type: 'T4' }, spot: false, nodes: 1 });
});

test('a version is deployed by its own program; one that serves nowhere is not', () => {
  expect(deploymentOf(champion, 1)).toMatchObject({ name: 'v1', version: 1, command: ['node', 'serve.mjs'] });
  expect([deploymentOf(champion, 9), deploymentOf(without, 1)]).toEqual([undefined, undefined]);
});

test('an endpoint keeps copies of the share of requests that the plan says, and none of a share of nothing', () => {
  const capture = (share: string) => ({ share, fields: ['size', 'colour'], keep: '7d', atMost: '5MB' });
  const deployed = (share: string) => {
    const { state } = withChampion(planOf({ monitor: { capture: capture(share) } })).drive;
    return deploymentOf(state, 1);
  };

  const kept = { fields: ['size', 'colour'], keepMs: 7 * 24 * 3_600_000, atMostBytes: 5_000_000 };
  expect(deployed('2.5%')?.capture).toEqual({ percent: 2.5, ...kept });
  expect([deployed('0%'), deploymentOf(champion, 1)].map((deployment) => deployment?.capture)).toEqual([
    undefined,
    undefined,
  ]);
});
