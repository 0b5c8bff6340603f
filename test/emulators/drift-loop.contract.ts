import { unfinishedProfileKey } from '@serin/core/engine/stored';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type CapturedLoop,
  type CapturedModel,
  type CapturedOwn,
  capturedModels,
  csvOf,
  dice,
  type Exchange,
  minute,
  modelOf,
  rowOf,
  type Story,
  storyOf,
} from './captured.ts';
import type { Shown } from './loop.contract.ts';

const lag = 30 * minute;
const rowsOfFile = 30;
/** One more than a part of a profile has. */
const filesOfTraining = 101;
/** More than a part of a window has: twenty pages of a thousand requests. */
const rowsOfLargeWindow = 20_300;
const rowsOfWindow = 1000;

/** Requests of one row each, spread over a window. */
function exchanges(seed: number, rows: number, shift: number, { from, until }: Window): readonly Exchange[] {
  const next = dice(seed);
  return Array.from({ length: rows }, (_, index) => {
    const row = rowOf(next, shift);
    return {
      at: from + Math.floor((index * (until - from)) / rows),
      id: `${seed}-${index}`,
      body: { instances: [row] },
      // Answers that turn with the numbers would be compared from the first whole window on, which is not always the first.
      answer: { predictions: [row.colour.length] },
    };
  });
}

interface Window {
  readonly from: number;
  readonly until: number;
}

const about = /^(drift|alert|dataset\.refused|run\.refused|rollout\.promoted)/;

const monitor = {
  onDrift: 'run',
  cooldown: '1m',
  capture: { share: '100%', fields: ['n', 'colour'], id: 'n' },
  drift: { window: '1h' },
};

/**
 * The loop of drift: the same chapters for each cloud, through the functions as they are deployed there. Each chapter goes
 * on where the one before ended. The retrained version of `prices` helps, and that of `rents` does not.
 */
