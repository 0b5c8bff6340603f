import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { jobLogs } from '@serin/aws/jobs/logs';
import { jobOwners } from '@serin/aws/jobs/owner';
import { sageMakerJobs } from '@serin/aws/ports/jobs';
import { secretsOf } from '@serin/core/base/variables';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Job } from '@serin/core/ports/jobs';
import type { Files } from '../../contract/jobs.contract.ts';
import { aJob } from '../../contract/jobs.contract.ts';
import { memoryBucket } from '../../simulation/fakes/bucket.ts';
import { atOnce } from '../../simulation/fakes/sync.ts';
import { type Recorder, reach } from './clients.ts';
import { fakeJobs } from './fake-jobs.ts';
import { fakeWire } from './fake-wire.ts';
import { datasetIn, storeCode } from './stored.ts';

export const start = Date.UTC(2026, 10, 20, 12);

export const settings = {
  installation: { project: 'shop', environment: 'prod' },
  region: 'eu-west-1',
  jobRole: 'arn:aws:iam::123456789012:role/serin-shop-jobs',
  ownBucket: 'serin-shop-prod',
  nodeImage: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker/library/node:24-slim',
};

export const image = '763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.6.0-cpu-py312';

/** The text of each secret of the world. */
export const canary = 'canary-c0ffee-of-a-secret';

interface More {
  /** Of the secret of each name. */
  readonly secrets?: (name: string) => string;

  readonly kmsKey?: string;
  readonly vpc?: { readonly subnets: readonly string[]; readonly securityGroups: readonly string[] };
}

/** Jobs over the fake SageMaker, with the buckets `serin-shop-prod` and `drops` in memory. */
export function jobsWorld(recorder: Recorder, { secrets = () => canary, ...more }: More = {}) {
  const buckets = new Map<string, Bucket>();
  const bucket = (name: string): Bucket => {
    const real = name === 'serin' ? settings.ownBucket : name;
    const found = buckets.get(real) ?? atOnce<Bucket>(memoryBucket());
    buckets.set(real, found);
    return found;
  };
  const created: string[] = [];
  const fake = fakeJobs({ now: () => start, onCreate: (name) => created.push(name) });
  const options = { ...reach('http://sagemaker.test'), requestHandler: fakeWire(fake.services) };
  const sagemaker = recorder.watch(new SageMakerClient(options));
  const cloudwatchLogs = recorder.watch(new CloudWatchLogsClient(options));
  const jobs = sageMakerJobs({
    ...settings,
    ...more,
    sagemaker,
    cloudwatchLogs,
    buckets: bucket,
    secrets: async (variables) => secretsOf(variables, secrets),
  });
  const put = (name: string, key: string, content: string | Uint8Array) =>
    bucket(name).write(key, typeof content === 'string' ? Buffer.from(content) : content);
  const logs = jobLogs({ cloudwatchLogs, installation: settings.installation });
  return {
    jobs,
    ownerOf: jobOwners({ ...settings, sagemaker }),
    logs,
    fake,
    bucket,
    /** Everything that the own bucket holds, as text. */
    async stored(): Promise<readonly string[]> {
      const own = bucket(settings.ownBucket);
      const { items } = await own.list('');
      const read = items.map(({ key }) => own.read({ key, maxBytes: 1_000_000 }));
      return (await Promise.all(read)).map((found) => Buffer.from(found?.content ?? '').toString('latin1'));
    },
    put,
    created,
    code: (files: Files) => storeCode(files, put),
    dataset: datasetIn(put),
  };
}

export type World = ReturnType<typeof jobsWorld>;

/** A training job of an image of its own, without code. */
export const imageJob = (key: string, job: Partial<Job> = {}): Job =>
  aJob(key, { image, command: ['python', '/app/train.py'], ...job });

export const nameIn = (id: string): string => id.slice(id.indexOf('/') + 1);
