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
