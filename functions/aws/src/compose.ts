import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createApi } from '@serin/api/app';
import { releasedConfig } from '@serin/api/released';
import { problemsOf } from '@serin/clouds/aws/limits';
import { Fault } from '@serin/core/base/fault';
import { createEngine } from '@serin/core/engine/engine';
import { type Bucket, ownBucket } from '@serin/core/ports/bucket';
import type { Ports } from '@serin/core/ports/ports';
import { notifier } from '@serin/platform/notifier';
import { noSecrets } from '@serin/platform/secrets';
import { required as requiredOf } from '@serin/platform/settings';
import type { Hono } from 'hono';
import { type Facts, jsonFacts } from './facts.ts';
import { artifactAt } from './jobs/artifacts.ts';
import { jobLogs } from './jobs/logs.ts';
import { jobOwners } from './jobs/owner.ts';
import { countEntry } from './metrics.ts';
import { endpointOwners, type Installation } from './names.ts';
import { s3Bucket } from './ports/bucket.ts';
import { eventBridgeBus } from './ports/bus.ts';
import { sageMakerJobs } from './ports/jobs.ts';
import { dynamoJournal } from './ports/journal.ts';
import { sageMakerRegistry } from './ports/registry.ts';
import { sageMakerServing } from './ports/serving.ts';
import { cloudWatchTelemetry } from './ports/telemetry.ts';
import { programSecrets } from './program-secrets.ts';
import { sqsQueue } from './queue.ts';
import { webhookSecrets } from './secrets.ts';
import { sageMakerEndpoints } from './serving/described.ts';
import { withoutLabels } from './serving/without-labels.ts';
import { settingsOf } from './settings.ts';
import type { LookUp } from './signals.ts';
import type { Clockwork, Worker } from './worker.ts';

/** What the function of signals stands on, in one instance of Lambda. */
export interface Composed {
  readonly worker: Worker;
  /** An invocation begins: this long it may last. */
  begin(remainingMs: number): void;
  /** When the streams that were appended to in this invocation want to be looked at again. */
  due(): ReadonlyMap<string, number>;
}

export interface ComposedApi extends Pick<Composed, 'begin'> {
  api(): Promise<Hono>;
  /** Resolves when everybody who has to pay was told. */
  nudged(): Promise<void>;
}

const now = Date.now;
/** A secret that was taken away is heard no longer than this. */
const secretsKeptMs = 5 * 60_000;

/** A call is cut off within 20 s, its repetition included. */
const cutOff = {
  requestHandler: { connectionTimeout: 2000, requestTimeout: 8000, throwOnRequestTimeout: true },
  maxAttempts: 2,
};

/** Of what is only read: many looks at once wait for each other when AWS says that they are too many. */
const patient = { ...cutOff, retryMode: 'adaptive', maxAttempts: 4 };

/** The clock and the dead letters need no more than the journal and the queue. */
export function composeClock(): Clockwork {
  const client = new DynamoDBClient(cutOff);
  return {
    journal: dynamoJournal({ client, table: required('SERIN_TABLE') }),
    queue: sqsQueue({ client: new SQSClient(cutOff), url: required('SERIN_QUEUE_URL') }),
    now,
    facts: factsOf(installed()),
  };
}

export function composeWorker(): Composed {
  const foundation = compose();
  const { installation, clockwork, bucket } = foundation;
  const sagemaker = new SageMakerClient(cutOff);
  const settings = settingsOf(process.env);
  const secrets = programSecrets({ path: settings.secretsPath, kmsKey: settings.kmsKey, ...ssmPlace() });
  const registry = sageMakerRegistry({ sagemaker, ...settings });
  const cloudwatchLogs = new CloudWatchLogsClient(cutOff);
  const autoscaling = new ApplicationAutoScalingClient(cutOff);
  const cloudwatch = new CloudWatchClient(patient);
  const reading = new SageMakerClient(patient);
  const endpoints = sageMakerEndpoints({ sagemaker: reading, now });
  const { engine, config, begin, due } = runs(foundation, {
    jobs: sageMakerJobs({ sagemaker, cloudwatchLogs, buckets: bucket, secrets, ...settings }),
    registry,
    serving: sageMakerServing({
      sagemaker,
      endpoints,
      autoscaling,
      bucket: bucket(ownBucket),
      secrets,
      ...settings,
    }),
    telemetry: cloudWatchTelemetry({ cloudwatch, endpoints, installation, now }),
    notify: notifier({ secrets, now }),
  });
  const lookUp: LookUp = {
    installation,
    versionOfPackage: registry.versionOfPackage,
    modelOfEndpoint: endpointOwners(installation, async () => (await config())?.models ?? {}),
    modelOfJob: jobOwners({ ...settings, sagemaker: reading }),
  };
  return { worker: { ...clockwork, engine, config, lookUp }, begin, due };
}

