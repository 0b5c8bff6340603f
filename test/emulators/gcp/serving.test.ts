import type { Fault } from '@serin/core/base/fault';
import type { Deployment, Operation, Weights } from '@serin/core/ports/serving';
import { archiveKey } from '@serin/platform/code/archive';
import { artifactAt, placeBy } from '@serin/platform/jobs/artifacts';
import { afterEach, describe, expect, test } from 'vitest';
import { servingContract } from '../../contract/serving.contract.ts';
import { storeCode } from '../aws/stored.ts';
import { emulatedGcp } from '../emulated.ts';
import { servingWalks, walk, wish } from '../serving-walk.ts';
import { Refusal } from './discovery.ts';
import { neverReady } from './fake-endpoints.ts';
import { minute } from './fake-operations.ts';
import { openWorld, ownBucket, type World, type WorldOptions } from './serving-world.ts';

const deploy = (deployment: Deployment): Operation => ({ kind: 'deploy', deployment });
const weigh = (weights: Weights): Operation => ({ kind: 'weigh', weights });
const retire = (deployment: string): Operation => ({ kind: 'retire', deployment });

emulatedGcp('Vertex AI serving', () => {
  const worlds: World[] = [];
  async function opened(options: WorldOptions = {}): Promise<World> {
    const world = await openWorld(options);
    worlds.push(world);
    return world;
  }
  afterEach(async () => {
    for (const { served } of worlds.splice(0)) await served.stop();
  });

  servingContract('vertexServing', async () => {
    const { serving, clock, deploymentOf, mute, served } = await openWorld();
    return {
      serving,
      good: (version) => deploymentOf(version),
      broken: mute,
      impossible: (version) =>
        deploymentOf(version, { artifact: { uri: `gs://${ownBucket}/gone.tar.gz`, digest: 'd', bytes: 1 } }),
      pause: async () => {
        clock.now += minute / 2;
      },
      close: () => served.stop(),
    };
  });

  async function canary(): Promise<World> {
    const world = await opened();
    await world.deployed(world.deploymentOf(1));
    await world.change(weigh({ v1: 100 }));
    await world.deployed(world.deploymentOf(2));
    return world;
  }
  const ready = (version: number) => ({ name: `v${version}`, version, status: 'ready' });

  describe('a first deployment', () => {
    test('takes an endpoint, a model and a deployment, one by each call, and nothing waits for any', async () => {
      const world = await opened();
      const order = deploy(world.deploymentOf(1));
      const steps = ['endpoints.create', 'models.upload', 'endpoints.deployModel'];
      const begun = () => steps.map((name) => world.asked(name).length);

      const counts = [];
      for (const _ of steps) {
        expect(await world.serving.change('e', order)).toBe('accepted');
        expect(await world.serving.observe('e')).toMatchObject({ busy: true, weights: {} });
        expect(await world.serving.change('e', order)).toBe('busy');
        counts.push(begun());
        await world.settled();
      }

      expect(counts).toEqual([
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
      ]);
      expect(await world.serving.observe('e')).toEqual({ deployments: [ready(1)], weights: {}, busy: false });
    });

    test('gets no request by itself, on an endpoint of its own host, by machine, account and replicas as configured', async () => {
      const world = await opened({ kmsKey: 'projects/acme/locations/europe-west4/keyRings/r/cryptoKeys/k' });
      const compute = { nodes: 1, spot: true, accelerator: { type: 'L4', count: 1 } };

      await world.deployed(world.deploymentOf(7, { instances: { min: 2, max: 5 }, compute }));

      const encryptionSpec = { kmsKeyName: 'projects/acme/locations/europe-west4/keyRings/r/cryptoKeys/k' };
      expect(world.asked('endpoints.create')[0]?.body).toEqual({
        displayName: 'e',
        labels: { serin_project: 'shop', serin_environment: 'prod', serin_model: 'e' },
        encryptionSpec,
        dedicatedEndpointEnabled: true,
      });
      expect(world.asked('models.upload')[0]?.body.model).toMatchObject({ encryptionSpec });
      const metric = (name: string) => `aiplatform.googleapis.com/prediction/online/${name}`;
      expect(world.asked('endpoints.deployModel')[0]?.body).toEqual({
        deployedModel: {
          id: '7',
          displayName: 'v7',
          model: expect.stringMatching(
            /^projects\/acme\/locations\/europe-west4\/models\/prod-shop--e-v7-[0-9a-f]{16}$/,
          ),
          serviceAccount: 'serve@acme.iam.gserviceaccount.com',
          dedicatedResources: {
            machineSpec: { machineType: 'g2-standard-4', acceleratorType: 'NVIDIA_L4', acceleratorCount: 1 },
            minReplicaCount: 2,
            maxReplicaCount: 5,
            autoscalingMetricSpecs: [
              { metricName: metric('cpu/utilization'), target: 60 },
              { metricName: metric('accelerator/duty_cycle'), target: 60 },
            ],
            spot: true,
          },
        },
      });
    });

    test('says what its endpoint logs of the requests, and a later one says it anew', async () => {
      const world = await opened();
      const capture = (percent: number) => ({ percent, fields: ['size'], keepMs: 1, atMostBytes: 1 });
      const logs = () => Object(world.cloud.endpointAt(world.name).body).predictRequestResponseLoggingConfig;
      const patches = () => world.asked('endpoints.patch').length;
      const logged = [];

      for (const [version, percent] of [
        [1, 2.5],
        [2, 2.5],
        [3, 50],
        [4, undefined],
        [5, undefined],
      ] as const) {
        const more = percent === undefined ? {} : { capture: capture(percent) };
        await world.deployed(world.deploymentOf(version, more));
        logged.push([logs()?.samplingRate, patches()]);
      }

      expect(logged).toEqual([
        [0.025, 0],
        [0.025, 0],
        [0.5, 1],
        [undefined, 2],
        [undefined, 2],
      ]);
      expect(world.asked('endpoints.create')[0]?.body.predictRequestResponseLoggingConfig).toEqual({
        enabled: true,
        samplingRate: 0.025,
        bigqueryDestination: { outputUri: 'bq://acme.serin.requests' },
      });
    });

    test('is on the shared host where that is set', async () => {
      const world = await opened({ sharedEndpoints: true });

      await world.deployed(world.deploymentOf(1));

      expect(world.asked('endpoints.create')[0]?.body).not.toHaveProperty('dedicatedEndpointEnabled');
    });
  });

  describe('a container', () => {
    const uploaded = (world: World) => world.asked('models.upload')[0]?.body.model;

    test('gets the command of the user behind a script, the port and paths of every platform, and time to start', async () => {
      const world = await opened();
      const digest = await storeCode({ 'serve.py': 'print(1)' }, (_, key, text) =>
        world.bucket.write(key, Buffer.from(text)),
      );
      const environment = { MODE: 'a $(HOME) $$ b', API_KEY: { secret: 'api-key' } };

      await world.deployed(world.deploymentOf(1, { environment, code: { digest } }));

      const { containerSpec, artifactUri } = uploaded(world);
      expect(artifactUri).toBeUndefined();
      expect(containerSpec).toMatchObject({
        ports: [{ containerPort: 8080 }],
        healthRoute: '/ping',
        predictRoute: '/invocations',
        startupProbe: { httpGet: { path: '/ping', port: 8080 }, periodSeconds: 5, failureThreshold: 720 },
        deploymentTimeout: '3600s',
      });
      const variables = new Map(
        containerSpec.env.map((each: { name: string; value: string }) => [each.name, each.value]),
      );
      expect(variables.get('MODE')).toBe('a $$(HOME) $$$$ b');
      expect(variables.get('SAGEMAKER_BIND_TO_PORT')).toBe('8080');
      expect(variables.get('SERIN_DEPLOYMENT')).toBe('v1');
      expect(variables.has('API_KEY')).toBe(false);
      const [shell, flag, script] = containerSpec.command;
      expect([shell, flag]).toEqual(['sh', '-c']);
      expect(script).toContain(`/storage/v1/b/${ownBucket}/o/${encodeURIComponent('jobs/v1/model.tar.gz')}?alt=media`);
      expect(script).toContain(encodeURIComponent(archiveKey(digest)));
      expect(script).toContain('take API_KEY api-key projects/acme/secrets/serin-prod-shop-api-key');
      expect(script).toMatch(/exec python3 serve\.py$/);
      expect(world.secretsAsked).toEqual(['api-key']);
    });

    test('gets its own model only, and not what lies beside it', async () => {
      const world = await opened();
      await world.bucket.write('jobs/v1/model.tar.gz.before', Buffer.from('another'));

      await world.deployed(world.deploymentOf(1));

      const { command } = uploaded(world).containerSpec;
      expect(command[2].match(/^bring .*$/gm)).toHaveLength(1);
    });

    test('that takes longer to start than Vertex AI waits for gets as long as that', async () => {
      const world = await opened();

      await world.deployed(world.deploymentOf(1, { readyTimeoutMs: 300 * minute }));

      expect(uploaded(world).containerSpec.deploymentTimeout).toBe('7200s');
    });

    test.each([
      ['a name that leads out of its folder', ['a.bin', '../../../bin/sh'], 'rename it'],
      ['a name that is no path', ['a//b'], 'rename it'],
      ['too many files to name', Array.from({ length: 1000 }, (_, at) => `part-${at}`), 'fewer files'],
    ])('is refused for a model with %s, before anything is uploaded', async (_, paths, mend) => {
      const world = await opened();
      for (const path of paths) await world.bucket.write(`jobs/v8/folder/${path}`, Buffer.from('x'));
      const artifact = await artifactAt(`gs://${ownBucket}/jobs/v8/folder/`, {
        buckets: () => world.bucket,
        placeOf: placeBy('gs'),
      });
      const order = deploy(world.deploymentOf(1, artifact === undefined ? {} : { artifact }));
      await world.change(order);

      const deploying = world.serving.change('e', order);

      await expect(deploying).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(mend) });
      expect(world.asked('models.upload')).toEqual([]);
    });

    test('keeps an archive that its program stored in a folder of the model, and takes no marker of a folder', async () => {
      const world = await opened();
      for (const marker of ['', 'deep/']) await world.bucket.write(`jobs/v8/folder/${marker}`, new Uint8Array());
      await world.bucket.write('jobs/v8/folder/tokenizer.tar.gz', Buffer.from('packed'));
      const artifact = await artifactAt(`gs://${ownBucket}/jobs/v8/folder/`, {
        buckets: () => world.bucket,
        placeOf: placeBy('gs'),
      });

      await world.deployed(world.deploymentOf(1, artifact === undefined ? {} : { artifact }));

      const { command } = uploaded(world).containerSpec;
      expect(command[2].match(/^bring .*$/gm)).toEqual([expect.stringContaining('tokenizer.tar.gz')]);
      expect(command[2]).not.toMatch(/^unpack /m);
    });

    test('of an image without a command finds its model by AIP_STORAGE_URI, from the folder of the artifact', async () => {
      const world = await opened();

      await world.deployed(world.deploymentOf(9, { command: [] }));

      expect(uploaded(world)).toMatchObject({ artifactUri: `gs://${ownBucket}/jobs/v9/model` });
      expect(uploaded(world).containerSpec).not.toHaveProperty('command');
    });

    test('whose secret is missing is refused before anything is uploaded', async () => {
      const world = await opened();
      const order = deploy(world.deploymentOf(1, { environment: { KEY: { secret: 'absent' } } }));
      await world.change(order);

      await expect(world.serving.change('e', order)).rejects.toMatchObject({ code: 'invalid' });

      expect(world.asked('models.upload')).toEqual([]);
    });

    test('is not deployed with a model that was changed after its upload', async () => {
      const world = await opened();
      const order = deploy(world.deploymentOf(1));
      await world.change(order);
      await world.change(order);
      await world.bucket.write('jobs/v1/model.tar.gz', Buffer.from('another'));

      const changed = world.serving.change('e', order);

      await expect(changed).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('changed since'),
      });
      expect(world.asked('endpoints.deployModel')).toEqual([]);
    });

    test('gets no model that was changed since it was judged', async () => {
      const world = await opened();
      const order = deploy(world.deploymentOf(1));
      await world.change(order);
      await world.bucket.write('jobs/v1/model.tar.gz', Buffer.from('another'));

      const changed = world.serving.change('e', order);

      await expect(changed).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('changed since'),
      });
      expect(world.asked('models.upload')).toEqual([]);
    });
  });

  test.each<[string, string, Partial<Deployment>]>([
    ['has no image', 'serve.image', { image: '' }],
    ['has its model elsewhere', 'serin-own', { artifact: { uri: 'gs://other/m.tar.gz', digest: 'd', bytes: 1 } }],
    ['needs no replica at all', 'at least one', { instances: { min: 0, max: 1 } }],
    ['needs several nodes', 'replicas', { compute: { nodes: 2, spot: false } }],
    ['has a number that is no id of Vertex AI', '10 digits', { name: 'v12345678901', version: 12345678901 }],
    ['names a secret and has no command', 'serve.command', { command: [], environment: { K: { secret: 's' } } }],
    [
      'needs an accelerator that Google has not',
      'X1',
      { compute: { nodes: 1, spot: false, accelerator: { type: 'X1', count: 1 } } },
    ],
  ])('a deployment that %s is refused in words, and nothing is asked for', async (_, word, more) => {
    const world = await opened();

    const deploying = world.serving.change('e', deploy(world.deploymentOf(1, more)));

    await expect(deploying).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(word) });
    expect(world.served.calls).toEqual([]);
  });

  describe('a deployment that failed', () => {
    test('is told with the reason of Vertex AI until it is retired, and leaves nothing behind', async () => {
      const world = await canary();
      await world.deployed(world.mute(3));

      const seen = await world.serving.observe('e');
      const left = await world.change(retire('v3'));

      expect(seen).toMatchObject({
        deployments: [
          ready(1),
          ready(2),
          { name: 'v3', status: 'failed', reason: expect.stringContaining(neverReady) },
        ],
        weights: { v1: 100 },
      });
      expect(left).toEqual({ deployments: [ready(1), ready(2)], weights: { v1: 100 }, busy: false });
      expect(world.asked('endpoints.undeployModel')).toEqual([]);
    });

    test('is not told any more once another was begun, and can be tried again with the same content only', async () => {
      const world = await canary();
      await world.deployed(world.mute(3));

      await expect(world.serving.change('e', deploy(world.deploymentOf(3)))).rejects.toMatchObject({ code: 'defect' });
      const again = await world.change(deploy(world.mute(3)));
      const other = await world.deployed(world.deploymentOf(4));

      expect(again).toMatchObject({ deployments: [ready(1), ready(2), { name: 'v3', status: 'failed' }] });
      expect(other).toMatchObject({ deployments: [ready(1), ready(2), ready(4)] });
    });

    const quota =
      'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_serving_cpus';
    const stockout =
      'Machine type temporarily unavailable, please deploy with a different machine type or retry: STOCKOUT';
    test.each([
      ['a quota that is used up', new Refusal('RESOURCE_EXHAUSTED', quota), 'higher quota'],
      ['no machine', new Refusal('RESOURCE_EXHAUSTED', stockout), 'another type or region'],
      [
        'an account that cannot be used',
        new Refusal('PERMISSION_DENIED', 'Permission iam.serviceAccounts.actAs denied'),
        'serin plan --cloud gcp',
      ],
    ])('late by %s says what mends it', async (_, error, mend) => {
      const world = await canary();
      await world.change(deploy(world.deploymentOf(3)));
      world.cloud.operations.next({ error });

      const seen = await world.change(deploy(world.deploymentOf(3)));

      const reason = expect.stringMatching(new RegExp(`${mend}.*${error.message.slice(0, 20)}`));
      expect(seen).toMatchObject({ deployments: [ready(1), ready(2), { name: 'v3', status: 'failed', reason }] });
    });

    test('while its model or its endpoint was made is told too', async () => {
      const world = await opened();
      world.cloud.operations.next({ error: new Refusal('RESOURCE_EXHAUSTED', quota) });

      const created = await world.change(deploy(world.deploymentOf(1)));
      const retired = await world.change(retire('v1'));
      await world.change(deploy(world.deploymentOf(1, { image: 'europe-west4-docker.pkg.dev/acme/ml/nowhere:1' })));
      const uploaded = await world.change(
        deploy(world.deploymentOf(1, { image: 'europe-west4-docker.pkg.dev/acme/ml/nowhere:1' })),
      );

      const reason = expect.stringContaining('creating the endpoint for v1');
      expect(created).toEqual({
        deployments: [{ name: 'v1', version: 1, status: 'failed', reason }],
        weights: {},
        busy: false,
      });
      expect(retired).toBe('absent');
      expect(uploaded).toMatchObject({
        deployments: [
          { name: 'v1', status: 'failed', reason: expect.stringContaining('does not exist, or cannot be read') },
        ],
      });
    });

    test('is one whose operation has not ended after three hours; it is not waited for any more', async () => {
      const world = await canary();
      await world.change(deploy(world.deploymentOf(3)));
      world.cloud.operations.next({ never: true });
      await world.serving.change('e', deploy(world.deploymentOf(3)));
      world.clock.now += 170 * minute;

      const before = await world.serving.observe('e');
      world.clock.now += 20 * minute;
      const after = await world.serving.observe('e');

      expect(before).toMatchObject({
        busy: true,
        deployments: [ready(1), ready(2), { name: 'v3', status: 'pending' }],
      });
      const reason = expect.stringContaining('has not ended after 3 hours');
      expect(after).toMatchObject({ busy: false, deployments: [ready(1), ready(2), { status: 'failed', reason }] });
      expect(await world.change(weigh({ v2: 100 }))).toMatchObject({ weights: { v2: 100 } });
    });
  });

  describe('an operation that failed', () => {
    test('because somebody else was first counts as done', async () => {
      const world = await opened();
      await world.change(deploy(world.deploymentOf(1)));
      world.cloud.operations.next({ error: new Refusal('ALREADY_EXISTS', 'the model exists') });

      const seen = await world.change(deploy(world.deploymentOf(1)));

      expect(seen).toEqual({ deployments: [], weights: {}, busy: false });
    });

    test('is not told of a deployment that is there all the same, nor of a retirement whose deployment is gone', async () => {
      const world = await canary();
      const endpoint = world.cloud.endpointAt(world.name);
      const [first] = endpoint.deployed.values();
      if (first === undefined) throw new Error('there is none');
      await world.deployed(world.mute(3));
      endpoint.deployed.set('3', { ...first, id: '3' });
      const there = await world.serving.observe('e');
      world.cloud.operations.next({ error: new Refusal('INTERNAL', 'internal error') });

      await world.change(retire('v3'));
      endpoint.deployed.delete('3');

      expect(there).toEqual({ deployments: [ready(1), ready(2), ready(3)], weights: { v1: 100 }, busy: false });
      expect(await world.serving.observe('e')).toEqual({
        deployments: [ready(1), ready(2)],
        weights: { v1: 100 },
        busy: false,
      });
    });
  });

  test('a deployment that shows before its operation has ended is told once', async () => {
    const world = await canary();
    await world.change(deploy(world.deploymentOf(3)));
    world.cloud.operations.next({ never: true });
    await world.serving.change('e', deploy(world.deploymentOf(3)));
    const endpoint = world.cloud.endpointAt(world.name);
    const [first] = endpoint.deployed.values();
    if (first !== undefined) endpoint.deployed.set('3', { ...first, id: '3' });

    expect(await world.serving.observe('e')).toMatchObject({ deployments: [ready(1), ready(2), ready(3)], busy: true });
  });

  describe('an answer that is lost', () => {
    test.each(['endpoints.create', 'models.upload', 'endpoints.deployModel'])(
      'of %s makes nothing twice: what was begun is busy, and then counts',
      async (name) => {
        const world = await opened();
        world.lost.add(name);
        const order = deploy(world.deploymentOf(1));

        for (;;) {
          const answer = await world.serving.change('e', order).catch((fault: Fault) => fault.code);
          if (answer === 'unavailable') break;
          await world.settled();
        }
        const again = await world.serving.change('e', order);
        world.clock.now += 20 * minute;
        const seen = await world.deployed(world.deploymentOf(1));

        expect(again).toBe('busy');
        expect(seen).toMatchObject({ deployments: [ready(1)] });
        expect(world.cloud.endpointAt(world.name).deployed.size).toBe(1);
        expect(world.cloud.models.models.size).toBe(1);
      },
    );

    test('of a change of weights is seen at the next look', async () => {
      const world = await canary();
      world.lost.add('endpoints.patch');

      await expect(world.serving.change('e', weigh({ v1: 95, v2: 5 }))).rejects.toMatchObject({ code: 'unavailable' });

      expect(await world.serving.observe('e')).toMatchObject({ weights: { v1: 95, v2: 5 } });
    });

    test('of a retirement is asked for again, and busy until it has ended', async () => {
      const world = await canary();
      world.lost.add('endpoints.undeployModel');

      await expect(world.serving.change('e', retire('v2'))).rejects.toMatchObject({ code: 'unavailable' });
      const again = await world.serving.change('e', retire('v2'));
      world.clock.now += 5 * minute;

      expect(again).toBe('busy');
      expect(await world.serving.change('e', retire('v2'))).toBe('accepted');
      expect(await world.serving.observe('e')).toMatchObject({ deployments: [ready(1)], busy: false });
    });
  });

  describe('weights', () => {
    test('that were read before somebody else changed the endpoint are busy, and change nothing', async () => {
      const world = await canary();
      world.meanwhile.set('endpoints.patch', () => {
        const endpoint = world.cloud.endpointAt(world.name);
        endpoint.split = { 2: 100 };
        endpoint.edition += 1;
      });

      expect(await world.serving.change('e', weigh({ v1: 50, v2: 50 }))).toBe('busy');

      expect(await world.serving.observe('e')).toMatchObject({ weights: { v2: 100 } });
    });

    test('that land late, after others were set, are refused by their etag', async () => {
      const world = await canary();
      const late: { send?: () => Promise<unknown> } = {};
      world.meanwhile.set('endpoints.patch', () => {
        const { edition } = world.cloud.endpointAt(world.name);
        const path = `v1/projects/acme/locations/europe-west4/endpoints/${world.name}`;
        const body = { trafficSplit: { 1: 5, 2: 95 }, etag: `AMEw9y${edition}` };
        const query = { updateMask: 'trafficSplit' };
        late.send = () => world.served.google.json({ service: 'aiplatform', method: 'PATCH', path, query, body });
        throw new Refusal('UNAVAILABLE', 'try again');
      });
      await expect(world.serving.change('e', weigh({ v1: 5, v2: 95 }))).rejects.toMatchObject({ code: 'unavailable' });
      await world.change(weigh({ v1: 90, v2: 10 }));

      await expect(late.send?.()).rejects.toMatchObject({ rpc: 'ABORTED' });

      expect(await world.serving.observe('e')).toMatchObject({ weights: { v1: 90, v2: 10 } });
    });

    test('that are as they were are not written', async () => {
      const world = await canary();
      const before = world.asked('endpoints.patch').length;

      await world.change(weigh({ v1: 100 }));
      await world.change(weigh({ v1: 100, v2: 0 }));

      expect(world.asked('endpoints.patch')).toHaveLength(before);
    });

    test('of nothing are an empty split, and the capacity stays until it is retired', async () => {
      const world = await canary();

      const seen = await world.change(weigh({}));
      await world.change(retire('v1'));
      const left = await world.change(retire('v2'));

      expect(world.asked('endpoints.patch').at(-1)?.body.trafficSplit).toEqual({});
      expect(seen).toEqual({ deployments: [ready(1), ready(2)], weights: {}, busy: false });
      expect(left).toEqual({ deployments: [], weights: {}, busy: false });
    });

    test('with a mirror are refused with the reason', async () => {
      const world = await canary();
      const mirror = { deployment: 'v2', percent: 20 };

      const mirroring = world.serving.change('e', { kind: 'weigh', weights: { v1: 100 }, mirror });

      await expect(mirroring).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('does not copy'),
      });
    });
  });

  test('a retirement that fails is told beside the deployment, which stays', async () => {
    const world = await canary();
    world.cloud.operations.next({ error: new Refusal('INTERNAL', 'internal error') });

    const seen = await world.change(retire('v2'));

    const reason = expect.stringContaining('internal error');
    expect(seen).toMatchObject({ deployments: [ready(1), { ...ready(2), reason }], busy: false });
    expect(await world.change(retire('v2'))).toMatchObject({ deployments: [ready(1)] });
  });

  test('an endpoint that somebody deleted is absent, and made again by the next deploy', async () => {
    const world = await canary();
    world.cloud.vanish(world.name);
    world.cloud.operations.forget();

    expect(await world.serving.observe('e')).toBe('absent');
    expect(await world.serving.change('e', weigh({}))).toBe('accepted');
    await expect(world.serving.change('e', weigh({ v1: 100 }))).rejects.toMatchObject({ code: 'invalid' });
    expect(await world.deployed(world.deploymentOf(2))).toMatchObject({ deployments: [ready(2)], weights: {} });
  });

  test('models that nothing serves any more are deleted a day later, those in use are not', async () => {
    const world = await canary();
    await world.change(weigh({ v2: 100 }));
    await world.change(retire('v1'));
    world.clock.now += 25 * 60 * minute;
    const before = world.cloud.models.models.size;

    await world.deployed(world.deploymentOf(3));

    world.clock.now += 5 * minute;
    await world.settled();
    world.cloud.operations.settle();
    expect(before).toBe(2);
    expect(world.asked('models.delete').map(({ params }) => params.name)).toEqual([expect.stringContaining('--e-v1-')]);
    expect([...world.cloud.models.models.keys()]).toEqual([
      expect.stringContaining('--e-v2-'),
      expect.stringContaining('--e-v3-'),
    ]);
  });

  test('models are kept for a day, and one that Vertex AI will not delete holds nothing up', async () => {
    const world = await canary();
    await world.change(weigh({ v2: 100 }));
    await world.change(retire('v1'));
    await world.deployed(world.deploymentOf(3));
    const young = world.asked('models.delete').length;
    world.clock.now += 25 * 60 * minute;
    world.meanwhile.set('models.delete', () => {
      throw new Refusal('FAILED_PRECONDITION', 'The Model is deployed or being deployed at another endpoint.');
    });

    const seen = await world.deployed(world.deploymentOf(4));

    expect([young, world.asked('models.delete').length]).toEqual([0, 2]);
    expect(seen).toMatchObject({ deployments: [ready(2), ready(3), ready(4)] });
  });

  test('a version that comes back finds its model, also if that is older than a day', async () => {
    const world = await canary();
    world.clock.now += 25 * 60 * minute;
    await world.change(weigh({ v2: 100 }));
    await world.change(retire('v1'));

    const back = await world.change(deploy(world.deploymentOf(1)));

    expect(back).toMatchObject({ deployments: [ready(2), ready(1)] });
    expect(world.asked('models.delete')).toEqual([]);
  });

  test('what Vertex AI remarks on a deployment is told beside it', async () => {
    const world = await canary();
    const endpoint = world.cloud.endpointAt(world.name);
    const [, second] = endpoint.deployed.values();
    if (second === undefined) throw new Error('there is none');
    const status = { message: 'Replicas are restarted.', availableReplicaCount: 1 };
    endpoint.deployed.set('2', { ...second, body: { ...second.body, status } });

    expect(await world.serving.observe('e')).toMatchObject({
      deployments: [ready(1), { ...ready(2), reason: 'Replicas are restarted.' }],
    });
  });

  test('a deployed model of somebody else shows by its id, and can be retired', async () => {
    const world = await canary();
    const endpoint = world.cloud.endpointAt(world.name);
    const [first] = endpoint.deployed.values();
    if (first === undefined) throw new Error('there is none');
    endpoint.deployed.set('8071234567890123456', { ...first, id: '8071234567890123456' });

    const seen = await world.serving.observe('e');
    await world.change(retire('v8071234567890123456'));

    expect(seen).toMatchObject({ deployments: [ready(1), ready(2), { name: 'v8071234567890123456' }] });
    expect(await world.serving.observe('e')).toMatchObject({ deployments: [ready(1), ready(2)] });
  });

  test.each([
    [
      'a role that is missing',
      new Refusal('PERMISSION_DENIED', "Permission 'aiplatform.endpoints.deploy' denied"),
      'serin plan',
    ],
    [
      'an API that is off',
      new Refusal(
        'PERMISSION_DENIED',
        'Vertex AI API has not been used in project 1 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview then retry.',
        { reason: 'SERVICE_DISABLED' },
      ),
      'gcloud services enable aiplatform.googleapis.com',
    ],
    [
      'a region without such machines',
      new Refusal('INVALID_ARGUMENT', 'Machine type "g2-standard-4" is not supported.'),
      'g2-standard-4',
    ],
  ])('%s is named with what mends it', async (_, refusal, mend) => {
    const world = await opened();
    await world.change(deploy(world.deploymentOf(1)));
    await world.change(deploy(world.deploymentOf(1)));
    world.meanwhile.set('endpoints.deployModel', () => {
      throw refusal;
    });

    const deploying = world.serving.change('e', deploy(world.deploymentOf(1)));

    await expect(deploying).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(mend) });
  });

  servingWalks({
    opened,
    canary,
    losable: [
      ...['endpoints.create', 'models.upload', 'endpoints.deployModel', 'endpoints.undeployModel'],
      'endpoints.patch',
    ],
    late: ({ cloud }, lateMs) => cloud.operations.next({ lateMs }),
  });

  test('a deployment that lands after it was given up gets no request, and is taken away', async () => {
    const world = await canary();
    await world.change(deploy(world.deploymentOf(3)));
    world.cloud.operations.next({ lateMs: 240 * minute });
    await world.serving.change('e', deploy(world.deploymentOf(3)));
    world.clock.now += 190 * minute;
    await world.change(retire('v3'));
    world.clock.now += 120 * minute;

    const late = await world.serving.observe('e');
    const left = await walk(world, wish([1, 2], { 1: 100 }, { extras: 'retire' }));

    expect(late).toEqual({ deployments: [ready(1), ready(2), ready(3)], weights: { v1: 100 }, busy: false });
    expect(left).toEqual({ deployments: [ready(1), ready(2)], weights: { v1: 100 }, busy: false });
  });

  test('what a person did to an endpoint by hand is put right: its split, and a deployment taken away', async () => {
    const world = await canary();
    const endpoint = world.cloud.endpointAt(world.name);
    endpoint.split = { 2: 100 };
    endpoint.deployed.delete('1');
    endpoint.edition += 1;

    await walk(world, wish([1, 2], { 1: 100 }));

    expect(await world.serving.observe('e')).toMatchObject({
      deployments: [ready(2), ready(1)],
      weights: { v1: 100 },
    });
  });
});
