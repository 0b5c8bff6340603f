import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Fault } from '@serin/core/base/fault';
import { manifestKey } from '@serin/core/engine/dataset';
import type { ObjectContent } from '@serin/core/ports/bucket';
import type { Job, Source } from '@serin/core/ports/jobs';
import { type LocalJobs, localJobs } from '@serin/local/ports/jobs';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aJob, appears, ended, type Files, gone, type JobsUnderTest, jobsContract, prelude } from './jobs.contract.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const runner = join(repository, 'packages/local/src/machine/runner.ts');
const jobsModule = pathToFileURL(join(repository, 'packages/local/src/ports/jobs.ts')).href;
const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

/** Objects as files named by the digest of their key, so that a second process reads the same store. */
function objectStore(directory: string) {
  const fileOf = (bucket: string, key: string) => join(directory, bucket, sha256(key));
  const put = (bucket: string, key: string, content: string) => {
    mkdirSync(join(directory, bucket), { recursive: true });
    writeFileSync(fileOf(bucket, key), content);
    return { key, version: sha256(content), bytes: Buffer.byteLength(content) };
  };
  return {
    put,
    async readObject(bucket: string, key: string, maxBytes: number): Promise<ObjectContent | undefined> {
      if (!existsSync(fileOf(bucket, key))) return undefined;
      const content = readFileSync(fileOf(bucket, key));
      const truncated = content.length > maxBytes;
      return {
        key,
        version: sha256(content),
        bytes: content.length,
        content: content.subarray(0, maxBytes),
        truncated,
      };
    },
    async materialise(bucket: string, key: string, version: string, targetFile: string): Promise<void> {
      const content = readFileSync(fileOf(bucket, key));
      if (sha256(content) !== version) throw new Fault('invalid', `${key} changed since the manifest was written`);
      writeFileSync(targetFile, content);
    },
    code(files: Files): string {
      const list = Object.entries(files).map(([path, content]) => {
        put('serin', `code/blobs/${sha256(content)}`, content);
        return { path, blob: sha256(content), bytes: Buffer.byteLength(content), executable: path.endsWith('.sh') };
      });
      return codeOf(list);
    },
    codeOf,
    dataset(files: Files, under?: string): Source {
      const objects = Object.entries(files)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, content]) => put('drops', `shop/${key}`, content));
      // Two chunks, so that a reader which takes only the first is found out.
      const parts = [objects.slice(0, 1), objects.slice(1)].filter((part) => part.length > 0);
      const chunks = parts.map((part) => {
        const text = JSON.stringify({ objects: part });
        return put('serin', `datasets/chunks/${sha256(text)}.json`, text).key;
      });
      const chain = objects.reduce(
        (before, { key, version, bytes }) => sha256(`${before}\n${JSON.stringify([key, version, bytes])}`),
        '',
      );
      const key = manifestKey('m', sha256(JSON.stringify(['drops', 'shop/', chain])));
      put('serin', key, JSON.stringify({ bucket: 'drops', prefix: 'shop/', chunks }));
      return {
        kind: 'manifest',
        bucket: 'serin',
        key,
        ...(under === undefined ? {} : { under: `shop/${under}` }),
      };
    },
  };

  function codeOf(files: unknown): string {
    const text = JSON.stringify({ files });
    put('serin', `code/${sha256(text)}.json`, text);
    return sha256(text);
  }
}

const inherited = { PATH: process.env.PATH ?? '' };

type Options = Partial<Parameters<typeof localJobs>[0]>;

let scratch: string;
let store: ReturnType<typeof objectStore>;
const opened: LocalJobs[] = [];

async function prepare(): Promise<void> {
  scratch = await mkdtemp(join(tmpdir(), 'serin-local-jobs-'));
  store = objectStore(join(scratch, 'store'));
}

function openJobs(options: Options = {}): LocalJobs {
  const { readObject, materialise } = store;
  const jobs = localJobs({
    directory: join(scratch, 'jobs'),
    readObject,
    materialise,
    runner,
    graceMs: 500,
    pollMs: 50,
    inherited,
    ...options,
  });
  opened.push(jobs);
  return jobs;
}

