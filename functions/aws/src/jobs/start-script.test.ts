import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Bucket, Job } from '@serin/core/ports';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aJob } from '../../../../test/contract/jobs.contract.ts';
import { storeCode } from '../../../../test/emulators/aws/stored.ts';
import { memoryBucket } from '../../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { codeArchive } from '../code-archive.ts';
import { commandOf } from './command.ts';
import type { Placed } from './environment.ts';
import { processingLayout, trainingLayout } from './layout.ts';
import { commandVariables, startScript, toolkitProgram, toolkitScript } from './start-script.ts';

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

  const run = async (job: Partial<Job>) => {
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
    execFileSync('sh', [here('/opt/ml/start.sh')]);
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
  const job = aJob('run_1/train/1', {
    command: ['node', 'tell.mjs'],
    hyperparameters: { epochs: '10', note: `${note} ${'long '.repeat(300)}` },
  });

  test('becomes the command with its exact arguments, whatever the toolkit passes', () => {
    put(`/opt/ml/code/${toolkitProgram}`, toolkitScript, 0o755);
    put(
      '/opt/ml/code/tell.mjs',
      'console.log(JSON.stringify({ args: process.argv.slice(2), rank: process.env.RANK }));',
    );
    const env = { ...process.env, ...commandVariables(commandOf(job, trainingLayout)), SM_CURRENT_HOST: 'algo-3' };

    // sagemaker-training-toolkit, process.py: `/bin/sh -c "./serin-start.sh <arguments>"`, all of it through a shell.
    const call = `/bin/sh -c "./${toolkitProgram} --epochs 10 --note whatever"`;
    const said = execFileSync('sh', ['-c', call], { cwd: here('/opt/ml/code'), env }).toString();

    expect(JSON.parse(said)).toEqual({ args: ['--epochs', '10', '--note', job.hyperparameters.note], rank: '2' });
  });

  test('is given the command in pieces that SageMaker takes', () => {
    for (const piece of Object.values(commandVariables(commandOf(job, trainingLayout))))
      expect(piece.length).toBeLessThanOrEqual(512);
  });

  test('ends as the command ends', () => {
    put(`/opt/ml/${toolkitProgram}`, toolkitScript, 0o755);
    const env = { ...process.env, ...commandVariables(['sh', '-c', 'exit 7']) };

    expect(() => execFileSync(here(`/opt/ml/${toolkitProgram}`), { env })).toThrow(
      expect.objectContaining({ status: 7 }),
    );
  });
});
