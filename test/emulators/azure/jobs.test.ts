import { inspect } from 'node:util';
import { jobName } from '@serin/azure/jobs/settings';
import { Fault } from '@serin/core/base/fault';
import { hour, minute } from '@serin/core/base/time';
import type { Job, JobDescription } from '@serin/core/ports/jobs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jobsContract } from '../../contract/jobs.contract.ts';
import { emulatedAzure } from '../emulated.ts';
import { fakeJobs, serveLogs } from './fake-jobs.ts';
import { canary, image, imageJob, jobsWorld, settings, start, type World } from './jobs-world.ts';
import { Refusal, type Routes, type Served, serveAzure } from './rest.ts';

const at = (minutes: number): string => new Date(start + minutes * minute).toISOString();

emulatedAzure('jobs on Azure ML', () => {
  let served: Served;
  let logs: Awaited<ReturnType<typeof serveLogs>>;
  let routes: Routes = {};
  let world: World;
  beforeAll(async () => {
    const keys = Object.keys(fakeJobs({ now: () => 0 }).routes);
    served = await serveAzure(
      'azure-jobs',
      Object.fromEntries(keys.map((key) => [key, (request) => routes[key]?.(request)])),
    );
    logs = await serveLogs();
  });
  afterEach(() => {
    logs.answer(206);
    served.check();
  });
  afterAll(async () => {
    logs?.stop();
    await served?.stop();
  });

  function opened(more: Parameters<typeof jobsWorld>[1] = {}): World {
    world = jobsWorld(served.azure, more);
    routes = world.fake.routes;
    return world;
  }
  beforeEach(() => void opened());

  jobsContract('mlJobs', async () => {
    const { jobs, code, dataset, put } = opened();
    return {
      jobs: {
        ...jobs,
        // The fake runs nothing: a job that is asked about has ended well.
        async describe(id) {
          await complete(id);
          return jobs.describe(id);
        },
      },
      code,
      dataset,
      change: async (key, content) => void (await put('drops', `fraud/${key}`, content)),
      close: async () => {},
    };
  });

  const nameFor = (key: string): string => jobName(settings.installation, { project: 'shop', key });
  const requestFor = (name: string) => {
    const job = world.fake.jobs.get(name);
    if (job === undefined) throw new Error(`there is no job ${name}`);
    return job.properties;
  };
  const began = { startTimeUtc: at(5) };
  const over = { ...began, endTimeUtc: at(65) };
  const times = { startedAt: start + 5 * minute, endedAt: start + 65 * minute };

  /** Lets a job end well at minute 65, with all that it promised. */
  async function complete(name: string): Promise<void> {
    if (!world.fake.jobs.has(name)) return;
    await world.put('serin', `jobs/${name}/model/model.txt`, 'weights');
    world.fake.move(name, 'Completed', over);
  }

  async function ends(
    status: string,
    details: Parameters<World['fake']['move']>[2] = {},
    job: Partial<Job> = {},
  ): Promise<JobDescription> {
    const { id } = await world.jobs.start(imageJob('run_1/train/1', { maxRuntimeMs: 4 * hour, ...job }));
    world.fake.move(id, status, details);
    return world.jobs.describe(id);
  }
  const because = (message: string, code = 'UserError') => ({ error: { error: { code, message } } });

  describe('a command job', () => {
    test.each(['NotStarted', 'Starting', 'Provisioning', 'Preparing', 'Queued'])(
      'is starting while Azure ML says %s',
      async (status) => {
        expect(await ends(status)).toEqual({ status: 'starting' });
      },
    );

    test.each(['Running', 'Finalizing', 'CancelRequested', 'NotResponding', 'Paused', 'Unknown'])(
      'runs, once it began, while it is %s: a run that does not respond may come back',
      async (status) => {
        expect(await ends(status, began)).toEqual({ status: 'running', startedAt: times.startedAt });
      },
    );

    test('whose machine was taken away is queued again, and still runs', async () => {
      expect(await ends('Queued', began)).toEqual({ status: 'running', startedAt: times.startedAt });
    });

    test('has failed with what its program wrote, with what Azure ML says, and with the end of its log', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1', { maxRuntimeMs: 4 * hour }));
      await world.put('serin', `jobs/${id}/output/failure`, 'column price is missing\n');
      const lines = Array.from({ length: 25 }, (_, line) => `line ${line + 1}\n`).join('');
      const log = logs.write(id, `${'x'.repeat(100_000)}\n${lines}`);
      const message = "Execution failed. User process 'sh' exited with status code 3.";
      const logFiles = { 'system_logs/lifecycler/execution-wrapper.log': 'x', 'user_logs/std_log.txt': log };
      world.fake.move(id, 'Failed', { ...over, ...because(message), logFiles });

      const description = await world.jobs.describe(id);

      expect(description).toMatchObject({ status: 'failed', ...times });
      expect(description.reason).toMatch(
        /^column price is missing \(Execution failed.*code 3\.\); the end of its log:\nline 6\n[\s\S]*line 25$/,
      );
      expect(description.retryable).toBeUndefined();
    });

    test('of several nodes has the log of the first', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1', { maxRuntimeMs: 4 * hour }));
      const logFiles = {
        'user_logs/std_log_process_1.txt': logs.write('other', 'another node'),
        'user_logs/std_log_process_0.txt': logs.write(id, 'the first node'),
      };
      world.fake.move(id, 'Failed', { ...over, logFiles });

      expect((await world.jobs.describe(id)).reason).toMatch(/the end of its log:\nthe first node$/);
    });

    test('whose log can never be read has failed all the same, and says so', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1', { maxRuntimeMs: 4 * hour }));
      const logFiles = { 'user_logs/std_log.txt': logs.write(id, 'text') };
      world.fake.move(id, 'Failed', { ...over, ...because('Execution failed.'), logFiles });
      logs.answer(403);

      expect((await world.jobs.describe(id)).reason).toMatch(/^Execution failed\.; its log cannot be read: .*403/);
    });

    test('whose history may not be read is told by its state alone, and says what is missing', async () => {
      world.fake.fate.historyRefusal = new Refusal(403, 'UserError', 'The client is not allowed to read runs');

      const failed = await ends('Failed');
      world.fake.move(nameFor('run_1/train/1'), 'Running');
      const running = await world.jobs.describe(nameFor('run_1/train/1'));

      expect(failed).toMatchObject({ status: 'failed', reason: expect.stringContaining('serin plan --cloud azure') });
      expect(running).toEqual({ status: 'running' });
    });

    test('is asked about again while its history is away', async () => {
      world.fake.fate.historyRefusal = new Refusal(503, 'ServiceUnavailable', 'try later');

      await expect(ends('Running')).rejects.toMatchObject({ code: 'unavailable' });
    });

    test.each([
      [
        'interruption',
        'UserError',
        'AzureMLCompute job failed. PreemptionError: Nodes of this job got pre-empted. Check if the run has failed or restarted.',
      ],
      ['interruption', 'ServiceError', 'InternalServerError'],
      ['interruption', 'SystemError', 'AzureMLCompute job failed. Failed to start the runtime on the node.'],
      [undefined, 'UserError', 'Execution failed. Error: AzureMLCompute job failed. PreemptionError: my own text'],
      ['interruption', 'SystemError', 'AllocationFailed once a machine was taken away'],
      [undefined, '', 'nobody says whose fault it is'],
      [undefined, 'UserError', 'AllocationFailed of shoes'],
      [undefined, 'UserError', 'Execution failed. User process exited with status code 1.'],
    ] as const)('is worth another attempt after %s: %s %s', async (retryable, code, message) => {
      const description = await ends('Failed', { ...over, ...because(message, code) });

      expect(description).toMatchObject({ status: 'failed', reason: expect.stringContaining(message) });
      expect(description.retryable).toBe(retryable);
    });

    test('for which Azure has no machine is worth another attempt for want of capacity', async () => {
      const { retryable } = await ends('Failed', because('AllocationFailed: no capacity in the region', 'SystemError'));

      expect(retryable).toBe('capacity');
    });

    test('that was killed or has no command says what that most often means', async () => {
      const killed = await ends('Failed', { ...over, ...because('User process exited with status code 137.') });
      world.fake.move(nameFor('run_1/train/1'), 'Failed', because('User process exited with status code 127.'));
      const absent = await world.jobs.describe(nameFor('run_1/train/1'));

      expect(killed.reason).toContain('too little memory');
      expect(absent.reason).toContain('does not have the command');
    });

    test.each(['Failed', 'Canceled'])('has failed when it was %s at its time limit', async (status) => {
      expect(await ends(status, over, { maxRuntimeMs: hour })).toEqual({
        ...{ status: 'failed', ...times, reason: 'ran longer than 1h' },
      });
    });

    test.each([
      ['P0DT0H59M60S', over, 'ran longer than 1h'],
      ['P1D', { ...began, endTimeUtc: at(5 + 24 * 60) }, 'ran longer than 1d'],
      ['P1D', over, 'stopped on request'],
      [undefined, over, 'stopped on request'],
    ])('knows its time limit however Azure ML writes it: %s', async (timeout, details, reason) => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1', { maxRuntimeMs: hour }));
      requestFor(id).limits.timeout = timeout;
      world.fake.move(id, 'Canceled', details);

      expect((await world.jobs.describe(id)).reason).toBe(reason);
    });

    test('was stopped when somebody stopped it, in Serin or in the studio', async () => {
      expect(await ends('Canceled', over)).toEqual({ status: 'stopped', ...times, reason: 'stopped on request' });
    });

    const waits = { maxWaitMs: hour, compute: { nodes: 1, spot: true } };

    test('that waits for a machine longer than it may is cancelled, and is worth another attempt', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1', waits));
      world.fake.move(id, 'Queued');

      world.clock.now += hour - 1;
      const before = await world.jobs.describe(id);
      world.clock.now += 1;
      await world.jobs.describe(id);
      const cancelled = requestFor(id).status;
      world.fake.move(id, 'Canceled', { endTimeUtc: at(61) });

      expect(before.status).toBe('starting');
      expect(cancelled).toBe('CancelRequested');
      expect(await world.jobs.describe(id)).toMatchObject({
        ...{ status: 'failed', retryable: 'capacity', reason: 'no machine was free within 1h' },
      });
    });

    test('whose machine was taken away may wait beside the time that it may run', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1', { ...waits, maxRuntimeMs: 2 * hour }));
      world.fake.move(id, 'Queued', began);

      world.clock.now += 3 * hour - 1;
      await world.jobs.describe(id);
      const before = requestFor(id).status;
      world.clock.now += 1;
      await world.jobs.describe(id);
      const after = requestFor(id).status;
      world.fake.move(id, 'Canceled', { startTimeUtc: at(100), endTimeUtc: at(181) });

      expect([before, after]).toEqual(['Queued', 'CancelRequested']);
      expect(await world.jobs.describe(id)).toMatchObject({
        ...{ status: 'failed', retryable: 'interruption', reason: expect.stringContaining('within 3h') },
      });
    });

    test.each(['Completed', 'Failed', 'Canceled'])(
      'is not cancelled once it is over (%s), however late it is described',
      async (status) => {
        const { id } = await world.jobs.start(imageJob('run_1/train/1', waits));
        world.fake.move(id, status, { endTimeUtc: at(30) });
        world.clock.now += 30 * hour;
        const before = served.calls.length;

        await world.jobs.describe(id);

        expect(served.calls.slice(before).map(({ verb }) => verb)).toEqual(['GET', 'GET']);
      },
    );

    test('that runs is not cancelled for the time that it waited', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1', waits));
      world.fake.move(id, 'Running', began);
      world.clock.now += 30 * hour;

      expect((await world.jobs.describe(id)).status).toBe('running');
      expect(requestFor(id).status).toBe('Running');
    });

    test.each(['Queued', 'Running'])('can be stopped while it is %s', async (status) => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      world.fake.move(id, status);

      await world.jobs.stop(id);
      await world.jobs.stop(id);

      expect(requestFor(id).status).toBe('CancelRequested');
    });

    test.each(['CancelRequested', 'Finalizing', 'Completed', 'Failed', 'Canceled'])(
      'that is %s takes a stop, and stays what it is, though Azure ML refuses it',
      async (status) => {
        const { id } = await world.jobs.start(imageJob('run_1/train/1'));
        world.fake.move(id, status, over);
        const cancel = () => {
          throw new Refusal(400, 'UserError', `Job ${id} cannot be canceled in state ${status}.`);
        };
        routes = { ...routes, 'POST jobs/{name}/cancel': cancel };

        await world.jobs.stop(id);

        expect(requestFor(id).status).toBe(status);
      },
    );

    test.each([
      [400, 'unavailable'],
      [403, 'invalid'],
      [409, 'unavailable'],
    ])('that cannot be stopped says so, and costs on until it can be: %d', async (status, code) => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      const cancel = () => {
        throw new Refusal(status, 'UserError', 'it must not be cancelled');
      };
      routes = { ...routes, 'POST jobs/{name}/cancel': cancel };

      await expect(world.jobs.stop(id)).rejects.toMatchObject({
        ...{ code, message: expect.stringContaining('must not be cancelled') },
      });
    });

    test.each([403, 503])(
      'that has ended says so too when nobody knows whether it may be stopped: %d',
      async (status) => {
        const { id } = await world.jobs.start(imageJob('run_1/train/1'));
        world.fake.move(id, 'Completed', over);
        const cancel = () => {
          throw new Refusal(status, 'UserError', 'not now');
        };
        routes = { ...routes, 'POST jobs/{name}/cancel': cancel };

        await expect(world.jobs.stop(id)).rejects.toMatchObject({ message: expect.stringContaining('not now') });
      },
    );

    test('whose tags somebody took away can be described and stopped all the same', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      requestFor(id).tags = { team: 'other' };

      const described = await world.jobs.describe(id);
      await world.jobs.stop(id);

      expect([described.status, requestFor(id).status]).toEqual(['starting', 'CancelRequested']);
    });

    test('of somebody else is not found, and neither is one that Azure ML does not know', async () => {
      world.fake.make('theirs', { jobType: 'Command', command: 'x', environmentId: 'e', tags: { team: 'other' } });

      for (const other of ['theirs', 'unknown', 'a/../b', '']) {
        await expect(world.jobs.describe(other)).rejects.toMatchObject({ code: 'notFound' });
        await expect(world.jobs.stop(other)).rejects.toMatchObject({ code: 'notFound' });
      }
      expect(requestFor('theirs').status).toBe('NotStarted');
    });

    test('has its model, its times and its metrics when it has succeeded', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      await complete(id);
      await world.put('serin', `jobs/${id}/output/data/metrics.json`, '{"auc": 0.875}');

      const description = await world.jobs.describe(id);

      expect(description).toMatchObject({ status: 'succeeded', ...times, metrics: { auc: 0.875 } });
      expect(description.artifacts?.model).toEqual({
        uri: `https://serinshopprod.blob.core.windows.net/serin-own/jobs/${id}/model/`,
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
        await world.put('serin', `jobs/${id}/output/data/${name}`, text ?? '');
      world.fake.move(id, 'Completed', over);

      const { artifacts } = await world.jobs.describe(id);

      expect(artifacts?.train).toMatchObject({ bytes: 3, uri: expect.stringMatching(/\/output\/data\/train\/$/) });
      expect(artifacts?.holdout).toMatchObject({ bytes: 1 });
    });

    test('has failed when it ended well and left no more than an empty folder', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      await world.put('serin', `jobs/${id}/model/`, '');
      world.fake.move(id, 'Completed', over);

      expect(await world.jobs.describe(id)).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('wrote no model into https://'),
      });
    });
  });

  describe('one paid job for one key', () => {
    const job = imageJob('run_1/train/1');
    const name = nameFor(job.key);
    const theirs = { jobType: 'Command', command: 'x', environmentId: 'e' };
    const puts = () => served.calls.filter(({ id }) => id === 'PUT jobs/{id}').length;

    test('fifty starts at once, of three processes, make one', async () => {
      const ports = [world.port(), world.port(), world.port()];

      const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => ports[index % 3]?.start(job)));

      expect(answers).toEqual(answers.map(() => ({ id: name })));
      expect([...world.fake.jobs.keys()]).toEqual([name]);
    });

    test('a job that is there is not asked for again, also when it has ended', async () => {
      await world.jobs.start(job);
      await complete(name);
      const before = puts();

      expect(await world.port().start(job)).toEqual({ id: name });
      expect(puts()).toBe(before);
      expect(requestFor(name).status).toBe('Completed');
    });

    test('a lost answer makes no second one', async () => {
      world.fake.fate.isLost = true;
      await expect(world.jobs.start(job)).rejects.toMatchObject({ code: 'unavailable' });
      world.fake.fate.isLost = false;

      expect(await world.port().start(job)).toEqual({ id: name });
      expect(world.fake.jobs.size).toBe(1);
    });

    test('a request that arrives late, when the job was asked for again, makes no second one', async () => {
      world.fake.fate.isLate = true;
      await expect(world.jobs.start(job)).rejects.toMatchObject({ code: 'unavailable' });
      world.fake.fate.isLate = false;

      await world.port().start(job);
      world.fake.move(name, 'Running', began);
      world.fake.arrive();

      expect(world.fake.jobs.size).toBe(1);
      expect(requestFor(name).status).toBe('Running');
    });

    test('a start by another version of Serin, which asks for it otherwise, adopts it', async () => {
      await world.jobs.start(job);
      world.fake.fate.isUnseen = true;
      const starting = world.port({ nodeImage: 'another' }).start({ ...job, maxRuntimeMs: 1234 });
      await expect(starting).rejects.toMatchObject({ code: 'unavailable' });
      world.fake.fate.isUnseen = false;

      expect(await world.port().start({ ...job, maxRuntimeMs: 1234 })).toEqual({ id: name });
      expect(requestFor(name).limits.timeout).toBe('PT60S');
    });

    test('of two that ask at once for it in two ways, the one that is refused adopts the other', async () => {
      const get = 'GET jobs/{name}';
      let looks = 0;
      routes = {
        ...routes,
        [get]: (request) => {
          looks += 1;
          if (looks > 1) return world.fake.routes[get]?.(request);
          world.fake.make(name, { ...theirs, tags: tagsOfOurs });
          throw new Refusal(404, 'UserError', 'Job not found.');
        },
      };

      expect(await world.jobs.start(job)).toEqual({ id: name });
      expect(requestFor(name).command).toBe('x');
    });

    const tagsOfOurs = { 'serin-project': 'shop', 'serin-environment': 'prod', 'serin-key': 'run_1/train/1' };

    test.each([
      ['a job of somebody else', undefined],
      ['a job of another key', { ...tagsOfOurs, 'serin-key': 'run_2/train/1' }],
      ['a job of another project', { ...tagsOfOurs, 'serin-project': 'other' }],
      ['a job of another environment', { ...tagsOfOurs, 'serin-environment': 'test' }],
    ])('%s that has the name is left alone, and the start refused', async (_, tags) => {
      world.fake.make(name, { ...theirs, ...(tags === undefined ? {} : { tags }) });
      const before = puts();

      await expect(world.jobs.start(job)).rejects.toMatchObject({
        code: 'defect',
        message: expect.stringContaining(`its name ${name} is taken by`),
      });
      expect(puts()).toBe(before);
      expect(requestFor(name)).toEqual({ ...theirs, ...(tags === undefined ? {} : { tags }), status: 'NotStarted' });
    });

    test('a job of somebody else that came between look and request is left alone, and the start refused', async () => {
      const get = 'GET jobs/{name}';
      let looks = 0;
      routes = {
        ...routes,
        [get]: (request) => {
          looks += 1;
          if (looks > 1) return world.fake.routes[get]?.(request);
          world.fake.make(name, theirs);
          throw new Refusal(404, 'UserError', 'Job not found.');
        },
      };

      await expect(world.jobs.start(job)).rejects.toMatchObject({ code: 'defect' });
      expect(requestFor(name)).toEqual({ ...theirs, status: 'NotStarted' });
    });
  });

  describe('a start that is refused', () => {
    const refused = async (refusal: Refusal, job = imageJob('run_1/train/1')): Promise<Fault> => {
      world.fake.fate.refusal = refusal;
      return world.jobs.start(job).catch((fault: unknown) => fault as Fault) as Promise<Fault>;
    };

    test.each([
      [
        400,
        'The specified subscription has a Standard DSv2 family vCPU quota of 2 and is less than the requested job node count of 2 which maps to 4 vCPUs.',
        'ask Microsoft for a higher quota',
      ],
      [403, 'The client does not have authorization to perform action jobs/write', 'give the managed identity'],
      [
        400,
        'The managed identity 9999 is not assigned to the workspace.',
        `give the workspace serin-shop-prod the identity ${settings.jobIdentity}`,
      ],
      [400, 'Something else.', 'correct what was refused'],
    ] as const)('says what to do: %s %s', async (status, message, mend) => {
      expect(await refused(new Refusal(status, 'UserError', message))).toMatchObject({
        code: 'invalid',
        message: expect.stringContaining(mend),
      });
    });

    test('waits where Azure has no machine, or was asked too often', async () => {
      expect(await refused(new Refusal(409, 'AllocationFailed', 'no capacity'))).toMatchObject({ code: 'throttled' });
      expect(await refused(new Refusal(429, 'TooManyRequests', 'slow down'))).toMatchObject({ code: 'throttled' });
    });

    test('is one of an artifact that has changed since its job ended, or is not ours', async () => {
      await world.put('serin', 'jobs/a/train/part.csv', 'changed');
      const artifactAt = (account: string) => ({
        uri: `https://${account}.blob.core.windows.net/serin-own/jobs/a/train/`,
        ...{ digest: '0'.repeat(64), bytes: 1 },
      });
      const refusedFor = (account: string) =>
        world.jobs.start(
          imageJob('run_1/train/1', { channels: { train: { kind: 'artifact', artifact: artifactAt(account) } } }),
        );

      await expect(refusedFor('serinshopprod')).rejects.toMatchObject({
        ...{ code: 'invalid', message: expect.stringContaining('digest') },
      });
      await expect(refusedFor('evil')).rejects.toMatchObject({
        ...{ code: 'invalid', message: expect.stringContaining('not an object of this cloud') },
      });
      expect(world.fake.jobs.size).toBe(0);
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
      expect(world.fake.jobs.size).toBe(0);
    });
  });

  describe('the request', () => {
    test('says everything: mounts, machines, spot, limits, identity, tags, and a script in the own container', async () => {
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
          compute: { accelerator: { type: 'A100', count: 4 }, nodes: 4, spot: true },
          maxRuntimeMs: 4 * hour,
          maxWaitMs: 8 * hour,
        }),
      );

      const { status: _, ...request } = requestFor(id);
      const workspace =
        '/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/ml/providers/Microsoft.MachineLearningServices/workspaces/serin-shop-prod';
      const place = (name: string) => `\${{${name}}}`;
      const mounts = ['inputs.serin_0', 'inputs.serin_1', 'outputs.serin_left', 'outputs.serin_kept'].map(place);
      expect(request).toEqual({
        jobType: 'Command',
        displayName: id,
        experimentName: 'prices',
        command: `sh ${place('inputs.serin_0')}/starts/${id}/start.sh ${mounts.join(' ')}`,
        environmentId: expect.stringMatching(
          new RegExp(`^${workspace}/environments/prod-shop--image-[0-9a-f]{16}/versions/1$`),
        ),
        inputs: {
          serin_0: {
            ...{ jobInputType: 'uri_folder', mode: 'ReadOnlyMount' },
            uri: 'wasbs://serin-own@serinshopprod.blob.core.windows.net/',
          },
          serin_1: {
            ...{ jobInputType: 'uri_folder', mode: 'ReadOnlyMount' },
            uri: 'wasbs://drops@acmedata.blob.core.windows.net/',
          },
        },
        outputs: {
          serin_left: {
            ...{ jobOutputType: 'uri_folder', mode: 'ReadWriteMount' },
            uri: `azureml://datastores/serin/paths/jobs/${id}/`,
          },
          serin_kept: {
            ...{ jobOutputType: 'uri_folder', mode: 'ReadWriteMount' },
            uri: 'azureml://datastores/serin/paths/checkpoints/',
          },
        },
        resources: { instanceCount: 4, instanceType: 'Standard_NC96ads_A100_v4' },
        queueSettings: { jobTier: 'Spot' },
        distribution: { distributionType: 'PyTorch', processCountPerInstance: 1 },
        limits: { jobLimitsType: 'Command', timeout: 'PT14400S' },
        identity: { identityType: 'Managed', clientId: settings.jobClient },
        environmentVariables: { SERIN_JOB: '{"outputs":["model"],"maxWaitMs":28800000}' },
        tags: {
          ...{ 'serin-project': 'shop', 'serin-environment': 'prod', 'serin-key': 'run_1/train/2' },
          ...{ 'serin-kind': 'train', 'serin-model': 'prices', 'serin-run': 'run_1' },
        },
      });
      expect([...world.fake.environments.values()]).toEqual([image]);
      const script = await world.text(`starts/${id}/start.sh`);
      expect(script.split('\n')).toEqual(
        expect.arrayContaining([
          '  MODE=fast \\',
          '  AIP_MODEL_DIR=/tmp/serin/left/model \\',
          '  SM_MODEL_DIR=/tmp/serin/left/model \\',
          '  AZURE_ML_INPUT_train=/tmp/serin/input/data/train \\',
          `  AZUREML_RUN_ID=${id} \\`,
          '  WORLD_SIZE=4 \\',
          '  "MASTER_ADDR=$MASTER_ADDR" \\',
          '  python train.py --data /tmp/serin/input/data/train --epochs 10 --learning-rate 0.10',
        ]),
      );
      expect(script).toMatch(/AIP_CHECKPOINT_DIR=\/tmp\/serin\/kept\/[0-9a-f]{32} /);
      const [, list = ''] = /bring \/tmp\/serin\/mounts\/serin-own\/(\S+)/.exec(script) ?? [];
      expect(await world.text(list)).toBe('drops/fraud/train/\na.csv\nb.csv\n');
    });

    test('has the project of the job in its tags', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1', { project: 'other' }));

      expect(requestFor(id).tags).toMatchObject({ 'serin-project': 'other', 'serin-environment': 'prod' });
    });

    test('for one node on demand has no distribution, and a plain machine', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));

      expect(requestFor(id)).toMatchObject({
        resources: { instanceCount: 1, instanceType: 'Standard_DS3_v2' },
        queueSettings: { jobTier: 'Standard' },
        limits: { timeout: 'PT60S' },
      });
      expect(requestFor(id).distribution).toBeUndefined();
      expect(Object.keys(requestFor(id).outputs)).toEqual(['serin_left']);
    });

    test('starts code without an image in the stock image of Node', async () => {
      const digest = await world.code({ 'train.mjs': '' });
      const { image: _, ...job } = imageJob('run_1/train/5', { code: { digest }, command: ['node', 'train.mjs'] });

      await world.jobs.start(job);

      expect([...world.fake.environments.values()]).toEqual([settings.nodeImage]);
    });

    test.each([
      [400, 'Environment e with version 1 is already registered and cannot be changed.', undefined],
      [409, 'The environment version already exists.', undefined],
      [400, 'The image is not one.', 'invalid'],
      [503, 'It already exists, or not: nobody knows.', 'unavailable'],
    ])('takes an environment that is there, whose name says its image: %d %s', async (status, message, code) => {
      const put = () => {
        throw new Refusal(status, 'UserError', message);
      };
      routes = { ...routes, 'PUT environments/{name}/versions/{version}': put };

      const started = world.jobs.start(imageJob('run_1/train/1'));

      if (code === undefined) expect(requestFor((await started).id).environmentId).toMatch(/image-[0-9a-f]{16}/);
      else await expect(started).rejects.toMatchObject({ code });
    });

    test('makes one environment for each image, however many jobs it has', async () => {
      for (const key of ['run_1/train/1', 'run_1/train/2']) await world.jobs.start(imageJob(key));
      await world.jobs.start(imageJob('run_1/train/3', { image: 'acme.azurecr.io/torch:2.5' }));

      expect([...world.fake.environments.values()]).toEqual([image, 'acme.azurecr.io/torch:2.5']);
      expect(new Set([1, 2].map((n) => requestFor(nameFor(`run_1/train/${n}`)).environmentId)).size).toBe(1);
    });
  });

  describe('on a cluster', () => {
    const gpu = { accelerator: { type: 'A100', count: 1 }, nodes: 2, spot: false };

    function withCluster(vmSize: string, vmPriority: 'Dedicated' | 'LowPriority' = 'Dedicated'): void {
      opened({ cluster: 'gpus' });
      world.fake.clusters.set('gpus', { vmSize, vmPriority });
    }

    test('a job names it, and asks for no type of machine and no tier', async () => {
      withCluster('STANDARD_NC24ADS_A100_V4');

      const { id } = await world.jobs.start(imageJob('run_1/train/1', { compute: gpu }));

      expect(requestFor(id)).toMatchObject({
        computeId: expect.stringMatching(/\/workspaces\/serin-shop-prod\/computes\/gpus$/),
        resources: { instanceCount: 2 },
      });
      expect(requestFor(id).resources.instanceType).toBeUndefined();
      expect(requestFor(id).queueSettings).toBeUndefined();
      expect(await world.text(`starts/${id}/start.sh`)).toContain('SM_NUM_GPUS=1');
    });

    test('a job without an accelerator runs on whatever it has', async () => {
      withCluster('Standard_E4s_v3');

      const { id } = await world.jobs.start(imageJob('run_1/train/1'));

      expect(await world.text(`starts/${id}/start.sh`)).toContain('SM_CURRENT_INSTANCE_TYPE=Standard_E4s_v3');
    });

    test.each([
      ['of other machines', 'Standard_DS3_v2', 'Dedicated', gpu, 'use another accelerator'],
      ['without spot machines', 'Standard_NC24ads_A100_v4', 'Dedicated', { ...gpu, spot: true }, 'set spot to false'],
      ['of spot machines', 'Standard_NC24ads_A100_v4', 'LowPriority', gpu, 'set spot to true'],
    ] as const)('%s a job that asks for others is refused', async (_, vmSize, vmPriority, compute, mend) => {
      withCluster(vmSize, vmPriority);

      await expect(world.jobs.start(imageJob('run_1/train/1', { compute }))).rejects.toMatchObject({
        ...{ code: 'invalid', message: expect.stringContaining(mend) },
      });
      expect(world.fake.jobs.size).toBe(0);
    });

    test('that is not there no job is started', async () => {
      opened({ cluster: 'gpus' });

      await expect(world.jobs.start(imageJob('run_1/train/1'))).rejects.toMatchObject({ code: 'notFound' });
    });
  });

  describe('a secret that a job names', () => {
    const environment = { API_KEY: { secret: 'api-key' }, MODE: 'plain' };

    test('is named in the script of the job, and its text is sent and stored nowhere', async () => {
      const before = served.calls.length;

      await world.jobs.start(imageJob('run_1/train/1', { environment }));

      const stored = await world.stored();
      const sent = inspect(served.calls.slice(before), { depth: 20 });
      expect(
        stored.some((text) => text.includes('https://serin-shop-prod.vault.azure.net/secrets/program-api-key')),
      ).toBe(true);
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
      expect([await world.stored(), world.fake.jobs.size]).toEqual([[], 0]);
    });
  });

  describe('the model of a job', () => {
    test('is the one that it was started for, by one question', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      const before = served.calls.length;

      expect(await world.ownerOf(id)).toBe('prices');
      expect(served.calls.slice(before).map((call) => call.id)).toEqual(['GET jobs/{id}']);
    });

    test('is none for a job that is gone, of another installation, or has no such name; for those nobody asks', async () => {
      world.fake.make('prod-shop2--train-1-x', { jobType: 'Command', tags: { 'serin-model': 'fraud' } });
      const before = served.calls.length;

      expect(await Promise.all(['prod-shop2--train-1-x', 'a/b', ''].map((job) => world.ownerOf(job)))).toEqual([
        ...[undefined, undefined, undefined],
      ]);
      expect(served.calls.length).toBe(before);
      expect(await world.ownerOf('prod-shop--train-1-0123456789abcdef')).toBeUndefined();
    });
  });

  describe('the log', () => {
    const { project, key, kind } = imageJob('run_1/train/1');
    const place = { project, key, kind };
    const printed = (id: string, text: string, status = 'Running') =>
      world.fake.move(id, status, { logFiles: { 'user_logs/std_log.txt': logs.write(id, text) } });

    test('is read in whole lines, from where it was left, with the id or without it', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      printed(id, 'one\ntwo\nthr');

      const first = await world.logs(place, 0, 5);
      const second = await world.logs({ ...place, id }, first?.next ?? 0, 1000);
      printed(id, 'one\ntwo\nthree\nfour', 'Completed');
      const third = await world.logs(place, second?.next ?? 0, 1000);
      const fourth = await world.logs(place, third?.next ?? 0, 1000);

      expect([first, second, third].map((part) => part?.text)).toEqual(['one\n', 'two\n', 'three\nfour']);
      expect(fourth).toEqual({ text: '', next: third?.next });
    });

    test('is empty for a job that has printed nothing yet', async () => {
      await world.jobs.start(imageJob('run_1/train/1'));

      expect(await world.logs(place, 0, 10)).toEqual({ text: '', next: 0 });
    });

    test('is none for a job that was never started', async () => {
      expect(await world.logs({ ...place, key: 'run_9/train/1' }, 0, 10)).toBeUndefined();
      await expect(world.logs({ ...place, id: 'unknown' }, 0, 10)).rejects.toMatchObject({ code: 'notFound' });
    });

    test('that Blob Storage does not give is said so', async () => {
      const { id } = await world.jobs.start(imageJob('run_1/train/1'));
      printed(id, 'text');
      logs.answer(503);

      await expect(world.logs(place, 0, 10)).rejects.toMatchObject({ code: 'unavailable' });
    });
  });
});
