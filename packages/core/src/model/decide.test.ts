import { describe, expect, test } from 'vitest';
import { chainProblem, fold } from '../ports/entry.ts';
import {
  artifactOf,
  converge,
  driver,
  fakeEndpoint,
  healthy,
  human,
  job,
  lookThrough,
  planOf,
  score,
  serveTicks,
  trainOne,
  withCanary,
  withChampion,
} from './model.fixture.ts';
import { whyRun } from './why.ts';

describe('a first version', () => {
  test('goes live behind readiness and becomes the champion after its guard', () => {
    const { drive, endpoint } = withChampion();

    expect(drive.state.champion).toBe(1);
    expect(drive.state.rollout?.status).toBe('promoted');
    expect(endpoint.log).toEqual(['deploy v1', 'weigh {"v1":100}']);
    expect(drive.state.served).toMatchObject([{ version: 1 }]);
  });

  test('that never gets ready is taken back to serving nothing, and is quarantined', () => {
    const drive = driver();
    const endpoint = fakeEndpoint();
    endpoint.status = 'failed';
    trainOne(drive, 'one');
    score(drive, 0.8);
    converge(drive, endpoint);
    converge(drive, endpoint);

    expect(drive.state.rollout).toMatchObject({ status: 'rolledBack', because: { kind: 'ready' } });
    expect(drive.state.champion).toBeUndefined();
    expect(drive.state.versions['1']?.quarantined).toBeDefined();
  });
});

describe('a challenger', () => {
  test('is refused with the reason why a metric that the gate wants was not taken, of either version', () => {
    const drive = driver();
    trainOne(drive, 'one');
    job(drive, { metrics: {}, unread: { auc: 'it is NaN in metrics.json' } });
    expect(drive.state.run).toMatchObject({
      status: 'refused',
      because: 'refused: auc was not measured (it is NaN in metrics.json)',
    });

    const other = withChampion().drive;
    trainOne(other, 'two');
    job(other, { metrics: { auc: 0.9 }, unread: { f1: 'it is null in metrics.json' } });
    job(other, { metrics: {}, unread: { 'metrics.json': 'it is not JSON' } });
    expect(other.state.run).toMatchObject({
      status: 'refused',
      because: 'refused: auc 0.9, and of the champion v1 it was not measured (metrics.json: it is not JSON)',
    });
    const { run } = other.state;
    expect(run && JSON.stringify(whyRun(run, 'fraud').story)).toContain('f1 (it is null in metrics.json)');
  });

  test('is scored on the same hold-out as the champion, and refused when it is worse by more than allowed', () => {
    const { drive } = withChampion();
    trainOne(drive, 'two');
    score(drive, 0.7, 0.8);

    expect(drive.state.run).toMatchObject({ status: 'refused', verdict: { passed: false, against: 1 } });
    expect(drive.state.run).toMatchObject({
      because: 'refused: auc 0.7 against 0.8 of the champion v1, not within 0.01',
    });
    expect(drive.state.champion).toBe(1);
    expect(drive.state.rollout?.candidate).toBe(1);
  });

  test('that fails an absolute bound costs no second evaluate job', () => {
    const { drive } = withChampion();
    trainOne(drive, 'two');
    job(drive, { metrics: { auc: 0.4 } });

    expect(drive.state.run?.status).toBe('refused');
    expect(drive.owed('startJob')).toEqual([]);
  });

  test('goes through the steps of its canary, is guarded, and becomes the champion', () => {
    const { drive, endpoint } = withCanary();
    expect(drive.state.rollout).toMatchObject({ status: 'baking', step: 0, candidate: 2, stable: 1 });
    for (let step = 0; step < 4; step += 1) {
      serveTicks(drive, healthy);
      converge(drive, endpoint);
    }

    expect(drive.state.champion).toBe(2);
    expect(endpoint.log.slice(2)).toEqual([
      'deploy v2',
      'weigh {"v1":90,"v2":10}',
      'weigh {"v1":50,"v2":50}',
      'weigh {"v1":5,"v2":95}',
      'weigh {"v2":100}',
      'retire v1',
    ]);
    expect(drive.state.lastGood).toEqual([1]);
  });

  test('whose server fails too many requests is taken back, and quarantined', () => {
    const { drive, endpoint } = withCanary();
    serveTicks(drive, { perMinute: 400, failing: { v2: 0.43 } });
    expect(drive.state.rollout).toMatchObject({
      status: 'reverting',
      because: {
        kind: 'evidence',
        text: "42.5 % of the candidate's 80 requests failed (34), and 0 % of the champion's 720 (0); if the candidate were no worse than the champion, evidence this strong would turn up in at most 1 rollout in 1,000 (1 in 100 is enough to roll back)",
      },
      certificate: { verdict: 'rollback', guardrails: [{ name: 'errors', blame: 'certified' }] },
    });
    converge(drive, endpoint);
    converge(drive, endpoint);

    expect(drive.state.rollout?.status).toBe('rolledBack');
    expect(endpoint.log.slice(-2)).toEqual(['weigh {"v1":100}', 'retire v2']);
    expect(drive.state.versions['2']?.quarantined?.because).toContain('80 requests failed (34)');
    expect(drive.state.champion).toBe(1);
  });

  test('without requests is held at the end of the ramp, and taken back when nobody resumes it', () => {
    const { drive, endpoint } = withCanary();
    for (let step = 0; step < 3; step += 1) {
      serveTicks(drive, { perMinute: 0 }, 20);
      converge(drive, endpoint);
    }
    expect(drive.state.rollout).toMatchObject({
      status: 'held',
      because:
        'inconclusive after 8 minutes: nothing that decides was counted in this step yet, so there is no evidence to promote it, and nobody can say when there will be',
    });
    drive.wait(24 * 3_600_000);

    expect(drive.state.rollout).toMatchObject({ status: 'reverting', because: { kind: 'hold' } });
  });
});

