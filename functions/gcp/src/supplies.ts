import type { ListFormat } from '@serin/platform/jobs/dataset-list';
import { type Supplies, suppliesOf } from '@serin/platform/jobs/supplies';
import type { Buckets } from './jobs/settings.ts';

/**
 * The objects of a dataset, for the script that starts a job: where they lie, then the path of each, line by line. The
 * mount of Cloud Storage has no versions, so a job reads the newest content of an object, not the one that was checked.
 */
export const fileList: ListFormat = {
  name: 'a list of files',
  maxBytes: 64_000_000,
  begin: (bucket, folder) => `${bucket}/${folder}\n`,
  item: (path) => `${path}\n`,
  end: '',
};

export const vertexSupplies = (buckets: Buckets): Supplies => suppliesOf(buckets, { list: fileList });
