import { expect, test } from 'vitest';
import type { Job } from '../ports/jobs.ts';
import { channelVariables, decodedHyperparameters, missingOutput, type PlacedJob, variablesOf } from './variables.ts';

test("the channel 'train' has the name of SageMaker's default as well, unless there is one of that name", () => {
  expect(channelVariables({ train: '/t', holdout: '/h' })).toEqual({
    SM_CHANNEL_TRAIN: '/t',
    SM_CHANNEL_TRAINING: '/t',
    SM_CHANNEL_HOLDOUT: '/h',
  });
  expect(channelVariables({ train: '/t', training: '/own' })).toMatchObject({ SM_CHANNEL_TRAINING: '/own' });
  expect(channelVariables({ model: '/m' })).toEqual({ SM_CHANNEL_MODEL: '/m' });
});

test('hyperparameters are decoded as the toolkit does it, and keep what a number cannot hold', () => {
  const hyperparameters = { epochs: '10', flag: 'true', big: '9007199254740993', text: 'adam', huge: '1e999' };

  expect(decodedHyperparameters({ hyperparameters })).toEqual({
    ...{ epochs: 10, flag: true, big: '9007199254740993', text: 'adam', huge: '1e999' },
  });
});

const job: Job = {
  ...{ key: 'run_1/train/1', kind: 'train', project: 'shop', model: 'prices', command: ['python', 'train.py'] },
  ...{ environment: {}, hyperparameters: {}, channels: {}, outputs: ['model'], metrics: [] },
  ...{ compute: { nodes: 1, spot: false }, maxRuntimeMs: 60_000 },
};
const placed = (change: Partial<Job>): PlacedJob => ({
  job: { ...job, ...change },
  name: 'job-1',
  places: {
    ...{ code: '/code', model: '/model', input: '/in', config: '/config', output: '/out', outputData: '/out/data' },
    ...{ checkpoints: '/kept', logs: '/logs', tracking: '/mlruns' },
    found: (name) => `/in/${name}`,
    outputOf: (name) => `/out/${name}`,
  },
  computer: { instanceType: 'large', region: 'here', cpus: 2, gpus: 0, network: 'lo' },
});

test('every family of names is over the same places, and the variables of the job itself win', () => {
  const train = { kind: 'manifest', bucket: 'serin', key: 'x' } as const;

  const variables = variablesOf(placed({ channels: { train }, environment: { MLFLOW_TRACKING_URI: 'https://mine' } }));

  expect(variables).toMatchObject({
    ...{ SM_CHANNEL_TRAIN: '/in/train', AIP_TRAINING_DATA_URI: '/in/train/*', AZURE_ML_INPUT_train: '/in/train' },
    ...{
      SM_MODEL_DIR: '/model',
      AIP_MODEL_DIR: '/model',
      SERIN_OUTPUT_MODEL: '/out/model',
      WORLD_SIZE: '1',
      RANK: '0',
    },
    ...{ AZURE_ML_OUTPUT_model: '/out/model', MLFLOW_TRACKING_URI: 'https://mine', MLFLOW_EXPERIMENT_NAME: 'prices' },
  });
});

test('a variable whose text is a secret is not among them, also one of a family', () => {
  const secret = { secret: 'tracking' };

  const variables = variablesOf(
    placed({ environment: { API_KEY: secret, MLFLOW_TRACKING_URI: secret, MODE: 'fast' } }),
  );

  expect(Object.keys(variables)).not.toContain('API_KEY');
  expect(Object.keys(variables)).not.toContain('MLFLOW_TRACKING_URI');
  expect(variables).toMatchObject({ MODE: 'fast', MLFLOW_EXPERIMENT_NAME: 'prices' });
});

test('of several nodes each finds its own rank, and the toolkit of an image its own variables', () => {
  const several = placed({ compute: { nodes: 2, spot: false } });

  const names = Object.keys(variablesOf(several, 'toolkit'));

  expect(variablesOf(several)).toMatchObject({ WORLD_SIZE: '2', SM_HOSTS: '["algo-1","algo-2"]' });
  expect(variablesOf(several)).not.toHaveProperty('RANK');
  for (const own of ['RANK', 'SM_HOSTS', 'SM_TRAINING_ENV']) expect(names).not.toContain(own);
  expect(names).toContain('SM_HPS');
});

test.each([
  ['model', 'SM_MODEL_DIR'],
  ['output', 'SM_OUTPUT_DATA_DIR'],
  ['holdout', 'SERIN_OUTPUT_HOLDOUT'],
])('a job that left no %s is told where to leave it: %s', (name, variable) => {
  const { code, message } = missingOutput(name, '/opt/ml/x');

  expect(code).toBe('invalid');
  expect(message).toMatch(new RegExp(`wrote no ${name} into /opt/ml/x; .* ${variable} names$`));
});

test("MLflow's client is told of the run where a server knows it, unless the job brings a server of its own", () => {
  const tracking = { uri: 'http://127.0.0.1:7373', experiment: 'model-prices' };

  const ours = variablesOf({ ...placed({}), tracking });
  const theirs = variablesOf({ ...placed({ environment: { MLFLOW_TRACKING_URI: 'https://mine' } }), tracking });

  const { job } = placed({});
  expect(ours).toMatchObject({
    MLFLOW_TRACKING_URI: 'http://127.0.0.1:7373',
    MLFLOW_EXPERIMENT_NAME: 'prices',
    MLFLOW_EXPERIMENT_ID: 'model-prices',
    MLFLOW_RUN_ID: job.key.split('/')[0],
  });
  expect(theirs).toMatchObject({ MLFLOW_TRACKING_URI: 'https://mine' });
  expect(Object.keys(theirs)).not.toContain('MLFLOW_RUN_ID');
  expect(Object.keys(theirs)).not.toContain('MLFLOW_EXPERIMENT_ID');
});
