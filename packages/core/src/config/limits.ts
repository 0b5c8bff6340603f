import type { CompiledConfig, ModelPlan } from './config.ts';
import { type Part, partsOf } from './parts.ts';
import type { ConfigProblem } from './problems.ts';

/** Something that a platform cannot do: where a config asks for it, whether a plan does, and why it is impossible. */
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

/** Whether a part of the plan is so. It is not if the plan has no such part. */
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
