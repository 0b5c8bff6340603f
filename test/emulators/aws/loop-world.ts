import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DescribeEndpointCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { endpointName } from '@serin/aws/names';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda';
import { vi } from 'vitest';
import { bundleFunctions } from '../../../scripts/bundle.ts';
import { startDynamoDb, startMoto } from '../installed.ts';
import { installation } from '../loop.contract.ts';
import { type Mishaps, openMishaps } from '../mishaps.ts';
import { reach } from './clients.ts';
import { fakeEndpoints } from './fake-endpoints.ts';
import { fakeJobs } from './fake-jobs.ts';
import { fakeMetrics } from './fake-metrics.ts';
import { type Forwarded, startProvider } from './provider.ts';
import { rolesIn } from './roles.ts';

const minute = 60_000;
const start = Date.UTC(2026, 10, 20, 12);
const token = 'srn_loop';

export interface WorldOptions {
  readonly mishaps?: Mishaps;
  /** Messages that a function is given at most. */
  readonly batch?: number;
}

interface Handlers {
  readonly signals: (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;
  readonly api: (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;
  readonly clock: () => Promise<void>;
  readonly deadLetters: (event: SQSEvent) => Promise<SQSBatchResponse>;
}

/**
 * An installation on AWS in which only the clock is ours: the bundles that are deployed, DynamoDB Local, moto for S3, SQS,
 * EventBridge and the registry, and fakes for what moto does not do (jobs that run, endpoints that change, percentiles).
 */
export async function openWorld({ mishaps = openMishaps(), batch = 10 }: WorldOptions = {}) {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
  const folder = await mkdtemp(join(tmpdir(), 'serin-loop-'));
  const [dynamo, moto, bundles] = await Promise.all([startDynamoDb(), startMoto(), bundleFunctions('aws', folder)]);
  const jobs = fakeJobs({ now: Date.now });
  const endpoints = fakeEndpoints({ now: Date.now, configLagMs: 2000 });
  const metrics = fakeMetrics({ now: Date.now, lagMs: () => minute });
  const names = { table: 'serin', own: `own-${randomUUID()}`, drops: 'drops', queue: 'signals', bus: 'serin' };
  const roles = rolesIn({ ...names, installation });
  const forwarded: Forwarded[] = [];
  const provider = await startProvider({
    emulator: moto.url,
    onForward(sent) {
      forwarded.push(sent);
      roles.sees(sent);
    },
    isAway: ({ method, url }) => mishaps.areCapturesAway() && method === 'GET' && /\/captured(\/|%2F)/i.test(url),
    onDone({ method, url, body }) {
      const [path = ''] = url.split('?');
      const own = `/${names.own}/`;
      return method === 'PUT' && path.startsWith(own)
        ? mishaps.wrote(decodeURIComponent(path.slice(own.length)), body)
        : undefined;
    },
    fakes: {
      SageMaker: {
        ...jobs.services.SageMaker,
        ...endpoints.sagemaker,
        ListTags: (input: { readonly ResourceArn: string }) =>
          (/-job\//.test(input.ResourceArn) ? jobs.services.SageMaker : endpoints.sagemaker).ListTags(input),
      },
      AnyScaleFrontendService: endpoints.autoscaling,
      GraniteServiceVersion20100801: metrics.cloudwatch,
    },
  });
  const at = reach(moto.url);
  const [s3, sqs, sagemaker] = [new S3Client(at), new SQSClient(at), new SageMakerClient(reach(provider.url))];
  const queue = await installed({ names, dynamo: dynamo.url, s3, sqs, events: new EventBridgeClient(at) });

  const facts: string[] = [];
  const urls = { aws: provider.url, sqs: moto.url, dynamo: dynamo.url };
  const secrets = String(roles.variables.SERIN_PROGRAM_SECRETS);
  for (const [name, value] of Object.entries(variablesOf({ names, urls, queue, secrets }))) vi.stubEnv(name, value);
  const handlers = Object.fromEntries(
    await Promise.all(bundles.map(async ({ name, file }) => [name, (await import(file)).handler])),
  ) as unknown as Handlers; // each bundle exports its function as `handler`

  // The functions write their facts to standard output, as Lambda wants it.
  const written = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
    facts.push(String(line));
    return true;
  });

  /**
   * As the service of Lambda does: batches of ten, and only what is not named as failed is deleted. Of a function that is
   * gone nothing is deleted; what it took comes again.
   */
  async function pump(): Promise<void> {
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: batch, VisibilityTimeout: 0 }),
      );
      if (Messages.length === 0) return;
      const event = sqsEvent(Messages.map(({ MessageId = '', Body = '' }) => ({ id: MessageId, body: Body })));
      const answer = await mishaps.orDead(roles.as('signals', () => handlers.signals(event, context)));
      if (answer === 'dead') return;
      const { batchItemFailures } = answer;
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      for (const { MessageId = '', ReceiptHandle } of Messages)
        if (!failed.has(MessageId)) await sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle }));
      if (failed.size > 0) return;
    }
  }

  const send = (message: unknown) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: queue,
        MessageBody: typeof message === 'string' ? message : JSON.stringify(message),
      }),
    );

  async function call(method: string, path: string, body?: unknown) {
    const answer = await roles.as('api', () => handlers.api(urlEvent(method, path, body), context));
    return { status: answer.statusCode ?? 0, body: JSON.parse(answer.body ?? 'null') };
  }

  return {
    jobs,
    endpoints,
    metrics,
    provider,
    roles,
    /** What went on to moto. */
    forwarded,
    /** Lines that the functions have written. */
    facts,
    names,
    handlers,
    send,
    call,
    pump,
    put: (bucket: string, key: string, content: string | Uint8Array) =>
      s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content })),
    /** A secret that the config names, as the command of the owner puts it. */
    putSecret: (name: string, Value: string) =>
      new SSMClient(at).send(
        new PutParameterCommand({ Name: `/serin/shop/prod/programs/${name}`, Value, Type: 'SecureString' }),
      ),
    /** All that the functions have written: objects, the table, events, log lines; each with where it is. */
    async written(): Promise<readonly (readonly [string, string])[]> {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: names.own }));
      const objects = Contents.map(async ({ Key = '' }) => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: names.own, Key }));
        return [Key, (await Body?.transformToString('latin1')) ?? ''] as const;
      });
      const table: string[] = [];
      let from: ScanCommandOutput['LastEvaluatedKey'];
      do {
        const command = new ScanCommand({
          TableName: names.table,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        });
        const { Items = [], LastEvaluatedKey } = await new DynamoDBClient(reach(dynamo.url)).send(command);
        table.push(...Items.map((item) => JSON.stringify(item)));
        from = LastEvaluatedKey;
      } while (from !== undefined);
      return [
        ...(await Promise.all(objects)),
        ...table.map((row) => ['the table', row] as const),
        ...forwarded.map(({ target, url, body }) => [`${target} ${url}`, body] as const),
        ...facts.map((line) => ['the log', line] as const),
      ];
    },
    now: () => Date.now(),
    /** Time passes: the clock comes, and then whatever was queued. */
    async pass(ms: number): Promise<void> {
      vi.setSystemTime(Date.now() + ms);
      await handlers.clock();
      await pump();
    },
    /** What the provider itself says that serves: the endpoint's variants with their weights. */
    async serving(model: string) {
      const name = endpointName(installation, model);
      const { ProductionVariants = [], EndpointStatus } = await sagemaker.send(
        new DescribeEndpointCommand({ EndpointName: name }),
      );
      const weights = Object.fromEntries(
        ProductionVariants.map(({ VariantName = '', CurrentWeight }) => [VariantName, CurrentWeight]),
      );
      return { status: EndpointStatus, weights };
    },
    sagemaker,
    async close(): Promise<void> {
      written.mockRestore();
      vi.unstubAllEnvs();
      vi.useRealTimers();
      for (const client of [s3, sqs, sagemaker]) client.destroy();
      await Promise.all([provider.stop(), dynamo.stop(), moto.stop(), rm(folder, { recursive: true, force: true })]);
    },
    /** Config files and code live here. */
    folder,
    write: (file: string, text: string) => writeFile(join(folder, file), text),
  };
}

