import { bring, bringer } from '@serin/platform/jobs/bring';
import { shellWords } from '@serin/platform/jobs/command';
import type { MountedInput } from '@serin/platform/jobs/inputs';
import { type Contained, localFolder } from '@serin/platform/jobs/layout';
import { codeChannel, hostFile, startScript } from '@serin/platform/jobs/start-script';
import { secretLines } from './secret-script.ts';
import { type JobSettings, mounted } from './settings.ts';

interface Given {
  readonly settings: JobSettings;
  readonly inputs: readonly MountedInput[];
  /** The key of the code in the own bucket. */
  readonly archive: string | undefined;
}

/**
 * The script that starts a container. It brings the files of each channel from the mount of Cloud Storage to the disk,
 * those of a dataset by their list, and finds out which of several nodes it is.
 *
 * A container that Vertex AI starts once more begins anew: with empty folders, and with the checkpoints that there are.
 */
export function scriptOf(placed: Contained, { settings, inputs, archive }: Given): string {
  const { job, places } = placed;
  const several = job.compute.nodes > 1;
  const code =
    archive === undefined
      ? []
      : bring({ kind: 'file', path: mounted(settings.ownBucket, archive) }, places.channel(codeChannel));
  const begun = [localFolder, ...(several ? [] : [places.model, places.output])];
  return startScript(placed, archive, {
    lines: [
      'unset SERIN_JOB',
      ...secretLines({ of: `the job ${job.key}`, environment: job.environment }, settings),
      `rm -rf ${shellWords(begun)}`,
      `mkdir -p ${shellWords([places.checkpoints, places.logs])}`,
      ...bringer(inputs, '/gcs'),
      ...code,
      ...inputs.flatMap((input) => bring(input, places.channel(input.channel))),
      ...(several ? clusterLines(job.compute.nodes, places.resourceConfig) : []),
    ],
    variables: several ? { MASTER_ADDR: '$first' } : {},
  });
}

/**
 * Which node it is, by CLUSTER_SPEC: the first worker pool has one node, the others are in the second one.
 * https://docs.cloud.google.com/vertex-ai/docs/training/distributed-training#cluster-spec-format
 */
const clusterLines = (nodes: number, resourceConfig: string): readonly string[] => {
  const found = (pattern: string) => `$(printf %s "\${CLUSTER_SPEC-}" | sed -n 's/.*${pattern}.*/\\1/p')`;
  return [
    `first=${found('"workerpool0" *: *\\[ *"\\([^":]*\\)[":]')}`,
    `pool=${found('"type" *: *"workerpool\\([0-9]*\\)"')}`,
    `index=${found('"index" *: *\\([0-9][0-9]*\\)')}`,
    'if [ -z "$first" ] || [ -z "$pool" ] || [ -z "$index" ]; then',
    `  echo "CLUSTER_SPEC does not say which node this is: \${CLUSTER_SPEC-it is not set}" >&2`,
    '  exit 1',
    'fi',
    'if [ "$pool" = 0 ]; then number=1; else number=$((index + 2)); fi',
    ...hostFile(nodes, resourceConfig),
  ];
};
