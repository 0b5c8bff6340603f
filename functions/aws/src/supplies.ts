import type { ListFormat } from '@serin/platform/jobs/dataset-list';
import { type Supplies, suppliesOf } from '@serin/platform/jobs/supplies';
import type { Buckets } from './jobs/settings.ts';
import { toolkitStart } from './jobs/toolkit.ts';

/**
 * The objects of a dataset as SageMaker's ManifestFile. SageMaker names objects without versions: one that is overwritten
 * after the dataset was checked reaches the job in its new content. 64 MB are about a million objects.
 *
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
 */
export const manifestFile: ListFormat = {
  name: "SageMaker's manifest file",
  maxBytes: 64_000_000,
  begin: (bucket, folder) => JSON.stringify([{ prefix: `s3://${bucket}/${folder}` }]).slice(0, -1),
  item: (path) => `,${JSON.stringify(path)}`,
  end: ']',
};

export const sageMakerSupplies = (buckets: Buckets): Supplies =>
  suppliesOf(buckets, { start: toolkitStart, list: manifestFile });
