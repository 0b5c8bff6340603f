import { expect, test } from 'vitest';
import type { Job } from '../ports/jobs.ts';
import {
  channelVariables,
  commandOf,
  decodedHyperparameters,
  entryPoint,
  measuredBy,
  metricsIn,
  userArguments,
} from './job-contract.ts';

const place = (name: string) => `\${{${name}}}`;

const job = {
  key: 'run_1/train/1',
  kind: 'train',
  command: [
    'python',
    '-u',
    'train.py',
    `--data=${place('inputs.train')}/x`,
    '--out',
    place(' outputs.model '),
    place('inputs.lr'),
  ],
  hyperparameters: { lr: '0.1', e: '3' },
} as unknown as Job; // what a command needs of a job
const places = {
  input: (name: string) => (name === 'train' ? '/data/train' : undefined),
  output: (name: string) => (name === 'model' ? '/model' : undefined),
};

test('a command gets its places, and that of a trainer the arguments of the toolkit', () => {
  const filled = ['python', '-u', 'train.py', '--data=/data/train/x', '--out', '/model', '0.1'];

  expect(commandOf(job, places)).toEqual([...filled, '-e', '3', '--lr', '0.1']);
  expect(commandOf({ ...job, kind: 'evaluate' }, places)).toEqual(filled);
  expect(() => commandOf({ ...job, command: [place('inputs.nothing')] }, places)).toThrow(place('inputs.nothing'));
  expect(userArguments({ hyperparameters: {} })).toEqual([]);
  expect(entryPoint(job)).toBe('train.py');
});

test('truth among the arguments is as Python writes it, and as JSON among the decoded', () => {
  const hyperparameters = { use_amp: 'true', off: 'false', name: 'True' };

  expect(userArguments({ hyperparameters })).toEqual(['--name', 'True', '--off', 'False', '--use_amp', 'True']);
  expect(decodedHyperparameters({ hyperparameters })).toEqual({ use_amp: true, off: false, name: 'True' });
});

test("the channel 'train' has the name of SageMaker's default as well, unless there is one of that name", () => {
  expect(channelVariables({ train: '/t', holdout: '/h' })).toEqual({
    SM_CHANNEL_TRAIN: '/t',
    SM_CHANNEL_TRAINING: '/t',
    SM_CHANNEL_HOLDOUT: '/h',
  });
  expect(channelVariables({ train: '/t', training: '/own' })).toMatchObject({ SM_CHANNEL_TRAINING: '/own' });
  expect(channelVariables({ model: '/m' })).toEqual({ SM_CHANNEL_MODEL: '/m' });
});

test('hyperparameters are decoded as the toolkit does it, and keep what a number cannot hold', () => {
  const hyperparameters = { epochs: '10', flag: 'true', big: '9007199254740993', text: 'adam', huge: '1e999' };

  expect(decodedHyperparameters({ hyperparameters })).toEqual({
    ...{ epochs: 10, flag: true, big: '9007199254740993', text: 'adam', huge: '1e999' },
  });
});

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
});
