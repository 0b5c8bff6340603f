import { type Bucket, ownBucket } from '@serin/core/ports/bucket';
import { codeArchive, type StartFile } from '../code/archive.ts';
import { type DatasetList, datasetList, type ListFormat, type ManifestSource } from './dataset-list.ts';

/** What a job or a deployment is started with, made in the own bucket from what is stored there under its digest. */
export interface Supplies {
  /** The key of the archive of a code folder. */
  archive(digest: string): Promise<string>;
  /** The list of the files of a dataset. */
  manifest(source: ManifestSource): Promise<DatasetList>;
}

export const suppliesOf = (
  buckets: (name: string) => Bucket,
  { start, list }: { readonly start?: StartFile; readonly list: ListFormat },
): Supplies => ({
  archive: (digest) => codeArchive(digest, buckets(ownBucket), start),
  manifest: (source) => datasetList(source, buckets, list),
});