export type LoopWorld = Awaited<ReturnType<typeof openWorld>>;

type Names = Readonly<Record<'table' | 'own' | 'drops' | 'queue' | 'bus', string>>;

/** What the functions are told of where everything is. */
export const variablesOf = ({ names, urls, queue, secrets }: Told): Readonly<Record<string, string>> => ({
  AWS_ENDPOINT_URL: urls.aws,
  AWS_ENDPOINT_URL_SQS: urls.sqs,
  AWS_ENDPOINT_URL_DYNAMODB: urls.dynamo,
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  SERIN_PROJECT: installation.project,
  SERIN_ENVIRONMENT: installation.environment,
  SERIN_TABLE: names.table,
  SERIN_BUCKET: names.own,
  SERIN_PROGRAM_SECRETS: secrets,
  SERIN_QUEUE_URL: queue,
  SERIN_BUS: names.bus,
  SERIN_JOB_ROLE: 'arn:aws:iam::123456789012:role/serin-job',
  SERIN_MODEL_ROLE: 'arn:aws:iam::123456789012:role/serin-model',
  SERIN_NODE_IMAGE: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/serin-public/docker/library/node:24-slim',
  SERIN_ADMIN_TOKEN_HASH: createHash('sha256').update(token).digest('hex'),
  SERIN_VERSION: '0.0.0',
});
interface Told {
  readonly names: Names;
  readonly urls: Readonly<Record<'aws' | 'sqs' | 'dynamo', string>>;
  readonly queue: string;
  /** Before the name of each secret. */
  readonly secrets: string;
}

