import { describe, expect, test } from 'vitest';
import { step } from '../../base/table.ts';
import type { Observation } from '../../ports/serving.ts';
import { human, planOf, withCanary } from '../model.fixture.ts';
import type { ModelSignal } from '../protocol.ts';
import { type Endpoint, endForward, endpointOwes, endpointTable, wishing } from './endpoint.ts';
import { type Desired, firstOperation, isFulfilled, nextOperation, nothingDesired } from './wish.ts';

const home: Desired = { versions: [1], weights: { '1': 100 }, extras: 'keep', urgent: true, needs: [] };
const canary: Desired = {
  versions: [1, 2],
  weights: { '1': 90, '2': 10 },
  extras: 'keep',
  urgent: false,
  needs: [2],
};
const at = 1_000_000;
const context = { model: 'fraud', deployment: () => undefined };
const deploymentOf = (version: number, status: 'ready' | 'pending' | 'failed' = 'ready') => ({
  name: `v${version}`,
  version,
  status,
});
const seen = (weights: Observation['weights'], more: Partial<Observation> = {}): Observation => ({
  deployments: [deploymentOf(1), deploymentOf(2)],
  weights,
  busy: false,
  ...more,
});

type Bare<Known> = Known extends unknown ? Omit<Known, 'id' | 'at' | 'actor'> : never;
const answer = { key: 'k', taken: 1 };

/** The endpoint after a signal that it takes; the same one where that says nothing new. */
function after(endpoint: Endpoint, said: Bare<ModelSignal>, when = at): Endpoint {
  const result = step(endpointTable, endpoint, { ...said, id: 'x', at: when, actor: human } as ModelSignal, context);
  if ('refused' in result) throw new Error(result.refused);
  return 'moved' in result ? result.moved : endpoint;
}
const look = (endpoint: Endpoint, observation: Observation | 'absent', when = at) =>
  after(endpoint, { ...answer, type: 'endpointObserved', begunAt: when, observation }, when);
const owed = (endpoint: Endpoint, now = at) =>
  endpointOwes(endpoint, now, context).map((effect) =>
    effect.kind === 'change' ? [effect.kind, effect.operation, effect.falling] : [effect.kind],
  );

/** 10 % on the candidate, seen a while ago. */
const shifted = look(wishing(blank(), canary, at - 5000), seen({ v1: 90, v2: 10 }), at - 4000);
const weighHome = ['change', { kind: 'weigh', weights: { v1: 100 } }, true];

function blank(): Endpoint {
  return { status: 'absent', desired: nothingDesired, since: 0, looks: 0, lookAt: 0, weights: {} };
}

describe('a revert', () => {
  test('is one call of the provider after the verdict, in the same append that holds the verdict', () => {
    const { drive, endpoint } = withCanary();
    const before = drive.entries.length;
    const calls: string[] = [];

    drive.say({ type: 'abortRequested' });
    for (let round = 0; round < 9 && JSON.stringify(endpoint.observe()).includes('"v2":10'); round += 1) {
      const [effect] = [...drive.owed('change'), ...drive.owed('observe')];
      if (effect === undefined) throw new Error('nothing is owed');
      calls.push(effect.kind);
      if (effect.kind === 'change') endpoint.apply(effect.operation);
      else drive.answer('observe', { type: 'endpointObserved', begunAt: drive.now, observation: endpoint.observe() });
    }

    expect(calls).toEqual(['change']);
    expect(drive.entries.length - before).toBe(1);
    expect(endpoint.observe()).toMatchObject({ weights: { v1: 100 } });
    expect(drive.state.rollout).toMatchObject({ status: 'reverting' });
  });

  test('is looked at once it is written, and ends only when it is seen', () => {
    const written = after(wishing(shifted, home, at), { ...answer, type: 'endpointChanged', answer: 'accepted' });

    expect(owed(written)).toEqual([['observe']]);
    expect(look(written, seen({ v1: 90, v2: 10 })).status).toBe('converging');
    expect(owed(look(written, seen({ v1: 90, v2: 10 })))).toEqual([weighHome]);
    expect(look(written, seen({ v1: 100 })).status).toBe('converged');
  });

  test('that meets an operation under way is looked at a second later, and written again when that has ended', () => {
    const busy = after(wishing(shifted, home, at), { ...answer, type: 'endpointChanged', answer: 'busy' });

    expect(owed(busy)).toEqual([]);
    expect(owed(busy, at + 1000)).toEqual([['observe']]);
    const looked = look(busy, seen({ v1: 90, v2: 10 }, { busy: true }), at + 1000);
    expect(owed(looked, at + 1000)).toEqual([]);
    expect(owed(look(looked, seen({ v1: 90, v2: 10 }), at + 2000), at + 2000)).toEqual([weighHome]);
  });

  test('that is refused unseen is looked at, and told what is possible; refused again it is blocked', () => {
    const refused = after(wishing(shifted, home, at), { ...answer, type: 'effectRefused', because: 'v1 is gone' });

    expect(refused.status).toBe('converging');
    expect(owed(refused)).toEqual([['observe']]);
    const looked = look(refused, seen({ v1: 90, v2: 10 }));
    expect(owed(looked)).toEqual([weighHome]);
    expect(after(looked, { ...answer, type: 'effectRefused', because: 'not allowed' }).status).toBe('blocked');
  });

  test('that meets a provider which went back by itself has nothing more to write', () => {
    const written = after(wishing(shifted, home, at), { ...answer, type: 'endpointChanged', answer: 'accepted' });

    expect(look(written, seen({ v1: 100 }, { revertedByProvider: 'its alarm fired' })).status).toBe('converged');
  });

  test('does not end while an earlier write may still land', () => {
    const until = at + 60_000;
    const reverting = wishing(shifted, home, at, { key: 'endpoint/change/1.1#7', until });

    const written = after(reverting, { ...answer, type: 'endpointChanged', answer: 'accepted' });
    const early = look(written, seen({ v1: 100 }));
    expect(early).toMatchObject({ status: 'converging', lookAt: until });
    expect(owed(look(early, seen({ v1: 90, v2: 10 }), until), until)).toEqual([weighHome]);
    expect(look(early, seen({ v1: 100 }), until).status).toBe('converged');
  });

  test('whose first write never comes through is blocked after a quarter of an hour, and then looked at', () => {
    const late = after(wishing(shifted, home, at), { type: 'clockTicked' }, at + 15 * 60_000);

    expect(late.status).toBe('blocked');
    expect(owed(late, at + 16 * 60_000)).toEqual([['observe']]);
  });
});

