import { describe, expect, test } from 'vitest';
import { hour } from '../../base/time.ts';
import { converge, type Driver, healthy, planOf, serveTicks, serveToTheEnd, withChampion } from '../model.fixture.ts';
import type { Version } from '../version.ts';
import { versionOf } from '../version.ts';
import { alert, offerNext, resolved, rolledOut, simpleGate, withFiring } from './between.fixture.ts';
import { rollBack } from './champion.ts';
import { withVersion } from './versions.ts';

describe('the cooldown after traffic went back', () => {
  test('protects the version that it went back to, and no other', () => {
    const { drive, endpoint } = withFiring();
    drive.say({ ...alert, fingerprint: 'second' });
    expect(drive.state.did).toMatchObject({
      do: 'escalate',
      because: expect.stringContaining('traffic went back to v1 within the cooldown of 6h'),
    });
    drive.say(resolved);
    drive.say({ ...resolved, fingerprint: 'second' });
    converge(drive, endpoint);
    serveToTheEnd(drive, endpoint);
    expect(drive.state.champion).toBe(3);

    drive.say({ ...alert, fingerprint: 'third' });
    for (let round = 0; round < 3; round += 1) converge(drive, endpoint);

    expect(drive.state.champion).toBe(1);
  });

  test.each([
    ['the judge', (drive: Driver) => serveTicks(drive, { ...healthy, failing: { v3: 0.6 } })],
    ['a person', (drive: Driver) => drive.say({ type: 'rollbackRequested' })],
  ])('protects the champion as well that %s took a candidate back to', (_, takeBack) => {
    const { drive, endpoint } = withChampion(planOf(simpleGate));
    offerNext(drive, endpoint, 'two');
    serveToTheEnd(drive, endpoint);
    offerNext(drive, endpoint, 'three');
    takeBack(drive);
    converge(drive, endpoint);
    expect(rolledOut(drive)).toBe('v3 rolledBack');

    drive.say(alert);

    expect([drive.state.champion, drive.state.did?.do]).toEqual([2, 'escalate']);
    drive.wait(7 * hour);
    drive.say({ ...alert, fingerprint: 'later' });
    expect(drive.state.did?.do).toBe('rollback');
  });
});

test('a rollback passes over an earlier champion that may not serve any more', () => {
  const { drive, endpoint } = withChampion(planOf(simpleGate));
  for (const digest of ['two', 'three']) {
    offerNext(drive, endpoint, digest);
    serveToTheEnd(drive, endpoint);
  }
  const { state, now } = drive;
  const second = { ...versionOf(state.versions, 2), quarantined: { at: now, because: 'harm' } } as Version;

  const back = rollBack(withVersion(state, second), undefined, { at: now, seq: 1, by: 'ann' }, undefined);

  expect(back).toMatchObject({ rollout: { kind: 'rollback', candidate: 1 } });
});
