import { describe, expect, test } from 'vitest';
import { driver, planOf } from '../model.fixture.ts';
import { modelSummary } from '../summary.ts';
import { whyModel } from '../why.ts';
import { intakeNews, intakeText } from './intake.ts';
import type { ListingProgress } from './protocol.ts';

const bucket = { bucket: 'drops', prefix: 'fraud/' } as const;
const withMarker = { ...bucket, settle: { marker: '_DONE' } } as const;
const nothing: ListingProgress = { chain: '', chunks: [], objects: 0, bytes: 0, complete: false };

/** What a listing found: so many objects, released by one write of a marker or manifest. */
const found = (objects: number, gate?: string): ListingProgress => ({
  ...{ chain: `chain of ${objects}`, chunks: ['chunk'], objects, bytes: 10 * objects },
  ...(gate === undefined ? { complete: false } : { complete: true, gate }),
});
const datasetOf = ({ chain, objects, bytes }: ListingProgress) => ({
  ...{ digest: chain, ...bucket, manifest: 'm', objects, bytes, at: 0 },
});

function intakeOf(data: Parameters<typeof planOf>[0] = { data: bucket }, first = nothing) {
  const drive = driver(planOf(data));
  const list = (progress: ListingProgress) =>
    drive.answer('list', {
      type: 'listingAdvanced',
      progress,
      ...(progress.objects === 0 ? {} : { dataset: datasetOf(progress) }),
    });
  list(first);
  return { ...drive, drive, list, hint: (...keys: string[]) => drive.say({ type: 'dataHinted', keys }) };
}

const rescan = 25 * 3_600_000;

describe('a marker releases one drop, once', () => {
  test('what comes after it waits for the marker to be written again', () => {
    const { drive, hint, list } = intakeOf({ data: withMarker });
    hint('fraud/_DONE');
    list(found(1, 'first write'));
    expect(drive.state.intake.dataset?.objects).toBe(1);

    drive.wait(rescan);
    list(found(2, 'first write'));
    expect(drive.state.intake.dataset?.objects).toBe(1);
    expect(drive.state.intake.note).toBe(
      "waits for 'fraud/_DONE' to be written again: it was used up by the drop before",
    );
    expect(drive.state.queued).toBeUndefined();

    hint('fraud/_DONE');
    list(found(3, 'second write'));
    expect(drive.state.intake.dataset?.objects).toBe(3);
  });

  test('a schedule in the middle of a drop runs on the dataset before, never on half of the next', () => {
    const { drive, hint, list } = intakeOf({ data: withMarker, on: { schedule: { cron: '0 * * * *' } } });
    hint('fraud/_DONE');
    list(found(1, 'first write'));

    drive.wait(3_600_000);
    expect(drive.state.intake).toMatchObject({ status: 'listing', cause: 'schedule' });
    list(found(2, 'first write'));

    expect(drive.state.intake.dataset?.objects).toBe(1);
  });

  test('a marker that came late, or twice, for a drop that was taken makes no other run', () => {
    const { drive, hint, list } = intakeOf({ data: withMarker });
    hint('fraud/_DONE');
    list(found(1, 'first write'));
    hint('fraud/_DONE');
    list(found(1, 'second write'));
    drive.wait(rescan);
    list(found(2, 'second write'));

    expect(drive.state.intake.dataset?.objects).toBe(1);
    expect(drive.state.intake.note).toContain('to be written again');
  });

  test.each([
    ['objects', { minObjects: 3 }, '2 objects, of at least 3', { minObjects: 2 }],
    ['bytes', { minBytes: '30B' }, '20 bytes, of at least 30', { minBytes: '20B' }],
  ])('one that released too few %s is used up as well, until less is asked for', (_, least, note, less) => {
    const { drive, hint, list } = intakeOf({ data: { ...withMarker, ...least } });
    hint('fraud/_DONE');
    list(found(2, 'first write'));
    expect(drive.state.intake.note).toBe(note);
    drive.wait(rescan);
    list(found(3, 'first write'));
    expect(drive.state.intake.dataset).toBeUndefined();

    drive.say({ type: 'configReleased', revision: 2, plan: planOf({ data: { ...withMarker, ...less } }) });
    drive.wait(rescan);
    list(found(3, 'first write'));

    expect(drive.state.intake.dataset?.objects).toBe(3);
  });

  test('a manifest is used up by the files that it names', () => {
    const { drive, hint, list } = intakeOf({ data: { ...bucket, settle: { manifest: 'files.json' } } });
    hint('fraud/files.json');
    list({ ...found(1), gate: 'first write', missing: ['fraud/b.csv'] });
    expect(drive.state.intake.note).toBe("waits for 'fraud/b.csv', which 'fraud/files.json' names");

    drive.wait(rescan);
    list(found(2, 'first write'));
    expect(drive.state.intake.dataset?.objects).toBe(2);
    drive.wait(rescan);
    list({ ...found(2, 'first write'), chain: 'one was overwritten' });
    expect(drive.state.intake.dataset?.digest).toBe('chain of 2');
  });

  test('one that is written while the files are listed is looked at again', () => {
    const { drive, hint, list } = intakeOf({ data: withMarker });
    hint('fraud/_DONE');
    list({ ...found(1), gate: 'first write' });

    expect(drive.state.intake).toMatchObject({ status: 'settling' });
    expect(drive.state.intake.dataset).toBeUndefined();
  });
});

