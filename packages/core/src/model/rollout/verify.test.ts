import { describe, expect, test } from 'vitest';
import { day } from '../../base/time.ts';
import { fold, nextEntry } from '../../ports/entry.ts';
import type { Entry, Head } from '../../ports/journal.ts';
import {
  calmHistory,
  converge,
  type Driver,
  healthy,
  planOf,
  serveTicks,
  type Traffic,
  withCanary,
} from '../model.fixture.ts';
import type { Model } from '../state.ts';
import { challenge, noLatency, rolloutOf, until, type World } from './judge.fixture.ts';
import { type Rollout, rolloutEnded } from './state.ts';
import { rolloutVerifier, verifyRollout } from './verify.ts';

/** A champion, and a challenger that gets the traffic until its rollout has ended. */
function released(traffic: Traffic): Driver {
  const { drive, endpoint } = challenge();
  for (let round = 0; round < 12 && !rolloutEnded(drive.state.rollout); round += 1) {
    converge(drive, endpoint);
    serveTicks(drive, traffic);
  }
  converge(drive, endpoint);
  return drive;
}

const idOf = (drive: Driver): string => drive.state.rollout?.id ?? '';

test('a promotion and a rollback are recomputed from the journal alone', () => {
  for (const failing of [0.001, 0.03]) {
    const drive = released({ perMinute: 6000, failing: { v1: 0.001, v2: failing } });

    const found = verifyRollout(drive.entries, idOf(drive));

    expect(found.problems).toEqual([]);
    expect(found.readings).toBeGreaterThan(0);
    expect(found.recomputed).toEqual(drive.state.rollout?.certificate);
  }
});

test('one changed count is found: in the tick, in the certificate, and by the chain', () => {
  const drive = released({ perMinute: 6000, failing: { v1: 0.001, v2: 0.03 } });
  const changedAt = (pick: (entry: Entry) => boolean, change: (text: string) => string): readonly Entry[] =>
    drive.entries.map((entry) => (pick(entry) ? JSON.parse(change(JSON.stringify(entry))) : entry));
  const tick = (entry: Entry) => (entry.signal as { type?: string }).type === 'ticksRead';
  const certificate = (entry: Entry) => JSON.stringify(entry.patch).includes('"certificate"');

  const fewer = verifyRollout(
    changedAt(tick, (text) => text.replace('"errors":18', '"errors":8')),
    idOf(drive),
  );
  const kinder = verifyRollout(
    changedAt(certificate, (text) => text.replaceAll('"candidate":36', '"candidate":8')),
    idOf(drive),
  );

  expect(fewer.verified).toBe(false);
  expect(fewer.problems.join('\n')).toMatch(/was changed after it was written/);
  expect(fewer.problems.join('\n')).toMatch(
    /evidence\.streams\.errors\.10\.candidate is recorded as 18, recomputed as 8/,
  );
  expect(kinder.problems.join('\n')).toMatch(/certificate\.guardrails\.0\.streams\.0\.cells\.10\.candidate/);
});

test('a verification comes to the same, in whatever parts the stream is read', () => {
  const drive = released({ perMinute: 6000, failing: { v1: 0.001, v2: 0.03 } });
  const forged = drive.entries.map((entry) => ({ ...entry, ...(entry.seq === 9 ? { at: entry.at + 1 } : {}) }));
  const mangled = drive.entries.map((entry) => ({ ...entry, ...(entry.seq > 40 ? { patch: { rollout: 7 } } : {}) }));
  const gap = drive.entries.filter(({ seq }) => seq !== 14);

  for (const entries of [drive.entries, forged, mangled, gap] as readonly (readonly Entry[])[])
    for (const size of [1, 7, 50]) {
      const verifier = rolloutVerifier(idOf(drive));
      for (let at = 0; at < entries.length; at += size) verifier.take(entries.slice(at, at + size));

      expect(verifier.outcome()).toEqual(verifyRollout(entries, idOf(drive)));
    }
  expect(verifyRollout(gap, idOf(drive)).problems[0]).toMatch(/entry 15 follows 13/);
});

