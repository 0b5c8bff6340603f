import { expect, test } from 'vitest';
import type { Job } from '../ports/jobs.ts';
import { checkpointsOf, commandOf, entryPoint, userArguments } from './command.ts';
import { decodedHyperparameters } from './variables.ts';

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
  channels: { train: { kind: 'manifest', bucket: 'serin', key: 'x' } },
  outputs: ['model'],
} as unknown as Job; // what a command needs of a job
const places = { found: (name: string) => `/data/${name}`, outputOf: (name: string) => `/${name}` };

test('a command gets its places, and that of a trainer the arguments of the toolkit', () => {
  const filled = ['python', '-u', 'train.py', '--data=/data/train/x', '--out', '/model', '0.1'];

  expect(commandOf(job, places)).toEqual([...filled, '-e', '3']);
  expect(commandOf({ ...job, kind: 'evaluate' }, places)).toEqual(filled);
  for (const unknown of ['inputs.nothing', 'inputs.toString', 'outputs.report'])
    expect(() => commandOf({ ...job, command: [place(unknown)] }, places)).toThrow(place(unknown));
  expect(userArguments({ hyperparameters: {}, command: [] })).toEqual([]);
  expect(entryPoint(job)).toBe('train.py');
});

const shell = `$${'{model}'}`;

test('in short a place is a word in braces: what the job writes, or else what it reads', () => {
  const short = {
    ...job,
    channels: { train: job.channels.train, model: job.channels.train },
    command: ['{train}', '--out={model}/m.pt', shell, '{{model}}', '{epoch}'],
  };
  const judge = {
    ...job,
    kind: 'evaluate',
    outputs: [],
    channels: { model: job.channels.train },
    command: ['{model}'],
  };

  expect(commandOf(short as Job, places).slice(0, -4)).toEqual([
    ...['/data/train', '--out=/model/m.pt', shell, '{{model}}', '{epoch}'],
  ]);
  expect(commandOf(judge as unknown as Job, places)).toEqual(['/data/model']);
  expect(() => commandOf({ ...job, command: ['{holdout}'] }, places)).toThrow('{holdout}');
});

test('a hyperparameter that a placeholder gives is not given twice', () => {
  const hydra = { ...job, command: ['python', 'train.py', `lr=${place('inputs.lr')}`] };

  expect(commandOf(hydra, places)).toEqual(['python', 'train.py', 'lr=0.1', '-e', '3']);
});

test('truth among the arguments is as Python writes it, and as JSON among the decoded', () => {
  const hyperparameters = { use_amp: 'true', off: 'false', name: 'True' };

  expect(userArguments({ hyperparameters, command: [] })).toEqual([
    '--name',
    'True',
    '--off',
    'False',
    '--use_amp',
    'True',
  ]);
  expect(decodedHyperparameters({ hyperparameters })).toEqual({ use_amp: true, off: false, name: 'True' });
});

test('all attempts of a run find the same checkpoints, and a job without any finds none', () => {
  const checkpoints = { project: 'shop', checkpoints: 'run_1' };

  expect(checkpointsOf(checkpoints)).toMatch(/^checkpoints\/[0-9a-f]{32}$/);
  expect(checkpointsOf({ ...checkpoints, project: 'other' })).not.toBe(checkpointsOf(checkpoints));
  expect(checkpointsOf({ project: 'shop' })).toBeUndefined();
});