function cleanUp(): void {
  for (const jobs of opened.splice(0)) jobs.close();
  // What a job left is read-only: who is not root has to open its directories first.
  for (const entry of readdirSync(scratch, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o700);
  }
  rmSync(scratch, { recursive: true, force: true });
}

const jobDirectory = (id: string) => join(scratch, 'jobs', id);
const script = (key: string, source: string, job: Partial<Job> = {}): Job => ({
  ...aJob(key, job),
  code: { digest: store.code({ 'train.mjs': prelude + source }) },
  environment: { TALLY: join(scratch, 'tally'), GO: join(scratch, 'go'), ...job.environment },
});
const tallied = (): readonly string[] => {
  const file = join(scratch, 'tally');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};
const untilGo = 'const wait = setInterval(() => { if (existsSync(env.GO)) { clearInterval(wait); model(); } }, 10);';

jobsContract('child processes', async (): Promise<JobsUnderTest> => {
  await prepare();
  return {
    jobs: openJobs(),
    code: async (files) => store.code(files),
    dataset: async (files, under) => store.dataset(files, under),
    change: async (key, content) => void store.put('drops', `shop/${key}`, content),
    restart: async () => {
      for (const jobs of opened.splice(0)) jobs.close();
      return openJobs();
    },
    close: async () => cleanUp(),
  };
});

