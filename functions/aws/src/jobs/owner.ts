import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { ownPrefix } from '@serin/platform/names';
import { tagsOn } from '../calls/tags.ts';
import type { JobSettings } from './settings.ts';

/**
 * Whose job it is, by the tag that each job of ours carries: one question, however many models there are.
 * `undefined`: none of this installation, or so young that its tags are not shown yet.
 */
export function jobOwners({
  sagemaker,
  installation,
  region,
  jobRole,
}: Pick<JobSettings, 'installation' | 'region' | 'jobRole'> & { readonly sagemaker: SageMakerClient }) {
  // `arn:<partition>:iam::<account>:role/...`
  const [, partition, , , account] = jobRole.split(':');
  return async (job: string): Promise<string | undefined> => {
    const [api, name = ''] = job.split('/');
    if (!name.startsWith(ownPrefix(installation))) return undefined;
    const arn = `arn:${partition}:sagemaker:${region}:${account}:${api}-job/${name}`;
    return (await tagsOn(sagemaker, arn)).get('serin:model');
  };
}
