import { createHash } from 'node:crypto';
import { Fault } from '@serin/core/base/fault';
import { canonical } from '@serin/core/base/json';
import type { Artifact, Job, JobDescription, Jobs } from '@serin/core/ports/jobs';
import { copyOf, frozen } from './pages.ts';
import type { Sync } from './sync.ts';

/** What becomes of a job: how long it waits for a machine, how long it runs, and how it ends. */
export interface Fate {
  readonly waitMs: number;
  readonly runMs: number;
  readonly status: 'succeeded' | 'failed' | 'stopped';
  readonly reason?: string;
  readonly retryable?: 'interruption' | 'capacity';
  readonly metrics?: Readonly<Record<string, number>>;
}

export interface ProviderJob {
  readonly id: string;
  readonly job: Job;
  readonly fate: Fate;
  readonly createdAt: number;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly stoppedAt?: number;
}

export interface MemoryJobs extends Sync<Jobs> {
  /** Every job that was ever created: each was paid for. */
  created(): readonly ProviderJob[];
  active(): readonly ProviderJob[];
}

export interface JobsOptions {
  readonly now: () => number;
  readonly fateOf: (job: Job) => Fate;
  readonly onCreate?: (job: ProviderJob) => void;
  /** The provider takes a key of its caller's, by which it knows a job again. As a rule it does. */
  readonly keyed?: boolean;
  /** So long after its creation a job is not found by its id, which is no answer yet. */
  readonly unseenMs?: (job: Job) => number;
}

/** What a job has to put its things in order after it was asked to stop. */
const graceMs = 30_000;

/** A provider of paid work in memory: jobs go on by the clock. */
export function memoryJobs({ now, fateOf, onCreate, keyed = true, unseenMs = () => 0 }: JobsOptions): MemoryJobs {
  const jobs = new Map<string, ProviderJob>();
  const byKey = new Map<string, string>();
  const endOf = ({ endsAt, stoppedAt }: ProviderJob): number => Math.min(endsAt, stoppedAt ?? endsAt);
  const seenFrom = new Map<string, number>();
  const find = (id: string): ProviderJob => {
    const job = jobs.get(id);
    if (job === undefined) throw new Fault('notFound', `there is no job '${id}'`);
    return job;
  };
  const seen = (id: string): ProviderJob => {
    const job = find(id);
    if (now() < (seenFrom.get(id) ?? 0)) throw new Fault('unavailable', `the job '${id}' cannot be seen yet`);
    return job;
  };

  return {
    start(job) {
      const key = JSON.stringify([job.project, job.key]);
      const known = keyed ? byKey.get(key) : undefined;
      if (known !== undefined) {
        if (canonical(find(known).job) !== canonical(job))
          throw new Fault('defect', `the name of ${job.key} is taken by another job`);
        return { id: known };
      }
      const fate = fateOf(job);
      const id = createHash('sha256').update(`${key}#${jobs.size}`).digest('hex').slice(0, 16);
      const startsAt = now() + fate.waitMs;
      const created = {
        id,
        job: frozen(copyOf(job)) as unknown as Job,
        fate,
        createdAt: now(),
        startsAt,
        endsAt: startsAt + fate.runMs,
      };
      jobs.set(id, created);
      byKey.set(key, id);
      seenFrom.set(id, now() + unseenMs(job));
      onCreate?.(created);
      return { id };
    },
    describe(id) {
      return describe(seen(id), now(), endOf(find(id)));
    },
    stop(id) {
      const job = seen(id);
      if (endOf(job) > now())
        jobs.set(id, { ...job, stoppedAt: Math.min(job.stoppedAt ?? Number.POSITIVE_INFINITY, now() + graceMs) });
    },
    created: () => [...jobs.values()],
    active: () => [...jobs.values()].filter((job) => endOf(job) > now()),
  };
}

function describe({ job, fate, startsAt, stoppedAt }: ProviderJob, now: number, end: number): JobDescription {
  if (now < end) return now < startsAt ? { status: 'starting' } : { status: 'running', startedAt: startsAt };
  const over = { endedAt: end, ...(end < startsAt ? {} : { startedAt: startsAt }) };
  if (stoppedAt === end) return { ...over, status: 'stopped', reason: 'stopped when asked' };
  if (fate.status !== 'succeeded')
    return {
      ...over,
      status: fate.status,
      reason: fate.reason ?? 'exit code 1',
      ...(fate.retryable === undefined ? {} : { retryable: fate.retryable }),
    };
  const artifacts = Object.fromEntries(job.outputs.map((name) => [name, artifactOf(job, name)]));
  return { ...over, status: 'succeeded', metrics: fate.metrics ?? {}, artifacts };
}

const artifactOf = ({ key }: Job, name: string): Artifact => ({
  uri: `memory:${key}/${name}`,
  digest: createHash('sha256').update(`${key}/${name}`).digest('hex'),
  bytes: 1000,
});
