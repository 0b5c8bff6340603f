import { describe, expect, test } from 'vitest';
import { minute } from '../../base/time.ts';
import { healthy, planOf, serveTicks } from '../model.fixture.ts';
import { whyRollout } from '../why.ts';
import { challenge, type GivenRollout, noLatency, rolloutOf, until } from './judge.fixture.ts';
import type { Rollout } from './state.ts';
import { verifyRollout } from './verify.ts';

const begun = (rollout: GivenRollout = {}) => challenge(planOf({ rollout: { bake: '5m', guard: '5m', ...rollout } }));

describe('a rollout under the default config', () => {
  test('of a service without errors ends promoted, by the floor and by its latency', () => {
    const given = begun();

    const rollout = until(given, healthy, 'promoted', 'held');

    expect(rollout.status).toBe('promoted');
    const streams = rollout.certificate?.guardrails.flatMap((guardrail) => guardrail.streams) ?? [];
    expect(rollout.certificate).toMatchObject({ verdict: 'promotion', alpha: 0.01, beta: 0.05, lastWeight: 50 });
    expect(streams.map(({ id }) => id)).toEqual(['errors', 'latency.p50', 'latency.p90', 'latency.p99']);
    for (const { logSafe } of streams) expect(logSafe ?? Infinity).toBeGreaterThanOrEqual(Math.log(20));
  });

  test('of a model whose answers are slow is taken back, and latency is to blame', () => {
    const given = begun();

    const rollout = until(given, { ...healthy, slower: { v2: 1.6 } }, 'rolledBack', 'held');

    expect(rollout).toMatchObject({ status: 'rolledBack', because: { kind: 'evidence' } });
    const blamed = rollout.certificate?.guardrails.filter(({ blame }) => blame !== undefined);
    expect(blamed).toMatchObject([{ name: 'latency', blame: 'certified' }]);
    expect(rollout.certificate?.sentence).toMatch(
      /of the candidate's \d+ requests after the warm-up were slower than \d+ ms/,
    );
    const cold = until(begun({ warmUp: 0 }), { ...healthy, slower: { v2: 1.6 } }, 'rolledBack', 'held');
    expect(cold.certificate?.sentence).toMatch(/of the candidate's [\d,]+ requests were slower than \d+ ms/);
  });

  test('at 60 requests a minute ends too: held, with what is missing, and taken back when the hold is over', () => {
    const given = begun({ maxHold: '2h' });
    const slow = { perMinute: 60, failing: {} };

    const held = until(given, slow, 'promoted', 'held');
    expect(held.status).toBe('held');
    expect(whyRollout(held, 'fraud').sentence).toMatch(
      /is held at 50 % of the traffic: inconclusive after 20 minutes: there is too little evidence yet to promote it: at this traffic the check of [^,]+ needs longest, about \d+ more \w+, .* Now: v2 is promoted by itself as soon as .* If it is not enough by 2026-.*, after 2 hours of waiting, v2 is rolled back\./,
    );

    const ended = until(given, slow, 'rolledBack', 'promoted');
    expect(ended).toMatchObject({ status: 'rolledBack', because: { kind: 'hold' } });
    expect(ended.certificate).toMatchObject({ verdict: 'none' });
    expect(ended.certificate?.sentence).toMatch(/^Rolled back: inconclusive after 20 minutes/);
  });

  test('that was held for want of evidence is promoted once the evidence is there', () => {
    const given = begun({ maxHold: '2h' });
    until(given, { perMinute: 60 }, 'held');

    const rollout = until(given, healthy, 'promoted', 'rolledBack');

    expect(rollout).toMatchObject({ status: 'promoted', certificate: { verdict: 'promotion' } });
  });

  test('is not promoted out of a hold while it is frozen, and then at once', () => {
    const plan = planOf({ rollout: { bake: '5m', guard: '5m', maxHold: '12h' } });
    const given = challenge(plan);
    until(given, { perMinute: 60 }, 'held');
    const frozen = { by: 'fay', because: 'audit' };
    given.drive.say({ type: 'configReleased', revision: 2, plan, freeze: frozen });

    for (let minute = 0; minute < 60; minute += 1) serveTicks(given.drive, healthy, 1);
    expect(rolloutOf(given).status).toBe('held');
    given.drive.say({ type: 'configReleased', revision: 3, plan });
    serveTicks(given.drive, healthy, 1);

    expect(rolloutOf(given).status).toBe('promoting');
  });

  test('without requests to the champion before it has no latency to compare with, and says so', () => {
    const given = begun();
    given.drive.answer('readLatency', { type: 'latencyRead' });

    const rollout = until(given, healthy, 'promoted', 'held');

    expect(rollout.certificate?.conditions.join('\n')).toMatch(
      /latency: not judged, the champion had too few requests/,
    );
    expect(rollout.certificate?.guardrails.map(({ name }) => name)).toEqual(['errors']);
  });
});

describe('a suspect', () => {
  const suspect = { ...healthy, failing: { v1: 0.005, v2: 0.009 } };

  test('gets no more traffic while its step has time: the step goes on, and it is taken back there', () => {
    const given = begun({ ...noLatency, bake: '5m', atMost: '60m' });
    until(given, healthy, 'baking');

    const rollout = until(given, suspect, 'shifting', 'rolledBack');

    expect(rollout).toMatchObject({ status: 'rolledBack', because: { kind: 'evidence' } });
    expect(rollout.evidence.ticks).toBeGreaterThan(5);
    const told = rollout.story.filter(({ text }) => text.startsWith('goes on'));
    expect(told.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^goes on at this weight: the evidence of harm is \d+(\.\d+)? \(a rollback needs 100\)$/),
    ]);
  });

  test('is held when its step has used all of its time, and goes on when nothing speaks against it any more', () => {
    const over = begun({ ...noLatency, bake: '2m', atMost: '2m' });
    const bad = { ...healthy, failing: { v1: 0.005, v2: 0.012 } };
    const cleared = begun({ ...noLatency, bake: '5m', atMost: '60m' });
    until(over, healthy, 'baking');
    until(cleared, healthy, 'baking');
    serveTicks(cleared.drive, suspect, 5);

    expect(until(over, bad, 'shifting', 'held', 'rolledBack')).toMatchObject({
      status: 'held',
      because: expect.stringMatching(
        /^inconclusive after 2 minutes: the evidence of harm is [\d.]+ \(a rollback needs 100\)$/,
      ),
    });
    expect(until(cleared, { ...healthy, failing: { v1: 0.005, v2: 0.002 } }, 'shifting', 'rolledBack').status).toBe(
      'shifting',
    );
  });
});

