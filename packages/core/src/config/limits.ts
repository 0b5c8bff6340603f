import type { CompiledConfig, ModelPlan } from './config.ts';
import { type Part, partsOf } from './parts.ts';
import type { ConfigProblem } from './problems.ts';

/** What a platform cannot do with a plan: where the config says it, whether it does, and why it cannot be. */
export interface Limit {
  /** Within the plan of a model: `train.compute.spot`. */
  readonly path: string;
  readonly broken: (plan: ModelPlan) => boolean;
  /** The reason, and what to do instead. */
  readonly because: string;
}

/** The problems of each model, with their places in the whole config. */
export const ofModels = (
  config: CompiledConfig,
  problemsOf: (plan: ModelPlan) => readonly ConfigProblem[],
): readonly ConfigProblem[] =>
  Object.entries(config.models).flatMap(([model, plan]) =>
    problemsOf(plan).map((problem) => ({ ...problem, path: `models.${model}.${problem.path}` })),
  );

/** The limits that a plan breaks, each at its place and with its value. */
export const brokenLimits = (limits: readonly Limit[], plan: ModelPlan): readonly ConfigProblem[] =>
  limits
    .filter(({ broken }) => broken(plan))
    .map(({ path, because }) => {
      const value = valueAt(plan, path);
      return { path, message: because, ...(value === undefined ? {} : { value }) };
    });

/** Is a part of the plan so? A part that the plan does not have is not. */
export const whenPart =
  (path: Part['path'], isSo: (part: Part) => boolean): Limit['broken'] =>
  (plan) =>
    partsOf(plan).some((part) => part.path === path && isSo(part));

/** Times are milliseconds in a compiled config, and text in the author's: they are left out. */
function valueAt(plan: ModelPlan, path: string): unknown {
  const value = path
    .split('.')
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === 'object' && inner !== null ? (inner as Readonly<Record<string, unknown>>)[key] : undefined,
      plan,
    );
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}
