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
  retryableBy,
  stopped,
  succeeded,
  timesOf,
  underWay,
  withWritten,
} from '@serin/platform/jobs/results';
import { saidIn, saidName } from '@serin/platform/jobs/said';
import { type CustomJob, stateOf } from './custom-jobs.ts';
import { type Buckets, gsObjects, gsPlace } from './settings.ts';

interface Sources {
  readonly buckets: Buckets;
  /** The end of the log, as the end of a sentence. */
  readonly logEnd: () => Promise<string>;
}

/** What a custom job has come to. */
export async function description(job: CustomJob, { buckets, logEnd }: Sources): Promise<JobDescription> {
  const times = timesOf(dateOf(job.startTime), dateOf(job.endTime));
  const objects = gsObjects(buckets);
  switch (stateOf(job)) {
    case 'SUCCEEDED':
      return succeeded(times, async () => ({
        artifacts: await promised(promisedOf(job), (uri) => artifactAt(uri, objects)),
        measured: await metricsAt(`${baseOf(job)}/output/data/`, objects),
      }));
    case 'FAILED':
    case 'EXPIRED':
    case 'PARTIALLY_SUCCEEDED':
      if (outOfTime(job)) return failed(times, ranTooLong(limitOf(job)));
      return failed(times, (await reasonOf(job, buckets)) + (await logEnd()), retryableOf(job));
    case 'CANCELLED':
      if (outOfTime(job)) return failed(times, ranTooLong(limitOf(job)));
      return waitedTooLong(job, endOf(job)) ? failed(times, waited(job), 'capacity') : stopped(times);
    default:
      return underWay(timesOf(dateOf(job.startTime), undefined));
  }
}

/** Whether a job has waited for a machine for longer than it may, which Vertex AI bounds for no strategy that is used. */
export function waitedTooLong(job: CustomJob, now: number): boolean {
  const { maxWaitMs } = saidOf(job);
  return job.startTime === undefined && maxWaitMs !== undefined && now - Date.parse(job.createTime) >= maxWaitMs;
}

const waited = (job: CustomJob): string => noMachineWithin(saidOf(job).maxWaitMs ?? 0);

const saidOf = ({ jobSpec }: CustomJob) =>
  saidIn(jobSpec.workerPoolSpecs[0]?.containerSpec.env?.find(({ name }) => name === saidName)?.value);

const baseOf = ({ jobSpec }: CustomJob): string =>
  (jobSpec.baseOutputDirectory?.outputUriPrefix ?? '').replace(/\/$/, '');

const promisedOf = (job: CustomJob): Readonly<Record<string, string>> =>
  Object.fromEntries(saidOf(job).outputs.map((output) => [output, `${baseOf(job)}/${outputFolder(output)}/`]));

const dateOf = (time: string | undefined): Date | undefined => (time === undefined ? undefined : new Date(time));

const limitOf = ({ jobSpec }: CustomJob): number =>
  1000 * Number((jobSpec.scheduling?.timeout ?? '0s').replace(/s$/, ''));

const endOf = ({ endTime, createTime }: CustomJob): number => Date.parse(endTime ?? createTime);

// In which state a job ends that ran for longer than `timeout` is documented nowhere: only its times are sure.
function outOfTime(job: CustomJob): boolean {
  const limit = limitOf(job);
  return job.startTime !== undefined && limit > 0 && endOf(job) - Date.parse(job.startTime) >= limit;
}

/** What the program wrote into the file `failure` comes first, then what Vertex AI says. */
async function reasonOf(job: CustomJob, buckets: Buckets): Promise<string> {
  const said = explained(job.error?.message ?? 'Vertex AI gives no reason');
  return withWritten(said, await failureAt(gsPlace(`${baseOf(job)}/output/failure`), buckets));
}

// "The replica workerpool0-0 exited with a non-zero status of 1. Termination reason: Error. Traceback ... To find out more
// about why your job exited please check the logs: https://console.cloud.google.com/logs/viewer?..."
// (GoogleCloudPlatform/vertex-ai-samples#1504)
function explained(message: string): string {
  const [, code] = /exited with a non-zero status of (\d+)/.exec(message) ?? [];
  const said = message.replace(/\s*To find out more about why your job exited.*$/s, '');
  return said + explainedExit(Number(code));
}

/** Of codes of `google.rpc.Code`: the program itself failed. */
const invalidArgument = 3;

const retryable = retryableBy({
  // "Resources are insufficient in region: us-central1. Please try a different region or use a different accelerator."
  // (openreview/openreview-expertise#401). STOCKOUT: https://cloud.google.com/vertex-ai/docs/predictions/use-spot-vms
  capacity:
    /stockout|resources are insufficient|insufficient resources|not have enough resources|resource_pool_exhausted/i,
  interruption: /preempt|internal error|service is currently unavailable/i,
});

/** Why Vertex AI failed a job, where that is worth another attempt. A machine that was taken away is told as a lack of them. */
function retryableOf({ error, startTime }: CustomJob): JobDescription['retryable'] {
  const message = error?.message ?? '';
  // What a program printed may stand in the message.
  if (error?.code === invalidArgument || /^The replica /.test(message)) return undefined;
  const found = retryable(message);
  return found === 'capacity' && startTime !== undefined ? 'interruption' : found;
}
