import { compiledConfig } from '@serin/core/config/compiled';
import { type Config, configSchema, parseConfig } from '@serin/core/config/config';
import { modelRules as rules } from '@serin/core/config/rules';
import { answersName } from '@serin/core/drift/answers';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { compiled, modelRules, openWorld } from './world.ts';

/**
 * What an author's config is refused for is refused over HTTP as well, at the same place.
 *
 * Each row: where the problem is, what breaks it in the author's form, and in the compiled one where that differs.
 */
interface Row {
  readonly at: string;
  readonly authors: Changes;
  readonly compiled?: Changes;
}
/** By the place of the field; `undefined` takes it away. */
type Changes = Readonly<Record<string, unknown>>;

const labels = { bucket: 'truth', prefix: 'labels/' };
const second = 1000;
const day = 86_400_000;
const labelsGuardrail = {
  ...{ toleratedRatio: 1, margin: 2, floor: 0.001, maxBurst: 1, dryRun: false, maturity: day, kind: 'wrong' },
  ...{ tolerated: 0, marginLoss: 0.05, missing: 'leftOut' },
};
const guardrail = 'rollout.guardrails';

/** A placeholder in a command. */
const slot = (what: string): string => ['$', '{{', what, '}}'].join('');

const rows: readonly Row[] = [
  { at: 'gate', authors: { gate: undefined, approval: undefined } },
  { at: 'split', authors: { split: undefined } },
  { at: 'evaluate', authors: { evaluate: undefined } },
  { at: 'data.bucket', authors: { 'data.bucket': 'serin' } },
  { at: 'data.settle', authors: { 'data.settle.marker': '_DONE', 'data.settle.manifest': 'm.json' } },
  { at: 'train.compute.spot', authors: { 'train.compute.spot': true } },
  { at: 'serve.compute.instances', authors: { 'serve.compute.instances.min': 5, 'serve.compute.instances.max': 1 } },
  { at: 'rollout.bake', authors: { 'rollout.bake': '1s' }, compiled: { 'rollout.bake': second } },
  {
    at: guardrail,
    authors: { [`${guardrail}.errors.alphaShare`]: 0.6, [`${guardrail}.latency.alphaShare`]: 0.6 },
  },
  { at: `${guardrail}.labels`, authors: { 'rollout.strategy': 'ab' } },
  {
    at: `${guardrail}.labels`,
    authors: { [`${guardrail}.labels`]: {}, 'serve.stickyBy': 'x-user' },
    compiled: { [`${guardrail}.labels`]: labelsGuardrail, 'serve.stickyBy': 'x-user' },
  },
  {
    at: `${guardrail}.labels.kind`,
    authors: { [`${guardrail}.labels`]: { kind: 'loss' }, 'rollout.routing': 'realised' },
  },
  { at: `${guardrail}.labels.missing`, authors: { [`${guardrail}.labels`]: { kind: 'loss', missing: 'worst' } } },
  { at: `${guardrail}.labels.tolerated`, authors: { [`${guardrail}.labels`]: { tolerated: 0.5 } } },
  {
    at: `${guardrail}.labels.maturity`,
    authors: { [`${guardrail}.labels`]: { maturity: '366d' } },
    compiled: { [`${guardrail}.labels`]: { maturity: 366 * day } },
  },
  { at: `${guardrail}.errors.toleratedRatio`, authors: { [`${guardrail}.errors.toleratedRatio`]: 2 } },
  { at: `${guardrail}.errors.margin`, authors: { [`${guardrail}.errors.margin`]: 1.1 } },
  { at: 'rollout.warmUp', authors: { 'rollout.warmUp': 999 } },
  { at: 'rollout.steps', authors: { 'rollout.steps': [50, 5] } },
  { at: 'rollout.tick', authors: { 'rollout.tick': '1500ms' }, compiled: { 'rollout.tick': 1500 } },
  { at: 'data.rescan', authors: { 'data.rescan': '1ms' }, compiled: { 'data.rescan': 1 } },
  { at: 'data.bucket', authors: { 'data.bucket': 'Not A Bucket' } },
  { at: 'gate.auc', authors: { gate: { auc: { direction: 'up' } } } },
  { at: 'on.schedule', authors: { 'on.schedule': { cron: '61 * * * *', zone: 'UTC' } } },
  { at: 'labels.prefix', authors: { labels: { ...labels, bucket: 'drops', prefix: 'fraud/labels/' } } },
  { at: 'labels.prefix', authors: { labels: { ...labels, bucket: 'serin' } } },
  { at: 'labels.prefix', authors: { labels: { ...labels, prefix: '' } } },
  { at: 'train.metrics.0.regex', authors: { 'train.metrics': [{ name: 'acc', regex: 'acc=(' }] } },
  { at: 'train.attempts', authors: { 'train.attempts': 11 } },
  { at: 'train.command', authors: { 'train.command': [] } },
  { at: 'train.hyperparameters', authors: { 'train.hyperparameters': { 'x$(id)': 1 } } },
  { at: 'train.hyperparameters', authors: { 'train.hyperparameters': { note: 'x'.repeat(2501) } } },
  { at: 'train.metrics.0.regex', authors: { 'train.metrics': [{ name: 'acc', regex: 'acc=(' }] } },
  { at: 'train.command', authors: { 'train.command': ['python', 'train.py', slot('inputs.validation')] } },
  { at: 'evaluate.command', authors: { 'evaluate.command': ['python', slot('outputs.model')] } },
  {
    at: 'split',
    authors: { split: { prepare: { command: ['node', slot('inputs.train')] } } },
    compiled: { 'split.command': ['node', slot('inputs.train')] },
  },
  {
    at: 'train.compute.maxRuntime',
    authors: { 'train.compute.maxRuntime': '0s' },
    compiled: { 'train.compute.maxRuntime': 0 },
  },
  { at: 'train.environment.KEY.secret', authors: { 'train.environment': { KEY: { secret: 'Not A Name' } } } },
  { at: 'train.environment.9KEY', authors: { 'train.environment': { '9KEY': 'x' } } },
  { at: 'train.environment.KEY', authors: { 'train.environment': { KEY: 'a\0b' } } },
  { at: 'train.command.1', authors: { 'train.command': ['python', 'a\0b'] } },
  { at: 'serve.command.0', authors: { 'serve.command': ['python\0'] } },
  { at: 'validate.columns', authors: { validate: { columns: { age: { min: 2, max: 1 } } } } },
  { at: 'validate.label', authors: { validate: { checks: { labelRareClass: 'warn' } } } },
  {
    at: 'validate.checks.leakage',
    authors: { validate: { checks: { leakage: 'warn' } }, split: { holdout: { by: 'rows', share: '20%' } } },
    compiled: { validate: { checks: { leakage: 'warn' } } },
  },
  ...['key', 'time'].map((field) => ({
    at: `validate.${field}`,
    authors: { validate: { [field]: 'customer' }, split: { holdout: { by: 'rows', share: '20%' } } },
    compiled: { validate: { [field]: 'customer' } },
  })),
  {
    at: 'monitor.capture',
    authors: { 'monitor.capture': { share: '10%', fields: ['n'] }, serve: 'none' },
  },
  { at: 'monitor.drift', authors: { 'monitor.drift': {} } },
  {
    at: 'monitor.drift.notice',
    authors: { 'monitor.drift': { notice: 0.5, major: 0.1 }, 'monitor.capture': { share: '10%', fields: ['n'] } },
  },
  { at: 'monitor.capture.id', authors: { 'monitor.capture': { share: '10%', fields: ['n'], id: 'order' } } },
  { at: 'monitor.capture.fields', authors: { 'monitor.capture': { share: '10%', fields: [answersName] } } },
  { at: 'monitor.estimate', authors: { 'monitor.estimate': { probability: '/1' } } },
  {
    at: 'monitor.estimate',
    authors: {
      ...{ 'monitor.estimate': { probability: '/1' }, evaluate: undefined, gate: undefined, approval: {} },
      ...{ 'monitor.capture': { share: '10%', fields: ['n'] }, 'monitor.drift': {} },
    },
  },
  { at: 'monitor.performance', authors: { 'monitor.performance': {}, serve: 'none' } },
  {
    at: 'monitor.performance.window',
    authors: { 'monitor.performance': { window: '90s' } },
    compiled: { 'monitor.performance': { window: 90_000 } },
  },
  {
    at: 'monitor.performance.maturity',
    authors: { 'monitor.performance': { maturity: '35d' } },
    compiled: { 'monitor.performance': { maturity: 35 * day } },
  },
  {
    at: 'monitor.performance.prediction',
    authors: { 'monitor.performance': { prediction: '/a' }, [`${guardrail}.labels`]: { prediction: '/b' } },
  },
  { at: 'monitor.performance.positive', authors: { 'monitor.performance': { positive: 'fraud', scale: 10 } } },
  { at: 'monitor.performance.positive', authors: { 'monitor.performance': { positive: true } } },
  {
    at: 'monitor.performance.positive',
    authors: { 'monitor.performance': { positive: 'fraud' }, [`${guardrail}.labels`]: { kind: 'loss' } },
  },
  {
    at: 'monitor.performance.scale',
    authors: { 'monitor.performance': { scale: 10 }, [`${guardrail}.labels`]: { kind: 'loss' } },
  },
  { at: `${guardrail}.labels.scale`, authors: { [`${guardrail}.labels`]: { scale: 10 } } },
  { at: 'colour', authors: { colour: 'red' } },
];

