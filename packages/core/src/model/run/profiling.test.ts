import { describe, expect, test } from 'vitest';
import { digestOf } from '../../base/json.ts';
import { hour } from '../../base/time.ts';
import type { ModelPlan } from '../../config/config.ts';
import {
  artifactOf,
  type Driver,
  driver,
  dropOne,
  job,
  listOne,
  lookThrough,
  planOf,
  score,
  seenAs,
  trainOne,
  withChampion,
} from '../model.fixture.ts';
import { whyRun } from '../why.ts';
import { beginProfiling, profilingOwes } from './profiling.ts';
import { readingStart } from './protocol.ts';
import { bare, type Run } from './state.ts';

const drift = { monitor: { capture: { share: '10%', fields: ['n'] }, drift: {} } };
const byManifest = { split: { holdout: { by: 'manifest', train: 'train/', holdout: 'holdout/' } } } as const;
const read = (parts: number) => ({ ...readingStart, parts, bytes: parts * 5, state: seenAs(`state${parts}`) });

function checked(plan: ModelPlan, drive: Driver = driver(plan), name = 'one'): Driver {
  dropOne(drive, name);
  return drive;
}

const slots = (drive: Driver) => drive.owed('tell').filter(({ key }) => key.endsWith('/slot'));

describe('before anything is paid', () => {
  test('a run without validation and drift waits for its slot at once', () => {
    const drive = checked(planOf());

    expect(drive.state.run).toMatchObject({ status: 'validating', checked: true });
    expect(drive.owed('profileDataset')).toEqual([]);
  });

  test.each([
    ['drift', planOf(drift), ['profile/0', 'reference/0']],
    ['validation', planOf({ validate: {} }), ['profile/0', 'report/0', 'reference/0']],
    ['both', planOf({ ...drift, validate: {} }), ['profile/0', 'report/0', 'reference/0']],
    [
      'validation of a split by manifest',
      planOf({ ...byManifest, validate: {} }),
      ['profile/0', 'train/0', 'holdout/0', 'report/0', 'reference/0'],
    ],
    ['validation with a label', planOf({ validate: { label: 'n' } }), ['profile/0', 'byLabel/0', 'report/0']],
    [
      'validation with a label that no check compares',
      planOf({ validate: { label: 'n', checks: { labelAlone: 'off', labelByMissing: 'off' } } }),
      ['profile/0', 'report/0', 'reference/0'],
    ],
    ['drift and a split by manifest', planOf({ ...byManifest, ...drift }), ['profile/0', 'reference/0']],
  ])('what is wanted for %s is found out one after the other, then the slot is asked for', (_, plan, wanted) => {
    const drive = checked(plan);
    expect(slots(drive)).toEqual([]);

    expect(lookThrough(drive)).toEqual(wanted);

    expect(drive.state.run).toMatchObject({ status: 'validating', checked: true, slot: false });
    expect(slots(drive)).toHaveLength(1);
    expect(drive.owed('startJob')).toEqual([]);
  });

  test('a dataset is read part by part, each under a key of its own', () => {
    const drive = checked(planOf(drift));
    const [first] = drive.owed('profileDataset');

    drive.answer('profileDataset', { type: 'datasetProfiled', reading: read(1) });

    expect(first).toMatchObject({ reading: readingStart });
    expect(drive.owed('profileDataset')).toMatchObject([
      { reading: read(1), key: expect.stringMatching(/profile\/1$/) },
    ]);
    expect(whyRun(drive.state.run as never, 'fraud').sentence).toContain(
      'waits until its dataset is profiled: about 5 B of 10 B are read',
    );
  });

  test('what answers to a part that is over changes nothing', () => {
    const drive = checked(planOf(drift));
    const key = drive.owed('profileDataset')[0]?.key ?? '';
    const taken = drive.state.debts[key]?.taken ?? 0;
    drive.answer('profileDataset', { type: 'datasetProfiled', reading: read(1) });

    const late = drive.say({ type: 'datasetProfiled', reading: read(7), key, taken });

    expect(late).toContain('ignored');
    expect(drive.state.run).toMatchObject({ reading: read(1) });
  });

  test('the counting begins at the beginning, whatever the profiling had read', () => {
    const drive = checked(planOf(drift));
    drive.answer('profileDataset', { type: 'datasetProfiled', reading: read(2) });

    drive.answer('profileDataset', {
      type: 'datasetProfiled',
      reading: read(3),
      ended: { profile: seenAs('p'), rows: 3 },
    });

    expect(drive.owed('countDataset')).toMatchObject([{ reading: readingStart, cells: { profile: seenAs('p') } }]);
  });

  test('the columns are frozen as the config says', () => {
    const plan = planOf({ monitor: { ...drift.monitor, drift: { columns: { n: 'number', id: 'off' } } } });
    const drive = checked(plan);

    drive.answer('profileDataset', {
      type: 'datasetProfiled',
      reading: read(3),
      ended: { profile: seenAs('p'), rows: 3 },
    });

    expect(drive.owed('countDataset')).toMatchObject([{ cells: { columns: { n: 'number', id: 'off' } } }]);
  });

  test('the parts of a split by manifest are profiled with the key that they may not share', () => {
    const drive = checked(planOf({ ...byManifest, validate: { key: 'customer' } }));
    const ended = { profile: seenAs('p'), rows: 3 };

    drive.answer('profileDataset', { type: 'datasetProfiled', reading: read(1), ended });
    expect(drive.owed('profileDataset')).toMatchObject([{ under: expect.stringMatching(/train\/$/), key: 'customer' }]);
    drive.answer('profileDataset', { type: 'datasetProfiled', reading: read(1), ended });

    expect(drive.owed('profileDataset')).toMatchObject([
      { under: expect.stringMatching(/holdout\/$/), key: 'customer' },
    ]);
  });

  test('are counted by the day that a column tells, and by their label', () => {
    const drive = checked(planOf({ monitor: { ...drift.monitor, drift: { time: 'at' } }, validate: { label: 'n' } }));

    drive.answer('profileDataset', {
      type: 'datasetProfiled',
      reading: read(3),
      ended: { profile: seenAs('p'), rows: 3 },
    });
    expect(drive.owed('countDataset')).toMatchObject([{ cells: { profile: seenAs('p'), time: 'at', label: 'n' } }]);
    drive.answer('countDataset', { type: 'datasetCounted', reading: read(4), ended: { reference: seenAs('r') } });

    expect(drive.owed('validateDataset')).toMatchObject([{ profile: seenAs('p'), reference: seenAs('r') }]);
  });

  test('each part has its time, so a large dataset is read for as long as it takes, and one that stands still is given up', () => {
    const drive = checked(planOf(drift));

    for (let part = 1; part < 40; part += 1) {
      drive.wait(7 * hour);
      drive.answer('profileDataset', { type: 'datasetProfiled', reading: read(part) });
    }
    expect(drive.state.run?.status).toBe('profiling');
    drive.wait(9 * hour);

    expect(drive.state.run).toMatchObject({
      status: 'failed',
      because: 'part 40 of its dataset was not read within 8h; start another run once the bucket answers',
    });
  });

  test('a part has an hour at least, however short its run waits for computers', () => {
    const { train } = planOf();
    const plan = planOf(drift);
    const drive = checked({ ...plan, train: { ...train, compute: { ...train.compute, maxWait: 1000 } } });

    drive.wait(hour - 1);
    expect(drive.state.run?.status).toBe('profiling');
    drive.wait(1);

    expect(drive.state.run).toMatchObject({ status: 'failed', because: expect.stringContaining('within 1h') });
  });

  test.each(['before', 'while'])('a slot that was given %s the dataset is read is kept, and the jobs begin', (when) => {
    const drive = driver(planOf(drift));
    const grant = () => drive.say({ type: 'slotGranted', run: drive.state.run?.id ?? '' });
    listOne(drive, 'one');
    if (when === 'before') grant();
    drive.answer('checkDataset', { type: 'datasetChecked', problems: [] });
    if (when === 'while') grant();

    lookThrough(drive);

    expect(drive.owed('startJob')).toHaveLength(1);
  });

  test('a part that can never be read ends the run as a dataset that cannot be used', () => {
    const drive = checked(planOf(drift));

    drive.answer('profileDataset', { type: 'effectRefused', because: "'fraud/a.csv' has changed or gone" });

    expect(drive.state.run).toMatchObject({
      status: 'failed',
      because: "the dataset cannot be used: 'fraud/a.csv' has changed or gone",
    });
    expect(drive.owed('startJob')).toEqual([]);
  });

  test('a run is cancelled while its dataset is read', () => {
    const drive = checked(planOf(drift));

    drive.say({ type: 'cancelRequested' });

    expect(drive.state.run?.status).toBe('cancelled');
    expect(drive.owed('profileDataset')).toEqual([]);
  });

  test('the slot is waited for from when the dataset was looked through', () => {
    const drive = checked(planOf(drift));
    drive.wait(7 * hour);
    lookThrough(drive);

    drive.wait(7 * hour);

    expect(drive.state.run?.status).toBe('validating');
    drive.wait(2 * hour);
    expect(drive.state.run).toMatchObject({ status: 'failed', because: 'no free slot within 8h' });
  });
});

