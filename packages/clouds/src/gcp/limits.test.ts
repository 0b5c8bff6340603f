import { expect, test } from 'vitest';
import {
  compiledFor,
  judgedByLabels,
  judgedPerformance,
  labelFiles,
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

const cases: readonly (readonly [string, object, string])[] = [
  ...notOnNewClouds,
  ...notCaptured,
  ...notLabelled,
  ['label files that can name no request', { ...monitored({}), ...labelFiles }, 'labels'],
  ['labels of the champion that can name no request', judgedPerformance({}), 'monitor.performance'],
  ['labels that can name no request', { ...monitored({}), ...judgedByLabels() }, 'rollout.guardrails.labels'],
  ['a tick that Cloud Monitoring does not count', rollout({ tick: '90s' }), 'rollout.tick'],
  ['a request of eleven minutes', { serve: { ...model.serve, timeout: '11m' } }, 'serve.timeout'],
  [
    'an endpoint of an image that lies elsewhere',
    { serve: { ...model.serve, image: 'docker.io/acme/fraud:1' } },
    'serve.image',
  ],
  ['a bucket of two letters', { data: { bucket: 'ab' } }, 'data.bucket'],
  ['a bucket called like Google', { data: { bucket: 'my-g00gle-drops' } }, 'data.bucket'],
  ['a bucket that begins with goog', { data: { bucket: 'goog-drops' } }, 'data.bucket'],
  ['a bucket that ends with a hyphen', { data: { bucket: 'drops-' } }, 'data.bucket'],
  [
    'a TPU on two workers',
    { train: { ...model.train, compute: { accelerator: { type: 'TPU-v5e' }, nodes: 2 } } },
    'train.compute.nodes',
  ],
  [
    'a TPU that is to serve',
    { serve: { ...model.serve, compute: { accelerator: { type: 'TPU-v6e' } } } },
    'serve.compute.accelerator',
  ],
  [
    'an accelerator that Google does not have',
    { train: { ...model.train, compute: { accelerator: { type: 'A10' } } } },
    'train.compute.accelerator',
  ],
];
/** Breaks two limits: without captured requests files of labels are refused wherever they lie. */
const labelsInNoBucket = { labels: { bucket: 'labels-', prefix: 'fraud/' } };

test('a config that fits has no problem on gcp', () => {
  expect(problemsOf(compiledFor('gcp', {}))).toEqual([]);
  const named = { ...monitored({ id: 'size' }), ...labelFiles, ...judgedByLabels() };
  expect(problemsOf(compiledFor('gcp', named))).toEqual([]);
  expect(problemsOf(compiledFor('gcp', judgedPerformance({ id: 'size' })))).toEqual([]);
  expect(problemsOf(compiledFor('gcp', { serve: { ...model.serve, image: 'eu.gcr.io/acme/fraud:1' } }))).toEqual([]);
});

test.each(secretsByName)('%s is no problem', (_, changes) => {
  expect(problemsOf(compiledFor('gcp', changes))).toEqual([]);
});

test.each(cases)('%s is refused at its place, and alone', (_, changes, path) => {
  expect(problemsOf(compiledFor('gcp', changes)).map((problem) => problem.path)).toEqual([`models.fraud.${path}`]);
});

test('files of labels without captured requests are refused, and the name of their bucket as well', () => {
  expect(problemsOf(compiledFor('gcp', labelsInNoBucket)).map(({ path }) => path)).toEqual([
    'models.fraud.labels',
    'models.fraud.labels.bucket',
  ]);
});

test('each limit is broken by a case above, and says where it was read', () => {
  expect(untried('gcp', limits, [...cases.map(([, changes]) => changes), labelsInNoBucket])).toEqual([]);
  for (const { source, because } of limits) expect([source, because]).not.toContain('');
});

test('the names of an installation are refused where its bucket could not be called so', () => {
  const named = (project: string, environment = 'prod') =>
    problemsOf({ ...compiledFor('gcp', {}), project, environment }).map(({ path }) => path);

  expect(named('p'.repeat(21))).toEqual([]);
  expect(named('p'.repeat(22))).toEqual(['project']);
  expect(named('shop-')).toEqual(['project']);
  expect(named('shop', 'eu-prod')).toEqual(['environment']);
  expect(named('goog1e')).toEqual(['project']);
});

test('what only concerns an endpoint does not matter to a model that is not served', () => {
  expect(
    problemsOf(compiledFor('gcp', { serve: 'none', rollout: { tick: '90s', strategy: 'shadow', readyWithin: '1m' } })),
  ).toEqual([]);
});
