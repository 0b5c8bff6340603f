import { ownBucket } from '@serin/core/ports/bucket';
import { codeArchive } from '@serin/platform/code/archive';
import { datasetList, type ManifestSource } from '@serin/platform/jobs/dataset-list';
import { manifestFile } from './jobs/manifest-file.ts';
import type { Buckets } from './jobs/settings.ts';
import { toolkitStart } from './jobs/toolkit.ts';

/** What a job or a deployment is started with, made in the own bucket from what is stored there under its digest. */
export interface Supplies {
  /** The key of the archive of a code folder. */
  archive(digest: string): Promise<string>;
  /** The key of SageMaker's list of the files of a dataset, and how much they are. */
  manifest(source: ManifestSource): Promise<{ readonly key: string; readonly bytes: number }>;
}

export const suppliesOf = (buckets: Buckets): Supplies => ({
  archive: (digest) => codeArchive(digest, buckets(ownBucket), toolkitStart),
  manifest: (source) => datasetList(source, buckets, manifestFile),
});