test('a warm-up that was moved is found', () => {
  const drive = released({ perMinute: 6000 });
  const warmUps = drive.entries.filter((entry) => JSON.stringify(entry.patch).includes('"from":'));
  const moved = ({ patch, ...entry }: Entry): Entry => {
    const later = (_: string, from: string) => `"from":${Number(from) + 60_000}`;
    return { ...entry, patch: JSON.parse(JSON.stringify(patch).replace(/"from":(\d+)/, later)) };
  };

  expect(warmUps.length).toBeGreaterThan(2);
  for (const entry of warmUps.slice(-2)) {
    const entries = drive.entries.map((each) => (each === entry ? moved(each) : each));

    expect(verifyRollout(entries, idOf(drive)).problems.join('\n')).toMatch(/evidence\.from is recorded as/);
  }
});

test('a guard that time without service made longer is recomputed, and one that was cut short is found', () => {
  const { drive, endpoint } = withCanary();
  for (let round = 0; round < 12 && !rolloutEnded(drive.state.rollout); round += 1) {
    converge(drive, endpoint);
    serveTicks(drive, { perMinute: 0, isUnserved: true }, 2);
    serveTicks(drive, healthy, 200);
  }
  const untilIn = ({ patch }: Entry) => (patch as { rollout?: { until?: number } }).rollout?.until ?? 0;
  const longer = drive.entries.filter(
    (entry) => (entry.signal as { type?: string }).type === 'ticksRead' && untilIn(entry) > 0,
  );
  const cut = (entry: Entry): Entry => {
    const { patch } = entry;
    const { rollout } = patch as { readonly rollout: object };
    return { ...entry, patch: { ...(patch as object), rollout: { ...rollout, until: untilIn(entry) - 60_000 } } };
  };
  const forged = drive.entries.map((entry) => (entry === longer.at(-1) ? cut(entry) : entry));

  expect(drive.state.rollout?.status).toBe('promoted');
  expect(longer.length).toBeGreaterThan(2);
  expect(verifyRollout(drive.entries, idOf(drive)).problems).toEqual([]);
  expect(verifyRollout(forged, idOf(drive)).problems.join('\n')).toMatch(/until is recorded as/);
});

/** An insider writes another state from this entry on, and chains all entries anew. */
function rewritten(drive: Driver, from: number, change: (rollout: Record<string, unknown>) => void): readonly Entry[] {
  const found: Entry[] = [];
  let real: ReturnType<typeof fold> = {};
  let head: Head | undefined;
  for (const entry of drive.entries) {
    real = fold([entry], real);
    const state = JSON.parse(JSON.stringify(real));
    if (entry.seq >= from && state.rollout !== undefined) change(state.rollout);
    const { stream, at, actor, signal, events } = entry;
    const next = nextEntry(head, { stream, at, actor, signal, state, events });
    found.push(next);
    head = { stream, seq: next.seq, hash: next.hash, state };
  }
  return found;
}

const typeOf = ({ signal }: Entry): string => (signal as { readonly type: string }).type;
const seqOf = (drive: Driver, pick: (entry: Entry, state: Model) => boolean): number => {
  const found = drive.entries.find((entry, index) =>
    pick(entry, fold(drive.entries.slice(0, index + 1)) as unknown as Model),
  );
  return found?.seq ?? expect.fail();
};

