import { blobObjects } from '@serin/azure/jobs/settings';
import { minute } from '@serin/core/base/time';
import type { Deployment, Operation, Weights } from '@serin/core/ports/serving';
import { archiveKey } from '@serin/platform/code/archive';
import { artifactAt } from '@serin/platform/jobs/artifacts';
import { afterEach, describe, expect, test } from 'vitest';
import { servingContract } from '../../contract/serving.contract.ts';
import { storeCode } from '../aws/stored.ts';
import { emulatedAzure } from '../emulated.ts';
import { servingWalks, walk, wish } from '../serving-walk.ts';
import { noQuota } from './fake-endpoints.ts';
import { account, accounts, ownContainer, uriOf } from './installation.ts';
import { Refusal } from './rest.ts';
import { identity, openWorld, type World, type WorldOptions } from './serving-world.ts';

const deploy = (deployment: Deployment): Operation => ({ kind: 'deploy', deployment });
const weigh = (weights: Weights): Operation => ({ kind: 'weigh', weights });
const retire = (deployment: string): Operation => ({ kind: 'retire', deployment });

/** Calls as the fake has them. */
const puts = {
  endpoint: 'PUT onlineEndpoints/{endpoint}',
  deployment: 'PUT onlineEndpoints/{endpoint}/deployments/{deployment}',
} as const;
const operationStatus =
  'GET /subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/mfeOperationsStatus/{operation}';
/** Calls as Microsoft's client names their parts. */
const putEndpoint = 'PUT onlineEndpoints/{endpointName}';
const putDeployment = 'PUT onlineEndpoints/{endpointName}/deployments/{deploymentName}';
const putEnvironment = 'PUT environments/{name}/versions/{version}';

