import { describe, expect, test } from 'vitest';
import { day, hour } from '../../base/time.ts';
import {
  converge,
  type Driver,
  driver,
  type FakeEndpoint,
  fakeEndpoint,
  healthy,
  human,
  planOf,
  score,
  serveTicks,
  serveToTheEnd,
  trainOne,
  withCanary,
  withChampion,
} from '../model.fixture.ts';
import { type Version, versionOf } from '../version.ts';
import { whyModel, whyVersion } from '../why.ts';
import { rollBack, withVersion } from './between.ts';

const alert = {
  type: 'alertRaised',
  kind: 'alert',
  sender: 'grafana',
  fingerprint: 'f',
  startedAt: '2026-01-01T00:00:00Z',
  title: 'errors high',
} as const;
const resolved = { type: 'alertResolved', sender: 'grafana', fingerprint: 'f' } as const;
const approver = { subject: 'bob', issuer: 'token', role: 'approver' } as const;
/** Nothing is compared with the champion: an offer is not scored again when the champion changes. */
const simpleGate = { gate: { auc: { direction: 'up', atLeast: 0.5 } } } as const;

/** The next version passes the gate. */
function offerNext(drive: Driver, endpoint: FakeEndpoint, digest: string): void {
  trainOne(drive, digest);
  score(drive, 0.9);
  converge(drive, endpoint);
}

/** v2 was taken back by an alert that still fires, and v3 has passed the gate. */
function withFiring(changes: Parameters<typeof planOf>[0] = {}) {
  const { drive, endpoint } = withChampion(planOf({ ...simpleGate, ...changes }));
  offerNext(drive, endpoint, 'two');
  drive.say(alert);
  converge(drive, endpoint);
  offerNext(drive, endpoint, 'three');
  return { drive, endpoint };
}

const release = (drive: Driver, revision: number, more = {}) =>
  drive.say({ type: 'configReleased', revision, plan: planOf(simpleGate), ...more });
const freeze = (drive: Driver, revision: number) =>
  release(drive, revision, { freeze: { by: 'fay', because: 'audit' } });
const thaw = release;

const rolledOut = ({ state }: Driver): string => `v${state.rollout?.candidate} ${state.rollout?.status}`;

describe('while an alert fires', () => {
  test('nothing starts to roll out, and status and why say what holds it', () => {
    const { drive } = withFiring();

    expect(rolledOut(drive)).toBe('v2 rolledBack');
    expect(drive.state.offered?.version).toBe(3);
    const { sentence, story } = whyModel(drive.state, drive.now);
    expect(sentence).toMatch(/'errors high' \(grafana\) has been firing since \S+Z and holds v3; /);
    expect(sentence).toContain(`'serin versions approve fraud 3 --override "<why>"' lets it start all the same`);
    expect(story.map(({ text }) => text)).toContain(
      "'errors high' (grafana) fires: the rollout under way was taken back",
    );
  });

  test('the next candidate starts as soon as the alert is resolved', () => {
    const { drive, endpoint } = withFiring();

    drive.say(resolved);
    converge(drive, endpoint);

    expect(rolledOut(drive)).toMatch(/^v3 (shifting|baking)/);
  });

  test('the same alert takes the next candidate back as well when it fires again', () => {
    const { drive, endpoint } = withFiring();
    drive.say(resolved);
    converge(drive, endpoint);

    drive.say(alert);
    converge(drive, endpoint);

    expect(rolledOut(drive)).toBe('v3 rolledBack');
  });

  test('the gate does not move a champion without an endpoint either', () => {
    const { drive } = withChampion(planOf({ ...simpleGate, serve: 'none', alerts: { onAlert: 'notify' } }));
    drive.say(alert);
    trainOne(drive, 'two');
    score(drive, 0.9);
    expect(drive.state.champion).toBe(1);

    drive.say(resolved);
    drive.wait(1000);

    expect(drive.state.champion).toBe(2);
  });

  test.each([
    ["the config says 'ignore'", { alerts: { whileFiring: 'ignore' } }],
    ['alerts start runs, whose versions are what mends them', { alerts: { onAlert: 'run' } }],
  ] as const)('a candidate starts when %s', (_, changes) => {
    expect(rolledOut(withFiring(changes).drive)).toMatch(/^v3 (shifting|baking)/);
  });

  test('drift holds nothing: a new version is what mends it', () => {
    const { drive, endpoint } = withChampion(planOf(simpleGate));
    drive.say({ ...alert, kind: 'drift' });
    offerNext(drive, endpoint, 'two');

    expect(rolledOut(drive)).toMatch(/^v2 (shifting|baking)/);
  });

  test('a rollback is not held', () => {
    const { drive, endpoint } = withChampion(planOf({ ...simpleGate, alerts: { onAlert: 'notify' } }));
    offerNext(drive, endpoint, 'two');
    serveToTheEnd(drive, endpoint);
    drive.say(alert);

    drive.say({ type: 'rollbackRequested' });
    for (let round = 0; round < 3; round += 1) converge(drive, endpoint);

    expect(drive.state.champion).toBe(1);
  });

  test('a first version is held as well', () => {
    const drive = driver();
    drive.say(alert);
    trainOne(drive, 'one');
    score(drive, 0.8);
    converge(drive, fakeEndpoint());

    expect(drive.state).toMatchObject({ offered: { version: 1 } });
    expect(drive.state.rollout).toBeUndefined();
  });
});

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

