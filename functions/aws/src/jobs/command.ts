import { Fault } from '@serin/core/fault';
import type { Job } from '@serin/core/ports';
import type { Layout } from './layout.ts';

/** `--name value` for each hyperparameter, as SageMaker's toolkit passes them: sorted, one dash before a single letter. */
export const userArguments = (job: Job): readonly string[] =>
  Object.entries(job.hyperparameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => [`${name.length > 1 ? '--' : '-'}${name}`, value]);

/**
 * The command of a job: Azure ML's `${{inputs.x}}` and `${{outputs.y}}` filled in, and for a trainer the arguments.
 * A placeholder that names nothing is `invalid`.
 */
export function commandOf(job: Job, layout: Layout): readonly string[] {
  const fill = (whole: string, kind: string, name: string): string => {
    const value = kind === 'inputs' ? inputOf(job, layout, name) : outputOf(job, layout, name);
    if (value !== undefined) return value;
    throw new Fault(
      'invalid',
      `the command of ${job.key} names ${whole}, which the job does not have; correct the command`,
    );
  };
  const command = job.command.map((part) => part.replace(/\$\{\{\s*(inputs|outputs)\.([\w.-]+)\s*\}\}/g, fill));
  return job.kind === 'train' ? [...command, ...userArguments(job)] : command;
}

function inputOf({ channels, hyperparameters }: Job, layout: Layout, name: string): string | undefined {
  const source = Object.hasOwn(channels, name) ? channels[name] : undefined;
  if (source !== undefined) return layout.found(name, source);
  return Object.hasOwn(hyperparameters, name) ? hyperparameters[name] : undefined;
}

const outputOf = (job: Job, layout: Layout, name: string): string | undefined =>
  job.outputs.includes(name) ? layout.outputOf(name) : undefined;

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
  const names = [...Object.keys(job.channels), ...job.outputs, ...Object.keys(job.hyperparameters)];
  const odd = names.find((name) => !/^[A-Za-z0-9_][\w.-]{0,63}$/.test(name));
  if (odd !== undefined)
    throw refuse(
      `has a channel, output or hyperparameter ${JSON.stringify(odd)}`,
      'use letters, digits, _ . and -, 64 at most',
    );
  const reserved = [...Object.keys(job.channels), ...job.outputs].find((name) => name.startsWith('serin-'));
  if (reserved !== undefined) throw refuse(`has a channel or output '${reserved}'`, 'names with serin- are our own');
}
