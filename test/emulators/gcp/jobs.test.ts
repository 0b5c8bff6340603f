import { inspect } from 'node:util';
import { Fault } from '@serin/core/base/fault';
import { hour, minute } from '@serin/core/base/time';
import type { Job, JobDescription } from '@serin/core/ports/jobs';
import type { CustomJob } from '@serin/gcp/jobs/custom-jobs';
import { jobName } from '@serin/gcp/jobs/settings';
import { unknownMs } from '@serin/platform/jobs/start-once';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askedAgain, jobsContract } from '../../contract/jobs.contract.ts';
import { emulatedGcp } from '../emulated.ts';
import { type Handlers, Refusal, type Served, serveGoogle } from './discovery.ts';
import { fakeJobs } from './fake-jobs.ts';
import { canary, image, imageJob, jobsWorld, settings, start, type World } from './jobs-world.ts';

const at = (minutes: number): string => new Date(start + minutes * minute).toISOString();

emulatedGcp('jobs on Vertex AI', () => {
  let served: Served;
  let handlers: Handlers = {};
  let world: World;
  beforeAll(async () => {
    const ids = Object.keys(fakeJobs({ now: () => 0 }).handlers);
    served = await serveGoogle(
      'gcp-jobs',
      Object.fromEntries(ids.map((id) => [id, (request) => handlers[id]?.(request)])),
    );
  });
  afterEach(() => served.check());
  afterAll(() => served?.stop());

  function opened(more: Parameters<typeof jobsWorld>[1] = {}): World {
    world = jobsWorld(served.google, more);
    handlers = world.fake.handlers;
    return world;
  }
  beforeEach(() => void opened());

  jobsContract('vertexJobs', async () => {
    const { jobs, code, dataset, put } = opened();
    return {
      jobs: askedAgain({
        ...jobs,
        // The fake runs nothing: a job that is asked about has ended well.
        async describe(id) {
          await complete(id);
          return jobs.describe(id);
        },
      }),
      code,
      dataset,
      change: async (key, content) => void (await put('drops', `fraud/${key}`, content)),
      close: async () => {},
    };
  });

  const created = (): readonly CustomJob[] => world.fake.jobs;
  const requestFor = (id: string) => {
    const job = created().find(({ name }) => name.endsWith(`/${id}`));
    if (job === undefined) throw new Error(`there is no job ${id}`);
    // biome-ignore lint/suspicious/noExplicitAny: a request that the documents have checked
    return job as any;
  };
  const began = { startTime: at(5) };
  const over = { ...began, endTime: at(65) };
  const times = { startedAt: start + 5 * minute, endedAt: start + 65 * minute };
  const folderOf = (id: string): string =>
    requestFor(id).jobSpec.baseOutputDirectory.outputUriPrefix.replace(`gs://${settings.ownBucket}/`, '');

  /** Lets a job end well at minute 65, with all that it promised. */
  async function complete(id: string): Promise<void> {
    if (!created().some(({ name }) => name.endsWith(`/${id}`))) return;
    await world.put('serin', `${folderOf(id)}/model/`, '');
    await world.put('serin', `${folderOf(id)}/model/model.txt`, 'weights');
    world.fake.move(id, { ...over, state: 'JOB_STATE_SUCCEEDED' });
  }

  const ends = async (change: Partial<CustomJob>, job: Partial<Job> = {}): Promise<JobDescription> => {
    const { id } = await world.jobs.start(imageJob('run_1/train/1', { maxRuntimeMs: 4 * hour, ...job }));
    world.fake.move(id, change);
    return world.jobs.describe(id);
  };

  describe('a custom job', () => {
    test.each(['QUEUED', 'PENDING'])('is starting while Vertex AI says %s', async (state) => {
      expect(await ends({ state: `JOB_STATE_${state}` })).toEqual({ status: 'starting' });
    });

    test.each(['RUNNING', 'CANCELLING', 'PAUSED', 'UPDATING'])('runs, once it began, while it is %s', async (state) => {
      expect(await ends({ ...began, state: `JOB_STATE_${state}` })).toEqual({
        status: 'running',
        startedAt: times.startedAt,
      });
    });

    test('has failed with what its program wrote, with what Vertex AI says, and with the end of its log', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1', { maxRuntimeMs: 4 * hour }));
      await world.put('serin', `${folderOf(id)}/output/failure`, 'column price is missing\n');
      const message =
        'The replica workerpool0-0 exited with a non-zero status of 3. To find out more about why your job exited please check the logs: https://console.cloud.google.com/logs/viewer?project=1';
      world.fake.move(id, { ...over, state: 'JOB_STATE_FAILED', error: { code: 3, message } });
      for (let line = 1; line <= 24; line += 1) world.fake.log(id, start + line, { textPayload: `line ${line}` });
      world.fake.log(id, start + 25, { jsonPayload: { message: 'line 25\n', levelname: 'ERROR' } });
      world.fake.log(id, start + 26, { textPayload: 'another node' }, 'workerpool1-0');

      const description = await world.jobs.describe(id);

      expect(description).toMatchObject({ status: 'failed', ...times });
      expect(description.reason).toMatch(
        /^column price is missing \(.*status of 3\.\); the end of its log:\nline 6\n[\s\S]*line 25$/,
      );
      expect(description.retryable).toBeUndefined();
    });

    test.each([
      ['capacity', {}, 8, 'Resources are insufficient in region: us-central1. Please try a different region.'],
      ['capacity', {}, 14, 'STOCKOUT'],
      ['interruption', began, 14, 'STOCKOUT: the spot VM was preempted'],
      ['interruption', began, 13, 'Internal error occurred for the current attempt.'],
      [
        undefined,
        began,
        3,
        'The replica workerpool0-0 exited with a non-zero status of 1. ValueError: STOCKOUT of shoes',
      ],
      [undefined, began, 3, 'ValueError: STOCKOUT of shoes'],
      [undefined, began, 2, 'The replica workerpool1-0 exited with a non-zero status of 1. STOCKOUT of shoes'],
      [
        undefined,
        {},
        8,
        'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_cpus',
      ],
    ] as const)('is worth another attempt after %s', async (retryable, started, code, message) => {
      const description = await ends({
        ...started,
        endTime: at(9),
        state: 'JOB_STATE_FAILED',
        error: { code, message },
      });

      expect(description).toMatchObject({ status: 'failed', reason: expect.stringContaining(message) });
      expect(description.retryable).toBe(retryable);
    });

    test.each(['FAILED', 'EXPIRED', 'PARTIALLY_SUCCEEDED'])('has failed when it ended as %s', async (state) => {
      expect(await ends({ ...over, state: `JOB_STATE_${state}` })).toMatchObject({ status: 'failed', ...times });
    });

    test('that was killed or has no command says what that most often means', async () => {
      const exited = (code: number) => ({
        code: 3,
        message: `The replica workerpool0-0 exited with a non-zero status of ${code}.`,
      });

      const killed = await ends({ ...over, state: 'JOB_STATE_FAILED', error: exited(137) });
      opened();
      const absent = await ends({ ...over, state: 'JOB_STATE_FAILED', error: exited(127) });

      expect(killed.reason).toContain('too little memory');
      expect(absent.reason).toContain('does not have the command');
    });

    test.each(['FAILED', 'CANCELLED', 'EXPIRED'])('has failed when it was %s at its time limit', async (state) => {
      expect(await ends({ ...over, state: `JOB_STATE_${state}` }, { maxRuntimeMs: hour })).toEqual({
        ...{ status: 'failed', ...times, reason: 'ran longer than 1h' },
      });
    });

    test('was stopped when somebody stopped it, in Serin or in the console', async () => {
      expect(await ends({ ...over, state: 'JOB_STATE_CANCELLED' })).toEqual({
        ...{ status: 'stopped', ...times, reason: 'stopped on request' },
      });
    });

    test('that waits for a machine longer than it may is cancelled, and is worth another attempt', async () => {
      const { id } = await world.jobs.start(
        imageJob('run_1/train/1', { maxWaitMs: hour, compute: { nodes: 1, spot: true } }),
      );

      world.clock.now += hour - 1;
      const before = await world.jobs.describe(id);
      world.clock.now += 1;
      await world.jobs.describe(id);
      const cancelled = requestFor(id).state;
      world.fake.move(id, { state: 'JOB_STATE_CANCELLED', endTime: at(61) });

      expect(before.status).toBe('starting');
      expect(cancelled).toBe('JOB_STATE_CANCELLING');
      expect(await world.jobs.describe(id)).toMatchObject({
        ...{ status: 'failed', retryable: 'capacity', reason: 'no machine was free within 1h' },
      });
    });

    test('that runs is not cancelled for the time that it waited', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1', { maxWaitMs: hour }));
      world.fake.move(id, { ...began, state: 'JOB_STATE_RUNNING' });
      world.clock.now += 3 * hour;

      expect((await world.jobs.describe(id)).status).toBe('running');
      expect(requestFor(id).state).toBe('JOB_STATE_RUNNING');
    });

    test('can be stopped while it runs, and again when it is over', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      world.fake.move(id, { ...began, state: 'JOB_STATE_RUNNING' });

      await world.jobs.stop(id);
      const stopping = requestFor(id).state;
      world.fake.move(id, { ...over, state: 'JOB_STATE_CANCELLED' });
      await world.jobs.stop(id);

      expect(stopping).toBe('JOB_STATE_CANCELLING');
    });

    test('that cannot be stopped says so', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      const refused = new Refusal('PERMISSION_DENIED', "Permission 'aiplatform.customJobs.cancel' denied on resource");
      const cancel = () => {
        throw refused;
      };
      handlers = { ...handlers, 'aiplatform.projects.locations.customJobs.cancel': cancel };

      await expect(world.jobs.stop(id)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('aiplatform.customJobs.cancel'),
      });
    });

    test('of somebody else is not found, and neither is one that Vertex AI does not know', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      world.fake.move(id, { labels: { team: 'other' } });

      for (const other of [id, '42']) {
        await expect(world.jobs.describe(other)).rejects.toMatchObject({ code: 'notFound' });
        await expect(world.jobs.stop(other)).rejects.toMatchObject({ code: 'notFound' });
      }
      expect(requestFor(id).state).toBe('JOB_STATE_QUEUED');
    });

    test('has its model, its times and its metrics when it has succeeded', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      await complete(id);
      await world.put('serin', `${folderOf(id)}/output/data/metrics.json`, '{"auc": 0.875}');

      const description = await world.jobs.describe(id);

      expect(description).toMatchObject({ status: 'succeeded', ...times, metrics: { auc: 0.875 } });
      expect(description.artifacts?.model).toEqual({
        uri: `gs://${settings.ownBucket}/${folderOf(id)}/model/`,
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        bytes: 'weights'.length,
      });
    });

    test('leaves each output of a preparation as a folder', async () => {
      const job = { kind: 'prepare', outputs: ['train', 'holdout'] } as const;
      const { id } = await world.jobs.start(imageJob('run_1/prepare/1', job));
      for (const [name, text] of [
        ['train/a.csv', '1'],
        ['train/b.csv', '22'],
        ['holdout/c.csv', '3'],
      ])
        await world.put('serin', `${folderOf(id)}/output/data/${name}`, text ?? '');
      world.fake.move(id, { ...over, state: 'JOB_STATE_SUCCEEDED' });

      const { artifacts } = await world.jobs.describe(id);

      expect(artifacts?.train).toMatchObject({ bytes: 3, uri: expect.stringMatching(/\/output\/data\/train\/$/) });
      expect(artifacts?.holdout).toMatchObject({ bytes: 1 });
    });

    test('has failed when it ended well and left no more than an empty folder', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      await world.put('serin', `${folderOf(id)}/model/`, '');
      world.fake.move(id, { ...over, state: 'JOB_STATE_SUCCEEDED' });

      expect(await world.jobs.describe(id)).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('wrote no model into gs://'),
      });
    });
  });

  describe('one paid job for one key', () => {
    const job = imageJob('run_1/train/1');
    const creations = () => served.calls.filter(({ id }) => id.endsWith('customJobs.create')).length;
    let before = 0;
    beforeEach(() => {
      before = creations();
    });

    test('of fifty starts at once, while labels show late, one asks for the job, and the others wait', async () => {
      world.fake.fate.unseenMs = 4 * minute;
      const ports = [world.port(), world.port(), world.port()];

      const answers = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => ports[index % 3]?.start(job)));
      world.clock.now += 4 * minute;
      const later = await Promise.all(ports.map((port) => port.start(job)));

      const ids = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value?.id] : []));
      const faults = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason.code] : []));
      expect(creations() - before).toBe(1);
      expect(ids).toHaveLength(1);
      expect(new Set(faults)).toEqual(new Set(['unavailable']));
      expect(later).toEqual(ports.map(() => ({ id: ids[0] })));
    });

    test('a lost answer is waited for, and its job adopted as soon as its label shows', async () => {
      Object.assign(world.fake.fate, { isLost: true, unseenMs: 4 * minute });

      await expect(world.jobs.start(job)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(world.port().start(job)).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('not known yet'),
      });
      world.clock.now += 4 * minute;
      const { id } = await world.port().start(job);

      expect(creations() - before).toBe(1);
      expect(created()[0]?.name).toMatch(new RegExp(`/${id}$`));
    });

    test('a request that never arrived is made again once its job must have shown', async () => {
      world.fake.fate.refusal = new Refusal('UNAVAILABLE', 'The service is currently unavailable.');
      await expect(world.jobs.start(job)).rejects.toMatchObject({ code: 'unavailable' });
      delete world.fake.fate.refusal;

      world.fake.age(unknownMs - 2000);
      await expect(world.jobs.start(job)).rejects.toMatchObject({ code: 'unavailable' });
      world.fake.age(4000);

      expect(await world.jobs.start(job)).toMatchObject({ id: expect.stringMatching(/^\d+$/) });
      expect(created()).toHaveLength(1);
    });

    test('a job that was refused is asked for again at once', async () => {
      world.fake.fate.refusal = new Refusal('RESOURCE_EXHAUSTED', 'Quota exceeded for requests per minute');
      await expect(world.jobs.start(job)).rejects.toMatchObject({ code: 'throttled' });
      delete world.fake.fate.refusal;

      await world.jobs.start(job);

      expect(created()).toHaveLength(1);
    });

    test('a refusal is told although somebody else has noted an intent meanwhile, and leaves that one alone', async () => {
      const create = 'aiplatform.projects.locations.customJobs.create';
      handlers = {
        ...handlers,
        [create]: () => {
          world.fake.noteAgain();
          throw new Refusal('RESOURCE_EXHAUSTED', 'Quota exceeded for requests per minute');
        },
      };

      await expect(world.jobs.start(job)).rejects.toMatchObject({ code: 'throttled' });

      expect(world.fake.intents.size).toBe(1);
    });

    test('of two that were born all the same the first look keeps the earlier, and cancels the other', async () => {
      const [one, other] = await twins();

      expect(await world.jobs.start(job)).toEqual({ id: one });
      expect(requestFor(other).state).toBe('JOB_STATE_CANCELLING');
      expect(requestFor(one).state).toBe('JOB_STATE_QUEUED');
      expect(folderOf(one)).not.toBe(folderOf(other));
    });

    test('of many that were born all the same each is found, on whichever page of a list it stands', async () => {
      const ids: string[] = [];
      world.fake.fate.unseenMs = 5 * hour;
      for (let time = 0; time < 5; time += 1) {
        ids.push((await world.jobs.start(job)).id);
        world.fake.age(unknownMs + 2000);
        world.clock.now += unknownMs + 2000;
      }
      world.fake.fate.unseenMs = 0;

      expect(await world.jobs.start(job)).toEqual({ id: ids[0] });
      expect(created().map(({ state }) => state)).toEqual([
        'JOB_STATE_QUEUED',
        ...Array.from({ length: 4 }, () => 'JOB_STATE_CANCELLING'),
      ]);
    });

    test('a description cancels what was born beside its job', async () => {
      const [one, other] = await twins();

      await world.jobs.describe(other);

      expect(requestFor(one).state).toBe('JOB_STATE_CANCELLING');
      expect(requestFor(other).state).toBe('JOB_STATE_QUEUED');
    });

    test.each(['CANCELLING', 'CANCELLED'])('one that is %s as one too many is not taken for the job', async (state) => {
      const [one, other] = await twins();
      world.fake.move(one, { state: `JOB_STATE_${state}` });

      expect(await world.jobs.start(job)).toEqual({ id: other });
      expect(requestFor(other).state).toBe('JOB_STATE_QUEUED');
    });

    /** A job that shows only when another one was made after it. */
    async function twins(): Promise<readonly [string, string]> {
      world.fake.fate.unseenMs = hour;
      const one = await world.jobs.start(job);
      world.fake.age(unknownMs + 2000);
      world.clock.now += unknownMs + 2000;
      const other = await world.jobs.start(job);
      world.fake.fate.unseenMs = 0;
      expect(one.id).not.toBe(other.id);
      return [one.id, other.id];
    }
  });

  describe('a start that is refused', () => {
    const refused = async (refusal: Refusal, job = imageJob('run_1/train/1')): Promise<Fault> => {
      world.fake.fate.refusal = refusal;
      return world.jobs.start(job).catch((fault: unknown) => fault as Fault) as Promise<Fault>;
    };

    test.each([
      [
        'RESOURCE_EXHAUSTED',
        'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_nvidia_l4_gpus',
        'ask Google for a higher quota',
      ],
      [
        'INVALID_ARGUMENT',
        'You do not have permission to act as service_account: a@b.iam.gserviceaccount.com. (or it may not exist).',
        'gcloud iam service-accounts add-iam-policy-binding serin-prod-shop-jobs@acme-ml.iam.gserviceaccount.com',
      ],
      [
        'INVALID_ARGUMENT',
        'Machine type "a2-highgpu-1g" is not supported.',
        'europe-west4 does not have this machine type',
      ],
      ['PERMISSION_DENIED', "Permission 'aiplatform.customJobs.create' denied on resource", 'give the service account'],
      [
        'PERMISSION_DENIED',
        'Vertex AI API has not been used in project 1 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview?project=1',
        'gcloud services enable aiplatform.googleapis.com',
      ],
    ] as const)('says what to do: %s %s', async (rpc, message, mend) => {
      expect(await refused(new Refusal(rpc, message))).toMatchObject({
        code: 'invalid',
        message: expect.stringContaining(mend),
      });
      expect(world.fake.intents.size).toBe(0);
    });

    test('waits where Google has no machine, or was asked too often', async () => {
      expect(
        await refused(new Refusal('RESOURCE_EXHAUSTED', 'Resources are insufficient in region: us-central1.')),
      ).toMatchObject({
        code: 'throttled',
      });
      expect(await refused(new Refusal('RESOURCE_EXHAUSTED', 'Quota exceeded for requests per minute'))).toMatchObject({
        code: 'throttled',
      });
    });

    test('because the own bucket is gone says so, before anything is paid for', async () => {
      world.fake.fate.bucketIsGone = true;

      await expect(world.jobs.start(imageJob('run_1/train/1'))).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('acme-serin-shop-prod'),
      });
      expect(created()).toEqual([]);
    });

    test('is one of an artifact that has changed since its job ended', async () => {
      await world.put('serin', 'jobs/a/train/part.csv', 'changed');
      const artifact = { uri: `gs://${settings.ownBucket}/jobs/a/train/`, digest: '0'.repeat(64), bytes: 1 };

      await expect(
        world.jobs.start(imageJob('run_1/train/1', { channels: { train: { kind: 'artifact', artifact } } })),
      ).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('digest') });
      expect([created(), world.fake.intents.size]).toEqual([[], 0]);
    });

    test('is one of what no container could be given', async () => {
      const refusedFor = (job: Partial<Job>) =>
        expect(world.jobs.start(imageJob('run_1/train/1', job))).rejects.toMatchObject({ code: 'invalid' });

      // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of Azure ML, not of JavaScript
      await refusedFor({ command: ['python', '${{inputs.nothing}}'] });
      await refusedFor({ channels: { '../up': { kind: 'manifest', bucket: 'serin', key: 'x' } } });
      await refusedFor({ compute: { nodes: 1, spot: false, accelerator: { type: 'TPU', count: 1 } } });
      await refusedFor({ command: [] });
      await refusedFor({ environment: { 'odd-name': { secret: 'api-key' } } });
      expect([created(), world.fake.intents.size]).toEqual([[], 0]);
    });
  });

  describe('the request', () => {
    const more = {
      kmsKey: 'projects/acme-ml/locations/europe-west4/keyRings/serin/cryptoKeys/serin',
      network: 'projects/123456789012/global/networks/default',
    };

    test('for a TPU names its machine and topology, and no type of an accelerator', async () => {
      const compute = { accelerator: { type: 'TPU-v5e', count: 4 }, nodes: 1, spot: false };

      const { id } = await world.jobs.start(imageJob('run_1/train/1', { compute }));

      expect(requestFor(id).jobSpec.workerPoolSpecs).toEqual([
        expect.objectContaining({
          machineSpec: { machineType: 'ct5lp-hightpu-4t', tpuTopology: '2x2' },
          replicaCount: '1',
        }),
      ]);
    });

    test('says everything: pools, machine, spot, limits, account, network, key, labels, and a script in the own bucket', async () => {
      opened(more);
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
          checkpoints: 'prices/run_1',
          compute: { accelerator: { type: 'L4', count: 4 }, nodes: 4, spot: true },
          maxRuntimeMs: 4 * hour,
          maxWaitMs: 8 * hour,
        }),
      );

      const { name: _, state, createTime, ...request } = requestFor(id);
      const name = jobName(settings.installation, { project: 'shop', key: 'run_1/train/2' });
      const folder = `jobs/${name}/${start.toString(36)}`;
      const key = `starts/${name}/${start.toString(36)}.sh`;
      const pool = {
        machineSpec: { machineType: 'g2-standard-48', acceleratorType: 'NVIDIA_L4', acceleratorCount: 4 },
        diskSpec: { bootDiskSizeGb: 100 },
        containerSpec: {
          imageUri: image,
          command: ['/bin/sh', `/gcs/acme-serin-shop-prod/${key}`],
          env: [{ name: 'SERIN_JOB', value: '{"outputs":["model"],"maxWaitMs":28800000}' }],
        },
      };
      expect(request).toEqual({
        displayName: name,
        labels: {
          ...{ serin_project: 'shop', serin_environment: 'prod', serin_key: name },
          ...{ serin_kind: 'train', serin_model: 'prices', serin_run: 'run_1' },
        },
        jobSpec: {
          workerPoolSpecs: [
            { ...pool, replicaCount: '1' },
            { ...pool, replicaCount: '3' },
          ],
          scheduling: {
            ...{ timeout: '14400s', strategy: 'SPOT', restartJobOnWorkerRestart: false, disableRetries: true },
          },
          serviceAccount: settings.jobAccount,
          network: more.network,
          baseOutputDirectory: { outputUriPrefix: `gs://acme-serin-shop-prod/${folder}` },
        },
        encryptionSpec: { kmsKeyName: more.kmsKey },
      });
      const script = (await world.text(key)).split('\n');
      expect(script).toEqual(
        expect.arrayContaining([
          '  MODE=fast \\',
          `  AIP_MODEL_DIR=/gcs/acme-serin-shop-prod/${folder}/model \\`,
          `  SM_MODEL_DIR=/gcs/acme-serin-shop-prod/${folder}/model \\`,
          '  AZURE_ML_INPUT_train=/tmp/serin/input/data/train \\',
          '  WORLD_SIZE=4 \\',
          '  "MASTER_ADDR=$first" \\',
          '  python train.py --data /tmp/serin/input/data/train --epochs 10 --learning-rate 0.10',
        ]),
      );
      expect(script.join('\n')).toMatch(/AIP_CHECKPOINT_DIR=\/gcs\/acme-serin-shop-prod\/checkpoints\/[0-9a-f]{32} /);
      const [, list = ''] = /bring \/gcs\/acme-serin-shop-prod\/(\S+)/.exec(script.join('\n')) ?? [];
      expect(await world.text(list)).toBe('drops/fraud/train/\na.csv\nb.csv\n');
    });

    test('has one pool of one machine for one node, on demand', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));

      const { workerPoolSpecs, scheduling } = requestFor(id).jobSpec;

      expect(workerPoolSpecs).toMatchObject([{ replicaCount: '1', machineSpec: { machineType: 'n1-standard-4' } }]);
      expect(scheduling).toMatchObject({ strategy: 'STANDARD', timeout: '60s' });
    });

    test('starts code without an image in the stock image of Node', async () => {
      const digest = await world.code({ 'train.mjs': '' });
      const { image: _, ...job } = imageJob('run_1/train/5', { code: { digest }, command: ['node', 'train.mjs'] });

      const { id } = await world.jobs.start(job);

      expect(requestFor(id).jobSpec.workerPoolSpecs[0].containerSpec.imageUri).toBe(settings.nodeImage);
    });
  });

  describe('a secret that a job names', () => {
    const environment = { API_KEY: { secret: 'api-key' }, MODE: 'plain' };

    test('is named in the script of the job, and its text is sent and stored nowhere', async () => {
      const before = served.calls.length;

      await world.jobs.start(imageJob('run_1/train/1', { environment }));

      const stored = await world.stored();
      const sent = inspect(served.calls.slice(before), { depth: 20 });
      expect(stored.some((text) => text.includes('projects/acme-ml/secrets/serin-prod-shop-program-api-key'))).toBe(
        true,
      );
      expect([sent, ...stored].filter((text) => text.includes(canary))).toEqual([]);
    });

    test('and is not there fails its start, before anything is paid for or written', async () => {
      opened({
        secrets: (name) => {
          throw new Fault('invalid', `there is no secret '${name}': create it`);
        },
      });

      await expect(world.jobs.start(imageJob('run_1/train/1', { environment }))).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining("no secret 'api-key'"),
      });
      expect([await world.stored(), created(), world.fake.intents.size]).toEqual([[], [], 0]);
    });
  });

  describe('the model of a job', () => {
    test('is the one that it was started for, by one question', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      const before = served.calls.length;

      expect(await world.ownerOf(id)).toBe('prices');
      expect(served.calls.slice(before).map((call) => call.id)).toEqual([
        'aiplatform.projects.locations.customJobs.get',
      ]);
    });

    test('is none for a job that is gone, of another installation, or no number', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      world.fake.move(id, { labels: { serin_key: 'prod-shop2--train-1-0123456789abcdef', serin_model: 'fraud' } });

      expect(await Promise.all([id, '42', 'workerpool0'].map((job) => world.ownerOf(job)))).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });
  });

  describe('the log', () => {
    const { project, key, kind } = imageJob('run_1/train/1');
    const place = { project, key, kind };

    test('is read in whole lines over all pages, from where it was left, with the id or without it', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      for (const [ms, line] of [
        [10, 'one'],
        [10, 'two'],
        [10, 'three'],
        [25, 'four'],
      ] as const)
        world.fake.log(id, start + ms, { textPayload: line });
      world.fake.log(id, start + 11, { textPayload: 'another node' }, 'workerpool1-0');

      const first = await world.logs(place, 0, 8);
      const second = await world.logs({ ...place, id }, first?.next ?? 0, 1000);
      world.fake.log(id, start + 25, { textPayload: 'five' });
      const third = await world.logs(place, second?.next ?? 0, 1000);
      const fourth = await world.logs(place, third?.next ?? 0, 1000);

      expect([first, second, third].map((part) => part?.text)).toEqual(['one\ntwo\n', 'three\nfour\n', 'five\n']);
      expect(fourth).toEqual({ text: '', next: third?.next });
    });

    test('is asked for no further than a part needs', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      for (let line = 0; line < 20; line += 1) world.fake.log(id, start + line, { textPayload: 'line' });
      const before = served.calls.length;

      const part = await world.logs({ ...place, id }, 0, 10);

      expect(part?.text).toBe('line\nline\n');
      expect(served.calls.slice(before)).toHaveLength(2);
    });

    test('is none for a job that was never started', async () => {
      expect(await world.logs({ ...place, key: 'run_9/train/1' }, 0, 10)).toBeUndefined();
    });
  });
});
