import { expect, test } from 'vitest';
import { measuredBy, metricsIn } from './metrics.ts';

test('metrics are numbers by name, flat or as SageMaker writes its evaluations', () => {
  expect(metricsIn('metrics.json', '{"auc": 0.93, "rows": 12, "f1": "0.9"}')).toEqual({
    metrics: { auc: 0.93, rows: 12, f1: 0.9 },
    unread: {},
  });
  const nested = { regression_metrics: { mse: { value: 4.9, standard_deviation: 2.2 } }, confusion: { 0: { 0: 20 } } };
  expect(metricsIn('evaluation.json', JSON.stringify(nested)).metrics).toEqual({ mse: 4.9 });
});

test.each([
  [
    '{"auc": 1, "loss": NaN, "x": "NaN"}',
    { loss: 'it is NaN in metrics.json', x: 'it is the text "NaN" in metrics.json' },
  ],
  ['{"auc": 1, "recall": null}', { recall: 'it is null in metrics.json' }],
  ['{"auc": 1, "size": 1e999}', { size: 'it is Infinity in metrics.json' }],
  ['{"auc": 1, "loss": -Infinity}', { loss: 'it is -Infinity in metrics.json' }],
  [
    '{"auc": 1, "model": "forest", "ok": true, "": ""}',
    {
      ...{ model: 'it is the text "forest" in metrics.json', ok: 'it is true in metrics.json' },
      '': 'it is the text "" in metrics.json',
    },
  ],
])('of %s the number is taken, and why the rest is not', (text, unread) => {
  expect(metricsIn('metrics.json', text)).toEqual({ metrics: { auc: 1 }, unread });
});

test('what is no file of metrics is said under its name, and nothing is taken from it', () => {
  expect(metricsIn('metrics.json', '[1]')).toEqual({
    metrics: {},
    unread: { 'metrics.json': 'it is not an object of names and numbers' },
  });
  expect(metricsIn('metrics.json', '{').unread['metrics.json']).toContain('it is not JSON');
});

test('of two sources the first wins, and what one has measured is not missing', () => {
  const file = metricsIn('metrics.json', '{"auc": 0.9, "loss": NaN}');
  const log = { metrics: { auc: 0.1, loss: 0.5 }, unread: { other: 'it is the text "" in the log' } };

  expect(measuredBy(file, log)).toEqual({
    metrics: { auc: 0.9, loss: 0.5 },
    unread: { loss: 'it is NaN in metrics.json', other: 'it is the text "" in the log' },
  });
  expect(measuredBy(file, { metrics: {}, unread: { auc: 'it is null in the log' } }).unread).not.toHaveProperty('auc');
});
