import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Containers, containersContract, leave, type SecretStore, scriptOf } from '../containers.contract.ts';
import { emulatedGcp } from '../emulated.ts';
import { containersOf } from './containers.ts';
import { type Handlers, type Served, serveGoogle } from './discovery.ts';
import { fakeJobs } from './fake-jobs.ts';
import { imageJob, jobsWorld } from './jobs-world.ts';

emulatedGcp('containers of Vertex AI', () => {
  let served: Served;
  let handlers: Handlers = {};
  let secretManager: Server;
  let secrets: SecretStore;
  beforeAll(async () => {
    const ids = Object.keys(fakeJobs({ now: () => 0 }).handlers);
    served = await serveGoogle(
      'gcp-containers',
      Object.fromEntries(ids.map((id) => [id, (request) => handlers[id]?.(request)])),
    );
    const asked: string[] = [];
    let stored = '';
    // As on the wire: pretty JSON, and the text in base64. https://docs.cloud.google.com/secret-manager/docs/reference/rest
    secretManager = createServer(({ url = '', headers }, response) => {
      asked.push(url);
      const isToken =
        url.endsWith('/instance/service-accounts/default/token') && headers['metadata-flavor'] === 'Google';
      const isSecret = url.endsWith('-api-key/versions/latest:access') && headers.authorization === 'Bearer a-token';
      const data = Buffer.from(stored).toString('base64');
      const body = isToken
        ? { access_token: 'a-token', expires_in: 3599, token_type: 'Bearer' }
        : { name: 'projects/1/secrets/x/versions/1', payload: { data, dataCrc32c: '1' } };
      response.writeHead(isToken || isSecret ? 200 : 403);
      response.end(JSON.stringify(body, undefined, isToken ? undefined : 2));
    }).listen(0, '127.0.0.1');
    await once(secretManager, 'listening');
    const host = `127.0.0.1:${(secretManager.address() as AddressInfo).port}`;
    secrets = {
      env: { GCE_METADATA_HOST: host, CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: `http://${host}` },
      store: (text) => {
        stored = text;
      },
      asked: () => asked.at(-1),
      asks: '/v1/projects/acme-ml/secrets/serin-prod-shop-program-api-key/versions/latest:access',
      missingTool: 'has no python3, node or curl',
      mend: 'roles/secretmanager.secretAccessor',
    };
  });
  afterEach(() => served.check());
  afterAll(async () => {
    secretManager?.close();
    await served?.stop();
  });

  function open(): Containers {
    const world = jobsWorld(served.google);
    handlers = world.fake.handlers;
    const { code, dataset, put, jobs } = world;
    return { ...containersOf(world), imageJob, code, dataset, put, start: jobs.start };
  }

  containersContract(open, () => secrets, ['python3', 'node', 'curl']);

  describe('of several nodes', () => {
    test('each knows its rank and the first one, by what Vertex AI tells it', async () => {
      const containers = open();
      const source = `console.log(JSON.stringify([env.RANK, env.WORLD_SIZE, env.MASTER_ADDR, env.MASTER_PORT, env.SM_CURRENT_HOST]));
        if (env.RANK === '0') { ${leave} }`;
      const job = await scriptOf(containers, 'run_1/train/1', source, { compute: { nodes: 3, spot: false } });

      const { printed, status } = await containers.run((await containers.start(job)).id);
      containers.close();

      const first = 'cmle-training-workerpool0-1d969d3ba6-0';
      expect(status).toBe('succeeded');
      expect(printed.map((line) => JSON.parse(line))).toEqual([
        ['0', '3', first, '29500', 'algo-1'],
        ['1', '3', first, '29500', 'algo-2'],
        ['2', '3', first, '29500', 'algo-3'],
      ]);
    });

    test('one that cannot find out which one it is fails, and says why', async () => {
      const containers = open();
      const job = await scriptOf(containers, 'run_1/train/1', leave, { compute: { nodes: 2, spot: false } });

      const { status, reason } = await containers.run((await containers.start(job)).id, { CLUSTER_SPEC: '{}' });
      containers.close();

      expect([status, reason]).toEqual(['failed', expect.stringContaining('CLUSTER_SPEC does not say')]);
    });
  });
});
