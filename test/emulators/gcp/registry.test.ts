import type { Bucket } from '@serin/core/ports/bucket';
import { modelName } from '@serin/gcp/names';
import { vertexRegistry } from '@serin/gcp/ports/registry';
import { afterEach, describe, expect, test } from 'vitest';
import { registryContract, versionOf } from '../../contract/registry.contract.ts';
import { memoryBucket } from '../../simulation/fakes/bucket.ts';
import { atOnce } from '../../simulation/fakes/sync.ts';
import { emulatedGcp } from '../emulated.ts';
import { type Handlers, LostAnswer, Refusal, type Request, serveGoogle } from './discovery.ts';
import { fakeEndpoints } from './fake-endpoints.ts';
import { minute } from './fake-operations.ts';

const installation = { project: 'shop', environment: 'prod' };

async function openWorld(options: { readonly uploadMs?: number; readonly pageSize?: number } = {}) {
  const clock = { now: Date.UTC(2026, 10, 20, 12) };
  const cloud = fakeEndpoints(() => clock.now, { uploadMs: 0, ...options });
  const { operations, models } = cloud;
  /** Calls whose answer is lost after they had their effect. */
  const lost = new Set<string>();
  /** Calls that are refused, once. */
  const refused = new Map<string, Refusal>();
  const handlers: Handlers = Object.fromEntries(
    Object.entries(cloud.handlers).map(([id, handler]) => [
      id,
      (request: Request) => {
        const name = id.replace('aiplatform.projects.locations.', '');
        const refusal = refused.get(name);
        if (refused.delete(name)) throw refusal;
        const answer = handler(request);
        if (lost.delete(name)) throw new LostAnswer();
        return answer;
      },
    ]),
  );
  const served = await serveGoogle('gcp-registry', handlers);
  const bucket = atOnce<Bucket>(memoryBucket());
  /** What happens just before the next intent is written. */
  const meanwhile: (() => void)[] = [];
  const registry = vertexRegistry({
    google: served.google,
    bucket: {
      ...bucket,
      write: (...given) => {
        meanwhile.shift()?.();
        return bucket.write(...given);
      },
    },
    now: () => clock.now,
    installation,
    googleProject: 'acme',
    region: 'europe-west4',
    nodeImage: 'europe-west4-docker.pkg.dev/acme/serin/node:24',
  });
  const uploads = () => served.calls.filter(({ id, status }) => id.endsWith('models.upload') && status !== 409);
  const versions = (model: string) => models.models.get(modelName(installation, model))?.versions ?? [];
  return { meanwhile, clock, operations, models, lost, refused, served, registry, uploads, versions };
}

