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
