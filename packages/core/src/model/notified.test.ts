import { describe, expect, test } from 'vitest';
import type { SinkPlan } from '../ports/notify.ts';
import { driver, human, planOf } from './model.fixture.ts';
import { noticesOwed, recordNotice, untoldTexts } from './notified.ts';
import type { Model } from './state.ts';
import { modelSummary } from './summary.ts';
import { whyModel } from './why.ts';

const sink = (name: string): SinkPlan => ({ name, kind: 'slack', on: ['*'], settings: { url: { secret: 'slack' } } });
const planWith = (...names: readonly string[]) => ({ ...planOf(), notify: names.map(sink) });

/** A model with sinks in which something has happened. */
function afterAnEvent(...names: readonly string[]) {
  const drive = driver(planWith(...names));
  drive.say({ type: 'runRequested', trigger: { kind: 'manual' } });
  alarm(drive, 'one');
  return drive;
}

function alarm(drive: ReturnType<typeof driver>, fingerprint: string): void {
  drive.say({
    type: 'alertRaised',
    kind: 'alert',
    sender: 'prometheus',
    fingerprint,
    startedAt: '2026-01-01T00:00:00Z',
    title: fingerprint,
  });
}

const owed = (drive: ReturnType<typeof driver>) => drive.owed('notify').map(({ key }) => key);

describe('a model with sinks', () => {
  test('owes each of them what happened, as an order of its own', () => {
    const drive = afterAnEvent('pager', 'log');

    expect(owed(drive)).toEqual(['notify/pager/0', 'notify/log/0']);
    expect(Object.keys(drive.state.debts)).toEqual(expect.arrayContaining(owed(drive)));
  });

  test('owes one that was told nothing more, and the other still', () => {
    const drive = afterAnEvent('pager', 'log');

    drive.answer('notify', { type: 'notified', upTo: drive.state.lastEventSeq });

    expect(owed(drive)).toEqual(['notify/log/0']);
  });

  test('owes the rest under a new key when a part was told', () => {
    const drive = afterAnEvent('pager');
    const first = drive.state.lastEventSeq;
    alarm(drive, 'two');

    drive.answer('notify', { type: 'notified', upTo: first });

    expect(owed(drive)).toEqual([`notify/pager/${first}`]);
  });

  test('owes of an entry that was told in part only the rest, and remembers that no longer than it is needed', () => {
    const drive = afterAnEvent('pager', 'log');
    const seq = drive.state.lastEventSeq;

    drive.answer('notify', { type: 'notified', upTo: seq - 1, delivered: 2 });
    expect(drive.owed('notify')[0]).toMatchObject({ key: `notify/pager/${seq - 1}.2`, from: seq - 1, delivered: 2 });
    expect(drive.state.notifiedEvents).toEqual({ pager: 2 });
    drive.answer('notify', { type: 'notified', upTo: seq });

    expect(owed(drive)).toEqual(['notify/log/0']);
    expect(drive.state).not.toHaveProperty('notifiedEvents');
  });

  test('tells one by any name, also that of something which each object has', () => {
    const drive = driver(planWith('constructor'));
    drive.say({ type: 'configReleased', revision: 2, plan: planWith('pager') });
    drive.say({ type: 'configReleased', revision: 3, plan: planWith('constructor') });
    const before = drive.state.lastEventSeq;

    alarm(drive, 'one');

    expect(drive.state.notified).toEqual({ constructor: before });
    expect(owed(drive)).toEqual([`notify/constructor/${before}`]);
  });

  test('tells of its end as well when it leaves the config', () => {
    const drive = afterAnEvent('pager');

    drive.say({ type: 'configReleased', revision: 2, was: planWith('pager') });

    expect(drive.state.retired).toBe(true);
    expect(drive.owed('notify')).toMatchObject([{ from: 0, to: drive.state.lastEventSeq }]);
  });

  test('keeps what a failing sink was not told, for later', () => {
    const drive = afterAnEvent('pager');

    drive.answer('notify', { type: 'effectFailed', because: 'it answered 503' });

    expect(owed(drive)).toEqual(['notify/pager/0']);
    expect(drive.state.debts['notify/pager/0']).toMatchObject({ failures: 1, because: 'it answered 503' });
    const text = "the sink 'pager' was not told yet: it answered 503";
    expect(modelSummary(drive.state)).toMatchObject({ untold: text });
    expect(whyModel(drive.state, drive.now).sentence).toContain(text);
  });

  test('tells a sink that joins of what happens from then on only', () => {
    const drive = afterAnEvent('pager');
    const before = drive.state.lastEventSeq;

    drive.say({ type: 'configReleased', revision: 2, plan: planWith('pager', 'log') });
    expect(owed(drive)).toEqual(['notify/pager/0']);
    alarm(drive, 'two');

    expect(owed(drive)).toEqual(['notify/pager/0', `notify/log/${before}`]);
  });

  test('owes nothing to a sink that left the config, and does not remember it', () => {
    const drive = afterAnEvent('pager', 'log');

    drive.say({ type: 'configReleased', revision: 2, plan: planWith('log') });
    expect([owed(drive), drive.state.notified]).toEqual([['notify/log/0'], { log: 0 }]);
    drive.say({ type: 'configReleased', revision: 3, plan: planOf() });

    expect([owed(drive), drive.state.notified]).toEqual([[], undefined]);
  });

  test('owes a thousand entries at a time after a long silence', () => {
    const given = { plan: planWith('pager'), lastEventSeq: 5000 };

    const spans = [3, 4500].map((pager) =>
      noticesOwed({ ...given, notified: { pager } }).map((order) => 'to' in order && [order.from, order.to]),
    );

    expect(spans).toEqual([[[3, 1003]], [[4500, 5000]]]);
  });

  test('takes nothing back when an older answer comes late', () => {
    const { state, now } = driver(planWith('pager'));
    const told: Model = { ...state, notified: { pager: 9 } };
    const late = {
      type: 'notified',
      key: 'notify/pager/2',
      upTo: 5,
      taken: 1,
      id: 'a',
      at: now,
      actor: human,
    } as const;

    expect(recordNotice(told, late).notified).toEqual({ pager: 9 });
  });

  test('says of a sink that failed, and of none that is only being told or has a name like it', () => {
    const waits = { until: 1, because: 'it answered 503' };
    const debts = { 'notify/pager2/0': { ...waits, failures: 1 }, 'notify/log/0': { ...waits, failures: 0 } };

    expect(untoldTexts({ plan: planWith('pager', 'log', 'pager2'), debts })).toEqual([
      "the sink 'pager2' was not told yet: it answered 503",
    ]);
  });

  test('without sinks has nothing of them in its state', () => {
    const drive = driver(planOf());
    alarm(drive, 'one');

    expect(drive.state).not.toHaveProperty('notified');
    expect(owed(drive)).toEqual([]);
  });
});

