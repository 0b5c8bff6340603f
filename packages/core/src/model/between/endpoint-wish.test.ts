import { expect, test } from 'vitest';
import { planOf, withCanary, withChampion } from '../model.fixture.ts';
import type { Model } from '../state.ts';
import { deploymentOf, desiredOf } from './endpoint-wish.ts';

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

test('a version is deployed by its own program; one that serves nowhere is not', () => {
  expect(deploymentOf(champion, 1)).toMatchObject({ name: 'v1', version: 1, command: ['node', 'serve.mjs'] });
  expect([deploymentOf(champion, 9), deploymentOf(without, 1)]).toEqual([undefined, undefined]);
});
