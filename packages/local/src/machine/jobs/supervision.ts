import { existsSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname, join } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import { type Secrets, secretsOf } from '@serin/core/base/variables';
import type { JobDescription } from '@serin/core/ports/jobs';
import { writeJson } from '../durable.ts';
import { fileFault } from '../faults.ts';
import { jobFiles } from '../runner.ts';
import { placedOf } from './assignment.ts';
import { endHints } from './hints.ts';
import { endUnbegun, existingJob, hasEnded, resultFile } from './record.ts';
import { conclusion } from './results.ts';
import { spawnRunner } from './runner-process.ts';
import { stageTree } from './staging.ts';
import type { Stores } from './stores.ts';
import { type Tracking, trackingSecret } from './tracking.ts';
import type { Machine } from './tree.ts';

interface Options {
  /** The directory of all jobs. */
  readonly root: string;
  /** The file of machine/runner.ts, or of its bundle. */
  readonly runner: string;
  readonly machine: Machine;
  readonly stores: Stores;
  readonly secrets: Secrets;
  readonly tracking: Tracking | undefined;
  /** How often the end of a job is looked for that this process did not spawn. */
  readonly pollMs: number;
  readonly onChange: (id: string) => void;
}

const runnerAttempts = 3;

/** Where Node keeps the runner compiled: where this server is kept, if it is, and there may be one already. */
const compiledIn = (root: string): string => {
  const own = getCompileCacheDir();
  return own === undefined ? join(root, '.compiled') : dirname(own);
};

/** What this process does for jobs behind the answers of the port: staging, spawning, concluding, hinting. */
export function supervision({ root, runner, machine, stores, secrets, tracking, pollMs, onChange }: Options) {
  const hints = endHints({ root, pollMs, onChange });
  const beginning = new Map<string, Promise<void>>();
  const staging = new Map<string, AbortController>();
  const concluding = new Map<string, Promise<JobDescription>>();
  const trouble = new Map<string, string>();
  const runnerFailures = new Map<string, number>();

  async function stageAndSpawn(id: string): Promise<void> {
    const { directory, stored } = existingJob(root, id);
    const started = join(directory, jobFiles.started);
    const abort = new AbortController();
    staging.set(id, abort);
    let secret: Readonly<Record<string, string>> = {};
    try {
      secret = { ...trackingSecret(stored.job, tracking), ...secretsOf(stored.job.environment, secrets) };
      if (!existsSync(started)) {
        const placed = placedOf(root, { id, job: stored.job, machine });
        await stageTree(placed, directory, stores, abort.signal);
      }
    } catch (error) {
      if (abort.signal.aborted) return;
      const fault = error instanceof Fault ? error : fileFault(error, 'staging its files');
      if (fault.retry !== 'never') throw fault;
      if (endUnbegun(directory, 'failed', fault.message)) hints.hint(id);
      return;
    } finally {
      staging.delete(id);
    }
    if (!existsSync(started)) await run(id, directory, secret);
  }

  async function run(id: string, directory: string, secret: Readonly<Record<string, string>>): Promise<void> {
    const why = await spawnRunner({
      runner,
      directory,
      compiled: compiledIn(root),
      inherited: machine.inherited,
      secrets: secret,
      onEnd: () => (hasEnded(directory) ? hints.hint(id) : undefined),
    });
    if (why === undefined) return;
    const failures = (runnerFailures.get(id) ?? 0) + 1;
    runnerFailures.set(id, failures);
    if (failures < runnerAttempts) throw new Fault('unavailable', why);
    if (endUnbegun(directory, 'failed', why)) hints.hint(id);
  }

  return {
    /** Stages and spawns what is not yet, once at a time per job. Refused jobs end as failed; the rest may be tried again. */
    begin(id: string): Promise<void> {
      const under = beginning.get(id);
      if (under !== undefined) return under;
      hints.watch(id);
      const begun = stageAndSpawn(id)
        .then(
          () => void trouble.delete(id),
          (error) => {
            const fault = fileFault(error, `starting the job ${id}`);
            trouble.set(id, fault.message);
            throw fault;
          },
        )
        .finally(() => beginning.delete(id));
      begun.catch(() => {}); // said by the next describe, where nobody waits
      beginning.set(id, begun);
      return begun;
    },

    /** Why the last `begin` of a job failed, until one goes well. */
    troubleOf: (id: string): string | undefined => trouble.get(id),

    /** Ends the staging of a job that was stopped before it began, and hints that it ended. */
    abandon(id: string): void {
      staging.get(id)?.abort();
      hints.hint(id);
    },

    /** Writes down what an ended job came to, once at a time per job. */
    conclude(id: string): Promise<JobDescription> {
      const under = concluding.get(id);
      if (under !== undefined) return under;
      const { directory, stored } = existingJob(root, id);
      const concluded = conclusion(stored, directory, tracking)
        .then((result) => {
          writeJson(join(directory, resultFile), result, 'replace');
          hints.forget(id);
          return result;
        })
        .finally(() => concluding.delete(id));
      concluded.catch(() => {}); // said by the next describe, where nobody waits
      concluding.set(id, concluded);
      return concluded;
    },

    /** Hints once more when a conclusion that goes on behind an answer is there. */
    hintWhenConcluded(id: string): void {
      concluding.get(id)?.then(
        () => onChange(id),
        () => {},
      );
    },

    /** Ends the polling; jobs that run go on. */
    close: hints.close,
  };
}
