import { compile, parseConfig } from '@serin/core/config/config';
import { expect, test } from 'vitest';
import { problemsOf } from './limits.ts';

const image = { aws: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/fraud:1' };
const model = {
  data: { bucket: 'acme-drops', prefix: 'fraud/' },
  split: { holdout: { by: 'time', column: 'day', last: '20%' } },
  train: { command: ['python3', 'train.py'], image },
  evaluate: { command: ['python3', 'evaluate.py'], image },
  gate: { auc: { direction: 'up', atLeast: 0.8 } },
  serve: { command: ['python3', 'serve.py'], image },
};

const many = <Made>(count: number, make: (index: number) => Made) => Array.from({ length: count }, (_, n) => make(n));

function compiled(changes: object) {
  const read = parseConfig({ project: 'fraud', models: { fraud: { ...model, ...changes } } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return compile(read.parsed, new Map([['./src', 'a'.repeat(64)]]), 'aws');
}
const problems = (changes: object) => problemsOf(compiled(changes)).map(({ path, message }) => `${path}: ${message}`);

test('a config with an image for each of its programs has no problem on aws; a job of Node needs none', () => {
  expect(problems({})).toEqual([]);
  expect(problems({ train: { command: ['node', 'train.mjs'] } })).toEqual([]);
});

test.each([
  ['a tick that CloudWatch does not count', { rollout: { tick: '90s' } }, 'rollout.tick'],
  ['a shadow, whose pairs nobody counts', { rollout: { strategy: 'shadow' } }, 'rollout.strategy'],
  ['segments', { rollout: { segments: { by: 'x-country', values: ['ch'] } } }, 'rollout.segments'],
  ['labels as a guardrail', { rollout: { guardrails: { labels: {} } } }, 'rollout.guardrails.labels'],
  ['labels as files', { labels: { bucket: 'acme-labels', prefix: 'fraud/' } }, 'labels'],
  ['sticky users', { serve: { ...model.serve, stickyBy: 'x-user' } }, 'serve.stickyBy'],
  ['a training of a month', { train: { ...model.train, compute: { maxRuntime: '29d' } } }, 'train.compute.maxRuntime'],
  [
    '41 metrics',
    { train: { ...model.train, metrics: Array.from({ length: 41 }, (_, n) => ({ name: `m${n}`, regex: 'x' })) } },
    'train.metrics',
  ],
  [
    'a regular expression of 501 characters',
    { train: { ...model.train, metrics: [{ name: 'auc', regex: 'x'.repeat(501) }] } },
    'train.metrics',
  ],
  [
    'a command of an image that is 101 words with its hyperparameters',
    { train: { ...model.train, hyperparameters: Object.fromEntries(many(50, (n) => [`p${n}`, n])) } },
    'train.command',
  ],
  [
    'a word of an image that is 257 characters long',
    { train: { ...model.train, hyperparameters: { note: 'x'.repeat(257) } } },
    'train.command',
  ],
  [
    'a variable of 513 characters of an image without code',
    { train: { ...model.train, environment: { NOTE: 'x'.repeat(513) } } },
    'train.environment',
  ],
  [
    '51 variables of an endpoint',
    { serve: { ...model.serve, environment: Object.fromEntries(many(51, (n) => [`V${n}`, ''])) } },
    'serve.environment',
  ],
  ['a long command of an endpoint', { serve: { ...model.serve, command: ['x'.repeat(1024)] } }, 'serve.command'],
  [
    'a preparation by an image with a word of two lines',
    { split: { prepare: { command: ['sh', '-c', 'a\nb'], image } } },
    'split.prepare.command',
  ],
  [
    'a preparation by an image with a variable of 257 characters',
    { split: { prepare: { command: ['prepare'], image, environment: { NOTE: 'x'.repeat(257) } } } },
    'split.prepare.environment',
  ],
  [
    'an evaluation on spot machines',
    { evaluate: { ...model.evaluate, compute: { spot: true } } },
    'evaluate.compute.spot',
  ],
  [
    'an evaluation of ten days',
    { evaluate: { ...model.evaluate, compute: { maxRuntime: '10d' } } },
    'evaluate.compute.maxRuntime',
  ],
  ['a Python program without an image', { train: { command: ['python3', 'train.py'] } }, 'train.image'],
  ['an endpoint without an image', { serve: { command: ['node', 'serve.mjs'] } }, 'serve.image'],
  [
    'an accelerator that SageMaker does not evaluate on',
    { evaluate: { ...model.evaluate, compute: { accelerator: { type: 'A100' } } } },
    'evaluate.compute.accelerator',
  ],
])('%s is refused at its place, and alone', (_, changes, path) => {
  expect(problems(changes)).toEqual([expect.stringMatching(new RegExp(`^models\\.fraud\\.${path}: .`))]);
});

test('a secret by name is taken', () => {
  expect(problems({ evaluate: { ...model.evaluate, environment: { KEY: { secret: 'api-key' } } } })).toEqual([]);
});

test('with a folder of code a job takes what the request for one could not say', () => {
  const hyperparameters = Object.fromEntries(many(100, (n) => [`p${n}`, 'two\nlines']));
  const train = { ...model.train, code: './src', hyperparameters, environment: { NOTE: 'x'.repeat(5000) } };

  expect(problems({ train })).toEqual([]);
});

test('a config that no request of Lambda holds is refused on aws before it is sent', () => {
  const note = 'x'.repeat(6_000_000);
  const big = compiled({ evaluate: { ...model.evaluate, environment: { NOTE: note } } });

  expect(problemsOf(big).map(({ path, message }) => `${path}: ${message}`)).toEqual([
    expect.stringMatching(/^models: the config has 6\d{6} bytes, and a release on AWS takes 5900000/),
  ]);
});

test('what only concerns an endpoint does not matter to a model that is not served', () => {
  expect(problems({ serve: 'none', rollout: { tick: '90s', strategy: 'shadow' } })).toEqual([]);
});

test('the names of an installation are refused where the bucket of aws could not be called so', () => {
  const named = (project: string) =>
    problemsOf({ ...compiled({}), project, environment: 'prod' }).map(({ path }) => path);

  expect(named('p'.repeat(24))).toEqual([]);
  expect(named('p'.repeat(25))).toEqual(['project']);
  expect(named('shop-')).toEqual(['project']);
});

// botocore: HyperParameters has 100 of them at most, and HyperParameterValue 2500 characters.
test('the hyperparameters that a config may have are those that SageMaker takes', () => {
  const refused = (hyperparameters: object) =>
    parseConfig({ project: 'fraud', models: { fraud: { ...model, train: { ...model.train, hyperparameters } } } });

  expect(refused(Object.fromEntries(many(101, (n) => [`p${n}`, n])))).toHaveProperty('problems');
  expect(refused({ note: 'x'.repeat(2501) })).toHaveProperty('problems');
  expect(refused({ sagemaker_submit_directory: 's3://elsewhere/code.tar.gz' })).toHaveProperty('problems');
});
