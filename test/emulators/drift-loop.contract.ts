import { compile, parseConfig } from '@serin/core/config/config';
import { unfinishedProfileKey } from '@serin/core/engine/stored';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storeCode } from './aws/stored.ts';
import { installation, type Loop, type Shown } from './loop.contract.ts';
import type { Mishaps } from './mishaps.ts';

/** A request for predictions, and its answer. */
export interface Exchange {
  readonly at: number;
  readonly id: string;
  readonly body: { readonly instances: readonly object[] };
  readonly answer: { readonly predictions: readonly number[] };
}

/** An installation of the loop in which requests are captured and functions may be gone in the middle. */
export interface DriftLoop extends Loop {
  readonly mishaps: Mishaps;
  now(): number;
  /** An object of the bucket `drops`, of which nobody is told. */
  put(key: string, content: string): Promise<unknown>;
  /** Users have asked. The cloud keeps copies where and as the endpoint was told; it throws if it was told nothing. */
  keep(model: string, exchanges: readonly Exchange[]): Promise<void>;
  /** Among the copies of that time is one that nobody can read. */
  spoil(model: string, at: number): Promise<void>;
  /** What was published, in order. */
  announced(): readonly { readonly type: string; readonly data: Shown }[];
  /** The kinds of the jobs that were paid for a model, in order. */
  jobsOf(model: string): readonly string[];
  /** What the functions did that their roles do not allow. */
  refused(): readonly string[];
  /** What they did, as the roles name it. */
  done(): readonly string[];
}

/** What only one cloud can say of the same loop. */
interface Own {
  /** What functions do in it that they do for nothing else, as `done` has it. */
  readonly needs: readonly RegExp[];
}

export const driftModels = ['prices', 'rents'] as const;
type Model = (typeof driftModels)[number];

const minute = 60_000;
const lag = 30 * minute;
const rowsOfFile = 30;
/** One more than a part of a profile has. */
const filesOfTraining = 101;
/** More than a part of a window has: twenty pages of a thousand requests. */
const rowsOfLargeWindow = 20_300;
const rowsOfWindow = 1000;

/** Numbers in [0, 1) that follow each other without a pattern, the same each time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const colours = ['red', 'green', 'blue'];
/** A row whose number lies in [0, 100), or so much higher. */
const rowOf = (next: () => number, shift: number) => ({
  n: Math.round(next() * 100_000) / 1000 + shift,
  colour: colours[Math.floor(next() * 3)] ?? '',
});

function csv(seed: number, rows: number, shift: number): string {
  const next = dice(seed);
  const lines = Array.from({ length: rows }, () => {
    const { n, colour } = rowOf(next, shift);
    return `${n},${colour},${Math.round(n * 2)}\n`;
  });
  return `n,colour,price\n${lines.join('')}`;
}

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

const modelOf = (name: Model, image: string, more: object) => ({
  data: { bucket: 'drops', prefix: `${name}/`, settle: { quiet: '1m' } },
  split: { holdout: { by: 'manifest', train: 'train/', holdout: 'holdout/' } },
  train: { code: './src', command: ['python', 'train.py'], image },
  evaluate: { command: ['python', 'evaluate.py'], image },
  gate: { mape: { direction: 'down', atMost: 0.2, noWorseBy: 0.01 } },
  serve: { command: ['serve'], image },
  rollout: { strategy: 'canary', steps: [50], bake: '2m', guard: '1m', readyWithin: '1h', warmUp: 0 },
  monitor: {
    onDrift: 'run',
    cooldown: '1m',
    capture: { share: '100%', fields: ['n', 'colour'], id: 'n' },
    drift: { window: '1h' },
  },
  ...more,
});

/**
 * The loop of drift: the same chapters for each cloud, through the functions as they are deployed there. Each chapter goes
 * on where the one before ended. The retrained version of `prices` helps, and that of `rents` does not.
 */