describe('an insider who chains the journal anew', () => {
  const drive = released({ perMinute: 6000 });
  const plain = seqOf(drive, (entry, { rollout }) => rollout?.status === 'baking' && typeOf(entry) === 'clockTicked');
  const known = Object.keys(drive.state.rollout ?? expect.fail());

  test('is not found where nothing was changed', () => {
    expect(
      verifyRollout(
        rewritten(drive, plain, () => {}),
        idOf(drive),
      ).problems,
    ).toEqual([]);
  });

  test.each(known)('is found, who changes `%s` without a reading (%s)', (field) => {
    const forged = rewritten(drive, plain, (rollout) => {
      rollout[field] = field === 'id' ? rollout.id : { ...Object(rollout[field]), forged: true };
    });
    const other = rewritten(drive, plain, (rollout) => {
      rollout.id = 'ro_other';
    });

    const found = field === 'id' ? verifyRollout(other, 'ro_other') : verifyRollout(forged, idOf(drive));

    expect(found.verified).toBe(false);
    if (field !== 'id') expect(found.problems.join('\n')).toMatch(new RegExp(`entry ${plain}: .*${field}`));
  });

  test.each([
    ['a looser limit', 'plan'],
    ['steps that were never planned', 'steps'],
    ['a guard that is shorter', 'guardMs'],
  ])('is found, who lets a rollout begin with %s', (_, field) => {
    const begun = seqOf(drive, (_, { rollout }) => rollout?.id === idOf(drive));
    const forged = rewritten(drive, begun, (rollout) => {
      if (field === 'plan') rollout.plan = { ...Object(rollout.plan), guard: 60_000 };
      else rollout[field] = field === 'steps' ? [50] : 60_000;
    });

    expect(verifyRollout(forged, idOf(drive)).problems[0]).toMatch(new RegExp(`^entry ${begun}: rollout\\.`));
  });

  test('is found, who changes what the champion did once it was read', () => {
    const read = seqOf(drive, (entry) => typeOf(entry) === 'historyRead');
    const change = (from: number) =>
      verifyRollout(
        rewritten(drive, from, (rollout) => {
          rollout.history = 'none';
        }),
        idOf(drive),
      ).problems;

    expect(change(read)[0]).toMatch(/rollout\.history is recorded as "none"/);
    expect(change(read + 1)[0]).toMatch(/rollout\.history is recorded as "none"/);
  });

  test('is found, who makes a hold last longer or takes a certificate away', () => {
    const held = seqOf(drive, (_, { rollout }) => rollout?.status === 'promoted' && rollout.id === idOf(drive));
    const { drive: paused, endpoint } = withCanary();
    converge(paused, endpoint);
    paused.say({ type: 'pauseRequested' });
    paused.wait(60_000);
    const pause = seqOf(paused, (entry) => typeOf(entry) === 'pauseRequested');

    const without = rewritten(drive, held, (rollout) => {
      delete rollout.certificate;
    });
    const longer = rewritten(paused, pause, (rollout) => {
      rollout.endsAt = Number(rollout.endsAt) + 60_000;
    });

    expect(verifyRollout(without, idOf(drive)).problems.join('\n')).toMatch(/certificate is recorded as nothing/);
    expect(
      verifyRollout(
        rewritten(paused, pause, () => {}),
        idOf(paused),
      ).problems,
    ).toEqual([]);
    expect(verifyRollout(longer, idOf(paused)).problems.join('\n')).toMatch(/rollout\.endsAt is recorded as/);
  });
});

test('a rollout that is not there is said to be missing', () => {
  expect(verifyRollout([], 'ro_1').problems).toEqual(['there is no rollout ro_1 in these 0 entries']);
});

