import { Fault } from '@serin/core/base/fault';
import { secretNames } from '@serin/core/base/variables';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Deployment, Observation, Operation } from '@serin/core/ports/serving';
import { endpointName } from '@serin/gcp/names';
import { vertexServing } from '@serin/gcp/ports/serving';
import { artifactAt, placeBy } from '@serin/platform/jobs/artifacts';
import { expect } from 'vitest';
import { memoryBucket } from '../../simulation/fakes/bucket.ts';
import { atOnce } from '../../simulation/fakes/sync.ts';
import { type Handlers, LostAnswer, type Request, serveGoogle } from './discovery.ts';
import { fakeEndpoints } from './fake-endpoints.ts';
import { minute } from './fake-operations.ts';

export const installation = { project: 'shop', environment: 'prod' };
export const ownBucket = 'serin-own';
const image = 'europe-west4-docker.pkg.dev/acme/ml';

export interface WorldOptions {
  /** In whose name the calls are counted. */
  readonly suite?: string;
  readonly kmsKey?: string;
  readonly sharedEndpoints?: boolean;
}

/** Serving by Vertex AI, over fakes of ours that are held to Google's documents. */
export async function openWorld({ suite = 'gcp-serving', ...options }: WorldOptions = {}) {
  const clock = { now: Date.UTC(2026, 10, 20, 12) };
  const cloud = fakeEndpoints(() => clock.now);
  /** What happens just before a call comes to Google, once; by the end of the method's id. */
  const meanwhile = new Map<string, () => unknown>();
  /** Calls whose answer is lost after they had their effect. */
  const lost = new Set<string>();
  const handlers: Handlers = Object.fromEntries(
    Object.entries(cloud.handlers).map(([id, handler]) => [
      id,
      (request: Request) => {
        const name = id.replace('aiplatform.projects.locations.', '');
        const happens = meanwhile.get(name);
        meanwhile.delete(name);
        happens?.();
        const answer = handler(request);
        if (lost.delete(name)) throw new LostAnswer();
        return answer;
      },
    ]),
  );
  const served = await serveGoogle(suite, handlers);
  const bucket = generations(atOnce<Bucket>(memoryBucket()));
  const secretsAsked: string[] = [];
  const serving = vertexServing({
    google: served.google,
    installation,
    googleProject: 'acme',
    region: 'europe-west4',
    modelAccount: 'serve@acme.iam.gserviceaccount.com',
    bucket,
    ownBucket,
    captureTable: 'acme.serin.requests',
    secretsPrefix: 'serin-prod-shop-',
    secrets: async (variables) => {
      secretsAsked.push(...secretNames(variables));
      if (secretsAsked.includes('absent')) throw new Fault('invalid', "there is no secret 'absent'; create it");
      return {};
    },
    now: () => clock.now,
    ...options,
  });
  const deployments = await storedModels(bucket);

  async function settled(endpoint = 'e'): Promise<Observation | 'absent'> {
    for (;;) {
      const seen = await serving.observe(endpoint);
      if (seen === 'absent' || !seen.busy) return seen;
      clock.now += minute / 2;
    }
  }
  const world = {
    ...{ clock, cloud, meanwhile, lost, served, bucket, serving, secretsAsked, settled },
    name: endpointName(installation, 'e'),
    deploymentOf: (version: number, more: Partial<Deployment> = {}): Deployment => ({
      name: `v${version}`,
      version,
      artifact: deployments[version] ?? {
        uri: `gs://${ownBucket}/jobs/v${version}/model.tar.gz`,
        digest: '?',
        bytes: 1,
      },
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
    asked: (name: string) => served.calls.filter(({ id }) => id === `aiplatform.projects.locations.${name}`),
  };
  return world;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** A model for each of some versions, and a folder of files for the last. */
async function storedModels(bucket: Bucket) {
  const objects = { buckets: () => bucket, placeOf: placeBy('gs') };
  const artifacts = [];
  for (let version = 0; version < 10; version++) {
    const key = `jobs/v${version}/model${version === 9 ? '/' : '.tar.gz'}`;
    if (version === 9) for (const file of ['a.bin', 'deep/b c.txt']) await bucket.write(key + file, Buffer.from(file));
    else await bucket.write(key, Buffer.from(`model ${version}`));
    artifacts.push(await artifactAt(`gs://${ownBucket}/${key}`, objects));
  }
  return artifacts;
}

/** As Cloud Storage has it: a version is a number. */
function generations(bucket: Bucket): Bucket {
  const numbered = <Info extends { readonly version: string }>(info: Info): Info => ({
    ...info,
    version: String(Number.parseInt(info.version.slice(0, 12), 16)),
  });
  return {
    ...bucket,
    async list(prefix, cursor) {
      const page = await bucket.list(prefix, cursor);
      return { ...page, items: page.items.map(numbered) };
    },
  };
}