describe('a rule of the config', () => {
  test('about placeholders of a command lets through what the job has', () => {
    const command = ['python', slot('inputs.train'), `--lr=${slot('inputs.lr')}`, slot('outputs.model')];
    const changes = { 'train.command': command, 'train.hyperparameters': { lr: 1 } };
    const evaluate = { 'evaluate.command': ['python', slot('inputs.model'), slot('inputs.holdout')] };
    const split = { split: { prepare: { command: ['node', slot('inputs.data'), slot('outputs.holdout')] } } };

    const fraud = changed(modelRules, { ...changes, ...evaluate, ...split });

    expect(parseConfig({ project: 'shop', models: { fraud } })).toHaveProperty('parsed');
  });

  test.each(rows)('about $at holds at both doors: $authors', async ({ at, authors, ...row }) => {
    const world = await openWorld();
    const authored = parseConfig({ project: 'shop', models: { fraud: changed(modelRules, authors) } });
    const { fraud, churn } = compiled().models;
    const models = { churn, fraud: changed(fraud, row.compiled ?? authors) };

    const { status, body } = await world.call('POST', '/v1/releases', { config: { ...compiled(), models } });

    const places = 'problems' in authored ? authored.problems.map(({ path }) => path) : [];
    expect(places).toContain(`models.fraud.${at}`);
    expect(status).toBe(422);
    const pointers = body.errors.map(({ pointer }: { readonly pointer: string }) => pointer);
    expect(pointers).toContain(`/config/models/fraud/${at.replaceAll('.', '/')}`);
  });

  test('about what one machine can do holds where one machine takes the release', async () => {
    const world = await openWorld();
    const { fraud, churn } = compiled().models;
    const models = { churn, fraud: changed(fraud, { 'train.compute.nodes': 2 }) };

    const { status, body } = await world.call('POST', '/v1/releases', { config: { ...compiled(), models } });

    expect([status, body.errors]).toEqual([
      422,
      [{ pointer: '/config/models/fraud/train/compute/nodes', detail: 'one machine has only 1 node: set nodes to 1' }],
    ]);
  });

  test('between its fields has a row above, each', () => {
    const places = rows.map(({ at }) => at);

    const missing = rules.map(({ path }) => path.join('.')).filter((path) => !places.includes(path));

    expect(missing).toEqual([]);
    expect(rows.length).toBeGreaterThan(rules.length);
  });

  test('that the model is of the project that names it holds over HTTP, where each model says its own', async () => {
    const world = await openWorld();

    const { status, body } = await world.call('POST', '/v1/releases', { config: { ...compiled(), project: 'other' } });

    expect([status, body.errors[0].pointer]).toEqual([422, '/config/models/fraud/project']);
  });
});