describe('an endpoint on the way to its wish', () => {
  const hour = 60 * 60_000;
  const served = look(wishing(blank(), home, at - 2 * hour), seen({ v1: 100 }), at - 2 * hour);

  test('that was changed by somebody else has its full time to be put right, from when that was seen', () => {
    const changed = look(served, seen({ v1: 50, v2: 50 }));

    expect(changed).toMatchObject({ status: 'converging', since: at });
    expect(after(changed, { type: 'clockTicked' }, at + 60_000).status).toBe('converging');
  });

  test('knows through a change of the wish what it served: a revert needs no look first', () => {
    const further = wishing(shifted, { ...canary, weights: { '1': 50, '2': 50 } }, at);

    expect(owed(wishing(further, home, at))).toEqual([weighHome]);
  });

  test('that is blocked still reckons with the write before', () => {
    const forward = { key: 'endpoint/change/1.1#7', until: at + 60_000 };
    const looked = look(wishing(shifted, home, at, forward), seen({ v1: 90, v2: 10 }));

    const blocked = after(looked, { ...answer, type: 'effectRefused', because: 'not allowed' });

    expect(blocked).toMatchObject({ status: 'blocked', forward });
    expect(look(blocked, seen({ v1: 100 }), at + 1000).status).toBe('converging');
  });

  test('writes what was decided before it looks again, also when the write before has ended', () => {
    const further = wishing(shifted, { ...canary, weights: { '1': 50, '2': 50 } }, at);
    const forward = { key: 'endpoint/change/1.1#7', until: at + 60_000 };

    const ended = endForward(wishing(further, home, at, forward), at + 1);

    expect(ended).not.toHaveProperty('forward');
    expect(owed(ended)).toEqual([weighHome]);
  });

  test('gives orders that change nothing ever more slowly', () => {
    const accepted = { ...answer, type: 'endpointChanged', answer: 'accepted' } as const;
    const looked = look(wishing(shifted, home, at), seen({ v1: 90, v2: 10 }));

    const pauses = [19, 20].map((looks) => after({ ...looked, looks }, accepted).lookAt - at);

    expect(pauses).toEqual([0, 15_000]);
  });

  test('is looked at sooner when its provider says that it changed, and no later', () => {
    const busy = after(wishing(shifted, home, at), { ...answer, type: 'endpointChanged', answer: 'busy' });

    expect(after(busy, { type: 'endpointHinted' }, at + 100).lookAt).toBe(at + 100);
    expect(after(busy, { type: 'endpointHinted' }, at + 5000).lookAt).toBe(at + 1000);
  });
});

