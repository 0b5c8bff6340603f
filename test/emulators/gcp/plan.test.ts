import { compile, parseConfig } from '@serin/core/config/config';
import { requestsFor } from '@serin/gcp/plan';
import { expect, test } from 'vitest';
import { type Settings, topology } from '../../../infra/gcp/topology.ts';
import { firstAsks } from '../../../packages/cli/src/plan/walk.ts';
import { emulatedGcp } from '../emulated.ts';
import { bodyProblems, methodsOf } from './documents.ts';
import { requestProblems } from './protos.ts';
import { matchOf } from './routes.ts';

const image = { gcp: 'europe-west4-docker.pkg.dev/acme/ml/fraud@sha256:0' };
const digest = 'a'.repeat(64);
const fraud = {
  data: { bucket: 'acme-drops', prefix: 'fraud/' },
  split: { prepare: { command: ['python3', 'split.py'], image } },
  train: {
    code: './src',
    command: ['python3', 'train.py'],
    image,
    hyperparameters: { epochs: 10 },
    checkpoints: true,
    compute: { accelerator: { type: 'H100' }, nodes: 4, spot: true, maxRuntime: '2h' },
  },
  evaluate: { command: ['python3', 'evaluate.py'], image },
  gate: { auc: { direction: 'up', atLeast: 0.8 } },
  serve: { command: ['python3', 'serve.py'], image, compute: { instances: { min: 2, max: 4 } } },
  rollout: { readyWithin: '1h' },
};

async function requests(changes: object = {}, installation: Partial<Settings> = {}) {
  const read = parseConfig({ project: 'acme', environment: 'prod', models: { fraud: { ...fraud, ...changes } } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const settings = { project: 'acme', environment: 'prod', version: '0.1.0', adminTokenHash: digest };
  const where = { account: 'acme-ml', region: 'europe-west4', number: '123456789012' };
  const { functions } = topology({ ...settings, dataBuckets: ['acme-drops'], ...installation }, where);
  return requestsFor({
    variables: functions.find(({ id }) => id === 'signals')?.environment ?? {},
    models: firstAsks(compile(read.parsed, new Map([['./src', digest]]), 'gcp')),
  });
}

emulatedGcp('the requests of serin plan', () => {
  test('are what the ports send for the first run and the first deployment, in order', async () => {
    const found = await requests();

    expect(found.map(({ call }) => call.replace('aiplatform.projects.locations.', ''))).toEqual([
      'customJobs.create',
      'customJobs.create',
      'customJobs.create',
      'models.upload',
      'endpoints.create',
      'models.upload',
      'endpoints.deployModel',
    ]);
  });

  test('are requests that Google would take', async () => {
    for (const installation of [{}, { kmsKey: 'projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k' }])
      for (const { call, request } of await requests({}, installation)) {
        const method = methodsOf('aiplatform').find(({ id }) => id === call);
        if (method === undefined) throw new Error(`${call} is no method of Vertex AI`);
        const path = (method.flatPath ?? method.path).replace(/\{\w+\}/g, 'x');
        const { params } = matchOf('aiplatform', method.httpMethod, path);
        const sent = { params, query: new URLSearchParams(), body: request };
        expect([
          call,
          ...bodyProblems('aiplatform', method.request, request, 'request'),
          ...requestProblems('aiplatform', method, sent),
        ]).toEqual([call]);
      }
  });

  test('say what the config says: machine, nodes, spot, accounts and images', async () => {
    const [, training] = await requests();

    expect(training?.request).toMatchObject({
      jobSpec: {
        serviceAccount: expect.stringMatching(/^serin-[0-9a-f]{8}-jobs@acme-ml\.iam\.gserviceaccount\.com$/),
        scheduling: { timeout: '7200s', strategy: 'SPOT' },
        workerPoolSpecs: [
          { replicaCount: '1', machineSpec: { machineType: 'a3-highgpu-1g', acceleratorType: 'NVIDIA_H100_80GB' } },
          { replicaCount: '3', containerSpec: { imageUri: image.gcp } },
        ],
      },
    });
  });
});
