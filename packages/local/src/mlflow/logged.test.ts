import { DatabaseSync } from 'node:sqlite';
import { instant } from '@serin/core/base/time';
import { expect, test } from 'vitest';
import { loggedBy } from './logged.ts';
import { openStore } from './store.ts';

test('what a job logged can be shown, whatever times it gave', async () => {
  const store = openStore(new DatabaseSync(':memory:'));
  const times = [-9e15, 0, 9e15];
  await store.commit(() => {
    for (const [step, timestamp] of times.entries())
      store.addPoint('run_1', { key: 'loss', value: step, timestamp, step }, 'train/1');
  });

  const [metric] = loggedBy(store)('run_1');

  expect(metric?.points.map(({ at }) => instant(at).slice(0, 7))).toEqual(['1970-01', '1970-01', '+275760']);
});
