import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { asFault, Fault } from '@serin/core/base/fault';
import { sha256Hex } from '@serin/core/base/json';
import { hyperparameterProblem } from '@serin/core/config/hyperparameters';
import type { Job } from '@serin/core/ports/jobs';
import { commandOf, trainingEnvironment } from '../training-environment.ts';
import type { Stored } from './record.ts';
import { type Machine, type Placed, treeAt } from './tree.ts';

type Unplaced = Pick<Placed, 'id' | 'job' | 'machine'>;

interface Limits {
  readonly graceMs?: number;
  readonly maxLogBytes?: number;
}

/** What is written down of a job, its command and environment included; `invalid` when this machine cannot run it. */
export function storedOf(root: string, { id, job, machine }: Unplaced, limits: Limits): Stored {
  checkJob(job);
  const placed = placedOf(root, { id, job, machine });
  const tree = treeAt(placed.root);
  return {
    id,
    job,
    command: commandOf(job, tree),
    environment: trainingEnvironment(placed),
    directory: tree.code,
    maxRuntimeMs: job.maxRuntimeMs,
    graceMs: limits.graceMs ?? 30_000,
    maxLogBytes: limits.maxLogBytes ?? 64_000_000,
  };
}

/** Where a job stands below the directory of all jobs. */
export function placedOf(root: string, { id, job, machine }: Unplaced): Placed {
  const tree = join(root, id, 'tree');
  // All attempts of a run share them, so they stand outside of the job's own directory.
  const shared = sha256Hex(`${job.project}/${job.checkpoints ?? ''}`).slice(0, 32);
  const checkpoints = job.checkpoints === undefined ? join(root, id, 'checkpoints') : join(root, 'checkpoints', shared);
  return { id, job, root: tree, checkpoints, machine };
}

function checkJob(job: Job): void {
  const refuse = (why: string, mend: string) => new Fault('invalid', `the job ${job.key} ${why}; ${mend}`);
  if (job.command.length === 0 || job.command[0] === '')
    throw refuse('has no command', 'one machine runs commands, not images');
  if (job.compute.nodes > 1)
    throw refuse(`asks for ${job.compute.nodes} nodes`, 'this is one machine: set compute.nodes to 1');
  if (!(job.maxRuntimeMs > 0)) throw refuse(`may run for ${job.maxRuntimeMs} ms`, 'set compute.maxRuntime');
  const problem = hyperparameterProblem(job.hyperparameters);
  if (problem !== undefined) throw refuse('cannot be given its hyperparameters', problem);
  const names = [...Object.keys(job.channels), ...job.outputs];
  const odd = names.find((name) => !/^[A-Za-z0-9_][\w.-]{0,127}$/.test(name));
  if (odd !== undefined)
    throw refuse(`has a channel or output ${JSON.stringify(odd)}`, 'use letters, digits, _ . and -');
  for (const { name, regex } of job.metrics) {
    try {
      new RegExp(regex, 'gm');
    } catch (error) {
      throw refuse(`finds its metric ${name} by a regex that is none: ${asFault(error).message}`, 'correct it');
    }
  }
}

export function thisMachine(inherited: Readonly<Record<string, string>> = {}): Machine {
  const gpus = '/proc/driver/nvidia/gpus';
  return {
    inherited: { PATH: '/usr/local/bin:/usr/bin:/bin', ...inherited },
    cpus: availableParallelism(),
    gpus: existsSync(gpus) ? readdirSync(gpus).length : 0,
  };
}