describe('child processes of this machine', { timeout: 30_000 }, () => {
  beforeEach(prepare);
  afterEach(cleanUp);

  describe('when the server dies', () => {
    /** A server of its own process: starts the job, then says so. */
    async function server(job: Job): Promise<ChildProcess> {
      const file = join(scratch, 'server.mjs');
      writeFileSync(join(scratch, 'job.json'), JSON.stringify(job));
      writeFileSync(
        file,
        `import { copyFileSync, readFileSync } from 'node:fs';
        import { createHash } from 'node:crypto';
        import { join } from 'node:path';
        import { localJobs } from ${JSON.stringify(jobsModule)};
        const scratch = ${JSON.stringify(scratch)};
        const fileOf = (bucket, key) => join(scratch, 'store', bucket, createHash('sha256').update(key).digest('hex'));
        const jobs = localJobs({
          directory: join(scratch, 'jobs'), runner: ${JSON.stringify(runner)}, graceMs: 500, inherited: ${JSON.stringify(inherited)},
          readObject: async (bucket, key) => ({ content: readFileSync(fileOf(bucket, key)), truncated: false }),
          materialise: async (bucket, key, version, target) => copyFileSync(fileOf(bucket, key), target),
        });
        console.log('ready');
        await jobs.start(JSON.parse(readFileSync(join(scratch, 'job.json'), 'utf8')));
        console.log('started');
        setInterval(() => {}, 1000);`,
      );
      const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      return child;
    }

    async function killed(child: ChildProcess): Promise<void> {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }

    test('the job runs on, and the next server adopts it: jobs started: 1', async () => {
      const job = script('run_1/train/1', `tally('ran'); ${untilGo}`);
      const first = await server(job);
      await appears(join(scratch, 'tally'));
      await killed(first);

      const hints: string[] = [];
      const jobs = openJobs({ onChange: (id) => hints.push(id) });
      const { id } = await jobs.start(job);
      const during = await jobs.describe(id);
      writeFileSync(join(scratch, 'go'), 'go');

      expect(during.status).toBe('running');
      await expect.poll(() => hints, { timeout: 10_000 }).toEqual([id]);
      expect((await ended(jobs, id)).status).toBe('succeeded');
      expect(tallied()).toEqual(['ran']);
    }, 30_000);

    test('at any moment of a start, the job is still run once: 20 rounds', async () => {
      const data = store.dataset(
        Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`part-${index}.csv`, 'x\n1\n'])),
      );
      const moments: string[] = [];
      for (let round = 0; round < 20; round += 1) {
        const job = script(`run_${round}/train/1`, `tally('round ${round}'); model();`, { channels: { train: data } });
        const first = await server(job);
        // From the first line of `start` to well after the runner's own start.
        await delay((round * 160) / 20);
        await killed(first);
        moments.push(momentOf(job));

        const jobs = openJobs();
        const { id } = await jobs.start(job);
        const again = openJobs();
        await again.start(job);

        expect(await ended(jobs, id), `killed ${moments.at(-1)}`).toMatchObject({ status: 'succeeded' });
        expect(
          tallied().filter((line) => line === `round ${round}`),
          `killed ${moments.at(-1)}`,
        ).toHaveLength(1);
        for (const each of opened.splice(0)) each.close();
      }
      console.log(
        `killed at: ${[...new Set(moments)].map((moment) => `${moment} x${moments.filter((each) => each === moment).length}`).join(', ')}`,
      );
      expect(new Set(moments).size).toBeGreaterThan(1);
    }, 120_000);

    function momentOf(job: Job): string {
      const id = sha256(`${job.project}/${job.key}`).slice(0, 32);
      const has = (name: string) => existsSync(join(jobDirectory(id), name));
      if (!has('job.json')) return 'before it was accepted';
      if (has('exit.json')) return 'after it ended';
      if (has('started.json')) return 'while it ran';
      return has('tree') ? 'staged, not spawned' : 'while staging';
    }

    test('between staging and spawning, the next describe spawns it', async () => {
      const job = script('run_1/train/1', "tally('ran'); model();");
      const { id } = await openJobs({ runner: join(scratch, 'none.js') })
        .start(job)
        .catch(() => ({ id: sha256('shop/run_1/train/1').slice(0, 32) }));
      expect(tallied()).toEqual([]);

      const jobs = openJobs();
      const first = await jobs.describe(id);

      expect(first.status).toBe('starting');
      expect((await ended(jobs, id)).status).toBe('succeeded');
      expect(tallied()).toEqual(['ran']);
    });
  });

  test('a second runner of one job leaves without running it', async () => {
    const jobs = openJobs();
    const { id } = await jobs.start(script('run_1/train/1', `tally('ran'); ${untilGo}`));
    await appears(join(scratch, 'tally'));

    const second = spawnSync(process.execPath, [runner, 'run-job', jobDirectory(id)]);
    writeFileSync(join(scratch, 'go'), 'go');

    expect(second.status).toBe(0);
    expect((await ended(jobs, id)).status).toBe('succeeded');
    expect(tallied()).toEqual(['ran']);
  });

  test('a job whose runner was killed is an interruption, worth another attempt, and its processes are gone', async () => {
    const jobs = openJobs();
    const { id } = await jobs.start(script('run_1/train/1', 'tally(process.pid); setInterval(() => {}, 1000);'));
    const pid = Number(await appears(join(scratch, 'tally')));

    process.kill(startedOf(id).pid, 'SIGKILL');
    const description = await ended(jobs, id);

    expect(description).toMatchObject({ status: 'failed', retryable: 'interruption' });
    await gone(pid);
  });

  test('a SIGTERM that no stop sent, as at a shutdown, is an interruption and no stop', async () => {
    const jobs = openJobs();
    const { id } = await jobs.start(script('run_1/train/1', "tally('on'); setInterval(() => {}, 1000);"));
    await appears(join(scratch, 'tally'));

    process.kill(startedOf(id).pid, 'SIGTERM');

    expect(await ended(jobs, id)).toMatchObject({ status: 'failed', retryable: 'interruption' });
  });

  test('a pid that was given to another process since is not taken for the runner', async () => {
    const jobs = openJobs();
    const { id } = await jobs.start(script('run_1/train/1', 'tally(process.pid); setInterval(() => {}, 1000);'));
    const pid = Number(await appears(join(scratch, 'tally')));
    const { pid: runnerPid } = startedOf(id);
    writeFileSync(
      join(jobDirectory(id), 'started.json'),
      JSON.stringify({ pid: process.pid, start: 'another boot/1', at: 1 }),
    );

    const description = await ended(jobs, id);
    await jobs.stop(id);

    expect(description).toMatchObject({ status: 'failed', retryable: 'interruption' });
    await gone(pid);
    await gone(runnerPid);
  });

  const startedOf = (id: string): { pid: number } =>
    JSON.parse(readFileSync(join(jobDirectory(id), 'started.json'), 'utf8'));

  test('a job whose directory was deleted ends, and so does its runner', async () => {
    const jobs = openJobs();
    const { id } = await jobs.start(script('run_1/train/1', 'tally(process.pid); setInterval(() => {}, 1000);'));
    const pid = Number(await appears(join(scratch, 'tally')));
    const { pid: runnerPid } = startedOf(id);

    rmSync(jobDirectory(id), { recursive: true });

    await gone(pid);
    await gone(runnerPid);
    await expect(jobs.describe(id)).rejects.toMatchObject({ code: 'notFound' });
  });

  test('a stop before the job was spawned means that it never is', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const materialise: typeof store.materialise = async (...given) => {
      await held;
      await store.materialise(...given);
    };
    const jobs = openJobs({ materialise, patienceMs: 20 });
    const job = script('run_1/train/1', "tally('ran'); model();", {
      channels: { train: store.dataset({ 'a.csv': 'x', 'b.csv': 'y' }) },
    });

    const { id } = await jobs.start(job);
    const before = await jobs.describe(id);
    await jobs.stop(id);
    const after = await jobs.describe(id);
    release();
    await expect.poll(() => readdirSync(jobDirectory(id)).filter((name) => name.startsWith('staging-'))).toEqual([]);
    await jobs.start(job);

    expect(before.status).toBe('starting');
    expect(after).toMatchObject({ status: 'stopped', reason: expect.stringContaining('before it began') });
    expect((await openJobs().describe(id)).status).toBe('stopped');
    expect(spawnSync(process.execPath, [runner, 'run-job', jobDirectory(id)]).status).toBe(0);
    expect(tallied()).toEqual([]);
  });

  test('staging that takes long goes on behind the answer of start', async () => {
    let copies = 0;
    const materialise: typeof store.materialise = async (...given) => {
      copies += 1;
      await delay(30);
      await store.materialise(...given);
    };
    const jobs = openJobs({ materialise, patienceMs: 20 });
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`${index}.csv`, 'x']));

    const { id } = await jobs.start(
      script('run_1/train/1', 'tally(readdirSync(env.SM_CHANNEL_TRAIN).length); model();', {
        channels: { train: store.dataset(files) },
      }),
    );
    const during = await jobs.describe(id);

    expect(during.status).toBe('starting');
    expect((await ended(jobs, id)).status).toBe('succeeded');
    expect(tallied()).toEqual(['12']);
    expect(copies).toBe(12);
  });

  test('a store that is not to be reached just now is told to the caller, and the next start goes on', async () => {
    let reachable = false;
    const readObject: typeof store.readObject = async (...given) => {
      if (!reachable) throw new Fault('unavailable', 'the disk sleeps');
      return store.readObject(...given);
    };
    const jobs = openJobs({ readObject });
    const job = script('run_1/train/1', 'model();');

    await expect(jobs.start(job)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the disk sleeps'),
    });
    reachable = true;
    const { id } = await jobs.start(job);

    expect((await ended(jobs, id)).status).toBe('succeeded');
  });

  test('a runner that cannot start fails the job in the end, with its own words', async () => {
    const jobs = openJobs({ runner: join(scratch, 'none.js') });
    const job = script('run_1/train/1', 'model();');

    for (let attempt = 1; attempt < 3; attempt += 1)
      await expect(jobs.start(job)).rejects.toMatchObject({ code: 'unavailable' });
    const { id } = await jobs.start(job);

    expect(await jobs.describe(id)).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/none\.js.*Cannot find module/s),
    });
  });

  test('a name that another job has is a defect', async () => {
    const jobs = openJobs();
    const job = script('run_1/train/1', 'model();');
    const { id } = await jobs.start(job);
    await ended(jobs, id);
    const file = join(jobDirectory(id), 'job.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"key":"run_1/train/1"', '"key":"run_9/train/1"'));

    await expect(jobs.start(job)).rejects.toMatchObject({
      code: 'defect',
      message: expect.stringContaining('run_9/train/1'),
    });
  });

  test('a draft that a power cut left is not taken for a staged tree', async () => {
    const job = script('run_1/train/1', "tally(readFileSync(join(env.SM_CHANNEL_TRAIN, 'a.csv'), 'utf8')); model();", {
      channels: { train: store.dataset({ 'a.csv': 'whole' }) },
    });
    const id = sha256('shop/run_1/train/1').slice(0, 32);
    const left = join(jobDirectory(id), 'staging-1');
    mkdirSync(join(left, 'input/data/train'), { recursive: true });
    writeFileSync(join(left, 'input/data/train/a.csv'), '');

    const jobs = openJobs();
    await jobs.start(job);

    expect((await ended(jobs, id)).status).toBe('succeeded');
    expect(tallied()).toEqual(['whole']);
    expect(existsSync(left)).toBe(false);
  });

  test.each([['../up.mjs'], ['/etc/up.mjs'], ['a/../../up.mjs'], ['a\0.mjs'], ['']])(
    'code with the path %j is not placed',
    async (path) => {
      const content = 'hostile';
      store.put('serin', `code/blobs/${sha256(content)}`, content);
      const digest = store.codeOf([{ path, blob: sha256(content), bytes: content.length, executable: false }]);
      const jobs = openJobs();

      const { id } = await jobs.start(aJob('run_1/train/1', { code: { digest } }));

      expect(await jobs.describe(id)).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('cannot be written'),
      });
      expect(readdirSync(scratch, { recursive: true }).filter((name) => String(name).endsWith('up.mjs'))).toEqual([]);
    },
  );

  test('code whose bytes are not of their digest is not run', async () => {
    const jobs = openJobs();
    const job = script('run_1/train/1', "tally('ran'); model();");
    const blob = sha256(`${prelude}tally('ran'); model();`);
    store.put('serin', `code/blobs/${blob}`, `${prelude}tally('RAN'); model();`);

    const { id } = await jobs.start(job);

    expect(await jobs.describe(id)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining(`${sha256(`${prelude}tally('RAN'); model();`)}, not ${blob}`),
    });
    expect(tallied()).toEqual([]);
  });

  test('nothing is trained on a part of a dataset under the digest of the whole', async () => {
    const jobs = openJobs();
    const train = store.dataset({ 'a.csv': 'a', 'b.csv': 'b', 'c.csv': 'c' });
    const { key } = train as Extract<Source, { kind: 'manifest' }>;
    const manifest = JSON.parse(readFileSync(join(scratch, 'store/serin', sha256(key)), 'utf8'));
    const chunk: string = manifest.chunks[1];
    const { objects } = JSON.parse(readFileSync(join(scratch, 'store/serin', sha256(chunk)), 'utf8'));
    const text = JSON.stringify({ objects: objects.slice(1) });
    store.put('serin', chunk, text);

    const { id } = await jobs.start(script('run_1/train/1', "tally('ran'); model();", { channels: { train } }));

    expect(await ended(jobs, id)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining(`${chunk} in the bucket 'serin' has the digest ${sha256(text)}`),
    });
    expect(tallied()).toEqual([]);
  });

  test('only artifacts of this store are handed to a job', async () => {
    const jobs = openJobs();
    const secret = join(scratch, 'secret');
    mkdirSync(secret);
    const uris = [
      'file:///etc',
      pathToFileURL(secret).href,
      `${pathToFileURL(join(scratch, 'jobs')).href}/../secret`,
      's3://bucket/model',
      'model',
    ];

    for (const [index, uri] of uris.entries()) {
      const channels = { model: { kind: 'artifact', artifact: { uri, digest: '0'.repeat(64), bytes: 1 } } } as const;
      const { id } = await jobs.start(
        script(`run_${index}/evaluate/1`, "tally('ran');", { kind: 'evaluate', channels }),
      );
      expect(await jobs.describe(id), uri).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining(`'model' (${uri})`),
      });
    }
    expect(tallied()).toEqual([]);
  });

  test('a model is read-only once it is an artifact, and a job that changes its channel does not change it', async () => {
    const jobs = openJobs();
    const { id } = await jobs.start(script('run_1/train/1', 'model();'));
    const { artifacts } = await ended(jobs, id);
    const artifact = artifacts?.model ?? { uri: '', digest: '', bytes: 0 };
    const file = join(fileURLToPath(artifact.uri), 'model.txt');
    const source =
      "const { chmodSync } = await import('node:fs'); const file = join(env.SM_CHANNEL_MODEL, 'model.txt'); chmodSync(file, 0o600); writeFileSync(file, 'changed'); tally(readFileSync(file, 'utf8'));";

    const next = await jobs.start(
      script('run_1/evaluate/1', source, { kind: 'evaluate', channels: { model: { kind: 'artifact', artifact } } }),
    );
    await ended(jobs, next.id);

    expect(statSync(file).mode & 0o222).toBe(0);
    expect(statSync(dirname(file)).mode & 0o222).toBe(0);
    expect(tallied()).toEqual(['changed']);
    expect(readFileSync(file, 'utf8')).toBe('weights');
  });

  test('a model that holds a link is refused by name', async () => {
    const jobs = openJobs();
    const { id } = await jobs.start(
      script(
        'run_1/train/1',
        "model(); (await import('node:fs')).symlinkSync('/etc/passwd', join(env.SM_MODEL_DIR, 'latest'));",
      ),
    );

    expect(await ended(jobs, id)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('latest is not a file'),
    });
  });

  test.each([
    ['metrics.json', "join(env.SM_OUTPUT_DATA_DIR, 'metrics.json')", 'exit(0)', 'metrics.json is not a regular file'],
    ['failure', "join(env.SM_OUTPUT_DIR, 'failure')", 'exit(3)', 'exited with code 3'],
  ])('a pipe in the place of %s does not keep the server waiting', async (_, file, exit, reason) => {
    const jobs = openJobs();
    const source = `model(); const { execFileSync } = await import('node:child_process');
      execFileSync('mkfifo', [${file}]); process.${exit};`;

    const { id } = await jobs.start(script('run_1/train/1', source));

    expect(await ended(jobs, id)).toMatchObject({ status: 'failed', reason: expect.stringContaining(reason) });
  });

  test('metrics.json as a link to a file of the machine is not read', async () => {
    const jobs = openJobs();
    writeFileSync(join(scratch, 'secret'), 'a secret of the machine');
    const source = `model(); const { symlinkSync } = await import('node:fs');
      symlinkSync(${JSON.stringify(join(scratch, 'secret'))}, join(env.SM_OUTPUT_DATA_DIR, 'metrics.json'));`;

    const { id } = await jobs.start(script('run_1/train/1', source));
    const { status, reason } = await ended(jobs, id);

    expect([status, reason]).toEqual(['failed', expect.stringContaining('metrics.json is not a regular file')]);
    expect(reason).not.toContain('a secret');
  });

  test.each([['SM_MODEL_DIR'], ['SM_OUTPUT_DATA_DIR']])(
    'a link in the place of %s is refused, and what it leads to stays as it was',
    async (name) => {
      const jobs = openJobs();
      const lake = join(scratch, 'lake');
      mkdirSync(lake);
      writeFileSync(join(lake, 'weights.bin'), 'weights', { mode: 0o644 });
      writeFileSync(join(lake, 'metrics.json'), '{"auc": 1}', { mode: 0o644 });
      const source = `model(); const { rmSync, symlinkSync } = await import('node:fs');
        rmSync(env.${name}, { recursive: true }); symlinkSync(${JSON.stringify(lake)}, env.${name});`;

      const { id } = await jobs.start(script('run_1/train/1', source));

      expect(await ended(jobs, id)).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(/is a link to .*lake.*write the files into the folder itself/),
      });
      expect(statSync(join(lake, 'weights.bin')).mode & 0o777).toBe(0o644);
      expect(statSync(lake).mode & 0o200).toBe(0o200);
    },
  );

  test('a model whose file has a second name elsewhere becomes a copy of its own', async () => {
    const jobs = openJobs();
    const cached = join(scratch, 'cached.bin');
    writeFileSync(cached, 'weights', { mode: 0o644 });
    const source = `const { linkSync } = await import('node:fs');
      linkSync(${JSON.stringify(cached)}, join(env.SM_MODEL_DIR, 'model.bin'));`;

    const { id } = await jobs.start(script('run_1/train/1', source));
    const { status, artifacts } = await ended(jobs, id);
    writeFileSync(cached, 'of another day');

    expect([status, statSync(cached).mode & 0o777]).toEqual(['succeeded', 0o644]);
    expect(readFileSync(join(fileURLToPath(artifacts?.model?.uri ?? ''), 'model.bin'), 'utf8')).toBe('weights');
  });

  test('a regex that backtracks without end costs its own metric, and holds the server for no second', async () => {
    const jobs = openJobs();
    const { id } = await jobs.start(
      script('run_1/train/1', "model(); console.log('a'.repeat(40) + '!');", {
        metrics: [
          { name: 'evil', regex: '^(a+)+$' },
          { name: 'good', regex: '(a+)!' },
        ],
      }),
    );
    let last = Date.now();
    let longest = 0;
    const clock = setInterval(() => {
      longest = Math.max(longest, Date.now() - last);
      last = Date.now();
    }, 5);

    const description = await ended(jobs, id);
    clearInterval(clock);

    expect(description).toMatchObject({
      status: 'succeeded',
      unread: {
        evil: expect.stringContaining('its regex takes too long'),
        good: expect.stringContaining('it is the text'),
      },
    });
    expect(longest).toBeLessThan(1000);
  });

  test('the log is read in parts, cut at its limit, and says so', async () => {
    const jobs = openJobs({ maxLogBytes: 1000 });
    const { id } = await jobs.start(
      script('run_1/train/1', "model(); for (let line = 0; line < 500; line += 1) console.log('line', line);"),
    );
    await ended(jobs, id);

    const first = await jobs.logs(id, 0, 600);
    const rest = await jobs.logs(id, first.next, 10_000);
    const text = Buffer.concat([first.content, rest.content]).toString();

    expect(first).toMatchObject({ next: 600, ended: false });
    expect(rest.ended).toBe(true);
    expect(text).toMatch(/^line 0\nline 1\n/);
    expect(text).toMatch(/\[the log is cut here: it has more than 1000 bytes\]\n$/);
    await expect(jobs.logs('0'.repeat(32), 0, 10)).rejects.toMatchObject({ code: 'notFound' });
  });

  test('its end is hinted once, and a file or folder of others in the directory does no harm', async () => {
    mkdirSync(join(scratch, 'jobs', 'lost+found'), { recursive: true });
    const hints: string[] = [];
    const jobs = openJobs({ onChange: (id) => hints.push(id) });

    const { id } = await jobs.start(script('run_1/train/1', 'model();'));

    await expect.poll(() => hints, { timeout: 10_000 }).toEqual([id]);
    expect((await jobs.describe(id)).status).toBe('succeeded');
    await delay(150); // three polls
    expect(hints).toEqual([id]);
  });

  test('no other user can read what a job was given', async () => {
    const jobs = openJobs();
    const { id } = await jobs.start(script('run_1/train/1', 'model();', { environment: { TOKEN: 'secret' } }));
    await ended(jobs, id);

    expect(statSync(jobDirectory(id)).mode & 0o077).toBe(0);
    expect(statSync(join(jobDirectory(id), 'job.json')).mode & 0o077).toBe(0);
  });

  test('a hyperparameter that is named by a shell command is refused before anything is started', async () => {
    const jobs = openJobs();

    const start = jobs.start(script('run_1/train/1', 'model();', { hyperparameters: { 'x$(id)': '1' } }));

    await expect(start).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('cannot have this name'),
    });
  });

  test('the runner works as a bundle of plain JavaScript', async () => {
    const outfile = join(scratch, 'runner.mjs');
    await build({ entryPoints: [runner], outfile, bundle: true, platform: 'node', format: 'esm', minify: true });
    const jobs = openJobs({ runner: outfile });

    const { id } = await jobs.start(script('run_1/train/1', 'model();'));

    expect((await ended(jobs, id)).status).toBe('succeeded');
  });
});

