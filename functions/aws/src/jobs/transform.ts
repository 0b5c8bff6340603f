import type {
  CreateModelCommandInput,
  CreateTransformJobRequest,
  DescribeTransformJobResponse,
  TransformInstanceType,
} from '@aws-sdk/client-sagemaker';
import { instanceTypes } from '@serin/clouds/aws/instance-types';
import { instanceTypeFor } from '@serin/clouds/instance-types';
import { Fault } from '@serin/core/base/fault';
import { plainOf } from '@serin/core/base/variables';
import { nothingMeasured } from '@serin/core/job-contract/job-contract';
import type { Job, JobDescription } from '@serin/core/ports/jobs';
import { requestVariables } from './environment.ts';
import type { Input } from './inputs.ts';
import { isArchive } from './layout.ts';
import { retryableOf, succeeded, timesOf } from './results.ts';
import { type Buckets, type JobSettings, jobPrefix, s3Uri } from './settings.ts';
import { hasLocalStorage, jobTags } from './training.ts';

/** botocore: EnvironmentValue. */
const maxVariable = 1024;
/** How the lines of the data are told apart: the hyperparameter `content-type` of the job. */
const byLine = new Set(['text/csv', 'application/jsonlines', 'application/x-ndjson']);

/**
 * A batch transform as SageMaker is asked for it: the image serves the channel `model` (a `model.tar.gz`), the other channel
 * is sent to it, and `output` gets a file `<name>.out` for each. The model of this name stays behind; it costs nothing.
 * Transform knows neither spot nor a time limit: who started it stops it.
 */
export function transformJob(
  job: Job,
  name: string,
  settings: JobSettings,
  inputs: readonly Input[],
  secrets: Readonly<Record<string, string>>,
): { readonly model: CreateModelCommandInput; readonly request: CreateTransformJobRequest } {
  const { key, image, channels, compute, outputs } = job;
  const model = inputs.find((input) => input.name === 'model');
  const [data, ...more] = inputs.filter((input) => input !== model);
  const packed = channels.model !== undefined && isArchive(channels.model);
  if (
    image === undefined ||
    model === undefined ||
    !packed ||
    data === undefined ||
    more.length > 0 ||
    job.code !== undefined
  )
    throw new Fault(
      'invalid',
      `the job ${key} has no command: batch transform then wants an image that serves, no code, a channel 'model' with a model.tar.gz and one other channel`,
    );
  if (outputs.some((output) => output !== 'output'))
    throw new Fault('invalid', `the job ${key} promises ${outputs.join(', ')}; batch transform leaves 'output' alone`);
  const { kmsKey, vpc, jobRole, ownBucket } = settings;
  const machine = instanceTypeFor(instanceTypes, 'transform', compute.accelerator);
  const contentType = job.hyperparameters['content-type'] ?? 'text/csv';
  const own = { ...plainOf(job.environment), ...secrets };
  const lines = byLine.has(contentType);
  return {
    model: {
      ModelName: name,
      ExecutionRoleArn: jobRole,
      PrimaryContainer: {
        Image: image,
        ModelDataUrl: model.uri,
        Environment: requestVariables(job, {}, own, maxVariable),
      },
      ...(vpc === undefined
        ? {}
        : { VpcConfig: { Subnets: [...vpc.subnets], SecurityGroupIds: [...vpc.securityGroups] } }),
      Tags: jobTags(job, settings),
    },
    request: {
      TransformJobName: name,
      ModelName: name,
      TransformInput: {
        DataSource: { S3DataSource: { S3DataType: data.type, S3Uri: data.uri } },
        ContentType: contentType,
        SplitType: lines ? 'Line' : 'None',
      },
      TransformOutput: {
        S3OutputPath: s3Uri(ownBucket, `${jobPrefix(name)}/output`),
        AssembleWith: lines ? 'Line' : 'None',
        ...(kmsKey === undefined ? {} : { KmsKeyId: kmsKey }),
      },
      TransformResources: {
        // The table of machines holds names of this enum alone.
        InstanceType: machine.name as TransformInstanceType,
        InstanceCount: compute.nodes,
        ...(kmsKey === undefined || hasLocalStorage(machine.name) ? {} : { VolumeKmsKeyId: kmsKey }),
      },
      Tags: jobTags(job, settings),
    },
  };
}

/** What a batch transform has come to. `logEnd` is asked for when it failed. */
export async function transformDescription(
  found: DescribeTransformJobResponse,
  buckets: Buckets,
  logEnd: () => Promise<string>,
): Promise<JobDescription> {
  const times = timesOf(found.TransformStartTime, found.TransformEndTime);
  switch (found.TransformJobStatus) {
    case 'Completed':
      return succeeded(
        times,
        { output: `${found.TransformOutput?.S3OutputPath}/` },
        async () => nothingMeasured,
        buckets,
      );
    case 'Failed': {
      const reason = found.FailureReason ?? 'SageMaker gives no reason';
      return { status: 'failed', ...times, reason: reason + (await logEnd()), ...retryableOf(reason) };
    }
    case 'Stopped':
      return { status: 'stopped', ...times, reason: 'stopped on request' };
    default: {
      const { startedAt } = times;
      return startedAt === undefined ? { status: 'starting' } : { status: 'running', startedAt };
    }
  }
}
