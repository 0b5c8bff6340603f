import { describe, expect, test } from 'vitest';
import { decideModel } from './decide.ts';
import { take } from './handlers.ts';
import { driver, human, type Said, withCanary, withChampion } from './model.fixture.ts';
import type { ModelSignal } from './protocol.ts';
import type { Model } from './state.ts';

const at = Date.UTC(2026, 0, 3);
const canary = withCanary().drive.state;
const deploying = { ...canary, rollout: { ...canary.rollout, status: 'deploying', deadline: at * 2 } } as Model;

/** The model after the signal's own part; the same model where that says nothing. */
function after(model: Model, said: Said): Model {
  const signal = { ...said, id: 's', at, actor: human } as ModelSignal;
  const taken = take(model, signal, { at, seq: 99, by: 'ann' });
  return 'moved' in taken ? taken.moved : model;
}
const decided = (model: Model, said: Said) =>
  decideModel(
    model,
    { ...said, id: 's', at: model.at, actor: human } as ModelSignal,
    { model: 'fraud', seq: 99 },
    { self: 'test', dispatches: true, alone: true },
  );
const rolloutAfter = (model: Model, said: Said) => after(model, said).rollout;

describe('what the provider says of a candidate', () => {
  const seen = (more: object) =>
    ({
      type: 'endpointObserved',
      key: 'endpoint/observe/1.1',
      taken: 1,
      begunAt: at,
      observation: { deployments: [], weights: { v1: 90, v2: 10 }, busy: false, ...more },
    }) as const;
  const failed = (version: number, reason?: string) =>
    seen({
      deployments: [{ name: `v${version}`, version, status: 'failed', ...(reason === undefined ? {} : { reason }) }],
    });

  test('ends its rollout when its deployment failed, with the reason', () => {
    expect(rolloutAfter(canary, failed(2, 'out of memory'))).toMatchObject({
      status: 'reverting',
      because: { kind: 'ready', text: 'v2 failed: out of memory' },
    });
    expect(rolloutAfter(canary, failed(2))).toMatchObject({ because: { text: 'v2 failed: without a reason' } });
    expect(rolloutAfter(canary, failed(1, 'out of memory'))).toBe(canary.rollout);
  });

  test('ends its rollout when the provider took the change back, but not before its own deployment is there', () => {
    const takenBack = seen({ revertedByProvider: 'its alarm fired' });

    expect(rolloutAfter(canary, takenBack)).toMatchObject({ because: { text: 'v2 failed: its alarm fired' } });
    expect(rolloutAfter(deploying, takenBack)).toBe(deploying.rollout);
  });
});

describe('an order that is refused for good', () => {
  const refused = (key: string) => ({ type: 'effectRefused', key, taken: 1, because: 'not allowed' }) as const;

  test('ends the rollout that wanted the endpoint changed, and no rollout when a look is refused', () => {
    expect(rolloutAfter(canary, refused('endpoint/change/1.1'))?.status).toBe('reverting');
    expect(rolloutAfter(canary, refused('endpoint/observe/1.1'))?.status).toBe('baking');
  });

  test('of the counts of a rollout holds that one, and none that came after it', () => {
    const own = refused(`rollout/${canary.rollout?.id}/ticks/0`);

    expect(rolloutAfter(canary, own)?.status).toBe('held');
    expect(rolloutAfter(canary, refused('rollout/ro_earlier/ticks/0'))?.status).toBe('baking');
    expect(after(canary, own).debts[own.key]).toMatchObject({ because: 'not allowed' });
  });
});

describe('who brought data', () => {
  const hint = (drive: ReturnType<typeof driver>, subject: string) =>
    drive.say({ type: 'dataHinted', keys: ['fraud/a.csv'] }, { ...human, subject } as typeof human);

  test('is remembered by fifty names at most', () => {
    const drive = driver();

    for (let index = 0; index < 60; index += 1) hint(drive, `p${index}`);

    expect(drive.state.droppers).toHaveLength(50);
  });

  test('while a version was being listed may be in the next one as well', () => {
    const drive = driver();
    hint(drive, 'dan');
    drive.wait(10_000);
    const [list] = drive.owed('list');
    hint(drive, 'eve');

    drive.say({
      type: 'listingAdvanced',
      key: list?.key ?? '',
      taken: drive.state.debts[list?.key ?? '']?.taken ?? 0,
      progress: { chain: 'c', chunks: ['c'], objects: 1, bytes: 1, complete: false },
      dataset: { digest: 'd', bucket: 'drops', prefix: 'fraud/', manifest: 'm', objects: 1, bytes: 1, at: drive.now },
    } as Said);

    expect(drive.state.intake.status).toBe('settling');
    expect(drive.state.intake.dataset?.by).toEqual(['dan', 'eve']);
    expect(drive.state.droppers).toEqual(['dan', 'eve']);
  });
});

test('a write of an earlier wish is reckoned with until its own answer comes', () => {
  const { drive } = withChampion();
  const shift = { type: 'endpointChanged', answer: 'accepted' } as const;
  const forward = { key: 'endpoint/change/1.1#7', until: drive.now + 60_000 };
  const model = { ...drive.state, endpoint: { ...drive.state.endpoint, forward } } as Model;
  expect(model.debts['endpoint/change/1.1']).toBeUndefined();

  const other = decided(model, { ...shift, key: 'endpoint/change/2.1', taken: 7 });
  const later = decided(model, { ...shift, key: 'endpoint/change/1.1', taken: 8 });
  const own = decided(model, { ...shift, key: 'endpoint/change/1.1', taken: 7 });

  expect([other, later]).toEqual([{ ignored: expect.any(String) }, { ignored: expect.any(String) }]);
  expect('moved' in own && own.moved.endpoint).not.toHaveProperty('forward');
});

test('a look that began before the write of an earlier wish had ended says nothing of what is served', () => {
  const { drive } = withChampion();
  const { desired, since, weights } = drive.state.endpoint;
  const forward = { key: 'endpoint/change/1.1#7', until: drive.now + 60_000 };
  const waiting = { status: 'converging', desired, since, weights, looks: 1, lookAt: drive.now, forward } as const;
  const looking = { key: `endpoint/observe/${since}.1`, taken: 9 };
  const debts = { [looking.key]: { taken: 9, by: 'other', until: drive.now + 60_000, failures: 0 } };
  const model = { ...drive.state, endpoint: waiting, debts } as unknown as Model;
  const seen = {
    type: 'endpointObserved',
    begunAt: drive.now,
    observation: { ...endpointAtRest, weights: { v1: 100 } },
  };

  const ended = decided(model, { type: 'endpointChanged', answer: 'accepted', key: 'endpoint/change/1.1', taken: 7 });
  const state = 'moved' in ended ? ended.moved : model;

  expect(decided(state, { ...seen, ...looking } as never)).toEqual({ ignored: expect.any(String) });
  expect(Object.keys(state.debts).filter((key) => key.startsWith('endpoint/'))).toEqual([
    `endpoint/observe/${since}.2`,
  ]);
});

const endpointAtRest = { deployments: [{ name: 'v1', version: 1, status: 'ready' }], busy: false } as const;