describe('an alert', () => {
  const alert = {
    type: 'alertRaised',
    kind: 'alert',
    sender: 'alertmanager',
    fingerprint: 'f1',
    startedAt: 'T1',
    title: 'errors high',
  } as const;

  test('takes back the release under way, once', () => {
    const { drive } = withCanary();
    expect(drive.say(alert)).toBe('moved');
    expect(drive.state.rollout).toMatchObject({
      status: 'reverting',
      because: { text: 'alert from alertmanager: errors high' },
    });

    expect(drive.say(alert)).toBe('moved');
    expect(Object.keys(drive.state.monitor.alerts)).toHaveLength(1);
  });

  test('without a release goes back to the last good version, without a gate', () => {
    const { drive, endpoint } = withCanary();
    for (let step = 0; step < 4; step += 1) {
      serveTicks(drive, healthy);
      converge(drive, endpoint);
    }
    drive.say(alert);
    converge(drive, endpoint);
    converge(drive, endpoint);
    converge(drive, endpoint);

    expect(drive.state.champion).toBe(1);
    expect(drive.state.versions['2']?.quarantined).toBeDefined();
    expect(endpoint.log.slice(-3)).toEqual(['deploy v1', 'weigh {"v1":100}', 'retire v2']);
  });

  test('of drift takes no release back, and says so', () => {
    const { drive } = withCanary(planOf({ monitor: { onDrift: 'rollback' } }));

    drive.say({ ...alert, kind: 'drift' });

    expect(drive.state.rollout?.status).toBe('baking');
    expect(drive.state.did).toMatchObject({
      do: 'escalate',
      because:
        'drift from alertmanager: errors high; v2 is being released, and only an alert takes a release back: abort the rollout, or wait for its end',
    });
  });

  test('starts no run with what was run before: it asks for newer data, and costs nothing of the budget', () => {
    const { drive } = withChampion(planOf({ alerts: { onAlert: 'run' } }));

    drive.say({ ...alert, fingerprint: 'a' });

    expect(drive.state.did).toMatchObject({
      do: 'escalate',
      because: expect.stringMatching(
        /; no run: run_\w+ had the same dataset, code and parameters; put newer data into drops\/fraud\/$/,
      ),
    });
    expect(drive.state).toMatchObject({
      monitor: { runs: [], alerts: { '["alertmanager","a"]': { did: 'escalate' } } },
    });
    expect(drive.state.queued).toBeUndefined();
  });

  test('looks for newer data first where nobody tells of them, and then starts the run', () => {
    const { drive } = withChampion(planOf({ alerts: { onAlert: 'run' }, on: { data: false } }));
    const nothing = { chain: '', chunks: [], objects: 0, bytes: 0, complete: false };
    drive.answer('list', { type: 'listingAdvanced', progress: nothing });

    drive.say({ ...alert, fingerprint: 'a' });
    const looking = drive.state;
    drive.answer('list', {
      type: 'listingAdvanced',
      progress: { ...nothing, chain: 'newer', chunks: ['chunk'], objects: 9, bytes: 90 },
      dataset: { digest: 'newer', bucket: 'drops', prefix: 'fraud/', manifest: 'm', objects: 9, bytes: 90, at: 0 },
    });

    expect([looking.did?.do, looking.intake.status]).toEqual(['run', 'listing']);
    expect(drive.state.run).toMatchObject({ trigger: { kind: 'drift' }, dataset: { digest: 'newer' } });
  });

  test('asks for newer data where the look fails, with the reason, and costs nothing of the budget', () => {
    const { drive } = withChampion(planOf({ alerts: { onAlert: 'run' }, on: { data: false } }));
    const nothing = { chain: '', chunks: [], objects: 0, bytes: 0, complete: false };
    drive.answer('list', { type: 'listingAdvanced', progress: nothing });
    drive.say({ ...alert, fingerprint: 'a' });
    const { run } = drive.state;

    drive.answer('list', { type: 'effectRefused', because: 'no such bucket' });

    expect(drive.state.run).toBe(run);
    expect(drive.state.did).toMatchObject({
      do: 'escalate',
      because: expect.stringMatching(
        /found none; the listing failed: no such bucket; run_\w+ had the same dataset, code and parameters; put newer/,
      ),
    });
    expect(drive.state.monitor).toMatchObject({ runs: [], alerts: { '["alertmanager","a"]': { did: 'escalate' } } });
  });

  test('asks for newer data where the look finds none, and costs nothing of the budget', () => {
    const { drive } = withChampion(planOf({ alerts: { onAlert: 'run' }, on: { data: false } }));
    const nothing = { chain: '', chunks: [], objects: 0, bytes: 0, complete: false };
    drive.answer('list', { type: 'listingAdvanced', progress: nothing });
    drive.say({ ...alert, fingerprint: 'a' });
    const { run, intake } = drive.state;

    drive.answer('list', {
      type: 'listingAdvanced',
      progress: { ...nothing, chain: 'same', chunks: ['chunk'], objects: 9, bytes: 90 },
      ...(intake.dataset === undefined ? {} : { dataset: intake.dataset }),
    });

    const asks =
      /looked for newer data and found none; run_\w+ had the same dataset, code and parameters; put newer data into drops\/fraud\/$/;
    expect(drive.state.run).toBe(run);
    expect(drive.state.queued).toBeUndefined();
    expect(drive.state.did).toMatchObject({ do: 'escalate', because: expect.stringMatching(asks) });
    expect(drive.state.skipped).toMatchObject({ trigger: 'drift', because: expect.stringMatching(asks) });
    expect(drive.state.monitor).toMatchObject({
      runs: [],
      alerts: { '["alertmanager","a"]': { did: 'escalate' } },
    });
    const told = drive.entries.at(-1)?.events.map(({ type, data }) => [type, Object(data).did, Object(data).because]);
    expect(told).toEqual([['dev.serin.alert.received.v1', 'escalate', expect.stringMatching(asks)]]);
  });

  test('asks for newer data for the alert that looked for them, and not for a later one that had its run', () => {
    const { drive } = withChampion(
      planOf({ alerts: { onAlert: 'run' }, on: { data: false }, monitor: { cooldown: '1h' } }),
    );
    const nothing = { chain: '', chunks: [], objects: 0, bytes: 0, complete: false };
    drive.answer('list', { type: 'listingAdvanced', progress: nothing });
    drive.say({ ...alert, fingerprint: 'a' });
    drive.answer('list', { type: 'listingAdvanced', progress: nothing });
    drive.say({ ...alert, fingerprint: 'b' });
    const dataset = { digest: 'newer', bucket: 'drops', prefix: 'fraud/', manifest: 'm', objects: 9, bytes: 90, at: 0 };
    const progress = { ...nothing, chain: 'newer', chunks: ['chunk'], objects: 9, bytes: 90 };
    drive.answer('list', { type: 'listingAdvanced', progress, dataset });
    drive.answer('checkDataset', { type: 'datasetChecked', problems: [] });
    lookThrough(drive);
    drive.say({ type: 'slotGranted', run: drive.state.run?.id ?? '' });
    job(drive, { artifacts: { train: artifactOf('t'), holdout: artifactOf('h') } });
    job(drive, { artifacts: { model: artifactOf('m') } });
    score(drive, 0.1);
    drive.wait(3_600_000);
    drive.say({ ...alert, fingerprint: 'a', startedAt: '2026-01-02T00:00:00Z' });
    drive.answer('list', { type: 'listingAdvanced', progress, dataset });

    const did = Object.values(drive.state.monitor.alerts).map((each) => [each.fingerprint, each.did]);
    expect(did).toEqual([
      ['a', 'escalate'],
      ['b', 'run'],
    ]);
  });
});

