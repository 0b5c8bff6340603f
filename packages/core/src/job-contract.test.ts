import { expect, test } from 'vitest';
import { commandOf, decodedHyperparameters, entryPoint, metricsIn, userArguments } from './job-contract.ts';
import type { Job } from './ports.ts';

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

test('hyperparameters are decoded as the toolkit does it, and keep what a number cannot hold', () => {
  const hyperparameters = { epochs: '10', flag: 'true', big: '9007199254740993', text: 'adam', huge: '1e999' };

  expect(decodedHyperparameters({ hyperparameters })).toEqual({
    ...{ epochs: 10, flag: true, big: '9007199254740993', text: 'adam', huge: '1e999' },
  });
});

test('metrics are numbers by name, flat or as SageMaker writes its evaluations', () => {
  expect(metricsIn('metrics.json', '{"auc": 0.93, "rows": 12, "note": "text"}')).toEqual({ auc: 0.93, rows: 12 });
  const nested = { regression_metrics: { mse: { value: 4.9, standard_deviation: 2.2 } }, confusion: { 0: { 0: 20 } } };
  expect(metricsIn('evaluation.json', JSON.stringify(nested))).toEqual({ mse: 4.9 });
});

test('a metric that is not finite, and what is no such file, is refused by name', () => {
  const refused = (text: string, words: string) => expect(() => metricsIn('metrics.json', text)).toThrow(words);

  refused('{"auc": NaN, "x": "NaN"}', 'auc is NaN');
  refused('{"recall": null}', 'recall is null');
  refused('{"size": 1e999}', 'size is Infinity');
  refused('{"loss": -Infinity}', 'loss is -Infinity');
  refused('[1]', 'not an object');
  refused('{', 'not JSON');
});
