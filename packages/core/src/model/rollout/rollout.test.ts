import { describe, expect, test } from 'vitest';
import { step } from '../../base/table.ts';
import type { Tick } from '../../ports/telemetry.ts';
import {
  converge,
  driver,
  fakeEndpoint,
  healthy,
  human,
  planOf,
  score,
  serveTicks,
  type Traffic,
  trainOne,
} from '../model.fixture.ts';
import { whyRollout } from '../why.ts';
import { challenge, first, type GivenModel, type GivenRollout, rolloutOf, until, type World } from './judge.fixture.ts';
import type { Rollout } from './state.ts';
import { bake } from './steps.ts';
import { rolloutTable } from './table.ts';
import { verifyRollout } from './verify.ts';

/** A champion, and a challenger whose rollout has just begun. */
function begun(rollout: GivenRollout = {}, model: GivenModel = {}) {
  const small = { steps: [10, 50], bake: '15m', guard: '15m', guardrails: { latency: false } } satisfies GivenRollout;
  return challenge(planOf({ ...model, rollout: { ...small, ...rollout } }), 20);
}

/** Answers the ticks that are owed next with what cannot be. */
function misread({ drive }: World): Tick {
  for (let waited = 0; waited < 3 && drive.owed('readTicks').length === 0; waited += 1) drive.wait(60_000);
  const order = drive.owed('readTicks')[0];
  if (order?.kind !== 'readTicks') throw new Error('no ticks are owed');
  const tick: Tick = { start: order.from, counts: { v2: { requests: 5, bad: { errors: 7 } } } };
  drive.answer('readTicks', { type: 'ticksRead', from: order.from, to: order.from + 60_000, ticks: [tick] });
  return tick;
}

const minute = 60_000;

type Bad = readonly [bad: number, of: number];

/** Answers the minutes that are owed next, so many of them, with these requests of both (sticky: and users at risk). */
function serveMinutes(
  { drive }: World,
  minutes: number,
  requests: Readonly<Record<string, Bad>>,
  users?: Readonly<Record<string, Bad>>,
): void {
  const each = <Counted>(arms: Readonly<Record<string, Bad>>, counted: (bad: number, of: number) => Counted) =>
    Object.fromEntries(Object.entries(arms).map(([name, [bad, of]]) => [name, counted(bad, of)]));
  const counts = each(requests, (errors, of) => ({ requests: of, bad: { errors } }));
  const firstBad = each(users ?? {}, (bad, atRisk) => ({ assigned: 0, bad: { errors: { atRisk, bad } } }));
  const end = rolloutOf({ drive }).evidence.readTo + minutes * minute;
  while (drive.now < end + 2 * minute && rolloutOf({ drive }).evidence.readTo < end) {
    drive.wait(minute);
    const order = drive.owed('readTicks')[0];
    if (order?.kind !== 'readTicks' || order.to <= order.from) continue;
    const { from, to } = order;
    const starts = Array.from({ length: (to - from) / minute }, (_, index) => from + index * minute);
    const ticks = starts.map((start) => ({ start, counts, ...(users === undefined ? {} : { users: firstBad }) }));
    drive.answer('readTicks', { type: 'ticksRead', from, to, ticks });
  }
}

const served = ({ drive, endpoint }: World): unknown => {
  converge(drive, endpoint);
  const observed = endpoint.observe();
  return observed === 'absent' ? observed : observed.weights;
};
const skewed: Traffic = { ...healthy, skew: 0.5 };

