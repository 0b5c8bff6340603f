import { Fault } from '@serin/core/base/fault';
import { hyperparameterProblem } from '@serin/core/config/hyperparameters';
import { commandOf as commandIn } from '@serin/core/job-contract/command';
import type { Job } from '@serin/core/ports/jobs';
import type { Layout } from './layout.ts';

/** The command of a job in a container; what it may name: core/job-contract. */
export const commandOf = (job: Job, layout: Layout): readonly string[] =>
  commandIn(job, {
    input(name) {
      const source = Object.hasOwn(job.channels, name) ? job.channels[name] : undefined;
      return source === undefined ? undefined : layout.found(name, source);
    },
    output: (name) => (job.outputs.includes(name) ? layout.outputOf(name) : undefined),
  });

/** A word that a POSIX shell takes as it is. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

export const shellWords = (words: readonly string[]): string => words.map(quoted).join(' ');

/** Refuses at once what no container could be given. */
export function checkJob(job: Job): void {
  const refuse = (why: string, mend: string) => new Fault('invalid', `the job ${job.key} ${why}; ${mend}`);
  if (job.command.length === 0 && (job.code !== undefined || job.image === undefined))
    throw refuse('has no command', 'name one, or an image that has its own');
  if (!(job.maxRuntimeMs > 0)) throw refuse(`may run for ${job.maxRuntimeMs} ms`, 'set compute.maxRuntime');
  const problem = hyperparameterProblem(job.hyperparameters);
  if (problem !== undefined) throw refuse('cannot be given its hyperparameters', problem);
  const names = [...Object.keys(job.channels), ...job.outputs];
  const odd = names.find((name) => !/^[A-Za-z0-9_][\w.-]{0,63}$/.test(name));
  if (odd !== undefined)
    throw refuse(`has a channel or output ${JSON.stringify(odd)}`, 'use letters, digits, _ . and -, 64 at most');
  const reserved = [...Object.keys(job.channels), ...job.outputs].find((name) => name.startsWith('serin-'));
  if (reserved !== undefined) throw refuse(`has a channel or output '${reserved}'`, 'names with serin- are our own');
}
