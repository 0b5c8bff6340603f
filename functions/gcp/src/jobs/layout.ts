import { checkpointsOf } from '@serin/core/job-contract/command';
import type { Job } from '@serin/core/ports/jobs';
import { type Layout, localFolder, mountedLayout } from '@serin/platform/jobs/layout';
import { mounted } from './settings.ts';

/** The places of a job: its folder, and its checkpoints, in the mount of Cloud Storage. */
export function layoutOf(job: Job, bucket: string, folder: string): Layout {
  const kept = checkpointsOf(job);
  return mountedLayout({
    left: mounted(bucket, folder),
    checkpoints: kept === undefined ? `${localFolder}/checkpoints` : mounted(bucket, kept),
  });
}
