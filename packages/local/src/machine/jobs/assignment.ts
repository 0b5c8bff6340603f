import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { checkJob } from '@serin/core/job-contract/check';
import { checkpointsOf, commandOf } from '@serin/core/job-contract/command';
import { trainingEnvironment } from '../training-environment.ts';
import type { Stored } from './record.ts';
import { type Machine, type Placed, placesOf } from './tree.ts';

type Unplaced = Pick<Placed, 'id' | 'job' | 'machine' | 'tracking'>;

interface Limits {
  readonly graceMs?: number;
  readonly maxLogBytes?: number;
}

/** What is written down of a job, its command and environment included; `invalid` when this machine cannot run it. */
export function storedOf(root: string, unplaced: Unplaced, limits: Limits): Stored {
  const { id, job } = unplaced;
  checkJob(job, { images: false, maxNodes: 1, maxName: 128 });
  const placed = placedOf(root, unplaced);
  const places = placesOf(placed);
  return {
    id,
    job,
    command: commandOf(job, places),
    environment: trainingEnvironment(placed),
    directory: places.code,
    maxRuntimeMs: job.maxRuntimeMs,
    graceMs: limits.graceMs ?? 30_000,
    maxLogBytes: limits.maxLogBytes ?? 64_000_000,
  };
}

/** Where a job stands below the directory of all jobs. */
export function placedOf(root: string, { id, job, ...rest }: Unplaced): Placed {
  const tree = join(root, id, 'tree');
  // All attempts of a run share them, so they stand outside of the job's own directory.
  const shared = checkpointsOf(job);
  const checkpoints = shared === undefined ? join(root, id, 'checkpoints') : join(root, shared);
  return { id, job, root: tree, checkpoints, ...rest };
}

export function thisMachine(inherited: Readonly<Record<string, string>> = {}): Machine {
  const gpus = '/proc/driver/nvidia/gpus';
  return {
    inherited: { PATH: '/usr/local/bin:/usr/bin:/bin', ...inherited },
    cpus: availableParallelism(),
    gpus: existsSync(gpus) ? readdirSync(gpus).length : 0,
  };
}
