import { execFileSync } from 'node:child_process';
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
import { codeArchive } from '../code-archive.ts';
import type { Placed } from './environment.ts';
import { processingLayout, trainingLayout } from './layout.ts';
import { scriptBesideToolkit, startScript, toolkitProgram, toolkitScript } from './start-script.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'serin-start-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The container's `/opt/ml` is a folder of this test. */
const here = (text: string): string => text.replaceAll('/opt/ml', root);

const put = (path: string, content: string | Uint8Array, mode = 0o644): void => {
  mkdirSync(dirname(here(path)), { recursive: true });
  writeFileSync(here(path), content, { mode });
};

const placed = (job: Job, layout = processingLayout): Placed => ({
  job,
  name: 'prod-shop-evaluate-1-0123456789abcdef',
  layout,
  region: 'eu-west-1',
  machine: { name: 'ml.m5.xlarge', vcpus: 4, gpus: 0 },
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
    const key = await codeArchive(digest, bucket);
    const archive = await bucket.read({ key, maxBytes: 1_000_000 });
    put(`/opt/ml/processing/input/serin-code/${digest}.tar.gz`, archive?.content ?? '');
    const packed = mkdtempSync(join(tmpdir(), 'serin-model-'));
    writeFileSync(join(packed, 'model.txt'), 'weights');
    put('/opt/ml/processing/input/model/model.tar.gz', execFileSync('tar', ['-czf', '-', '-C', packed, '.']));
    rmSync(packed, { recursive: true });
    const artifact = { uri: 's3://own/jobs/x/output/model.tar.gz', digest: 'd', bytes: 1 };
    const whole = aJob('run_1/evaluate/1', {
      kind: 'evaluate',
      channels: { model: { kind: 'artifact', artifact } },
      command: ['node', 'src/tell.mjs', 'an argument', note],
      ...job,
    });
    put('/opt/ml/start.sh', here(startScript(placed(whole), key)));
    execFileSync('sh', [here('/opt/ml/start.sh')], { env: { ...process.env, ...request } });
    return JSON.parse(readFileSync(here('/opt/ml/processing/output/output/metrics.json'), 'utf8'));
  };

  test('unpacks code and model, and becomes the command with every variable of the contract', async () => {
    const hyperparameters = { 'learning-rate': '0.1', note };

    const said = await run({ hyperparameters, environment: { MODE: 'fast', 'odd-name': note }, outputs: ['report'] });

    expect(said).toMatchObject({ args: ['an argument', note], model: 'weights', at: here('/opt/ml/code') });
    expect(said.env).toMatchObject({
      MODE: 'fast',
      'odd-name': note,
      'SM_HP_LEARNING-RATE': '0.1',
      SM_HP_NOTE: note,
      SM_CHANNELS: '["model"]',
      SM_HOSTS: '["algo-1"]',
      SM_USER_ENTRY_POINT: 'src/tell.mjs',
      AZURE_ML_INPUT_model: here('/opt/ml/processing/unpacked/model'),
      SERIN_OUTPUT_REPORT: here('/opt/ml/processing/output/report'),
      WORLD_SIZE: '1',
      RANK: '0',
    });
    expect(readFileSync(here('/opt/ml/output/message'), 'utf8')).toBe('last words');
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
    put('/opt/ml/config/resourceconfig.json', '{"current_host":"algo-12","hosts":["algo-1","algo-12"]}');
    put('/opt/ml/start.sh', here(startScript(placed(job), undefined)));

    const said = execFileSync('sh', [here('/opt/ml/start.sh')]).toString();

    expect(said.trim()).toBe('11 algo-12 algo-1');
  });
});

describe('the program that SageMaker’s toolkit runs', () => {
  const tell = 'console.log(JSON.stringify({ args: process.argv.slice(2), env: process.env, at: process.cwd() }));';
  const begun = (job: Job, env: Readonly<Record<string, string>> = {}) => {
    put(`/opt/ml/code/${toolkitProgram}`, here(toolkitScript), 0o755);
    put('/opt/ml/code/tell.mjs', tell);
    put('/opt/ml/input/data/serin-start/start.sh', here(scriptBesideToolkit(placed(job, trainingLayout))));
    // sagemaker-training-toolkit, process.py: `/bin/sh -c "./serin-start.sh <arguments>"`, all of it through a shell.
    const call = `/bin/sh -c "./${toolkitProgram} "`;
    const options = { cwd: here('/opt/ml/code'), env: { ...process.env, ...env } };
    return execFileSync('sh', ['-c', call], options).toString();
  };

  test('becomes the command with its exact arguments and the variables of the job, and keeps those of the toolkit', () => {
    const hyperparameters = { epochs: '10', use_amp: 'true', note: `${note} ${'long '.repeat(300)}` };
    const job = aJob('run_1/train/1', {
      command: ['node', 'tell.mjs'],
      hyperparameters,
      environment: { 'odd-name': note },
      channels: { train: { kind: 'manifest', bucket: 'serin', key: 'x' } },
      compute: { nodes: 4, spot: false },
    });

    const said = JSON.parse(begun(job, { SM_CURRENT_HOST: 'algo-3', SM_NUM_GPUS: '4', SM_HPS: '{}' }));

    expect(said).toMatchObject({
      args: ['--epochs', '10', '--note', hyperparameters.note, '--use_amp', 'True'],
      at: here('/opt/ml/code'),
      env: {
        RANK: '2',
        SM_CURRENT_HOST: 'algo-3',
        SM_NUM_GPUS: '4',
        SM_HP_EPOCHS: '10',
        SM_CHANNELS: '["train"]',
        SM_CHANNEL_TRAINING: here('/opt/ml/input/data/train'),
        'odd-name': note,
      },
    });
    expect(JSON.parse(said.env.SM_HPS)).toEqual({ epochs: 10, use_amp: true, note: hyperparameters.note });
  });

  test('leaves a variable whose text is a secret as the request gave it', () => {
    const environment = { MLFLOW_TRACKING_URI: { secret: 'tracking' } };
    const request = { MLFLOW_TRACKING_URI: 'https://user:password@mlflow.test' };
    const job = aJob('run_1/train/1', { command: ['node', 'tell.mjs'], environment });

    expect(JSON.parse(begun(job, request)).env).toMatchObject(request);
  });

  test('ends as the command ends', () => {
    const job = aJob('run_1/train/1', { command: ['sh', '-c', 'exit 7'] });

    expect(() => begun(job)).toThrow(expect.objectContaining({ status: 7 }));
  });
});
