import { describe, expect, test } from 'vitest';
import { driver, healthy, planOf, score, serveTicks, serveToTheEnd, trainOne, withCanary } from '../model.fixture.ts';
import { challenge, rolloutOf, until } from './judge.fixture.ts';
import { standingOf } from './standing.ts';

describe('where a rollout stands', () => {
  test('is nowhere before the first request, with both thresholds named', () => {
    const { drive } = withCanary();

    expect(standingOf(rolloutOf({ drive }))).toMatchObject({
      weight: 10,
      candidate: { requests: 0, errors: 0 },
      harm: { logE: 0, wanted: Math.log(100) },
      safety: [{ stream: 'errors', logE: 0, wanted: Math.log(20) }],
    });
  });

  test('moves away from harm under healthy traffic, and towards it when the candidate fails', () => {
    const { drive: well } = withCanary();
    const { drive: ill } = withCanary();

    serveTicks(well, { perMinute: 600, failing: { v1: 0.02, v2: 0.02 } }, 2);
    serveTicks(ill, { perMinute: 600, failing: { v2: 0.1 } }, 2);

    const [good, bad] = [well, ill].map((drive) => standingOf(rolloutOf({ drive })));
    expect(good?.harm?.logE).toBeLessThan(0.5);
    expect(bad?.candidate).toEqual({ requests: 60, errors: 6 });
    expect(bad?.harm?.logE).toBeGreaterThan(2.5);
  });

  test('reaches the threshold that took it back, or the one that let it pass', () => {
    const [bad, good] = [challenge(), challenge()];

    until(bad, { perMinute: 6000, failing: { v2: 0.2 } }, 'rolledBack');
    until(good, healthy, 'promoted');

    const { harm } = standingOf(rolloutOf(bad));
    const { safety } = standingOf(rolloutOf(good));
    expect(harm?.logE).toBeGreaterThanOrEqual(harm?.wanted ?? Number.NaN);
    expect(safety?.every(({ logE, wanted }) => logE >= wanted)).toBe(true);
  });

  test('is no comparison for a rollback, which goes to the last good version', () => {
    const { drive, endpoint } = withCanary();
    serveToTheEnd(drive, endpoint);
    drive.say({ type: 'rollbackRequested' });

    expect(rolloutOf({ drive })).toMatchObject({ kind: 'rollback', stable: 2 });
    expect(standingOf(rolloutOf({ drive })).harm).toBeUndefined();
  });

  test('is plain JSON where no guardrail decides', () => {
    const guardrails = { errors: { dryRun: true }, latency: false as const };
    const { drive } = withCanary(
      planOf({ rollout: { steps: [10, 50], bake: '2m', guard: '2m', warmUp: 0, guardrails } }),
    );

    const standing = standingOf(rolloutOf({ drive }));

    expect(standing.harm?.logE).toBe(0);
    expect(JSON.parse(JSON.stringify(standing))).toEqual(standing);
  });

  test('has nothing to compare a first version with', () => {
    const drive = driver(planOf());
    trainOne(drive, 'one');
    score(drive, 0.8);

    expect(standingOf(rolloutOf({ drive }))).toEqual({
      weight: 0,
      candidate: { requests: 0, errors: 0 },
      champion: { requests: 0, errors: 0 },
      ticks: 0,
    });
  });
});