describe('a guard that would end on a suspect', () => {
  const guarded = (later: number) => {
    const given = begun(noLatency);
    until(given, healthy, 'guarding');
    serveTicks(given.drive, { ...healthy, failing: { v1: 0.02, v2: 0.032 } }, 8);
    until(given, { ...healthy, failing: { v1: 0.02, v2: later } }, 'rolledBack', 'promoted', 'held');
    return given;
  };
  const told = ({ story }: Rollout) => story.map(({ text }) => text).join('\n');

  test('goes on, and takes back what shows that it does harm', () => {
    const given = begun(noLatency);
    until(given, healthy, 'guarding');

    const rollout = until(given, { ...healthy, failing: { v1: 0.02, v2: 0.036 } }, 'rolledBack', 'promoted', 'held');

    expect(rollout).toMatchObject({ status: 'rolledBack', because: { kind: 'evidence' } });
    expect(told(rollout)).toMatch(/goes on at this weight: the evidence/);
  });

  test('lasts as long again at most: then the candidate is promoted, and the story tells the odds', () => {
    const rollout = rolloutOf(guarded(0.022));

    expect(rollout.status).toBe('promoted');
    expect(told(rollout)).toMatch(
      /goes on at this weight.*\nthe guard is over: the evidence of harm is [3-9][.\d]* \(a rollback needs 100\)/,
    );
  });

  test('is held from 10 to 1 on, with the traffic of the guard, and evidence takes the candidate back from there', () => {
    const given = guarded(0.032);
    const held = rolloutOf(given);

    expect(held).toMatchObject({
      status: 'held',
      because: expect.stringMatching(
        /^the guard is over, and the evidence of harm is [1-9]\d \(a rollback needs 100\)$/,
      ),
    });
    expect('endsAt' in held ? held.endsAt - given.drive.now : 0).toBe(24 * 60 * minute);
    expect(given.drive.state.endpoint.weights).toEqual({ v1: 5, v2: 95 });
    expect(whyRollout(held, 'fraud').sentence).toMatch(/is held at 95 % of the traffic: the guard is over/);

    const rollout = until(given, { ...healthy, failing: { v1: 0.02, v2: 0.032 } }, 'rolledBack', 'promoted');
    expect(rollout).toMatchObject({ status: 'rolledBack', because: { kind: 'evidence' } });
    expect(verifyRollout(given.drive.entries, rollout.id).problems).toEqual([]);
  });

  test('is guarded anew when a person resumes it, and promoted when one says so', () => {
    const resumed = guarded(0.032);
    const promoted = guarded(0.032);

    const { readTo } = rolloutOf(resumed).evidence;
    resumed.drive.skip(5 * minute);
    resumed.drive.say({ type: 'resumeRequested' });
    expect(rolloutOf(resumed)).toMatchObject({ status: 'guarding', evidence: { readTo } });
    promoted.drive.say({ type: 'promoteRequested', because: 'the errors are of a test' });

    expect(until(resumed, healthy, 'guarding', 'baking').status).toBe('guarding');
    expect(rolloutOf(promoted)).toMatchObject({ status: 'promoted', certificate: { verdict: 'promotion' } });
    expect(told(rolloutOf(promoted))).toMatch(/the guard was ended by ann: the errors are of a test/);
    for (const given of [resumed, promoted])
      expect(verifyRollout(given.drive.entries, rolloutOf(given).id).problems).toEqual([]);
  });
});