test('an alert says what was done in the end, not what the policy asked for', () => {
  const { drive } = withChampion(planOf(simpleGate));
  drive.say(alert);

  expect(Object.values(drive.state.monitor.alerts)).toMatchObject([{ did: 'escalate' }]);
  expect(whyModel(drive.state, drive.now).story.map(({ text }) => text)).toContain(
    "'errors high' (grafana) fires: somebody has to look at it",
  );
});

test('an alert is announced with what it did, and not when it did nothing', () => {
  const { drive } = withCanary();
  drive.say(alert);
  drive.say({ ...alert, fingerprint: 'g', over: true });
  drive.say(alert);

  const told = drive.entries.flatMap(({ events }) => events.filter(({ type }) => type.includes('.alert.')));

  expect(told.map(({ data }) => data)).toMatchObject([{ fingerprint: 'f', did: 'revert' }]);
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

test('who approves a version that an alert holds is told of the alert and of the override', () => {
  const { drive } = withFiring();
  const approval = { type: 'approvalGiven', version: 3, approved: true } as const;
  drive.say(approval, approver);

  drive.say(approval, approver, 'again');

  expect(drive.state.seen.again).toMatch(/approved already; 'errors high' \(grafana\) fires and holds it: --override/);
});

describe('a person who overrides alerts', () => {
  const override = { type: 'approvalGiven', version: 3, approved: true, override: 'v3 is the fix' } as const;

  test('lets the held version start, with the reason on record', () => {
    const { drive, endpoint } = withFiring();

    expect(drive.say(override, approver)).toBe('moved');
    converge(drive, endpoint);

    expect(rolledOut(drive)).toMatch(/^v3 (shifting|baking)/);
    expect(drive.state.rollout?.story[0]?.text).toBe(
      "starts although 'errors high' (grafana) fires: bob: v3 is the fix",
    );
  });

  test('is not heeded by an alert that fires later', () => {
    const { drive, endpoint } = withFiring();
    drive.say(override, approver);
    converge(drive, endpoint);
    expect(drive.say(alert, human, 'again')).toBe('moved');
    expect(rolledOut(drive)).toMatch(/^v3 (shifting|baking)/);

    drive.say({ ...alert, fingerprint: 'other' });

    expect(rolledOut(drive)).toBe('v3 reverting');
  });

  test('need not say it again when the champion changes and the version is scored once more', () => {
    const { drive, endpoint } = withChampion(planOf({ alerts: { onAlert: 'notify' } }));
    trainOne(drive, 'two');
    score(drive, 0.82, 0.8);
    converge(drive, endpoint);
    serveToTheEnd(drive, endpoint);
    drive.say(alert);
    trainOne(drive, 'three');
    score(drive, 0.85, 0.82);
    drive.say({ type: 'rollbackRequested' });
    drive.say(override, approver);
    for (let round = 0; round < 3; round += 1) converge(drive, endpoint);
    expect(drive.state.champion).toBe(1);

    drive.wait(1000);
    drive.say({ type: 'slotGranted', run: drive.state.run?.id ?? '' });
    score(drive, 0.85, 0.8);
    converge(drive, endpoint);

    expect(rolledOut(drive)).toMatch(/^v3 (shifting|baking)/);
  });

  test('speaks for one version: the next is held by the same alert', () => {
    const { drive, endpoint } = withFiring();
    drive.say(override, approver);
    converge(drive, endpoint);
    serveToTheEnd(drive, endpoint);
    expect(drive.state.champion).toBe(3);

    offerNext(drive, endpoint, 'four');

    expect(drive.state.offered?.version).toBe(4);
    expect(rolledOut(drive)).toBe('v3 promoted');
  });

  test('does not speak for the same alert when it fires anew', () => {
    const { drive, endpoint } = withFiring();
    freeze(drive, 2);
    drive.say(override, approver);
    drive.say(resolved);
    drive.wait(1000);
    drive.say(alert);

    thaw(drive, 3);
    converge(drive, endpoint);

    expect(rolledOut(drive)).toBe('v2 rolledBack');
  });

  test('speaks for one version also when that never started: the next is held', () => {
    const { drive, endpoint } = withFiring();
    trainOne(drive, 'four');
    freeze(drive, 2);
    drive.say(override, approver);
    score(drive, 0.9);
    expect(drive.state.offered?.version).toBe(4);

    thaw(drive, 3);
    converge(drive, endpoint);

    expect(rolledOut(drive)).toBe('v2 rolledBack');
  });

  test('approves and overrides a version that waits for its approval at once', () => {
    const { drive, endpoint } = withFiring({ approval: { required: true } });
    drive.say({ type: 'approvalGiven', version: 1, approved: true }, approver);
    const waiting = drive.state.offered?.version ?? 0;
    drive.say(alert);

    drive.say({ ...override, version: waiting }, approver);
    converge(drive, endpoint);

    expect(drive.state.versions[waiting]?.approval).toMatchObject({ status: 'approved', by: 'bob' });
    expect(drive.state.rollout?.candidate).toBe(waiting);
  });

  test('is refused where nothing is held, and with four eyes when it is their own run', () => {
    const { drive } = withFiring();
    expect(drive.say({ ...override, version: 1 }, approver)).toContain('v1 does not wait for its rollout');
    drive.say(resolved);
    expect(drive.say(override, approver)).toContain('v3 does not wait for its rollout');
    trainOne(drive, 'four');
    score(drive, 0.9);
    expect(drive.say({ ...override, version: 4 }, approver)).toContain('no alert holds v4');

    const two = withFiring({ approval: { required: false, fourEyes: true } });
    const starter = two.drive.state.versions['3']?.lineage.startedBy ?? '';
    expect(two.drive.say(override, { ...approver, subject: starter })).toContain('four eyes');
  });
});

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

describe('a version that was taken back', () => {
  const restore = { type: 'restoreRequested', version: 2, because: 'it was the wrong key' } as const;

  /** v2 was the champion, and a person went back to v1. */
  function takenBack(changes: Parameters<typeof planOf>[0] = {}) {
    const { drive, endpoint } = withChampion(planOf({ ...simpleGate, ...changes }));
    offerNext(drive, endpoint, 'two');
    serveToTheEnd(drive, endpoint);
    drive.say({ type: 'rollbackRequested', because: 'try by hand' });
    for (let round = 0; round < 3; round += 1) converge(drive, endpoint);
    return { drive, endpoint };
  }

  test('says who took it back, and why', () => {
    const { drive } = takenBack();

    expect(drive.state.versions['2']?.quarantined?.because).toBe('taken back by ann: try by hand');
    expect(drive.state.lastGood).toEqual([]);
    expect(drive.state.served.at(-1)).toMatchObject({
      version: 1,
      because: 'serves again: rolled back by ann: try by hand',
    });
  });

  test('is offered again by a person who says why, and may become the champion again', () => {
    const { drive, endpoint } = takenBack();

    expect(drive.say(restore, approver)).toBe('moved');
    converge(drive, endpoint);
    serveToTheEnd(drive, endpoint);

    expect(drive.state.champion).toBe(2);
    expect(drive.state.lastGood).toEqual([1]);
    expect(
      whyVersion(drive.state.versions['2'] as never, drive.state, drive.now).story.map(({ text }) => text),
    ).toContain('restored by bob: it was the wrong key (it was quarantined: taken back by ann: try by hand)');
    expect(drive.entries.flatMap(({ events }) => events.map(({ type }) => type))).toContain(
      'dev.serin.version.restored.v1',
    );
  });

  test('is scored again first when the champion is not the one that it was compared with', () => {
    const { drive, endpoint } = withCanary();
    serveToTheEnd(drive, endpoint);
    trainOne(drive, 'three');
    score(drive, 0.85, 0.82);
    converge(drive, endpoint);
    drive.say({ type: 'rollbackRequested' });
    converge(drive, endpoint);
    drive.say({ type: 'rollbackRequested' });
    for (let round = 0; round < 3; round += 1) converge(drive, endpoint);
    expect([drive.state.champion, rolledOut(drive)]).toEqual([1, 'v1 promoted']);

    drive.say({ ...restore, version: 3 }, approver);

    expect(drive.state.run?.trigger).toMatchObject({ kind: 'rescore', version: 3 });
  });

  test('is offered again as well when evidence spoke against it', () => {
    const { drive, endpoint } = withChampion(planOf(simpleGate));
    offerNext(drive, endpoint, 'two');
    serveTicks(drive, { ...healthy, failing: { v2: 0.6 } });
    converge(drive, endpoint);
    expect(rolledOut(drive)).toBe('v2 rolledBack');

    drive.say(restore, approver);
    converge(drive, endpoint);

    expect(rolledOut(drive)).toMatch(/^v2 (shifting|baking)/);
  });

  test.each([
    ['the champion', { ...restore, version: 1 }, 'v1 is the champion already'],
    ['a version that nobody knows', { ...restore, version: 9 }, 'there is no version 9'],
  ] as const)('is not restored when it is %s', (_, said, because) => {
    expect(takenBack().drive.say(said, approver)).toContain(because);
  });

  test('is not restored while it is being taken back, nor without a yes, nor by the two eyes that started it', () => {
    const canary = withCanary().drive;
    expect(canary.say(restore, approver)).toContain('v2 is being rolled out');

    const pending = withChampion(planOf({ ...simpleGate, approval: { required: true } })).drive;
    expect(pending.say({ ...restore, version: 1 }, approver)).toContain('v1 was never approved');

    const { drive } = takenBack({ approval: { required: false, fourEyes: true } });
    const starter = drive.state.versions['2']?.lineage.startedBy ?? '';
    expect(drive.say(restore, { ...approver, subject: starter })).toContain('four eyes');
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

test.each([
  ['with an endpoint', {}, { '3': 100 }],
  ['without an endpoint', { serve: 'none' }, {}],
] as const)(
  'a champion and the two before it are kept however many versions were trained after it, %s',
  (_, changes, weights) => {
    const { drive, endpoint } = withChampion(planOf({ ...simpleGate, ...changes }));
    for (const digest of ['two', 'three']) {
      offerNext(drive, endpoint, digest);
      serveToTheEnd(drive, endpoint);
    }
    expect([drive.state.champion, drive.state.lastGood]).toEqual([3, [1, 2]]);

    for (let number = 4; number <= 26; number += 1) {
      trainOne(drive, `refused-${number}`);
      score(drive, 0.1);
    }
    converge(drive, endpoint);

    const newest = Array.from({ length: 20 }, (_, index) => `${index + 7}`);
    expect(Object.keys(drive.state.versions)).toEqual(['1', '2', '3', ...newest]);
    expect(drive.state.endpoint.desired.weights).toEqual(weights);
  },
);

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

test('a version that waited and was followed by a newer one is not called expired', () => {
  const { drive, endpoint } = withChampion(planOf({ ...simpleGate, approval: { required: true } }));
  offerNext(drive, endpoint, 'two');

  const first = drive.state.versions['1'];
  const asBefore = { ...first, approval: { ...first?.approval, status: 'expired' } };
  const [sentence, before] = [first, asBefore].map(
    (version) => whyVersion(version as never, drive.state, drive.now).sentence,
  );

  expect(first?.approval?.status).toBe('superseded');
  expect(drive.entries.flatMap(({ events }) => events.map(({ type }) => type))).toContain(
    'dev.serin.version.superseded.v1',
  );
  expect([sentence, before]).toEqual(Array(2).fill('v1 of fraud was never rolled out: superseded by v2'));
});

describe('runs with the same data and code', () => {
  const image = 'registry.example/fraud';
  const train = { command: ['node', 'train.mjs'], image: `${image}:1` };
  const asked = (trigger = {}) => ({ type: 'runRequested', trigger: { kind: 'ci', ...trigger } }) as const;

  function withEqualInputs() {
    const { drive } = withChampion(planOf({ train }));
    drive.say(asked());
    expect(drive.state.skipped?.because).toContain('equal inputs');
    return { drive, before: drive.state.run?.id };
  }

  test.each([
    ['another image', { image: `${image}:2` }],
    ['another commit', { commit: 'c0ffee' }],
    ['another hyperparameter', { hyperparameters: { depth: '3' } }],
  ])('have other inputs with %s', (_, more) => {
    const { drive, before } = withEqualInputs();

    drive.say(asked(more));

    expect(drive.state.run?.id).not.toBe(before);
  });

  test('are begun again when the one before came to nothing', () => {
    const { drive } = withEqualInputs();
    drive.say(asked({ commit: 'c0ffee' }));
    const cancelled = drive.state.run?.id;
    drive.say({ type: 'cancelRequested' });
    expect(drive.state.run?.status).toBe('cancelled');

    drive.say(asked({ commit: 'c0ffee' }));

    expect(drive.state.run?.id).not.toBe(cancelled);
  });
});