describe('a rollout that is not routed as configured', () => {
  test('is held with the weight of the step before, and says what fails and what a person may do', () => {
    const given = begun();
    until(given, healthy, 'baking');

    until(given, { ...skewed, failing: { v1: 0.02, v2: 0.02 } }, 'held', 'rolledBack');
    expect(rolloutOf(given)).toMatchObject({ status: 'held', step: 0, backTo: 0 });
    expect(served(given)).toEqual({ v1: 100 });
    expect(whyRollout(rolloutOf(given), 'fraud').sentence).toMatch(
      /is held without traffic: the requests were not shared out as configured: at 10 % the candidate should have got about 2,400 of 24,000, and got 1,200; 4 ticks left out: 3 with far too few of the candidate's, 1 right after a change of weight, where only what speaks against the candidate may count; for orientation only: 2 % of the candidate's 1,200 requests failed, and 2 % of the champion's 22,800\. Now: fix .*, then: serin rollouts resume ro_\w+ \(tests v2 again\)\. To end it: serin rollouts promote ro_\w+ \(v2 gets all traffic\) or serin rollouts abort ro_\w+ \(v1 gets all traffic\)\. If you do nothing, v2 is rolled back on 2026/,
    );
  });

  test('because nothing was ever counted of a candidate that answers nobody loses its weight within minutes', () => {
    const given = begun();
    until(given, healthy, 'baking');

    const held = until(given, { ...healthy, skew: 0 }, 'held', 'rolledBack');

    expect(held).toMatchObject({
      backTo: 0,
      because: expect.stringContaining('at 10 % the candidate should have got about 2,400 of 24,000, and got 0'),
    });
    expect(served(given)).toEqual({ v1: 100 });
  });

  test('is not one in which nothing is told of the candidate for ten minutes: its step lasts as much longer', () => {
    const given = begun({ bake: '15m' });
    until(given, healthy, 'baking');
    serveTicks(given.drive, healthy, 4);
    const before = rolloutOf(given);

    serveTicks(given.drive, { ...healthy, skew: 0 }, 10);

    const after = rolloutOf(given);
    expect(after).toMatchObject({ status: 'baking', step: 0, evidence: { routing: { leftOut: { gaps: 10 } } } });
    expect('until' in after && 'until' in before ? after.until - before.until : 0).toBe(10 * 60_000);
    expect(until(given, healthy, 'promoted', 'rolledBack').certificate?.conditions.join()).toMatch(
      /10 ticks left out: 10 without requests of one model/,
    );
  });

  test('that a person resumes is looked at anew, and not held for what was', () => {
    const given = begun();
    until(given, healthy, 'baking');
    until(given, skewed, 'held');

    given.drive.say({ type: 'resumeRequested' });

    expect(
      rolloutOf(given)
        .story.map(({ text }) => text)
        .join(),
    ).toContain('resumed by ann; how requests are shared out is looked at anew');
    expect(until(given, healthy, 'promoted', 'rolledBack', 'held').status).toBe('promoted');
  });

  test('at a later step goes back to the one before, and to none when nobody comes for half an hour', () => {
    const given = begun();
    until(given, healthy, 'baking');
    until(given, healthy, 'shifting');

    const held = until(given, skewed, 'held', 'rolledBack');
    const heldAt = given.drive.now;
    expect(held).toMatchObject({ step: 1, backTo: 10 });
    expect(served(given)).toEqual({ v1: 90, v2: 10 });

    expect(until(given, healthy, 'rolledBack', 'promoted')).toMatchObject({
      because: { kind: 'hold', text: expect.stringMatching(/not shared out as configured.*held longer than 30m/) },
    });
    expect(given.drive.now - heldAt).toBe(30 * 60_000);
  });

  test('under its guard goes back to the last step, and a person who resumes promotes it', () => {
    const given = begun();
    until(given, healthy, 'guarding');

    until(given, skewed, 'held', 'promoted', 'rolledBack');
    expect(served(given)).toEqual({ v1: 50, v2: 50 });
    given.drive.say({ type: 'resumeRequested' });

    expect(rolloutOf(given)).toMatchObject({ status: 'promoting', certificate: { verdict: 'promotion' } });
    expect(served(given)).toEqual({ v1: 5, v2: 95 });
  });

  test('while it is held for want of evidence loses its weight as well', () => {
    const given = begun({ atMost: '20m' });
    expect(until(given, { perMinute: 60 }, 'held')).not.toHaveProperty('backTo');

    serveTicks(given.drive, { ...skewed, perMinute: 60_000 }, 5);

    expect(rolloutOf(given)).toMatchObject({ status: 'held', backTo: 10 });
  });

  test('gets the weight of its step back when a person resumes it, which a freeze forbids', () => {
    const given = begun();
    until(given, healthy, 'baking');
    until(given, skewed, 'held');
    const { plan } = given.drive.state;
    given.drive.say({ type: 'configReleased', revision: 2, plan, freeze: { by: 'ann', because: 'holidays' } });

    expect(given.drive.say({ type: 'resumeRequested' })).toMatch(
      /is frozen, and the weight of the candidate would rise/,
    );
    given.drive.say({ type: 'configReleased', revision: 3, plan });
    given.drive.say({ type: 'resumeRequested' });

    expect(rolloutOf(given)).toMatchObject({ status: 'shifting', step: 0 });
    expect(served(given)).toEqual({ v1: 90, v2: 10 });
  });

  test('knows what is late after that: it was routed by the weight of the hold', () => {
    const given = begun({ steps: [20, 50] });
    until(given, healthy, 'shifting');
    until(given, healthy, 'baking');
    until(given, skewed, 'held');
    given.drive.say({ type: 'resumeRequested' });
    until(given, healthy, 'baking');

    const { late = 0 } = rolloutOf(given).evidence.routing?.leftOut ?? {};
    serveTicks(given.drive, { perMinute: 60, skew: 0.4 }, 2);

    const { routing } = rolloutOf(given).evidence;
    expect(routing).toMatchObject({ share: 0.5, before: 0.2, strayMs: 0, leftOut: { late: late + 1 } });
    expect(verifyRollout(given.drive.entries, rolloutOf(given).id).problems).toEqual([]);
  });

  test('is taken back at once when it fails more by the requests that came, by policy', () => {
    const given = begun();
    until(given, healthy, 'baking');
    until(given, healthy, 'shifting');
    until(given, { ...healthy, skew: 1.15 }, 'held');

    const rollout = until(
      given,
      { ...healthy, skew: 1.15, failing: { v1: 0.005, v2: 0.03 } },
      'rolledBack',
      'promoted',
    );

    expect(rollout).toMatchObject({ because: { kind: 'routing' }, certificate: { verdict: 'none' } });
    expect(given.drive.state.monitor.wentBack).toMatchObject({ to: 1 });
    expect(rollout.certificate?.sentence).toMatch(
      /^Rolled back by a rule: among the requests that came the candidate does worse \(errors\): 0.222 % of the candidate's 28,320 requests failed, and 0.0739 % of the champion's 109,680; the requests were not shared out/,
    );
  });
});