const mounts = process.platform === 'linux' && process.getuid?.() === 0;
const withMounts = mounts ? test : test.skip;

// What ends on a full disk is written down once there is room again.
describe(`a disk of its own${mounts ? '' : ' [skipped: it takes Linux and root to mount one]'}`, () => {
  beforeEach(prepare);
  afterEach(() => {
    spawnSync('umount', ['-l', join(scratch, 'disk')]);
    cleanUp();
  });

  withMounts(
    'that is full when a job fails makes the job worth another attempt, for want of room',
    { timeout: 30_000 },
    async () => {
      const disk = join(scratch, 'disk');
      mkdirSync(disk);
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
      const jobs = openJobs({ directory: join(disk, 'jobs') });
      mkdirSync(join(disk, 'jobs'), { recursive: true });
      const fills = "model('x'.repeat(2 ** 20)); for (let n = 0; ; n += 1) model(n + 'x'.repeat(n * 2 ** 20));";

      const { id } = await jobs.start(script('run_1/train/1', fills));
      const { pid } = JSON.parse(await appears(join(disk, 'jobs', id, 'child.json')));
      await expect.poll(() => existsSync(`/proc/${pid}`), { interval: 10, timeout: 10_000 }).toBe(false);
      rmSync(join(disk, 'jobs', id, 'tree/model/model.txt'));

      expect(await ended(jobs, id)).toMatchObject({
        status: 'failed',
        retryable: 'capacity',
        reason: expect.stringMatching(/exited with code 1.*its disk was full by then; free some space/s),
      });
    },
  );
});

