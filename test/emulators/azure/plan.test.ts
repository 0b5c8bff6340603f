import { requestsFor } from '@serin/azure/plan';
import { compile, parseConfig } from '@serin/core/config/config';
import { expect, test } from 'vitest';
import { type Settings, topology } from '../../../infra/azure/topology.ts';
import { firstAsks } from '../../../packages/cli/src/plan/walk.ts';
import { emulatedAzure } from '../emulated.ts';
import { bodyProblems, modelsOfAzureMl } from './models.ts';
import { ruleProblems } from './rules.ts';

const image = { azure: 'acme.azurecr.io/ml/fraud@sha256:0' };
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
  const where = { account: '11111111-2222-3333-4444-555555555555', region: 'westeurope' };
  const { functions } = topology({ ...settings, dataBuckets: ['acme-drops'], ...installation }, where);
  return requestsFor({
    variables: functions.find(({ id }) => id === 'signals')?.environment ?? {},
    models: firstAsks(compile(read.parsed, new Map([['./src', digest]]), 'azure')),
  });
}

/** `jobs`, `environments/versions`: what a call makes. */
const made = (call: string): string =>
  (/\/workspaces\/[^/]+\/(.*)$/.exec(call)?.[1] ?? call.replace(/^PUT .*?\//, ''))
    .split('/')
    .filter((_, index) => index % 2 === 0)
    .join('/');

emulatedAzure('the requests of serin plan', () => {
  test('are what the ports send for the first run and the first deployment, in order', async () => {
    const found = await requests();

    const makings = found.map(({ call }) => made(call));
    expect(makings.filter((what) => what !== 'environments/versions')).toEqual([
      ...['jobs', 'jobs', 'jobs'],
      'models/versions',
      'onlineEndpoints',
      expect.stringContaining('diagnosticSettings'),
      'onlineEndpoints/deployments',
    ]);
  });

  test("are requests that Microsoft's models take", async () => {
    for (const { call, request } of await requests()) {
      if (call.includes('Microsoft.Insights')) continue;
      const operation = modelsOfAzureMl().operations.find(
        ({ verb, path }) => verb === 'PUT' && made(path) === made(call),
      );
      if (operation?.body === undefined) throw new Error(`${call} is no call of Azure ML`);
      const checked = { operation, params: {}, body: request, side: 'request' } as const;
      const rules = [...ruleProblems(checked)].filter((problem) => !problem.startsWith('path:'));
      expect([call, ...bodyProblems(operation.body, request, 'request'), ...rules]).toEqual([call]);
    }
  });

  test('say what the config says: machines, nodes, spot, identities and images', async () => {
    const found = await requests();

    const of = (what: string) => found.filter(({ call }) => made(call) === what).map(({ request }) => request);
    expect(of('jobs')[1]).toMatchObject({
      properties: {
        resources: { instanceCount: 4, instanceType: 'Standard_NC40ads_H100_v5' },
        queueSettings: { jobTier: 'Spot' },
        limits: { timeout: 'PT7200S' },
      },
    });
    expect(of('environments/versions').at(-1)).toMatchObject({ properties: { image: image.azure } });
    expect(of('onlineEndpoints/deployments')[0]).toMatchObject({
      sku: { capacity: 2 },
      tags: { 'serin-scale': '2-4' },
    });
    expect(JSON.stringify(of('onlineEndpoints')[0])).toMatch(/userAssignedIdentities\/[\w-]*models/);
  });
});
