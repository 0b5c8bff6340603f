import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { CreateProcessingJobCommandInput, CreateTrainingJobCommandInput } from '@aws-sdk/client-sagemaker';
import { jobId } from '@serin/aws/jobs/ids';
import { jobName, s3Objects, s3Place } from '@serin/aws/jobs/settings';
import { toolkitStart } from '@serin/aws/jobs/toolkit';
import { Fault } from '@serin/core/base/fault';
import type { Job, JobDescription } from '@serin/core/ports/jobs';
import { archiveKey } from '@serin/platform/code/archive';
import { artifactAt } from '@serin/platform/jobs/artifacts';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { jobsContract } from '../../contract/jobs.contract.ts';
import { emulated } from '../emulated.ts';
import { recorder } from './clients.ts';
import type { ProcessingAnswer, TrainingAnswer } from './fake-jobs.ts';
import { Refusal } from './fake-wire.ts';
import { canary, image, imageJob, jobsWorld, nameIn, settings, start, type World } from './jobs-world.ts';

const calls = recorder({ suite: 'jobs', against: 'a fake of SageMaker jobs' });
const seconds = (ms: number) => ms / 1000;
const at = (minutes: number) => seconds(start + minutes * 60_000);

emulated('jobs on SageMaker', () => {
  afterAll(() => calls.save());

  jobsContract('SageMaker (fake)', async () => {
    const world = jobsWorld(calls);
    return {
      jobs: {
        ...world.jobs,
        // The fake runs nothing: a job that is asked about has ended well.
        async describe(id) {
          await complete(world, id);
          return world.jobs.describe(id);
        },
      },
      code: world.code,
      dataset: world.dataset,
      change: async (key, content) => void (await world.put('drops', `fraud/${key}`, content)),
      close: async () => {},
    };
  });

  describe('a training job', () => {
    let world: World;
    beforeEach(() => {
      world = jobsWorld(calls);
    });

    const ends = async (answer: TrainingAnswer): Promise<JobDescription> => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1', { maxRuntimeMs: 3_600_000 }));
      world.fake.train(nameIn(id), answer);
      return world.jobs.describe(id);
    };
    const began = { TrainingStartTime: at(5) };
    const over = { ...began, TrainingEndTime: at(65) };
    const times = { startedAt: start + 5 * 60_000, endedAt: start + 65 * 60_000 };

    test.each(['Starting', 'Pending', 'LaunchingMLInstances', 'PreparingTrainingStack', 'Downloading'] as const)(
      'is starting while SageMaker says %s',
      async (SecondaryStatus) => {
        expect(await ends({ SecondaryStatus })).toEqual({ status: 'starting' });
      },
    );

    test('says what it waits for while it is starting', async () => {
      const StatusMessage = 'Insufficient capacity error from EC2 while launching instances, retrying!';
      const transitions = [{ Status: 'Starting', StartTime: at(0), StatusMessage }];

      // The wire has seconds where the type has a date.
      const answer = { SecondaryStatusTransitions: transitions } as unknown as TrainingAnswer;

      expect(await ends(answer)).toEqual({ status: 'starting', reason: StatusMessage });
    });

    test.each(['Downloading', 'Training', 'Uploading', 'Interrupted', 'Restarting', 'Updating'] as const)(
      'runs, once it began, while SageMaker says %s',
      async (SecondaryStatus) => {
        expect(await ends({ ...began, SecondaryStatus })).toEqual({ status: 'running', startedAt: times.startedAt });
      },
    );

    test('still runs while it is stopping', async () => {
      const answer = { ...began, TrainingJobStatus: 'Stopping', SecondaryStatus: 'Stopping' } as const;

      expect(await ends(answer)).toEqual({ status: 'running', startedAt: times.startedAt });
    });

    test('has failed with the reason that SageMaker gives, and the end of its log', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      const FailureReason = 'AlgorithmError: ExecuteUserScriptError: exit code: 3';
      world.fake.train(nameIn(id), { ...over, TrainingJobStatus: 'Failed', SecondaryStatus: 'Failed', FailureReason });
      for (let line = 1; line <= 25; line += 1)
        world.fake.log(`${nameIn(id)}/algo-1-1795`, start + line, `line ${line}`);

      const description = await world.jobs.describe(id);

      expect(description).toMatchObject({ status: 'failed', ...times });
      expect(description.reason).toMatch(/exit code: 3; the end of its log:\nline 6\n[\s\S]*line 25$/);
      expect(description.retryable).toBeUndefined();
    });

    test.each([
      [
        'capacity',
        'CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type.',
      ],
      ['interruption', 'InternalServerError: We encountered an internal error.  Please try again.'],
    ])('is worth another attempt after %s: %s', async (retryable, FailureReason) => {
      const answer = { TrainingJobStatus: 'Failed', SecondaryStatus: 'Failed', FailureReason } as const;

      expect(await ends(answer)).toMatchObject({ status: 'failed', retryable, reason: FailureReason });
    });

    test('was stopped when somebody stopped it', async () => {
      const answer = { ...over, TrainingJobStatus: 'Stopped', SecondaryStatus: 'Stopped' } as const;

      expect(await ends(answer)).toEqual({ status: 'stopped', ...times, reason: 'stopped on request' });
    });

    test('counts as stopped while SageMaker deletes it', async () => {
      expect(await ends({ ...over, TrainingJobStatus: 'Deleting' })).toMatchObject({ status: 'stopped', ...times });
    });

    test('can be stopped while it runs, and again when it is over', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      world.fake.train(nameIn(id), { ...began, SecondaryStatus: 'Training' });

      await world.jobs.stop(id);
      const stopping = await world.jobs.describe(id);
      world.fake.train(nameIn(id), { ...over, TrainingJobStatus: 'Stopped', SecondaryStatus: 'Stopped' });
      await world.jobs.stop(id);

      expect(stopping.status).toBe('running');
      expect((await world.jobs.describe(id)).status).toBe('stopped');
    });

    test.each(['training', 'processing'])('that SageMaker does not know is not found: %s', async (api) => {
      await expect(world.jobs.describe(`${api}/prod-shop-train-1-0123456789abcdef`)).rejects.toMatchObject({
        code: 'notFound',
      });
      await expect(world.jobs.stop(`${api}/prod-shop-train-1-0123456789abcdef`)).rejects.toMatchObject({
        code: 'notFound',
      });
    });

    test('has failed when SageMaker stopped it at its time limit', async () => {
      const answer = { ...over, TrainingJobStatus: 'Stopped', SecondaryStatus: 'MaxRuntimeExceeded' } as const;

      expect(await ends(answer)).toEqual({ status: 'failed', ...times, reason: 'ran longer than 1h' });
    });

    test('is worth another attempt when spot had no machine, or took it away, until its time to wait was over', async () => {
      const stopped = { TrainingJobStatus: 'Stopped', SecondaryStatus: 'MaxWaitTimeExceeded' } as const;
      const StoppingCondition = { MaxRuntimeInSeconds: 3600, MaxWaitTimeInSeconds: 90_000 };

      const never = await ends({ ...stopped, StoppingCondition });
      world = jobsWorld(calls);
      const taken = await ends({ ...stopped, ...over, StoppingCondition });

      expect(never).toMatchObject({
        status: 'failed',
        retryable: 'capacity',
        reason: expect.stringMatching(/no spot machine .* within 1d 1h/),
      });
      expect(taken).toMatchObject({
        status: 'failed',
        retryable: 'interruption',
        reason: expect.stringContaining('taken away'),
      });
    });

    test('has its model, its times and the metrics of both sources when it has succeeded', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      await complete(world, id, {
        FinalMetricDataList: [
          { MetricName: 'auc', Value: 0.5 },
          { MetricName: 'rmse', Value: 1.25 },
        ],
      });
      await world.put('serin', `jobs/${nameIn(id)}/output/output.tar.gz`, outputWithMetrics);

      const description = await world.jobs.describe(id);

      expect(description).toMatchObject({ status: 'succeeded', ...times, metrics: { auc: 0.875, rmse: 1.25 } });
      expect(description.artifacts?.model).toEqual({
        uri: `s3://serin-shop-prod/jobs/${nameIn(id)}/output/model.tar.gz`,
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        bytes: 'weights'.length,
      });
    });

    test('has failed when it ended well without a model', async () => {
      const description = await ends({ ...over, TrainingJobStatus: 'Completed', SecondaryStatus: 'Completed' });

      expect(description).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('wrote no model into s3://'),
      });
      expect(description.retryable).toBeUndefined();
    });
  });

  describe('starting', () => {
    test('pays for one job, however often it is started', async () => {
      const world = jobsWorld(calls);

      await Promise.all(Array.from({ length: 5 }, () => world.jobs.start(imageJob('run_1/train/1'))));

      expect(world.created).toHaveLength(1);
    });

    test('does not adopt a job of the same name that is not of the same key', async () => {
      const world = jobsWorld(calls);
      const job = imageJob('run_1/train/1');
      const name = nameIn(jobId(settings.installation, job));
      const own = { 'serin:project': 'shop', 'serin:environment': 'prod' };
      const tags = Object.entries({ ...own, 'serin:key': 'run_2/train/1' });
      world.fake.foreign(
        name,
        tags.map(([Key, Value]) => ({ Key, Value })),
      );

      await expect(world.jobs.start(job)).rejects.toMatchObject({
        code: 'defect',
        message: expect.stringContaining('run_2/train/1'),
      });
    });

    test('waits for the tags of a job of its name, which SageMaker may show later than the job', async () => {
      const world = jobsWorld(calls);
      const job = imageJob('run_1/train/1');
      world.fake.foreign(nameIn(jobId(settings.installation, job)), []);

      await expect(world.jobs.start(job)).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
    });

    const refused = async (type: string, message: string) => {
      const world = jobsWorld(calls);
      world.fake.refuse(new Refusal(type, message));
      return world.jobs.start(imageJob('run_1/train/1')).catch((fault: unknown) => fault);
    };
    const limit = (count: number) =>
      `The account-level service limit 'ml.g5.2xlarge for spot training job usage' is ${count} Instances, with current utilization of ${count} Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this quota.`;

    test('is refused for good by a quota of none, and waits for one that others use up', async () => {
      const none = await refused('ResourceLimitExceeded', limit(0));
      const busy = await refused('ResourceLimitExceeded', limit(1));

      expect(none).toMatchObject({ code: 'invalid', message: expect.stringContaining('higher quota') });
      expect(busy).toMatchObject({ code: 'throttled', retry: 'later' });
    });

    test('waits for capacity, and for a service that is asked too often', async () => {
      expect(await refused('ThrottlingException', 'Rate exceeded')).toMatchObject({ code: 'throttled' });
      expect(await refused('CapacityError', 'Insufficient capacity')).toMatchObject({ code: 'throttled' });
    });

    test('waits for the stock image that nobody has pulled yet, and fails for an image of its own that is not there', async () => {
      const world = jobsWorld(calls);
      const digest = await world.code({ 'train.mjs': '' });
      const { image: own, ...stock } = imageJob('run_1/train/1', { code: { digest }, command: ['node', 'train.mjs'] });
      const started = (job: Job) => {
        world.fake.refuse(new Refusal('ValidationException', 'Cannot find the requested image: please check it.'));
        return world.jobs.start(job).catch((fault: unknown) => fault);
      };

      expect(await started(stock)).toMatchObject({ code: 'unavailable', message: expect.stringContaining('by hand') });
      expect(await started({ ...stock, image: own ?? '' })).toMatchObject({ code: 'invalid' });
    });

    test('refuses an artifact that has changed since its job ended', async () => {
      const world = jobsWorld(calls);
      await world.put('serin', 'jobs/a/train/part.csv', 'changed');
      const artifact = { uri: 's3://serin-shop-prod/jobs/a/train/', digest: '0'.repeat(64), bytes: 1 };

      const starting = world.jobs.start(
        imageJob('run_1/train/1', { channels: { train: { kind: 'artifact', artifact } } }),
      );

      await expect(starting).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('digest') });
      expect(world.created).toEqual([]);
    });
  });

  describe('the model of a job', () => {
    test('is found with one question, with ten thousand models as with one', async () => {
      const world = jobsWorld(calls);
      const names = Array.from({ length: 10_000 }, (_, index) => {
        const name = jobName(settings.installation, { project: 'shop', key: `run_${index}/train/1` });
        world.fake.foreign(name, [{ Key: 'serin:model', Value: `model-${index}` }]);
        return name;
      });
      const before = calls.recorded.length;

      const owners = await Promise.all([names[0], names[9_999]].map((name = '') => world.ownerOf(`training/${name}`)));

      expect(owners).toEqual(['model-0', 'model-9999']);
      expect(calls.recorded.slice(before).map(({ operation }) => operation)).toEqual(['ListTags', 'ListTags']);
    });

    test('is the one that it was started for, of each kind of job', async () => {
      const world = jobsWorld(calls);
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      const evaluation = await world.jobs.start(imageJob('run_1/evaluate/1', { kind: 'evaluate' }));

      expect(await world.ownerOf(id)).toBe('prices');
      expect(await world.ownerOf(evaluation.id)).toBe('prices');
    });

    test("is none for a job that is gone, and another installation's is not asked about", async () => {
      const world = jobsWorld(calls);
      const before = calls.recorded.length;

      expect(await world.ownerOf('training/prod-shop2--fraud-train-0123456789abcdef')).toBeUndefined();
      expect(calls.recorded).toHaveLength(before);
      expect(await world.ownerOf('training/prod-shop--train-1-0123456789abcdef')).toBeUndefined();
    });
  });

  describe('the request for a training job', () => {
    const more = {
      kmsKey: 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      vpc: { subnets: ['subnet-1', 'subnet-2'], securityGroups: ['sg-1'] },
    };

    test('says everything: spot, nodes, metrics, checkpoints, network, keys, tags, the dataset as a manifest file', async () => {
      const world = jobsWorld(calls, more);
      const digest = await world.code({ 'train.py': 'print(1)' });
      const train = await world.dataset({ 'train/a.csv': '1', 'train/b.csv': '22', 'holdout/c.csv': '3' }, 'train/');

      const { id } = await world.jobs.start(
        imageJob('run_1/train/2', {
          code: { digest },
          // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of Azure ML, not of JavaScript
          command: ['python', 'train.py', '--data', '${{inputs.train}}'],
          environment: { MODE: 'fast' },
          hyperparameters: { epochs: '10', 'learning-rate': '0.10' },
          channels: { train },
          metrics: [{ name: 'auc', regex: 'auc=([0-9.]+)' }],
          checkpoints: 'prices/run_1',
          compute: { accelerator: { type: 'A10G', count: 4 }, nodes: 4, spot: true },
          maxRuntimeMs: 4 * 3_600_000,
        }),
      );

      const { Environment, InputDataConfig, ...request } = requestOf('CreateTrainingJob', id);
      const manifest = InputDataConfig?.[0]?.DataSource?.S3DataSource?.S3Uri ?? '';
      expect(request).toEqual({
        TrainingJobName: nameIn(id),
        RoleArn: settings.jobRole,
        AlgorithmSpecification: {
          TrainingImage: image,
          TrainingInputMode: 'File',
          MetricDefinitions: [{ Name: 'auc', Regex: 'auc=([0-9.]+)' }],
        },
        HyperParameters: {
          sagemaker_program: '"serin-start.sh"',
          sagemaker_submit_directory: `"s3://serin-shop-prod/${archiveKey(digest, toolkitStart)}"`,
          sagemaker_container_log_level: '20',
          sagemaker_job_name: `"${nameIn(id)}"`,
          sagemaker_region: '"eu-west-1"',
        },
        OutputDataConfig: { S3OutputPath: 's3://serin-shop-prod/jobs', KmsKeyId: more.kmsKey },
        ResourceConfig: { InstanceType: 'ml.g5.12xlarge', InstanceCount: 4, VolumeSizeInGB: 31 },
        StoppingCondition: { MaxRuntimeInSeconds: 14_400, MaxWaitTimeInSeconds: 100_800 },
        EnableManagedSpotTraining: true,
        CheckpointConfig: {
          S3Uri: expect.stringMatching(/^s3:\/\/serin-shop-prod\/checkpoints\/[0-9a-f]{32}$/),
          LocalPath: '/opt/ml/checkpoints',
        },
        VpcConfig: { Subnets: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] },
        Tags: [
          { Key: 'serin:project', Value: 'shop' },
          { Key: 'serin:environment', Value: 'prod' },
          { Key: 'serin:key', Value: 'run_1/train/2' },
          { Key: 'serin:kind', Value: 'train' },
          { Key: 'serin:model', Value: 'prices' },
        ],
      });
      expect(Environment).toEqual({ MODE: 'fast' });
      expect(InputDataConfig?.at(-1)?.DataSource?.S3DataSource?.S3Uri).toBe(
        `s3://serin-shop-prod/starts/${nameIn(id)}/start.sh`,
      );
      const script = (await text(world, `s3://serin-shop-prod/starts/${nameIn(id)}/start.sh`)).split('\n');
      expect(script).toEqual(
        expect.arrayContaining([
          '  MODE=fast \\',
          '  AIP_MODEL_DIR=/opt/ml/model \\',
          '  AIP_CHECKPOINT_DIR=/opt/ml/checkpoints \\',
          '  AZURE_ML_INPUT_train=/opt/ml/input/data/train \\',
          '  SM_CHANNEL_TRAINING=/opt/ml/input/data/train \\',
          '  SERIN_OUTPUT_MODEL=/opt/ml/model \\',
          '  WORLD_SIZE=4 \\',
          '  MASTER_ADDR=algo-1 \\',
          '  python train.py --data /opt/ml/input/data/train --epochs 10 --learning-rate 0.10',
        ]),
      );
      expect(await text(world, manifest)).toBe('[{"prefix":"s3://drops/fraud/train/"},"a.csv","b.csv"]');
    });

    test('encrypts the disk with the key where the disk is not the machine’s own', async () => {
      const world = jobsWorld(calls, more);

      const { id } = await world.jobs.start(imageJob('run_1/train/3'));

      expect(requestOf('CreateTrainingJob', id).ResourceConfig).toMatchObject({
        InstanceType: 'ml.m5.xlarge',
        VolumeKmsKeyId: more.kmsKey,
      });
    });

    test('makes the command the entry point of an image without code, with the variables that a request can name', async () => {
      const world = jobsWorld(calls);
      const hyperparameters = { epochs: '10', 'learning-rate': '0.1' };

      const { id } = await world.jobs.start(imageJob('run_1/train/4', { hyperparameters }));

      const { AlgorithmSpecification, Environment } = requestOf('CreateTrainingJob', id);
      expect(AlgorithmSpecification?.ContainerEntrypoint).toEqual([
        'python',
        '/app/train.py',
        '--epochs',
        '10',
        '--learning-rate',
        '0.1',
      ]);
      expect(Environment).toMatchObject({ SM_MODEL_DIR: '/opt/ml/model', SM_HP_EPOCHS: '10', RANK: '0' });
    });

    test('names no host of several, for each is another one, and drops variables that are arguments before it has too many', async () => {
      const world = jobsWorld(calls);
      const hyperparameters = Object.fromEntries(Array.from({ length: 49 }, (_, index) => [`p${index}`, '1']));
      const environment = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`V${index}`, '1']));

      const { id } = await world.jobs.start(
        imageJob('run_1/train/6', { hyperparameters, environment, compute: { nodes: 2, spot: false } }),
      );

      const { Environment = {}, AlgorithmSpecification } = requestOf('CreateTrainingJob', id);
      expect(Object.keys(Environment)).not.toContain('SM_CURRENT_HOST');
      expect(Object.keys(Environment)).not.toContain('RANK');
      expect(Environment).toMatchObject({ SM_HOSTS: '["algo-1","algo-2"]', MASTER_ADDR: 'algo-1' });
      expect(JSON.stringify(Environment)).not.toContain('current_host');
      expect(Object.keys(Environment).length).toBeLessThanOrEqual(100);
      expect(AlgorithmSpecification?.ContainerEntrypoint).toContain('--p48');
    });

    test('starts code without an image in the stock image, by a script beside the code', async () => {
      const world = jobsWorld(calls);
      const digest = await world.code({ 'train.mjs': '' });

      const { image: _, ...job } = imageJob('run_1/train/5', { code: { digest }, command: ['node', 'train.mjs'] });
      const { id } = await world.jobs.start(job);

      const { AlgorithmSpecification, InputDataConfig } = requestOf('CreateTrainingJob', id);
      expect(AlgorithmSpecification).toEqual({
        TrainingImage: settings.nodeImage,
        TrainingInputMode: 'File',
        ContainerEntrypoint: ['/bin/sh', '/opt/ml/input/data/serin-start/start.sh'],
      });
      expect(
        InputDataConfig?.map(({ ChannelName, DataSource }) => [ChannelName, DataSource?.S3DataSource?.S3Uri]),
      ).toEqual([
        ['serin-code', `s3://serin-shop-prod/${archiveKey(digest, toolkitStart)}`],
        ['serin-start', `s3://serin-shop-prod/starts/${nameIn(id)}/start.sh`],
      ]);
    });

    test('is not made for what no container could be given', async () => {
      const world = jobsWorld(calls);
      const digest = await world.code({ 'train.py': '' });
      const refusedFor = (job: Parameters<typeof imageJob>[1]) =>
        expect(world.jobs.start(imageJob('run_1/train/1', job))).rejects.toMatchObject({ code: 'invalid' });

      // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of Azure ML, not of JavaScript
      await refusedFor({ command: ['python', '${{inputs.nothing}}'] });
      await refusedFor({ channels: { '../up': { kind: 'manifest', bucket: 'serin', key: 'x' } } });
      await refusedFor({ code: { digest }, hyperparameters: { 'x$(date)': '1' } });
      await refusedFor({ command: [], hyperparameters: { note: 'a; date' } });
      await refusedFor({ hyperparameters: { sagemaker_submit_directory: '"s3://elsewhere/code.tar.gz"' } });
      await refusedFor({ environment: { LONG: 'x'.repeat(513) } });
      await refusedFor({ compute: { nodes: 1, spot: false, accelerator: { type: 'TPU', count: 1 } } });
      await refusedFor({ outputs: ['model', 'report'] });
      expect(world.created).toEqual([]);
    });
  });

  describe('a secret that a job names', () => {
    const environment = { API_KEY: { secret: 'api-key' }, MODE: 'plain' };
    /** One job of each way to start one. */
    async function jobsOf(world: World): Promise<readonly [string, Job][]> {
      const digest = await world.code({ 'train.mjs': '' });
      await world.put(settings.ownBucket, 'jobs/a/output/model.tar.gz', 'packed');
      const artifact = await artifactAt('s3://serin-shop-prod/jobs/a/output/model.tar.gz', s3Objects(world.bucket));
      if (artifact === undefined) throw new Error('the model was put there');
      const model = { kind: 'artifact', artifact } as const;
      const evaluate = { kind: 'evaluate', outputs: ['report'], environment } as const;
      const { image: _, ...withoutImage } = imageJob('run_1/train/3', { code: { digest }, environment });
      return [
        ['CreateTrainingJob', imageJob('run_1/train/1', { environment })],
        ['CreateTrainingJob', imageJob('run_1/train/2', { code: { digest }, environment })],
        ['CreateTrainingJob', { ...withoutImage, command: ['node', 'train.mjs'] }],
        ['CreateTrainingJob', imageJob('run_1/train/4', { command: [], environment })],
        ['CreateProcessingJob', imageJob('run_1/evaluate/1', evaluate)],
        ['CreateProcessingJob', imageJob('run_1/evaluate/2', { ...evaluate, channels: { model } })],
      ];
    }

    test('stands in the variables of the request that starts it, and in nothing else that is sent or stored', async () => {
      const world = jobsWorld(calls);
      for (const [call, job] of await jobsOf(world)) {
        const before = calls.recorded.length;

        const { id } = await world.jobs.start(job);

        const sent = calls.recorded.slice(before);
        const texts = sent.map(({ operation, input }) => [operation, JSON.stringify(input)] as const);
        expect([job.key, texts.filter(([, text]) => text.includes(canary)).map(([operation]) => operation)]).toEqual([
          job.key,
          [call],
        ]);
        const { input } = sent.find(({ operation }) => operation === call) ?? { input: {} };
        const { Environment, ...rest } = input as CreateTrainingJobCommandInput;
        expect(Environment).toMatchObject({ API_KEY: canary });
        expect(JSON.stringify(rest)).not.toContain(canary);
        expect(JSON.stringify(await world.jobs.describe(id))).not.toContain(canary);
      }
      const stored = await world.stored();
      expect(stored.some((text) => text.includes('MODE=plain'))).toBe(true);
      expect(stored.filter((text) => text.includes(canary) || text.includes('API_KEY'))).toEqual([]);
    });

    test('and is not there fails its start, before anything is paid for or written', async () => {
      const secrets = (name: string): string => {
        throw new Fault('invalid', `there is no secret '${name}': create it`);
      };
      const world = jobsWorld(calls, { secrets });
      const made = await jobsOf(world);
      const before = [calls.recorded.length, (await world.stored()).length];

      for (const [, job] of made)
        await expect(world.jobs.start(job)).rejects.toMatchObject({
          code: 'invalid',
          message: expect.stringContaining("no secret 'api-key'"),
        });

      expect([calls.recorded.length, (await world.stored()).length]).toEqual(before);
    });

    test('and is longer than a variable may be is refused by the name of the variable, and not told', async () => {
      const world = jobsWorld(calls, { secrets: () => canary.repeat(50) });

      for (const [, job] of await jobsOf(world)) {
        const fault = await world.jobs.start(job).catch((error: unknown) => error as Fault);
        expect(fault).toMatchObject({ code: 'invalid', message: expect.stringContaining('API_KEY') });
        expect(JSON.stringify([fault, `${fault}`])).not.toContain(canary);
      }
      expect(world.created).toEqual([]);
    });

    test('is not told when SageMaker refuses the request and quotes it', async () => {
      const world = jobsWorld(calls);
      world.fake.refuse(new Refusal('ValidationException', `Value '{API_KEY=${canary}}' at 'environment' failed`));

      for (const [call, job] of await jobsOf(world)) {
        if (call === 'CreateModel') continue; // the fake refuses jobs only
        const fault = await world.jobs.start(job).catch((error: unknown) => error as Fault);
        expect(fault).toMatchObject({ code: 'invalid', message: expect.stringContaining('{API_KEY=<secret>}') });
        expect(inspect(fault, { depth: 10 })).not.toContain(canary);
      }
    });
  });

  describe('a processing job', () => {
    test('is asked for with its inputs, a script, and a place for each output and for the metrics', async () => {
      const world = jobsWorld(calls);
      const digest = await world.code({ 'split.mjs': '' });
      const data = await world.dataset({ 'a.csv': '1' });
      const { image: _, ...job } = imageJob('run_1/prepare/1', {
        kind: 'prepare',
        outputs: ['train', 'holdout'],
        code: { digest },
        command: ['node', 'split.mjs'],
        channels: { data },
      });

      const { id } = await world.jobs.start(job);

      const prefix = `s3://serin-shop-prod/jobs/${nameIn(id)}`;
      const request = requestOf('CreateProcessingJob', id);
      expect(id).toMatch(/^processing\//);
      expect(request.AppSpecification).toEqual({
        ImageUri: settings.nodeImage,
        ContainerEntrypoint: ['/bin/sh', '/opt/ml/processing/input/serin-start/start.sh'],
      });
      expect(
        request.ProcessingInputs?.map(({ InputName, S3Input }) => [InputName, S3Input?.S3DataType, S3Input?.LocalPath]),
      ).toEqual([
        ['data', 'ManifestFile', '/opt/ml/processing/input/data'],
        ['serin-code', 'S3Prefix', '/opt/ml/processing/input/serin-code'],
        ['serin-start', 'S3Prefix', '/opt/ml/processing/input/serin-start'],
      ]);
      expect(
        request.ProcessingOutputConfig?.Outputs?.map(({ OutputName, S3Output }) => [
          OutputName,
          S3Output?.S3Uri,
          S3Output?.LocalPath,
        ]),
      ).toEqual([
        ['train', `${prefix}/train`, '/opt/ml/processing/output/train'],
        ['holdout', `${prefix}/holdout`, '/opt/ml/processing/output/holdout'],
        ['serin-metrics', `${prefix}/serin-metrics`, '/opt/ml/processing/output/output'],
      ]);
    });

    test('leaves each output as a folder with a digest of what is in it, and the metrics of its file', async () => {
      const world = jobsWorld(calls);
      const { id } = await world.jobs.start(prepareJob);
      for (const [key, content] of [
        ['train/a.csv', '1'],
        ['train/b.csv', '22'],
        ['holdout/c.csv', '3'],
        ['train2/x', 'no'],
      ] as const)
        await world.put('serin', `jobs/${nameIn(id)}/${key}`, content);
      await world.put('serin', `jobs/${nameIn(id)}/serin-metrics/metrics.json`, '{"trainRows": 2, "note": "text"}');
      await complete(world, id);

      const before = await world.jobs.describe(id);
      await world.put('serin', `jobs/${nameIn(id)}/train/b.csv`, '23');
      const after = await world.jobs.describe(id);

      expect(before).toMatchObject({ status: 'succeeded', metrics: { trainRows: 2 } });
      expect(before.artifacts?.train).toMatchObject({
        uri: `s3://serin-shop-prod/jobs/${nameIn(id)}/train/`,
        bytes: 3,
      });
      expect(after.artifacts?.holdout).toEqual(before.artifacts?.holdout);
      expect(after.artifacts?.train?.digest).not.toBe(before.artifacts?.train?.digest);
    });

    test('has failed when it ended well without a promised output, and not for a metric that is no number', async () => {
      const world = jobsWorld(calls);
      const { id } = await world.jobs.start(prepareJob);
      await world.put('serin', `jobs/${nameIn(id)}/train/a.csv`, '1');
      await complete(world, id);

      const missing = await world.jobs.describe(id);
      await world.put('serin', `jobs/${nameIn(id)}/holdout/a.csv`, '1');
      await world.put('serin', `jobs/${nameIn(id)}/serin-metrics/metrics.json`, '{"auc": NaN}');
      const odd = await world.jobs.describe(id);

      expect(missing).toMatchObject({ status: 'failed', reason: expect.stringContaining('wrote no holdout into') });
      expect(odd).toMatchObject({ status: 'succeeded', metrics: {}, unread: { auc: 'it is NaN in metrics.json' } });
    });

    const states: readonly [string, ProcessingAnswer, Partial<JobDescription>][] = [
      ['waits', {}, { status: 'starting' }],
      ['runs', { ProcessingStartTime: at(5) }, { status: 'running', startedAt: start + 5 * 60_000 }],
      ['is stopping', { ProcessingStartTime: at(5), ProcessingJobStatus: 'Stopping' }, { status: 'running' }],
      [
        'was stopped',
        { ProcessingStartTime: at(5), ProcessingEndTime: at(5.5), ProcessingJobStatus: 'Stopped' },
        { status: 'stopped' },
      ],
      [
        'was stopped at its limit',
        { ProcessingStartTime: at(5), ProcessingEndTime: at(6), ProcessingJobStatus: 'Stopped' },
        { status: 'failed', reason: 'ran longer than 1m' },
      ],
      [
        'failed',
        {
          ProcessingJobStatus: 'Failed',
          FailureReason: 'AlgorithmError: See job logs',
          ExitMessage: 'no column price',
        },
        { status: 'failed', reason: 'AlgorithmError: See job logs: no column price' },
      ],
    ];
    test.each(states)('that %s is described so', async (_, answer, expected) => {
      const world = jobsWorld(calls);
      const { id } = await world.jobs.start(prepareJob);

      world.fake.process(nameIn(id), answer);

      expect(await world.jobs.describe(id)).toMatchObject(expected);
    });

    test('can be stopped, and stopped again when it is over', async () => {
      const world = jobsWorld(calls);
      const { id } = await world.jobs.start(prepareJob);

      await world.jobs.stop(id);
      const stopping = await world.jobs.describe(id);
      world.fake.process(nameIn(id), { ProcessingJobStatus: 'Stopped', ProcessingEndTime: at(1) });
      await world.jobs.stop(id);

      expect(stopping.status).toBe('starting');
      expect((await world.jobs.describe(id)).status).toBe('stopped');
    });
  });

  describe('the log', () => {
    test('is read in whole lines, from where it was left', async () => {
      const world = jobsWorld(calls);
      const job = imageJob('run_1/train/1');
      const { id } = await world.jobs.start(job);
      const stream = `${nameIn(id)}/algo-1-1795`;
      for (const [ms, line] of [
        [10, 'one'],
        [10, 'two'],
        [10, 'three'],
        [25, 'four'],
      ] as const)
        world.fake.log(stream, start + ms, line);
      world.fake.log(`${nameIn(id)}/algo-10-1795`, start + 11, 'another node');
      const { project, key, kind } = job;
      const place = { project, key, kind };

      const first = await world.logs(place, 0, 8);
      const second = await world.logs(place, first?.next ?? 0, 1000);
      await complete(world, id);
      world.fake.log(stream, start + 25, 'five');
      const third = await world.logs({ ...place, id }, second?.next ?? 0, 1000);
      const fourth = await world.logs(place, third?.next ?? 0, 1000);

      expect(first).toMatchObject({ text: 'one\ntwo\n' });
      expect(second).toMatchObject({ text: 'three\nfour\n' });
      expect(third).toMatchObject({ text: 'five\n' });
      expect(fourth).toEqual({ text: '', next: third?.next });
    });

    test('of a job that was started anew is read over all of its streams, in the order of their lines', async () => {
      const world = jobsWorld(calls);
      const job = imageJob('run_1/train/1');
      const { id } = await world.jobs.start(job);
      const { project, key, kind } = job;
      const place = { project, key, kind };
      for (const [stream, ms, line] of [
        ['algo-1-1795', 10, 'one'],
        ['algo-1-1795', 12, 'three'],
        ['algo-1-1799', 11, 'two'],
        ['algo-1-1799', 13, 'four'],
      ] as const)
        world.fake.log(`${nameIn(id)}/${stream}`, start + ms, line);

      const first = await world.logs(place, 0, 4);
      const second = await world.logs(place, first?.next ?? 0, 10);
      const third = await world.logs(place, second?.next ?? 0, 1000);

      expect([first?.text, second?.text, third?.text]).toEqual(['one\n', 'two\nthree\n', 'four\n']);
    });

    test('is empty for a job that has printed nothing', async () => {
      expect(
        await jobsWorld(calls).logs({ project: 'shop', key: 'run_9/train/1', kind: 'train' }, 0, 10),
      ).toMatchObject({
        text: '',
      });
    });
  });
});

