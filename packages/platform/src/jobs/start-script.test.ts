import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Job } from '@serin/core/ports/jobs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aJob } from '../../../../test/contract/jobs.contract.ts';
import { storeCode } from '../../../../test/emulators/aws/stored.ts';
import { memoryBucket } from '../../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { codeArchive } from '../code/archive.ts';
import { type Contained, isArchive, type Layout } from './layout.ts';
import { startScript } from './start-script.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'serin-start-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The container's `/job` is a folder of this test. */
const here = (text: string): string => text.replaceAll('/job/', `${root}/`);

const put = (path: string, content: string | Uint8Array, mode = 0o644): void => {
  mkdirSync(dirname(here(path)), { recursive: true });
  writeFileSync(here(path), content, { mode });
};

const layout: Layout = {
  ...{ code: '/job/code', model: '/job/output/model', output: '/job/output', outputData: '/job/output/data' },
  ...{ input: '/job/input', config: '/job/config', checkpoints: '/job/checkpoints' },
  ...{ logs: '/job/logs', tracking: '/job/mlruns' },
  exitMessage: '/job/output/message',
  resourceConfig: '/job/config/resourceconfig.json',
  channel: (name) => `/job/input/${name}`,
  found: (name, source) => (isArchive(source) ? `/job/unpacked/${name}` : `/job/input/${name}`),
  outputOf: (name) => `/job/output/${name}`,
};

const placed = (job: Job): Contained => ({
  ...{ job, name: 'prod-shop-evaluate-1-0123456789abcdef', places: layout },
  computer: { instanceType: 'm5.xlarge', region: 'eu-west-1', cpus: 4, gpus: 0, network: 'eth0' },
});

const note = '$(date) "quoted" it\'s `here`\nand there';

describe('the script that starts a container', () => {
  const tell = `const { env, argv } = process;
    const { writeFileSync, readFileSync } = await import('node:fs');
    const model = readFileSync(env.SM_CHANNEL_MODEL + '/model.txt', 'utf8');
    writeFileSync(env.SM_OUTPUT_DATA_DIR + '/metrics.json', JSON.stringify({ env, args: argv.slice(2), model, at: process.cwd() }));
    writeFileSync(env.SM_OUTPUT_DIR + '/failure', 'last words');`;

  const run = async (job: Partial<Job>, request: Readonly<Record<string, string>> = {}) => {
    const bucket = atOnce<Bucket>(memoryBucket());
    const digest = await storeCode({ 'src/tell.mjs': tell }, (_, key, content) =>
      bucket.write(key, Buffer.from(content)),
    );
    const key = await codeArchive(digest, bucket, { path: 'serin-start.sh', text: '#!/bin/sh\n' });
    const archive = await bucket.read({ key, maxBytes: 1_000_000 });
    put(`/job/input/serin-code/${digest}.tar.gz`, archive?.content ?? '');
    const packed = mkdtempSync(join(tmpdir(), 'serin-model-'));
    writeFileSync(join(packed, 'model.txt'), 'weights');
    put('/job/input/model/model.tar.gz', execFileSync('tar', ['-czf', '-', '-C', packed, '.']));
    rmSync(packed, { recursive: true });
    const artifact = { uri: 's3://own/jobs/x/output/model.tar.gz', digest: 'd', bytes: 1 };
    const whole = aJob('run_1/evaluate/1', {
      kind: 'evaluate',
      channels: { model: { kind: 'artifact', artifact } },
      command: ['node', 'src/tell.mjs', 'an argument', note],
      ...job,
    });
    put('/job/start.sh', here(startScript(placed(whole), key)));
    execFileSync('sh', [here('/job/start.sh')], { env: { ...process.env, ...request } });
    return JSON.parse(readFileSync(here('/job/output/data/metrics.json'), 'utf8'));
  };

  test('unpacks code and model, and becomes the command with every variable of the contract', async () => {
    const hyperparameters = { 'learning-rate': '0.1', note };

    const said = await run({ hyperparameters, environment: { MODE: 'fast', 'odd-name': note }, outputs: ['report'] });

    expect(said).toMatchObject({ args: ['an argument', note], model: 'weights', at: here('/job/code/').slice(0, -1) });
    expect(said.env).toMatchObject({
      MODE: 'fast',
      'odd-name': note,
      'SM_HP_LEARNING-RATE': '0.1',
      SM_HP_NOTE: note,
      SM_CHANNELS: '["model"]',
      SM_HOSTS: '["algo-1"]',
      SM_USER_ENTRY_POINT: 'src/tell.mjs',
      AZURE_ML_INPUT_model: here('/job/unpacked/model'),
      SERIN_OUTPUT_REPORT: here('/job/output/report'),
      WORLD_SIZE: '1',
      RANK: '0',
    });
    expect(readFileSync(here('/job/output/message'), 'utf8')).toBe('last words');
  });

  test('leaves a variable whose text is a secret as the request gave it', async () => {
    const environment = { API_KEY: { secret: 'api-key' }, MLFLOW_TRACKING_URI: { secret: 'tracking' } };
    const request = { API_KEY: 'a secret', MLFLOW_TRACKING_URI: 'https://user:password@mlflow.test' };

    const said = await run({ environment }, request);

    expect(said.env).toMatchObject(request);
  });

  test('tells each of several nodes which one it is', () => {
    const job = aJob('run_1/evaluate/1', {
      kind: 'evaluate',
      command: ['node', '-e', 'console.log(process.env.RANK, process.env.SM_CURRENT_HOST, process.env.MASTER_ADDR)'],
      compute: { nodes: 12, spot: false },
    });
    put('/job/config/resourceconfig.json', '{"current_host":"algo-12","hosts":["algo-1","algo-12"]}');
    put('/job/start.sh', here(startScript(placed(job), undefined)));

    const said = execFileSync('sh', [here('/job/start.sh')]).toString();

    expect(said.trim()).toBe('11 algo-12 algo-1');
  });

  test('does not become the command where there is no room to unpack a channel', () => {
    const artifact = { uri: 's3://own/jobs/x/output/model.tar.gz', digest: 'd', bytes: 1 };
    const job = aJob('run_1/evaluate/1', {
      ...{ kind: 'evaluate', command: ['echo', 'ran'] },
      channels: { model: { kind: 'artifact', artifact } },
    });
    put('/job/unpacked', 'a file where the folder should be');
    put('/job/start.sh', here(startScript(placed(job), undefined)));

    const { status, stdout } = spawnSync('sh', [here('/job/start.sh')]);

    expect([status, stdout.toString()]).toEqual([1, '']);
  });

  test('does first what the platform does not do by itself, and gives the command what that found out', () => {
    const job = aJob('run_1/evaluate/1', { kind: 'evaluate', command: ['sh', '-c', 'echo "$MASTER_ADDR"'] });
    const lines = [`first='a "host"'`];
    put('/job/start.sh', here(startScript(placed(job), undefined, { lines, variables: { MASTER_ADDR: '$first' } })));

    expect(execFileSync('sh', [here('/job/start.sh')]).toString()).toBe('a "host"\n');
  });
});
