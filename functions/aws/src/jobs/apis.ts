import {
  CreateProcessingJobCommand,
  CreateTrainingJobCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  type SageMakerClient,
  StopProcessingJobCommand,
  StopTrainingJobCommand,
} from '@aws-sdk/client-sagemaker';
import { ownBucket } from '@serin/core/ports/bucket';
import type { Job, JobDescription } from '@serin/core/ports/jobs';
import type { ProgramSecrets } from '@serin/platform/jobs/program-secrets';
import type { Supplies } from '@serin/platform/jobs/supplies';
import { concealing } from '../program-secrets.ts';
import { processingDescription } from './describe-processing.ts';
import { trainingDescription } from './describe-training.ts';
import { type Asked, type Input, inputsOf } from './inputs.ts';
import { processingJob } from './processing.ts';
import type { Buckets, JobSettings } from './settings.ts';
import { trainingJob } from './training.ts';

/** One of SageMaker's kinds of jobs; the methods throw what the SDK throws. */
export interface JobApi {
  /** Brings what the job needs into the own bucket, then asks for it. */
  create(job: Job, name: string): Promise<void>;
  find(name: string): Promise<FoundJob>;
  stop(name: string): Promise<void>;
}

export interface FoundJob {
  readonly arn: string;
  readonly createdAt: number;
  readonly ended: boolean;
  describe(logEnd: () => Promise<string>): Promise<JobDescription>;
}

export interface ApiOptions {
  readonly sagemaker: SageMakerClient;
  readonly buckets: Buckets;
  readonly supplies: Supplies;
  readonly secrets: ProgramSecrets;
  readonly settings: JobSettings;
}

const ended = new Set(['Completed', 'Failed', 'Stopped']);

export function trainingApi(options: ApiOptions): JobApi {
  const { sagemaker, buckets } = options;
  return {
    create: (job, name) =>
      begin(job, name, options, trainingJob, (request) => sagemaker.send(new CreateTrainingJobCommand(request))),
    async find(TrainingJobName) {
      const found = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName }));
      return {
        arn: found.TrainingJobArn ?? '',
        createdAt: found.CreationTime?.getTime() ?? 0,
        ended: ended.has(found.TrainingJobStatus ?? ''),
        describe: (logEnd) => trainingDescription(found, buckets, logEnd),
      };
    },
    async stop(TrainingJobName) {
      await sagemaker.send(new StopTrainingJobCommand({ TrainingJobName }));
    },
  };
}

export function processingApi(options: ApiOptions): JobApi {
  const { sagemaker, buckets } = options;
  return {
    create: (job, name) =>
      begin(job, name, options, processingJob, (request) => sagemaker.send(new CreateProcessingJobCommand(request))),
    async find(ProcessingJobName) {
      const found = await sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName }));
      return {
        arn: found.ProcessingJobArn ?? '',
        createdAt: found.CreationTime?.getTime() ?? 0,
        ended: ended.has(found.ProcessingJobStatus ?? ''),
        describe: (logEnd) => processingDescription(found, buckets, logEnd),
      };
    },
    async stop(ProcessingJobName) {
      await sagemaker.send(new StopProcessingJobCommand({ ProcessingJobName }));
    },
  };
}

async function begin<Request>(
  job: Job,
  name: string,
  { settings, buckets, supplies, ...options }: ApiOptions,
  ask: (
    job: Job,
    name: string,
    settings: JobSettings,
    inputs: readonly Input[],
    archive: string | undefined,
    secrets: Readonly<Record<string, string>>,
  ) => Asked<Request>,
  send: (request: Request) => Promise<unknown>,
): Promise<void> {
  const secrets = await options.secrets(job.environment);
  const inputs = await inputsOf(job.channels, settings.ownBucket, { buckets, supplies });
  const archive = job.code === undefined ? undefined : await supplies.archive(job.code.digest);
  const { request, start } = ask(job, name, settings, inputs, archive, secrets);
  if (start !== undefined) await buckets(ownBucket).write(start.key, Buffer.from(start.text));
  await concealing(secrets, () => send(request));
}
