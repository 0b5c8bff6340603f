import { parseConfig } from '@serin/core/config/config';
import { expect, test } from 'vitest';
import {
  compiledFor,
  image,
  judgedByLabels,
  judgedPerformance,
  labelFiles,
  many,
  model,
  monitored,
  notCaptured,
  notLabelled,
  rollout,
  untried,
  variables,
} from '../config.fixture.ts';
import { limits, problemsOf } from './limits.ts';

const problems = (changes: object) =>
  problemsOf(compiledFor('aws', changes)).map(({ path, message }) => `${path}: ${message}`);

test('a config with an image for each of its programs has no problem on aws; a job of Node needs none', () => {
  expect(problems({})).toEqual([]);
  expect(problems({ train: { command: ['node', 'train.mjs'] } })).toEqual([]);
  expect(problems(monitored({}))).toEqual([]);
  expect(problems({ ...monitored({}), ...labelFiles, ...judgedByLabels({ maturity: '13d' }) })).toEqual([]);
  expect(problems(judgedPerformance({}, { maturity: '12d' }))).toEqual([]);
});

const cases: readonly (readonly [string, object, string])[] = [
  ['a tick that CloudWatch does not count', rollout({ tick: '90s' }), 'rollout.tick'],
  ['a shadow, whose pairs nobody counts', rollout({ strategy: 'shadow' }), 'rollout.strategy'],
  ['segments', rollout({ segments: { by: 'x-country', values: ['ch'] } }), 'rollout.segments'],
  ['sticky users', { serve: { ...model.serve, stickyBy: 'x-user' } }, 'serve.stickyBy'],
  ...notCaptured,
  ...notLabelled,
  ['half a percent of the requests', monitored({ share: '0.5%' }), 'monitor.capture.share'],
  [
    'a training of 28 days and an hour',
    { train: { ...model.train, compute: { maxRuntime: '673h' } } },
    'train.compute.maxRuntime',
  ],
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
  ['51 variables of an endpoint', { serve: { ...model.serve, environment: variables(51) } }, 'serve.environment'],
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
    'a preparation on spot instances',
    { split: { prepare: { command: ['node', 'prepare.mjs'], compute: { spot: true } } } },
    'split.prepare.compute.spot',
  ],
  [
    'a preparation of ten days',
    { split: { prepare: { command: ['node', 'prepare.mjs'], compute: { maxRuntime: '10d' } } } },
    'split.prepare.compute.maxRuntime',
  ],
  [
    'an evaluation on spot instances',
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
];

test.each(cases)('%s is refused at its place, and alone', (_, changes, path) => {
  expect(problems(changes)).toEqual([expect.stringMatching(new RegExp(`^models\\.fraud\\.${path}: .`))]);
});

test('each limit is broken by a case above, and says where it was read', () => {
  expect(
    untried(
      'aws',
      limits,
      cases.map(([, changes]) => changes),
    ),
  ).toEqual([]);
  for (const { source, because } of limits) expect([source, because]).not.toContain('');
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
  const big = compiledFor('aws', { evaluate: { ...model.evaluate, environment: { NOTE: note } } });

  expect(problemsOf(big).map(({ path, message }) => `${path}: ${message}`)).toEqual([
    expect.stringMatching(/^models: the config has 6\d{6} bytes, and a release on AWS takes 5900000/),
  ]);
});

test('what only concerns an endpoint does not matter to a model that is not served', () => {
  expect(problems({ serve: 'none', rollout: { tick: '90s', strategy: 'shadow' } })).toEqual([]);
});

test('the names of an installation are refused where the bucket of aws could not be called so', () => {
  const named = (project: string) =>
    problemsOf({ ...compiledFor('aws', {}), project, environment: 'prod' }).map(({ path }) => path);

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
