import { secretsOf } from '@serin/core/base/variables';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Job } from '@serin/core/ports/jobs';
import type { Google } from '@serin/gcp/calls/google';
import { jobLogs } from '@serin/gcp/jobs/logs';
import { jobOwners } from '@serin/gcp/jobs/owner';
import { vertexJobs } from '@serin/gcp/ports/jobs';
import { aJob, type Files } from '../../contract/jobs.contract.ts';
import { memoryBucket } from '../../simulation/fakes/bucket.ts';
import { atOnce } from '../../simulation/fakes/sync.ts';
import { datasetIn, storeCode } from '../aws/stored.ts';
import { fakeJobs } from './fake-jobs.ts';

export const start = Date.UTC(2026, 10, 20, 12);

export const settings = {
  installation: { project: 'shop', environment: 'prod' },
  googleProject: 'acme-ml',
  region: 'europe-west4',
  jobAccount: 'serin-prod-shop-jobs@acme-ml.iam.gserviceaccount.com',
  ownBucket: 'acme-serin-shop-prod',
  nodeImage: 'europe-west4-docker.pkg.dev/acme-ml/serin/node:24-slim',
  secretsPrefix: 'serin-prod-shop-program-',
};

export const image = 'europe-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-4.py310:latest';

/** The text of each secret of the world. */
export const canary = 'canary-c0ffee-of-a-secret';

interface More {
  readonly secrets?: (name: string) => string;
  readonly kmsKey?: string;
  readonly network?: string;
}

/** Jobs over the fake Vertex AI, with the own bucket and `drops` in memory. */
export function jobsWorld(google: Google, { secrets = () => canary, ...more }: More = {}) {
  const clock = { now: start };
  const now = () => clock.now;
  const buckets = new Map<string, Bucket>();
  const bucket = (name: string): Bucket => {
    const real = name === 'serin' ? settings.ownBucket : name;
    const found = buckets.get(real) ?? atOnce<Bucket>(memoryBucket());
    buckets.set(real, found);
    return found;
  };
  const put = (name: string, key: string, content: string | Uint8Array) =>
    bucket(name).write(key, typeof content === 'string' ? Buffer.from(content) : content);
  const port = () =>
    vertexJobs({
      ...settings,
      ...more,
      google,
      buckets: bucket,
      now,
      secrets: async (variables) => secretsOf(variables, secrets),
    });
  return {
    clock,
    port,
    jobs: port(),
    ownerOf: jobOwners({ ...settings, google }),
    logs: jobLogs({ ...settings, google }),
    fake: fakeJobs({ now }),
    bucket,
    put,
    /** Everything that the own bucket holds, as text. */
    async stored(): Promise<readonly string[]> {
      const own = bucket(settings.ownBucket);
      const { items } = await own.list('');
      const read = items.map(({ key }) => own.read({ key, maxBytes: 1_000_000 }));
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
