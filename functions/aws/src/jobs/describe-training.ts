import type { DescribeTrainingJobResponse } from '@aws-sdk/client-sagemaker';
import { durationText } from '@serin/core/base/time';
import { type Measured, measured, measuredBy } from '@serin/core/job-contract/metrics';
import type { JobDescription } from '@serin/core/ports/jobs';
import { artifactAt, type Objects } from '@serin/platform/jobs/artifacts';
import { metricsAt } from '@serin/platform/jobs/metrics';
import { failed, promised, ranTooLong, stopped, succeeded, type Times, timesOf } from '@serin/platform/jobs/results';
import { retryableOf } from './results.ts';
import { type Buckets, s3Objects } from './settings.ts';

/** Statuses before the command runs, as far as the job has never run before. */
const waiting = new Set([
  'Starting',
  'Pending',
  'LaunchingMLInstances',
  'PreparingTrainingStack',
  'Downloading',
  'DownloadingTrainingImage',
]);

/** What a training job has come to. `logEnd` is asked for when it failed. */
export async function trainingDescription(
  found: DescribeTrainingJobResponse,
  buckets: Buckets,
  logEnd: () => Promise<string>,
): Promise<JobDescription> {
  const objects = s3Objects(buckets);
  const times = timesOf(found.TrainingStartTime, found.TrainingEndTime);
  switch (found.TrainingJobStatus) {
    case 'Completed':
      return succeeded(times, async () => ({
        artifacts: await promised({ model: modelOf(found) }, (uri) => artifactAt(uri, objects)),
        measured: await metricsOf(found, objects),
      }));
    case 'Failed': {
      const reason = found.FailureReason ?? 'SageMaker gives no reason';
      return failed(times, reason + (await logEnd()), retryableOf(reason));
    }
    case 'Stopped':
      return stoppedEarly(found, times);
    case 'Deleting':
      return { status: 'stopped', ...times, reason: 'the training job is being deleted in SageMaker' };
    default:
      return underWay(found, times);
  }
}

// A job that ran out of time is Stopped, not Failed (cloud-facts T15).
function stoppedEarly(found: DescribeTrainingJobResponse, times: Times): JobDescription {
  const { MaxRuntimeInSeconds, MaxWaitTimeInSeconds } = found.StoppingCondition ?? {};
  switch (found.SecondaryStatus) {
    case 'MaxRuntimeExceeded':
      return failed(times, ranTooLong((MaxRuntimeInSeconds ?? 0) * 1000));
    case 'MaxWaitTimeExceeded': {
      const ran = found.TrainingStartTime !== undefined;
      const what = ran ? 'spot machines were taken away, and it did not end' : 'no spot machine was free';
      const within = durationText((MaxWaitTimeInSeconds ?? 0) * 1000);
      return failed(times, `${what} within ${within}`, ran ? 'interruption' : 'capacity');
    }
    default:
      return stopped(times);
  }
}

function underWay(found: DescribeTrainingJobResponse, { startedAt }: Times): JobDescription {
  const began = startedAt === undefined ? {} : { startedAt };
  if (startedAt !== undefined || !waiting.has(found.SecondaryStatus ?? 'Starting'))
    return { status: 'running', ...began };
  // "Insufficient capacity error from EC2 while launching instances, retrying!" is told here alone.
  const reason = found.SecondaryStatusTransitions?.at(-1)?.StatusMessage;
  return { status: 'starting', ...(reason === undefined || reason === '' ? {} : { reason }) };
}

const modelOf = ({ ModelArtifacts, OutputDataConfig, TrainingJobName }: DescribeTrainingJobResponse): string =>
  ModelArtifacts?.S3ModelArtifacts ?? `${OutputDataConfig?.S3OutputPath}/${TrainingJobName}/output/model.tar.gz`;

/** The metrics file first; what it does not name comes from the regexes over the log, as SageMaker found it. */
async function metricsOf(found: DescribeTrainingJobResponse, objects: Objects): Promise<Measured> {
  const inFile = await metricsAt(modelOf(found).replace(/[^/]*$/, 'output.tar.gz'), objects);
  const inLog = (found.FinalMetricDataList ?? []).map(({ MetricName = '', Value }) => [MetricName, Value] as const);
  return measuredBy(inFile, measured(inLog, 'the log'));
}
