import { describe, expect, test } from 'vitest';
import { day, hour, minute } from '../../base/time.ts';
import type { Config } from '../../config/config.ts';
import { simpleGate } from '../between/between.fixture.ts';
import {
  artifactOf,
  converge,
  type Driver,
  dropOne,
  type FakeEndpoint,
  job,
  lookThrough,
  planOf,
  score,
  serveToTheEnd,
  withChampion,
} from '../model.fixture.ts';
import { modelWakesAt } from '../owed.ts';
import { whyModel } from '../why.ts';
import { monitorWakes } from './monitor.ts';

type Rules = NonNullable<Config['models'][string]['monitor']>;

const drift = {
  type: 'alertRaised',
  kind: 'drift',
  sender: 'evidently',
  fingerprint: 'f',
  startedAt: '2026-01-01T00:00:00Z',
  title: 'age drifts',
} as const;
const other = { ...drift, sender: 'nannyml', title: 'scores shift' } as const;
const over = (alert: { readonly sender: string; readonly fingerprint: string }) =>
  ({ type: 'alertResolved', sender: alert.sender, fingerprint: alert.fingerprint }) as const;

const rules = { onDrift: 'run', cooldown: '6h', retrainBudget: { runs: 3, per: '7d' } } as const;
/** Of another `code` a run is a new one, whatever was trained before. */
const planWith = (monitor: Rules, code: number) =>
  planOf({ ...simpleGate, monitor, train: { code: './src', command: ['node', 'train.mjs', `${code}`] } });

function release(drive: Driver, monitor: Rules = rules): void {
  const revision = drive.state.revision + 1;
  drive.say({ type: 'configReleased', revision, plan: planWith(monitor, revision) });
}

/** The first version serves, and a run would be a new one. */
function serving(monitor: Rules = rules) {
  const opened = withChampion(planWith(monitor, 1));
  release(opened.drive, monitor);
  return opened;
}

const runsOf = ({ entries }: Driver): number =>
  entries.flatMap(({ events }) => events).filter(({ type }) => type === 'dev.serin.run.started.v1').length - 1;
const didOf = ({ state }: Driver, { sender, fingerprint } = { ...drift } as { sender: string; fingerprint: string }) =>
  Object.values(state.monitor.alerts).find((each) => each.sender === sender && each.fingerprint === fingerprint)?.did;
const storyOf = ({ state, now }: Driver): string =>
  whyModel(state, now)
    .story.map(({ text }) => text)
    .join('\n');

const wakesWithoutDebts = ({ state }: Driver) => modelWakesAt({ ...state, debts: {} });

/** The run that was begun ends: its version passes the gate, or does not. */
function end(drive: Driver, auc: number): void {
  const name = `${drive.entries.length}`;
  if (drive.owed('checkDataset').length > 0) drive.answer('checkDataset', { type: 'datasetChecked', problems: [] });
  lookThrough(drive);
  drive.say({ type: 'slotGranted', run: drive.state.run?.id ?? '' });
  if (drive.owed('startJob')[0]?.key.includes('prepare'))
    job(drive, { artifacts: { train: artifactOf(`train-${name}`), holdout: artifactOf(`holdout-${name}`) } });
  job(drive, { artifacts: { model: artifactOf(name) }, metrics: { loss: 1 } });
  score(drive, auc);
}
const fail = (drive: Driver): void => end(drive, 0.1);
function succeed(drive: Driver, endpoint: FakeEndpoint): void {
  end(drive, 0.9);
  converge(drive, endpoint);
  serveToTheEnd(drive, endpoint);
}

/** A drift that had its run, to no avail, and another one that began half an hour after that run. */
function within(monitor: Rules = rules) {
  const { drive, endpoint } = serving(monitor);
  drive.say(drift);
  const began = drive.now;
  fail(drive);
  drive.say(over(drift));
  release(drive, monitor);
  drive.skip(began + 30 * minute - drive.now);
  drive.say(other);
  return { drive, endpoint, ends: began + 6 * hour };
}

