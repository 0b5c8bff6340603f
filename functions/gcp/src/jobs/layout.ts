import { checkpointsOf } from '@serin/core/job-contract/command';
import type { Job } from '@serin/core/ports/jobs';
import { isArchive, type Layout } from '@serin/platform/jobs/layout';
import { mounted } from './settings.ts';

/** Files of the container itself. A container of any user may write below it. */
export const localFolder = '/tmp/serin';

/**
 * The places of a job: what it leaves is written through the mount to Cloud Storage at once, what it reads is brought
 * to the container's own disk.
 */
export function layoutOf(job: Job, bucket: string, folder: string): Layout {
  const left = mounted(bucket, folder);
  const output = `${left}/output`;
  const outputData = `${output}/data`;
  const kept = checkpointsOf(job);
  const channel = (name: string): string => `${localFolder}/input/data/${name}`;
  return {
    code: `${localFolder}/code`,
    model: `${left}/model`,
    input: `${localFolder}/input`,
    config: `${localFolder}/input/config`,
    resourceConfig: `${localFolder}/input/config/resourceconfig.json`,
    output,
    outputData,
    checkpoints: kept === undefined ? `${localFolder}/checkpoints` : mounted(bucket, kept),
    logs: `${left}/logs`,
    tracking: `${outputData}/mlruns`,
    channel,
    found: (name, source) => (isArchive(source) ? `${localFolder}/unpacked/${name}` : channel(name)),
    outputOf: (name) => `${left}/${outputFolder(name)}`,
  };
}

/** Below the folder of a job: where it writes an output. */
export function outputFolder(name: string): string {
  if (name === 'model') return name;
  return name === 'output' ? 'output/data' : `output/data/${name}`;
}
