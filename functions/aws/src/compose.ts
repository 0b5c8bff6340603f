import process from 'node:process';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SQSClient } from '@aws-sdk/client-sqs';
import { problemsOf } from '@serin/clouds/aws/limits';
import { captureTimes } from '@serin/clouds/captured';
import { ownBucket } from '@serin/core/ports/bucket';
import { bucketsBy } from '@serin/platform/buckets';
import type { Clockwork } from '@serin/platform/clock';
import { apiOn, installedAs, workerOn } from '@serin/platform/foundation';
import { digestAt } from '@serin/platform/jobs/artifacts';
import { logLines } from '@serin/platform/log-lines';
import type { ApiRuntime, WorkerRuntime } from '@serin/platform/runtime';
import { required as requiredOf } from '@serin/platform/settings';
import { jobLogs } from './jobs/logs.ts';
import { jobOwners } from './jobs/owner.ts';
import { s3Objects } from './jobs/settings.ts';
import { embeddedMetric } from './metric-line.ts';
import { endpointName } from './names.ts';
import { s3Bucket } from './ports/bucket.ts';
import { eventBridgeBus } from './ports/bus.ts';
import { sageMakerJobs } from './ports/jobs.ts';
import { dynamoJournal } from './ports/journal.ts';
import { sageMakerRegistry } from './ports/registry.ts';
import { sageMakerServing } from './ports/serving.ts';
import { cloudWatchTelemetry } from './ports/telemetry.ts';
import { ssmSecrets } from './program-secrets.ts';
import { sqsQueue } from './queue.ts';
import { webhookSecrets } from './secrets.ts';
import { sageMakerEndpoints } from './serving/described.ts';
import { settingsOf } from './settings.ts';
import { read, withoutVariables } from './signals.ts';

export interface ComposedWorker extends WorkerRuntime {
  readonly queue: Clock['queue'];
}
export type Clock = ReturnType<typeof composeClock>;

const now = Date.now;

/** A call is cut off within 20 s, its repetition included. */
const cutOff = {
  requestHandler: { connectionTimeout: 2000, requestTimeout: 8000, throwOnRequestTimeout: true },
  maxAttempts: 2,
};

/** Of what is only read: many looks at once wait for each other when AWS says that they are too many. */
const patient = { ...cutOff, retryMode: 'adaptive', maxAttempts: 4 };

/** The clock and the dead letters need no more than the journal and the queue. */
export function composeClock() {
  const installation = installed();
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  return {
    journal: dynamoJournal({ client: new DynamoDBClient(cutOff), table: required('SERIN_TABLE') }),
    queue: sqsQueue({ client: new SQSClient(cutOff), url: required('SERIN_QUEUE_URL') }),
    now,
    log: logLines({ write, metric: embeddedMetric(installation, now) }),
    withoutSecrets: withoutVariables,
  } satisfies Clockwork;
}

export function composeWorker(): ComposedWorker {
  const foundation = compose();
  const { installation, clockwork, bucket } = foundation;
  const sagemaker = new SageMakerClient(cutOff);
  const settings = settingsOf(process.env);
  const secrets = ssmSecrets({ path: settings.secretsPath, kmsKey: settings.kmsKey, ...ssmPlace() });
  const registry = sageMakerRegistry({ sagemaker, ...settings });
  const cloudwatchLogs = new CloudWatchLogsClient(cutOff);
  const reading = new SageMakerClient(patient);
  const endpoints = sageMakerEndpoints({ sagemaker: reading, now });
  const serving = sageMakerServing({
    ...{ sagemaker, endpoints, now, secrets, bucket: bucket(ownBucket), ...settings },
    autoscaling: new ApplicationAutoScalingClient(cutOff),
  });
  const cloudwatch = new CloudWatchClient(patient);
  const telemetry = cloudWatchTelemetry({ cloudwatch, endpoints, installation, now, bucket: bucket(ownBucket) });
  const worker = workerOn(foundation, {
    ...{ registry, serving, telemetry, captureTimes, secrets, read, endpointName },
    jobs: sageMakerJobs({ sagemaker, cloudwatchLogs, buckets: bucket, secrets, ...settings }),
    modelOfJob: jobOwners({ ...settings, sagemaker: reading }),
    versionOf: registry.versionOfPackage,
  });
  return { ...worker, queue: clockwork.queue };
}

export function composeApi(): ApiRuntime {
  const foundation = compose();
  const { installation, bucket } = foundation;
  return apiOn(foundation, {
    variables: process.env,
    secrets: () => webhookSecrets({ parameter: process.env.SERIN_SECRETS, ...ssmPlace() }),
    options: () => ({
      problemsOf,
      digestOfArtifact: ({ uri }) => digestAt(uri, s3Objects(bucket)),
      // https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
      serverLogsCommand: (model, deployment) =>
        `aws logs tail /aws/sagemaker/Endpoints/${endpointName(installation, model)} --log-stream-name-prefix ${deployment}/ --follow`,
      logs: jobLogs({ cloudwatchLogs: new CloudWatchLogsClient(cutOff), installation }),
      // A request of Lambda holds 6 MB, and bytes travel as base64.
      // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
      maxObjectBytes: 4_000_000,
    }),
  });
}

/** What both stand on: the stores and the bus. */
function compose() {
  const clockwork = composeClock();
  const s3 = new S3Client(cutOff);
  const own = required('SERIN_BUCKET');
  const owner = ownerOf(required('SERIN_JOB_ROLE'));
  const bucket = bucketsBy(own, (name) => s3Bucket({ client: s3, bucket: name, ...(name === own ? owner : {}) }));
  const eventBus = required('SERIN_BUS');
  const events = new EventBridgeClient(cutOff);
  const bus = eventBridgeBus({ client: events, eventBus, bucket: bucket(ownBucket), bucketName: own });
  return { platform: 'aws', title: 'AWS', installation: installed(), clockwork, bucket, bus } as const;
}

const installed = () => installedAs(process.env);

const required = (name: string): string => requiredOf(process.env, name);

/** `AWS_ENDPOINT_URL_SSM` as the SDK would read it. */
function ssmPlace() {
  const endpoint = process.env.AWS_ENDPOINT_URL_SSM ?? process.env.AWS_ENDPOINT_URL;
  return {
    region: required('AWS_REGION'),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

/** The account in a role's ARN: `arn:aws:iam::<account>:role/...`. */
function ownerOf(role: string): { readonly owner?: string } {
  const account = role.split(':')[4] ?? '';
  return /^\d{12}$/.test(account) ? { owner: account } : {};
}
