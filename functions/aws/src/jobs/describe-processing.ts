import type { DescribeProcessingJobResponse } from '@aws-sdk/client-sagemaker';
import type { JobDescription } from '@serin/core/ports/jobs';
import { processingLayout } from './layout.ts';
import { metricsOutput } from './processing.ts';
import { metricsAt, ranTooLong, retryableOf, succeeded, timesOf } from './results.ts';
import type { Buckets } from './settings.ts';

/** What a processing job has come to. `logEnd` is asked for when it failed. */
export async function processingDescription(
  found: DescribeProcessingJobResponse,
  buckets: Buckets,
  logEnd: () => Promise<string>,
): Promise<JobDescription> {
  const times = timesOf(found.ProcessingStartTime, found.ProcessingEndTime);
  switch (found.ProcessingJobStatus) {
    case 'Completed':
      return succeeded(times, promisedOf(found), () => metricsAt(metricsFolder(found), buckets), buckets);
    case 'Failed': {
      const reason = [found.FailureReason, found.ExitMessage].filter(Boolean).join(': ') || 'SageMaker gives no reason';
      if (outOfTime(found)) return { status: 'failed', ...times, reason: ranTooLong(limitOf(found)) };
      return { status: 'failed', ...times, reason: reason + (await logEnd()), ...retryableOf(reason) };
    }
    case 'Stopped':
      if (outOfTime(found)) return { status: 'failed', ...times, reason: ranTooLong(limitOf(found)) };
      return { status: 'stopped', ...times, reason: 'stopped on request' };
    default: {
      const { startedAt } = times;
      return startedAt === undefined ? { status: 'starting' } : { status: 'running', startedAt };
    }
  }
}

const limitOf = ({ StoppingCondition }: DescribeProcessingJobResponse) => StoppingCondition?.MaxRuntimeInSeconds;

// Processing has no secondary status: only the clock tells whether a job was stopped by its limit.
function outOfTime(found: DescribeProcessingJobResponse): boolean {
  const { ProcessingStartTime: from, ProcessingEndTime: to } = found;
  const limit = limitOf(found);
  return from !== undefined && to !== undefined && limit !== undefined && to.getTime() - from.getTime() >= limit * 1000;
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
