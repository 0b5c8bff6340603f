import { describe, expect, test } from 'vitest';
import {
  converge,
  driver,
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
import { whyModel, whyVersion } from '../why.ts';
import {
  alert,
  approver,
  freeze,
  offerNext,
  resolved,
  rolledOut,
  simpleGate,
  thaw,
  withFiring,
} from './between.fixture.ts';

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

test('who approves a version that an alert holds is told of the alert and of the override', () => {
  const { drive } = withFiring();
  const approval = { type: 'approvalGiven', version: 3, approved: true } as const;
  drive.say(approval, approver);

  drive.say(approval, approver, 'again');

  expect(drive.state.seen.again).toMatch(/already approved; 'errors high' \(grafana\) fires and holds it: --override/);
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
    expect(drive.say({ ...override, version: 1 }, approver)).toContain('v1 is not waiting for its rollout');
    drive.say(resolved);
    expect(drive.say(override, approver)).toContain('v3 is not waiting for its rollout');
    trainOne(drive, 'four');
    score(drive, 0.9);
    expect(drive.say({ ...override, version: 4 }, approver)).toContain('no alert holds v4');

    const two = withFiring({ approval: { required: false, fourEyes: true } });
    const starter = two.drive.state.versions['3']?.lineage.startedBy ?? '';
    expect(two.drive.say(override, { ...approver, subject: starter })).toContain('four eyes');
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
    ['the champion', { ...restore, version: 1 }, 'v1 is already the champion; name another version'],
    ['a version that nobody knows', { ...restore, version: 9 }, 'there is no version 9'],
  ] as const)('is not restored when it is %s', (_, said, because) => {
    expect(takenBack().drive.say(said, approver)).toContain(because);
  });

  test('is not restored while it is being taken back, nor without a yes, nor by the two eyes that started it', () => {
    const canary = withCanary().drive;
    expect(canary.say(restore, approver)).toContain('v2 is in a rollout now');

    const pending = withChampion(planOf({ ...simpleGate, approval: { required: true } })).drive;
    expect(pending.say({ ...restore, version: 1 }, approver)).toContain('v1 was never approved');

    const { drive } = takenBack({ approval: { required: false, fourEyes: true } });
    const starter = drive.state.versions['2']?.lineage.startedBy ?? '';
    expect(drive.say(restore, { ...approver, subject: starter })).toContain('four eyes');
  });
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