describe('a rollout', () => {
  test('whose errors begin under the guard is taken back while the champion still serves', () => {
    const given = begun(noLatency);
    until(given, healthy, 'guarding');
    expect(given.drive.state.endpoint.weights).toEqual({ v1: 5, v2: 95 });

    const rollout = until(given, { ...healthy, failing: { v1: 0.005, v2: 0.02 } }, 'rolledBack', 'promoted');

    expect(rollout).toMatchObject({ status: 'rolledBack', because: { kind: 'evidence' } });
    expect(rollout.certificate?.guardrails[0]?.streams[0]?.cells['95']?.candidate).toBeGreaterThan(0);
  });

  test('in which every request of the candidate fails is taken back by the hard limit, which is policy', () => {
    const given = begun(noLatency);

    const rollout = until(given, { ...healthy, failing: { v2: 1 } }, 'rolledBack', 'promoted');

    expect(rollout).toMatchObject({ because: { kind: 'limit' }, certificate: { verdict: 'none' } });
  });

  test('with a harm budget gives the next step what the budget affords, or holds and says what it needs', () => {
    const free = until(begun({ ...noLatency, steps: [5, 40] }), { perMinute: 600 }, 'promoted', 'held');
    const limited = begun({ ...noLatency, steps: [5, 40], harmBudget: 60, atMost: '5m' });
    until(limited, { perMinute: 600 }, 'baking');
    const second = until(limited, { perMinute: 600 }, 'shifting', 'held', 'promoted');
    const broke = until(begun({ ...noLatency, steps: [5, 40], harmBudget: 2 }), { perMinute: 600 }, 'held', 'promoted');

    expect(free.steps).toEqual([5, 40]);
    expect(second.steps[1]).toBeGreaterThan(5);
    expect(second.steps[1]).toBeLessThan(40);
    expect(whyRollout(second, 'fraud').story.at(-1)?.text).toMatch(/all that the harm budget affords of 40 %/);
    expect(whyRollout(broke, 'fraud').sentence).toMatch(
      /harm budget of 2 failed requests affords no further step; the next would need \d+/,
    );
  });

  test('ends without evidence as the policy says, and says that no bound holds', () => {
    const end = (onInconclusive: 'promote' | 'rollBack') =>
      until(begun({ ...noLatency, onInconclusive }), { perMinute: 60 }, 'promoted', 'rolledBack', 'held');

    expect(end('promote')).toMatchObject({ status: 'promoted', certificate: { verdict: 'none' } });
    expect(end('promote').certificate?.sentence).toMatch(
      /^Promoted without proof: inconclusive .*; no test has shown that it is good enough\. Now: /,
    );
    expect(end('rollBack')).toMatchObject({ status: 'rolledBack', because: { kind: 'inconclusive' } });
    expect(end('rollBack').certificate?.sentence).toMatch(
      /^Rolled back by policy: inconclusive .*; the config decided this, not a test, so there is no figure /,
    );
  });

  test('counts errors from the first tick on, and latency after the warm-up of each weight', () => {
    const given = begun({ steps: [10, 50], warmUp: 3 });
    const isCold = ({ evidence: { readTo, from = 0 } }: Rollout) => readTo < from;

    for (const weight of [10, 50]) {
      until(given, healthy, 'baking');
      for (let tick = 0; tick < 9 && isCold(rolloutOf(given)); tick += 1)
        serveTicks(given.drive, { ...healthy, slower: { v2: 1.9 } }, 1);

      const { status, evidence } = rolloutOf(given);
      expect(status).toBe('baking');
      expect(evidence.streams.errors?.[weight]?.candidateRequests).toBe(3 * 60 * weight);
      expect(evidence.streams['latency.p90']?.[weight]?.candidateRequests).toBe(0);
      if (weight === 10) until(given, healthy, 'shifting');
    }
    expect(until(given, healthy, 'promoted', 'rolledBack', 'held').status).toBe('promoted');
  });

  test('is not promoted while latency was only seen with cold caches', () => {
    // Stored plans may have what a config may not have any more.
    const plan = planOf({ rollout: { steps: [50], bake: '2m', guard: '5m', atMost: '10m' } });
    const given = challenge({ ...plan, rollout: { ...plan.rollout, warmUp: 4 } });
    until(given, healthy, 'baking');

    for (let tick = 0; tick < 9 && rolloutOf(given).evidence.ticks < 4; tick += 1) serveTicks(given.drive, healthy, 1);

    expect(rolloutOf(given).status).toBe('baking');
    expect(until(given, healthy, 'promoted', 'held').certificate?.conditions.join()).not.toMatch(/not judged/);
  });
});