describe('a dead letter of a delivery', () => {
  const replay = (drive: ReturnType<typeof driver>, seq: number, name = 'pager') =>
    drive.say({ type: 'notifyRequested', sink: name, seq, index: 0 }, human, `notify/${name}/${seq}`);

  test('is told once more when it is replayed, also twice', () => {
    const drive = afterAnEvent('pager');
    const seq = drive.state.lastEventSeq;
    drive.answer('notify', { type: 'notified', upTo: seq });

    for (const _ of [1, 2]) {
      expect(replay(drive, seq)).toBe('moved');
      expect(drive.owed('notify')).toEqual([
        { key: `notify/pager/again/${seq}/0`, kind: 'notify', sink: sink('pager'), from: seq - 1, to: seq, index: 0 },
      ]);
      drive.answer('notify', { type: 'notified', upTo: seq });
      expect(owed(drive)).toEqual([]);
    }
    expect(drive.state.notifyAgain).toBeUndefined();
  });

  test('is told to its own sink only', () => {
    const drive = afterAnEvent('pager', 'log');
    const seq = drive.state.lastEventSeq;
    for (const _ of ['pager', 'log']) drive.answer('notify', { type: 'notified', upTo: seq });

    replay(drive, seq, 'log');

    expect(owed(drive)).toEqual([`notify/log/again/${seq}/0`]);
  });

  test('is refused while two hundred of them wait, with what to do', () => {
    const drive = afterAnEvent('pager');
    for (let seq = 1; seq <= 200; seq += 1) expect(replay(drive, seq)).toBe('moved');

    expect(replay(drive, 201)).toBe(
      'refused: 200 deliveries to sinks of fraud are waiting already; replay this one when they are done',
    );
    expect(replay(drive, 7)).toBe('moved');
  });

  test('of a sink that is gone is refused, with what to do', () => {
    const drive = afterAnEvent('pager');

    expect(replay(drive, 1, 'gone')).toBe(
      "refused: the config has no sink 'gone' for fraud any more; discard the dead letter",
    );
  });

  test('is forgotten with its sink, and takes no room of the others', () => {
    const drive = afterAnEvent('pager', 'log');
    drive.answer('notify', { type: 'notified', upTo: drive.state.lastEventSeq - 1, delivered: 1 });
    for (const name of ['pager', 'log']) replay(drive, 1, name);

    drive.say({ type: 'configReleased', revision: 2, plan: planWith('log') });

    expect(Object.keys(drive.state.notifyAgain ?? {})).toEqual(['log/1/0']);
    expect(drive.state).not.toHaveProperty('notifiedEvents');
  });

  test('does not move what the sink was told of else', () => {
    const drive = afterAnEvent('pager');
    const seq = drive.state.lastEventSeq;
    drive.answer('notify', { type: 'notified', upTo: seq });
    replay(drive, 1);

    drive.answer('notify', { type: 'notified', upTo: 1 });

    expect(drive.state.notified).toEqual({ pager: seq });
  });
});
