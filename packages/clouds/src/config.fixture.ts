import { type CompiledConfig, compile, parseConfig } from '@serin/core/config/config';
import type { Cloud } from './facts.ts';
import type { CloudLimit } from './limits.ts';

/** An image for each cloud, in a registry that it can serve from. */
export const image = {
  aws: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/fraud:1',
  gcp: 'europe-west4-docker.pkg.dev/acme/ml/fraud:1',
  azure: 'acme.azurecr.io/fraud:1',
};

/** A model that fits every cloud. */
export const model = {
  data: { bucket: 'acme-drops', prefix: 'fraud/' },
  split: { holdout: { by: 'time', column: 'day', last: '20%' } },
  train: { command: ['python3', 'train.py'], image },
  evaluate: { command: ['python3', 'evaluate.py'], image },
  gate: { auc: { direction: 'up', atLeast: 0.8 } },
  serve: { command: ['python3', 'serve.py'], image },
  rollout: { readyWithin: '1h' },
};

/** A config of this model, or of several, with some of its parts replaced. */
export function compiledFor(cloud: Cloud, changes: object, names: readonly string[] = ['fraud']): CompiledConfig {
  const models = Object.fromEntries(names.map((name) => [name, { ...model, ...changes }]));
  const read = parseConfig({ project: 'fraud', environment: 'dev', models });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return compile(read.parsed, new Map([['./src', 'a'.repeat(64)]]), cloud);
}

/** Limits that none of these changes breaks: no test holds them. */
export const untried = (cloud: Cloud, limits: readonly CloudLimit[], changes: readonly object[]) => {
  const plans = changes.flatMap((some) => Object.values(compiledFor(cloud, some).models));
  return limits.filter(({ broken }) => !plans.some(broken)).map(({ path, because }) => `${path}: ${because}`);
};

/** A rollout that is ready in time wherever it is. */
export const rollout = (changes: object) => ({ rollout: { ...model.rollout, ...changes } });

export const many = <Made>(count: number, make: (index: number) => Made): readonly Made[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Variables `V0`, `V1` and so on. */
export const variables = (count: number) => Object.fromEntries(many(count, (index) => [`V${index}`, '']));

/** A model whose requests are captured, and compared. */
export const monitored = (capture: object, drift: object = {}) => ({
  monitor: { capture: { share: '10%', fields: ['size'], ...capture }, drift },
});

/** What no cloud can do with captured requests. */
export const notCaptured: readonly (readonly [string, object, string])[] = [
  ['captured requests that are kept for a month', monitored({ keep: '30d' }), 'monitor.capture.keep'],
  ['a window of 90 minutes', monitored({}, { window: '90m' }), 'monitor.drift.window'],
];

export const labelFiles = { labels: { bucket: 'acme-labels', prefix: 'fraud/' } };

/** A rollout that is judged by labels. */
export const judgedByLabels = (more: object = {}) => rollout({ guardrails: { labels: more } });

/** A model whose captured requests are labelled, for its own sake. */
export const judgedPerformance = (capture: object, performance: object = {}) => ({
  monitor: { ...monitored(capture).monitor, performance },
});

/** Labels without what they need on every cloud. */
export const notLabelled: readonly (readonly [string, object, string])[] = [
  ['labels as a guardrail without captured requests', judgedByLabels(), 'rollout.guardrails.labels'],
  ['labels as files without captured requests', labelFiles, 'labels'],
  ['labels of captured requests that are none', { ...labelFiles, ...monitored({ id: 'size', share: '0%' }) }, 'labels'],
  [
    'labels that come when their request is forgotten',
    { ...judgedByLabels({ maturity: '14d' }), ...monitored({ id: 'size' }) },
    'rollout.guardrails.labels.maturity',
  ],
  ['labels of the champion without captured requests', { monitor: { performance: {} } }, 'monitor.performance'],
  [
    'labels of the champion that come when their request is forgotten',
    judgedPerformance({ id: 'size' }, { maturity: '13d' }),
    'monitor.performance.maturity',
  ],
];

const prepare = { command: ['python3', 'prepare.py'], image };
const environment = { KEY: { secret: 'api-key' } };

/** What neither Google Cloud nor Azure can do: what is tried, the change, and its place. */
export const notOnNewClouds: readonly (readonly [string, object, string])[] = [
  ['a shadow', rollout({ strategy: 'shadow' }), 'rollout.strategy'],
  ['segments', rollout({ segments: { by: 'x-country', values: ['ch'] } }), 'rollout.segments'],
  ['sticky users', { serve: { ...model.serve, stickyBy: 'x-user' } }, 'serve.stickyBy'],
  ['metrics in the log', { train: { ...model.train, metrics: [{ name: 'auc', regex: 'x' }] } }, 'train.metrics'],
  ['a deployment that must be ready in 15 minutes', { rollout: {} }, 'rollout.readyWithin'],
  ['a Python program without an image', { train: { command: ['python3', 'train.py'] } }, 'train.image'],
  ['an endpoint without an image', { serve: { command: ['node', 'serve.mjs'] } }, 'serve.image'],
];

/** Secrets that a config names, in each part that has variables. */
export const secretsByName: readonly (readonly [string, object, string])[] = [
  ['a secret of a training', { train: { ...model.train, environment } }, 'train.environment'],
  ['a secret of a preparation', { split: { prepare: { ...prepare, environment } } }, 'split.prepare.environment'],
  ['a secret of an evaluation', { evaluate: { ...model.evaluate, environment } }, 'evaluate.environment'],
  ['a secret of an endpoint', { serve: { ...model.serve, environment } }, 'serve.environment'],
];
