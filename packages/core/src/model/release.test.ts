import { describe, expect, test } from 'vitest';
import { alert, approver, resolved, rolledOut, simpleGate } from './between/between.fixture.ts';
import {
  converge,
  type Driver,
  driver,
  fakeEndpoint,
  human,
  planOf,
  score,
  serveToTheEnd,
  trainOne,
  withCanary,
  withChampion,
} from './model.fixture.ts';
import { releaseConfig } from './release.ts';

describe('a config that is released', () => {
  const { state, now } = driver();
  const released = { type: 'configReleased', id: 'c', at: now, actor: human, plan: state.plan, by: ['rob'] } as const;

  test('is taken once: the same revision, or an older one, says nothing new', () => {
    expect(releaseConfig({ ...state, revision: 7 }, { ...released, revision: 7 })).toEqual({
      ignored: 'revision 7 is not newer than 7',
    });
    expect(releaseConfig({ ...state, revision: 7 }, { ...released, revision: 6 })).toHaveProperty('ignored');
  });

  test('is of whoever released it from the first on', () => {
    const first = releaseConfig({ ...state, revision: 0 }, { ...released, revision: 1 });
    const again = releaseConfig({ ...state, revision: 1 }, { ...released, revision: 2 });

    expect(first).toMatchObject({ moved: { releasedBy: ['rob'] } });
    expect('moved' in again && again.moved).not.toHaveProperty('releasedBy');
  });
});

describe('a model that leaves the config and comes back', () => {
  const leave = (drive: Driver, revision: number) => drive.say({ type: 'configReleased', revision });
  const comeBack = (drive: Driver, revision: number, plan = planOf()) =>
    drive.say({ type: 'configReleased', revision, plan });

  test('serves again what it was guarding first', () => {
    const drive = driver();
    const endpoint = fakeEndpoint();
    trainOne(drive, 'one');
    score(drive, 0.8);
    converge(drive, endpoint);
    converge(drive, endpoint);
    expect(rolledOut(drive)).toBe('v1 guarding');
    leave(drive, 2);
    converge(drive, endpoint);

    comeBack(drive, 3);
    for (let round = 0; round < 3; round += 1) converge(drive, endpoint);
    serveToTheEnd(drive, endpoint);

    expect(drive.state.champion).toBe(1);
  });

  test('offers again what was on its way, and keeps its champion', () => {
    const { drive, endpoint } = withCanary();
    leave(drive, 2);
    converge(drive, endpoint);
    leave(drive, 3);

    comeBack(drive, 4);
    converge(drive, endpoint);

    expect(drive.state.champion).toBe(1);
    expect(rolledOut(drive)).toMatch(/^v2 (shifting|baking|deploying)/);
  });

  test('has forgotten the run that waited for its turn', () => {
    const { drive } = withChampion();
    for (const _ of [1, 2]) drive.say({ type: 'runRequested', trigger: { kind: 'manual', force: true } });
    expect(drive.state.queued).toBeDefined();

    leave(drive, 2);

    expect(drive.state.queued).toBeUndefined();
  });

  test('does not offer what was being taken back', () => {
    const { drive, endpoint } = withCanary();
    drive.say(alert);
    leave(drive, 2);
    drive.say(resolved);

    comeBack(drive, 3);
    expect(drive.state.offered).toBeUndefined();
    converge(drive, endpoint);

    expect(rolledOut(drive)).toBe('v2 rolledBack');
  });

  test('does not offer what was rejected while it was away', () => {
    const plan = planOf({ ...simpleGate, approval: { required: true } });
    const { drive } = withChampion(plan);
    expect(drive.state.offered?.version).toBe(1);
    leave(drive, 2);
    drive.say({ type: 'approvalGiven', version: 1, approved: false }, approver);

    comeBack(drive, 3, plan);

    expect(drive.state.offered).toBeUndefined();
  });

  test('does not offer what a person aborted', () => {
    const { drive, endpoint } = withCanary();
    drive.say({ type: 'abortRequested' });
    converge(drive, endpoint);
    leave(drive, 2);

    comeBack(drive, 3);
    converge(drive, endpoint);

    expect(drive.state.offered).toBeUndefined();
    expect(rolledOut(drive)).toBe('v2 aborted');
  });
});
