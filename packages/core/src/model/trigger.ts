import type { ModelPlan } from '../config/config.ts';
import { hyperparameterProblem } from '../config/hyperparameters.ts';
import type { Trigger } from './run/protocol.ts';

/**
 * What a trigger may choose, and nothing else: values of hyperparameters, and a build of the image that the config names.
 *
 * Who may start a run need not be one who may release a config, so a trigger never brings a program of its own.
 */

/** Why a plan does not allow what a trigger chooses, or nothing. */
export function triggerProblem(plan: ModelPlan, trigger: Trigger): string | undefined {
  return (
    imageProblem(plan.train.image, trigger.image) ??
    (trigger.hyperparameters === undefined ? undefined : hyperparameterProblem(hyperparametersOf(plan, trigger)))
  );
}

function imageProblem(planned: string | undefined, chosen: string | undefined): string | undefined {
  if (chosen === undefined || chosen === planned) return undefined;
  if (planned === undefined)
    return 'the config has no image for training, so a trigger cannot choose one: leave out image';
  const repository = repositoryOf(planned);
  const build = chosen.startsWith(repository) ? chosen.slice(repository.length) : '';
  return /^(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/.test(build) && build !== ''
    ? undefined
    : `a trigger cannot choose the image '${chosen.slice(0, 200)}': give a tag or a digest of ${repository}, as in the config`;
}

/** `host:5000/team/image:tag@sha256:...` without its tag and digest. */
const repositoryOf = (image: string): string => image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');

/** Those of the config, and over them those that the trigger chose. */
export const hyperparametersOf = (plan: ModelPlan, trigger: Trigger): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(Object.entries(plan.train.hyperparameters).map(([key, value]) => [key, String(value)])),
  ...trigger.hyperparameters,
});
