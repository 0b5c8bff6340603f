import { Fault } from '../base/fault.ts';
import { placeholder } from '../base/placeholders.ts';
import type { Job } from '../ports/jobs.ts';

/**
 * What the programs of users already speak, the same on every platform: arguments in the form of SageMaker's toolkit
 * (github.com/aws/sagemaker-training-toolkit: mapping.py) and Azure ML's placeholders here, variables and the file of
 * metrics beside it.
 */

/**
 * `--name value` for each hyperparameter, as SageMaker's toolkit passes them: sorted, one dash before a single letter,
 * and truth as Python writes it.
 */
export const userArguments = ({ hyperparameters }: Pick<Job, 'hyperparameters'>): readonly string[] =>
  Object.entries(hyperparameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => [`${name.length > 1 ? '--' : '-'}${name}`, pythonWords[value] ?? value]);

const pythonWords: Readonly<Record<string, string>> = { true: 'True', false: 'False' };

/** Where a platform puts what a job is given and leaves; `undefined`: there is no such channel or output. */
export interface JobPlaces {
  readonly input: (channel: string) => string | undefined;
  readonly output: (name: string) => string | undefined;
}

/**
 * The command of a job: Azure ML's `${{inputs.x}}` and `${{outputs.y}}` filled in, and for a trainer the arguments.
 * A placeholder that names nothing is `invalid`.
 */
export function commandOf(job: Job, { input, output }: JobPlaces): readonly string[] {
  const own = (name: string) => (Object.hasOwn(job.hyperparameters, name) ? job.hyperparameters[name] : undefined);
  const fill = (whole: string, kind: string, name: string): string => {
    const value = kind === 'inputs' ? (input(name) ?? own(name)) : output(name);
    if (value !== undefined) return value;
    throw new Fault(
      'invalid',
      `the command of ${job.key} names ${whole}, which the job does not have; correct the command`,
    );
  };
  const command = job.command.map((part) => part.replace(placeholder, fill));
  return job.kind === 'train' ? [...command, ...userArguments(job)] : command;
}

/** The script, or the module after `-m`: what SageMaker calls the program. */
export const entryPoint = ({ command }: Pick<Job, 'command'>): string =>
  command.slice(1).find((part) => !part.startsWith('-')) ?? command[0] ?? '';