describe('approval', () => {
  const plan = () => planOf({ approval: { fourEyes: true, expires: '1d' } });

  test('blocks the rollout, not the next run, and expires', () => {
    const drive = driver(plan());
    trainOne(drive, 'one');
    score(drive, 0.8);
    expect(drive.state.versions['1']?.approval?.status).toBe('pending');
    expect(drive.state.rollout).toBeUndefined();
    drive.wait(24 * 3_600_000);

    expect(drive.state.versions['1']?.approval).toMatchObject({ status: 'expired', by: 'time' });
    expect(drive.say({ type: 'approvalGiven', version: 1, approved: true })).toBe(
      'refused: v1 is already expired; leave it, or start a new run',
    );
  });

  test('with four eyes is refused to who started the run', () => {
    const drive = driver(plan());
    trainOne(drive, 'one');
    score(drive, 0.8);
    drive.say({ type: 'runRequested', trigger: { kind: 'manual', force: true } });
    drive.answer('checkDataset', { type: 'datasetChecked', problems: [] });
    drive.say({ type: 'slotGranted', run: drive.state.run?.id ?? '' });
    job(drive, {
      artifacts: { train: { uri: 'a', digest: 'a', bytes: 1 }, holdout: { uri: 'b', digest: 'b', bytes: 1 } },
    });
    job(drive, { artifacts: { model: { uri: 'c', digest: 'c', bytes: 1 } } });
    score(drive, 0.9);
    expect(drive.state.versions['1']?.approval).toMatchObject({ status: 'superseded', by: 'superseded by v2' });

    expect(drive.say({ type: 'approvalGiven', version: 2, approved: true })).toContain(
      'four eyes: ann started the run of v2',
    );
    const elsewhere = { subject: 'arn:aws:iam::123456789012:user/bob', issuer: 'registry', role: 'approver' } as const;
    expect(drive.say({ type: 'approvalGiven', version: 2, approved: true }, elsewhere)).toContain(
      "approve v2 with 'serin versions approve'",
    );
    expect(drive.say({ type: 'approvalGiven', version: 2, approved: true }, { ...human, subject: 'bob' })).toBe(
      'moved',
    );
    expect(drive.state.rollout).toMatchObject({ candidate: 2, by: 'bob' });
  });
});

