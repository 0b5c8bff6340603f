import type { Outcomes } from '@serin/core/drift/outcomes';
import { bury, closeDeadLetter } from '@serin/core/engine/dead-letters';
import { type Driver, driver, human, planOf, score, trainOne, withChampion } from '@serin/core/model/model.fixture';
import type { Entry } from '@serin/core/ports/journal';
import { openDatabase } from '@serin/local/machine/database';
import { journalGauges } from '@serin/local/machine/journal-gauges';
import { sqliteJournal } from '@serin/local/ports/journal';
import { describe, expect, onTestFinished, test } from 'vitest';
import { newDirectory } from './serving-machine.ts';

/** Gauges over a journal that a driven model writes into, and how often states were read. */
function open(hear = true) {
  const { database, close } = openDatabase(newDirectory());
  onTestFinished(close);
  const journal = sqliteJournal({ database, onAppended: (entry) => told(entry) });
  let reads = 0;
  const gauges = journalGauges({
    ...journal,
    head: (stream) => {
      reads += 1;
      return journal.head(stream);
    },
  });
  function told(entry: Entry): void {
    if (hear) gauges.appended(entry);
  }
  let written = 0;
  return {
    journal,
    gauges,
    reads: () => reads,
    /** What was decided since the last time. */
    async write(drive: Driver): Promise<void> {
      const name = { key: 'model/fraud', summary: { model: 'fraud', at: drive.now } };
      // Only its newest state: the journal takes each entry with the state after it.
      for (const entry of drive.entries.slice(written)) {
        const state = JSON.parse(JSON.stringify(drive.state));
        await journal.append(entry.seq - 1, { entry, state, name });
      }
      written = drive.entries.length;
    },
    async model() {
      const { models } = await gauges.read();
      return models[0];
    },
  };
}

describe('the gauges of a journal', () => {
  test('follow a model from its data to its approval', async () => {
    const world = open();
    const drive = driver(planOf({ approval: { required: true } }));
    const seen = async () => {
      await world.write(drive);
      const { owesSince: _, ...gauge } = (await world.model()) ?? {};
      return gauge;
    };
    const scanning = await seen();
    trainOne(drive, 'a');
    const evaluating = await seen();
    score(drive, 0.9);
    const offered = await seen();

    expect(scanning).toEqual({ model: 'fraud', firing: 0, approvals: 0 });
    // The drop came while it was looking, so it looks again.
    const waiting = { model: 'fraud', firing: 0, dataSince: drive.entries.at(-1)?.at };
    expect(evaluating).toEqual({ ...waiting, run: 'evaluating', approvals: 0 });
    expect(offered).toEqual({ ...waiting, approvals: 1 });
  });

  test('count what fires', async () => {
    const world = open();
    const drive = driver();
    const alert = {
      type: 'alertRaised',
      kind: 'alert',
      sender: 'am',
      fingerprint: 'f',
      title: 't',
      startedAt: '2026-01-01T00:00:00Z',
    };
    drive.say(alert as unknown as Parameters<Driver['say']>[0]);
    await world.write(drive);

    expect(await world.model()).toMatchObject({ firing: 1 });
  });

  test('read a state again only when it has moved on', async () => {
    const world = open();
    const drive = driver();
    await world.write(drive);

    for (let look = 0; look < 5; look += 1) await world.gauges.read();
    const before = world.reads();
    drive.say({ type: 'dataHinted', keys: ['fraud/a.csv'] });
    await world.write(drive);
    await world.gauges.read();

    expect([before, world.reads()]).toEqual([1, 2]);
  });

  /** The first listing fails, and is put off, an hour after it was owed. */
  function failingOnce() {
    const drive = driver();
    const since = drive.now;
    drive.wait(3_600_000);
    drive.answer('list', { type: 'effectFailed', because: 'busy' });
    return { drive, since };
  }

  test('know since when the oldest debt is owed, also while it is put off', async () => {
    const world = open();
    const { drive, since } = failingOnce();
    await world.write(drive);

    expect(drive.state.at).toBe(since + 3_600_000);
    expect((await world.model())?.owesSince).toBe(since);
  });

  test('know of what an earlier server has left that it was owed when the model moved last', async () => {
    const world = open(false);
    const { drive } = failingOnce();
    await world.write(drive);

    expect((await world.model())?.owesSince).toBe(drive.state.at);
  });

  test('count the dead letters that wait, those of before as well', async () => {
    const world = open();
    const letter = { stream: 'model/fraud', signal: { type: 'x' }, because: 'b', at: 1 };
    await bury(world.journal, { ...letter, id: 'one' }, human);
    const later = journalGauges(world.journal);
    await bury(world.journal, { ...letter, id: 'two' }, human);
    const both = await world.gauges.read();
    await closeDeadLetter(world.journal, 'one', 'discarded', 2, human);

    expect(both.deadLetters).toBe(2);
    expect((await world.gauges.read()).deadLetters).toBe(1);
    expect((await later.read()).deadLetters).toBe(1);
  });
});

