import type { Places } from '@serin/core/job-contract/command';
import type { PlacedJob } from '@serin/core/job-contract/variables';
import type { Job, Source } from '@serin/core/ports/jobs';

/** The places of a job in a container of a cloud. */
export interface Layout extends Places {
  /** The file whose text the cloud shows as the reason of a failure, if it is not `failure`. */
  readonly exitMessage?: string;
  /** The file in which each of several nodes finds its own name, `algo-<number>`. */
  readonly resourceConfig: string;
  /**
   * Where the files of a channel are brought to; an archive of an artifact is unpacked from there to where it is found.
   */
  channel(name: string): string;
}

export interface Contained extends PlacedJob {
  readonly places: Layout;
}

/** Whether the files of a channel are packed as one archive. */
export const isArchive = (source: Source): boolean =>
  source.kind === 'artifact' && source.artifact.uri.endsWith('.tar.gz');

/** Files of the container itself. A container of any user may write below it. */
export const localFolder = '/tmp/serin';

interface Mounted {
  /** Through a mount to the storage of the cloud: what is written below it is what the job leaves. */
  readonly left: string;
  readonly checkpoints: string;
}

/**
 * The places of a job of a cloud that mounts its storage: what the job leaves is written through the mount at once, what
 * it reads is brought to the container's own disk.
 */
export function mountedLayout({ left, checkpoints }: Mounted): Layout {
  const output = `${left}/output`;
  const channel = (name: string): string => `${localFolder}/input/data/${name}`;
  return {
    code: `${localFolder}/code`,
    model: `${left}/model`,
    input: `${localFolder}/input`,
    config: `${localFolder}/input/config`,
    resourceConfig: `${localFolder}/input/config/resourceconfig.json`,
    output,
    outputData: `${output}/data`,
    checkpoints,
    logs: `${left}/logs`,
    tracking: `${output}/data/mlruns`,
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

/** An instance type of a cloud, as far as a job is told of it. */
interface Computer {
  readonly name: string;
  readonly vcpus: number;
  readonly accelerator?: { readonly count: number };
}

/** A job in a container on such a computer. */
export const placedIn = (places: Layout, job: Job, name: string, region: string, type: Computer): Contained => ({
  ...{ job, name, places },
  computer: {
    ...{ instanceType: type.name, region, network: 'eth0' },
    ...{ cpus: type.vcpus, gpus: type.accelerator?.count ?? 0 },
  },
});

/** Gigabytes of disk: the inputs, twice over for what is unpacked and written, and room for the image's own files. */
export const diskGb = (inputs: readonly { readonly bytes: number }[]): number =>
  30 + Math.ceil((3 * inputs.reduce((sum, { bytes }) => sum + bytes, 0)) / 1e9);
