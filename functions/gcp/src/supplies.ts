import { fileList } from '@serin/platform/jobs/bring';
import { type Supplies, suppliesOf } from '@serin/platform/jobs/supplies';
import type { Buckets } from './jobs/settings.ts';

/**
 * The mount of Cloud Storage has no versions, so a job reads the newest content of an object, not the one that was
 * checked.
 */
export const vertexSupplies = (buckets: Buckets): Supplies => suppliesOf(buckets, { list: fileList });
