import { compile, parseConfig } from '@serin/core/config/config';
import { expect, test } from 'vitest';
import { partsOf, platformProblems } from './platform-limits.ts';

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

function compiled(changes: object, platform: 'aws' | 'gcp' = 'aws') {
  const read = parseConfig({ project: 'fraud', models: { fraud: { ...model, ...changes } } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return compile(read.parsed, new Map([['./src', 'a'.repeat(64)]]), platform);
}
const problems = (changes: object) =>
  platformProblems(compiled(changes), 'aws').map(({ path, message }) => `${path}: ${message}`);

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

test('a secret by name is taken on aws, and refused on a cloud where nobody looks it up', () => {
  const changes = { evaluate: { ...model.evaluate, environment: { KEY: { secret: 'api-key' } } } };

  expect(problems(changes)).toEqual([]);
  expect(platformProblems(compiled(changes, 'gcp'), 'gcp')).toContainEqual({
    path: 'models.fraud.evaluate.environment',
    message: expect.stringContaining("'api-key' is a secret by name"),
  });
});

test('with a folder of code a job takes what the request for one could not say', () => {
  const hyperparameters = Object.fromEntries(many(100, (n) => [`p${n}`, 'two\nlines']));
  const train = { ...model.train, code: './src', hyperparameters, environment: { NOTE: 'x'.repeat(5000) } };

  expect(problems({ train })).toEqual([]);
});

test('a config that no request of Lambda holds is refused on aws before it is sent', () => {
  const note = 'x'.repeat(6_000_000);
  const big = compiled({ evaluate: { ...model.evaluate, environment: { NOTE: note } } });

  expect(platformProblems(big, 'aws').map(({ path, message }) => `${path}: ${message}`)).toEqual([
    expect.stringMatching(/^models: the config has 6\d{6} bytes, and a release on AWS takes 5900000/),
  ]);
  expect(platformProblems(big, 'gcp').map(({ path }) => path)).not.toContain('models');
});

test('what only concerns an endpoint does not matter to a model that is not served', () => {
  expect(problems({ serve: 'none', rollout: { tick: '90s', strategy: 'shadow' } })).toEqual([]);
});

test('the parts of a plan are what needs machines: preparation, training, evaluation and serving', () => {
  const { fraud } = compiled({
    split: { prepare: { command: ['python3', 'prepare.py'], image } },
    train: { ...model.train, compute: { nodes: 4, accelerator: { type: 'T4' } } },
    serve: { ...model.serve, compute: { instances: { min: 1, max: 3 } } },
  }).models;

  const parts = fraud === undefined ? [] : partsOf(fraud);

  expect(parts.map(({ path, use, machines }) => [path, use, machines])).toEqual([
    ['split.prepare', 'process', 1],
    ['train', 'train', 4],
    ['evaluate', 'process', 1],
    ['serve', 'serve', 3],
  ]);
});

test('the names of an installation are refused where the bucket of aws could not be called so', () => {
  const named = (project: string, platform: 'aws' | 'gcp' = 'aws') =>
    platformProblems({ ...compiled({}), project, environment: 'prod' }, platform).map(({ path }) => path);

  expect(named('p'.repeat(24))).toEqual([]);
  expect(named('p'.repeat(25))).toEqual(['project']);
  expect(named('shop-')).toEqual(['project']);
  expect(named('shop-', 'gcp')).not.toContain('project');
});

test('one machine refuses what wants several of it, at its place', () => {
  const several = { ...model.train, compute: { nodes: 2 } };
  const config = compiled({ train: several, evaluate: { ...model.evaluate, compute: { nodes: 3 } } });

  expect(platformProblems(config, 'local').map(({ path }) => path)).toEqual([
    'models.fraud.train.compute.nodes',
    'models.fraud.evaluate.compute.nodes',
  ]);
  expect(platformProblems(compiled({}), 'local')).toEqual([]);
});
