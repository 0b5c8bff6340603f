import type { Job, Jobs } from '@serin/core/ports/jobs';
import type { MemoryJobs } from './jobs.ts';

interface Options {
  readonly provider: MemoryJobs;
  /** Makes one call: any of them may get lost, come twice, or land late. */
  readonly call: <Result>(name: string, apply: () => Result) => Promise<Result>;
}

/**
 * `Jobs` that are put by a name of ours: a job that is there is looked at before it is put, and before it is cancelled. A job
 * that is not there yet may still come of a PUT that was given up.
 */
export function putJobs({ provider, call }: Options): Jobs {
  const find = ({ project, key }: Job) =>
    provider.created().find(({ job }) => job.project === project && job.key === key)?.id;

  return {
    async start(job) {
      const known = await call('jobs.find', () => find(job));
      return known === undefined ? call('jobs.put', () => provider.start(job)) : { id: known };
    },
    describe: (id) => call('jobs.describe', () => provider.describe(id)),
    async stop(id) {
      await call('jobs.describe', () => provider.describe(id));
      await call('jobs.cancel', () => provider.stop(id));
    },
  };
}
