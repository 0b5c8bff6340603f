import type {
  CreateProcessingJobCommandInput,
  CreateTrainingJobCommandInput,
  DescribeProcessingJobCommandOutput,
  DescribeTrainingJobCommandOutput,
  Tag,
} from '@aws-sdk/client-sagemaker';
import { Refusal, seconds } from './fake-wire.ts';

/** As the wire has it: times are seconds. */
type OnWire<Answer> = {
  readonly [Name in keyof Answer]?: Answer[Name] extends Date | undefined ? number : Answer[Name];
};
export type TrainingAnswer = OnWire<DescribeTrainingJobCommandOutput>;
export type ProcessingAnswer = OnWire<DescribeProcessingJobCommandOutput>;

interface Kept {
  readonly arn: string;
  readonly tags: readonly Tag[];
  answer: Readonly<Record<string, unknown>>;
}

interface Options {
  readonly now: () => number;
  /** Told of each job that was created and has to be paid. */
  readonly onCreate?: (name: string) => void;
}

const account = 'arn:aws:sagemaker:eu-west-1:123456789012';
const terminal = new Set(['Completed', 'Failed', 'Stopped']);

/**
 * SageMaker's training and processing jobs, as far as their names and statuses go; nothing runs. A job stays
 * `InProgress` until the test moves it (`now`).
 *
 * Statuses: API reference of DescribeTrainingJob. ResourceInUse and its text: a log of a real account, of a processing
 * job; that training says the same is told by botocore (the error) and not by a text that we know. "The request was
 * rejected because the training job is in status Completed.": awslabs/benchmark-ai issue 928, for transform
 * jobs rse-grand-challenge of DIAGNijmegen; for processing the text is a guess after them. "Requested resource not found.": logs of DescribeTrainingJob; for the other calls a guess.
 */
