import { Fault } from '@serin/core/base/fault';
import type { Job, Jobs } from '@serin/core/ports/jobs';
import type { MemoryJobs, ProviderJob } from './jobs.ts';

const minute = 60_000;

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

/** So long after a creation was asked for it may still show. */
export const unknownMs = 10 * minute;

/**
 * `Jobs` over a provider that takes no key, as an adapter has to keep its promise: an intent is written before a creation
 * is asked for, and until ten minutes later a job that its label does not find is `unavailable`, for it may still come. The
 * look that a creation relies on follows its intent.
 * Of two jobs the earlier is adopted and the other stopped; each description looks for others again.
 */
export function labelledJobs({ provider, now, unseenMs, call, intents }: LabelledOptions): Jobs {
  const keyOf = ({ project, key }: Job): string => JSON.stringify([project, key]);
  const list = (key: string): Promise<readonly ProviderJob[]> =>
    call('jobs.list', () =>
      provider.created().filter((other) => keyOf(other.job) === key && now() >= other.createdAt + unseenMs(other)),
    );

  async function stopOthers(key: string, kept: string): Promise<void> {
    for (const { id, stoppedAt } of await list(key))
      if (id !== kept && stoppedAt === undefined) await call('jobs.stop', () => provider.stop(id));
  }

  async function adopted(key: string): Promise<{ readonly id: string } | undefined> {
    const [known] = await list(key);
    if (known === undefined) return undefined;
    await stopOthers(key, known.id);
    return { id: known.id };
  }

  function intend(key: string): void {
    const known = intents.get(key);
    if (known !== undefined && now() - known.at < unknownMs)
      throw new Fault('unavailable', `whether ${key} was started is not known yet`);
    intents.set(key, { at: now() });
  }

  return {
    async start(job) {
      const key = keyOf(job);
      const known = await adopted(key);
      if (known !== undefined) return known;
      await call('jobs.intend', () => intend(key));
      // Who was frozen after the first look may come when the job is there, or even over: nobody looks for a second one then.
      const late = await adopted(key);
      if (late !== undefined) return late;
      try {
        return await call('jobs.create', () => provider.start(job));
      } catch (error) {
        // A refusal is an answer: nothing can come of it any more.
        if (error instanceof Fault && error.code !== 'unavailable')
          await call('jobs.forget', () => intents.delete(key));
        throw error;
      }
    },
    async describe(id) {
      const found = provider.created().find((job) => job.id === id);
      if (found !== undefined) await stopOthers(keyOf(found.job), id);
      return call('jobs.describe', () => provider.describe(id));
    },
    stop: (id) => call('jobs.stop', () => provider.stop(id)),
  };
}