describe('counts that cannot be', () => {
  test('hold a rollout with the weight of the step before, and leave its evidence as it is', () => {
    const given = begun();
    until(given, healthy, 'baking');
    const { evidence } = rolloutOf(given);

    misread(given);

    expect(rolloutOf(given)).toMatchObject({ status: 'held', evidence, backTo: 0 });
    expect(whyRollout(rolloutOf(given), 'fraud').sentence).toMatch(/errors of v2 is 7, not a whole number from 0 to 5/);
  });

  test('do not take back a candidate that is guarded: it waits with half of the traffic', () => {
    const given = begun();
    until(given, healthy, 'guarding');

    misread(given);

    expect(rolloutOf(given)).toMatchObject({ status: 'held', backTo: 50 });
    expect(served(given)).toEqual({ v1: 50, v2: 50 });
  });

  test('end a pause and every other hold that would have nobody to judge it', () => {
    const paused = begun();
    until(paused, healthy, 'baking');
    paused.drive.say({ type: 'pauseRequested' });
    const inconclusive = begun({ atMost: '20m' });
    until(inconclusive, { perMinute: 60 }, 'held');

    for (const given of [paused, inconclusive]) {
      misread(given);

      const rollout = rolloutOf(given);
      expect(rollout).toMatchObject({ status: 'held', backTo: expect.any(Number) });
      expect('endsAt' in rollout ? rollout.endsAt - given.drive.now : 0).toBeLessThanOrEqual(30 * 60_000);
    }
  });

  test('leave no trace in a hold but what came, which is enough to take the candidate back', () => {
    const given = begun();
    until(given, healthy, 'baking');
    until(given, healthy, 'shifting');
    until(given, healthy, 'baking');
    misread(given);
    const { streams, routed } = rolloutOf(given).evidence;
    expect(served(given)).toEqual({ v1: 90, v2: 10 });

    const rollout = until(given, { ...healthy, failing: { v1: 0.005, v2: 0.2 } }, 'rolledBack', 'promoted');

    expect(rollout).toMatchObject({ because: { kind: 'routing' }, evidence: { streams, routed } });
    expect(rollout.evidence.weather.errors?.came).toHaveLength(7);
  });

  test('of labels hold it where it is: its ticks still tell', () => {
    const labels = { maturity: '2m', floor: 0.01 };
    const given = begun({ guardrails: { latency: false, labels } });
    until(given, healthy, 'baking');
    for (let waited = 0; waited < 9 && given.drive.owed('readLabels').length === 0; waited += 1)
      given.drive.wait(60_000);
    const [order] = given.drive.owed('readLabels');
    if (order?.kind !== 'readLabels') throw new Error('no labels are owed');

    const row = { deployment: 'v2', weight: 10, requests: 5, labelled: 5, wrong: 7 };
    const ticks = [{ start: order.from, rows: [row], losses: [], pairs: {} }];
    given.drive.answer('readLabels', { type: 'labelsRead', from: order.from, to: order.from + 60_000, ticks });

    expect(rolloutOf(given).status).toBe('held');
    expect(rolloutOf(given)).not.toHaveProperty('backTo');
    expect(served(given)).toEqual({ v1: 90, v2: 10 });
  });
});

