import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Containers, containersContract, leave, type SecretStore, scriptOf } from '../containers.contract.ts';
import { emulatedAzure } from '../emulated.ts';
import { containersOf } from './containers.ts';
import { fakeJobs, serveLogs } from './fake-jobs.ts';
import { imageJob, jobsWorld, settings } from './jobs-world.ts';
import { type Routes, type Served, serveAzure } from './rest.ts';

emulatedAzure('containers of Azure ML', () => {
  let served: Served;
  let routes: Routes = {};
  let logs: Awaited<ReturnType<typeof serveLogs>>;
  let vault: Server;
  let vaultUrl = '';
  let secrets: SecretStore;
  beforeAll(async () => {
    const keys = Object.keys(fakeJobs({ now: () => 0 }).routes);
    served = await serveAzure(
      'azure-containers',
      Object.fromEntries(keys.map((key) => [key, (request) => routes[key]?.(request)])),
    );
    logs = await serveLogs();
    const asked: string[] = [];
    let stored = '';
    // The identity endpoint of Azure ML (@azure/msal-node, MachineLearning.ts), and Key Vault.
    vault = createServer(({ url = '', headers }, response) => {
      asked.push(url);
      const query = new URL(url, 'http://x').searchParams;
      const isToken =
        url.startsWith('/msi/token?') &&
        headers.secret === 'a-secret-of-the-endpoint' &&
        query.get('api-version') === '2017-09-01' &&
        query.get('resource') === 'https://vault.azure.net' &&
        query.get('clientid') === settings.jobClient;
      const isSecret = url.startsWith('/secrets/program-api-key?') && headers.authorization === 'Bearer a-token';
      const body = isToken
        ? {
            access_token: 'a-token',
            expires_on: '1795170000',
            resource: 'https://vault.azure.net',
            token_type: 'Bearer',
          }
        : { value: stored, id: 'https://x/secrets/program-api-key/1', attributes: { enabled: true } };
      response.writeHead(isToken || isSecret ? 200 : 403).end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    await once(vault, 'listening');
    vaultUrl = `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
    secrets = {
      env: { MSI_ENDPOINT: `${vaultUrl}/msi/token`, MSI_SECRET: 'a-secret-of-the-endpoint' },
      store: (text) => {
        stored = text;
      },
      asked: () => asked.at(-1),
      asks: '/secrets/program-api-key?api-version=7.6',
      missingTool: 'has no python3 or node',
      mend: 'Key Vault Secrets User',
    };
  });
  afterEach(() => served.check());
  afterAll(async () => {
    vault?.close();
    logs?.stop();
    await served?.stop();
  });

  function open(): Containers {
    const world = jobsWorld(served.azure);
    routes = world.fake.routes;
    const { code, dataset, put, jobs } = world;
    return { ...containersOf({ world, logs, vault: vaultUrl }), imageJob, code, dataset, put, start: jobs.start };
  }

  containersContract(open, () => secrets, ['python3', 'node']);

  describe('of several nodes', () => {
    const compute = { nodes: 3, spot: false };
    const source = `console.log(JSON.stringify([env.RANK, env.WORLD_SIZE, env.MASTER_ADDR, env.MASTER_PORT, env.SM_CURRENT_HOST]));
      if (env.RANK === '0') { ${leave} }`;

    test('each knows its rank and the first one, by what Azure ML tells it', async () => {
      const containers = open();
      const job = await scriptOf(containers, 'run_1/train/1', source, { compute });

      const { printed, status } = await containers.run((await containers.start(job)).id);
      containers.close();

      expect(status).toBe('succeeded');
      expect(printed.map((line) => JSON.parse(line))).toEqual([
        ['0', '3', '10.0.0.5', '6105', 'algo-1'],
        ['1', '3', '10.0.0.5', '6105', 'algo-2'],
        ['2', '3', '10.0.0.5', '6105', 'algo-3'],
      ]);
    });

    test('one that cannot find out which one it is fails, and says why', async () => {
      const containers = open();
      const job = await scriptOf(containers, 'run_1/train/1', leave, { compute });

      const { status, reason } = await containers.run((await containers.start(job)).id, { NODE_RANK: '' });
      containers.close();

      expect([status, reason]).toEqual(['failed', expect.stringContaining('do not say which node this is')]);
    });
  });

  describe('the tracking server of MLflow', () => {
    const source = `console.log(env.MLFLOW_TRACKING_URI, env.MLFLOW_EXPERIMENT_NAME, env.AZUREML_RUN_ID === env.MLFLOW_RUN_ID, env.MLFLOW_TRACKING_TOKEN); ${leave}`;

    async function printedBy(
      environment: Readonly<Record<string, string>>,
      env: Readonly<Record<string, string>> = {},
    ) {
      const containers = open();
      const job = await scriptOf(containers, 'run_1/train/1', source, { environment });
      const { printed } = await containers.run((await containers.start(job)).id, env);
      containers.close();
      return printed[0];
    }

    test('is that of Azure ML, which names it and its run to each container', async () => {
      expect(await printedBy({})).toBe(
        'azureml://westeurope.api.azureml.ms/mlflow/v1.0/workspaces/x prices true a-token-of-azure-ml',
      );
    });

    test('has the experiment that the job names', async () => {
      expect(await printedBy({ MLFLOW_EXPERIMENT_NAME: 'mine' })).toMatch(/^azureml:\S+ mine true /);
    });

    test('is the one that the job names, which is given no run and no token of Azure ML', async () => {
      expect(await printedBy({ MLFLOW_TRACKING_URI: 'https://mlflow.acme.com' })).toBe(
        'https://mlflow.acme.com prices false undefined',
      );
    });

    test('is a folder of the job where Azure ML names none', async () => {
      expect(await printedBy({}, { MLFLOW_TRACKING_URI: '' })).toMatch(/^file:\/.*\/left\/output\/data\/mlruns prices/);
    });
  });
});
