import { randomUUID } from 'node:crypto';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { jobLogs } from '@serin/aws/jobs/logs';
import { s3Bucket } from '@serin/aws/ports/bucket';
import { sageMakerJobs } from '@serin/aws/ports/jobs';
import type { Bucket } from '@serin/core/ports/bucket';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aJob, jobsContract } from '../../contract/jobs.contract.ts';
import { emulated } from '../emulated.ts';
import { type Emulator, startMoto } from '../installed.ts';
import { reach, recorder } from './clients.ts';
import { image, nameIn, settings } from './jobs-world.ts';
import { datasetIn, storeCode } from './stored.ts';

let moto: Emulator;
const calls = recorder({ suite: 'jobs-moto', against: 'moto' });

/** Everything but the running: real requests, and objects that are really in (moto's) S3. */
async function open() {
  // Two writes of one key at the same time are a 500 of moto's, which the SDK tries again.
  const s3 = calls.watch(new S3Client({ ...reach(moto.url), maxAttempts: 5 }));
  const sagemaker = calls.watch(new SageMakerClient(reach(moto.url)));
  const cloudwatchLogs = calls.watch(new CloudWatchLogsClient(reach(moto.url)));
  const own = `own-${randomUUID()}`;
  const drops = `drops-${randomUUID()}`;
  for (const Bucket of [own, drops])
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  const buckets = (name: string): Bucket =>
    s3Bucket({ client: s3, bucket: name === 'serin' ? own : name === 'drops' ? drops : name });
  const put = (name: string, key: string, content: string) => buckets(name).write(key, Buffer.from(content));
  // Names of jobs are for ever, in moto as in AWS: each case has an environment of its own.
  const installation = { project: 'shop', environment: randomUUID().slice(0, 8) };
  const jobs = sageMakerJobs({
    ...settings,
    installation,
    ownBucket: own,
    sagemaker,
    cloudwatchLogs,
    buckets,
    secrets: async () => ({}),
  });
  return {
    jobs,
    installation,
    own,
    buckets,
    put,
    cloudwatchLogs,
    code: (files: Parameters<typeof storeCode>[0]) => storeCode(files, put),
  };
}

emulated('jobs over moto', () => {
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(async () => {
    await moto.stop();
    calls.save();
  });

  jobsContract('SageMaker (moto)', async () => {
    const { jobs, put, code } = await open();
    return {
      jobs,
      code,
      dataset: datasetIn(put),
      change: async (key, content) => void (await put('drops', `fraud/${key}`, content)),
      close: async () => {},
    };
  });

  describe('what a job leaves in S3', () => {
    test('is its artifact, with a digest that follows the object and needs no download', async () => {
      const { jobs, own, buckets } = await open();
      const { id } = await jobs.start(aJob('run_1/train/1', { image }));
      const model = { key: `jobs/${nameIn(id)}/output/model.tar.gz` };

      const before = await jobs.describe(id);
      await buckets('serin').write(model.key, Buffer.from('weights'));
      const one = await jobs.describe(id);
      const same = await jobs.describe(id);
      await buckets('serin').write(model.key, Buffer.from('WEIGHTS'));
      const other = await jobs.describe(id);

      expect(before).toMatchObject({ status: 'failed', reason: expect.stringContaining('wrote no model') });
      expect(one).toMatchObject({
        status: 'succeeded',
        artifacts: { model: { uri: `s3://${own}/${model.key}`, bytes: 7 } },
      });
      expect(same).toEqual(one);
      expect(other.artifacts?.model?.digest).not.toBe(one.artifacts?.model?.digest);
    });

    test('is handed on to the next job only as long as it is the same', async () => {
      const { jobs, put } = await open();
      const { id } = await jobs.start(aJob('run_1/train/1', { image }));
      await put('serin', `jobs/${nameIn(id)}/output/model.tar.gz`, 'weights');
      const artifact = (await jobs.describe(id)).artifacts?.model;
      if (artifact === undefined) throw new Error('the job has left its model');
      const evaluate = aJob('run_1/evaluate/1', {
        kind: 'evaluate',
        outputs: [],
        image,
        channels: { model: { kind: 'artifact', artifact } },
      });

      const { id: accepted } = await jobs.start(evaluate);
      await put('serin', `jobs/${nameIn(id)}/output/model.tar.gz`, 'WEIGHTS');

      expect(accepted).toMatch(/^processing\//);
      await expect(jobs.start({ ...evaluate, key: 'run_1/evaluate/2' })).rejects.toMatchObject({ code: 'invalid' });
    });
  });

  test('the log of a job is read from CloudWatch, from where it was left', async () => {
    const { jobs, cloudwatchLogs, installation } = await open();
    const logs = jobLogs({ cloudwatchLogs, installation });
    const { id } = await jobs.start(aJob('run_1/train/1', { image }));
    const place = { project: 'shop', key: 'run_1/train/1', kind: 'train' } as const;
    const logGroupName = '/aws/sagemaker/TrainingJobs';
    const logStreamName = `${nameIn(id)}/algo-1-1795176000`;
    await cloudwatchLogs.send(new CreateLogGroupCommand({ logGroupName }));
    await cloudwatchLogs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    const timestamp = Date.now() + 1000;
    const logEvents = ['one', 'two', 'three'].map((message) => ({ timestamp, message }));
    await cloudwatchLogs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));

    const first = await logs(place, 0, 4);
    const rest = await logs(place, first?.next ?? 0, 1000);

    expect(first).toMatchObject({ text: 'one\n' });
    expect(rest).toMatchObject({ text: 'two\nthree\n' });
  });
});