const python = spawnSync('python3', ['--version']).status === 0;
const required = (process.env.SERIN_REQUIRE ?? '').split(',').includes('python');
const withPython = python || required ? test : test.skip;

describe(`a Python script${python || required ? '' : ' [skipped: python3 is not on the PATH]'}`, () => {
  beforeEach(prepare);
  afterEach(cleanUp);

  withPython(
    'of SageMaker runs unchanged: arguments with hyphens, SM_ defaults, a metric by regex',
    async () => {
      const train = readFileSync(join(repository, 'examples/python/train.py'), 'utf8');
      const points = Array.from({ length: 20 }, (_, index) => `${index / 10},${3 * (index / 10) + 1}`);
      const jobs = openJobs();

      const { id } = await jobs.start(
        aJob('run_1/train/1', {
          code: { digest: store.code({ 'train.py': train }) },
          command: ['python3', 'train.py'],
          hyperparameters: { epochs: '2000', 'learning-rate': '0.1' },
          channels: { train: store.dataset({ 'points.csv': `x,y\n${points.join('\n')}\n` }) },
          metrics: [{ name: 'rmse', regex: 'rmse=([0-9.]+)' }],
        }),
      );
      const { status, reason, metrics, artifacts } = await ended(jobs, id);

      expect(reason).toBeUndefined();
      expect(status).toBe('succeeded');
      expect(metrics?.rmse).toBeLessThan(0.001);
      const model = JSON.parse(readFileSync(join(fileURLToPath(artifacts?.model?.uri ?? ''), 'model.json'), 'utf8'));
      expect(model.slope).toBeCloseTo(3, 2);
      expect(model.intercept).toBeCloseTo(1, 2);
    },
    30_000,
  );
});
