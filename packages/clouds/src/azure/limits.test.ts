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
  notOnNewClouds,
  rollout,
  secretsByName,
  untried,
} from '../config.fixture.ts';
import { limits, problemsOf } from './limits.ts';

const prepare = { command: ['python3', 'prepare.py'], image };
const runs = (maxRuntime: string, spot = false) => ({ compute: { maxRuntime, spot } });
const trains = (maxRuntime: string, spot = false) => ({
  train: { ...model.train, checkpoints: spot, ...runs(maxRuntime, spot) },
});

const cases: readonly (readonly [string, object, string])[] = [
  ...notOnNewClouds,
  ...notCaptured,
  ...notLabelled,
  [
    '51 instances of a deployment',
    { serve: { ...model.serve, compute: { instances: { min: 1, max: 51 } } } },
    'serve.compute.instances.max',
  ],
  ['a tick in which the requests of Azure ML are not counted', rollout({ tick: '90s' }), 'rollout.tick'],
  ['a request of four minutes', { serve: { ...model.serve, timeout: '4m' } }, 'serve.timeout'],
  ['a training of 22 days', trains('22d'), 'train.compute.maxRuntime'],
  [
    'a preparation of 22 days',
    { split: { prepare: { ...prepare, ...runs('22d') } } },
    'split.prepare.compute.maxRuntime',
  ],
  ['an evaluation of 22 days', { evaluate: { ...model.evaluate, ...runs('22d') } }, 'evaluate.compute.maxRuntime'],
  ['a training of 22 days on spot instances', trains('22d', true), 'train.compute.maxRuntime'],
  ['a training of eight days on spot instances', trains('8d', true), 'train.compute.maxRuntime'],
  [
    'a preparation of eight days on spot instances',
    { split: { prepare: { ...prepare, ...runs('8d', true) } } },
    'split.prepare.compute.maxRuntime',
  ],
  [
    'an evaluation of eight days on spot instances',
    { evaluate: { ...model.evaluate, ...runs('8d', true) } },
    'evaluate.compute.maxRuntime',
  ],
  ['a container with two hyphens', { data: { bucket: 'acme--drops' } }, 'data.bucket'],
  ['a container of two letters', { data: { bucket: 'ab' } }, 'data.bucket'],
  [
    'an accelerator that endpoints do not have',
    { serve: { ...model.serve, compute: { accelerator: { type: 'H200' } } } },
    'serve.compute.accelerator',
  ],
];
/** Breaks two limits: without captured requests files of labels are refused wherever they lie. */
const labelsInNoContainer = { labels: { bucket: 'labels-', prefix: 'fraud/' } };

test('a config that fits has no problem on azure', () => {
  expect(problemsOf(compiledFor('azure', {}))).toEqual([]);
  expect(problemsOf(compiledFor('azure', rollout({ tick: '2m' })))).toEqual([]);
  expect(problemsOf(compiledFor('azure', { ...monitored({}), ...labelFiles, ...judgedByLabels() }))).toEqual([]);
  expect(problemsOf(compiledFor('azure', judgedPerformance({})))).toEqual([]);
  expect(problemsOf(compiledFor('azure', trains('21d')))).toEqual([]);
  expect(problemsOf(compiledFor('azure', trains('7d', true)))).toEqual([]);
  for (const [, changes] of secretsByName) expect(problemsOf(compiledFor('azure', changes))).toEqual([]);
});

test.each(secretsByName)('%s is no problem', (_, changes) => {
  expect(problemsOf(compiledFor('azure', changes))).toEqual([]);
});

test.each(cases)('%s is refused at its place, and alone', (_, changes, path) => {
  expect(problemsOf(compiledFor('azure', changes)).map((problem) => problem.path)).toEqual([`models.fraud.${path}`]);
});

test('files of labels without captured requests are refused, and the name of their container as well', () => {
  expect(problemsOf(compiledFor('azure', labelsInNoContainer)).map(({ path }) => path)).toEqual([
    'models.fraud.labels',
    'models.fraud.labels.bucket',
  ]);
});

test('each limit is broken by a case above, and says where it was read', () => {
  expect(untried('azure', limits, [...cases.map(([, changes]) => changes), labelsInNoContainer])).toEqual([]);
  for (const { source, because } of limits) expect([source, because]).not.toContain('');
});

test('a subscription has a hundred endpoints in a region, and models that are not served need none', () => {
  const names = many(101, (index) => `m${index}`);

  expect(problemsOf(compiledFor('azure', {}, names.slice(1)))).toEqual([]);
  expect(problemsOf(compiledFor('azure', { serve: 'none' }, names))).toEqual([]);
  expect(problemsOf(compiledFor('azure', {}, names))).toEqual([
    { path: 'models', message: expect.stringContaining('101 models are served, but Azure ML has 100 endpoints') },
  ]);
});

test('the names of an installation are refused where its workspace could not be called so', () => {
  const named = (project: string, environment = 'prod') =>
    problemsOf({ ...compiledFor('azure', {}), project, environment }).map(({ path }) => path);

  expect(named('p'.repeat(22))).toEqual([]);
  expect(named('p'.repeat(23))).toEqual(['project']);
  expect(named('shop-')).toEqual(['project']);
  expect(named('shop', 'eu-prod')).toEqual(['environment']);
});
