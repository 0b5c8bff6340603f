import type { Azure } from '@serin/azure/calls/azure';
import { jobLogs } from '@serin/azure/jobs/logs';
import { jobOwners } from '@serin/azure/jobs/owner';
import { mlJobs } from '@serin/azure/ports/jobs';
import { secretsOf } from '@serin/core/base/variables';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Job } from '@serin/core/ports/jobs';
import { aJob, type Files } from '../../contract/jobs.contract.ts';
import { memoryBucket } from '../../simulation/fakes/bucket.ts';
import { atOnce } from '../../simulation/fakes/sync.ts';
import { datasetIn, storeCode } from '../aws/stored.ts';
import { fakeJobs } from './fake-jobs.ts';

export const start = Date.UTC(2026, 10, 20, 12);

const identity = (name: string): string =>
  `/subscriptions/s-1/resourceGroups/ml/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;

export const settings = {
  installation: { project: 'shop', environment: 'prod' },
  subscription: '11111111-2222-3333-4444-555555555555',
  resourceGroup: 'ml',
  workspace: 'serin-shop-prod',
  region: 'westeurope',
  account: 'serinshopprod',
  dataAccount: 'acmedata',
  ownContainer: 'serin-own',
  datastore: 'serin',
  jobIdentity: identity('serin-shop-prod-jobs'),
  jobClient: '99999999-2222-3333-4444-555555555555',
  vault: 'serin-shop-prod',
  secretsPrefix: 'program-',
  nodeImage: 'mcr.microsoft.com/devcontainers/javascript-node:24',
};

export const image = 'acme.azurecr.io/torch:2.4';

/** The text of each secret of the world. */
export const canary = 'canary-c0ffee-of-a-secret';

interface More {
  readonly secrets?: (name: string) => string;
  readonly cluster?: string;
}

/** Jobs over the fake Azure ML, with the own container and `drops` in memory. */
export function jobsWorld(azure: Azure, { secrets = () => canary, ...more }: More = {}) {
  const clock = { now: start };
  const now = () => clock.now;
  const buckets = new Map<string, Bucket>();
  const bucket = (name: string): Bucket => {
    const real = name === 'serin' ? settings.ownContainer : name;
    const found = buckets.get(real) ?? atOnce<Bucket>(memoryBucket());
    buckets.set(real, found);
    return found;
  };
  const put = (name: string, key: string, content: string | Uint8Array) =>
    bucket(name).write(key, typeof content === 'string' ? Buffer.from(content) : content);
  const port = (changed: Partial<typeof settings> = {}) =>
    mlJobs({
      ...settings,
      ...more,
      ...changed,
      azure,
      buckets: bucket,
      now,
      secrets: async (variables) => secretsOf(variables, secrets),
    });
  return {
    clock,
    port,
    jobs: port(),
    ownerOf: jobOwners({ ...settings, azure }),
    logs: jobLogs({ ...settings, azure }),
    fake: fakeJobs({ now }),
    bucket,
    put,
    /** Everything that the own container holds, as text. */
    async stored(): Promise<readonly string[]> {
      const { items } = await bucket('serin').list('');
      const read = items.map(({ key }) => bucket('serin').read({ key, maxBytes: 1_000_000 }));
      return (await Promise.all(read)).map((found) => Buffer.from(found?.content ?? '').toString('latin1'));
    },
    text: async (key: string): Promise<string> =>
      Buffer.from((await bucket('serin').read({ key, maxBytes: 1_000_000 }))?.content ?? []).toString(),
    code: (files: Files) => storeCode(files, put),
    dataset: datasetIn(put),
  };
}

export type World = ReturnType<typeof jobsWorld>;

/** A training job of an image of its own, without code. */
export const imageJob = (key: string, job: Partial<Job> = {}): Job =>
  aJob(key, { image, command: ['python', '/app/train.py'], ...job });