export function driftLoopContract(open: () => Promise<CapturedLoop>, { needs }: CapturedOwn): void {
  describe('the loop of drift', () => {
    let loop: CapturedLoop;
    let story: Story;
    beforeAll(async () => {
      loop = await open();
      story = await storyOf(loop);
      await release({ onData: true });
    }, 120_000);
    afterAll(() => loop?.close());

    const release = ({ onData }: { readonly onData: boolean }) =>
      story.release({
        prices: {
          ...{ ...modelOf('prices', loop.image), monitor, on: { data: onData } },
          labels: { bucket: 'drops', prefix: 'told/' },
        },
        rents: { ...modelOf('rents', loop.image), monitor, on: { data: onData }, validate: {} },
      });
    const saidOf = (model: CapturedModel) => story.saidOf(model, about);

    async function windowOf(model: CapturedModel): Promise<Window> {
      const { window } = await story.driftOf(model);
      return { from: Date.parse(window.from), until: Date.parse(window.until) };
    }
    /** The files of a model are replaced, and the cloud tells of the last one. */
    async function drop(model: CapturedModel, seed: number, shift: number): Promise<void> {
      const files = model === 'prices' ? filesOfTraining : 1;
      const rows = model === 'prices' ? rowsOfFile : filesOfTraining * rowsOfFile;
      const names = Array.from({ length: files }, (_, index) => String(index).padStart(3, '0'));
      await Promise.all(
        names.map((name, index) => loop.put(`${model}/train/${name}.csv`, csvOf(seed + index, rows, shift))),
      );
      await loop.drop(`${model}/holdout/rows.csv`, csvOf(seed + 500, rowsOfFile, shift));
    }

    const isWindow = async (model: CapturedModel, number: number): Promise<boolean> =>
      (await story.driftOf(model)).windows.length >= number;
    const pause = { step: 10 * minute, most: 12 };

    /** A window of both models ends; its requests are those of `shift`. */
    async function ask(seed: number, shift: number, rows: Partial<Record<CapturedModel, number>> = {}): Promise<void> {
      const windows = await Promise.all(capturedModels.map(windowOf));
      await loop.pass(Math.max(...windows.map((window) => window.until)) - loop.now());
      for (const model of capturedModels)
        await loop.keep(model, exchanges(seed, rows[model] ?? rowsOfWindow, shift, await windowOf(model)));
    }

    test('a dataset becomes a version with a reference, also where a function is gone between two parts of it', async () => {
      const death = loop.mishaps.dies((key) => key.startsWith(unfinishedProfileKey('')));
      loop.work.mapes = { prices: 0.1, rents: 0.1 };
      await drop('prices', 1, 0);
      await drop('rents', 1, 0);

      await story.until(async () => death.isOver());
      await loop.pass(minute);
      await loop.pass(minute);
      await death.rest();
      await story.until(async () => (await story.serves('prices', 1)) && (await story.serves('rents', 1)));

      for (const model of capturedModels) {
        const { datasets } = await story.read(`/v1/models/${model}/datasets`);
        const { rows, columns } = await story.read(`/v1/models/${model}/datasets/${datasets[0].digest}/profile`);
        expect([rows, columns.map(({ name }: Shown) => name)]).toEqual([3060, ['n', 'colour', 'price']]);
        expect(loop.jobsOf(model)).toEqual(['train', 'evaluate']);
        expect((await story.driftOf(model)).version).toBe(1);
      }
    }, 300_000);

    test('a dataset that validation refuses starts no job, and its report can be read', async () => {
      const paid = loop.jobsOf('rents');
      await loop.put('rents/train/000.csv', csvOf(7, 3030, 0).replaceAll(/,(red|green|blue),/g, ',,'));
      await loop.drop('rents/holdout/rows.csv', csvOf(8, rowsOfFile, 0));

      await story.until(async () => (await story.modelNamed('rents')).run.status === 'refused');
      const { run, champion } = await story.modelNamed('rents');
      const report = await story.read(`/v1/runs/${run.id}/report`);

      expect(report).toMatchObject({ model: 'rents', refused: true, rows: 3060 });
      expect(report.findings[0]).toMatchObject({ column: 'colour', action: 'refuse' });
      expect((await story.read(`/v1/runs/${run.id}`)).because).toContain('colour');
      expect([champion, loop.jobsOf('rents')]).toEqual([1, paid]);
      expect(saidOf('rents')).toEqual(['rollout.promoted', 'run.refused', 'dataset.refused']);
    }, 300_000);

    test('requests as in the data are no incident; copies that cannot be read for a while are read later', async () => {
      await release({ onData: false });
      await drop('prices', 1001, 60);
      await drop('rents', 1001, 60);
      await ask(31, 0);
      await loop.spoil('prices', (await windowOf('prices')).from);

      loop.mishaps.captures('away');
      await loop.pass(lag);
      await loop.pass(minute);
      const away = await story.driftOf('prices');
      loop.mishaps.captures('there');
      await story.until(async () => (await isWindow('prices', 1)) && (await isWindow('rents', 1)), pause);

      expect(away).toMatchObject({ status: 'counting', windows: [] });
      for (const model of capturedModels) {
        const { windows, incident, version } = await story.driftOf(model);
        expect(windows).toMatchObject([{ rows: rowsOfWindow, alarms: [] }]);
        expect([incident, version]).toEqual([undefined, 1]);
      }
      expect((await story.driftOf('prices')).sentence).toMatch(
        /; \d captured requests? could not be read: the first because /,
      );
      expect((await story.driftOf('rents')).sentence).not.toContain('could not be read');
      expect(saidOf('prices')).toEqual(['rollout.promoted']);
    }, 300_000);

    test('requests that turned are one incident and one run, also where a function is gone between two parts of a window', async () => {
      const death = loop.mishaps.dies(
        (key, content) => key.startsWith('drift/') && JSON.parse(content).rows === 20_000,
      );
      loop.work.mapes = { prices: 0.09, rents: 0.3 };
      await ask(32, 60, { prices: rowsOfLargeWindow });

      await story.until(async () => death.isOver(), pause);
      await loop.pass(2 * minute);
      await death.rest();
      await story.until(async () => (await isWindow('prices', 2)) && (await isWindow('rents', 2)), {
        step: minute,
        most: 30,
      });

      const rows = { prices: rowsOfLargeWindow, rents: rowsOfWindow };
      for (const model of capturedModels) {
        const { windows, incident } = await story.driftOf(model);
        expect(windows[1]).toMatchObject({ rows: rows[model], alarms: ['n'] });
        expect(incident).toMatchObject({ level: 'major', columns: ['n'], clean: 0 });
        expect(saidOf(model).slice(-2)).toEqual(['alert.received', 'drift.detected']);
        expect((await story.triggers(model))[0]).toBe('drift');
      }
    }, 300_000);

    test('the version that was trained for it serves where it passes the gate, and where it does not the old one stays', async () => {
      await story.until(async () => story.serves('prices', 2));

      const { champion, run } = await story.modelNamed('rents');
      expect([champion, run.status]).toEqual([1, 'refused']);
      expect(saidOf('prices').at(-1)).toBe('rollout.promoted');
      expect(saidOf('rents').at(-1)).toBe('run.refused');
      expect((await story.driftOf('prices')).version).toBe(2);
      // One for the data, and one for the drift.
      for (const model of capturedModels)
        expect(loop.jobsOf(model).filter((kind) => kind === 'train')).toEqual(['train', 'train']);
    }, 300_000);

    test('three clean windows end the incident; one that stays open starts no second run', async () => {
      const jobs = loop.jobsOf('rents');
      for (let number = 1; number <= 3; number += 1) {
        await ask(40 + number, 60);
        await story.until(
          async () => (await isWindow('prices', 2 + number)) && (await isWindow('rents', 2 + number)),
          pause,
        );
      }

      const over = await story.driftOf('prices');
      expect(over.incident).toBeUndefined();
      expect(over.windows.slice(-3).map(({ alarms }: Shown) => alarms)).toEqual([[], [], []]);
      expect(over.windows.slice(-3).map(({ rows }: Shown) => rows)).toEqual([1000, 1000, 1000]);
      expect(saidOf('prices').slice(-2)).toEqual(['alert.resolved', 'drift.resolved']);
      expect(await story.triggers('prices')).toEqual(['drift', 'data']);
      expect((await story.driftOf('rents')).incident).toMatchObject({ columns: ['n'], clean: 0 });
      expect(await story.triggers('rents')).toEqual(['drift', 'data', 'data']);
      expect(loop.jobsOf('rents')).toEqual(jobs);
      expect(saidOf('rents').filter((type) => type.startsWith('drift'))).toEqual(['drift.detected']);
    }, 300_000);

    test('labels are recorded once, whether the API takes them or a file of them is read', async () => {
      const label = (requestId: string, truth: number) => ({
        ...{ requestId, truth, time: new Date(loop.now()).toISOString() },
      });
      const tell = async (...labels: readonly object[]) => {
        const { status, body } = await loop.call('POST', '/v1/labels', { labels });
        return [status, ...body.results.map((result: Shown) => result.status)];
      };

      const first = await tell(label('1.5', 3), label('2.5', 5));
      const again = await tell(label('2.5', 5), label('1.5', 4));
      const lines = [label('1.5', 3), label('2.5', 6), label('a/b', 7)].map((each) => `${JSON.stringify(each)}\n`);
      await loop.drop('told/a.ndjson', lines.join(''));
      await story.until(async () => (await story.read('/v1/models/prices/labels')).files.length === 1);

      expect([first, again]).toEqual([
        [200, 'recorded', 'recorded'],
        [200, 'duplicate', 'conflict'],
      ]);
      const { files, ...rest } = await story.read('/v1/models/prices/labels');
      expect(files).toMatchObject([{ file: 'told/a.ndjson', recorded: 1, duplicate: 1, conflict: 1, bad: 0 }]);
      expect(rest).toEqual({ model: 'prices' });
      expect(await tell(label('a/b', 7))).toEqual([200, 'duplicate']);
    }, 60_000);

    test('the functions did what their roles allow, and nothing else', () => {
      const done = loop.done();

      expect(loop.refused()).toEqual([]);
      for (const what of needs) expect([what, done.some((each) => what.test(each))]).toEqual([what, true]);
    });
  });
}
