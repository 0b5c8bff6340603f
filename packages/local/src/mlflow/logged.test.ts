import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { loggedBy } from './logged.ts';
import { openStore } from './store.ts';

async function logging(values: readonly (number | string)[], scope = 'train/1') {
  const store = openStore(new DatabaseSync(':memory:'));
  await store.commit(() => {
    for (const [step, value] of values.entries())
      store.addPoint('run_1', { key: 'loss', value, timestamp: 1000 + step, step }, scope);
  });
  return loggedBy(store);
}

test('what a job logged is told value by value, by job and attempt', async () => {
  const logged = await logging([0.9, 0.5, 0.3], 'train/2');

  expect(logged('run_1')).toEqual([
    {
      ...{ job: 'train', attempt: 2, name: 'loss' },
      points: [0.9, 0.5, 0.3].map((value, step) => ({ step, at: 1000 + step, value })),
    },
  ]);
  expect(logged('run_2')).toEqual([]);
});

test('of a long history some points are told, with the first and the last', async () => {
  const logged = await logging(Array.from({ length: 5003 }, (_, step) => step));

  const points = logged('run_1')[0]?.points ?? [];
  expect(points.length).toBeLessThanOrEqual(501);
  expect([points[0]?.step, points.at(-1)?.step]).toEqual([0, 5002]);
});

test('a value that is no number is left out, and what a person logged by hand is no part of a run', async () => {
  const logged = await logging([1, 'NaN', 3]);
  const byHand = await logging([1, 2], '');

  expect(logged('run_1')[0]?.points.map(({ value }) => value)).toEqual([1, 3]);
  expect(byHand('run_1')).toEqual([]);
});
