import { fileList } from '@serin/platform/jobs/bring';
import { type Supplies, suppliesOf } from '@serin/platform/jobs/supplies';
import type { Buckets } from './jobs/settings.ts';

/** A mount of Azure ML shows the newest version of each blob, so that is what a job reads, not the one that was checked. */
export const mlSupplies = (buckets: Buckets): Supplies => suppliesOf(buckets, { list: fileList });
