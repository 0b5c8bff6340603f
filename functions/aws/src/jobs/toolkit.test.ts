import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Job } from '@serin/core/ports/jobs';
import { placedIn } from '@serin/platform/jobs/layout';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aJob } from '../../../../test/contract/jobs.contract.ts';
import { trainingLayout } from './layout.ts';
import { scriptBesideToolkit, toolkitStart } from './toolkit.ts';

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

const machine = { name: 'ml.m5.xlarge', vcpus: 4 };
const note = '$(date) "quoted" it\'s `here`\nand there';

describe('the program that SageMaker’s toolkit runs', () => {
  const tell = 'console.log(JSON.stringify({ args: process.argv.slice(2), env: process.env, at: process.cwd() }));';
  const begun = (job: Job, env: Readonly<Record<string, string>> = {}) => {
    put(`/opt/ml/code/${toolkitStart.path}`, here(toolkitStart.text), 0o755);
    put('/opt/ml/code/tell.mjs', tell);
    put(
      '/opt/ml/input/data/serin-start/start.sh',
      here(
        scriptBesideToolkit(placedIn(trainingLayout, job, 'prod-shop-train-1-0123456789abcdef', 'eu-west-1', machine)),
      ),
    );
    // sagemaker-training-toolkit, process.py: `/bin/sh -c "./serin-start.sh <arguments>"`, all of it through a shell.
    const call = `/bin/sh -c "./${toolkitStart.path} "`;
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
