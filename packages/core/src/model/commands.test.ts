import { describe, expect, test } from 'vitest';
import { day } from '../base/time.ts';
import { alert, offerNext, resolved, rolledOut, simpleGate } from './between/between.fixture.ts';
import { converge, human, planOf, withCanary, withChampion } from './model.fixture.ts';

describe('an alert that was over before a rollout', () => {
  test('does not take it back, in whatever order the two were told', () => {
    const { drive } = withCanary();
    drive.say({ ...resolved, endedAt: '2026-01-01T00:05:00Z' });

    drive.say(alert);
    drive.say({ ...alert, fingerprint: 'g', over: true });

    expect(rolledOut(drive)).toBe('v2 baking');
    expect(drive.state.monitor.status).toBe('quiet');
  });

  test('is told to whoever sends it as such', () => {
    const { drive } = withCanary();
    drive.say({ ...resolved, endedAt: '2026-01-01T00:05:00Z' });
    drive.say(alert);

    expect(Object.values(drive.state.seen).at(-1)).toBe('it ended at 2026-01-01T00:05:00Z');
  });
});

describe('the id of a firing', () => {
  test('means nothing any more once its end was told by a sender that gives it to the next firing', () => {
    const { drive, endpoint } = withChampion(planOf(simpleGate));
    offerNext(drive, endpoint, 'two');
    drive.say(alert, human, 'am_1');
    drive.say({ ...resolved, raisedAs: 'am_1' });
    converge(drive, endpoint);
    offerNext(drive, endpoint, 'three');
    expect(rolledOut(drive)).toMatch(/^v3 (shifting|baking)/);

    expect(drive.say(alert, human, 'am_1')).toBe('moved');

    expect(rolledOut(drive)).toBe('v3 reverting');
  });

  test('says once a day that it still fires, so that it is not forgotten', () => {
    const { drive } = withCanary();
    drive.say(alert, human, 'am_1');
    drive.wait(2 * day);
    expect(drive.say(alert, human, 'am_1')).toBe('moved');
    expect(drive.say(alert, human, 'am_1')).toContain('repeated');

    drive.wait(6 * day);

    expect(drive.state.monitor.status).toBe('alarmed');
  });

  test('is known as long as it fires', () => {
    const { drive } = withCanary();
    drive.say(alert, human, 'am_1');

    expect(drive.say(alert, human, 'am_1')).toBe('repeated: done');
  });
});