/** A champion whose dataset was looked through. */
function validated(plan = planOf({ ...drift, validate: { label: 'n' } })): Driver {
  return withChampion(plan).drive;
}

describe('a dataset that is validated', () => {
  test('is compared with what the champion was trained on, and counted on its cells', () => {
    const drive = validated();

    checked(drive.state.plan, drive, 'two');
    const asked = lookThrough(drive);

    expect(asked).toEqual(['profile/0', 'onFormerCells/0', 'byLabel/0', 'report/0']);
    expect(drive.state.run?.data).toEqual({
      profile: seenAs('profile'),
      rows: 100,
      report: seenAs('report'),
      reference: seenAs('byLabel'),
    });
  });

  test('is compared with the newest version that something is known of, where the champion is older than validation', () => {
    const { drive } = withChampion();
    drive.say({ type: 'configReleased', revision: 2, plan: planOf({ validate: {} }) });
    dropOne(drive, 'two');
    const [first, ...looked] = [drive.state.run, ...lookThrough(drive)];
    drive.say({ type: 'slotGranted', run: drive.state.run?.id ?? '' });
    job(drive, { artifacts: { train: artifactOf('t'), holdout: artifactOf('h') } });
    job(drive, { artifacts: { model: artifactOf('m') }, metrics: { loss: 1 } });
    score(drive, 0.1);
    dropOne(drive, 'three');

    expect(looked).toContain('report/0');
    expect(first).not.toHaveProperty('former');
    expect(drive.state).toMatchObject({ champion: 1, run: { former: { profile: seenAs('profile') } } });
  });

  test('gets the rules of the plan, the digests, and the rows of the datasets before', () => {
    const drive = validated();
    checked(drive.state.plan, drive, 'two');
    drive.answer('profileDataset', {
      type: 'datasetProfiled',
      reading: read(1),
      ended: { profile: seenAs('p'), rows: 7 },
    });
    expect(drive.owed('countDataset')).toMatchObject([{ cells: { reference: seenAs('byLabel') } }]);
    drive.answer('countDataset', { type: 'datasetCounted', reading: read(1), ended: { reference: seenAs('c') } });
    drive.answer('countDataset', { type: 'datasetCounted', reading: read(1), ended: { reference: seenAs('own') } });

    expect(drive.owed('validateDataset')).toMatchObject([
      {
        profile: seenAs('p'),
        reference: seenAs('own'),
        former: { profile: seenAs('profile'), reference: seenAs('byLabel') },
        seen: { onFormerCells: seenAs('c') },
        rules: { label: 'n' },
        rowsBefore: [100],
      },
    ]);
  });

  test('is not compared with its own number of rows when it is read once more', () => {
    const drive = validated();
    drive.say({ type: 'runRequested', trigger: { kind: 'manual', force: true } });
    drive.answer('checkDataset', { type: 'datasetChecked', problems: [] });

    drive.answer('profileDataset', {
      type: 'datasetProfiled',
      reading: read(1),
      ended: { profile: seenAs('p'), rows: 100 },
    });
    drive.answer('countDataset', { type: 'datasetCounted', reading: read(1), ended: { reference: seenAs('c') } });
    drive.answer('countDataset', { type: 'datasetCounted', reading: read(1), ended: { reference: seenAs('own') } });

    expect(drive.owed('validateDataset')).toMatchObject([{ rowsBefore: [] }]);
  });

  test('and refused costs nothing: no slot, no job, no version, and what serves goes on', () => {
    const drive = validated();
    const { champion, endpoint, versions } = drive.state;
    const because = "the dataset is refused: 'n' has no values";
    checked(drive.state.plan, drive, 'two');

    lookThrough(drive, { refused: because });

    const { run } = drive.state;
    expect(run).toMatchObject({ status: 'refused', because, data: { report: seenAs('report') } });
    expect(run).not.toHaveProperty('verdict');
    expect([...slots(drive), ...drive.owed('startJob')]).toEqual([]);
    expect(drive.state).toMatchObject({ champion, endpoint: { weights: endpoint.weights }, versions });
    expect(whyRun(run as never, 'fraud').sentence).toContain(
      `ended before anything was paid: ${because}; mend the data, or release looser checks (validate) and run 'serin runs start fraud'; without either it needs --force`,
    );
  });

  test('and refused is not looked at again, but for other rules and by force', () => {
    const drive = validated();
    checked(drive.state.plan, drive, 'two');
    lookThrough(drive, { refused: 'the dataset is refused' });
    const { id } = drive.state.run ?? {};

    drive.say({ type: 'runRequested', trigger: { kind: 'manual' } });
    expect(drive.state.run?.id).toBe(id);
    expect(drive.state.skipped?.because).toContain('equal inputs');
    drive.say({
      type: 'configReleased',
      revision: 2,
      plan: planOf({ ...drift, validate: { label: 'n', checks: { missing: 'off' } } }),
    });
    drive.say({ type: 'runRequested', trigger: { kind: 'manual' } });

    expect(drive.state.run?.id).not.toBe(id);
  });

  test('and refused is looked at again where an alert asks for it, by checks that expect a change, and once', () => {
    const drive = validated();
    checked(drive.state.plan, drive, 'two');
    lookThrough(drive, { refused: 'values have moved' });
    const { id } = drive.state.run ?? {};
    const ask = () => drive.say({ type: 'runRequested', trigger: { kind: 'drift' } });

    ask();
    const again = drive.state.run;
    drive.answer('checkDataset', { type: 'datasetChecked', problems: [] });
    lookThrough(drive, { refused: 'half of it is missing' });
    ask();

    expect(again).toMatchObject({ trigger: { kind: 'drift' }, dataset: { digest: 'two' } });
    expect(again?.id).not.toBe(id);
    expect(drive.state.run?.id).toBe(again?.id);
  });

  test('may have moved where an alert asked for it, or where requests have drifted when it is looked at', () => {
    const drift = { status: 'collecting', incident: { level: 'notice' } };
    const { run } = checked(planOf({ validate: {} })).state;
    const context = { model: 'fraud', versions: {}, nextNumber: 1 };
    const begun = (kind: 'data' | 'drift', given: object) => {
      const validating = {
        ...bare(run as Run),
        trigger: { kind },
        status: 'validating',
        checked: false,
        slot: false,
        deadline: 1,
      };
      const profiling = beginProfiling(validating as never, 1, { ...context, ...given });
      const seen = { ...profiling, data: { profile: seenAs('p'), rows: 1 } };
      return profilingOwes(seen, context).map((effect) => Object(effect).rules.changeExpected);
    };

    expect(begun('data', {})).toEqual([undefined]);
    expect(begun('drift', {})).toEqual([true]);
    expect(begun('data', { drift })).toEqual([true]);
  });

  test('that was trained on is not trained on again where an alert asks for it', () => {
    const drive = validated();
    const { run } = drive.state;

    drive.say({ type: 'runRequested', trigger: { kind: 'drift' } });

    expect(drive.state.run?.id).toBe(run?.id);
    expect(drive.state.skipped).toMatchObject({ trigger: 'drift', because: expect.stringContaining('equal inputs') });
  });

  test('leaves its digests with the version that is trained on it', () => {
    const drive = validated();

    expect(drive.state.versions['1']?.data).toEqual({
      profile: seenAs('profile'),
      rows: 100,
      report: seenAs('report'),
      reference: seenAs('byLabel'),
    });
  });

  test('adds its rows to those of the last fourteen', () => {
    const drive = validated();

    for (let index = 0; index < 20; index += 1) {
      checked(drive.state.plan, drive, `drop${index}`);
      lookThrough(drive, { rows: index, refused: 'the dataset is refused' });
    }

    expect(Object.values(drive.state.profiled ?? {})).toEqual(Array.from({ length: 14 }, (_, index) => index + 6));
  });

  test('the champion that is scored again has no dataset to look at', () => {
    const drive = validated();

    drive.say({ type: 'runRequested', trigger: { kind: 'rescore', version: 1, force: true } });

    expect(drive.state.run).toMatchObject({ status: 'validating', checked: true });
  });
});

test('a plan without validation has the inputs that it had before there was any', () => {
  const plan = planOf();
  const [bare, one, other] = [{}, { validate: {} }, { validate: { label: 'n' } }].map((changes) => {
    const drive = driver(planOf(changes));
    trainOne(drive, 'one');
    return drive.state.run?.inputs;
  });

  const before = ['one', plan.train, plan.split, plan.evaluate, plan.gate, '', '', '', ''];
  expect(bare).toBe(digestOf(before).slice(0, 32));
  expect(new Set([bare, one, other]).size).toBe(3);
});