emulatedGcp('the model registry of Vertex AI', () => {
  const worlds: Awaited<ReturnType<typeof openWorld>>[] = [];
  async function opened(options: Parameters<typeof openWorld>[0] = {}) {
    const world = await openWorld(options);
    worlds.push(world);
    return world;
  }
  afterEach(async () => {
    for (const { served } of worlds.splice(0)) await served.stop();
  });

  registryContract('vertexRegistry', async () => {
    const { registry, served } = await openWorld();
    return { port: registry, close: () => served.stop() };
  });

  test('a version is one of its model, with an alias, labels for filters and a record for people', async () => {
    const { registry, uploads } = await opened();
    await registry.register(versionOf('Fraud / eu', 1));

    await registry.register({ ...versionOf('Fraud / eu', 7), approval: 'approved' });

    const [first, second] = uploads().map(({ body }) => body);
    expect(first.modelId).toMatch(/^prod-shop--fraud-eu-[0-9a-f]{16}$/);
    expect(second.parentModel).toBe(`projects/acme/locations/europe-west4/models/${first.modelId}`);
    expect(second.model).toMatchObject({
      displayName: 'Fraud / eu',
      versionAliases: ['v7'],
      labels: {
        serin_project: 'shop',
        serin_environment: 'prod',
        serin_model: 'fraud___eu',
        serin_version: '7',
        serin_digest: 'a'.repeat(63),
        serin_approval: 'approved',
      },
      containerSpec: { imageUri: 'europe-west4-docker.pkg.dev/acme/serin/node:24' },
    });
    expect(JSON.parse(second.model.versionDescription)).toMatchObject({
      by: 'Serin',
      number: 7,
      metrics: { auc: 0.91 },
    });
  });

  test('the aliases move: each is on one version, and goes when nothing has it', async () => {
    const { registry, versions } = await opened();
    for (const number of [1, 2, 3]) await registry.register(versionOf('fraud', number));
    const aliases = () => versions('fraud').map(({ aliases: all }) => all.filter((alias) => !/^v|default/.test(alias)));

    await registry.setAliases?.('fraud', { champion: 1, challenger: 2 });
    const trying = aliases();
    await registry.setAliases?.('fraud', { champion: 2, challenger: 3 });
    await registry.setAliases?.('fraud', { champion: 2, challenger: 3 });
    const next = aliases();
    await registry.setAliases?.('fraud', { champion: 2 });

    expect(trying).toEqual([['champion'], ['challenger'], []]);
    expect(next).toEqual([[], ['champion'], ['challenger']]);
    expect(aliases()).toEqual([[], ['champion'], []]);
  });

  test('an alias is never given to a version that was not registered, and then none moves', async () => {
    const { registry, versions } = await opened();
    await registry.register(versionOf('fraud', 1));
    await registry.setAliases?.('fraud', { challenger: 1 });

    const moving = registry.setAliases?.('fraud', { champion: 1, challenger: 2 });

    await expect(moving).rejects.toMatchObject({ code: 'notFound' });
    expect(versions('fraud').map(({ aliases }) => aliases.includes('challenger'))).toEqual([true]);
  });

  test('text of any kind and many metrics come back as they were', async () => {
    const { registry } = await opened();
    const metrics = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`metric-${index}`, index / 7]));
    const lineage = { note: ' both = ends ', nothing: '', 'a key, odd': '😀%\n', long: 'x'.repeat(2000) };
    const version = { ...versionOf('fraud', 1), metrics, lineage };

    await registry.register(version);

    expect(await registry.get('fraud', 1)).toEqual(version);
  });

  test('a version is found among several pages of them', async () => {
    const { registry, served } = await opened({ pageSize: 2 });
    for (const number of [1, 2, 3, 4, 5]) await registry.register(versionOf('fraud', number));

    expect(await registry.get('fraud', 5)).toEqual(versionOf('fraud', 5));
    expect(served.calls.filter(({ query }) => query.get('pageToken') === '4').length).toBeGreaterThan(0);
  });

  test('of two versions of one number the first counts, whatever the second says', async () => {
    const { registry, models, versions } = await opened();
    await registry.register(versionOf('fraud', 1));
    const [first] = versions('fraud');
    if (first === undefined) throw new Error('there is none');
    const versionDescription = first.description.replaceAll('a'.repeat(64), 'b'.repeat(64));

    models.commit(modelName(installation, 'fraud'), { ...first.body, versionDescription });

    expect(versions('fraud')).toHaveLength(2);
    expect(await registry.get('fraud', 1)).toEqual(versionOf('fraud', 1));
  });

  test('what somebody else registered or wrote is no version of ours', async () => {
    const { registry, models, versions } = await opened();
    await registry.register(versionOf('fraud', 1));
    const [first] = versions('fraud');
    if (first === undefined) throw new Error('there is none');
    for (const versionDescription of ['', 'a note', '{"by":"Serin"'])
      models.commit(modelName(installation, 'fraud'), { ...first.body, versionDescription });

    expect(await registry.get('fraud', 2)).toBeUndefined();
    expect(await registry.get('fraud', 1)).toEqual(versionOf('fraud', 1));
  });

  test('labels of a first version, which show on all others, change nothing that is read', async () => {
    const { registry } = await opened();
    await registry.register({ ...versionOf('fraud', 1), approval: 'approved' });
    await registry.register(versionOf('fraud', 2, 'b'.repeat(64)));

    await registry.setApproval('fraud', 1, 'rejected');

    expect(await registry.get('fraud', 1)).toEqual({ ...versionOf('fraud', 1), approval: 'rejected' });
    expect(await registry.get('fraud', 2)).toEqual(versionOf('fraud', 2, 'b'.repeat(64)));
  });

  describe('an upload', () => {
    test('is not waited for: the version is not registered yet until the list shows it, and made once', async () => {
      const { registry, clock, uploads, versions } = await opened({ uploadMs: minute });
      const register = () => registry.register(versionOf('fraud', 1));

      await expect(register()).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
      await expect(register()).rejects.toMatchObject({ code: 'unavailable' });
      clock.now += minute;
      await register();

      expect(uploads()).toHaveLength(1);
      expect(versions('fraud')).toHaveLength(1);
    });

    test('whose answer is lost is not made again while it may still show', async () => {
      const { registry, clock, uploads, lost } = await opened({ uploadMs: minute });
      await registry.register(versionOf('fraud', 1)).catch(() => undefined);
      clock.now += minute;
      lost.add('models.upload');
      const register = () => registry.register(versionOf('fraud', 2));

      await expect(register()).rejects.toMatchObject({ code: 'unavailable' });
      await expect(register()).rejects.toMatchObject({ code: 'unavailable' });
      clock.now += minute;
      await register();

      expect(uploads()).toHaveLength(2);
    });

    test('that was never begun is made again after ten minutes', async () => {
      const { registry, clock, uploads, lost, operations } = await opened({ uploadMs: minute });
      lost.add('models.upload');
      operations.next({ error: new Refusal('INTERNAL', 'nothing came of it') });
      const register = () => registry.register(versionOf('fraud', 1)).catch(({ code }) => code);

      const answers = [await register(), await register()];
      clock.now += 11 * minute;
      answers.push(await register());
      clock.now += minute;

      expect(answers).toEqual(['unavailable', 'unavailable', 'unavailable']);
      expect(await register()).toBeUndefined();
      expect(uploads()).toHaveLength(2);
    });

    test('that fails late is told with its reason, and can be made again', async () => {
      const { registry, clock, operations } = await opened({ uploadMs: minute });
      operations.next({ error: new Refusal('INVALID_ARGUMENT', 'the image cannot be read') });
      const register = () => registry.register(versionOf('fraud', 1));
      await expect(register()).rejects.toMatchObject({ code: 'unavailable' });
      clock.now += minute;

      await expect(register()).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('the image cannot be read'),
      });

      await expect(register()).rejects.toMatchObject({ code: 'unavailable' });
      clock.now += minute;
      await register();
    });

    test('that is refused at once can be made again at once', async () => {
      const { registry, refused, uploads } = await opened();
      refused.set('models.upload', new Refusal('PERMISSION_DENIED', "Permission 'aiplatform.models.upload' denied"));

      await expect(registry.register(versionOf('fraud', 1))).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('serin plan --cloud gcp'),
      });
      await registry.register(versionOf('fraud', 1));

      expect(uploads()).toHaveLength(2);
      expect(await registry.get('fraud', 1)).toEqual(versionOf('fraud', 1));
    });

    test('is not begun by who was held up, when the version is there by now', async () => {
      const { registry, meanwhile, models, versions, uploads } = await opened();
      await registry.register(versionOf('fraud', 1));
      const [first] = versions('fraud');
      const description = first?.description.replace('"number":1', '"number":2') ?? '';
      meanwhile.push(() =>
        models.commit(modelName(installation, 'fraud'), { ...first?.body, versionDescription: description }),
      );

      await registry.register(versionOf('fraud', 2));

      expect(uploads()).toHaveLength(1);
      expect(versions('fraud')).toHaveLength(2);
    });

    test('of two first versions at the same time makes one model with both', async () => {
      const { registry, clock, versions } = await opened({ uploadMs: minute });
      const both = () => Promise.allSettled([1, 2].map((number) => registry.register(versionOf('fraud', number))));

      await both();
      clock.now += minute;
      await both();
      clock.now += minute;
      const answers = await both();

      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
      expect(versions('fraud')).toHaveLength(2);
    });
  });
});
