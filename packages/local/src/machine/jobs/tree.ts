import { join } from 'node:path';
import type { Places } from '@serin/core/job-contract/command';
import type { Job } from '@serin/core/ports/jobs';

/** The part of the machine that a job may know. */
export interface Machine {
  /** PATH, LANG, TZ: all that a job has of the server's environment. */
  readonly inherited: Readonly<Record<string, string>>;
  readonly cpus: number;
  readonly gpus: number;
}

export interface Placed {
  readonly job: Job;
  /** The name of the job on this machine. */
  readonly id: string;
  /** The root of the tree, which stands where `/opt/ml` stands in a SageMaker container. */
  readonly root: string;
  readonly checkpoints: string;
  readonly machine: Machine;
  readonly tracking?: { readonly uri: string; readonly experiment: string };
}

export type Tree = ReturnType<typeof treeAt>;

/** The directories of a job, under the names of SageMaker's `/opt/ml`. */
export function treeAt(root: string) {
  const output = join(root, 'output');
  return {
    root,
    code: join(root, 'code'),
    input: join(root, 'input'),
    config: join(root, 'input', 'config'),
    data: join(root, 'input', 'data'),
    model: join(root, 'model'),
    output,
    outputData: join(output, 'data'),
    intermediate: join(output, 'intermediate'),
    failure: join(output, 'failure'),
    tracking: join(output, 'mlruns'),
    logs: join(output, 'logs'),
    checkpoints: join(root, 'checkpoints'),
    home: join(root, 'home'),
    temporary: join(root, 'tmp'),
  } as const;
}

/** Where a job writes the output of a name. */
export function outputDirectory(tree: Tree, name: string): string {
  if (name === 'model') return tree.model;
  return name === 'output' ? tree.outputData : join(tree.outputData, name);
}

/** A job's places as its script is told of them. */
export function placesOf({ root, checkpoints }: Placed): Places {
  const tree = treeAt(root);
  return {
    ...tree,
    checkpoints,
    found: (channel) => join(tree.data, channel),
    outputOf: (name) => outputDirectory(tree, name),
  };
}