describe('four eyes', () => {
  const engine = { subject: 'serin', issuer: 'engine', role: 'system' } as const;
  const person = (subject: string) => ({ ...human, subject });
  const plan = (command = 'train.py') =>
    planOf({ approval: { fourEyes: true }, train: { code: './src', command: ['python3', command] } });
  /** Released by `releaser` after the first plan; data that `dropper` told of; pending. */
  function offered(releaser: string | undefined, dropper: typeof human | typeof engine) {
    const drive = driver(planOf({ approval: { fourEyes: true } }));
    const by = releaser === undefined ? {} : { by: [releaser] };
    drive.say({ type: 'configReleased', revision: 2, plan: plan(), ...by });
    drive.say({ type: 'dataHinted', keys: ['fraud/a.csv'] }, dropper as typeof human);
    trainOne(drive, 'one', engine);
    score(drive, 0.8);
    return drive;
  }
  const approve = (drive: ReturnType<typeof driver>, by: string) =>
    drive.say({ type: 'approvalGiven', version: 1, approved: true }, person(by));

  test('are not those of who released the config and code, nor of who brought the data', () => {
    const drive = offered('rob', person('dan') as typeof human);

    expect(drive.state.versions['1']?.lineage).toMatchObject({
      releasedBy: 'rob',
      droppedBy: 'dan',
      startedBy: 'serin',
    });
    expect(approve(drive, 'rob')).toBe(
      'refused: four eyes: rob released the config and code of v1; ask somebody else to approve it',
    );
    expect(approve(drive, 'dan')).toBe('refused: four eyes: dan brought data of v1; ask somebody else to approve it');
    expect(approve(drive, 'ann')).toBe('moved');
  });

  test('are wanted of a version that was trained under them, whatever is released afterwards', () => {
    const drive = offered('rob', engine);
    const without = planOf({ approval: {}, train: { code: './src', command: ['python3', 'train.py'] } });
    drive.say({ type: 'configReleased', revision: 3, plan: without, by: ['rob'] });

    expect(approve(drive, 'rob')).toMatch(/^refused: four eyes: rob released/);
    expect(approve(drive, 'ann')).toBe('moved');
  });

  test('go by what is known: data that nobody is named for, and a release that older code decided', () => {
    const drive = offered(undefined, engine);

    expect(drive.state.versions['1']?.lineage).not.toHaveProperty('droppedBy');
    expect(drive.state.versions['1']?.lineage).not.toHaveProperty('releasedBy');
    expect(approve(drive, 'ann')).toBe('moved');
  });

  test('remember who released through a freeze, which tells the same plan again', () => {
    const drive = driver(plan());
    drive.say({ type: 'configReleased', revision: 2, plan: plan('other.py'), by: ['rob'] });
    drive.say({
      type: 'configReleased',
      revision: 3,
      plan: plan('other.py'),
      by: [],
      freeze: { by: 'fay', because: 'x' },
    });
    drive.say({ type: 'configReleased', revision: 4, plan: plan('other.py'), by: [] });

    expect(drive.state.releasedBy).toEqual(['rob']);
  });

  test('name who brought data since the dataset version before, once each, also where only a schedule looks', () => {
    const drive = driver(
      planOf({ approval: { fourEyes: true }, on: { data: false, schedule: { cron: '0 0 * * *' } } }),
    );
    const listed = (objects: number) => {
      const dataset = { digest: 'd', bucket: 'drops', prefix: '', manifest: 'm', objects, bytes: 10, at: drive.now };
      const progress = { chain: 'c', chunks: ['c'], objects, bytes: 10, complete: false };
      drive.answer('list', { type: 'listingAdvanced', progress, ...(objects > 0 ? { dataset } : {}) });
    };
    listed(0);
    for (const name of ['dan', 'dan', 'eve'])
      drive.say({ type: 'dataHinted', keys: ['fraud/a.csv'] }, person(name) as typeof human);
    expect(drive.state.droppers).toEqual(['dan', 'eve']);

    drive.wait(24 * 3_600_000);
    listed(1);

    expect(drive.state.intake.dataset?.by).toEqual(['dan', 'eve']);
    expect(drive.state).not.toHaveProperty('droppers');
  });
});

