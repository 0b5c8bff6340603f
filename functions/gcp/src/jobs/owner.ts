import { ownPrefix } from '@serin/platform/names';
import type { Google } from '../calls/google.ts';
import { customJobs } from './custom-jobs.ts';
import type { JobSettings } from './settings.ts';

type Place = Pick<JobSettings, 'installation' | 'googleProject' | 'region'> & { readonly google: Google };

/**
 * The model of a custom job, by its number: one call, for the job has it as a label. `undefined`: the job is none of this
 * installation.
 */
export function jobOwners({ installation, ...place }: Place) {
  const jobs = customJobs(place);
  return async (job: string): Promise<string | undefined> => {
    const labels = await jobs.labelsOf(job);
    return labels.serin_key?.startsWith(ownPrefix(installation)) ? labels.serin_model : undefined;
  };
}