describe('drift that begins within the cooldown', () => {
  test('waits, says until when, and wakes its model then', () => {
    const { drive, ends } = within();

    expect([didOf(drive, other), runsOf(drive), monitorWakes(drive.state.monitor, drive.now)]).toEqual([
      'wait',
      1,
      ends,
    ]);
    expect(drive.state.did?.because).toMatch(
      /: scores shift; no run within the cooldown of 6h, which ends at 2026-01-01 \d\d:\d\d:\d\d UTC$/,
    );
    expect(storyOf(drive)).toMatch(
      /'scores shift' \(nannyml\) fires: a run starts in 5h, at 2026-01-01 \d\d:\d\d:\d\d UTC, if it still fires then/,
    );
  });

  test('is named where another alert fires since before it', () => {
    const { drive } = within();
    const errors = { ...drift, kind: 'alert', sender: 'grafana', title: 'errors high' } as const;
    drive.say(over(other));
    drive.say(errors);
    drive.say({ ...other, startedAt: '2026-01-01T02:00:00Z' });
    expect(whyModel(drive.state, drive.now).sentence).toMatch(
      /'errors high' \(grafana\) has been firing since \S+, and 1 more, and nothing else starts to roll out; 'scores shift' \(nannyml\): a run starts in 5h, at/,
    );
  });

  test('starts one run when the cooldown ends, and says so once', () => {
    const { drive, ends } = within();
    drive.skip(ends - 1 - drive.now);
    drive.say({ type: 'clockTicked' });
    const before = runsOf(drive);
    drive.wait(1);
    const told = drive.entries.at(-1)?.events.map(({ type, data }) => [type, Object(data).title, Object(data).did]);
    fail(drive);
    for (let days = 0; days < 5; days += 1) drive.wait(day);

    expect([before, runsOf(drive), didOf(drive, other)]).toEqual([1, 2, 'run']);
    expect(told).toContainEqual(['dev.serin.alert.received.v1', 'scores shift', 'run']);
    expect(drive.state.monitor.runs).toHaveLength(2);
  });

  test('is due once, whatever it waits for beyond that', () => {
    const { drive, ends } = within();
    const plan = {
      ...planWith(rules, drive.state.revision + 1),
      approval: { required: true, fourEyes: false, expires: 3 * day },
    };
    drive.say({ type: 'configReleased', revision: drive.state.revision + 1, plan });
    dropOne(drive, 'two');
    end(drive, 0.9);
    drive.skip(ends - 1 - drive.now);
    drive.say({ type: 'clockTicked' });
    const before = wakesWithoutDebts(drive);
    drive.wait(1);
    expect([didOf(drive, other), drive.state.offered?.version, before]).toEqual(['wait', 3, ends]);
    expect(wakesWithoutDebts(drive)).toBeGreaterThan(ends);
    expect(drive.wait(1)).toBe('ignored: nothing is due');
  });

  test('starts none when it ended meanwhile', () => {
    const { drive, ends } = within();
    drive.say(over(other));
    drive.skip(ends - drive.now);
    drive.wait(day);

    expect([runsOf(drive), drive.state.queued]).toEqual([1, undefined]);
  });

  test('asks a person where the budget is spent by then, and not where it is there again', () => {
    const given = { ...rules, retrainBudget: { runs: 1, per: '7d' } };
    const spent = within(given).drive;
    const free = within({ ...rules, retrainBudget: { runs: 1, per: '6h' } });
    free.drive.wait(free.ends - free.drive.now);

    expect([didOf(spent, other), spent.state.did?.because]).toEqual([
      'escalate',
      expect.stringContaining('the retrainBudget of 1 runs per 7d is spent'),
    ]);
    expect([didOf(free.drive, other), runsOf(free.drive)]).toEqual(['run', 2]);
  });

  test('is only told where a run was started for another alert of that tool, which still fires', () => {
    const { drive } = serving();
    drive.say(drift);
    fail(drive);
    for (const fingerprint of ['g', 'h']) drive.say({ ...drift, fingerprint });
    release(drive);
    for (let count = 0; count < 4; count += 1) drive.wait(6 * hour);

    expect([runsOf(drive), didOf(drive, { ...drift, fingerprint: 'g' })]).toEqual([1, 'notify']);
    expect(drive.state.did?.because).toContain("one was started for 'age drifts' (evidently), which still fires");
  });

  test('has one run for all alerts of a tool that waited', () => {
    const { drive, ends } = within();
    const many = Array.from({ length: 30 }, (_, index) => ({ ...other, fingerprint: `g${index}` }));
    for (const alert of many) drive.say(alert);
    drive.wait(ends - drive.now);
    fail(drive);
    release(drive);
    for (let count = 0; count < 6; count += 1) drive.wait(6 * hour);

    expect([runsOf(drive), new Set(many.map((alert) => didOf(drive, alert)))]).toEqual([2, new Set(['notify'])]);
  });

  test('is decided upon anew under another plan', () => {
    const { drive } = within();
    const told = within().drive;
    release(drive, { ...rules, cooldown: '10m' });
    release(told, { ...rules, onDrift: 'notify' });

    expect([didOf(drive, other), runsOf(drive)]).toEqual(['run', 2]);
    expect([didOf(told, other), runsOf(told)]).toEqual(['notify', 1]);
  });

  test('promises no run at a time within a freeze', () => {
    const sentences = [1, 9].map((hours) => {
      const { drive } = within();
      const { revision, plan } = drive.state;
      const freeze = { by: 'ann', because: 'audit', until: drive.now + hours * hour };
      drive.say({ type: 'configReleased', revision: revision + 1, plan, freeze });
      return storyOf(drive);
    });
    expect(sentences).toEqual([
      expect.stringContaining('fires: a run starts in 5h, at'),
      expect.stringContaining('fires: a run starts after the end of the freeze, if it still fires then'),
    ]);
  });

  test('waits for a model that left the config to come back', () => {
    const { drive, ends } = within();
    drive.say({ type: 'configReleased', revision: drive.state.revision + 1 });
    drive.wait(ends - drive.now);
    const [away, story] = [didOf(drive, other), storyOf(drive)];
    release(drive);
    expect([away, runsOf(drive), didOf(drive, other)]).toEqual(['wait', 2, 'run']);
    expect(story).toContain('fires: it is decided upon when the model is in the config again, if it still fires then');
  });

  test('gives a sender outside a cooldown to say that a new champion mends it', () => {
    const { drive, endpoint, ends } = within();
    dropOne(drive, 'two');
    succeed(drive, endpoint);
    const promoted = drive.now;
    const served = drive.state.champion;
    release(drive);
    drive.skip(ends - drive.now);
    drive.say({ type: 'clockTicked' });
    const [waits, wakes] = [didOf(drive, other), monitorWakes(drive.state.monitor, drive.now)];
    drive.wait(promoted + 6 * hour - drive.now);

    expect([served, waits]).toEqual([3, 'wait']);
    expect(wakes).toBe(promoted + 6 * hour);
    expect([didOf(drive, other), runsOf(drive)]).toEqual(['run', 3]);
  });
});

