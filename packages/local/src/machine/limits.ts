import type { CompiledConfig } from '@serin/core/config/config';
import { brokenLimits, type Limit, ofModels, whenPart } from '@serin/core/config/limits';
import { jobPathsOf } from '@serin/core/config/parts';
import type { ConfigProblem } from '@serin/core/config/problems';

const limits: readonly Limit[] = jobPathsOf().map((path) => ({
  path: `${path}.compute.nodes`,
  broken: whenPart(path, ({ instances }) => instances > 1),
  because: 'one machine has only 1 node: set nodes to 1',
}));

/** Everything in a config that one machine cannot do, each with its place and the reason. */
export const problemsOf = (config: CompiledConfig): readonly ConfigProblem[] =>
  ofModels(config, (plan) => brokenLimits(limits, plan));