export function driftLoopContract(open: () => Promise<DriftLoop>, { needs }: Own): void {
  describe('the loop of drift', () => {
    let loop: DriftLoop;
    let code: string;
    beforeAll(async () => {
      loop = await open();
      const put = (_: string, key: string, text: string) => loop.store(key, text);
      code = await storeCode({ 'train.py': 'print(1)', 'evaluate.py': 'print(2)' }, put);
      await release({ onData: true });
    }, 120_000);
    afterAll(() => loop?.close());

    async function release({ onData }: { readonly onData: boolean }): Promise<void> {
      const on = { on: { data: onData } };
      const models = {
        prices: modelOf('prices', loop.image, { ...on, labels: { bucket: 'drops', prefix: 'told/' } }),
        rents: modelOf('rents', loop.image, { ...on, validate: {} }),
      };
      const parsed = parseConfig({ ...installation, models });
      if (!('parsed' in parsed)) throw new Error(JSON.stringify(parsed.problems));
      const config = compile(parsed.parsed, new Map([['./src', code]]), loop.platform);
      const { status, body } = await loop.call('POST', '/v1/releases', { config });
      expect([status, status === 202 ? '' : body]).toEqual([202, '']);
      await loop.pump();
    }

    const read = async (path: string): Promise<Shown> => (await loop.call('GET', path)).body;
    const modelNamed = (model: Model): Promise<Shown> => read(`/v1/models/${model}`);
    const driftOf = (model: Model): Promise<Shown> => read(`/v1/models/${model}/drift`);
    async function windowOf(model: Model): Promise<Window> {
      const { window } = await driftOf(model);
      return { from: Date.parse(window.from), until: Date.parse(window.until) };
    }
    const triggers = async (model: Model): Promise<readonly string[]> =>
      (await read(`/v1/runs?model=${model}`)).runs.map(({ trigger }: Shown) => trigger);
    const saidOf = (model: Model) =>
      loop
        .announced()
        .filter(({ data }) => data.model === model)
        .map(({ type }) => type.replace(/^dev\.serin\.|\.v1$/g, ''))
        .filter((type) => /^(drift|alert|dataset\.refused|run\.refused|rollout\.promoted)/.test(type));

    /** The files of a model are replaced, and the cloud tells of the last one. */
    async function drop(model: Model, seed: number, shift: number): Promise<void> {
      const files = model === 'prices' ? filesOfTraining : 1;
      const rows = model === 'prices' ? rowsOfFile : filesOfTraining * rowsOfFile;
      const names = Array.from({ length: files }, (_, index) => String(index).padStart(3, '0'));
      await Promise.all(
        names.map((name, index) => loop.put(`${model}/train/${name}.csv`, csv(seed + index, rows, shift))),
      );
      await loop.drop(`${model}/holdout/rows.csv`, csv(seed + 500, rowsOfFile, shift));
    }

    /** Time passes step by step, until it is so. */
    async function until(isSo: () => Promise<boolean>, { step = minute, most = 120 } = {}): Promise<void> {
      for (let passed = 0; passed < most; passed += 1) {
        await loop.pass(step);
        if (await isSo()) return;
      }
      const seen = await Promise.all(
        driftModels.map(async (model) => {
          const { champion, run, rollout, endpoint } = await modelNamed(model);
          const { because } = await read(`/v1/runs/${run?.id}`);
          const { sentence, window, windows } = await driftOf(model);
          return { model, champion, run, because, rollout, endpoint, sentence, window, windows };
        }),
      );
      throw new Error(`not so after ${most} steps: ${JSON.stringify(seen, null, 1)}`);
    }
    const serves = async (model: Model, version: number): Promise<boolean> => {
      const { champion, endpoint } = await modelNamed(model);
      return champion === version && endpoint.status === 'converged';
    };
    const isWindow = async (model: Model, number: number): Promise<boolean> =>
      (await driftOf(model)).windows.length >= number;
    const pause = { step: 10 * minute, most: 12 };

    /** A window of both models ends; its requests are those of `shift`. */
    async function ask(seed: number, shift: number, rows: Partial<Record<Model, number>> = {}): Promise<void> {
      const windows = await Promise.all(driftModels.map(windowOf));
      await loop.pass(Math.max(...windows.map((window) => window.until)) - loop.now());
      for (const model of driftModels)
        await loop.keep(model, exchanges(seed, rows[model] ?? rowsOfWindow, shift, await windowOf(model)));
    }

    test('a dataset becomes a version with a reference, also where a function is gone between two parts of it', async () => {
      const death = loop.mishaps.dies((key) => key.startsWith(unfinishedProfileKey('')));
      loop.work.mapes = { prices: 0.1, rents: 0.1 };
      await drop('prices', 1, 0);
      await drop('rents', 1, 0);

      await until(async () => death.isOver());
      await loop.pass(minute);
      await loop.pass(minute);
      await death.rest();
      await until(async () => (await serves('prices', 1)) && (await serves('rents', 1)));

      for (const model of driftModels) {
        const { datasets } = await read(`/v1/models/${model}/datasets`);
        const { rows, columns } = await read(`/v1/models/${model}/datasets/${datasets[0].digest}/profile`);
        expect([rows, columns.map(({ name }: Shown) => name)]).toEqual([3060, ['n', 'colour', 'price']]);
        expect(loop.jobsOf(model)).toEqual(['train', 'evaluate']);
        expect((await driftOf(model)).version).toBe(1);
      }
    }, 300_000);

    test('a dataset that validation refuses starts no job, and its report can be read', async () => {
      const paid = loop.jobsOf('rents');
      await loop.put('rents/train/000.csv', csv(7, 3030, 0).replaceAll(/,(red|green|blue),/g, ',,'));
      await loop.drop('rents/holdout/rows.csv', csv(8, rowsOfFile, 0));

      await until(async () => (await modelNamed('rents')).run.status === 'refused');
      const { run, champion } = await modelNamed('rents');
      const report = await read(`/v1/runs/${run.id}/report`);

      expect(report).toMatchObject({ model: 'rents', refused: true, rows: 3060 });
      expect(report.findings[0]).toMatchObject({ column: 'colour', action: 'refuse' });
      expect((await read(`/v1/runs/${run.id}`)).because).toContain('colour');
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
      const away = await driftOf('prices');
      loop.mishaps.captures('there');
      await until(async () => (await isWindow('prices', 1)) && (await isWindow('rents', 1)), pause);

      expect(away).toMatchObject({ status: 'counting', windows: [] });
      for (const model of driftModels) {
        const { windows, incident, version } = await driftOf(model);
        expect(windows).toMatchObject([{ rows: rowsOfWindow, alarms: [] }]);
        expect([incident, version]).toEqual([undefined, 1]);
      }
      expect((await driftOf('prices')).sentence).toMatch(
        /; \d captured requests? could not be read: the first because /,
      );
      expect((await driftOf('rents')).sentence).not.toContain('could not be read');
      expect(saidOf('prices')).toEqual(['rollout.promoted']);
    }, 300_000);

    test('requests that turned are one incident and one run, also where a function is gone between two parts of a window', async () => {
      const death = loop.mishaps.dies(
        (key, content) => key.startsWith('drift/') && JSON.parse(content).rows === 20_000,
      );
      loop.work.mapes = { prices: 0.09, rents: 0.3 };
      await ask(32, 60, { prices: rowsOfLargeWindow });

      await until(async () => death.isOver(), pause);
      await loop.pass(2 * minute);
      await death.rest();
      await until(async () => (await isWindow('prices', 2)) && (await isWindow('rents', 2)), {
        step: minute,
        most: 30,
      });

      const rows = { prices: rowsOfLargeWindow, rents: rowsOfWindow };
      for (const model of driftModels) {
        const { windows, incident } = await driftOf(model);
        expect(windows[1]).toMatchObject({ rows: rows[model], alarms: ['n'] });
        expect(incident).toMatchObject({ level: 'major', columns: ['n'], clean: 0 });
        expect(saidOf(model).slice(-2)).toEqual(['alert.received', 'drift.detected']);
        expect((await triggers(model))[0]).toBe('drift');
      }
    }, 300_000);

    test('the version that was trained for it serves where it passes the gate, and where it does not the old one stays', async () => {
      await until(async () => serves('prices', 2));

      const { champion, run } = await modelNamed('rents');
      expect([champion, run.status]).toEqual([1, 'refused']);
      expect(saidOf('prices').at(-1)).toBe('rollout.promoted');
      expect(saidOf('rents').at(-1)).toBe('run.refused');
      expect((await driftOf('prices')).version).toBe(2);
      // One for the data, and one for the drift.
      for (const model of driftModels)
        expect(loop.jobsOf(model).filter((kind) => kind === 'train')).toEqual(['train', 'train']);
    }, 300_000);

    test('three clean windows end the incident; one that stays open starts no second run', async () => {
      const jobs = loop.jobsOf('rents');
      for (let number = 1; number <= 3; number += 1) {
        await ask(40 + number, 60);
        await until(async () => (await isWindow('prices', 2 + number)) && (await isWindow('rents', 2 + number)), pause);
      }

      const over = await driftOf('prices');
      expect(over.incident).toBeUndefined();
      expect(over.windows.slice(-3).map(({ alarms }: Shown) => alarms)).toEqual([[], [], []]);
      expect(over.windows.slice(-3).map(({ rows }: Shown) => rows)).toEqual([1000, 1000, 1000]);
      expect(saidOf('prices').slice(-2)).toEqual(['alert.resolved', 'drift.resolved']);
      expect(await triggers('prices')).toEqual(['drift', 'data']);
      expect((await driftOf('rents')).incident).toMatchObject({ columns: ['n'], clean: 0 });
      expect(await triggers('rents')).toEqual(['drift', 'data', 'data']);
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
      await until(async () => (await read('/v1/models/prices/labels')).files.length === 1);

      expect([first, again]).toEqual([
        [200, 'recorded', 'recorded'],
        [200, 'duplicate', 'conflict'],
      ]);
      const { files, ...rest } = await read('/v1/models/prices/labels');
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