describe('strategy shadow', () => {
  const shadow = { ...noLatency, strategy: 'shadow' as const, steps: [50] } satisfies GivenRollout;

  test('mirrors first, and takes back what is worse on the same requests before it serves any', () => {
    const given = begun(shadow);
    until(given, { ...healthy, pairs: { mirror: 0, served: 0 } }, 'baking');
    expect(given.endpoint.observe()).toMatchObject({ weights: { v1: 100 }, mirror: { deployment: 'v2', percent: 20 } });

    const rollout = until(given, { ...healthy, pairs: { mirror: 12, served: 1 } }, 'rolledBack', 'shifting');

    expect(rollout).toMatchObject({ status: 'rolledBack', because: { kind: 'evidence' } });
    expect(rollout.evidence.candidate.requests).toBe(0);
    expect(rollout.certificate?.sentence).toMatch(
      /of [\d,]+ mirrored requests 48 failed only at the candidate, and 4 only at the champion/,
    );
  });

  test.each([
    ['calm', 4],
    ['unknown', 6],
  ])('mirrors for long enough to find harm, whatever its bake, where the past is %s', (past, ticks) => {
    const mirroring = (mirror: number) => {
      const given = begun({ ...shadow, bake: '1m', atMost: '20m' });
      if (past === 'unknown') given.drive.answer('readHistory', { type: 'historyRead' });
      return { given, traffic: { ...healthy, pairs: { mirror, served: 1 } } };
    };
    const broken = mirroring(600);
    const sound = mirroring(1);

    until(broken.given, broken.traffic, 'rolledBack', 'promoted');
    expect(broken.given.endpoint.log.join()).not.toContain('"v2"');
    until(sound.given, sound.traffic, 'baking');
    expect(until(sound.given, sound.traffic, 'shifting', 'rolledBack').evidence.ticks).toBe(ticks);
  });

  test('mirrors for no longer than its last step may take', () => {
    const given = begun({ ...shadow, bake: '1m', atMost: '3m', onInconclusive: 'rollBack' });

    const rollout = until(given, { ...healthy, pairs: { mirror: 1, served: 1 } }, 'rolledBack', 'shifting', 'promoted');
    expect(rollout.status).toBe('shifting');
    expect(until(given, { ...healthy, pairs: { mirror: 1, served: 1 } }, 'baking').evidence.ticks).toBe(3);
  });

  test('goes on with its steps when the mirror shows no harm', () => {
    const given = begun(shadow);

    const rollout = until(given, { ...healthy, pairs: { mirror: 1, served: 1 } }, 'promoted', 'held', 'rolledBack');

    expect(rollout).toMatchObject({ status: 'promoted', certificate: { verdict: 'promotion' } });
    expect(given.endpoint.log).toContain('weigh {"v1":100} mirror v2 20');
    expect(given.endpoint.log.indexOf('weigh {"v1":50,"v2":50}')).toBeGreaterThan(0);
  });

  test('goes to no real traffic while nothing was mirrored, and goes on once something was', () => {
    const given = begun(shadow);

    const held = until(given, healthy, 'held', 'shifting', 'promoted');
    expect(held.evidence.candidate.requests).toBe(0);
    expect(whyRollout(held, 'fraud').sentence).toMatch(/no data: 0 requests mirrored to the candidate, of at least 20/);

    expect(until(given, { ...healthy, pairs: { mirror: 0, served: 0 } }, 'promoted', 'rolledBack').status).toBe(
      'promoted',
    );
  });

  test('is not taken back for copies that were never sent, and waits while most are not', () => {
    const given = begun(shadow);

    const held = until(
      given,
      { ...healthy, pairs: { mirror: 0, served: 0, dropped: 7000 } },
      'held',
      'promoted',
      'rolledBack',
    );

    expect(held.status).toBe('held');
    expect(whyRollout(held, 'fraud').sentence).toMatch(
      /were never copied, for the queue was full; mirror a smaller share/,
    );
    expect(until(given, { ...healthy, pairs: { mirror: 0, served: 0 } }, 'promoted', 'rolledBack').status).toBe(
      'promoted',
    );
  });

  test('holds when the predictions are systematically higher', () => {
    const given = begun(shadow);

    const rollout = until(
      given,
      { ...healthy, pairs: { mirror: 0, served: 0, higher: 40, lower: 10 } },
      'held',
      'promoted',
      'rolledBack',
    );

    expect(whyRollout(rollout, 'fraud').sentence).toMatch(/is higher in \d+ and lower in \d+/);
  });
});

