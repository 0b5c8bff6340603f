import { DatabaseSync } from 'node:sqlite';
import type { Run } from '@serin/core/model/run/state';
import { expect, test } from 'vitest';
import type { House, Party } from './house.ts';
import { historyOf, serinPoints } from './run-views.ts';
import { runRoutes } from './runs.ts';
import { openStore } from './store.ts';

const id = 'run_1';
const begun = () => openStore(new DatabaseSync(':memory:'));
const point = (key: string, value: number, step = 0) => ({ key, value, step, timestamp: 1 });

/** What the program of a job logs. */
function logged(store: ReturnType<typeof begun>, step: string, attempt: number, fields: object): unknown {
  const job = { run: id, model: 'm', step, attempt, scope: `${step}/${attempt}` };
  const asked = { house: { store } as House, party: { job } as Party, fields: { run_id: id, ...fields } };
  return runRoutes['POST runs/log-batch']?.(asked);
}

test('what an attempt logged leaves the run when the next attempt of the same step logs', async () => {
  const store = begun();
  await logged(store, 'train', 1, { metrics: [point('rmse', 9)], params: [{ key: 'seed', value: '1' }] });
  await logged(store, 'evaluate', 1, { metrics: [point('auc', 0.5)] });

  await logged(store, 'train', 2, { metrics: [point('loss', 1)], params: [{ key: 'seed', value: '2' }] });

  expect(store.scopes(id)).toEqual(['evaluate/1', 'train/2']);
  expect(store.texts('param', `run/${id}`)).toEqual([{ scope: 'train/2', key: 'seed', value: '2' }]);
});

test('the evaluation of the champion does not write over the metrics of the run', () => {
  const store = begun();
  store.addPoint(id, point('rmse', 1), 'evaluate/1');
  store.addPoint(id, point('rmse', 2, 7), 'champion/1');

  const points = serinPoints(store, {
    id,
    startedAt: 0,
    scored: { rmse: 1 },
    championScore: { rmse: 2 },
  } as unknown as Run);

  expect(points.map(({ key, value }) => [key, value]).sort()).toEqual([
    ['champion/rmse', 2],
    ['rmse', 1],
  ]);
  expect(historyOf(store, id, 'rmse').map(({ value }) => value)).toEqual([1]);
  expect(historyOf(store, id, 'champion/rmse')).toEqual([{ ...point('champion/rmse', 2, 7) }]);
});

test('the last value of a metric is what Serin decided by, where the program logged another one', () => {
  const store = begun();
  store.addPoint(id, point('rmse', 3, 5), 'train/1');

  const run = { id, startedAt: 0, endedAt: 50, trained: { metrics: { rmse: 2 } } } as unknown as Run;

  expect(serinPoints(store, run)).toEqual([{ key: 'rmse', value: 2, step: 5, timestamp: 50 }]);
});

test('the last of several values is the one of the last step, then of the last time', () => {
  const store = begun();
  for (const [step, timestamp, value] of [
    [1, 9, 10],
    [2, 1, 20],
    [2, 5, 15],
  ] as const)
    store.addPoint(id, { key: 'loss', value, step, timestamp }, 'train/1');

  expect(store.lastPoints(id, 'train/1')).toEqual([{ key: 'loss', value: 15, step: 2, timestamp: 5 }]);
});
