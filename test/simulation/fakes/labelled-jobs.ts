import type { Job, Jobs } from '@serin/core/ports/jobs';
import { type JobsOfKey, startOnce, stopOthers, unknownMs } from '@serin/platform/jobs/start-once';
import type { MemoryJobs, ProviderJob } from './jobs.ts';

/** What is kept of a creation before it is asked for, by the clock of the store. */
interface Intent {
  readonly at: number;
}

export interface LabelledOptions {
  readonly provider: MemoryJobs;
  /** The clock of the store, never that of a process. */
  readonly now: () => number;
  readonly unseenMs: (job: ProviderJob) => number;
  /** Makes one call: any of them may get lost, come twice, or land late (a creation within nine minutes). */
  readonly call: <Result>(name: string, apply: () => Result) => Promise<Result>;
  readonly intents: Map<string, Intent>;
}

/** `Jobs` over a provider that takes no key, by the rules of the platform for such a one. */
export function labelledJobs({ provider, now, unseenMs, call, intents }: LabelledOptions): Jobs {
  const keyOf = ({ project, key }: Job): string => JSON.stringify([project, key]);

  const stateOf = ({ stoppedAt, endsAt }: ProviderJob): 'live' | 'ended' | 'stopped' => {
    if (stoppedAt !== undefined) return 'stopped';
    return endsAt <= now() ? 'ended' : 'live';
  };

  const jobsOf = (key: string): JobsOfKey => ({
    list: () =>
      call('jobs.list', () =>
        provider
          .created()
          .filter((job) => keyOf(job.job) === key && now() >= job.createdAt + unseenMs(job))
          .map((job) => ({ id: job.id, createdAt: job.createdAt, state: stateOf(job) })),
      ),
    stop: (id) => call('jobs.stop', () => provider.stop(id)),
  });

  function note(key: string): (() => Promise<void>) | undefined {
    const known = intents.get(key);
    if (known !== undefined && now() - known.at < unknownMs) return undefined;
    const mine = { at: now() };
    intents.set(key, mine);
    return () =>
      call('jobs.forget', () => {
        if (intents.get(key) === mine) intents.delete(key);
      });
  }

  return {
    async start(job) {
      const key = keyOf(job);
      return startOnce(key, {
        ...jobsOf(key),
        now,
        prepare: async () => async () => (await call('jobs.create', () => provider.start(job))).id,
        intend: () => call('jobs.intend', () => note(key)),
      });
    },
    async describe(id) {
      const found = provider.created().find((job) => job.id === id);
      if (found !== undefined) await stopOthers(jobsOf(keyOf(found.job)), id);
      return call('jobs.describe', () => provider.describe(id));
    },
    stop: (id) => call('jobs.stop', () => provider.stop(id)),
  };
}