describe('what is written before anybody looks', () => {
  const reverted = { weights: { v1: 90, v2: 10 } };
  test.each<[string, Parameters<typeof firstOperation>[0], Desired, Readonly<Record<string, number>> | undefined]>([
    ['a revert to a champion that held weight', reverted, home, { v1: 100 }],
    ['a first version that is taken off', { weights: { v1: 100 } }, { ...home, versions: [], weights: {} }, {}],
    ['no step of a rollout', reverted, { ...canary, weights: { '1': 50, '2': 50 } }, undefined],
    ['nothing where the last look shows the wish already', { weights: { v1: 100 } }, home, undefined],
    ['nothing where nothing was served at the last look', { weights: {} }, home, undefined],
    ['nothing to a champion that held no weight: it may not be ready', { weights: { v2: 100 } }, home, undefined],
    ['nothing to a champion that was not ready', { ...reverted, unready: { v1: 'no answer' } }, home, undefined],
    ['a revert whose candidate was not ready', { ...reverted, unready: { v2: 'no answer' } }, home, { v1: 100 }],
    ['nothing with a mirror', reverted, { ...home, mirror: { version: 2, percent: 10 } }, undefined],
  ])('%s', (_, known, desired, weights) => {
    expect(firstOperation(known, desired)).toEqual(weights === undefined ? undefined : { kind: 'weigh', weights });
  });
});

describe('the way to a wish', () => {
  const spec = (version: number) =>
    ({ ...deploymentOf(version), artifact: { uri: '', digest: '', bytes: 0 } }) as never;
  const alone: Desired = { versions: [1], weights: { '1': 100 }, extras: 'retire', urgent: false, needs: [1] };
  test.each<[string, Observation | 'absent', Desired, string | undefined]>([
    ['capacity comes first', 'absent', alone, 'deploy v1'],
    ['no weight before it is ready', seen({}, { deployments: [deploymentOf(1, 'pending')] }), alone, undefined],
    ['weight once it is ready', seen({}, { deployments: [deploymentOf(1)] }), alone, 'weigh {"v1":100}'],
    ['what is not wanted goes last', seen({ v1: 100 }), alone, 'retire v2'],
    ['nothing goes while a rollout is under way', seen({ v1: 100 }), { ...home, urgent: false }, undefined],
    ['weight falls before capacity', seen({ v1: 90, v2: 10 }), alone, 'weigh {"v1":100}'],
    [
      'a candidate that failed with a small share loses it',
      seen({ v1: 90, v2: 10 }, { deployments: [deploymentOf(1), deploymentOf(2, 'failed')] }),
      canary,
      'weigh {"v1":100}',
    ],
    [
      'one that failed without weight goes, to be made anew',
      seen({ v1: 100 }, { deployments: [deploymentOf(1), deploymentOf(2, 'failed')] }),
      canary,
      'retire v2',
    ],
  ])('%s', (_, observation, desired, expected) => {
    const operation = nextOperation(observation, desired, spec);

    const text =
      operation?.kind === 'weigh'
        ? `weigh ${JSON.stringify(operation.weights)}`
        : operation?.kind === 'deploy'
          ? `deploy ${operation.deployment.name}`
          : operation === undefined
            ? undefined
            : `retire ${operation.deployment}`;
    expect(text).toBe(expected);
  });

  test('ends for a revert with its weights, for others with what has to be ready and nothing beside', () => {
    const gone = seen({ v1: 100 }, { deployments: [deploymentOf(1, 'failed'), deploymentOf(2)] });

    expect(isFulfilled(gone, home)).toBe(true);
    expect(isFulfilled(gone, { ...home, urgent: false, needs: [1] })).toBe(false);
    expect(isFulfilled(seen({ v1: 100 }, { busy: true }), home)).toBe(false);
    expect(isFulfilled(seen({ v1: 100 }), alone)).toBe(false);
    expect(isFulfilled(seen({ v1: 100 }, { deployments: [deploymentOf(1)] }), alone)).toBe(true);
  });
});

describe('what is asked of an endpoint', () => {
  test('goes to the kind of serving that its versions were trained for', () => {
    const plan = planOf();
    if (plan.serve === 'none') throw new Error('it serves');
    const { drive } = withCanary({ ...plan, serve: { ...plan.serve, on: 'endpoint' } });

    drive.wait(180_000);
    drive.say({ type: 'endpointHinted' });

    const asked = drive.owed().filter(({ kind }) => ['observe', 'readTicks'].includes(kind));
    expect(asked.map(({ kind }) => kind).sort()).toEqual(['observe', 'readTicks']);
    for (const effect of asked) expect(effect).toMatchObject({ on: 'endpoint' });
  });
});
