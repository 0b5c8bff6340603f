import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the jobs themselves wrote down: a line as each begins and as it ends. */
export interface Executions {
  readonly started: readonly string[];
  readonly ended: ReadonlySet<string>;
}

export function executionsIn(file: string): Executions {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const of = (verb: string) =>
    lines.filter((line) => line.startsWith(`${verb} `)).map((line) => line.slice(verb.length + 1));
  return { started: of('start'), ended: new Set(of('end')) };
}

export const running = ({ started, ended }: Executions): readonly string[] => started.filter((id) => !ended.has(id));

/** Executions beyond the first of one (run, kind, attempt), whatever the platform called them. */
export function ranTwice({ started }: Executions, jobs: string): readonly string[] {
  const once = new Set<string>();
  const keys = started.map((id) => keyOf(join(jobs, id, 'job.json')));
  return keys.filter((key) => once.size === once.add(key).size).map((key) => `the job ${key} was started again`);
}

const keyOf = (file: string): string =>
  (JSON.parse(readFileSync(file, 'utf8')) as { readonly job: { readonly key: string } }).job.key;

/** Jobs that began, wrote no end, and were not stopped by anybody. */
export const lost = (executions: Executions, jobs: string): readonly string[] =>
  running(executions)
    .map((id) => ({ id, exit: join(jobs, id, 'exit.json') }))
    .filter(({ exit }) => !existsSync(exit) || !readFileSync(exit, 'utf8').includes('"stopped"'))
    .map(({ id }) => `the job ${id} began and never ended`);

/** Processes that work in a directory, by what /proc says; none where there is no /proc. */
export function processesIn(directory: string): readonly number[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(
      (pid) => textOf(`/proc/${pid}/environ`).includes(directory) || textOf(`/proc/${pid}/cmdline`).includes(directory),
    )
    .map(Number);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // another user's, or gone
  }
}