describe('an honest journal is verified', () => {
  const plan = planOf({ rollout: { bake: '5m', guard: '5m', ...noLatency, maxHold: '1h' } });
  const freeze = { by: 'fay', because: 'audit' };
  const problemsOf = ({ drive }: World) => verifyRollout(drive.entries, idOf(drive)).problems;

  test('of a rollout that was ready while the project was frozen, and began when that ended', () => {
    const given = challenge(plan, 60);
    given.drive.say({ type: 'configReleased', revision: 2, plan, freeze });
    until(given, healthy, 'baking');
    expect(rolloutOf(given)).toMatchObject({ status: 'deploying', ready: true });
    given.drive.say({ type: 'configReleased', revision: 3, plan });

    expect(until(given, healthy, 'promoted').status).toBe('promoted');
    expect(problemsOf(given)).toEqual([]);
  });

  test('of a rollout whose champion was read last of all, under a freeze', () => {
    const given = challenge(plan, 60);
    const [order] = given.drive.owed('readHistory');
    given.drive.say({ type: 'configReleased', revision: 2, plan, freeze });
    for (let round = 0; round < 9 && given.drive.state.endpoint.status === 'converging'; round += 1) {
      const [change] = given.drive.owed('change');
      if (change?.kind === 'change') {
        given.endpoint.apply(change.operation);
        given.drive.answer('change', { type: 'endpointChanged', answer: 'accepted' });
      } else if (given.drive.owed('observe').length > 0)
        given.drive.answer('observe', {
          type: 'endpointObserved',
          begunAt: given.drive.now,
          observation: given.endpoint.observe(),
        });
      else given.drive.wait(1000);
    }
    if (order?.kind !== 'readHistory') return expect.fail();
    given.drive.answer('readHistory', { type: 'historyRead', history: calmHistory(order.measures) });

    expect(rolloutOf(given)).toMatchObject({ status: 'deploying', ready: true });
    expect(problemsOf(given)).toEqual([]);
  });

  test.each([
    ['its deployment fails', 'observe'],
    ['its platform refuses the order', 'change'],
  ] as const)('in which %s in the entry that passes its deadline', (_, kind) => {
    const given = challenge(plan, 60);
    until(given, healthy, 'shifting');
    const rollout = rolloutOf(given);
    const { drive, endpoint } = given;
    for (let round = 0; round < 9 && drive.owed(kind).length === 0; round += 1)
      if (drive.owed('observe').length === 0) drive.wait(1000);
      else
        drive.answer('observe', {
          type: 'endpointObserved',
          begunAt: drive.now,
          observation: endpoint.observe(),
        });
    drive.skip(('deadline' in rollout ? rollout.deadline : drive.now) - drive.now + 1);
    const seen = endpoint.observe();
    if (seen === 'absent') return expect.fail();
    const failed = seen.deployments.map((each) =>
      each.version === 2 ? { ...each, status: 'failed', reason: 'it crashed' } : each,
    );

    if (kind === 'change') drive.answer('change', { type: 'effectRefused', because: 'no quota' });
    else
      drive.answer('observe', {
        type: 'endpointObserved',
        begunAt: drive.now,
        observation: { ...seen, deployments: failed },
      });

    expect(rolloutOf(given)).toMatchObject({
      status: 'reverting',
      because: { kind: 'ready', text: expect.stringMatching(/v2 failed: it crashed|no quota/) },
    });
    expect(problemsOf(given)).toEqual([]);
  });

  test('of a model that leaves the config', () => {
    const given = challenge(plan, 60);
    until(given, healthy, 'baking');
    given.drive.say({ type: 'configReleased', revision: 2 });

    expect(rolloutOf(given).status).toBe('reverting');
    expect(problemsOf(given)).toEqual([]);
  });

  test('in which a count was no number', () => {
    const given = challenge(plan, 60);
    until(given, healthy, 'baking');
    given.drive.wait(2 * 60_000);
    const [order] = given.drive.owed('readTicks');
    if (order?.kind !== 'readTicks') return expect.fail();
    const counts = { v2: { requests: Number.NaN, bad: { errors: 0 } } };
    given.drive.answer('readTicks', {
      type: 'ticksRead',
      from: order.from,
      to: order.to,
      ticks: [{ start: order.from, counts }],
    });

    expect(rolloutOf(given)).toMatchObject({
      status: 'held',
      because: expect.stringMatching(/requests of v2 is no number, not a whole number/),
    });
    const entries = given.drive.entries.map((entry) => JSON.parse(JSON.stringify(entry)));
    expect(verifyRollout(entries, idOf(given.drive)).problems).toEqual([]);
  });
});

describe('a status that nothing in its entry brings about is found', () => {
  const given = challenge(planOf({ rollout: { bake: '15m', guard: '5m', ...noLatency } }), 60);
  until(given, healthy, 'baking');
  serveTicks(given.drive, healthy, 3);
  const { drive } = given;
  const { seq } = drive.entries.findLast((entry) => typeOf(entry) === 'clockTicked') ?? expect.fail();

  test.each<[Rollout['status'], Readonly<Record<string, unknown>>]>([
    ['deploying', { deadline: drive.now + day }],
    ['shifting', { step: 1, deadline: drive.now + day }],
    ['paused', { endsAt: drive.now + day }],
    ['held', { endsAt: drive.now + day, because: 'it is late' }],
    ['promoting', { deadline: drive.now + day }],
    ['guarding', {}],
    ['promoted', { endedAt: drive.now, because: 'all is well' }],
    ['reverting', { because: { kind: 'ready', text: 'v2 failed: it crashed' } }],
    ['rolledBack', { endedAt: drive.now, because: { kind: 'ready', text: 'v2 failed: it crashed' } }],
    ['aborted', { endedAt: drive.now, because: { kind: 'abort', text: 'aborted by ann' } }],
  ])('%s', (status, fields) => {
    const forged = rewritten(drive, seq, (rollout) => Object.assign(rollout, { status, ...fields }));

    expect(verifyRollout(forged, idOf(drive)).problems[0]).toBe(
      `entry ${seq}: rollout.status is recorded as "${status}", recomputed as "baking"`,
    );
  });
});
