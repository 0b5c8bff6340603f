import { Fault } from '@serin/core/base/fault';
import { plainOf } from '@serin/core/base/variables';
import type { Job } from '@serin/core/ports/jobs';

type Variables = Readonly<Record<string, string>>;

/** What a cloud takes as the variables of one request, each named as in C. */
export interface VariableLimits {
  /** Who takes them, as an error names it. */
  readonly of: string;
  readonly most: number;
  /** Of the text of one. */
  readonly characters: number;
}

/**
 * The variables as a request can name them: one of a family that it cannot is left out, one of the user's `own` is
 * `invalid`, and its text is never told.
 */
export function requestVariables(
  job: Job,
  variables: Variables,
  own: Variables,
  limits: VariableLimits,
): Record<string, string> {
  const { of, most, characters } = limits;
  const odd = Object.entries(own).find((variable) => !fits(variable, limits));
  const all = Object.entries({ ...variables, ...own }).filter((variable) => fits(variable, limits));
  // Each hyperparameter is an argument as well, and all of them are in SM_HPS.
  const fitting = all.length <= most ? all : all.filter(([name]) => !isOfHyperparameter(name, job));
  if (odd === undefined && fitting.length <= most) return Object.fromEntries(fitting);
  const what = odd === undefined ? `${fitting.length} variables` : `a variable ${odd[0]}`;
  throw new Fault(
    'invalid',
    `the job ${job.key} has ${what}; use at most ${most} on ${of}, named by letters, digits and _, with values of at most ${characters} characters`,
  );
}

const fits = ([name, value]: readonly [string, string], { characters }: VariableLimits): boolean =>
  /^[a-zA-Z_]\w*$/.test(name) && value.length <= characters;
const isOfHyperparameter = (name: string, { environment }: Job): boolean =>
  name.startsWith('SM_HP_') && !Object.hasOwn(environment, name);

/** The user's own, for what runs in a container before the command, as far as a request can name them. */
export const ownVariables = ({ environment }: Job, limits: VariableLimits): Record<string, string> =>
  Object.fromEntries(Object.entries(plainOf(environment)).filter((variable) => fits(variable, limits)));
