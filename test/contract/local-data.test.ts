import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompiledConfig } from '@serin/core/config/config';
import type { Server } from '@serin/local/compose';
import { expect, test } from 'vitest';
import { release } from '../kill/project.ts';
import { newDirectory } from './serving-machine.ts';
import { predicted, put, read, startIn } from './trained-project.ts';

/** Rows of a number and a colour; `n` is missing where `broken`. */
const rows = (from: number, to: number, broken = false): string =>
  `n,colour\n${Array.from({ length: to - from }, (_, at) => `${broken ? '' : (from + at) / 7},${['red', 'green', 'blue'][at % 3]}\n`).join('')}`;

const validated = (config: CompiledConfig): CompiledConfig => {
  const { judged } = config.models;
  if (judged === undefined) throw new Error('there is no model');
  const capture = { share: '100%', fields: ['n'], keep: 86_400_000, atMost: 1e6 };
  const drift = { window: 86_400_000, notice: 0.03, major: 0.1, quietFor: 365, columns: {} };
  const data = { ...judged.data, settle: { quiet: 1000, atMost: 10_000 } }; // Both files of a drop are one dataset.
  const monitor = { ...judged.monitor, capture, drift };
  return {
    ...config,
    models: { ...config.models, judged: { ...judged, data, validate: { checks: {}, columns: {} }, monitor } },
  };
};

const drop = (server: Server, part: string, name: string, content: string): Promise<void> =>
  put(server, `/v1/buckets/drops/objects/judged/${part}/${name}.csv`, content);

interface Run {
  readonly id: string;
  readonly status: string;
  readonly because?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The newest run of the model, once this holds of it. */
async function runWhere(server: Server, holds: (run: Run) => boolean): Promise<Run> {
  for (;;) {
    const { run } = (await read(server, '/v1/models/judged')) as { readonly run?: Run };
    if (run !== undefined && holds(run)) return (await read(server, `/v1/runs/${run.id}`)) as unknown as Run;
    await sleep(50);
  }
}

test('a dataset is profiled, counted and validated; one with a broken column is refused, and costs nothing', async () => {
  const directory = newDirectory();
  const server = await startIn(directory);
  const kept = (folder: string, digest: unknown) =>
    JSON.parse(readFileSync(join(directory, 'data/buckets/serin', folder, `${digest}.json`), 'utf8'));
  const jobs = () => readdirSync(join(directory, 'data/jobs')).length;

  await release(server, join(directory, 'executions.txt'), validated);
  await drop(server, 'holdout', 'first', rows(0, 300));
  await drop(server, 'train', 'first', rows(300, 900));
  const first = await runWhere(server, ({ status }) => status === 'succeeded');
  while ((await read(server, '/v1/models/judged')).champion !== 1) await sleep(50);

  expect(kept('profiles', first.data?.profile)).toMatchObject({
    rows: 900,
    objects: 2,
    columns: [{ name: 'n' }, { name: 'colour' }],
  });
  expect(kept('references', first.data?.reference)).toMatchObject({
    rows: 900,
    columns: [{ kind: 'number', rows: 900 }, { kind: 'category' }],
  });
  expect(kept('reports', first.data?.report)).toMatchObject({ refused: false, rows: 900 });

  const before = jobs();
  await drop(server, 'train', 'second', rows(900, 1800, true));
  const second = await runWhere(server, ({ id, status }) => id !== first.id && status === 'refused');

  expect(second.because).toMatch(/'n' is missing in 50 % of 1,800 rows/);
  expect(kept('reports', second.data?.report)).toMatchObject({ refused: true, against: { rows: 900 } });
  expect(jobs()).toBe(before);
  expect(await predicted(server)).toBe(200);
  expect(await read(server, '/v1/models/judged')).toMatchObject({ champion: 1 });
}, 60_000);
