import { describe, expect, test } from 'vitest';
import { human, planOf, score, trainOne, withCanary, withChampion } from '../model.fixture.ts';
import { beginRollout } from '../rollout/steps.ts';
import type { Run } from '../run/state.ts';
import type { Model } from '../state.ts';
import { simpleGate } from './between.fixture.ts';
import { offerPassed, rescoreOffer, startRollout } from './offer.ts';
import { applyRules } from './rules.ts';

const { state } = withChampion(planOf(simpleGate)).drive;
const moment = { at: state.at + 1, seq: 99, by: 'ann' };
const again = { type: 'runRequested', trigger: { kind: 'manual', force: true } } as const;

describe('what has ended', () => {
  test('is seen once before the run that waits takes its place', () => {
    const { drive } = withChampion(planOf(simpleGate));
    drive.say(again);
    const ended = drive.state.run?.id;
    drive.say(again);

    drive.say({ type: 'cancelRequested' });
    const seen = { ...drive.state.run };
    drive.wait(1000);

    expect(seen).toMatchObject({ id: ended, status: 'cancelled' });
    expect(drive.state.run?.id).not.toBe(ended);
  });

  test('is seen once before the version that waits takes its place', () => {
    const offered: Model = {
      ...state,
      versions: { ...state.versions, '2': { ...state.versions['1'], number: 2 } } as Model['versions'],
      offered: { version: 2, against: 1 },
    };

    const inTheSame = startRollout(offered, moment, { ...state, settledRollout: 'ro_before' });
    const later = startRollout(offered, moment, state);

    expect(inTheSame).toBe(offered);
    expect(later.rollout).toMatchObject({ candidate: 2, status: 'deploying' });
  });
});

describe('an offer', () => {
  test('of the champion is dropped: nothing is rolled out onto itself', () => {
    const next = startRollout({ ...state, offered: { version: 1, against: 1 } }, moment, state);

    expect(next.offered).toBeUndefined();
    expect(next.rollout).toBe(state.rollout);
  });

  test('keeps the yes of a person when the version is scored again', () => {
    const approval = { status: 'approved', by: 'bob', at: 5, mirrored: 'approved' } as const;
    const version = { ...(state.versions['1'] ?? expect.fail()), approval };
    const run = { ...state.run, status: 'succeeded' } as Extract<Run, { status: 'succeeded' }>;
    const of = (kind: 'rescore' | 'data') =>
      offerPassed(state, version, { ...run, trigger: { ...run.trigger, kind } }, moment).versions['1']?.approval;

    expect(of('rescore')).toBe(approval);
    expect(of('data')).toMatchObject({ status: 'approved', by: 'gate' });
  });

  test('that was compared with another champion is scored again, once there is no freeze, and once', () => {
    const compared = withChampion().drive.state;
    const second = { ...(compared.versions['1'] ?? expect.fail()), number: 2 };
    const versions = { ...compared.versions, '2': second };
    const offer = { version: 2, against: 7 };
    const waiting: Model = { ...compared, versions, offered: offer };
    const frozen: Model = { ...waiting, freeze: { by: 'fay', because: 'audit' } };
    const scored = (version: number): Model => {
      const run = { ...compared.run, trigger: { kind: 'rescore', version } } as Run;
      return { ...waiting, run, offered: { ...offer, rescoring: true } };
    };

    expect(rescoreOffer(waiting, moment).queued?.trigger).toEqual({ kind: 'rescore', version: 2, force: true });
    expect(rescoreOffer(frozen, moment)).toBe(frozen);
    expect(rescoreOffer(scored(2), moment).offered).toBeUndefined();
    expect(rescoreOffer(scored(3), moment).offered).toEqual(offer);
  });

  test('that is refused when it is scored again waits no more', () => {
    const { drive } = withChampion();
    trainOne(drive, 'two');
    score(drive, 0.82, 0.8);
    const { run, rollout: _, ...rest } = drive.state;
    const verdict = { passed: false, checks: [] };
    const refused = { ...run, id: 'run_again', trigger: { kind: 'rescore', version: 2 }, status: 'refused', verdict };
    const waiting = { ...rest, run: refused, offered: { version: 2, against: 1, rescoring: true } } as Model;

    const next = applyRules(waiting, moment, waiting);

    expect(next.offered).toBeUndefined();
    expect(next.versions['2']).toMatchObject({ verdict });
  });
});

test('a rollback that did not get there says nothing against the version that it went to', () => {
  const { drive } = withCanary();
  const given = { id: 'ro_back', kind: 'rollback', candidate: 1, plan: drive.state.plan.rollout } as const;
  const back = beginRollout({ ...given, by: human.subject, sticky: false, stable: 2 }, drive.now);
  const because = { kind: 'ready', text: 'v1 was not ready' } as const;
  const failed = { ...back, status: 'rolledBack', endedAt: drive.now, because } as Model['rollout'];
  const model = { ...drive.state, champion: 2, rollout: failed } as Model;

  const next = applyRules(model, moment, drive.state);

  expect(next.settledRollout).toBe('ro_back');
  expect(next.versions['1']).not.toHaveProperty('quarantined');
});
