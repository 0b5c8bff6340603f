import { decodeText, encodeText } from '@serin/core/base/json';
import { day, hour } from '@serin/core/base/time';
import type { Reference } from '@serin/core/drift/reference';
import { listDataset } from '@serin/core/engine/dataset';
import { countCaptured, judgeDrift } from '@serin/core/engine/drift';
import { countDataset, profileDataset } from '@serin/core/engine/profile';
import type { Judged } from '@serin/core/model/drift/protocol';
import { type Cells, type Reading, readingStart } from '@serin/core/model/run/protocol';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Ports } from '@serin/core/ports/ports';
import { describe, expect, test } from 'vitest';
import { random } from '../../../test/bench-judge/random.ts';
import { memoryBucket } from '../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { profiler } from './profiler.ts';

/** From the files of a dataset to the verdicts of windows: the engine, the profiler, and ports of memory. */

const first = Date.UTC(2026, 0, 5); // a Monday
const trained = 56;
const rowsPerDay = 400;

type Shift = (at: number) => number;
/** A week that goes up and down by 0.3 standard deviations. */
const weekly: Shift = (at) => 0.3 * Math.SQRT2 * Math.sin((2 * Math.PI * Math.floor(at / day)) / 7);
const nightly: Shift = (at) => (Math.floor((at % day) / hour) < 6 ? -0.5 : 0.5 / 3);
const none: Shift = () => 0;

/** Rows that come evenly over some time: three columns, of which the first moves. */
function rowsOf(shift: Shift, draws: ReturnType<typeof random>, from: number, to: number) {
  const step = day / rowsPerDay;
  return Array.from({ length: Math.round((to - from) / step) }, (_, index) => {
    const at = from + index * step;
    const [x, y] = [draws.normal() + shift(at), draws.normal()];
    return { at: new Date(at).toISOString(), x, y, c: ['a', 'b', 'c'][Math.floor(3 * draws.next())] ?? '' };
  });
}

async function whole<Ended>(
  part: (reading: Reading) => Promise<{ readonly reading: Reading; readonly ended?: Ended }>,
) {
  for (let reading = readingStart; ; ) {
    const done = await part(reading);
    if (done.ended !== undefined) return done.ended;
    reading = done.reading;
  }
}

/** A champion whose data has this season: its reference, and what comes of windows of live rows. */
async function opened(season: Shift, time?: string | false) {
  const draws = random(11);
  const buckets = new Map(['serin', 'drops'].map((name) => [name, atOnce<Bucket>(memoryBucket())]));
  const bucket = (name: string): Bucket => buckets.get(name) as Bucket;
  for (let week = 0; week < trained / 7; week += 1) {
    const [from, to] = [first + 7 * week * day, first + 7 * (week + 1) * day];
    const lines = rowsOf(season, draws, from, to).map(({ at, x, y, c }) => `${x},${y},${c},${at}\n`);
    await bucket('drops').write(`fraud/${week}.csv`, encodeText(`x,y,c,at\n${lines.join('')}`));
  }
  let live: Shift = season;
  const captured = async ({ from, to }: { readonly from: number; readonly to: number }) => ({
    items: rowsOf(live, draws, from, to).map(({ at, ...row }) => ({ at: Date.parse(at), rows: [row], answers: [] })),
  });
  // Of the ports, these orders call two.
  const ports = { bucket, telemetry: () => ({ captured }) } as unknown as Ports;
  const around = { ports, profiler: async () => profiler };
  const { dataset } = await listDataset({ kind: 'list', model: 'fraud', bucket: 'drops', prefix: 'fraud/' }, ports, 1);
  if (dataset === undefined) throw new Error('there is no dataset');
  const { profile } = await whole((reading) => profileDataset({ kind: 'profileDataset', dataset, reading }, around));
  const cells: Cells = { profile, columns: {}, ...(time === undefined ? {} : { time }) };
  const { reference } = await whole((reading) =>
    countDataset({ kind: 'countDataset', dataset, cells, reading }, around),
  );
  let [at, detector]: [number, string | undefined] = [first + trained * day, undefined];

  async function windows(
    count: number,
    length: number = day,
    shift: Shift = season,
    fields: readonly string[] = ['x', 'y', 'c'],
  ): Promise<readonly Judged[]> {
    live = shift;
    const all: Judged[] = [];
    for (let window = 0; window < count; window += 1) {
      const span = { from: at, to: at + length };
      const asked = { ...span, fields, reference };
      const { counted } = await countCaptured({ kind: 'countCaptured', endpoint: 'fraud', ...asked }, ports);
      const rules = { notice: 0.03, major: 0.1, quietFor: 365 };
      const known: { detector?: string } = detector === undefined ? {} : { detector };
      const done = await judgeDrift({ kind: 'judgeDrift', ...asked, ...known, counted, rules }, ports, around.profiler);
      detector = done.detector;
      at += length;
      all.push(done.judged);
    }
    return all;
  }
  const referenceAt = async (digest: string): Promise<Reference> => {
    const content = (await bucket('serin').read({ key: `references/${digest}.json`, maxBytes: 1e8 }))?.content;
    return JSON.parse(decodeText(content ?? new Uint8Array()));
  };
  /** The rows on the cells of their own reference, as those of another dataset would be. */
  const onItsCells = async () => {
    const again = { kind: 'countDataset', dataset, cells: { reference } } as const;
    return referenceAt((await whole((reading) => countDataset({ ...again, reading }, around))).reference);
  };
  return { windows, onItsCells, reference: await referenceAt(reference) };
}