test.each<[string, Partial<Outcomes>, object]>([
  [
    'of a class',
    { classes: { truePositives: 60, falsePositives: 40, falseNegatives: 20, trueNegatives: 180 } },
    { precision: 0.6, recall: 0.75 },
  ],
  [
    'of a class that is rare',
    { classes: { truePositives: 9, falsePositives: 1, falseNegatives: 2, trueNegatives: 288 } },
    {},
  ],
  [
    'of numbers',
    { errors: { numbers: 300, unknown: 0, absolute: 600, squares: 2700, fourths: 30_000 } },
    { mae: 2, rmse: 3 },
  ],
  ['of labels that say no more', {}, {}],
])('gauges of performance are those %s in the last windows that were judged', async (_, truths, more) => {
  const { drive } = withChampion(planOf({ monitor: { performance: { limit: 0.2 } } }));
  const { performance } = drive.state;
  if (performance === undefined) throw new Error('labels are not judged');
  const window = {
    from: 0,
    to: 1,
    version: 1,
    predictions: 300,
    labels: 300,
    lost: 60,
    losses: 0,
    limit: 0.2,
    ...truths,
  };
  const { gauges, write } = open();

  await write({
    ...drive,
    now: drive.now,
    entries: drive.entries,
    state: { ...drive.state, performance: { ...performance, windows: [window] } },
  });

  expect((await gauges.read()).models[0]?.performance).toEqual({
    isOpen: false,
    limit: 0.2,
    last: { loss: 0.2, ...more },
  });
});

test.each([
  ['of the champion', 1, { probability: '/1' }, [0.2, 0.9]],
  ['of no version that served before it', 2, { probability: '/1' }, [undefined, undefined]],
  ['of no estimate that the config does not ask for any more', 1, undefined, [0.2, undefined]],
] as const)('gauges of the last window are those %s', async (_, version, estimate, [loss, accuracy]) => {
  const capture = { share: '10%', fields: ['age'] };
  const monitor = { capture, drift: {}, performance: { limit: 0.2 }, ...(estimate === undefined ? {} : { estimate }) };
  const { drive } = withChampion(planOf({ monitor }));
  const { performance } = drive.state;
  if (performance === undefined) throw new Error('labels are not judged');
  const window = { from: 0, to: 1, version: 1, predictions: 300, labels: 300, lost: 60, losses: 0 };
  const seen = { from: 0, to: 1, rows: 300, evidence: 1, threshold: 365, size: 0, alarms: [] };
  const drift = {
    ...({ status: 'collecting', version, reference: 'r', turn: 1, from: 1, until: 2 } as const),
    windows: [{ ...seen, estimate: { version: 1, rows: 300, accuracy: 0.9, error: 0.01 } }],
  };
  const { gauges, write } = open();
  const state = {
    ...drive.state,
    champion: version,
    drift,
    performance: { ...performance, version, windows: [window] },
  };

  await write({ ...drive, now: drive.now, entries: drive.entries, state });

  const [model] = (await gauges.read()).models;
  expect(model?.performance?.last?.loss).toBe(loss);
  expect(model?.drift?.last?.estimate?.accuracy).toBe(accuracy);
});