/** The API: decides and commits. Whoever takes the tick from the queue pays, so it needs no right to start anything. */
export function composeApi(): ComposedApi {
  const foundation = compose();
  const { installation, clockwork, bucket } = foundation;
  const { queue, facts } = clockwork;
  const { engine, ports, config, source, begin } = runs(foundation, {
    jobs: { start: unpaid, describe: unpaid, stop: unpaid },
    registry: { register: unpaid, setApproval: unpaid, get: unpaid },
    serving: { change: unpaid, observe: unpaid },
    telemetry: { ticks: unpaid, latency: unpaid, ...withoutLabels },
    notify: { deliver: unpaid },
  });
  const owing = new Set<string>();
  let api: Promise<Hono> | undefined;
  let madeAt = 0;

  async function makeApi(): Promise<Hono> {
    const tokenHash = process.env.SERIN_ADMIN_TOKEN_HASH;
    return createApi({
      engine,
      ports,
      now,
      newId: (prefix) => `${prefix}_${uuidv7(now())}`,
      config,
      source,
      secrets: await webhookSecrets({ parameter: process.env.SERIN_SECRETS, ...ssmPlace() }).catch((error: unknown) => {
        // Webhooks are refused then; everything else goes on.
        facts.fault('the webhook secrets', error);
        return noSecrets;
      }),
      version: required('SERIN_VERSION'),
      environment: installation.environment,
      platform: 'aws',
      problemsOf,
      async digestOfArtifact({ uri }) {
        const found = await artifactAt(uri, bucket);
        if (found === undefined) throw new Fault('notFound', `${uri} is gone`);
        return found.digest;
      },
      logs: jobLogs({ cloudwatchLogs: new CloudWatchLogsClient(cutOff), installation }),
      nudge: (stream) => owing.add(stream),
      redeliver: queue.send,
      // A request of Lambda holds 6 MB, and bytes travel as base64.
      // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
      maxObjectBytes: 4_000_000,
      onDefect: (request, error) => facts.fault(`request ${request}`, error),
      ...(tokenHash === undefined ? {} : { bootstrap: { tokenHash } }),
    });
  }

  return {
    begin(remainingMs) {
      begin(remainingMs);
      owing.clear();
    },
    api() {
      if (now() - madeAt > secretsKeptMs) api = undefined;
      if (api === undefined) {
        madeAt = now();
        api = makeApi().catch((error: unknown) => {
          api = undefined;
          throw error;
        });
      }
      return api;
    },
    async nudged() {
      // The clock finds within a minute what could not be told now.
      await queue.ticks([...owing]).catch((error: unknown) => facts.fault('telling who pays', error));
    },
  };
}

async function unpaid(): Promise<never> {
  throw new Fault('defect', 'the API starts nothing and looks at nothing: the queue does');
}

/** What both stand on: the stores and the bus. */
function compose() {
  const clockwork = composeClock();
  const s3 = new S3Client(cutOff);
  const own = required('SERIN_BUCKET');
  const owner = ownerOf(required('SERIN_JOB_ROLE'));
  const known = new Map<string, Bucket>();
  const bucket = (name: string): Bucket => {
    const real = name === ownBucket ? own : name;
    const made = known.get(real) ?? s3Bucket({ client: s3, bucket: real, ...(real === own ? owner : {}) });
    known.set(real, made);
    return made;
  };
  const eventBus = required('SERIN_BUS');
  const events = new EventBridgeClient(cutOff);
  const bus = eventBridgeBus({ client: events, eventBus, bucket: bucket(ownBucket), bucketName: own });
  return { installation: installed(), clockwork, bucket, bus };
}

function runs(
  { installation, clockwork: { journal, facts }, bucket, bus }: ReturnType<typeof compose>,
  paid: Pick<Ports, 'jobs' | 'registry' | 'serving' | 'telemetry' | 'notify'>,
) {
  const ports: Ports = { journal, bucket, bus, ...paid };
  const source = `serin://aws/${installation.project}/${installation.environment}`;
  let endsAt = 0;
  const due = new Map<string, number>();
  const engine = createEngine({
    ports,
    now,
    self: `lambda-${randomUUID().slice(0, 8)}`,
    alone: false,
    source,
    endsAt: () => endsAt,
    onAppend: (entry, at) => {
      countEntry(entry, facts);
      if (at === undefined) due.delete(entry.stream);
      else due.set(entry.stream, at);
    },
  });
  const begin = (remainingMs: number): void => {
    endsAt = now() + remainingMs;
    due.clear();
  };
  return { engine, ports, config: releasedConfig(ports), source, begin, due: () => due };
}

const installed = (): Installation => ({
  project: required('SERIN_PROJECT'),
  environment: required('SERIN_ENVIRONMENT'),
});

const factsOf = ({ project, environment }: Installation): Facts =>
  jsonFacts(project, environment, (line) => process.stdout.write(`${line}\n`), now);

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

function uuidv7(at: number): string {
  const random = randomUUID().replaceAll('-', '');
  return `${at.toString(16).padStart(12, '0')}7${random.slice(0, 12)}${random.slice(17, 24)}`;
}
