import { Fault } from '../base/fault.ts';
import { sha256Hex } from '../base/json.ts';
import { placeholder, placeholderOf, placeholdersIn } from '../base/placeholders.ts';
import type { Job, Source } from '../ports/jobs.ts';

/**
 * What the programs of users already speak, the same on every platform: arguments in the form of SageMaker's toolkit
 * (github.com/aws/sagemaker-training-toolkit: mapping.py) and Azure ML's placeholders here, variables and the file of
 * metrics beside it.
 */

/**
 * `--name value` for each hyperparameter, as SageMaker's toolkit passes them: sorted, one dash before a single letter,
 * and truth as Python writes it. One that a placeholder of the command gives already is not given twice.
 */
export const userArguments = ({
  hyperparameters,
  command,
}: Pick<Job, 'hyperparameters' | 'command'>): readonly string[] =>
  Object.entries(hyperparameters)
    .filter(([name]) => !placeholdersIn(command).some((given) => given.kind === 'inputs' && given.name === name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => [`${name.length > 1 ? '--' : '-'}${name}`, pythonWords[value] ?? value]);

const pythonWords: Readonly<Record<string, string>> = { true: 'True', false: 'False' };

/** Where checkpoints are kept, below what a platform keeps for jobs: equal for all attempts of a run, for ever. */
export const checkpointsOf = ({ project, checkpoints }: Pick<Job, 'project' | 'checkpoints'>): string | undefined =>
  checkpoints === undefined ? undefined : `checkpoints/${sha256Hex(`${project}/${checkpoints}`).slice(0, 32)}`;

/** Where a job finds and leaves its files: folders by their absolute paths. */
export interface Places {
  /** The working directory of the command, and the unpacked code. */
  readonly code: string;
  readonly model: string;
  readonly input: string;
  readonly config: string;
  /** The folder around `outputData`. The file `failure` is written here. */
  readonly output: string;
  /** `metrics.json` is looked for here. */
  readonly outputData: string;
  readonly checkpoints: string;
  /** TensorBoard's. */
  readonly logs: string;
  /** MLflow's, when a script has no tracking server. */
  readonly tracking: string;
  /** Where the command finds the files of a channel. */
  found(channel: string, source: Source): string;
  outputOf(name: string): string;
}

/**
 * The command of a job: its placeholders filled in, and for a trainer the arguments.
 * A placeholder that names nothing is `invalid`.
 */
export function commandOf(job: Job, places: Pick<Places, 'found' | 'outputOf'>): readonly string[] {
  const ofJob = <Value>(values: Readonly<Record<string, Value>>, name: string): Value | undefined =>
    Object.hasOwn(values, name) ? values[name] : undefined;
  const channel = (name: string): string | undefined => {
    const source = ofJob(job.channels, name);
    return source === undefined ? undefined : places.found(name, source);
  };
  const output = (name: string) => (job.outputs.includes(name) ? places.outputOf(name) : undefined);
  const values = {
    inputs: (name: string) => channel(name) ?? ofJob(job.hyperparameters, name),
    outputs: output,
    short: (name: string) => output(name) ?? channel(name),
  };
  const fill = (whole: string, ...groups: readonly (string | undefined)[]): string => {
    const { kind, name } = placeholderOf(...groups.slice(0, 3));
    const value = values[kind](name);
    if (value !== undefined) return value;
    throw new Fault(
      'invalid',
      `the command of ${job.key} refers to ${whole}, which the job does not have; correct the command`,
    );
  };
  const command = job.command.map((part) => part.replace(placeholder, fill));
  return job.kind === 'train' ? [...command, ...userArguments(job)] : command;
}

/** The script, or the module after `-m`: what SageMaker calls the program. */
export const entryPoint = ({ command }: Pick<Job, 'command'>): string =>
  command.slice(1).find((part) => !part.startsWith('-')) ?? command[0] ?? '';
