import { blobObjects } from '@serin/azure/jobs/settings';
import { endpointName } from '@serin/azure/names';
import { mlServing } from '@serin/azure/ports/serving';
import { Fault } from '@serin/core/base/fault';
import { minute } from '@serin/core/base/time';
import { secretNames } from '@serin/core/base/variables';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Deployment, Observation, Operation } from '@serin/core/ports/serving';
import { artifactAt } from '@serin/platform/jobs/artifacts';
import { expect } from 'vitest';
import { memoryBucket } from '../../simulation/fakes/bucket.ts';
import { atOnce } from '../../simulation/fakes/sync.ts';
import { fakeEndpoints } from './fake-endpoints.ts';
import { account, accounts, installation, ownContainer, place, uriOf } from './installation.ts';
import { LostAnswer, type Refusal, type Request, type Routes, serveAzure } from './rest.ts';

const image = 'acme.azurecr.io/ml';
export const identity =
  '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/m';

export interface WorldOptions {
  /** In whose name the calls are counted. */
  readonly suite?: string;
  readonly logWorkspace?: string;
  readonly endpointKeys?: boolean;
  readonly privateEndpoints?: boolean;
  readonly pageSize?: number;
}

/** Serving by Azure ML, over fakes of ours that are held to Microsoft's models. */
export async function openWorld({ suite = 'azure-serving', pageSize = 100, ...options }: WorldOptions = {}) {
  const clock = { now: Date.UTC(2026, 10, 20, 12) };
  const cloud = fakeEndpoints(() => clock.now, { pageSize });
  /** What happens just before a call comes to Azure, once; by verb and path. */
  const meanwhile = new Map<string, () => unknown>();
  /** Calls whose answer is lost after they had their effect. */
  const lost = new Set<string>();
  /** Calls that are refused, once. */
  const refused = new Map<string, Refusal>();
  const routes: Routes = Object.fromEntries(
    Object.entries(cloud.routes).map(([id, handler]) => [
      id,
      async (request: Request) => {
        const happens = meanwhile.get(id);
        meanwhile.delete(id);
        await happens?.();
        const refusal = refused.get(id);
        refused.delete(id);
        if (refusal !== undefined) throw refusal;
        const answer = await handler(request);
        if (lost.delete(id)) throw new LostAnswer();
        return answer;
      },
    ]),
  );
  const served = await serveAzure(suite, routes);
  const bucket = atOnce<Bucket>(memoryBucket());
  const secretsAsked: string[] = [];
  const serving = mlServing({
    azure: served.azure,
    now: () => clock.now,
    installation,
    ...place,
    ...{ account, ownContainer, bucket, datastore: 'serin' },
    modelIdentity: identity,
    modelClient: 'client-of-models',
    vault: 'shopvault',
    secretsPrefix: 'prod-shop-',
    secrets: async (variables) => {
      secretsAsked.push(...secretNames(variables));
      if (secretsAsked.includes('absent')) throw new Fault('invalid', "there is no secret 'absent'; create it");
      return {};
    },
    ...options,
  });
  const artifacts = await storedModels(bucket);

  async function settled(endpoint = 'e'): Promise<Observation | 'absent'> {
    for (;;) {
      const seen = await serving.observe(endpoint);
      if (seen === 'absent' || !seen.busy) return seen;
      clock.now += minute / 2;
    }
  }
  const world = {
    ...{ clock, cloud, meanwhile, lost, refused, served, bucket, serving, secretsAsked, settled },
    name: endpointName(installation, 'e'),
    deploymentOf: (version: number, more: Partial<Deployment> = {}): Deployment => ({
      name: `v${version}`,
      version,
      artifact: artifacts[version] ?? { uri: uriOf(`jobs/v${version}/model.tar.gz`), digest: '?', bytes: 1 },
      image: `${image}/serve:1`,
      command: ['python3', 'serve.py'],
      environment: {},
      instances: { min: 1, max: 1 },
      compute: { nodes: 1, spot: false },
      readyTimeoutMs: 60 * minute,
      ...more,
    }),
    /** It starts and never answers its ping: the fake reads it from the image. */
    mute: (version: number) => world.deploymentOf(version, { image: `${image}/mute:1` }),
    async change(operation: Operation): Promise<Observation | 'absent'> {
      expect(await serving.change('e', operation)).toBe('accepted');
      return settled();
    },
    /** All the steps of a deployment, until it shows. */
    async deployed(deployment: Deployment): Promise<Observation | 'absent'> {
      for (;;) {
        const seen = await world.change({ kind: 'deploy', deployment });
        if (seen !== 'absent' && seen.deployments.some(({ name }) => name === deployment.name)) return seen;
      }
    },
    /** The calls of a kind, as Microsoft's client names its parts. */
    asked: (id: string) => served.calls.filter((call) => call.id === id),
  };
  return world;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** A model for each of some versions, and a folder of files for the last. */
async function storedModels(bucket: Bucket) {
  const artifacts = [];
  for (let version = 0; version < 10; version++) {
    const key = `jobs/v${version}/model${version === 9 ? '/' : '.tar.gz'}`;
    if (version === 9) for (const file of ['a.bin', 'deep/b c.txt']) await bucket.write(key + file, Buffer.from(file));
    else await bucket.write(key, Buffer.from(`model ${version}`));
    artifacts.push(
      await artifactAt(
        uriOf(key),
        blobObjects(() => bucket, accounts),
      ),
    );
  }
  return artifacts;
}
