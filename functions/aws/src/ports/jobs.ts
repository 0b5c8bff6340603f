import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { Fault } from '@serin/core/base/fault';
import { checkJob, nameTaken } from '@serin/core/job-contract/check';
import type { Job, Jobs } from '@serin/core/ports/jobs';
import { notYet } from '@serin/platform/faults';
import type { ProgramSecrets } from '@serin/platform/jobs/program-secrets';
import type { Supplies } from '@serin/platform/jobs/supplies';
import { tagsOn } from '../calls/tags.ts';
import { guarded, messageOfError, nameOfError, saysExists, saysMissing } from '../faults.ts';
import { type ApiOptions, type FoundJob, type JobApi, processingApi, trainingApi } from '../jobs/apis.ts';
import { type Api, jobId, partsOf } from '../jobs/ids.ts';
import { logEnd, logOf } from '../jobs/logs.ts';
import type { Buckets, JobSettings } from '../jobs/settings.ts';
import { jobTags } from '../jobs/training.ts';
import { sageMakerSupplies } from '../supplies.ts';

interface Options extends JobSettings {
  readonly sagemaker: SageMakerClient;
  readonly cloudwatchLogs: CloudWatchLogsClient;
  readonly buckets: Buckets;
  readonly supplies?: Supplies;
  readonly secrets: ProgramSecrets;
}

/**
 * Jobs on SageMaker: `train` is a training job, all else a processing job. The id says which: `training/<name>`.
 *
 * The name follows from project and key, and SageMaker never gives a name twice: that is what makes one paid job of many
 * starts. A job that has the name is adopted when its tags name the same key. Before a job is asked for, its code becomes
 * an archive and its dataset a manifest file in the own bucket. Code, dataset, archive, file and artifacts are compared with
 * their digests then, not when the container reads them.
 */
export function sageMakerJobs({ sagemaker, cloudwatchLogs, buckets, supplies, secrets, ...settings }: Options): Jobs {
  const options: ApiOptions = {
    sagemaker,
    buckets,
    supplies: supplies ?? sageMakerSupplies(buckets),
    secrets,
    settings,
  };
  const apis: Readonly<Record<Api, JobApi>> = {
    training: trainingApi(options),
    processing: processingApi(options),
  };

  async function adopt(job: Job, api: JobApi, name: string): Promise<void> {
    const { arn } = await api.find(name).catch((error: unknown) => {
      if (!saysMissing(error)) throw error;
      throw notYet(`the job ${name} exists, but SageMaker does not show it yet`, error);
    });
    const tags = await tagsOn(sagemaker, arn);
    if (identity(job, settings).every(({ Key, Value }) => tags.get(Key) === Value)) return;
    if (tags.size === 0) throw notYet(`the job ${name} exists, but SageMaker does not show its tags yet`);
    throw nameTaken(job, name, tags.get('serin:key'));
  }

  async function find(id: string): Promise<FoundJob> {
    const { api, name } = partsOf(id);
    return apis[api].find(name);
  }

  return {
    start: (job) =>
      guarded(`starting ${job.key}`, async () => {
        checkJob(job, { images: true, maxName: 64, reserved: 'serin-' });
        const id = jobId(settings.installation, job);
        const { api, name } = partsOf(id);
        try {
          await apis[api].create(job, name);
        } catch (error) {
          if (!saysExists(error)) throw quotaInUse(error) ?? stockImageMissing(error, job) ?? error;
          await adopt(job, apis[api], name);
        }
        return { id };
      }),

    describe: (id) =>
      guarded(`describing the job ${id}`, async () => {
        const { api, name } = partsOf(id);
        const found = await find(id);
        return found.describe(() => logEnd(cloudwatchLogs, logOf(api, name)));
      }),

    stop: (id) =>
      guarded(`stopping the job ${id}`, async () => {
        const { api, name } = partsOf(id);
        try {
          await apis[api].stop(name);
        } catch (error) {
          if (!saysEnded(error)) throw error;
        }
      }),
  };
}

const identity = (job: Job, settings: JobSettings) =>
  jobTags(job, settings).filter(({ Key }) => ['serin:project', 'serin:environment', 'serin:key'].includes(Key));

// "The request was rejected because the training job is in status Completed." (awslabs/benchmark-ai issue 928)
const saysEnded = (error: unknown): boolean =>
  nameOfError(error) === 'ValidationException' && /job is in status/i.test(messageOfError(error));

// "The account-level service limit 'ml.g5.2xlarge for spot training job usage' is 1 Instances, with current utilization of
// 1 Instances and a request delta of 1 Instances.": the quota is large enough, other jobs have it now.
function quotaInUse(error: unknown): Fault | undefined {
  const text = messageOfError(error);
  const [, limit, delta] = /' is (\d+) Instances, .*request delta of (\d+) Instances/.exec(text) ?? [];
  if (nameOfError(error) !== 'ResourceLimitExceeded' || limit === undefined || Number(limit) < Number(delta))
    return undefined;
  return new Fault(
    'throttled',
    `other jobs use up the quota of instances; wait for them, or raise the quota: ${text}`,
    { cause: error },
  );
}

// CreateTrainingJob looks an image up at once: "Cannot find the requested image" (aws/amazon-sagemaker-examples#1476). Ours
// comes through a cache, which the first pull fills.
function stockImageMissing(error: unknown, { image }: Job): Fault | undefined {
  const text = messageOfError(error);
  if (image !== undefined || !/cannot find (the )?requested image/i.test(text)) return undefined;
  const mend =
    'pull it once, with the command that `serin plan --cloud aws` prints under "by hand"; the job waits for it';
  return new Fault('unavailable', `the stock image of Node is not in the registry of the account; ${mend}`, {
    cause: error,
  });
}
