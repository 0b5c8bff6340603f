import { ownBucket } from '@serin/core/ports/bucket';
import type { Job } from '@serin/core/ports/jobs';
import { shellWords } from '@serin/platform/jobs/command';
import type { MountedInput } from '@serin/platform/jobs/inputs';
import { placedIn } from '@serin/platform/jobs/layout';
import { saidName, saidText } from '@serin/platform/jobs/said';
import { tagsOf } from '../names.ts';
import type { chosenFor } from './machine.ts';
import { layoutOf, mountsOf, namedMounts, placeholderOf } from './mounts.ts';
import { scriptOf } from './script.ts';
import { type JobSettings, startFolder } from './settings.ts';

export interface Asked {
  readonly request: object;
  /** It must be in the own container when the job begins. */
  readonly start: { readonly key: string; readonly text: string };
}

interface Given {
  readonly name: string;
  readonly settings: JobSettings;
  readonly inputs: readonly MountedInput[];
  readonly archive: string | undefined;
  readonly chosen: Awaited<ReturnType<typeof chosenFor>>;
  readonly environmentId: string;
}

/** A command job as Azure ML is asked for it: its command is our script, whose last line is that of the user. */
export function requestOf(job: Job, { name, settings, inputs, archive, chosen, environmentId }: Given): Asked {
  const { ownContainer, region, jobClient } = settings;
  const containers = new Set([
    ownContainer,
    ...inputs.map(({ bucket }) => (bucket === ownBucket ? ownContainer : bucket)),
  ]);
  const mounts = mountsOf(job, name, [...containers], settings);
  const key = `${startFolder(name)}/start.sh`;
  const placed = placedIn(layoutOf(job), job, name, region, chosen.machine);
  const [own, ...more] = mounts.map(placeholderOf);
  const properties = {
    jobType: 'Command',
    displayName: name,
    experimentName: job.model,
    // The place of the own container is the first argument as well as the way to the script.
    command: `sh ${own}/${shellWords([key])} ${[own, ...more].join(' ')}`,
    environmentId,
    inputs: namedMounts(mounts, 'input'),
    outputs: namedMounts(mounts, 'output'),
    ...chosen.asked,
    ...(job.compute.nodes > 1 ? { distribution: { distributionType: 'PyTorch', processCountPerInstance: 1 } } : {}),
    limits: { jobLimitsType: 'Command', timeout: `PT${Math.ceil(job.maxRuntimeMs / 1000)}S` },
    identity: { identityType: 'Managed', clientId: jobClient },
    environmentVariables: { [saidName]: saidText(job) },
    tags: tagsOfJob(job, settings),
  };
  const text = scriptOf(placed, { settings, inputs, mounts, archive });
  return { request: { properties }, start: { key, text } };
}

/** Those by which a job is known as ours, and by which people find it. */
export const tagsOfJob = (job: Job, { installation }: Pick<JobSettings, 'installation'>) =>
  tagsOf(
    { ...installation, project: job.project },
    {
      'serin-key': job.key,
      'serin-kind': job.kind,
      'serin-model': job.model,
      'serin-run': job.key.replace(/\/.*/s, ''),
    },
  );
