// Size and cold start of the functions of AWS, beside a bare handler and beside the same SDK clients bare, in one run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, bundleFunctions } from '../../scripts/bundle-aws.ts';

const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1]) || 21;
const maxKb = 700;
const maxRatio = 1.5;

/** The clients that each function makes, and nothing else. */
const clients: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  whole: [
    ['application-auto-scaling', 'ApplicationAutoScalingClient'],
    ['cloudwatch', 'CloudWatchClient'],
    ['cloudwatch-logs', 'CloudWatchLogsClient'],
    ['dynamodb', 'DynamoDBClient'],
    ['eventbridge', 'EventBridgeClient'],
    ['s3', 'S3Client'],
    ['sagemaker', 'SageMakerClient'],
    ['sqs', 'SQSClient'],
    ['ssm', 'SSMClient'],
  ],
  small: [
    ['dynamodb', 'DynamoDBClient'],
    ['sqs', 'SQSClient'],
  ],
};
const peers: Readonly<Record<string, string>> = {
  signals: 'whole',
  api: 'whole',
  clock: 'small',
  deadLetters: 'small',
};

/** What a function does when it starts: its module, and the first use of what it composes. */
const environment = {
  SERIN_PROJECT: 'bench',
  SERIN_ENVIRONMENT: 'bench',
  SERIN_TABLE: 'journal',
  SERIN_BUCKET: 'own',
  SERIN_QUEUE_URL: 'http://127.0.0.1:1/queue',
  SERIN_BUS: 'bus',
  SERIN_JOB_ROLE: 'arn:aws:iam::123456789012:role/job',
  SERIN_MODEL_ROLE: 'arn:aws:iam::123456789012:role/model',
  SERIN_NODE_IMAGE: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/serin-public/docker/library/node:24-slim',
  SERIN_VERSION: '0',
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
};

function bareClients(names: readonly (readonly [string, string])[]): string {
  const imports = names.map(([name, client]) => `import { ${client} } from '@aws-sdk/client-${name}';`);
  return `${imports.join('\n')}\nexport const handler = [${names.map(([, client]) => `new ${client}({})`)}];`;
}

/** Milliseconds from the start of a process of Node to the end of the module's import. */
function startMs(file: string): number {
  const code = `await import(${JSON.stringify(file)}); process.stdout.write(String(performance.now()))`;
  const run = ['--input-type=module', '-e', code];
  return Number(
    execFileSync(process.execPath, run, { env: { ...environment, PATH: process.env.PATH }, encoding: 'utf8' }),
  );
}

const folder = mkdtempSync(join(tmpdir(), 'serin-cold-'));
try {
  const functions = await bundleFunctions(folder);
  const bare = await bundle('bare', 'export const handler = async () => ({ statusCode: 200 });', folder);
  const bareOf = new Map(
    await Promise.all(
      Object.entries(clients).map(
        async ([name, list]) => [name, await bundle(`clients-${name}`, bareClients(list), folder)] as const,
      ),
    ),
  );
  const files = [bare, ...bareOf.values(), ...functions];
  const times = new Map<string, number[]>(files.map(({ file }) => [file, []]));
  // In turns, so that a busy moment of the machine falls on all of them.
  for (let round = 0; round < rounds; round += 1) for (const { file } of files) times.get(file)?.push(startMs(file));
  const median = (file: string): number =>
    (times.get(file) ?? []).sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;

  const failures: string[] = [];
  process.stdout.write(
    `| bundle | KB minified | start, ms (median of ${rounds}) | of its SDK clients bare |\n|---|---|---|---|\n`,
  );
  for (const { name, file, bytes } of files) {
    const kb = bytes / 1024;
    const peer = bareOf.get(peers[name] ?? '');
    const ratio = peer === undefined ? undefined : median(file) / median(peer.file);
    process.stdout.write(`| ${name} | ${kb.toFixed(0)} | ${median(file).toFixed(0)} | ${ratio?.toFixed(2) ?? ''} |\n`);
    if (peer !== undefined && kb > maxKb) failures.push(`${name} has ${kb.toFixed(0)} KB, more than ${maxKb}`);
    if (ratio !== undefined && ratio > maxRatio)
      failures.push(`${name} starts in ${ratio.toFixed(2)} of its clients, more than ${maxRatio}`);
  }
  for (const failure of failures) process.stdout.write(`missed: ${failure}\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
