import { instanceTypes } from '@serin/clouds/gcp/instance-types';
import { type InstanceType, instanceTypeFor } from '@serin/clouds/instance-types';
import type { Job } from '@serin/core/ports/jobs';
import type { MountedInput } from '@serin/platform/jobs/inputs';
import { diskGb, placedIn } from '@serin/platform/jobs/layout';
import { saidName, saidText } from '@serin/platform/jobs/said';
import { labelsOf } from '../names.ts';
import { layoutOf } from './layout.ts';
import { scriptOf } from './script.ts';
import { gsUri, type JobSettings, mounted, startsFolder } from './settings.ts';

/** aiplatform v1: DiskSpec.bootDiskSizeGb, "default is 100GB" */
const leastDiskGb = 100;

export interface Asked {
  readonly request: object;
  /** The script, written before the job is asked for. */
  readonly start: { readonly key: string; readonly text: string };
}

interface Given {
  readonly name: string;
  /** Tells the creations of a job from each other. */
  readonly at: number;
  readonly settings: JobSettings;
  readonly inputs: readonly MountedInput[];
  readonly archive: string | undefined;
}

/**
 * A custom job as Vertex AI is asked for it: its containers run our script, which becomes the command.
 *
 * Each creation has a folder of its own for what it leaves, so that a job that was made twice never mixes its files with
 * those of the other. Vertex AI would run a program up to 20 times in one job. Attempts are counted by Serin, so its
 * retries are switched off.
 * https://docs.cloud.google.com/vertex-ai/docs/training/understanding-training-service
 */
export function requestOf(job: Job, { name, at, settings, inputs, archive }: Given): Asked {
  const { ownBucket, installation, region, kmsKey, network } = settings;
  const folder = `jobs/${name}/${at.toString(36)}`;
  const key = `${startsFolder(name)}/${at.toString(36)}.sh`;
  const machine = instanceTypeFor(instanceTypes, job.kind === 'train' ? 'train' : 'process', job.compute.accelerator);
  const placed = placedIn(layoutOf(job, ownBucket, folder), job, name, region, machine);
  const pool = {
    machineSpec: machineOf(machine),
    diskSpec: { bootDiskSizeGb: Math.max(leastDiskGb, diskGb(inputs)) },
    containerSpec: {
      imageUri: job.image ?? settings.nodeImage,
      command: ['/bin/sh', mounted(ownBucket, key)],
      env: [{ name: saidName, value: saidText(job) }],
    },
  };
  // The first pool has exactly one node. Numbers of 64 bits are text.
  const others = job.compute.nodes > 1 ? [{ ...pool, replicaCount: String(job.compute.nodes - 1) }] : [];
  const request = {
    displayName: name,
    labels: labelsOf(
      { ...installation, project: job.project },
      { serin_key: name, serin_kind: job.kind, serin_model: job.model, serin_run: job.key.replace(/\/.*/s, '') },
    ),
    jobSpec: {
      workerPoolSpecs: [{ ...pool, replicaCount: '1' }, ...others],
      scheduling: {
        timeout: `${Math.ceil(job.maxRuntimeMs / 1000)}s`,
        strategy: job.compute.spot ? 'SPOT' : 'STANDARD',
        restartJobOnWorkerRestart: false,
        disableRetries: true,
      },
      serviceAccount: settings.jobAccount,
      ...(network === undefined ? {} : { network }),
      baseOutputDirectory: { outputUriPrefix: gsUri(ownBucket, folder) },
    },
    ...(kmsKey === undefined ? {} : { encryptionSpec: { kmsKeyName: kmsKey } }),
  };
  return { request, start: { key, text: scriptOf(placed, { settings, inputs, archive }) } };
}

function machineOf({ name, accelerator }: InstanceType): object {
  const { providerType: type, topology } = accelerator ?? {};
  return {
    machineType: name,
    ...(topology === undefined ? {} : { tpuTopology: topology }),
    ...(type === undefined ? {} : { acceleratorType: type, acceleratorCount: accelerator?.count }),
  };
}
