import { describe, expect, test } from 'vitest';
import { minute } from '../../base/time.ts';
import { healthy, planOf, type Traffic } from '../model.fixture.ts';
import { whyRollout } from '../why.ts';
import { endings } from './endings.fixture.ts';
import { challenge, first, type GivenRollout, noLatency, rolloutOf, until } from './judge.fixture.ts';
import { nextAfterRevert } from './next.ts';

test('a sentence says why, how sure that is and what now, for each way in which a rollout ends or waits', async () => {
  const said = Object.entries(endings).map(([name, make]) => {
    const rollout = rolloutOf(make());
    const { certificate } = rollout;
    const sentence = certificate === undefined ? whyRollout(rollout, 'fraud').sentence : certificate.sentence;
    return `${name}\n  ${sentence}\n`;
  });

  // Read each by itself before it is renewed with `vitest --update`: somebody has to understand it without the code.
  await expect(said.join('\n')).toMatchFileSnapshot('endings.golden.txt');
}, 60_000);

test.each([
  ['with few errors', { v1: 0.02, v2: 0.02 }],
  ['without any', {}],
])('a service %s is promoted when the hold has said it would be, if its traffic goes on', (_, failing) => {
  const world = challenge(planOf({ rollout: { ...noLatency, bake: '5m', guard: '5m', maxHold: '24h' } }));
  const traffic = { perMinute: 60, failing };
  const held = until(world, traffic, 'held', 'promoting');
  const heldAt = world.drive.now;

  until(world, traffic, 'promoting', 'rolledBack');

  const [, said = Number.NaN, unit = ''] =
    /needs (?:longest, )?about (\d+) more (minute|hour)s?/.exec(whyRollout(held, 'fraud').sentence) ?? [];
  const saidMs = Number(said) * (unit === 'hour' ? 60 * minute : minute);
  expect(rolloutOf(world).status).toBe('promoting');
  expect((world.drive.now - heldAt) / saidMs).toBeGreaterThan(0.8);
  expect((world.drive.now - heldAt) / saidMs).toBeLessThan(1.25);
});

const worse = { perMinute: 6000, failing: { v1: 0.005, v2: 0.05 }, loss: { v1: 0.1, v2: 0.6 } };
const steady = { perMinute: 6000, failing: { v1: 0.005, v2: 0.005 } };
const alert = { kind: 'alert', sender: 'pager', fingerprint: 'odd', startedAt: 'T1', title: 'it is odd' } as const;
const judged = (rollout: GivenRollout, traffic: Traffic = worse) =>
  rolloutOf(begun(rollout, traffic, 'rolledBack')).certificate?.sentence.replace(/^.*?; |\. Now: .*$/g, '');

function begun(
  rollout: GivenRollout,
  traffic: Parameters<typeof until>[1],
  ...statuses: Parameters<typeof until>[2][]
) {
  const world = challenge(planOf({ rollout: { bake: '15m', ...rollout } }), 60);
  until(world, traffic, ...statuses);
  return world;
}

describe('how sure a rollback is', () => {
  test.each<[string, GivenRollout]>([
    [
      'the candidate were at most 1.5 times as bad as the champion',
      { guardrails: { errors: { toleratedRatio: 1.5 }, latency: false } },
    ],
    ['the candidate were no worse than the champion', { guardrails: { errors: { toleratedRatio: 1.5 } } }],
    [
      'the candidate were at most 0.8 times as bad as the champion',
      { guardrails: { errors: { toleratedRatio: 0.8 } } },
    ],
    [
      'the candidate were no worse than the champion',
      { routing: 'realised', guardrails: { errors: { toleratedRatio: 1.5 }, latency: false } },
    ],
    [
      'the candidate were at most 1.5 times as bad as the champion',
      { guardrails: { errors: { toleratedRatio: 1.5 }, latency: { dryRun: true } } },
    ],
    [
      "the candidate's average loss were at most 0.1 above the champion's",
      {
        ...{ strategy: 'ab', atMost: '3h' },
        guardrails: {
          ...{ errors: false, latency: false },
          labels: { kind: 'loss', tolerated: 0.1, marginLoss: 0.2, maturity: '10m' },
        },
      },
    ],
  ])('is a bound that holds if %s, which is what all guardrails together bear', (harmless, rollout) => {
    expect(judged(rollout)).toMatch(
      new RegExp(
        `^if ${harmless}, evidence this strong would turn up in at most 1 rollout in [\\d,a-z ]+ \\(1 in 100 is enough to roll back\\)$`,
      ),
    );
  });

  test('is one of a candidate that is no worse where pairs decide, whatever is tolerated', () => {
    const guardrails = { errors: { toleratedRatio: 1.5 }, latency: false } as const;
    const said = judged({ strategy: 'shadow', guardrails }, { ...steady, pairs: { mirror: 60, served: 1 } });

    expect(said).toMatch(/^if the candidate were no worse than the champion, /);
  });

  test('names the alpha of the config', () => {
    expect(judged({ ...noLatency, alpha: 0.004 })).toMatch(/\(1 in 250 is enough to roll back\)$/);
  });
});