describe('a hold that nobody can judge', () => {
  const half = 30 * 60_000;

  test.each([
    ['half an hour', { atMost: '2h', maxHold: '3h' }, half],
    ['atMost where that is shorter', { atMost: '20m', maxHold: '3h' }, 20 * 60_000],
    ['maxHold where that is shorter', { atMost: '2h', maxHold: '10m' }, 10 * 60_000],
    ['two ticks at least', { tick: '1m', atMost: '2h', maxHold: '90s' }, 2 * 60_000],
  ])('lasts %s', (_, limits, ms) => {
    const given = begun(limits);
    until(given, healthy, 'baking');
    misread(given);

    const rollout = rolloutOf(given);

    expect('endsAt' in rollout ? rollout.endsAt - given.drive.now : undefined).toBe(ms);
  });

  test('takes back what fails more by the requests that came, without a certificate of evidence that has gaps', () => {
    const given = begun();
    until(given, healthy, 'baking');
    until(given, healthy, 'shifting');
    until(given, healthy, 'baking');
    misread(given);

    const rollout = until(given, { ...healthy, failing: { v2: 0.4 } }, 'rolledBack', 'promoted');

    expect(rollout).toMatchObject({ because: { kind: 'routing' }, certificate: { verdict: 'none' } });
  });
});

describe('what a step counts', () => {
  test.each([
    ['with the next tick, when the weight was confirmed 10 s before it', 50_000, minute],
    ['with the tick after that when it was confirmed later: clocks are off by seconds', 50_001, 2 * minute],
    ['with the next tick when it was confirmed as one began', 0, minute],
  ])('begins %s', (_, afterMs, readTo) => {
    const given = begun();
    const rollout = until(given, healthy, 'baking');
    const tick = Math.ceil(given.drive.now / minute) * minute;

    const baking = bake(rollout, 0, tick + afterMs, 'newWeight');

    expect(baking.evidence.readTo - tick).toBe(readTo);
  });

  test('has a warm-up after each change of weight, under the guard as well, and none after a pause', () => {
    const given = begun({ warmUp: 2 });
    const warm = ({ evidence: { from = 0, readTo } }: Rollout) => (from - readTo) / minute;
    const first = until(given, healthy, 'baking');
    serveTicks(given.drive, healthy, 5);
    given.drive.say({ type: 'pauseRequested' });
    given.drive.say({ type: 'resumeRequested' });
    const resumed = rolloutOf(given);
    until(given, healthy, 'shifting');
    const second = until(given, healthy, 'baking');
    const guarded = until(given, healthy, 'guarding');

    expect([warm(first), warm(second), warm(guarded)]).toEqual([2, 2, 2]);
    expect(resumed).toMatchObject({ status: 'baking', evidence: { from: first.evidence.from } });
  });
});