const prepareJob = imageJob('run_1/prepare/1', { kind: 'prepare', outputs: ['train', 'holdout'] });

/** Lets a job end well at minute 65; a training job with its model. */
async function complete(world: World, id: string, more: TrainingAnswer = {}): Promise<void> {
  const name = nameIn(id);
  if (!world.created.includes(name)) return;
  if (!id.startsWith('training/')) {
    const over = { ProcessingStartTime: at(5), ProcessingEndTime: at(65) };
    world.fake.process(name, { ...over, ProcessingJobStatus: 'Completed' });
    return;
  }
  await world.put('serin', `jobs/${name}/output/model.tar.gz`, 'weights');
  const over = { TrainingStartTime: at(5), TrainingEndTime: at(65) };
  world.fake.train(name, { ...over, TrainingJobStatus: 'Completed', SecondaryStatus: 'Completed', ...more });
}

type Requests = {
  readonly CreateTrainingJob: CreateTrainingJobCommandInput;
  readonly CreateProcessingJob: CreateProcessingJobCommandInput;
};

/** The newest request for a job, as the client was given it. */
function requestOf<Operation extends keyof Requests>(operation: Operation, id: string): Requests[Operation] {
  const found = calls.recorded.findLast(
    (call) => call.operation === operation && JSON.stringify(call.input).includes(`"${nameIn(id)}"`),
  );
  if (found === undefined) throw new Error(`${operation} was never called for ${id}`);
  return found.input as Requests[Operation]; // what the command of this name takes
}

async function text(world: World, uri: string): Promise<string> {
  const { bucket = '', key = '' } = s3Place(uri) ?? {};
  return Buffer.from((await world.bucket(bucket).read({ key, maxBytes: 10_000 }))?.content ?? []).toString();
}

/** An `output.tar.gz` as tar makes it. */
const outputWithMetrics = (() => {
  const directory = mkdtempSync(join(tmpdir(), 'serin-output-'));
  writeFileSync(join(directory, 'metrics.json'), '{"auc": 0.875}');
  writeFileSync(join(directory, 'a-report.txt'), 'x'.repeat(2000));
  const archive = execFileSync('tar', ['-czf', '-', '-C', directory, '.']);
  rmSync(directory, { recursive: true });
  return archive;
})();
