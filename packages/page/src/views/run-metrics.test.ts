import { expect, test } from 'vitest';
import { loggedPlots, metricsTable } from './run-metrics.ts';
import type { RunDoc } from './things.ts';

const none = JSON.parse('{}');

test.each(['constructor', 'toString', '__proto__', '<b>'])('a metric may be called %s', async (name) => {
  const measured = JSON.parse(`{"${name}":0.25}`);

  const table = String(
    await metricsTable({
      trained: { number: 1, metrics: measured },
      scored: { auc: 0.5 },
      championScore: none,
    } as unknown as RunDoc),
  );

  expect(table.match(/0\.25/g)).toHaveLength(1);
  expect(table).not.toMatch(/function|\[object|<b>/);
});

test.each([
  [[-5e-324, 5e-324]],
  [[0, 5e-324]],
  [[-1.7e308, 1.7e308]],
  [[1, 1 + 2 ** -52]],
  [[Number.MAX_VALUE, Number.MAX_VALUE]],
])('whatever numbers a job logs, its page is shown: %j', async (values) => {
  const points = values.map((value, step) => ({ step: step * Number.MAX_SAFE_INTEGER, value }));

  const plots = String(await loggedPlots([{ job: 'train', attempt: 1, name: 'loss', points }]));

  expect(plots).toContain('<svg');
  expect(plots).not.toMatch(/NaN|Infinity/);
});
