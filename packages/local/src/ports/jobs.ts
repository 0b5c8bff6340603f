import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '@serin/core/base/json';
import { noSecrets, type Secrets } from '@serin/core/base/variables';
import type { Job, JobDescription, Jobs } from '@serin/core/ports/jobs';
import { readJson, writeJson } from '../machine/durable.ts';
import { fileFault } from '../machine/faults.ts';
import { storedOf, thisMachine } from '../machine/jobs/assignment.ts';
import { readPart } from '../machine/jobs/logs.ts';
import {
  createJob,
  endUnbegun,
  existingJob,
  hasEnded,
  readStored,
  refuseOther,
  resultFile,
  stopFile,
} from '../machine/jobs/record.ts';
import type { Stores } from '../machine/jobs/stores.ts';
import { supervision } from '../machine/jobs/supervision.ts';
import type { Tracking } from '../machine/jobs/tracking.ts';
import { jobFiles, type Started } from '../machine/runner.ts';

export interface LocalJobs extends Jobs {
  /**
   * Bytes of a job's standard output and error from an offset on, as far as they are written. `next` is the offset to
   * go on from; `ended`: nothing comes after it. `notFound` as `describe`.
   */
  logs(id: string, fromByte: number, maxBytes: number): Promise<LogPart>;
  /** Ends the polling; jobs that run go on. Twice: the same as once. */
  close(): void;
}

export interface LogPart {
  readonly content: Uint8Array;
  readonly next: number;
  readonly ended: boolean;
}

interface Options extends Pick<Stores, 'materialise' | 'readObject'> {
  /** One directory per job, for ever: also the artifact store. */
  readonly directory: string;
  /** The file of machine/runner.ts, or of its bundle. */
  readonly runner: string;
  /** How often the end of a job is looked for that this process did not spawn. */
  readonly pollMs?: number;
  /** From SIGTERM to SIGKILL, for a stop and at the time limit. */
  readonly graceMs?: number;
  readonly maxLogBytes?: number;
  /** How long `start` waits for staging and `describe` for hashing before they go on in the background. */
  readonly patienceMs?: number;
  readonly secrets?: Secrets;
  /** Absent: programs that speak MLflow log into a folder of their job. */
  readonly tracking?: Tracking;
  /** PATH, LANG, TZ for the jobs; without a PATH they find what is in the system's usual places. */
  readonly inherited?: Readonly<Record<string, string>>;
  /** A job may have ended: a hint, given once per process; it must not throw. */
  readonly onChange?: (id: string) => void;
}

/** What `start` will answer for a job. */
export const jobId = ({ project, key }: Pick<Job, 'project' | 'key'>): string =>
  sha256Hex(`${project}/${key}`).slice(0, 32);

/**
 * Jobs as child processes of this machine.
 *
 * A job is a directory: `job.json` (created exclusively, so one caller creates), `tree/` (staged aside, then renamed),
 * `started.json` (created exclusively by the runner before it spawns the command, or by a stop), `exit.json`, and
 * `result.json`, the final description. Whatever was cut off is taken up by the next `start` or `describe`; a runner
 * that is spawned a second time finds the start taken and leaves. One process at a time may own the directory.
 *
 * The image of a job is not used; more than one node is `invalid`. No capacity: never said, jobs share the machine.
 */
export function localJobs(options: Options): LocalJobs {
  const { directory: root, patienceMs = 10_000, pollMs = 1000, onChange = () => {} } = options;
  const machine = thisMachine(options.inherited);
  const stores: Stores = { readObject: options.readObject, materialise: options.materialise, artifacts: root };
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const supervised = supervision({
    root,
    runner: options.runner,
    machine,
    stores,
    secrets: options.secrets ?? noSecrets,
    tracking: options.tracking,
    pollMs,
    onChange,
  });

  return {
    start: (job) =>
      guarded(`starting ${job.key}`, async () => {
        const stored = storedOf(root, { id: jobId(job), job, machine, ...trackingOf(job, options.tracking) }, options);
        const directory = join(root, stored.id);
        if (!createJob(root, directory, stored)) refuseOther(job, readStored(directory));
        if (!existsSync(join(directory, jobFiles.started))) await within(patienceMs, supervised.begin(stored.id));
        return { id: stored.id };
      }),

    describe: (id) =>
      guarded(`describing the job ${id}`, async () => {
        const { directory } = existingJob(root, id);
        const result = readJson<JobDescription>(join(directory, resultFile));
        if (result !== undefined) return result;
        const started = readJson<Started>(join(directory, jobFiles.started));
        if (started === undefined) {
          void supervised.begin(id);
          const reason = supervised.troubleOf(id);
          return { status: 'starting', ...(reason === undefined ? {} : { reason: `${reason}; it is tried again` }) };
        }
        if (!hasEnded(directory)) return { status: 'running', startedAt: started.at };
        const concluded = await within(patienceMs, supervised.conclude(id));
        if (concluded !== undefined) return concluded;
        supervised.hintWhenConcluded(id);
        return { status: 'running', startedAt: started.at };
      }),

    stop: (id) =>
      guarded(`stopping the job ${id}`, async () => {
        const { directory } = existingJob(root, id);
        if (endUnbegun(directory, 'stopped', 'stopped on request before it began')) {
          supervised.abandon(id);
          return;
        }
        const started = readJson<Started>(join(directory, jobFiles.started));
        if (started === undefined || 'instead' in started || hasEnded(directory)) return;
        writeJson(join(directory, stopFile), { at: Date.now() }, 'replace');
        signal(started.pid);
      }),

    logs: (id, fromByte, maxBytes) =>
      guarded(`reading the log of the job ${id}`, async () => {
        const { directory } = existingJob(root, id);
        const ended = hasEnded(directory); // before the read, so that nothing is missed behind it
        const content = await readPart(join(directory, jobFiles.log), Math.max(0, fromByte), Math.max(0, maxBytes));
        return { content, next: Math.max(0, fromByte) + content.length, ended: ended && content.length < maxBytes };
      }),

    close: supervised.close,
  };
}

const trackingOf = (job: Job, tracking: Tracking | undefined) =>
  tracking === undefined ? {} : { tracking: { uri: tracking.uri(), experiment: tracking.experimentOf(job) } };

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It ended meanwhile: a stop of a finished job is not an error.
  }
}

/** What the work answers, or `undefined` when it takes longer and goes on. */
async function within<Answer>(ms: number, work: Promise<Answer>): Promise<Answer | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, patience]);
  } finally {
    clearTimeout(timer);
  }
}

async function guarded<Answer>(doing: string, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    throw fileFault(error, doing);
  }
}
