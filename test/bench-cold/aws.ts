import type { Bench } from './bench.ts';

const clientNames = {
  'application-auto-scaling': 'ApplicationAutoScalingClient',
  cloudwatch: 'CloudWatchClient',
  'cloudwatch-logs': 'CloudWatchLogsClient',
  dynamodb: 'DynamoDBClient',
  eventbridge: 'EventBridgeClient',
  s3: 'S3Client',
  sagemaker: 'SageMakerClient',
  sqs: 'SQSClient',
} as const;
type Service = keyof typeof clientNames;

const small: readonly Service[] = ['dynamodb', 'sqs'];

function bareClients(services: readonly Service[]): string {
  const imports = services.map((name) => `import { ${clientNames[name]} } from '@aws-sdk/client-${name}';`);
  return `${imports.join('\n')}\nexport const handler = [${services.map((name) => `new ${clientNames[name]}({})`)}];`;
}

export const aws: Bench = {
  cloud: 'aws',
  rounds: 21,
  maxKb: 820,
  maxRatio: 1.5,
  environment: {
    SERIN_PROJECT: 'bench',
    SERIN_ENVIRONMENT: 'bench',
    SERIN_TABLE: 'journal',
    SERIN_BUCKET: 'own',
    SERIN_PROGRAM_SECRETS: '/serin/bench/bench/programs',
    SERIN_QUEUE_URL: 'http://127.0.0.1:1/queue',
    SERIN_BUS: 'bus',
    SERIN_JOB_ROLE: 'arn:aws:iam::123456789012:role/job',
    SERIN_MODEL_ROLE: 'arn:aws:iam::123456789012:role/model',
    SERIN_NODE_IMAGE: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/serin-public/docker/library/node:24-slim',
    SERIN_VERSION: '0',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  },
  bare: { title: 'a bare handler', code: 'export const handler = async () => ({ statusCode: 200 });' },
  functions: {
    signals: { composes: 'composeWorker', clients: bareClients(Object.keys(clientNames) as Service[]) },
    api: { composes: 'composeApi', clients: bareClients([...small, 's3', 'eventbridge', 'cloudwatch-logs']) },
    clock: { composes: 'composeClock', clients: bareClients(small) },
    deadLetters: { composes: 'composeClock', clients: bareClients(small) },
  },
  peers: [
    { title: 'the same SDK clients bare', plain: true },
    { title: 'bare with our cuts (scripts/bundle.ts)', plain: false },
  ],
  starts: (file) => `require(${JSON.stringify(file)}); up();`,
};