describe('labels', () => {
  const labelled = {
    guardrails: { latency: false, labels: { maturity: '10m', margin: 2, floor: 0.01 } },
    bake: '5m',
    atMost: '2h',
  } as const;

  test('decide an a/b test with evidence of their own: wrong predictions take the candidate back', () => {
    const given = begun({ ...labelled, strategy: 'ab' });

    const rollout = until(given, { ...healthy, wrong: { v1: 0.05, v2: 0.08 } }, 'rolledBack', 'promoted', 'held');

    expect(rollout).toMatchObject({ status: 'rolledBack', because: { kind: 'evidence' } });
    expect(rollout.certificate?.guardrails.find(({ name }) => name === 'labels')).toMatchObject({ blame: 'certified' });
    expect(rollout.certificate?.conditions.join('\n')).toMatch(/[\d,]+ of [\d,]+ requests had a label/);
  });

  test('that come late are waited for: no promotion before they certify', () => {
    const given = begun({ ...labelled, strategy: 'ab' });

    const rollout = until(given, { ...healthy, wrong: { v1: 0.05, v2: 0.05 } }, 'rolledBack', 'promoted', 'held');

    expect(rollout.status).toBe('promoted');
    expect(rollout.certificate?.guardrails.find(({ name }) => name === 'labels')?.streams[0]?.logSafe).toBeGreaterThan(
      3,
    );
  });

  test('that are losses are bet on in the order of the requests', () => {
    const kind = { kind: 'loss', tolerated: 0, marginLoss: 0.2, maturity: '10m' } as const;
    const given = (loss: Readonly<Record<string, number>>) =>
      until(
        begun({ strategy: 'ab', atMost: '3h', guardrails: { latency: false, labels: kind } }),
        { ...healthy, loss },
        'rolledBack',
        'promoted',
        'held',
      );

    expect(given({ v1: 0.2, v2: 0.6 })).toMatchObject({ status: 'rolledBack', because: { kind: 'evidence' } });
    expect(given({ v1: 0.2, v2: 0.2 })).toMatchObject({ status: 'promoted', certificate: { verdict: 'promotion' } });
  });

  test('that are losses are told of as labels: as many as there were losses', () => {
    const kind = { kind: 'loss', tolerated: 0, marginLoss: 0.2, maturity: '10m' } as const;
    const plan = { strategy: 'ab', atMost: '3h', guardrails: { latency: false, labels: kind } } as const;

    const { labels } = until(begun(plan), { ...healthy, loss: { v1: 0.2, v2: 0.6 } }, 'rolledBack').evidence;

    expect(labels?.harm.labels).toBeGreaterThan(0);
    expect(labels?.labelled).toBe(labels?.harm.labels);
  });
});
