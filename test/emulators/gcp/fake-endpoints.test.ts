import type { Google } from '@serin/gcp/calls/google';
import { afterEach, describe, expect, test } from 'vitest';
import { emulatedGcp } from '../emulated.ts';
import { Refusal, type Served, serveGoogle } from './discovery.ts';
import { fakeEndpoints, neverReady } from './fake-endpoints.ts';
import { minute } from './fake-operations.ts';

const parent = 'v1/projects/p/locations/europe-west4';
const image = 'europe-west4-docker.pkg.dev/p/r/serve';
const model = (id: string) => `projects/p/locations/europe-west4/models/${id}`;

interface Operation {
  readonly name: string;
  readonly done?: boolean;
  readonly error?: object;
}

const ofGoogle = (google: Google) => {
  const call = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object, query = {}) =>
    google.json<
      Operation & { readonly etag: string; readonly deployedModels?: object[]; readonly trafficSplit?: object }
    >({
      ...{ service: 'aiplatform', method, path: path.startsWith('v1/') ? path : `${parent}/${path}`, query },
      ...(body === undefined ? {} : { body }),
    });
  return {
    create: (endpointId: string) => call('POST', 'endpoints', { displayName: 'e' }, { endpointId }),
    upload: (modelId: string, more = {}, imageUri = image) =>
      call('POST', 'models:upload', { modelId, model: { displayName: 'm', containerSpec: { imageUri }, ...more } }),
    deploy: (id: string, of = 'm', more = {}, replicas = { minReplicaCount: 1 }) =>
      call('POST', 'endpoints/e:deployModel', {
        deployedModel: {
          ...{ id, model: model(of) },
          dedicatedResources: { machineSpec: { machineType: 'n1-standard-4' }, ...replicas },
        },
        ...more,
      }),
    undeploy: (deployedModelId: string, more = {}) =>
      call('POST', 'endpoints/e:undeployModel', { deployedModelId, ...more }),
    split: (trafficSplit: object, etag?: string) =>
      call(
        'PATCH',
        'endpoints/e',
        { trafficSplit, ...(etag === undefined ? {} : { etag }) },
        { updateMask: 'trafficSplit' },
      ),
    endpoint: () => call('GET', 'endpoints/e'),
    remove: (path: string) => call('DELETE', path),
    operation: ({ name }: Operation) => call('GET', `v1/${name}`),
    get: (path: string) => call('GET', path),
    patch: (path: string, body: object, updateMask: string) => call('PATCH', path, body, { updateMask }),
  };
};

