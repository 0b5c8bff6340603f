import { describe, expect, test } from 'vitest';
import { without } from '../base/objects.ts';
import { converge, human, planOf, score, trainOne, withChampion } from './model.fixture.ts';
import { modelOwes, modelWakesAt, ownAnswers, tryAgainSlowly } from './owed.ts';
import type { Model } from './state.ts';

const { state, now } = withChampion().drive;
const atRest: Model = { ...state, announced: state.lastEventSeq, debts: {} };
const stamp = { id: 'a', at: now, actor: human, taken: 1 };
const kinds = (model: Model) => modelOwes(model, model.at).map(({ kind }) => kind);

describe('what happened is published', () => {
  test.each([
    ['nothing, when all is announced', 3, 3, []],
    ['what came since', 3, 5, [[3, 5]]],
    ['a thousand entries at a time after a long silence', 3, 5000, [[3, 1003]]],
  ])('%s', (_, announced, lastEventSeq, expected) => {
    const owed = modelOwes({ ...atRest, announced, lastEventSeq }, now).filter(({ kind }) => kind === 'publish');

    expect(owed.map((effect) => 'from' in effect && [effect.from, 'to' in effect && effect.to])).toEqual(expected);
  });

  test('and an older announcement takes nothing back', () => {
    const told = ownAnswers.announced(atRest, { ...stamp, type: 'announced', key: 'publish/0', upTo: 0 });

    expect(told).toEqual({ moved: atRest });
  });
});

describe('an approval goes to the registry', () => {
  const approval = { status: 'approved', mirrored: 'pending' } as const;
  const unmirrored = { ...atRest, versions: { '1': { ...atRest.versions['1'], approval } } } as unknown as Model;
  const answer = (key: string) => ownAnswers.approvalMirrored(unmirrored, { ...stamp, type: 'approvalMirrored', key });

  test('until it is known there', () => {
    const mirrored = answer('approval/1/approved');

    expect(kinds(unmirrored)).toContain('mirrorApproval');
    expect('moved' in mirrored && kinds(mirrored.moved)).not.toContain('mirrorApproval');
  });

  test('and the answer to an earlier one says nothing of the newer', () => {
    expect(answer('approval/1/rejected')).toEqual({ ignored: 'the approval has changed since' });
  });
});

test('a version that is not registered yet has no approval to mirror', () => {
  const approval = { status: 'approved', mirrored: 'pending' } as const;
  const versions = {
    '1': { ...atRest.versions['1'], approval, registered: undefined },
  } as unknown as Model['versions'];

  expect(kinds({ ...atRest, versions })).not.toContain('mirrorApproval');
});

describe('the registry is told which version is the champion and which one is tried', () => {
  const aliases = (model: Model) =>
    modelOwes(model, model.at).flatMap((effect) => (effect.kind === 'mirrorAliases' ? [effect.aliases] : []));

  test('while a rollout goes on, and when it has ended', () => {
    const { drive } = withChampion();
    trainOne(drive, 'two');
    score(drive, 0.82, 0.8);
    const both = { champion: 1, challenger: 2 };

    expect(aliases({ ...drive.state, aliased: { champion: 1 } })).toEqual([both]);
    expect(aliases({ ...drive.state, aliased: both })).toEqual([]);
    expect(aliases({ ...atRest, aliased: both })).toEqual([{ champion: 1 }]);
    // No version has both.
    expect(aliases({ ...drive.state, champion: 2, aliased: both })).toEqual([{ champion: 2 }]);
    expect(aliases({ ...atRest, aliased: { champion: 1 } })).toEqual([]);
  });

  test('of a state that was written before there were aliases, and never of a version that is not registered', () => {
    const older = without(atRest, 'aliased');

    expect(aliases(older)).toEqual([{ champion: 1 }]);
    expect(aliases({ ...older, versions: {} })).toEqual([]);
  });
});

describe('what is asked of an endpoint names the kind of serving of what serves there', () => {
  const plan = planOf({ rollout: { steps: [10, 50], bake: '2m', guard: '2m', warmUp: 0 } });
  const { drive, endpoint } = withChampion(plan);
  trainOne(drive, 'two');
  score(drive, 0.82, 0.8);
  const asked = (on?: 'endpoint') => {
    const { serve, ...version } = drive.state.versions['1'] ?? expect.fail();
    if (serve === 'none') return expect.fail();
    const versions = { ...drive.state.versions, '1': { ...version, serve: { ...serve, ...(on && { on }) } } };
    return modelOwes({ ...drive.state, versions }, drive.now).flatMap((effect) =>
      'endpoint' in effect ? [`${effect.kind} ${('on' in effect && effect.on) || 'as ever'}`] : [],
    );
  };

  test('before a rollout and while it bakes', () => {
    expect(asked('endpoint').sort()).toEqual(['observe endpoint', 'readLatency endpoint']);
    expect(asked().sort()).toEqual(['observe as ever', 'readLatency as ever']);

    drive.answer('readLatency', {
      type: 'latencyRead',
      percentiles: { p50: 10, p90: 20, p99: 40, requests: 1000 },
    });
    expect(asked('endpoint')).toContain('readHistory endpoint');
    converge(drive, endpoint);
    converge(drive, endpoint);
    drive.wait(60_000);
    drive.wait(60_000);

    expect(asked('endpoint')).toContain('readTicks endpoint');
  });
});

test('a message to the project is owed until it was delivered', () => {
  const tells = { 'run_1/released': { type: 'slotReleased', run: 'run_1' } } as const;
  const delivered = ownAnswers.told({ ...atRest, tells }, { ...stamp, type: 'told', key: 'tell/run_1/released' });

  expect(kinds({ ...atRest, tells })).toContain('tell');
  expect(delivered).toEqual({ moved: { ...atRest, tells: {} } });
});

describe('a model wakes', () => {
  const { at } = atRest;
  const wakes = (more: Partial<Model>) => modelWakesAt({ ...atRest, ...more });

  test('when a lease ends, or a freeze', () => {
    expect(wakes({ debts: { 'publish/0': { until: at + 5, failures: 0 } } })).toBe(at + 5);
    expect(wakes({ freeze: { by: 'ann', because: 'audit', until: at + 7 } })).toBe(at + 7);
  });

  test('when the approval of the version that awaits it expires', () => {
    const approval = { status: 'pending', expiresAt: at + 9 };
    const versions = { '1': { ...atRest.versions['1'], approval } } as unknown as Model['versions'];

    expect(wakes({ versions, offered: { version: 1 } })).toBe(at + 9);
  });

  test('not for what is past', () => {
    expect(wakes({ freeze: { by: 'ann', because: 'audit', until: at } })).toBe(wakes({}));
  });
});

test('what was refused for good is tried again, more slowly than what failed', () => {
  const refused = { ...stamp, type: 'effectRefused', key: 'publish/0', because: 'not allowed' } as const;

  const { failures, until } = tryAgainSlowly(atRest, refused).debts['publish/0'] ?? { failures: 0, until: 0 };

  expect(failures).toBeGreaterThan(10);
  expect(until).toBeGreaterThan(now + 10 * 60_000);
});
