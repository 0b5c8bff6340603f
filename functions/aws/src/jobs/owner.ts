import { ListTagsCommand, type SageMakerClient } from '@aws-sdk/client-sagemaker';
import { ownPrefix } from '@serin/platform/names';
import { awsFault, saysMissing } from '../faults.ts';
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
    const ResourceArn = `arn:${partition}:sagemaker:${region}:${account}:${api}-job/${name}`;
    try {
      const { Tags = [] } = await sagemaker.send(new ListTagsCommand({ ResourceArn }));
      return Tags.find(({ Key }) => Key === 'serin:model')?.Value;
    } catch (error) {
      if (saysMissing(error)) return undefined;
      throw awsFault(error, `reading the tags of the job ${name}`);
    }
  };
}