describe('time in which the endpoint was not served', () => {
  const off: Traffic = { perMinute: 0, isUnserved: true };
  const night = 9 * 60 * 60_000;
  const endOf = (rollout: Rollout) => ('until' in rollout ? rollout.until : Number.NaN);

  test.each([
    ['a guard', 'guarding', 15],
    ['a bake', 'baking', 15],
  ] as const)('moves the end of %s by each of its ticks', (_, status, ticks) => {
    const given = begun();
    const began = until(given, healthy, status);

    serveTicks(given.drive, off, 40);
    const later = rolloutOf(given);
    serveTicks(given.drive, healthy, ticks + 5);

    const read = (later.evidence.readTo - began.evidence.readTo) / 60_000;
    expect(read).toBeGreaterThan(30);
    expect(later).toMatchObject({
      status,
      until: endOf(began) + read * 60_000,
      evidence: { routed: began.evidence.routed },
    });
    expect(rolloutOf(given).status).not.toBe(status);
    expect(rolloutOf(given).evidence.closed - began.evidence.closed).toBe(ticks);
  });

  test('is no guard, however long it was: a candidate that fails after it is taken back', () => {
    const given = begun();
    until(given, healthy, 'guarding');

    given.drive.wait(night);
    for (let reading = 0; reading < 3; reading += 1) serveTicks(given.drive, off, 1);
    const rollout = until(given, { ...healthy, failing: { v2: 0.9 } }, 'rolledBack', 'promoted');

    expect(rollout).toMatchObject({ status: 'rolledBack', because: { kind: 'evidence' } });
  });

  test.each([
    ['a bake', 'baking', 0],
    ['a guard', 'guarding', 50],
  ] as const)(
    'ends %s after maxHold: nobody sees the candidate, which gets the weight of the step before',
    (_, status, backTo) => {
      const given = begun({ maxHold: '2h' });
      until(given, healthy, status);

      const rollout = until(given, off, 'held', 'shifting', 'promoted');

      expect(rollout).toMatchObject({
        status: 'held',
        backTo,
        because: 'nobody saw the candidate for more than maxHold (2h)',
      });
      expect(verifyRollout(given.drive.entries, rollout.id).problems).toEqual([]);
      expect(until(given, off, 'rolledBack', 'promoted').status).toBe('rolledBack');
    },
  );

  test('takes no first version away: there is nobody to go back to', () => {
    const given = first(planOf({ rollout: { guard: '15m', maxHold: '1h' } }));
    until(given, healthy, 'guarding');

    serveTicks(given.drive, off, 100);

    expect(rolloutOf(given).status).toBe('guarding');
  });

  test('does not count before it is read, with whatever reading it is told', () => {
    const given = begun();
    const began = until(given, healthy, 'baking');
    given.drive.wait(2 * minute);
    const order = given.drive.owed('readTicks')[0];
    if (order?.kind !== 'readTicks') throw new Error('no ticks are owed');
    const { from } = order;
    const ticks = [0, 1, 2, 3].map((index) => ({ start: from + index * minute, counts: {}, unserved: true as const }));
    given.drive.answer('readTicks', { type: 'ticksRead', from, to: from + minute, ticks });

    expect(endOf(rolloutOf(given)) - endOf(began)).toBe(minute);
  });

  test('is none in which evidence could come: a step still has all of atMost', () => {
    const given = begun({ atMost: '20m' });
    until(given, healthy, 'baking');
    until(given, healthy, 'shifting');
    until(given, healthy, 'baking');

    serveTicks(given.drive, off, 40);

    expect(until(given, healthy, 'promoting', 'held').status).toBe('promoting');
  });

  test('is not time in which nobody asked: an idle endpoint bakes as long as configured', () => {
    const given = begun();
    const began = until(given, healthy, 'baking');

    const rollout = until(given, { perMinute: 0 }, 'shifting');

    expect(rollout.evidence.readTo).toBe(endOf(began));
    expect(rollout.evidence.routed).toEqual({});
  });
});

