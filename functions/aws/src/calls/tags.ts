import { ListTagsCommand, type SageMakerClient } from '@aws-sdk/client-sagemaker';
import { ifThere } from '../faults.ts';

/** The tags of a thing of SageMaker's; none where it is not there. Tags of a young thing may not be shown yet. */
export async function tagsOn(
  sagemaker: SageMakerClient,
  arn: string,
): Promise<ReadonlyMap<string | undefined, string | undefined>> {
  const found = await ifThere(`reading the tags of ${arn}`, () =>
    sagemaker.send(new ListTagsCommand({ ResourceArn: arn })),
  );
  return new Map((found?.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
}
