import { checkpointsOf } from '@serin/core/job-contract/command';
import type { Job } from '@serin/core/ports/jobs';
import { quoted } from '@serin/platform/jobs/command';
import { type Layout, localFolder, mountedLayout } from '@serin/platform/jobs/layout';
import type { Settings } from '../settings.ts';
import { type Accounts, accountOf, jobFolder } from './settings.ts';

/** Below this folder of a container each mounted storage container is found by its name. */
export const mounts = `${localFolder}/mounts`;

export const mounted = (container: string, key: string): string => `${mounts}/${container}/${key}`;

const left = `${localFolder}/left`;
const kept = `${localFolder}/kept`;

/** The places of a job: its own folder is mounted, and those of all checkpoints. */
export const layoutOf = (job: Job): Layout =>
  mountedLayout({ left, checkpoints: (checkpointsOf(job) ?? `${left}/checkpoints`).replace(/^checkpoints/, kept) });

interface Mount {
  /** Where the container finds it. Azure ML itself chooses another place at each start. */
  readonly at: string;
  /** Names of inputs and outputs are those of variables in Python, which names of containers are not. */
  readonly input?: string;
  readonly output?: string;
  readonly body: object;
}

/**
 * What is mounted: each container that the job reads, read-only, and what it leaves. An input of Azure ML cannot have the
 * name of every channel, and would be the whole folder of a dataset: our script takes the files out of the mounts.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-read-write-data-v2#paths
 */
export function mountsOf(
  job: Job,
  name: string,
  containers: readonly string[],
  { datastore, ...accounts }: Accounts & Pick<Settings, 'datastore'>,
): readonly Mount[] {
  // It has no credentials: the identity of the job counts.
  const output = (at: string, given: string, folder: string): Mount => ({
    at,
    output: given,
    body: {
      jobOutputType: 'uri_folder',
      mode: 'ReadWriteMount',
      uri: `azureml://datastores/${datastore}/paths/${folder}`,
    },
  });
  const inputs = containers.map((container, index): Mount => {
    const uri = `wasbs://${container}@${accountOf(accounts, container)}.blob.core.windows.net/`;
    const body = { jobInputType: 'uri_folder', mode: 'ReadOnlyMount', uri };
    return { at: `${mounts}/${container}`, input: `serin_${index}`, body };
  });
  return [
    ...inputs,
    output(left, 'serin_left', `${jobFolder(name)}/`),
    ...(job.checkpoints === undefined ? [] : [output(kept, 'serin_kept', 'checkpoints/')]),
  ];
}

/** The words by which Azure ML puts the place of a mount into a command. */
export const placeholderOf = ({ input, output }: Mount): string =>
  input === undefined ? `\${{outputs.${output}}}` : `\${{inputs.${input}}}`;

/** Lines of the script that give each mount, one argument for each, its fixed place. */
export const linkLines = (all: readonly Mount[]): readonly string[] => [
  `mkdir -p ${mounts}`,
  ...all.map(({ at }, index) => `ln -sfn "\${${index + 1}%/}" ${quoted(at)}`),
];

/** Mounts by the names that a request has for them. */
export function namedMounts(all: readonly Mount[], kind: 'input' | 'output'): Readonly<Record<string, object>> {
  return Object.fromEntries(
    all.flatMap((mount) => {
      const name = mount[kind];
      return name === undefined ? [] : [[name, mount.body]];
    }),
  );
}