describe('a run', () => {
  test('with the inputs of an earlier one is skipped with the reason', () => {
    const { drive } = withChampion();
    drive.say({ type: 'runRequested', trigger: { kind: 'manual' } });

    expect(drive.state.skipped?.because).toContain('equal inputs: the same dataset, code and parameters as run_');
    expect(drive.owed('startJob')).toEqual([]);
  });

  test('is tried again after an interruption, and not after a failure of its own', () => {
    const drive = driver();
    trainOne(drive, 'one');
    drive.answer('startJob', { type: 'jobStarted', job: 'e1' });
    drive.answer('describeJob', {
      type: 'jobDescribed',
      description: { status: 'failed', reason: 'spot was taken', retryable: 'interruption' },
    });
    expect(drive.state.run).toMatchObject({ status: 'evaluating', job: { attempt: 2 } });
    drive.wait(20_000);
    job(drive, { reason: 'exit code 1' }, 'failed');

    expect(drive.state.run).toMatchObject({
      status: 'failed',
      because: 'the evaluate job failed: exit code 1 (attempt 2)',
    });
  });

  test('that is cancelled holds its slot until its job has ended', () => {
    const drive = driver();
    drive.say({ type: 'dataHinted', keys: [] });
    drive.wait(10_000);
    drive.answer('list', {
      type: 'listingAdvanced',
      progress: { chain: 'x', chunks: [], objects: 1, bytes: 1, complete: false },
      dataset: { digest: 'x', bucket: 'drops', prefix: 'fraud/', manifest: 'm', objects: 1, bytes: 1, at: 0 },
    });
    drive.answer('checkDataset', { type: 'datasetChecked', problems: [] });
    drive.say({ type: 'slotGranted', run: drive.state.run?.id ?? '' });
    drive.answer('startJob', { type: 'jobStarted', job: 'p1' });
    drive.say({ type: 'cancelRequested' });
    expect(drive.state.run?.status).toBe('stopping');
    expect(Object.keys(drive.state.tells)).toEqual([]);
    drive.answer('stopJob', { type: 'jobStopAsked' });
    drive.wait(2000);
    drive.answer('describeJob', { type: 'jobDescribed', description: { status: 'stopped' } });

    expect(drive.state.run).toMatchObject({ status: 'cancelled', because: 'cancelled by ann' });
    expect(Object.values(drive.state.tells)).toMatchObject([{ type: 'slotReleased' }]);
  });
});

