import { modelName } from '@serin/azure/names';
import { mlRegistry } from '@serin/azure/ports/registry';
import { afterEach, describe, expect, test } from 'vitest';
import { registryContract, versionOf } from '../../contract/registry.contract.ts';
import { emulatedAzure } from '../emulated.ts';
import { fakeModels } from './fake-models.ts';
import { account, installation, ownContainer, place, uriOf } from './installation.ts';
import { LostAnswer, Refusal, type Request, type Routes, serveAzure } from './rest.ts';

async function openWorld(how = { refusesBy: 409 }) {
  const models = fakeModels(how);
  /** What happens just before the next call of a verb. */
  const meanwhile = new Map<string, () => unknown>();
  /** Verbs whose next answer is lost after it had its effect. */
  const lost = new Set<string>();
  const routes: Routes = Object.fromEntries(
    Object.entries(models.routes).map(([id, handler]) => [
      id,
      async (request: Request) => {
        const verb = id.slice(0, 3);
        const happens = meanwhile.get(verb);
        meanwhile.delete(verb);
        await happens?.();
        const answer = await handler(request);
        if (lost.delete(verb)) throw new LostAnswer();
        return answer;
      },
    ]),
  );
  const served = await serveAzure('azure-registry', routes);
  const registry = mlRegistry({
    azure: served.azure,
    installation,
    ...place,
    account,
    ownContainer,
    datastore: 'serin',
  });
  const puts = () => served.calls.filter(({ id, status }) => id.startsWith('PUT') && status < 400);
  const stored = (model: string, number: number) =>
    models.versions.get(`models/${modelName(installation, model)}/versions/${number}`)?.properties;
  return { models, meanwhile, lost, served, registry, puts, stored };
}

emulatedAzure('the model registry of Azure ML', () => {
  const worlds: Awaited<ReturnType<typeof openWorld>>[] = [];
  async function opened(how?: { refusesBy: number }) {
    const world = await openWorld(how);
    worlds.push(world);
    return world;
  }
  afterEach(async () => {
    for (const { served } of worlds.splice(0)) await served.stop();
  });

  registryContract('mlRegistry', async () => {
    const { registry, served } = await openWorld();
    return { port: registry, close: () => served.stop() };
  });

  test('a version has our number, its artifact by the datastore, properties for people and its approval as a tag', async () => {
    const { registry, stored } = await opened();
    const artifact = { uri: uriOf('jobs/a%20b/model.tar.gz'), digest: 'a'.repeat(64), bytes: 3 };

    await registry.register({ ...versionOf('Fraud / eu', 7), artifact, approval: 'approved' });

    expect(stored('Fraud / eu', 7)).toEqual({
      modelType: 'custom_model',
      modelUri:
        'azureml://subscriptions/s/resourcegroups/g/workspaces/acme/datastores/serin/paths/jobs/a b/model.tar.gz',
      properties: expect.objectContaining({
        'serin.version': '7',
        'serin.digest': 'a'.repeat(64),
        'metric.auc': '0.91',
      }),
      tags: {
        'serin-project': 'shop',
        'serin-environment': 'prod',
        'serin-model': 'Fraud / eu',
        'serin-approval': 'approved',
      },
    });
  });

  test('text of any kind and many metrics come back as they were, in properties that Azure takes', async () => {
    const { registry, stored } = await opened();
    const metrics = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`metric-${index}`, index / 7]));
    const lineage = { note: ' both = ends ', nothing: '', 'a <key>, odd%?': '😀~\n\u0001', long: 'x'.repeat(900) };
    const version = { ...versionOf('fraud', 1), metrics, lineage };

    await registry.register(version);

    expect(await registry.get('fraud', 1)).toEqual(version);
    const { properties } = stored('fraud', 1);
    expect(Object.keys(properties).length).toBeLessThanOrEqual(50);
    for (const [key, value] of Object.entries<string>(properties))
      expect([value.length <= 256, /[<>%&\\?/]/.test(key)]).toEqual([true, false]);
  });

  test('an approval is changed, and nothing else of the version', async () => {
    const { registry, stored } = await opened();
    await registry.register(versionOf('fraud', 1));
    const before = stored('fraud', 1);

    await registry.setApproval('fraud', 1, 'rejected');

    expect(stored('fraud', 1)).toEqual({ ...before, tags: { ...before.tags, 'serin-approval': 'rejected' } });
  });

  test('a registration whose answer is lost is there, and is made once', async () => {
    const { registry, lost, puts } = await opened();
    lost.add('PUT');

    await registry.register(versionOf('fraud', 1));
    await registry.register(versionOf('fraud', 1));

    expect(await registry.get('fraud', 1)).toEqual(versionOf('fraud', 1));
    expect(puts().map(({ status }) => status)).toEqual([0, 200]);
  });

  describe.each([400, 409])('where Azure ML refuses other content by %i', (refusesBy) => {
    test('who comes second finds the artifact of the first, and is told so', async () => {
      const { registry, meanwhile } = await opened({ refusesBy });
      const first = versionOf('fraud', 1);
      meanwhile.set('PUT', () => registry.register(first));
      const racing = Promise.allSettled([registry.register(versionOf('fraud', 1, 'b'.repeat(64)))]);

      const [late] = await racing;

      expect(late).toMatchObject({ status: 'rejected', reason: { code: 'defect' } });
      expect(await registry.get('fraud', 1)).toEqual(first);
    });

    test('what is refused for another reason is told by that reason', async () => {
      const { registry, meanwhile } = await opened();
      meanwhile.set('PUT', () => {
        throw new Refusal(refusesBy, 'UserError', 'the datastore serin cannot be found');
      });

      await expect(registry.register(versionOf('fraud', 1))).rejects.toMatchObject({
        message: expect.stringContaining('the datastore serin cannot be found'),
      });
    });
  });

  test('what somebody else registered under the name is refused, and never read', async () => {
    const { registry, models, stored } = await opened();
    await registry.register(versionOf('fraud', 1));
    const { modelUri } = stored('fraud', 1);
    models.versions.set(`models/${modelName(installation, 'fraud')}/versions/2`, {
      properties: { modelUri, tags: {} },
    });

    for (const call of [registry.register(versionOf('fraud', 2)), registry.setApproval('fraud', 2, 'approved')])
      await expect(call).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('somebody else') });
  });

  test('a missing permission is told with its mend', async () => {
    const { registry, meanwhile } = await opened();
    meanwhile.set('PUT', () => {
      throw new Refusal(403, 'AuthorizationFailed', 'does not have authorization to perform models/versions/write');
    });

    await expect(registry.register(versionOf('fraud', 1))).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('serin plan --cloud azure'),
    });
  });
});