emulatedAzure('Azure ML serving', () => {
  const worlds: World[] = [];
  async function opened(options: WorldOptions = {}): Promise<World> {
    const world = await openWorld(options);
    worlds.push(world);
    return world;
  }
  afterEach(async () => {
    for (const { served } of worlds.splice(0)) await served.stop();
  });

  servingContract('mlServing', async () => {
    const { serving, clock, deploymentOf, mute, served } = await openWorld();
    return {
      serving,
      good: (version) => deploymentOf(version),
      broken: mute,
      impossible: (version) =>
        deploymentOf(version, { artifact: { uri: uriOf('gone.tar.gz'), digest: 'd', bytes: 1 } }),
      pause: async () => {
        clock.now += minute / 2;
      },
      close: () => served.stop(),
    };
  });

  async function canary(options: WorldOptions = {}): Promise<World> {
    const world = await opened(options);
    await world.deployed(world.deploymentOf(1));
    await world.change(weigh({ v1: 100 }));
    await world.deployed(world.deploymentOf(2));
    return world;
  }
  const ready = (version: number) => ({ name: `v${version}`, version, status: 'ready' });
  const bodyOf = (world: World) => world.asked(putDeployment)[0]?.body;

  describe('a first deployment', () => {
    test('takes an endpoint and a deployment, one by each call, and nothing waits for either', async () => {
      const world = await opened();
      const order = deploy(world.deploymentOf(1));

      const counts = [];
      for (const _ of [putEndpoint, putDeployment]) {
        expect(await world.serving.change('e', order)).toBe('accepted');
        expect(await world.serving.observe('e')).toMatchObject({ busy: true, weights: {} });
        expect(await world.serving.change('e', order)).toBe('busy');
        counts.push([world.asked(putEndpoint).length, world.asked(putDeployment).length]);
        await world.settled();
      }

      expect(counts).toEqual([
        [1, 0],
        [1, 1],
      ]);
      expect(await world.serving.observe('e')).toEqual({ deployments: [ready(1)], weights: {}, busy: false });
    });

    test('is by machine, identity and instances as configured, and gets no request by itself', async () => {
      const world = await opened();
      const compute = { nodes: 1, spot: false, accelerator: { type: 'A100', count: 1 } };

      await world.deployed(world.deploymentOf(7, { instances: { min: 2, max: 5 }, compute }));

      expect(world.asked(putEndpoint).map(({ params, body }) => [Object.values(params).at(-1), body])).toEqual([
        [
          world.name,
          {
            location: 'westeurope',
            tags: { 'serin-project': 'shop', 'serin-environment': 'prod', 'serin-model': 'e' },
            identity: { type: 'UserAssigned', userAssignedIdentities: { [identity]: {} } },
            properties: { authMode: 'AADToken', publicNetworkAccess: 'Enabled' },
          },
        ],
      ]);
      expect(bodyOf(world)).toMatchObject({
        location: 'westeurope',
        tags: { 'serin-version': '7', 'serin-scale': '2-5', 'serin-content': expect.stringMatching(/^[0-9a-f]{64}$/) },
        sku: { name: 'Default', capacity: 2 },
        properties: {
          endpointComputeType: 'Managed',
          instanceType: 'Standard_NC24ads_A100_v4',
          scaleSettings: { scaleType: 'Default' },
          requestSettings: { requestTimeout: 'PT180S', maxConcurrentRequestsPerInstance: 500 },
        },
      });
      expect(Object.values(world.asked(putDeployment)[0]?.params ?? {})).toContain('v07');
    });

    test('collects the share of its requests that it says, with their answers, into the own container', async () => {
      const world = await opened();
      const capture = { percent: 2.5, fields: ['size'], keepMs: 1, atMostBytes: 1 };

      await world.deployed(world.deploymentOf(7, { capture }));
      await world.serving.change('e', deploy(world.deploymentOf(7)));

      const { collections, rollingRate } = bodyOf(world)?.properties.dataCollector ?? {};
      expect(rollingRate).toBe('Hour');
      const places = world.asked('PUT data/{name}/versions/{version}').map(({ path, body }) => [path, body.properties]);
      expect(places.map(([, properties]) => properties)).toEqual(
        ['request', 'response'].map((collection) => ({
          dataType: 'uri_folder',
          dataUri: `azureml://datastores/serin/paths/captured/${world.name}/v07/${collection}`,
        })),
      );
      expect(collections).toEqual({
        request: { dataCollectionMode: 'Enabled', dataId: places[0]?.[0], samplingRate: 0.025 },
        response: { dataCollectionMode: 'Enabled', dataId: places[1]?.[0], samplingRate: 0.025 },
      });
    });

    test('shows a key, and is private, where that is set', async () => {
      const world = await opened({ endpointKeys: true, privateEndpoints: true });

      await world.deployed(world.deploymentOf(1));

      const { properties } = world.asked(putEndpoint)[0]?.body ?? {};
      expect(properties).toEqual({ authMode: 'Key', publicNetworkAccess: 'Disabled' });
    });

    test('lets the endpoint write its requests to Log Analytics, if there is a workspace', async () => {
      const logWorkspace = '/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w';
      const world = await opened({ logWorkspace });

      await world.deployed(world.deploymentOf(1));

      const [[resource, body] = []] = [...world.cloud.logged];
      expect(resource).toMatch(new RegExp(`/workspaces/acme/onlineEndpoints/${world.name}$`));
      expect(body).toEqual({
        properties: {
          workspaceId: logWorkspace,
          logAnalyticsDestinationType: 'Dedicated',
          logs: [
            { category: 'AmlOnlineEndpointTrafficLog', enabled: true },
            { category: 'AmlOnlineEndpointConsoleLog', enabled: true },
          ],
        },
      });
    });

    test('leaves to a policy of the subscription what it lets the endpoint write already', async () => {
      const logWorkspace = '/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w';
      const world = await opened({ logWorkspace });
      const put = 'PUT /{resource+}/providers/Microsoft.Insights/diagnosticSettings/{setting}';
      const taken = (category: string) =>
        new Refusal(
          409,
          'Conflict',
          `Data sink '${logWorkspace}' is already used in diagnostic setting 'setbypolicy' for category '${category}'. Data sinks can't be reused in different settings on the same category for the same resource.`,
        );
      world.refused.set(put, taken('amlonlineendpointtrafficlog'));

      await world.deployed(world.deploymentOf(1));
      const categories = () =>
        world
          .asked(put)
          .at(-1)
          ?.body.properties.logs.map(({ category }: { category: string }) => category);
      const rest = categories();
      world.meanwhile.set(put, () => {
        world.refused.set(put, taken('AmlOnlineEndpointConsoleLog'));
        world.meanwhile.set(put, () => void world.refused.set(put, taken('AmlOnlineEndpointTrafficLog')));
      });
      await world.deployed(world.deploymentOf(2));
      world.refused.set(put, taken('AmlOnlineEndpointEventLog'));

      expect([rest, categories()]).toEqual([['AmlOnlineEndpointConsoleLog'], ['AmlOnlineEndpointTrafficLog']]);
      await expect(
        world.serving.change('e', { kind: 'deploy', deployment: world.deploymentOf(3) }),
      ).rejects.toMatchObject({ code: 'conflict' });
    });

    test('is refused, and not busy for ever, where somebody else has the name in the region', async () => {
      const world = await opened();
      world.cloud.taken.add(world.name);

      const deploying = world.serving.change('e', deploy(world.deploymentOf(1)));

      await expect(deploying).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('unique') });
    });
  });

  describe('a container', () => {
    const variables = (world: World) => bodyOf(world)?.properties.environmentVariables;

    test('gets the command of the user in a script, the port and paths of every platform, and no text of a secret', async () => {
      const world = await opened();
      const digest = await storeCode({ 'serve.py': 'print(1)' }, (_, key, text) =>
        world.bucket.write(key, Buffer.from(text)),
      );
      const environment = { MODE: 'a $(HOME) b', API_KEY: { secret: 'api-key' } };

      await world.deployed(world.deploymentOf(1, { environment, code: { digest } }));

      const { SERIN_START: script, ...rest } = variables(world);
      expect(rest).toEqual({
        MODE: 'a $(HOME) b',
        ...{ PORT: '8080', SAGEMAKER_BIND_TO_PORT: '8080', AIP_HTTP_PORT: '8080', SERIN_BIND_ADDRESS: '0.0.0.0' },
        ...{ MODEL_NAME: 'e', MODEL_VERSION: '1', SERIN_MODEL_VERSION: '1' },
        ...{ SERIN_ENDPOINT: 'e', SERIN_DEPLOYMENT: 'v1' },
      });
      expect(script).toContain(`bring /${ownContainer}/jobs/v1/model.tar.gz "$root/model/"model.tar.gz`);
      expect(script).toContain(`/${ownContainer}/${archiveKey(digest)}`);
      expect(script).toContain('take API_KEY api-key https://shopvault.vault.azure.net/secrets/prod-shop-api-key');
      expect(script.match(/clientid=client-of-models&/g)).toHaveLength(2);
      expect(script).toMatch(/exec python3 serve\.py$/);
      expect(world.secretsAsked).toEqual(['api-key']);
      // Azure ML would mount a model, in whatever content it has by then.
      expect(bodyOf(world)?.properties).not.toHaveProperty('model');
      const { image, inferenceConfig } = world.asked(putEnvironment)[0]?.body.properties ?? {};
      expect(image).toBe('acme.azurecr.io/ml/serve:1');
      expect(inferenceConfig).toEqual({
        livenessRoute: { path: '/ping', port: 8080 },
        readinessRoute: { path: '/ping', port: 8080 },
        scoringRoute: { path: '/invocations', port: 8080 },
      });
    });

    test('has as long to start as its rollout waits, and when it hangs its requests fail before it is started again', async () => {
      const world = await opened();

      await world.deployed(world.deploymentOf(1, { readyTimeoutMs: 90 * minute }));

      const { livenessProbe, readinessProbe, requestSettings } = bodyOf(world)?.properties ?? {};
      expect(livenessProbe).toMatchObject({ initialDelay: 'PT5400S', period: 'PT10S', failureThreshold: 30 });
      expect(readinessProbe).toMatchObject({ initialDelay: 'PT10S', period: 'PT10S', failureThreshold: 540 });
      expect(requestSettings.requestTimeout).toBe('PT180S');
    });

    test('gets its own model only, and not what lies beside it', async () => {
      const world = await opened();
      await world.bucket.write('jobs/v1/model.tar.gz.before', Buffer.from('another'));

      await world.deployed(world.deploymentOf(1));

      expect(variables(world).SERIN_START.match(/^bring .*$/gm)).toHaveLength(1);
    });

    test.each([
      ['a name that leads out of its folder', ['a.bin', '../../../bin/sh'], 'rename it'],
      ['too many files to name', Array.from({ length: 1000 }, (_, at) => `part-${at}`), 'fewer files'],
    ])('is refused for a model with %s, before it is asked for', async (_, paths, mend) => {
      const world = await opened();
      for (const path of paths) await world.bucket.write(`jobs/v8/folder/${path}`, Buffer.from('x'));
      const artifact = await artifactAt(
        uriOf('jobs/v8/folder/'),
        blobObjects(() => world.bucket, accounts),
      );
      const order = deploy(world.deploymentOf(1, artifact === undefined ? {} : { artifact }));
      await world.change(order);

      const deploying = world.serving.change('e', order);

      await expect(deploying).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(mend) });
      expect(world.asked(putDeployment)).toEqual([]);
    });

    test.each<[string, Partial<Deployment>, string]>([
      ['whose secret is missing', { environment: { KEY: { secret: 'absent' } } }, 'create it'],
      [
        'whose model was changed',
        { artifact: { uri: uriOf('jobs/v1/model.tar.gz'), digest: 'd', bytes: 1 } },
        'train it again',
      ],
    ])('%s is refused before it is asked for', async (_, more, mend) => {
      const world = await opened();
      const order = deploy(world.deploymentOf(1, more));
      await world.change(order);

      const deploying = world.serving.change('e', order);

      await expect(deploying).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(mend) });
      expect(world.asked(putDeployment)).toEqual([]);
    });
  });

  test.each<[string, Partial<Deployment>, string]>([
    ['no image', { image: '' }, 'set serve.image'],
    [
      'a model elsewhere',
      { artifact: { uri: `https://other.blob.core.windows.net/${ownContainer}/m`, digest: 'd', bytes: 1 } },
      'train the model here',
    ],
    [
      'a model in another container',
      { artifact: { uri: `https://${account}.blob.core.windows.net/c/m`, digest: 'd', bytes: 1 } },
      'train the model here',
    ],
    ['no instance', { instances: { min: 0, max: 1 } }, 'use other instances'],
    ['fewer instances at most than at least', { instances: { min: 3, max: 2 } }, 'use other instances'],
    ['spot instances', { compute: { nodes: 1, spot: true } }, 'leave serve.compute.spot out'],
    ['several nodes', { compute: { nodes: 2, spot: false } }, 'serve.compute.instances'],
    ['no command', { command: [] }, 'set serve.command'],
    [
      'an accelerator that Azure has not',
      { compute: { nodes: 1, spot: false, accelerator: { type: 'L4', count: 1 } } },
      'use',
    ],
  ])('%s is refused in words before anything is asked', async (_, more, mend) => {
    const world = await opened();

    const deploying = world.serving.change('e', deploy(world.deploymentOf(1, more)));

    await expect(deploying).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(mend) });
    expect(world.served.calls).toEqual([]);
  });

  describe('a deployment that failed', () => {
    test('is told with the reason of its operation, and where to look, until it is retired', async () => {
      const world = await canary();

      await world.deployed(world.mute(3));

      const failed = await world.serving.observe('e');
      expect(failed).toMatchObject({ weights: { v1: 100 }, busy: false });
      expect(failed === 'absent' ? [] : failed.deployments[2]).toMatchObject({
        name: 'v3',
        status: 'failed',
        reason: expect.stringMatching(
          /ResourceNotReady.*crashed.*get-logs --endpoint-name prod-shop-e-\w+ --name v03.*\$SERIN_START/s,
        ),
      });
      expect(await world.change(retire('v3'))).toMatchObject({ deployments: [ready(1), ready(2)] });
    });

    test('for want of quota says what to do', async () => {
      const world = await canary();
      world.cloud.operations.next({ error: { code: noQuota.code, message: noQuota.message } });

      await world.deployed(world.deploymentOf(3));

      expect(await world.serving.observe('e')).toMatchObject({
        deployments: [
          ready(1),
          ready(2),
          { status: 'failed', reason: expect.stringContaining('ask Microsoft for a higher quota') },
        ],
      });
    });

    test('and is not there any more is told all the same, until it is retired', async () => {
      const world = await canary();
      await world.deployed(world.mute(3));
      world.cloud.endpointAt(world.name).deployments.delete('v03');
      world.refused.set(operationStatus, new Refusal(403, 'AuthorizationFailed', 'it is not known whether it failed'));

      await expect(world.serving.observe('e')).rejects.toMatchObject({ code: 'invalid' });
      const told = await world.serving.observe('e');
      await world.change(retire('v3'));

      expect(told).toMatchObject({ deployments: [ready(1), ready(2), { name: 'v3', status: 'failed' }] });
      expect(await world.serving.observe('e')).toMatchObject({ deployments: [ready(1), ready(2)] });
    });

    test('whose operation Azure has forgotten, or never told, is failed without a reason of its own', async () => {
      const world = await canary();
      await world.deployed(world.mute(3));
      world.cloud.operations.forget();

      expect(await world.serving.observe('e')).toMatchObject({
        deployments: [
          ready(1),
          ready(2),
          { status: 'failed', reason: expect.stringContaining('Azure ML says Failed, and no reason') },
        ],
      });
    });

    test('is told, with the weights, also where nobody may look why', async () => {
      const world = await canary();
      await world.deployed(world.mute(3));
      world.refused.set(
        operationStatus,
        new Refusal(403, 'AuthorizationFailed', 'mfeOperationsStatus/read is missing'),
      );

      expect(await world.serving.observe('e')).toMatchObject({
        weights: { v1: 100 },
        deployments: [
          ready(1),
          ready(2),
          { status: 'failed', reason: expect.stringContaining('mfeOperationsStatus/read is missing') },
        ],
      });
    });

    test('is refused at once where Azure refuses it at once', async () => {
      const world = await canary();
      world.refused.set(puts.deployment, noQuota);

      const deploying = world.serving.change('e', deploy(world.deploymentOf(3)));

      await expect(deploying).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('quota') });
    });

    test('with its endpoint is told too, and the endpoint is put once more', async () => {
      const world = await opened();
      world.cloud.operations.next({ error: { code: 'BadRequest', message: 'the identity cannot be found' } });

      const failed = await world.change(deploy(world.deploymentOf(1)));
      await world.change(retire('v1'));
      const after = await world.serving.observe('e');
      await world.deployed(world.deploymentOf(1));

      expect(failed).toMatchObject({
        deployments: [
          { name: 'v1', status: 'failed', reason: expect.stringContaining('the identity cannot be found') },
        ],
      });
      expect(after).toEqual({ deployments: [], weights: {}, busy: false });
      expect(await world.serving.observe('e')).toMatchObject({ deployments: [ready(1)] });
    });
  });

  test('an endpoint whose making left nothing is told too, and absent once that was taken back', async () => {
    const world = await opened();
    world.cloud.operations.next({ error: { code: 'BadRequest', message: 'the identity cannot be found' } });
    await world.change(deploy(world.deploymentOf(1)));
    world.cloud.vanish(world.name);

    const told = await world.serving.observe('e');
    await world.change(retire('v1'));

    expect(told).toMatchObject({ deployments: [{ name: 'v1', status: 'failed' }], weights: {} });
    expect(await world.serving.observe('e')).toBe('absent');
  });

  describe('an answer that is lost', () => {
    test.each([
      ['an endpoint', 'endpoint'],
      ['a deployment', 'deployment'],
    ] as const)('of the making of %s is seen by the next look, and nothing is made twice', async (_, what) => {
      const world = await opened();
      if (what === 'deployment') await world.change(deploy(world.deploymentOf(1)));
      world.lost.add(puts[what]);

      const lost = world.serving.change('e', deploy(world.deploymentOf(1)));

      await expect(lost).rejects.toMatchObject({ code: 'unavailable' });
      await world.settled();
      await world.deployed(world.deploymentOf(1));
      expect(await world.serving.observe('e')).toMatchObject({ deployments: [ready(1)] });
      expect([putEndpoint, putDeployment].map((id) => world.asked(id).length)).toEqual([1, 1]);
    });

    test('of a failed deployment leaves it failed, for it is there', async () => {
      const world = await canary();
      world.lost.add(puts.deployment);
      await world.serving.change('e', deploy(world.mute(3))).catch(() => undefined);

      expect(await world.settled()).toMatchObject({
        deployments: [ready(1), ready(2), { status: 'failed', reason: expect.stringContaining('ResourceNotReady') }],
      });
    });

    test('of a retirement is seen by the next look', async () => {
      const world = await canary();
      world.lost.add('DELETE onlineEndpoints/{endpoint}/deployments/{deployment}');

      await expect(world.serving.change('e', retire('v2'))).rejects.toMatchObject({ code: 'unavailable' });

      expect(await world.settled()).toMatchObject({ deployments: [ready(1)] });
    });
  });

  describe('weights', () => {
    test('are set by putting the whole endpoint, with all that it had and nothing that only Azure writes', async () => {
      const world = await canary();
      world.cloud.endpointAt(world.name).body.tags.cost = 'team-a';

      await world.change(weigh({ v1: 95, v2: 5 }));

      expect(world.asked(putEndpoint).at(-1)?.body).toEqual({
        location: 'westeurope',
        kind: 'Managed',
        tags: { 'serin-project': 'shop', 'serin-environment': 'prod', 'serin-model': 'e', cost: 'team-a' },
        identity: { type: 'UserAssigned', userAssignedIdentities: { [identity]: {} } },
        properties: {
          authMode: 'AADToken',
          publicNetworkAccess: 'Enabled',
          properties: { 'azureml.onlineendpointid': 'x', AzureAsyncOperationUri: expect.any(String) },
          traffic: { v01: 95, v02: 5 },
          mirrorTraffic: {},
        },
      });
    });

    test('that nobody got an answer to and that land after a revert are seen by the next look, and taken back', async () => {
      const world = await canary();
      world.cloud.hold();
      await expect(world.serving.change('e', weigh({ v1: 50, v2: 50 }))).rejects.toMatchObject({ code: 'unavailable' });
      await walk(world, wish([1, 2], { 1: 100 }, { urgent: true }));
      world.cloud.land();

      const late = await world.serving.observe('e');
      await walk(world, wish([1, 2], { 1: 100 }, { urgent: true }));

      expect(late).toMatchObject({ weights: { v1: 50, v2: 50 } });
      expect(await world.serving.observe('e')).toMatchObject({ weights: { v1: 100 } });
    });

    test('are not sent by a function that stood still since its order', async () => {
      const world = await canary();
      const before = world.asked(putEndpoint).length;
      world.meanwhile.set('GET onlineEndpoints/{endpoint}/deployments', () => {
        world.clock.now += minute;
      });

      const late = world.serving.change('e', weigh({ v1: 50, v2: 50 }));

      await expect(late).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('its order') });
      expect(world.asked(putEndpoint)).toHaveLength(before);
    });

    test('are not sent while another operation runs, and busy where one has just begun', async () => {
      const world = await canary();
      const sent = () => world.asked(putEndpoint).length;
      const before = sent();
      await world.serving.change('e', retire('v2'));
      const during = await world.serving.change('e', weigh({}));
      await world.settled();
      world.refused.set(
        puts.endpoint,
        new Refusal(409, 'Conflict', 'another operation on same entity is already running'),
      );

      const raced = await world.serving.change('e', weigh({}));

      expect([during, raced, sent() - before]).toEqual(['busy', 'busy', 1]);
    });

    test.each(['Scaling', 'Updating'])(
      'are tried while a deployment is in the state %s, which Azure may mind',
      async (state) => {
        const world = await canary();
        const seen = world.cloud.endpointAt(world.name).deployments.get('v01');
        if (seen !== undefined) seen.state = state;
        const before = world.asked(putEndpoint).length;

        const observed = await world.serving.observe('e');
        await world.serving.change('e', weigh({}));

        expect(observed).toMatchObject({ busy: false, deployments: [ready(1), ready(2)] });
        expect(world.asked(putEndpoint)).toHaveLength(before + 1);
      },
    );

    test('of a revert are written though the endpoint seems to have them, for Azure ML shows older ones for a while', async () => {
      const world = await canary();
      await world.change(weigh({ v1: 50, v2: 50 }));
      const endpoint = world.cloud.endpointAt(world.name);
      const actual = endpoint.traffic;
      endpoint.traffic = { v01: 100 };
      world.meanwhile.set(puts.endpoint, () => {
        endpoint.traffic = actual;
      });

      const reverted = await world.change(weigh({ v1: 100 }));

      expect(reverted).toMatchObject({ weights: { v1: 100 } });
      expect(world.asked(putEndpoint).at(-1)?.body.properties.traffic).toEqual({ v01: 100 });
    });

    test('whose change failed are not taken for what holds, whatever the endpoint shows, and are set again', async () => {
      const world = await canary();
      world.cloud.operations.next({ error: { code: 'InternalServerError', message: 'it failed' } });

      const failed = await world.change(weigh({ v1: 50, v2: 50 }));
      const before = world.asked(putEndpoint).length;
      await walk(world, wish([1, 2], { 1: 100 }, { urgent: true }));

      expect(failed).toMatchObject({ weights: {}, busy: false });
      expect(world.asked(putEndpoint)).toHaveLength(before + 1);
      expect(await world.serving.observe('e')).toMatchObject({ weights: { v1: 100 }, busy: false });
    });

    test('of nothing take all requests away, and the capacity stays until it is retired', async () => {
      const world = await canary();

      const seen = await world.change(weigh({}));

      expect(world.asked(putEndpoint).at(-1)?.body.properties.traffic).toEqual({});
      expect(seen).toEqual({ deployments: [ready(1), ready(2)], weights: {}, busy: false });
    });

    test('with more than half of the requests mirrored are refused with the reason', async () => {
      const world = await canary();
      const mirror = { deployment: 'v2', percent: 51 };

      const weighing = world.serving.change('e', { kind: 'weigh', weights: { v1: 100 }, mirror });

      await expect(weighing).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('at most 50 %'),
      });
    });
  });

  test('what no request can be routed to, and what requests are routed to, is refused before Azure is asked', async () => {
    const world = await canary();
    await world.deployed(world.mute(3));
    const mirror = { deployment: 'v2', percent: 20 };
    await world.change({ kind: 'weigh', weights: { v1: 100 }, mirror });
    const sent = () => world.served.calls.filter(({ id }) => !id.startsWith('GET')).length;
    const before = sent();

    const refused: readonly (readonly [Operation, string])[] = [
      [weigh({ v1: 50, v3: 50 }), 'ResourceNotReady'],
      [weigh({ v1: 50, v9: 50 }), 'it is not deployed'],
      [{ kind: 'weigh', weights: { v1: 100 }, mirror: { deployment: 'v3', percent: 20 } }, 'ResourceNotReady'],
      [retire('v1'), 'route its requests elsewhere first'],
      [retire('v2'), 'end the mirroring before'],
    ];

    for (const [operation, why] of refused)
      await expect(world.serving.change('e', operation)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining(why),
      });
    expect(sent()).toBe(before);
  });

  test('a deployment that comes is pending, one that goes is not told any more, and one that is there costs no look at operations', async () => {
    const world = await canary();
    await world.serving.change('e', deploy(world.deploymentOf(3)));
    const coming = await world.serving.observe('e');
    await world.settled();
    await world.serving.change('e', retire('v2'));
    const going = await world.serving.observe('e');
    await world.settled();
    await world.change(retire('v3'));

    expect(coming).toMatchObject({ busy: true, deployments: [ready(1), ready(2), { name: 'v3', status: 'pending' }] });
    expect(going).toEqual({ busy: true, deployments: [ready(1), ready(3)], weights: { v1: 100 } });
    expect(world.served.calls.filter(({ id }) => id.includes('mfeOperations'))).toEqual([]);
  });

  test.each([
    [409, 'whatever it says', 'busy'],
    [412, 'whatever it says', 'busy'],
    [400, 'Cannot create a deployment in endpoint e because it is in Updating provisioning state.', 'busy'],
    [400, 'the instance type is not known', 'invalid'],
    [403, 'another operation is not allowed', 'invalid'],
  ])('a refusal by %i that says: %s', async (status, message, expected) => {
    const world = await canary();
    world.refused.set(puts.deployment, new Refusal(status, 'Refused', message));

    const answer = await world.serving.change('e', deploy(world.deploymentOf(3))).catch(({ code }) => code);

    expect(answer).toBe(expected);
  });

  test('an endpoint that failed is put once more as it was, before anything is deployed to it', async () => {
    const world = await canary();
    await world.change({ kind: 'weigh', weights: { v1: 100 }, mirror: { deployment: 'v2', percent: 20 } });
    world.cloud.endpointAt(world.name).state = 'Failed';

    await world.deployed(world.deploymentOf(3));

    const { traffic, mirrorTraffic } = world.asked(putEndpoint).at(-1)?.body.properties ?? {};
    expect([traffic, mirrorTraffic]).toEqual([{ v01: 100 }, { v02: 20 }]);
    expect(await world.serving.observe('e')).toMatchObject({ deployments: [ready(1), ready(2), ready(3)] });
  });

  test('what is set of an endpoint beside its traffic stays when the traffic changes', async () => {
    const world = await canary();
    const endpoint = world.cloud.endpointAt(world.name);
    const sku = { name: 'Default', tier: 'Standard' };
    endpoint.body = { ...endpoint.body, sku, properties: { ...endpoint.body.properties, compute: 'cluster' } };

    await world.change(weigh({ v1: 50, v2: 50 }));

    expect(world.asked(putEndpoint).at(-1)?.body).toMatchObject({ sku, properties: { compute: 'cluster' } });
  });

  test('an endpoint that goes is busy, and a deployment whose making was called off has failed', async () => {
    const world = await canary();
    const endpoint = world.cloud.endpointAt(world.name);
    endpoint.state = 'Deleting';
    const second = endpoint.deployments.get('v02');
    if (second !== undefined) second.state = 'Canceled';

    const going = await world.serving.observe('e');
    endpoint.state = 'Succeeded';

    expect(going).toMatchObject({ busy: true });
    expect(await world.serving.observe('e')).toMatchObject({
      ...{ busy: false, deployments: [ready(1), { name: 'v2', status: 'failed' }] },
    });
  });

  test('traffic of 0, and what Azure writes as null, is nothing', async () => {
    const world = await canary();
    world.cloud.endpointAt(world.name).traffic = { v01: 100, v02: 0 };

    expect(await world.serving.observe('e')).toEqual({
      deployments: [ready(1), ready(2)],
      weights: { v1: 100 },
      busy: false,
    });
  });

  describe('instances that follow the load', () => {
    const scaled = { instances: { min: 2, max: 6 } };

    test('get a setting once the deployment is there, and lose it before it goes', async () => {
      const world = await canary();
      await world.deployed(world.deploymentOf(3, scaled));
      const [[name, setting] = []] = [...world.cloud.scaled];

      await world.change(retire('v3'));

      expect(name).toBe(`${world.name}-v03`);
      expect(setting).toMatchObject({
        location: 'westeurope',
        properties: {
          enabled: true,
          targetResourceUri: expect.stringMatching(/\/deployments\/v03$/),
          profiles: [
            {
              capacity: { minimum: '2', maximum: '6', default: '2' },
              rules: [
                { metricTrigger: { threshold: 70 }, scaleAction: { direction: 'Increase' } },
                { metricTrigger: { threshold: 30 }, scaleAction: { direction: 'Decrease' } },
              ],
            },
          ],
        },
      });
      expect([...world.cloud.scaled.keys()]).toEqual([]);
      await world.deployed(world.deploymentOf(3, scaled));
      expect([...world.cloud.scaled.keys()]).toEqual([name]);
    });

    test('are asked for once, and not for what has a fixed number', async () => {
      const world = await canary();
      await world.deployed(world.deploymentOf(3, scaled));

      await world.serving.observe('e');

      const settings = world.served.calls.filter(({ id }) => id.includes('autoscalesettings'));
      expect(settings.map(({ id }) => id.split(' ')[0])).toEqual(['GET', 'PUT']);
    });

    test('keep the setting that is there: another process made it, and a person may have changed it', async () => {
      const world = await canary();
      const tuned = {
        location: 'westeurope',
        properties: {
          enabled: true,
          targetResourceUri: '/subscriptions/s/x',
          profiles: [{ name: 'ours', capacity: { minimum: '4', maximum: '9', default: '4' }, rules: [] }],
        },
      };
      world.cloud.scaled.set(`${world.name}-v03`, tuned);

      await world.deployed(world.deploymentOf(3, scaled));

      expect(world.cloud.scaled.get(`${world.name}-v03`)).toEqual(tuned);
    });

    test('are told beside a deployment that is ready all the same, when they cannot be had', async () => {
      const world = await canary();
      const autoscale =
        'PUT /subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Insights/autoscalesettings/{setting}';
      await world.serving.change('e', deploy(world.deploymentOf(3, scaled)));
      world.refused.set(autoscale, new Refusal(403, 'AuthorizationFailed', 'no permission'));

      const seen = await world.settled();

      expect(seen).toMatchObject({
        deployments: [{}, {}, { status: 'ready', reason: expect.stringContaining('no permission') }],
      });
    });
  });

  test('deployments are found on all pages, and what somebody else deployed is not told', async () => {
    const world = await canary({ pageSize: 1 });
    const { deployments } = world.cloud.endpointAt(world.name);
    const [first] = deployments.values();
    if (first !== undefined) deployments.set('blue', { ...first, name: 'blue' });

    expect(await world.serving.observe('e')).toMatchObject({ deployments: [ready(1), ready(2)] });
  });

  test('an endpoint that somebody deleted is absent, and made again by the next deploy', async () => {
    const world = await canary();
    world.cloud.vanish(world.name);

    const gone = await world.serving.observe('e');
    await walk(world, wish([1], { 1: 100 }));

    expect(gone).toBe('absent');
    expect(await world.serving.observe('e')).toMatchObject({ deployments: [ready(1)], weights: { v1: 100 } });
  });

  test.each([
    ['weights', puts.endpoint, weigh({ v1: 50, v2: 50 }), 'Deployment v02 not found in endpoint e, workspace acme'],
    ['a deployment', puts.deployment, 'deploy', 'Endpoint e not found in workspace acme'],
  ] as const)(
    'a change of %s for which Azure ML does not find what it has shown is asked for again',
    async (_, call, operation, message) => {
      const world = await canary();
      const change = operation === 'deploy' ? deploy(world.deploymentOf(3)) : operation;
      world.refused.set(call, new Refusal(404, 'UserError', message));

      await expect(world.serving.change('e', change)).rejects.toMatchObject({
        ...{ code: 'unavailable', message: expect.stringContaining(message) },
      });

      expect(await world.serving.change('e', change)).toBe('accepted');
    },
  );

  test('a deployment that goes before it is retired is gone, and no failure', async () => {
    const world = await canary();
    const gone = new Refusal(404, 'UserError', 'Deployment v02 not found in endpoint e, workspace acme');
    world.refused.set('DELETE onlineEndpoints/{endpoint}/deployments/{deployment}', gone);

    expect(await world.serving.change('e', retire('v2'))).toBe('accepted');
  });

  test('a retirement that fails leaves the deployment, which can be retired again', async () => {
    const world = await canary();
    world.cloud.operations.next({ error: { code: 'InternalServerError', message: 'something broke' } });
    await world.change(retire('v2'));
    const stays = await world.serving.observe('e');

    await world.change(retire('v2'));

    expect(stays).toMatchObject({ deployments: [ready(1), ready(2)] });
    expect(await world.serving.observe('e')).toMatchObject({ deployments: [ready(1)] });
  });

  test('a deployment that lands after it was given up gets no request, and is taken away', async () => {
    const world = await canary();
    world.cloud.operations.next({ lateMs: 240 * minute });
    await world.serving.change('e', deploy(world.deploymentOf(3)));
    world.clock.now += 190 * minute;
    const waiting = await world.serving.change('e', retire('v3'));
    world.clock.now += 120 * minute;

    const late = await world.serving.observe('e');
    const left = await walk(world, wish([1, 2], { 1: 100 }, { extras: 'retire' }));

    expect(waiting).toBe('busy');
    expect(late).toEqual({ deployments: [ready(1), ready(2), ready(3)], weights: { v1: 100 }, busy: false });
    expect(left).toEqual({ deployments: [ready(1), ready(2)], weights: { v1: 100 }, busy: false });
  });

  servingWalks({
    opened,
    canary,
    more: [wish([1, 2], { 1: 100 }, { mirror: { version: 2, percent: 20 } })],
    losable: Object.values(puts),
    late: ({ cloud }, lateMs) => cloud.operations.next({ lateMs }),
    held: { before: ({ cloud }) => cloud.hold(), after: ({ cloud }) => cloud.land() },
  });

  test('what a person did to an endpoint by hand is put right: its traffic, and a deployment taken away', async () => {
    const world = await canary();
    const hosted = world.cloud.endpointAt(world.name);
    hosted.traffic = { v02: 100 };
    hosted.deployments.delete('v01');

    await walk(world, wish([1, 2], { 1: 100 }));

    expect(await world.serving.observe('e')).toMatchObject({ weights: { v1: 100 } });
  });
});
