import { Fault } from '@serin/core/base/fault';
import { plainOf } from '@serin/core/base/variables';
import type { Job } from '@serin/core/ports/jobs';

type Variables = Readonly<Record<string, string>>;

/**
 * The variables as a request can name them: one of a family that it cannot is left out, one of the user's `own` is
 * `invalid`, and its text is never told. The limits are those of botocore: TrainingEnvironmentMap,
 * ProcessingEnvironmentMap, EnvironmentMap.
 */
export function requestVariables(
  job: Job,
  variables: Variables,
  own: Variables,
  maxLength: number,
): Record<string, string> {
  const odd = Object.entries(own).find((variable) => !fits(variable, maxLength));
  const all = Object.entries({ ...variables, ...own }).filter((variable) => fits(variable, maxLength));
  // Each hyperparameter is an argument as well, and all of them are in SM_HPS.
  const fitting = all.length <= maxVariables ? all : all.filter(([name]) => !isOfHyperparameter(name, job));
  if (odd === undefined && fitting.length <= maxVariables) return Object.fromEntries(fitting);
  const what = odd === undefined ? `${fitting.length} variables` : `a variable ${odd[0]}`;
  throw new Fault(
    'invalid',
    `the job ${job.key} has ${what}; SageMaker takes ${maxVariables}, with names of letters, digits and _ and values of at most ${maxLength} characters`,
  );
}

const maxVariables = 100;
const fits = ([name, value]: readonly [string, string], maxLength: number): boolean =>
  /^[a-zA-Z_]\w*$/.test(name) && value.length <= maxLength;
const isOfHyperparameter = (name: string, { environment }: Job): boolean =>
  name.startsWith('SM_HP_') && !Object.hasOwn(environment, name);

/** The user's own, for what runs in a container before the command, as far as a request can name them. */
export const ownVariables = ({ environment }: Job, maxLength: number): Record<string, string> =>
  Object.fromEntries(Object.entries(plainOf(environment)).filter((variable) => fits(variable, maxLength)));
