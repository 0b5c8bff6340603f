import { durationText } from '@serin/core/base/time';
import type { JobDescription } from '@serin/core/ports/jobs';
import { artifactAt } from '@serin/platform/jobs/artifacts';
import { outputFolder } from '@serin/platform/jobs/layout';
import { metricsAt } from '@serin/platform/jobs/metrics';
import {
  explainedExit,
  failed,
  failureAt,
  noMachineWithin,
  promised,
  ranTooLong,
  stopped,
  succeeded,
  timesOf,
  underWay,
  withWritten,
} from '@serin/platform/jobs/results';
import { saidIn, saidName } from '@serin/platform/jobs/said';
import { type CommandJob, isOver, type RunDetails } from './command-jobs.ts';
import { type Accounts, type Buckets, blobObjects, blobUri, jobFolder } from './settings.ts';

interface Sources {
  readonly buckets: Buckets;
  readonly accounts: Accounts;
  /** As `logEnd` answers it. */
  readonly logEnd: () => Promise<string>;
}

/** A job, and what the history of runs says of it. */
export interface Known {
  readonly job: CommandJob;
  readonly details: RunDetails;
  /** Why the history says nothing. */
  readonly unread?: string;
}

/** What a command job has come to. */
export async function description(known: Known, sources: Sources): Promise<JobDescription> {
  const times = timesOf(dateOf(known.details.startTimeUtc), dateOf(known.details.endTimeUtc));
  switch (known.job.properties.status) {
    case 'Completed':
      return succeeded(times, () => leftBy(known.job, sources));
    case 'Failed':
      if (outOfTime(known)) return failed(times, ranTooLong(limitOf(known.job)));
      return failed(times, (await reasonOf(known, sources)) + (await sources.logEnd()), retryableOf(known));
    case 'Canceled':
      if (outOfTime(known)) return failed(times, ranTooLong(limitOf(known.job)));
      return waitedTooLong(known, endOf(known)) ? failed(times, ...waited(known)) : stopped(times);
    // A run whose machine was taken away is queued again, and one that does not respond may come back.
    case 'Running':
    case 'Finalizing':
    case 'NotResponding':
      return times.startedAt === undefined ? { status: 'running' } : underWay({ startedAt: times.startedAt });
    default:
      return underWay(times.startedAt === undefined ? {} : { startedAt: times.startedAt });
  }
}

async function leftBy({ name, properties }: CommandJob, { buckets, accounts }: Sources) {
  const objects = blobObjects(buckets, accounts);
  const uriOf = (folder: string) => blobUri(accounts.account, accounts.ownContainer, `${jobFolder(name)}/${folder}/`);
  const { outputs } = saidIn(properties.environmentVariables?.[saidName]);
  const places = Object.fromEntries(outputs.map((output) => [output, uriOf(outputFolder(output))]));
  return {
    artifacts: await promised(places, (uri) => artifactAt(uri, objects)),
    measured: await metricsAt(uriOf(outputFolder('output')), objects),
  };
}

/**
 * Whether a job has waited for machines longer than it may, which Azure ML does not bound. One that ran before may wait
 * that long beside the time that it may run.
 */
export function waitedTooLong(known: Known, now: number): boolean {
  const { maxWaitMs } = saidOf(known);
  const created = Date.parse(known.job.systemData?.createdAt ?? '');
  const isWaiting = isOver(known.job) || waiting.has(known.job.properties.status ?? '');
  if (maxWaitMs === undefined || !isWaiting) return false;
  return now - created >= maxWaitMs + (known.details.startTimeUtc === undefined ? 0 : limitOf(known.job));
}

const waiting = new Set(['NotStarted', 'Starting', 'Provisioning', 'Preparing', 'Queued']);

function waited(known: Known): [string, 'capacity' | 'interruption'] {
  const { maxWaitMs = 0 } = saidOf(known);
  if (known.details.startTimeUtc === undefined) return [noMachineWithin(maxWaitMs), 'capacity'];
  const within = durationText(maxWaitMs + limitOf(known.job));
  return [`spot machines were taken away, and it did not end within ${within}`, 'interruption'];
}

const saidOf = ({ job }: Known) => saidIn(job.properties.environmentVariables?.[saidName]);

const dateOf = (time: string | undefined): Date | undefined => (time === undefined ? undefined : new Date(time));

// Azure ML writes durations as it likes: PT3600S, PT1H.
const limitOf = ({ properties }: CommandJob): number => durationMs(properties.limits?.timeout ?? '');

function durationMs(text: string): number {
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] =
    /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text) ?? [];
  return 1000 * (86_400 * Number(days) + 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds));
}

const endOf = ({ job, details }: Known): number => Date.parse(details.endTimeUtc ?? job.systemData?.createdAt ?? '');

// "The max run duration in ISO 8601 format, after which the job will be cancelled.": as which status it then ends is said
// nowhere, so its times decide. https://learn.microsoft.com/rest/api/azureml/jobs/create-or-update#commandjoblimits
function outOfTime(known: Known): boolean {
  const limit = limitOf(known.job);
  const { startTimeUtc } = known.details;
  return startTimeUtc !== undefined && limit > 0 && endOf(known) - Date.parse(startTimeUtc) >= limit;
}

/** What the program wrote into the file `failure` comes first, then what Azure ML says. */
async function reasonOf({ job, details, unread }: Known, { buckets, accounts }: Sources): Promise<string> {
  const place = { bucket: accounts.ownContainer, key: `${jobFolder(job.name)}/output/failure` };
  const said = details.error?.error?.message ?? `Azure ML gives no reason${unread === undefined ? '' : `: ${unread}`}`;
  const [, code] = /exited with (?:status )?code:? (\d+)/i.exec(said) ?? [];
  return withWritten(said + explainedExit(Number(code)), await failureAt(place, buckets));
}

// "AzureMLCompute job failed. PreemptionError: Nodes of this job got pre-empted.", under the code UserError as well
// (microsoft/MLOpsPython#346). What a program printed may stand in other messages.
const preempted = /^\s*AzureMLCompute job failed\.?\s*PreemptionError/i;
const capacity = /out of capacity|AllocationFailed|insufficient capacity|not enough capacity/i;

/** Why Azure ML failed a job, where that is worth another attempt. */
function retryableOf({ details }: Known): JobDescription['retryable'] {
  const { code = '', message = '' } = details.error?.error ?? {};
  if (preempted.test(message)) return 'interruption';
  if (code === 'UserError' || code === '') return undefined;
  if (capacity.test(message)) return details.startTimeUtc === undefined ? 'capacity' : 'interruption';
  // SystemError and ServiceError: nothing that the job itself did.
  return 'interruption';
}