describe('drift while a run is going', () => {
  const begun = () => {
    const opened = serving();
    dropOne(opened.drive, 'two');
    opened.drive.say(drift);
    opened.drive.skip(minute);
    return opened;
  };

  test('waits for its end, and costs nothing of the budget until then', () => {
    const { drive } = begun();
    const story = storyOf(drive);
    const { runs } = drive.state.monitor;
    fail(drive);
    const after = drive.state;
    expect([runs, after.queued, didOf(drive)]).toEqual([[], undefined, 'escalate']);

    expect(story).toMatch(/'age drifts' \(evidently\) fires: a run starts after the end of run run_\w+, if it still/);
    expect(after.did?.because).toContain('had the same dataset, code and parameters');
  });

  test('waits for nothing under a policy that starts no run', () => {
    const { drive } = begun();
    const told = drive.state;
    release(drive, { ...rules, onDrift: 'notify' });
    const story = storyOf(drive);
    fail(drive);
    drive.wait(day);
    expect([told.monitor.alerts, drive.state.monitor.alerts].flatMap(Object.values)).toMatchObject([
      { did: 'wait' },
      { did: 'notify' },
    ]);
    expect(story).toContain("'age drifts' (evidently) fires: it was noted");
    expect(runsOf(drive)).toBe(1);
  });

  test.each([
    ['a freeze', { freeze: { by: 'ann', because: 'audit' }, plan: planWith(rules, 3) }],
    ['a time out of the config', {}],
  ])('starts none after %s in which it ended, and one where it did not', (_, gone) => {
    const runs = [true, false].map((ends) => {
      const { drive } = serving();
      drive.say({ type: 'configReleased', revision: 3, ...gone });
      drive.say(drift);
      const before = [didOf(drive), drive.state.queued, drive.state.monitor.runs.length];
      if (ends) drive.say(over(drift));
      release(drive);
      return [...before, runsOf(drive)];
    });
    expect(runs).toEqual([
      ['wait', undefined, 0, 0],
      ['wait', undefined, 0, 1],
    ]);
  });

  test('starts one after it where there is something new to train on', () => {
    const { drive } = begun();
    release(drive);
    fail(drive);
    drive.wait(1);

    expect([didOf(drive), drive.state.run?.trigger.kind, runsOf(drive)]).toEqual(['run', 'drift', 2]);
  });

  test('starts one in the name of nobody whose signal ended the wait', () => {
    const { drive } = begun();
    release(drive);
    drive.say({ type: 'cancelRequested' });
    const { queued } = drive.state;
    drive.wait(1);
    expect(queued).toMatchObject({ trigger: { kind: 'drift' }, by: 'serin' });
    expect(drive.state.run?.trigger).toMatchObject({ kind: 'drift', by: 'serin' });
  });

  test('waits for what becomes of the version of that run', () => {
    const { drive, endpoint } = begun();
    release(drive);
    end(drive, 0.9);
    converge(drive, endpoint);
    const [offered, story] = [didOf(drive), storyOf(drive)];
    serveToTheEnd(drive, endpoint);
    drive.say(over(drift));
    drive.wait(day);

    expect([drive.state.champion, offered, runsOf(drive)]).toEqual([2, 'wait', 1]);
    expect(story).toContain('a run starts after it is known what becomes of v2, if it still fires then');
  });
});