/** A request of the first administrator, as a function URL gives it to the API. */
export function urlEvent(method: string, path: string, body?: unknown): APIGatewayProxyEventV2 {
  const bytes = body instanceof Uint8Array;
  const text = body === undefined || bytes ? undefined : JSON.stringify(body);
  const [rawPath = path, rawQueryString = ''] = path.split('?');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: {
      authorization: `Bearer ${token}`,
      host: 'serin.example',
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
    },
    requestContext: {
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
    },
    ...(text === undefined ? {} : { body: text }),
    ...(bytes ? { body: Buffer.from(body).toString('base64') } : {}),
    isBase64Encoded: bytes,
  } as unknown as APIGatewayProxyEventV2; // the fields that a function URL sends and nobody here reads are left out
}

interface Install {
  readonly names: Names;
  readonly dynamo: string;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly events: EventBridgeClient;
}

/** What `serin deploy` would have made; answers the queue's address. */
export async function installed({ names, dynamo, s3, sqs, events }: Install): Promise<string> {
  const keys = ['pk', 'sk'] as const;
  await new DynamoDBClient(reach(dynamo)).send(
    new CreateTableCommand({
      TableName: names.table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: keys.map((AttributeName, index) => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
    }),
  );
  const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' } as const;
  for (const Bucket of [names.own, names.drops])
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
  await events.send(new CreateEventBusCommand({ Name: names.bus }));
  return (await sqs.send(new CreateQueueCommand({ QueueName: names.queue }))).QueueUrl ?? '';
}

export const sqsEvent = (messages: readonly { readonly id: string; readonly body: string }[]): SQSEvent => ({
  Records: messages.map(({ id, body }) => ({
    messageId: id,
    receiptHandle: id,
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '0',
      SenderId: 'test',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:signals',
    awsRegion: 'eu-west-1',
  })),
});

// A function of the queue may take two minutes; nothing else of the context is read.
const context = { getRemainingTimeInMillis: () => 120_000 } as Context;
