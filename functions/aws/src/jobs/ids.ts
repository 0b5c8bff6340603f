import { neverStarted } from '@serin/core/job-contract/check';
import type { Job } from '@serin/core/ports/jobs';
import type { Installation } from '@serin/platform/names';
import { jobName } from './settings.ts';

/** Which of SageMaker's jobs it is. */
export type Api = 'training' | 'processing';

/** The id under which `start` answers a job: known before it is started. */
export function jobId(installation: Installation, job: Pick<Job, 'project' | 'key' | 'kind'>): string {
  const api: Api = job.kind === 'train' ? 'training' : 'processing';
  return `${api}/${jobName(installation, job)}`;
}

export function partsOf(id: string): { readonly api: Api; readonly name: string } {
  // botocore: TrainingJobName, ProcessingJobName
  const [, api, name] = /^(training|processing)\/([a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62})$/.exec(id) ?? [];
  if (api === undefined || name === undefined) throw neverStarted(id);
  return { api: api as Api, name };
}