/** Each trap of the fake, tried by its own calls. */
emulatedGcp("the fake of Vertex AI's endpoints and models", () => {
  let served: Served;
  afterEach(() => served.stop());

  async function opened() {
    const clock = { now: Date.UTC(2026, 10, 20) };
    const cloud = fakeEndpoints(() => clock.now);
    served = await serveGoogle('gcp-fake-endpoints', cloud.handlers);
    return { clock, cloud, ...ofGoogle(served.google) };
  }
  /** An endpoint with the deployed models 1 and 2, of which 1 has all traffic. */
  async function serving() {
    const world = await opened();
    await world.create('e');
    await world.upload('m');
    world.clock.now += minute;
    await world.deploy('1');
    await world.deploy('2');
    world.clock.now += 10 * minute;
    await world.split({ 1: 100 });
    return world;
  }
  const refusal = (rpc: string) => expect.objectContaining({ name: 'GoogleError', rpc });

  test('an endpoint cannot be read before its creation has ended, nor be made twice', async () => {
    const { create, endpoint, clock, operation } = await opened();

    const begun = await create('e');
    expect(await operation(begun)).not.toHaveProperty('done');
    await expect(endpoint()).rejects.toEqual(refusal('NOT_FOUND'));
    await expect(create('e')).rejects.toEqual(refusal('ALREADY_EXISTS'));
    clock.now += minute;

    expect(await operation(begun)).toMatchObject({ done: true });
    expect(await endpoint()).not.toHaveProperty('trafficSplit');
    await expect(create('E')).rejects.toEqual(refusal('INVALID_ARGUMENT'));
    await expect(create('0123')).rejects.toEqual(refusal('INVALID_ARGUMENT'));
  });

  test('the first deployed model gets no traffic without a split, and all of it by the key 0', async () => {
    const { create, upload, deploy, endpoint, clock } = await opened();
    await create('e');
    await upload('m');
    clock.now += minute;
    await deploy('1');
    clock.now += 10 * minute;
    const without = await endpoint();
    await deploy('2', 'm', { trafficSplit: { 0: 60, 1: 40 } });
    clock.now += 10 * minute;

    expect(without).not.toHaveProperty('trafficSplit');
    expect(await endpoint()).toMatchObject({ trafficSplit: { 1: 40, 2: 60 } });
  });

  describe('is refused:', () => {
    test.each([
      ['a split of 99', { 1: 99 }, 'INVALID_ARGUMENT'],
      ['a split of 101', { 1: 100, 2: 1 }, 'INVALID_ARGUMENT'],
      ['a split of less than nothing', { 1: 101, 2: -1 }, 'INVALID_ARGUMENT'],
      ['a split of an id that is not there', { 1: 50, 9: 50 }, 'INVALID_ARGUMENT'],
    ])('%s', async (_, split, rpc) => {
      const { endpoint, split: set } = await serving();

      await expect(set(split)).rejects.toEqual(refusal(rpc));

      expect(await endpoint()).toMatchObject({ trafficSplit: { 1: 100 } });
    });

    test('a change under an etag of before another', async () => {
      const { endpoint, split } = await serving();
      const { etag } = await endpoint();
      await split({ 2: 100 }, etag);

      await expect(split({ 1: 100 }, etag)).rejects.toEqual(refusal('ABORTED'));

      expect(await endpoint()).toMatchObject({ trafficSplit: { 2: 100 } });
    });

    test('to undeploy what has traffic, unless a new split takes it away or it is the last one', async () => {
      const { undeploy, endpoint, clock } = await serving();

      await expect(undeploy('1')).rejects.toEqual(refusal('FAILED_PRECONDITION'));
      await expect(undeploy('9')).rejects.toEqual(refusal('INVALID_ARGUMENT'));
      await undeploy('1', { trafficSplit: { 2: 100 } });
      await expect(undeploy('1')).rejects.toEqual(refusal('FAILED_PRECONDITION'));
      clock.now += 2 * minute;
      expect(await endpoint()).toMatchObject({ trafficSplit: { 2: 100 }, deployedModels: [{ id: '2' }] });
      await undeploy('2');
      clock.now += 2 * minute;

      const left = await endpoint();
      expect([left.trafficSplit, left.deployedModels]).toEqual([undefined, undefined]);
    });

    test('an id twice, also while the first is still deployed, a strange id or model, and no replica', async () => {
      const { deploy, undeploy } = await serving();
      await deploy('3');

      await expect(deploy('3')).rejects.toEqual(refusal('ALREADY_EXISTS'));
      await expect(deploy('2')).rejects.toEqual(refusal('ALREADY_EXISTS'));
      await expect(undeploy('3')).rejects.toEqual(refusal('FAILED_PRECONDITION'));
      await expect(deploy('v4')).rejects.toEqual(refusal('INVALID_ARGUMENT'));
      await expect(deploy('4', 'none')).rejects.toEqual(refusal('NOT_FOUND'));
      await expect(deploy('4', 'm', {}, { minReplicaCount: 0 })).rejects.toEqual(refusal('INVALID_ARGUMENT'));
    });

    test('to delete an endpoint with deployed models, and a model that is deployed', async () => {
      const { remove, cloud } = await serving();

      await expect(remove('endpoints/e')).rejects.toEqual(refusal('FAILED_PRECONDITION'));
      await expect(remove('models/m')).rejects.toEqual(refusal('FAILED_PRECONDITION'));

      expect([cloud.endpoints.size, cloud.models.models.size]).toEqual([1, 1]);
    });

    test('a model id twice, also while the first is uploaded, a strange one, and a model without an image', async () => {
      const { upload } = await opened();
      await upload('m');

      await expect(upload('m')).rejects.toEqual(refusal('ALREADY_EXISTS'));
      await expect(upload('-m')).rejects.toEqual(refusal('INVALID_ARGUMENT'));
      await expect(upload('n', { labels: { key: 'UPPER' } })).rejects.toEqual(refusal('INVALID_ARGUMENT'));
      await expect(upload('n', { versionAliases: ['1'] })).rejects.toEqual(refusal('INVALID_ARGUMENT'));
    });
  });

  describe('an operation', () => {
    test('that fails has an error and no effect', async () => {
      const { create, upload, deploy, operation, endpoint, clock } = await opened();
      await create('e');
      await upload('m', {}, 'europe-west4-docker.pkg.dev/p/r/mute');
      clock.now += minute;
      const begun = await deploy('1');
      clock.now += 10 * minute;

      expect(await operation(begun)).toMatchObject({ done: true, error: { code: 9, message: neverReady } });
      expect((await endpoint()).deployedModels).toBeUndefined();
    });

    test('may end late, never, by an order of a test, and be forgotten', async () => {
      const { cloud, create, operation, clock } = await opened();
      cloud.operations.next({ lateMs: 5 * minute });
      cloud.operations.next({ never: true });
      cloud.operations.next({ error: new Refusal('RESOURCE_EXHAUSTED', 'quota') });
      const [late, never, failed] = [await create('a'), await create('b'), await create('c')];
      clock.now += minute;
      const early = await operation(late);
      clock.now += 100 * minute;

      expect(early).not.toHaveProperty('done');
      expect(await operation(late)).toMatchObject({ done: true });
      expect(await operation(never)).not.toHaveProperty('done');
      expect(await operation(failed)).toMatchObject({ error: { code: 8, message: 'quota' } });
      cloud.operations.forget();
      await expect(operation(late)).rejects.toEqual(refusal('NOT_FOUND'));
    });
  });

  test('labels of a first version show on all versions, and an alias moves to who is given it last', async () => {
    const { upload, get, patch, clock } = await opened();
    await upload('m', { labels: { a: '1', b: '1' }, versionAliases: ['v1'] });
    clock.now += minute;
    const second = { displayName: 'm', labels: { b: '2' }, versionAliases: ['v1'], containerSpec: { imageUri: image } };
    await served.google.json({
      ...{ service: 'aiplatform', method: 'POST', path: `${parent}/models:upload` },
      body: { parentModel: model('m'), model: second },
    });
    clock.now += minute;

    expect(await get('models/m@v1')).toMatchObject({ versionId: '2', labels: { a: '1', b: '2' } });
    expect(await get('models/m')).toMatchObject({ versionId: '1', versionAliases: ['default'] });
    await expect(patch('models/m', { versionDescription: 'x' }, 'versionDescription')).rejects.toEqual(
      refusal('FAILED_PRECONDITION'),
    );
  });
});