test('a redelivered webhook is known, and changes nothing', () => {
  const { drive } = withChampion();
  drive.say({ type: 'runRequested', trigger: { kind: 'ci', commit: 'abc' } }, human, 'delivery-1');
  const run = drive.state.run?.id;

  expect(drive.say({ type: 'runRequested', trigger: { kind: 'ci', commit: 'abc' } }, human, 'delivery-1')).toBe(
    'repeated: done',
  );
  expect(drive.state.run?.id).toBe(run);
});

test('the state is the fold of its patches, chained without a gap', () => {
  const { drive, endpoint } = withCanary();
  for (let step = 0; step < 4; step += 1) {
    serveTicks(drive, healthy);
    converge(drive, endpoint);
  }

  expect(fold(drive.entries)).toEqual(JSON.parse(JSON.stringify(drive.state)));
  expect(chainProblem(drive.entries)).toBeUndefined();
  expect(JSON.stringify(drive.state)).not.toContain('null');
});

test('two alerts of one incident take back one release, not also the version before it', () => {
  const { drive, endpoint } = withCanary();
  for (let step = 0; step < 4; step += 1) {
    serveTicks(drive, healthy);
    converge(drive, endpoint);
  }
  const alert = {
    type: 'alertRaised',
    kind: 'alert',
    sender: 'alertmanager',
    startedAt: 'T1',
    title: 'errors',
  } as const;
  drive.say({ ...alert, fingerprint: 'a' });
  for (let round = 0; round < 3; round += 1) converge(drive, endpoint);
  drive.say({ ...alert, fingerprint: 'b' });

  expect(drive.state.champion).toBe(1);
  expect(drive.state.versions['1']?.quarantined).toBeUndefined();
  expect(drive.state.did).toMatchObject({ do: 'escalate', because: expect.stringContaining('within the cooldown') });
});

test('a manifest may come before the files that it names, and a marker drop is found after a restart', () => {
  const manifest = driver(planOf({ data: { bucket: 'drops', prefix: 'fraud/', settle: { manifest: 'files.json' } } }));
  const empty = { type: 'listingAdvanced', progress: { chain: '', chunks: [], objects: 0, bytes: 0, complete: false } };
  manifest.answer('list', empty); // the first look, when the model is new
  manifest.say({ type: 'dataHinted', keys: ['fraud/files.json'] });
  manifest.answer('list', empty);
  expect(manifest.state.intake).toMatchObject({ status: 'idle', note: "waits for 'fraud/files.json'" });
  manifest.say({ type: 'dataHinted', keys: ['fraud/a.csv'] });
  expect(manifest.state.intake.status).toBe('settling');

  const marked = driver(planOf({ data: { bucket: 'drops', prefix: 'fraud/', settle: { marker: '_DONE' } } }));
  marked.answer('list', empty);
  marked.say({ type: 'dataHinted', keys: ['fraud/a.csv'] });
  expect(marked.state.intake.status).toBe('idle');
  marked.say({ type: 'dataHinted', keys: [] });
  expect(marked.state.intake.status).toBe('listing');
});