describe('hints', () => {
  test.each([
    ['a marker that nobody asked for', ['fraud/_SUCCESS']],
    ['folders', ['fraud/', 'fraud/2026/']],
    ['a file that is being copied', ['fraud/a.csv._COPYING_', 'fraud/_temporary/0/a.csv']],
  ])('%s is no new data', (_, keys) => {
    const { drive, hint } = intakeOf();

    hint(...keys);
    expect(drive.state.intake.status).toBe('idle');
    hint(...keys, 'fraud/a.csv');
    expect(drive.state.intake.status).toBe('settling');
  });

  test('a marker keeps no drop waiting that is settling, and starts no other look at one that is listed', () => {
    const { drive, hint, list } = intakeOf({ data: { ...bucket, settle: { quiet: '10s', atMost: '1h' } } });
    hint('fraud/a.csv');
    const { intake } = drive.state;
    drive.wait(9000);
    hint('fraud/_SUCCESS');
    expect(drive.state.intake).toEqual(intake);

    drive.wait(2000);
    hint('fraud/_SUCCESS');
    list(found(1));
    expect(drive.state.intake).toMatchObject({ status: 'idle', dataset: { objects: 1 } });
  });
});

test.each([
  ['after a quiet period', 1, 10_000],
  ['after atMost, though more comes all the time', 10, 60_000],
])('a drop is listed %s', (_, hints, afterMs) => {
  const { drive, hint } = intakeOf({ data: { ...bucket, settle: { quiet: '10s', atMost: '1m' } } });
  const begun = drive.now;
  for (let second = 0; drive.state.intake.status !== 'listing'; second += 1) {
    if (second % 9 === 0 && second / 9 < hints) hint(`fraud/${second}.csv`);
    drive.wait(1000);
  }

  expect(drive.now - begun).toBe(afterMs);
});

describe('what is said of the newest look', () => {
  const leftOut = [{ what: 'behind a symbolic link', objects: 2, first: 'fraud/big.csv' }];
  const told = "left out as no data: 2 behind a symbolic link ('fraud/big.csv')";

  test.each([
    ['made a dataset', found(1), '1 object, chain of 1', []],
    ['found nothing', nothing, '0 objects, of at least 1', ['0 objects, of at least 1']],
  ])('a look that %s tells what it left out', (_, progress, text, news) => {
    const { drive, hint, list } = intakeOf();
    hint('fraud/a.csv');
    drive.wait(180_000);
    list({ ...progress, leftOut });

    expect(intakeText(drive.state.intake, drive.now)).toBe(`${text}; ${told}`);
    expect(intakeNews(drive.state.intake)).toEqual([...news, told]);
    expect(modelSummary(drive.state)).toMatchObject({ data: [...news, told].join('; ') });
    expect(whyModel(drive.state, drive.now).sentence).toContain(told);
  });

  test('a note of the look before is no news once more data has come', () => {
    const { drive, hint, list } = intakeOf();
    hint('fraud/a.csv');
    drive.wait(180_000);
    list(nothing);
    const before = intakeNews(drive.state.intake);

    hint('fraud/b.csv');

    expect(before).toEqual(['0 objects, of at least 1']);
    expect(drive.state.intake.status).toBe('settling');
    expect(intakeNews(drive.state.intake)).toEqual([]);
  });

  test('a look that found nothing new is no news, with a marker that was used up as well', () => {
    const { drive, hint, list } = intakeOf({ data: withMarker });
    hint('fraud/_DONE');
    list(found(1, 'first write'));
    drive.wait(rescan);
    list(found(1, 'first write'));

    expect(drive.state.intake.note).toBe('nothing new: the same 1 object as chain of 1');
    expect(intakeNews(drive.state.intake)).toEqual([]);
  });
});

test.each([
  ['minObjects', { minObjects: 3 }, '2 objects, of at least 3'],
  ['minBytes', { minBytes: '21B' }, '20 bytes, of at least 21'],
])('%s: fewer are no dataset, as many are one', (_, least, note) => {
  const { drive, hint, list } = intakeOf({ data: { ...bucket, ...least } });
  hint('fraud/a.csv');
  drive.wait(180_000);
  list(found(2));
  expect(drive.state.intake).toMatchObject({ note });
  expect(drive.state.intake.dataset).toBeUndefined();

  hint('fraud/b.csv');
  drive.wait(180_000);
  list({ ...found(3), bytes: 21 });
  expect(drive.state.intake.dataset?.objects).toBe(3);
});
