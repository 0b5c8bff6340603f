import { commandOf } from '@serin/core/job-contract/command';
import { variablesOf } from '@serin/core/job-contract/variables';
import type { Job } from '@serin/core/ports/jobs';
import { placedIn } from '@serin/platform/jobs/layout';
import { expect, test } from 'vitest';
import { processingLayout, trainingLayout } from '../../functions/aws/src/jobs/layout.ts';
import { layoutOf as azureLayout } from '../../functions/azure/src/jobs/mounts.ts';
import { layoutOf as gcpLayout } from '../../functions/gcp/src/jobs/layout.ts';
import { placesOf } from '../../packages/local/src/machine/jobs/tree.ts';
import { configFiles, trainingEnvironment } from '../../packages/local/src/machine/training-environment.ts';
import { aJob } from './jobs.contract.ts';

const place = (name: string) => `\${{${name}}}`;
const artifact = { uri: 's3://own/jobs/x/output/model.tar.gz', digest: 'd', bytes: 1 };

const job = aJob('run_1/train/1', {
  command: ['python', '-u', 'src/train.py', '--data', place('inputs.train'), '--to', place('outputs.model')],
  hyperparameters: { 'learning-rate': '0.1', e: '3', use_amp: 'true', note: 'ü "x"' },
  channels: {
    train: { kind: 'manifest', bucket: 'serin', key: 'x' },
    validation: { kind: 'manifest', bucket: 'serin', key: 'x' },
    model: { kind: 'artifact', artifact },
  },
  outputs: ['model', 'report'],
  environment: { MODE: 'fast', MLFLOW_EXPERIMENT_NAME: 'mine', API_KEY: { secret: 'api-key' } },
  checkpoints: 'run_1',
});
const evaluation: Job = { ...job, key: 'run_1/evaluate/1', kind: 'evaluate', outputs: ['model', 'output'] };

const onMachine = (job: Job) => ({
  ...{ job, id: 'job-1', root: '/job', checkpoints: '/checkpoints/run' },
  machine: { inherited: { PATH: '/bin' }, cpus: 4, gpus: 1 },
});
const gpu = { name: 'ml.g5.xlarge', vcpus: 4, accelerator: { type: 'A10G', count: 1, memoryGbEach: 24 } };
const inContainer = (job: Job, layout = trainingLayout) => placedIn(layout, job, 'job-1', 'eu-west-1', gpu);
const inGcs = gcpLayout(job, 'own', 'jobs/job-1');
const several = { ...job, compute: { ...job.compute, nodes: 3 } };

const linesOf = (variables: Readonly<Record<string, string>>): string =>
  Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .sort()
    .join('');

test.each([
  ['one-machine', trainingEnvironment(onMachine(job)), commandOf(job, placesOf(onMachine(job)))],
  ['aws-training', variablesOf(inContainer(job)), commandOf(job, trainingLayout)],
  ['aws-training-nodes', variablesOf(inContainer(several)), commandOf(several, trainingLayout)],
  ['aws-training-toolkit', variablesOf(inContainer(job), 'toolkit'), commandOf(job, trainingLayout)],
  ['gcp', variablesOf(inContainer(job, inGcs)), commandOf(job, inGcs)],
  ['azure', variablesOf(inContainer(job, azureLayout(job))), commandOf(job, azureLayout(job))],
  ['aws-processing', variablesOf(inContainer(evaluation, processingLayout)), commandOf(evaluation, processingLayout)],
])('what a script is given on %s stays what it is', async (platform, variables, command) => {
  const text = `${JSON.stringify(command)}\n${linesOf(variables)}`;

  await expect(text).toMatchFileSnapshot(`job-variables/${platform}.txt`);
});

test('the files that a script of one machine reads beside its variables stay what they are', async () => {
  await expect(JSON.stringify(configFiles(onMachine(job)), null, 2)).toMatchFileSnapshot(
    'job-variables/one-machine-files.txt',
  );
});
