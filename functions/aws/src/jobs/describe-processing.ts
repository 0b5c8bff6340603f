import type { DescribeProcessingJobResponse } from '@aws-sdk/client-sagemaker';
import type { JobDescription } from '@serin/core/ports/jobs';
import { artifactAt } from '@serin/platform/jobs/artifacts';
import { metricsAt } from '@serin/platform/jobs/metrics';
import { failed, promised, ranTooLong, stopped, succeeded, timesOf, underWay } from '@serin/platform/jobs/results';
import { processingLayout } from './layout.ts';
import { metricsOutput } from './processing.ts';
import { retryableOf } from './results.ts';
import { type Buckets, s3Objects } from './settings.ts';

/** What a processing job has come to. `logEnd` is asked for when it failed. */
export async function processingDescription(
  found: DescribeProcessingJobResponse,
  buckets: Buckets,
  logEnd: () => Promise<string>,
): Promise<JobDescription> {
  const objects = s3Objects(buckets);
  const times = timesOf(found.ProcessingStartTime, found.ProcessingEndTime);
  switch (found.ProcessingJobStatus) {
    case 'Completed':
      return succeeded(times, async () => ({
        artifacts: await promised(promisedOf(found), (uri) => artifactAt(uri, objects)),
        measured: await metricsAt(metricsFolder(found), objects),
      }));
    case 'Failed': {
      const reason = [found.FailureReason, found.ExitMessage].filter(Boolean).join(': ') || 'SageMaker gives no reason';
      if (outOfTime(found)) return failed(times, ranTooLong(limitOf(found)));
      return failed(times, reason + (await logEnd()), retryableOf(reason));
    }
    case 'Stopped':
      return outOfTime(found) ? failed(times, ranTooLong(limitOf(found))) : stopped(times);
    default:
      return underWay(times);
  }
}

const limitOf = ({ StoppingCondition }: DescribeProcessingJobResponse): number =>
  (StoppingCondition?.MaxRuntimeInSeconds ?? 0) * 1000;

// Processing has no secondary status: only the clock tells whether a job was stopped by its limit.
function outOfTime(found: DescribeProcessingJobResponse): boolean {
  const { ProcessingStartTime: from, ProcessingEndTime: to } = found;
  const limit = limitOf(found);
  return from !== undefined && to !== undefined && limit > 0 && to.getTime() - from.getTime() >= limit;
}

const outputsOf = ({ ProcessingOutputConfig }: DescribeProcessingJobResponse) => ProcessingOutputConfig?.Outputs ?? [];

const folder = (uri: string | undefined): string => `${uri}/`;

const promisedOf = (found: DescribeProcessingJobResponse): Readonly<Record<string, string>> =>
  Object.fromEntries(
    outputsOf(found)
      .filter(({ OutputName }) => OutputName !== metricsOutput)
      .map(({ OutputName = '', S3Output }) => [OutputName, folder(S3Output?.S3Uri)]),
  );

const metricsFolder = (found: DescribeProcessingJobResponse): string =>
  folder(outputsOf(found).find(({ S3Output }) => S3Output?.LocalPath === processingLayout.outputData)?.S3Output?.S3Uri);
