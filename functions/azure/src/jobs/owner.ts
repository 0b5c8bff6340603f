import { ownPrefix } from '@serin/platform/names';
import type { Azure } from '../calls/azure.ts';
import { commandJobs } from './command-jobs.ts';
import type { JobSettings } from './settings.ts';

type Place = Pick<JobSettings, 'installation' | 'subscription' | 'resourceGroup' | 'workspace' | 'region'> & {
  readonly azure: Azure;
};

/** The model of a job, by its name, out of the job's tags. `undefined` for a job of others. */
export function jobOwners({ installation, ...place }: Place) {
  const jobs = commandJobs(place);
  return async (job: string): Promise<string | undefined> =>
    job.startsWith(ownPrefix(installation)) ? (await jobs.tagsOf(job))['serin-model'] : undefined;
}
