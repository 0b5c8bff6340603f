import type { Job } from '@serin/core/ports/jobs';
import { bring, bringer } from '@serin/platform/jobs/bring';
import { shellWords } from '@serin/platform/jobs/command';
import type { MountedInput } from '@serin/platform/jobs/inputs';
import { type Contained, localFolder } from '@serin/platform/jobs/layout';
import { saidName } from '@serin/platform/jobs/said';
import { codeChannel, hostFile, startScript } from '@serin/platform/jobs/start-script';
import { linkLines, mounted, mounts, type mountsOf } from './mounts.ts';
import { secretLines } from './secret-script.ts';
import type { JobSettings } from './settings.ts';

interface Given {
  readonly settings: JobSettings;
  readonly inputs: readonly MountedInput[];
  readonly mounts: ReturnType<typeof mountsOf>;
  /** The key of the code in the own container. */
  readonly archive: string | undefined;
}

/**
 * What a container of a job runs: it gives the mounts their places, and brings the files of each channel from them to the
 * disk, those of a dataset by their list.
 *
 * Azure ML starts a job once more when it took a spot machine away: then nothing is left but the checkpoints.
 */
export function scriptOf(placed: Contained, { settings, inputs, mounts: all, archive }: Given): string {
  const { job, places } = placed;
  const several = job.compute.nodes > 1;
  const path = mounted(settings.ownContainer, archive ?? '');
  const code = archive === undefined ? [] : bring({ kind: 'file', path }, places.channel(codeChannel));
  return startScript(placed, archive, {
    lines: [
      `unset ${[saidName, ...(namesTracking(job) ? ofTracking : [])].join(' ')}`,
      `rm -rf ${localFolder}`,
      ...linkLines(all),
      ...secretLines(
        { of: `the job ${job.key}`, environment: job.environment },
        { ...settings, client: settings.jobClient },
      ),
      ...(several ? [] : [`rm -rf ${shellWords([places.model, places.output])}`]),
      `mkdir -p ${shellWords([places.checkpoints, places.logs])}`,
      ...bringer(inputs, mounts),
      ...code,
      ...inputs.flatMap((input) => bring(input, places.channel(input.channel))),
      ...(several ? nodeLines(job.compute.nodes, places.resourceConfig) : []),
    ],
    variables: {
      ...trackingOf(placed),
      ...(several ? { MASTER_ADDR: '$MASTER_ADDR', MASTER_PORT: '$MASTER_PORT' } : {}),
    },
  });
}

/** The run and the token of Azure ML's tracking server: another server does not know the one, and must not get the other. */
const ofTracking = ['MLFLOW_RUN_ID', 'MLFLOW_EXPERIMENT_ID', 'MLFLOW_TRACKING_TOKEN'];

const namesTracking = ({ environment }: Job): boolean => environment.MLFLOW_TRACKING_URI !== undefined;

/** Azure ML's own tracking server, which it names to each job, unless the job's `environment` names another one. */
function trackingOf({ job, places }: Contained): Readonly<Record<string, string>> {
  const given = {
    MLFLOW_TRACKING_URI: `\${MLFLOW_TRACKING_URI:-file:${places.tracking}}`,
    MLFLOW_EXPERIMENT_NAME: `\${MLFLOW_EXPERIMENT_NAME:-${job.model}}`,
  };
  return Object.fromEntries(Object.entries(given).filter(([name]) => job.environment[name] === undefined));
}

/**
 * Which node it is, by the variables of PyTorch's distribution: one process for each node.
 * https://learn.microsoft.com/azure/machine-learning/how-to-train-distributed-gpu#process-group-initialization
 */
const nodeLines = (nodes: number, resourceConfig: string): readonly string[] => [
  `if [ -z "\${NODE_RANK-}" ] || [ -z "\${MASTER_ADDR-}" ] || [ -z "\${MASTER_PORT-}" ]; then`,
  '  echo "NODE_RANK, MASTER_ADDR and MASTER_PORT do not say which node this is: one of them is not set" >&2',
  '  exit 1',
  'fi',
  'number=$((NODE_RANK + 1))',
  ...hostFile(nodes, resourceConfig),
];