const alarms = (all: readonly Judged[]) => all.flatMap(({ alarms }) => alarms);
const levels = (all: readonly Judged[]) => new Set(all.flatMap(({ level }) => level ?? []));

describe('a season of the week', () => {
  test('is known to a reference whose rows have a time: no window alarms, and drift on top of it does', async () => {
    const { windows, reference } = await opened(weekly);

    const quiet = await windows(42);
    const drifted = await windows(7, day, (at) => weekly(at) + 0.3);

    expect(reference.days).toEqual({ column: 'at', days: 56, weekdays: true });
    expect(reference.columns[0]).toMatchObject({ name: 'x', byWeekday: expect.any(Array), dayRows: 400 });
    expect(reference.columns[0]?.dispersion).toBeLessThan(2);
    expect(alarms(quiet)).toEqual([]);
    for (const { uncalibrated } of quiet) expect(uncalibrated).toBeUndefined();
    expect(new Set(alarms(drifted))).toEqual(new Set(['x']));
    expect(levels(drifted)).toContain('major');
  });

  test('is of the rows it was counted of, and not of others on the same cells', async () => {
    const { onItsCells, reference } = await opened(weekly);

    const other = await onItsCells();

    expect(other).not.toHaveProperty('days');
    for (const [at, { cells, rows, ...column }] of other.columns.entries()) {
      expect([cells, rows]).toEqual([reference.columns[at]?.cells, reference.columns[at]?.rows]);
      for (const field of ['byWeekday', 'seasons', 'dispersion', 'dayRows']) expect(column).not.toHaveProperty(field);
    }
  });

  test('alarms where nothing tells the day of a row', async () => {
    const { windows, reference } = await opened(weekly, false);

    expect(reference.days).toEqual({ days: 0, because: 'monitor.drift.time is false' });
    expect(new Set(alarms(await windows(14)))).toEqual(new Set(['x']));
  });

  test('is told of a window that is neither a day nor a week, and starts nothing', async () => {
    const { windows } = await opened(weekly);

    const all = await windows(10, 3 * day);

    expect(alarms(all)).toContain('x');
    expect(levels(all)).toEqual(new Set(['notice']));
    expect((await windows(1, 3 * day, weekly, ['y', 'c']))[0]?.uncalibrated).toBeUndefined();
    expect(all[0]?.uncalibrated).toMatch(
      /^'x': its weekdays differ by up to 0\.1\d, and the window has 3d; windows of a day or whole weeks have no such season$/,
    );
  });

  test('is none for windows of whole weeks', async () => {
    const all = await (await opened(weekly)).windows(6, 7 * day);

    expect(alarms(all)).toEqual([]);
    expect(all.at(-1)?.uncalibrated).toBeUndefined();
  });
});

describe('a season of the day', () => {
  test('is told of windows that are shorter, and starts nothing', async () => {
    const { windows } = await opened(nightly);

    const all = await windows(16, 6 * hour);

    expect(alarms(all)).toContain('x');
    expect(levels(all)).toEqual(new Set(['notice']));
    expect(all[0]?.uncalibrated).toMatch(/^'x': its hours differ by up to 0\.\d+, and the window has 6h/);
  });

  test('is none for windows of a day, and shorter ones of rows without it are as sure as others', async () => {
    const days = await (await opened(nightly)).windows(14);
    const { windows } = await opened(none);
    const short = await windows(28, 6 * hour);
    const drifted = await windows(14, 6 * hour, () => 0.5);

    expect(alarms([...days, ...short])).toEqual([]);
    for (const { uncalibrated } of [...days, ...short]) expect(uncalibrated).toBeUndefined();
    expect(levels(drifted)).toContain('major');
  });
});