describe('the hard limit of failed requests', () => {
  test('takes back a candidate whose every request fails', () => {
    const rollout = until(begun(), { ...healthy, failing: { v2: 1 } }, 'rolledBack', 'promoted');

    expect(rollout).toMatchObject({ because: { kind: 'limit' }, certificate: { verdict: 'none' } });
  });

  test('is not moved by who sends bad requests to both, whenever they begin', () => {
    const attacked = { ...healthy, failing: { v1: 0.75, v2: 0.75 } };
    const atOnce = begun();
    const later = begun();
    until(later, healthy, 'shifting');
    until(later, healthy, 'baking');

    expect(until(atOnce, attacked, 'shifting', 'held', 'rolledBack').status).toBe('shifting');
    expect(until(later, attacked, 'promoted', 'held', 'rolledBack').status).toBe('promoted');
  });

  test('is reached by a candidate that is broken while both are sent bad requests', () => {
    const broken = until(begun(), { ...healthy, failing: { v1: 0.3, v2: 1 } }, 'rolledBack', 'promoted');

    expect(broken.status).toBe('rolledBack');
    expect(broken).toMatchObject({
      because: {
        text: "600 of 600 requests to the candidate failed, where 180 would have at the champion's rate; the limit is 50 % of them beyond that, which is 480",
      },
    });
  });
  const atOnce = { strategy: 'blueGreen' } satisfies GivenRollout;
  const sticky = { serve: { command: ['node', 'serve.mjs'], stickyBy: 'x-user' } };

  test.each<[string, GivenRollout]>([
    ['at the first step of a canary', { steps: [5] }],
    ['with most of the traffic at once', atOnce],
  ])('finds a candidate whose every request fails within 8 minutes of 60 requests: %s', (_, rollout) => {
    const given = begun(rollout);
    until(given, healthy, 'baking', 'guarding');
    const begin = given.drive.now;

    const ended = until(given, { perMinute: 60, failing: { v2: 1 } }, 'rolledBack', 'promoted', 'held');

    expect(ended.status).toBe('rolledBack');
    expect(given.drive.now - begin).toBeLessThanOrEqual(8 * minute);
    expect(verifyRollout(given.drive.entries, ended.id).problems).toEqual([]);
  });

  test('does not count what failed while the champion had no request', () => {
    const given = begun(atOnce);
    until(given, healthy, 'guarding');

    serveMinutes(given, 6, { v2: [2, 2] });
    serveMinutes(given, 1, { v2: [2, 2], v1: [1, 1] });
    serveMinutes(given, 6, { v2: [2, 2] });

    expect(rolloutOf(given)).toMatchObject({
      status: 'guarding',
      evidence: { candidate: { requests: 26, errors: 26 } },
    });
    expect(verifyRollout(given.drive.entries, rolloutOf(given).id).problems).toEqual([]);
  });

  test('sums up ticks in which only one of both had a request: few of them are enough to take back what always fails', () => {
    const given = begun({ steps: [50], bake: '2h', guardrails: { errors: { dryRun: true }, latency: false } });
    until(given, healthy, 'baking');

    for (let round = 0; round < 25 && rolloutOf(given).status === 'baking'; round += 1) {
      serveMinutes(given, 1, { v2: [1, 1] });
      serveMinutes(given, 1, { v1: [0, 1] });
    }

    expect(rolloutOf(given)).toMatchObject({
      because: { kind: 'limit', text: expect.stringMatching(/^20 of 20 requests to the candidate failed/) },
    });
  });

  test('forgets a row of ticks that the weight makes impossible, for that is a gap of the champion', () => {
    const given = begun({ bake: '4h', atMost: '5h' });
    until(given, healthy, 'baking');

    serveMinutes(given, 7, { v2: [8, 8] });
    serveMinutes(given, 1, { v2: [0, 1], v1: [0, 400] });

    expect(rolloutOf(given).evidence.compared).toMatchObject({ candidate: { requests: 1, errors: 0 } });
  });

  test('waits for as many requests of the champion: one of them says little of what is sent to both', () => {
    const given = begun(atOnce);
    until(given, healthy, 'guarding');

    serveMinutes(given, 1, { v2: [15, 24], v1: [0, 1] });
    serveMinutes(given, 4, { v2: [15, 24], v1: [1, 1] });
    expect(rolloutOf(given).status).toBe('guarding');

    serveMinutes(given, 1, { v2: [190, 190], v1: [0, 15] });
    expect(rolloutOf(given)).toMatchObject({
      because: {
        kind: 'limit',
        text: expect.stringMatching(/^265 of 310 .*, where 96 would have at the champion's rate; /),
      },
    });
  });

  test('measures a first version by itself: there is nothing to compare it with', () => {
    const drive = driver(planOf({ rollout: { guard: '15m' } }));
    const given = { drive, endpoint: fakeEndpoint() };
    trainOne(drive, 'one');
    score(drive, 0.8);
    until(given, healthy, 'guarding');

    serveMinutes(given, 2, { v1: [15, 15] });

    expect(rolloutOf({ drive })).toMatchObject({
      because: { text: '30 of 30 requests to the candidate failed; the limit is 50 %, which is 15' },
    });
  });

  test('is not moved by one sticky user, however many bad requests it sends', () => {
    const given = begun({}, sticky);
    until(given, healthy, 'baking');

    serveMinutes(given, 1, { v2: [600, 601], v1: [0, 400] }, { v2: [1, 2], v1: [0, 18] });
    serveMinutes(given, 12, { v2: [600, 601], v1: [0, 400] }, { v2: [0, 1], v1: [0, 18] });
    serveMinutes(given, 1, { v2: [900, 940], v1: [0, 400] }, { v2: [1, 41], v1: [0, 360] });

    expect(rolloutOf(given)).toMatchObject({ status: 'baking', evidence: { candidate: { errors: 8700 } } });
    expect(verifyRollout(given.drive.entries, rolloutOf(given).id).problems).toEqual([]);
  });

  test('counts sticky users by their first failed request, and leaves out those as the champion has them', () => {
    const broken = begun({}, sticky);
    const attacked = begun({}, sticky);
    for (const given of [broken, attacked]) until(given, healthy, 'baking');

    serveMinutes(broken, 1, { v2: [90, 120], v1: [36, 1080] }, { v2: [30, 40], v1: [18, 360] });
    serveMinutes(attacked, 2, { v2: [90, 120], v1: [810, 1080] }, { v2: [30, 40], v1: [270, 360] });

    expect(rolloutOf(attacked)).toMatchObject({ status: 'baking' });
    expect(rolloutOf(broken)).toMatchObject({
      because: {
        kind: 'limit',
        text: "30 of 40 users of the candidate had failed requests for the first time, where 2 would have at the champion's rate; the limit is 50 % of them beyond that, which is 22",
      },
    });
  });
});

test('a promotion says which share of each arm was bad', () => {
  const { certificate } = until(begun(), { ...healthy, failing: { v1: 0.008, v2: 0.004 } }, 'promoted', 'held');

  expect(certificate?.sentence).toBe(
    "Promoted after 30 minutes of evidence: in the last step, at 50 % of the traffic, 0.4 % of the candidate's 45,000 requests failed (180), and 0.8 % of the champion's 45,000 (360); if the candidate were at least 2 times as bad as the champion, and bad in at least 0.1 % of its requests, it would be promoted in at most 1 rollout in 20, and smaller harm is not ruled out. Whether its predictions are right was not tested. Now: the candidate, v2, gets 95 % of the traffic for 15 minutes, while the champion, v1, keeps 5 % to compare with. Then it gets all. If harm shows before that, it is rolled back. You do not need to do anything.",
  );
});

test('an endpoint that never takes the full weight ends a promotion in a revert', () => {
  const given = begun({ readyWithin: '10m' });
  until(given, healthy, 'promoting');

  given.drive.wait(9 * 60_000);
  expect(rolloutOf(given).status).toBe('promoting');
  given.drive.wait(60_000);

  expect(rolloutOf(given)).toMatchObject({
    status: 'reverting',
    because: { kind: 'ready', text: 'the endpoint did not take the full weight in time' },
  });
  expect(rolloutOf(given).certificate?.sentence).toMatch(
    /^Rolled back: the endpoint did not take the full weight in time; what the platform said decided this, not a test, so /,
  );
});

test('an alert does not revert a rollback: there is nowhere better to go', () => {
  const given = begun();
  until(given, healthy, 'promoted');
  given.drive.say({ type: 'rollbackRequested' });
  const { drive } = given;
  const alert = {
    type: 'alertRaised',
    kind: 'alert',
    sender: 's',
    fingerprint: 'f',
    startedAt: 'T',
    title: 't',
  } as const;

  for (let round = 0; round < 9 && rolloutOf({ drive }).status !== 'promoted'; round += 1) {
    const rollout = rolloutOf({ drive });
    const heard = step(rolloutTable, rollout, { ...alert, id: 'a', at: drive.now, actor: human }, { frozen: false });
    expect(rollout).toMatchObject({ kind: 'rollback', candidate: 1 });
    expect('moved' in heard ? heard.moved : rollout).toBe(rollout);
    converge(drive, given.endpoint);
    drive.wait(1000);
  }
  expect(rolloutOf({ drive })).toMatchObject({ status: 'promoted', candidate: 1 });
});