export function fakeJobs({ now, onCreate = () => {} }: Options) {
  const training = new Map<string, Kept>();
  const processing = new Map<string, Kept>();
  const logs = new Map<string, { readonly timestamp: number; readonly message: string }[]>();
  let refusal: Refusal | undefined;

  const find = (jobs: Map<string, Kept>, name: string | undefined): Kept => {
    const found = jobs.get(name ?? '');
    if (found === undefined) throw new Refusal('ValidationException', 'Requested resource not found.');
    return found;
  };
  const create = (jobs: Map<string, Kept>, kind: string, name = '', tags: readonly Tag[] = [], answer: object) => {
    if (refusal !== undefined) throw refusal;
    const arn = `${account}:${kind}/${name}`;
    if (jobs.has(name))
      throw new Refusal(
        'ResourceInUse',
        `Job name must be unique within an AWS account and region, and a job with this name already exists (${arn})`,
      );
    jobs.set(name, {
      arn,
      tags,
      answer: { ...answer, CreationTime: seconds(now()), LastModifiedTime: seconds(now()) },
    });
    onCreate(name);
    return arn;
  };
  const stop = (kept: Kept, kind: 'TrainingJob' | 'ProcessingJob') => {
    const status = String(kept.answer[`${kind}Status`]);
    const words = `${kind.slice(0, -3).toLowerCase()} job`;
    if (terminal.has(status))
      throw new Refusal('ValidationException', `The request was rejected because the ${words} is in status ${status}.`);
    kept.answer = {
      ...kept.answer,
      [`${kind}Status`]: 'Stopping',
      ...(kind === 'TrainingJob' ? { SecondaryStatus: 'Stopping' } : {}),
    };
    return {};
  };

  const sagemaker = {
    CreateTrainingJob({ Tags, TrainingJobName = '', ...input }: CreateTrainingJobCommandInput) {
      const TrainingJobArn = create(training, 'training-job', TrainingJobName, Tags, {
        ...input,
        TrainingJobName,
        TrainingJobArn: `${account}:training-job/${TrainingJobName}`,
        TrainingJobStatus: 'InProgress',
        SecondaryStatus: 'Starting',
        ModelArtifacts: {
          S3ModelArtifacts: `${input.OutputDataConfig?.S3OutputPath}/${TrainingJobName}/output/model.tar.gz`,
        },
      });
      return { TrainingJobArn };
    },
    DescribeTrainingJob: ({ TrainingJobName }: { readonly TrainingJobName: string }) =>
      find(training, TrainingJobName).answer,
    StopTrainingJob: ({ TrainingJobName }: { readonly TrainingJobName: string }) =>
      stop(find(training, TrainingJobName), 'TrainingJob'),
    CreateProcessingJob({ Tags, ProcessingJobName = '', ...input }: CreateProcessingJobCommandInput) {
      const ProcessingJobArn = create(processing, 'processing-job', ProcessingJobName, Tags, {
        ...input,
        ProcessingJobName,
        ProcessingJobArn: `${account}:processing-job/${ProcessingJobName}`,
        ProcessingJobStatus: 'InProgress',
      });
      return { ProcessingJobArn };
    },
    DescribeProcessingJob: ({ ProcessingJobName }: { readonly ProcessingJobName: string }) =>
      find(processing, ProcessingJobName).answer,
    StopProcessingJob: ({ ProcessingJobName }: { readonly ProcessingJobName: string }) =>
      stop(find(processing, ProcessingJobName), 'ProcessingJob'),
    ListTags({ ResourceArn }: { readonly ResourceArn: string }) {
      const kept = [training, processing].flatMap((jobs) => [...jobs.values()]).find(({ arn }) => arn === ResourceArn);
      return { Tags: kept?.tags ?? [] };
    },
  };

  const cloudwatchLogs = {
    DescribeLogStreams: ({ logStreamNamePrefix = '' }: LogQuery) => ({
      logStreams: [...logs.keys()]
        .filter((name) => name.startsWith(logStreamNamePrefix))
        .sort()
        .map((logStreamName) => ({ logStreamName })),
    }),
    // Forward: one event a page, and an empty page at the end, whose token is the one that was given.
    GetLogEvents({ logStreamName, startTime = 0, startFromHead = false, nextToken = '0', limit = 10_000 }: LogQuery) {
      const lines = logs.get(logStreamName ?? '');
      if (lines === undefined)
        throw new Refusal('ResourceNotFoundException', 'The specified log stream does not exist.');
      if (!startFromHead) return { events: lines.slice(-limit) };
      const events = lines.filter(({ timestamp }) => timestamp >= startTime);
      const at = Number(nextToken);
      return { events: events.slice(at, at + 1), nextForwardToken: String(Math.min(at + 1, events.length)) };
    },
  };

  return {
    services: { SageMaker: sagemaker, Logs_20140328: cloudwatchLogs },
    /** Changes what is answered about a training job from now on. */
    train(name: string, answer: TrainingAnswer): void {
      const kept = find(training, name);
      kept.answer = { ...kept.answer, ...answer };
    },
    process(name: string, answer: ProcessingAnswer): void {
      const kept = find(processing, name);
      kept.answer = { ...kept.answer, ...answer };
    },
    /** Lets every creation fail so, until it is told otherwise. */
    refuse(with_: Refusal | undefined): void {
      refusal = with_;
    },
    /** A job of that name that somebody else has created. */
    foreign(name: string, tags: readonly Tag[]): void {
      training.set(name, {
        arn: `${account}:training-job/${name}`,
        tags,
        answer: {
          ...{
            TrainingJobName: name,
            TrainingJobArn: `${account}:training-job/${name}`,
            TrainingJobStatus: 'Completed',
          },
          ...{ SecondaryStatus: 'Completed', ModelArtifacts: { S3ModelArtifacts: 's3://elsewhere/model.tar.gz' } },
          ...{ StoppingCondition: {}, CreationTime: seconds(now()) },
        },
      });
    },
    log(stream: string, timestamp: number, message: string): void {
      logs.set(stream, [...(logs.get(stream) ?? []), { timestamp, message }]);
    },
  };
}

interface LogQuery {
  readonly logStreamNamePrefix?: string;
  readonly logStreamName?: string;
  readonly startTime?: number;
  readonly startFromHead?: boolean;
  readonly nextToken?: string;
  readonly limit?: number;
}
