import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import { nameTaken, neverStarted } from '@serin/core/job-contract/check';
import type { Job } from '@serin/core/ports/jobs';
import { readJson, syncDirectory, writeJson } from '../durable.ts';
import { isMissing } from '../faults.ts';
import { type Assignment, jobFiles, runnerLives, type Started } from '../runner.ts';

/** What `job.json` holds. */
export interface Stored extends Assignment {
  readonly id: string;
  readonly job: Job;
}

export const resultFile = 'result.json';
/** Tells a stop that was asked for from the SIGTERM of a machine that shuts down. */
export const stopFile = 'stop.json';

/** False when the job is there already. */
export function createJob(root: string, directory: string, stored: Stored): boolean {
  if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined) syncDirectory(root);
  return writeJson(join(directory, jobFiles.assignment), stored, 'create');
}

/** A `defect` when the directory of a job is that of another. */
export function refuseOther(job: Job, stored: Stored | undefined): void {
  if (stored?.job.key === job.key && stored.job.project === job.project) return;
  throw nameTaken(job, stored?.id ?? '', `${stored?.job.project}/${stored?.job.key}`);
}

/** Nothing where no job was created; a `defect` when what is there cannot be read. */
export function readStored(directory: string): Stored | undefined {
  const file = join(directory, jobFiles.assignment);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Stored; // written by `createJob`
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Fault('defect', `the job in ${file} is damaged; restore it from a backup`, { cause: error });
  }
}

/** The job of an id; `notFound` when it was never started here. */
export function existingJob(root: string, id: string): { readonly directory: string; readonly stored: Stored } {
  const directory = join(root, id);
  const stored = /^[0-9a-f]{32}$/.test(id) ? readStored(directory) : undefined;
  if (stored === undefined) throw neverStarted(id);
  return { directory, stored };
}

/** Takes the one start of a job away from its runner; false when the runner, or another end, has it. */
export const endUnbegun = (directory: string, instead: 'stopped' | 'failed', reason: string): boolean =>
  writeJson(join(directory, jobFiles.started), { instead, reason, at: Date.now() } satisfies Started, 'create');

/** Also true of a job whose runner is gone without a word. */
export function hasEnded(directory: string): boolean {
  if (existsSync(join(directory, jobFiles.exit))) return true;
  const started = readJson<Started>(join(directory, jobFiles.started));
  return started !== undefined && ('instead' in started || !runnerLives(directory, started));
}

/** Jobs of whose ending nothing is written yet. */
export const unfinishedIn = (root: string): readonly string[] =>
  readdirSync(root).filter(
    (name) => existsSync(join(root, name, jobFiles.assignment)) && !existsSync(join(root, name, resultFile)),
  );

/** Of restored jobs: those that ran when the backup was written have no runner here, and what still runs is another's. */
export function forgetRunners(root: string): void {
  if (!existsSync(root)) return;
  for (const id of unfinishedIn(root)) {
    const directory = join(root, id);
    rmSync(join(directory, jobFiles.child), { force: true });
    const file = join(directory, jobFiles.started);
    const started = readJson<Started>(file);
    // No process ever began at such a time, also where the machine does not tell starts.
    if (started !== undefined && 'pid' in started)
      writeJson(file, { ...started, start: 'before a restore' }, 'replace');
  }
}