test('what the author need not write need not be sent, and has the same default', () => {
  const { fraud } = compiled().models;
  const { rollout, monitor, alerts, ...rest } = Object(fraud);

  const read = compiledConfig.parse({ project: 'shop', models: { fraud: rest } });

  const given = parseConfig({ project: 'shop', models: { fraud: { ...modelRules, rollout: undefined } as never } });
  expect(read.models.fraud?.rollout).toEqual('parsed' in given ? given.parsed.models.fraud?.rollout : {});
  expect([read.environment, read.models.fraud?.alerts]).toEqual(['dev', alerts]);
});

test('both doors have the same fields, but for those that a config is compiled into', () => {
  const fields = (schema: z.ZodType) =>
    new Set(placesIn(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })));
  const [authors, sent] = [fields(configSchema), fields(compiledConfig)];

  const authorsOnly = [...authors].filter((place) => !sent.has(place) && !place.includes('.split.'));
  const sentOnly = [...sent].filter((place) => !authors.has(place) && !place.includes('.split.'));

  expect(sent.size).toBeGreaterThan(90);
  // Sinks are named once, and compiled into each model that they hear of; `$schema` is for editors.
  expect(authorsOnly.filter((place) => !/\.image\.|^notify|^\$schema$/.test(place))).toEqual([]);
  expect(sentOnly.filter((place) => !/\.code\.digest$|\.notify\./.test(place))).toEqual([
    'models.*.project',
    'models.*.notify',
  ]);
});

function changed(model: unknown, changes: Changes): Config['models'][string] {
  const copy = JSON.parse(JSON.stringify(model));
  for (const [place, value] of Object.entries(changes)) {
    const keys = place.split('.');
    const last = keys.pop() ?? '';
    let inside = copy;
    for (const key of keys) inside = inside[key] ??= {};
    inside[last] = value;
  }
  return JSON.parse(JSON.stringify(copy));
}

/** The place of every field of a JSON schema, `*` for any name. */
function placesIn(schema: unknown, place = ''): readonly string[] {
  const { properties, additionalProperties, anyOf, oneOf, allOf } = Object(schema);
  const inside = (key: string, of: unknown) => {
    const at = place === '' ? key : `${place}.${key}`;
    return [at, ...placesIn(of, at)];
  };
  return [
    ...Object.entries(properties ?? {}).flatMap(([key, of]) => inside(key, of)),
    ...(typeof additionalProperties === 'object' ? inside('*', additionalProperties) : []),
    ...[anyOf, oneOf, allOf].flatMap((list) => (list ?? []).flatMap((of: unknown) => placesIn(of, place))),
  ];
}
