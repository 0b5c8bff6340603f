import { asFault, Fault } from '../base/fault.ts';
import { hyperparameterProblem } from '../config/hyperparameters.ts';
import type { Job } from '../ports/jobs.ts';

/** What a platform takes of jobs. */
export interface JobLimits {
  /** Whether an image may bring the command; else a job without a command is refused. */
  readonly images: boolean;
  readonly maxNodes?: number;
  /** Characters in the name of a channel or an output. */
  readonly maxName: number;
  /** Names that begin so are those of the platform. */
  readonly reserved?: string;
}

/** Refuses at once what the platform could never run: `invalid`, with what to change. */
export function checkJob(job: Job, limits: JobLimits): void {
  const refuse = (why: string, mend: string) => new Fault('invalid', `the job ${job.key} ${why}; ${mend}`);
  const { maxNodes, maxName, reserved } = limits;
  if (job.command[0] === '' || (job.command.length === 0 && !bringsCommand(job, limits)))
    throw refuse('has no command', limits.images ? 'name one, or an image that has its own' : 'name one');
  if (maxNodes !== undefined && job.compute.nodes > maxNodes)
    throw refuse(`asks for ${job.compute.nodes} nodes`, `set compute.nodes to ${maxNodes}`);
  if (!(job.maxRuntimeMs > 0)) throw refuse(`may run for ${job.maxRuntimeMs} ms`, 'set compute.maxRuntime');
  const problem = hyperparameterProblem(job.hyperparameters);
  if (problem !== undefined) throw refuse('cannot be given its hyperparameters', problem);
  const names = [...Object.keys(job.channels), ...job.outputs];
  const odd = names.find((name) => !/^[A-Za-z0-9_][\w.-]*$/.test(name) || name.length > maxName);
  if (odd !== undefined)
    throw refuse(
      `has a channel or output ${JSON.stringify(odd)}`,
      `use letters, digits, _ . and -, at most ${maxName}`,
    );
  const taken = reserved === undefined ? undefined : names.find((name) => name.startsWith(reserved));
  if (taken !== undefined)
    throw refuse(
      `has a channel or output '${taken}'`,
      `rename it: the platform keeps names with ${reserved} for itself`,
    );
  for (const { name, regex } of job.metrics) {
    const wrong = regexProblem(regex);
    if (wrong !== undefined)
      throw refuse(`has an invalid regular expression for its metric ${name}: ${wrong}`, 'correct it');
  }
}

const bringsCommand = ({ code, image }: Job, { images }: JobLimits): boolean =>
  images && code === undefined && image !== undefined;

function regexProblem(regex: string): string | undefined {
  try {
    new RegExp(regex, 'gm');
    return undefined;
  } catch (error) {
    return asFault(error).message;
  }
}

/** For `start`, when the name that follows from the key is that of another job. */
export const nameTaken = (
  { project, key }: Pick<Job, 'project' | 'key'>,
  name: string,
  other = 'a job that does not belong to Serin',
): Fault =>
  new Fault(
    'defect',
    `the job ${project}/${key} cannot start: its name ${name} is taken by ${other}; delete that job, or start the run again`,
  );

/** For an id that `start` never answered. */
export const neverStarted = (id: string): Fault =>
  new Fault('notFound', `there is no job ${id}; start the run again, it was never started here`);