describe('what no test decided', () => {
  const said = (say: Parameters<ReturnType<typeof challenge>['drive']['say']>[0]) => {
    const world = begun(noLatency, healthy, 'baking');
    world.drive.say(say);
    return rolloutOf(world).certificate?.sentence;
  };

  test('begins with what became of it, and says who decided', () => {
    expect(said({ type: 'promoteRequested', because: 'it is urgent.' })).toMatch(
      /^Promoted by ann: it is urgent; no test has shown that it is good enough\. Now: the candidate, v2, gets 95 % of the traffic for /,
    );
    expect(said({ type: 'rollbackRequested' })).toMatch(/^Rolled back by ann; a person decided this, not a test, so /);
    expect(said({ type: 'alertRaised', ...alert })).toMatch(
      /^Rolled back by an alert: alert from pager: it is odd; an alert decided this, not a test, so there is no figure /,
    );
    const paused = begun({ ...noLatency, maxHold: '10m' }, healthy, 'baking');
    paused.drive.say({ type: 'pauseRequested' });
    until(paused, healthy, 'rolledBack');
    expect(rolloutOf(paused).certificate?.sentence).toMatch(
      /^Rolled back: paused longer than maxHold \(10m\); time decided this, not a test, so there is no figure /,
    );
  });
});

describe('what is to be done', () => {
  test('after a promotion without a guard is to watch, because nothing compares any more', () => {
    const { certificate } = rolloutOf(begun({ ...noLatency, bake: '5m', guard: '0s' }, steady, 'promoted'));

    expect(certificate?.sentence).toMatch(
      /^Promoted after .* Now: v2 gets all traffic\. Watch its errors yourself: nothing compares it with v1 any more\.$/,
    );
  });

  test('after a first version was taken back is to release another', () => {
    const rollout = rolloutOf(first());

    expect(nextAfterRevert(rollout)).toBe(
      "nothing serves, so release another version. The candidate, v1, stays off; to offer it for another rollout: serin versions restore fraud 1 --because '<why>'",
    );
    const { model: _, ...before } = rollout;
    expect(nextAfterRevert(before)).toContain('serin versions restore <model> 1');
  });

  test('in a hold of a mirror that mirrors nothing is nothing: the rollout goes on by itself', () => {
    const rollout = { ...noLatency, strategy: 'shadow', atMost: '20m' } as const;
    const pairs = { mirror: 0, served: 0, dropped: 20_000 };

    const held = rolloutOf(begun(rollout, { ...steady, pairs }, 'held', 'shifting', 'promoted'));

    expect(whyRollout(held, 'fraud').sentence).toMatch(
      /never copied.* Now: it goes on by itself as soon as there is enough evidence\. If it is not enough by 2026-.*, after 24 hours of waiting, v2 is rolled back\. You do not need to do anything\./,
    );
  });

  test('in a hold for what a mirror shows is to look into it, with what each command does', () => {
    const pairs = { mirror: 0, served: 0, higher: 40, lower: 10 };
    const held = rolloutOf(begun({ ...noLatency, strategy: 'shadow' }, { ...steady, pairs }, 'held', 'rolledBack'));

    expect(whyRollout(held, 'fraud').sentence).toMatch(
      /is held without traffic: of \d+ pairs with different predictions .* Now: look into it\. If v2 is as it should be: serin rollouts resume ro_\w+ \(tests v2 again\)\. To end it: serin rollouts promote ro_\w+ \(v2 gets all traffic\) or serin rollouts abort ro_\w+ \(v1 gets all traffic\)\. If you do nothing, v2 is rolled back on 2026-/,
    );
  });
});
