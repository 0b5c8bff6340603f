// Size and cold start of the functions of AWS, beside a bare handler and beside the same SDK clients bare, in one run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, bundleFunctions } from '../../scripts/bundle-aws.ts';

const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1]) || 21;
const maxKb = 700;
const maxRatio = 1.5;

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
/** What each function composes when it is called first, and the clients that it makes then. */
const functions: Readonly<Record<string, { readonly composes: string; readonly clients: readonly Service[] }>> = {
  signals: { composes: 'composeWorker', clients: Object.keys(clientNames) as Service[] },
  api: { composes: 'composeApi', clients: [...small, 's3', 'eventbridge', 'cloudwatch-logs'] },
  clock: { composes: 'composeClock', clients: small },
  deadLetters: { composes: 'composeClock', clients: small },
};

/** What an installation gives its functions. */
const environment = {
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
};

function bareClients(services: readonly Service[]): string {
  const imports = services.map((name) => `import { ${clientNames[name]} } from '@aws-sdk/client-${name}';`);
  return `${imports.join('\n')}\nexport const handler = [${services.map((name) => `new ${clientNames[name]}({})`)}];`;
}

/** The function as it is deployed, and composed at once instead of by its first call. */
const composed = (name: string, composes: string): string =>
  `import { ${composes} } from './compose.ts'; export { ${name} as handler } from './functions.ts'; export const made = ${composes}();`;

/** Milliseconds from the start of a process of Node until the module is there, loaded as Lambda loads it. */
function startMs(file: string): number {
  const code = `require(${JSON.stringify(file)}); process.stdout.write(String(performance.now()))`;
  const env = { ...environment, PATH: process.env.PATH };
  return Number(execFileSync(process.execPath, ['-e', code], { env, encoding: 'utf8' }));
}

const folder = mkdtempSync(join(tmpdir(), 'serin-cold-'));
try {
  const sizes = new Map((await bundleFunctions(folder)).map(({ name, bytes }) => [name, bytes]));
  const bare = await bundle('bare', 'export const handler = async () => ({ statusCode: 200 });', folder);
  const rows = await Promise.all(
    Object.entries(functions).map(async ([name, { composes, clients }]) => ({
      name,
      kb: (sizes.get(name) ?? 0) / 1024,
      started: await bundle(`${name}-started`, composed(name, composes), folder),
      plain: await bundle(`${name}-clients`, bareClients(clients), folder, true),
      cut: await bundle(`${name}-clients-cut`, bareClients(clients), folder),
    })),
  );
  const files = [bare, ...rows.flatMap((row) => [row.started, row.plain, row.cut])].map(({ file }) => file);
  const times = new Map<string, number[]>(files.map((file) => [file, []]));
  // In turns, so that a busy moment of the machine falls on all of them.
  for (let round = 0; round < rounds; round += 1) for (const file of files) times.get(file)?.push(startMs(file));
  const median = (file: string): number =>
    (times.get(file) ?? []).sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;

  const failures: string[] = [];
  const line = (...cells: readonly string[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
  line(
    'bundle',
    'KB',
    'start, ms',
    'the same SDK clients bare, KB',
    'ms',
    'ratio',
    'bare with our cuts, KB',
    'ms',
    'ratio',
  );
  line(...Array.from({ length: 9 }, () => '---'));
  line('a bare handler', (bare.bytes / 1024).toFixed(1), median(bare.file).toFixed(0), '', '', '', '', '', '');
  for (const { name, kb, started, plain, cut } of rows) {
    const own = median(started.file);
    const beside = (peer: typeof plain) => [
      (peer.bytes / 1024).toFixed(0),
      median(peer.file).toFixed(0),
      (own / median(peer.file)).toFixed(2),
    ];
    line(name, kb.toFixed(0), own.toFixed(0), ...beside(plain), ...beside(cut));
    const ratio = own / median(plain.file);
    if (kb > maxKb) failures.push(`${name} has ${kb.toFixed(0)} KB, more than ${maxKb}`);
    if (ratio > maxRatio)
      failures.push(`${name} starts in ${ratio.toFixed(2)} of its clients bare, more than ${maxRatio}`);
  }
  process.stdout.write(`medians of ${rounds} starts of a process, minified; "our cuts": scripts/bundle-aws.ts\n`);
  for (const failure of failures) process.stdout.write(`missed: ${failure}\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
