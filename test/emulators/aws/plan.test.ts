import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestsFor } from '@serin/aws/plan';
import { instanceTypes } from '@serin/clouds/aws/instance-types';
import { instanceTypeFor } from '@serin/clouds/instance-types';
import { compile, parseConfig } from '@serin/core/config/config';
import type { PartUse } from '@serin/core/config/parts';
import { describe, expect, test } from 'vitest';
import { type Settings, topology } from '../../../infra/aws/topology.ts';
import { firstAsks } from '../../../packages/cli/src/plan/walk.ts';
import { pack } from '../../../scripts/pack.ts';
import { folder, serin } from '../../cli/command.ts';
import { modelOf, problemsOf } from '../botocore.ts';

const image = { aws: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/fraud@sha256:0' };
const digest = 'a'.repeat(64);
const fraud = {
  data: { bucket: 'acme-drops', prefix: 'fraud/' },
  split: { holdout: { by: 'time', column: 'day', last: '20%' } },
  train: {
    code: './src',
    command: ['python3', 'train.py'],
    image,
    hyperparameters: { epochs: 10 },
    checkpoints: true,
    metrics: [{ name: 'auc', regex: 'auc=(.*)' }],
    compute: { accelerator: { type: 'H100' }, nodes: 4, spot: true, maxRuntime: '2h' },
  },
  evaluate: { command: ['python3', 'evaluate.py'], image },
  gate: { auc: { direction: 'up', atLeast: 0.8 } },
  serve: { command: ['python3', 'serve.py'], image, compute: { instances: { min: 2, max: 4 } } },
};

async function requests(changes: object = {}, installation: Partial<Settings> = {}) {
  const read = parseConfig({ project: 'acme', environment: 'prod', models: { fraud: { ...fraud, ...changes } } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const where = { partition: 'aws', region: 'eu-west-1', account: '123456789012', urlSuffix: 'amazonaws.com' };
  const settings = { project: 'acme', environment: 'prod', version: '0.1.0', adminTokenHash: digest };
  const { functions } = topology({ ...settings, dataBuckets: ['acme-drops'], ...installation }, where);
  return requestsFor({
    region: 'eu-west-1',
    variables: functions.find(({ id }) => id === 'signals')?.environment ?? {},
    models: firstAsks(compile(read.parsed, new Map([['./src', digest]]), 'aws')),
  });
}

const callsOfFirstRun = [
  'sagemaker:CreateProcessingJob',
  'sagemaker:CreateTrainingJob',
  'sagemaker:CreateProcessingJob',
  'sagemaker:CreateModelPackageGroup',
  'sagemaker:CreateModelPackage',
  'sagemaker:CreateModel',
  'sagemaker:CreateEndpointConfig',
  'sagemaker:CreateEndpoint',
];

describe('the requests of serin plan', () => {
  test('are what the ports send for the first run and the first deployment, and AWS would take each', async () => {
    const found = await requests();

    const calls = found.map(({ call }) => call);
    expect(calls).toEqual(callsOfFirstRun);
    for (const { call, request } of found) {
      const [service = '', operation = ''] = call.split(':');
      expect([call, problemsOf(service, operation, 'input', request)]).toEqual([call, []]);
    }
  });

  test('say what the config says: machine, nodes, spot, roles and images', async () => {
    const [, training] = await requests();

    expect(training?.request).toMatchObject({
      RoleArn: 'arn:aws:iam::123456789012:role/serin-acme-prod-jobs',
      AlgorithmSpecification: { TrainingImage: image.aws, MetricDefinitions: [{ Name: 'auc', Regex: 'auc=(.*)' }] },
      ResourceConfig: { InstanceType: 'ml.p5.4xlarge', InstanceCount: 4 },
      EnableManagedSpotTraining: true,
      StoppingCondition: { MaxRuntimeInSeconds: 7200 },
    });
  });

  test.each([
    [{ subnets: ['subnet-0a1b2c3d', 'subnet-1a2b3c4d'], securityGroups: ['sg-0a1b2c3d'] }],
    ['isolated' as const],
  ])('are inside the network of the installation, with its key: %j', async (network) => {
    const kmsKey = 'arn:aws:kms:eu-west-1:123456789012:key/0c5b0f0c-0000-4000-8000-000000000000';
    const expected = {
      Subnets: network === 'isolated' ? ['<SERIN_SUBNETS>'] : network.subnets,
      SecurityGroupIds: network === 'isolated' ? ['<SERIN_SECURITY_GROUPS>'] : network.securityGroups,
    };

    const found = await requests({}, { network, kmsKey });

    const of = (call: string) => found.find((one) => one.call === `sagemaker:${call}`)?.request;
    expect(of('CreateTrainingJob')).toMatchObject({ VpcConfig: expected, OutputDataConfig: { KmsKeyId: kmsKey } });
    expect(of('CreateProcessingJob')).toMatchObject({ NetworkConfig: { VpcConfig: expected } });
    expect(of('CreateModel')).toMatchObject({ VpcConfig: expected });
  });

  test('show the name of a secret where its text will be', async () => {
    const environment = { API_KEY: { secret: 'api-key' } };
    const train = { ...fraud.train, environment };
    const found = await requests({ train, serve: { ...fraud.serve, environment } });

    const of = (call: string) => found.find((one) => one.call === `sagemaker:${call}`)?.request;
    expect(of('CreateTrainingJob')).toMatchObject({ Environment: { API_KEY: '<secret api-key>' } });
    expect(of('CreateModel')).toMatchObject({ PrimaryContainer: { Environment: { API_KEY: '<secret api-key>' } } });
  });

  test('are no deployment for a model that is not served', async () => {
    const calls = (await requests({ serve: 'none' })).map(({ call }) => call);

    expect(calls.filter((call) => /Endpoint|CreateModel$/.test(call))).toEqual([]);
  });
});

test('serin plan --requests prints them', async () => {
  const cwd = folder();
  mkdirSync(join(cwd, 'src'));
  writeFileSync(join(cwd, 'src', 'train.py'), '#');
  writeFileSync(join(cwd, 'serin.config.json'), JSON.stringify({ project: 'acme', models: { fraud } }));

  const { exit, stdout } = await serin(['plan', '--requests', '--region', 'eu-west-1'], { cwd });

  expect(exit).toBe(0);
  expect(stdout).toContain('sagemaker:CreateTrainingJob  fraud: the train job of its first run\n{');
  expect(stdout).toContain('"TrainingJobName": "dev-acme--train-1-');
});

test('the published package prints them as well, with nothing installed but itself', { timeout: 180_000 }, async () => {
  const cwd = folder();
  await pack(cwd);
  const models = { fraud: { ...fraud, train: { ...fraud.train, code: undefined } } };
  writeFileSync(join(cwd, 'serin.config.json'), JSON.stringify({ project: 'acme', models }));
  const bin = join(cwd, 'package', 'bin', 'serin.js');

  const run = execFileSync(process.execPath, [bin, 'plan', '--requests', '--json'], { cwd, encoding: 'utf8' });

  expect(JSON.parse(run).requests.map(({ call }: { call: string }) => call)).toEqual(callsOfFirstRun);
});

describe('the machines of the accelerator table', () => {
  const shapes: Readonly<Record<PartUse, string>> = {
    train: 'TrainingInstanceType',
    process: 'ProcessingInstanceType',
    serve: 'ProductionVariantInstanceType',
  };
  const types = ['T4', 'L4', 'A10G', 'A100', 'A100-80GB', 'H100', 'H200', 'B200'];

  test.each(Object.entries(shapes) as [PartUse, string][])(
    'to %s are in SageMaker’s %s, and only those',
    (use, shape) => {
      const allowed = new Set(
        (modelOf('sagemaker').shapes[shape] as { readonly enum?: readonly string[] })?.enum ?? [],
      );
      const chosen = (anyUse: PartUse, type: string, count: number): string | undefined => {
        try {
          return instanceTypeFor(instanceTypes, anyUse, { type, count }).name;
        } catch {
          return undefined;
        }
      };

      expect(allowed.size).toBeGreaterThan(100);
      for (const type of types)
        for (const count of [1, 4, 8]) {
          const here = chosen(use, type, count);
          const anywhere = chosen('train', type, count) ?? '';
          expect([type, count, here ?? 'none']).toEqual([type, count, allowed.has(anywhere) ? anywhere : 'none']);
        }
    },
  );
});
