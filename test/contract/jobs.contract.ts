import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import type { Job, JobDescription, Jobs, Source } from '@serin/core/ports/jobs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AdapterOf } from './adapters.ts';
import { partsOf } from './parts.ts';

export type Files = Readonly<Record<string, string>>;

export interface JobsUnderTest {
  readonly jobs: Jobs;
  /** Stores a code folder and answers its digest. */
  code(files: Files): Promise<string>;
  /** Stores the objects under a prefix of their own, and a manifest that names them; keys are relative to the prefix. */
  dataset(files: Files, under?: string): Promise<Source>;
  /** Puts other content under a key of the last dataset, after its manifest was written. */
  change(key: string, content: string): Promise<void>;
  /** The port as a new process would open it; absent where there is nothing to lose. */
  restart?(): Promise<Jobs>;
  close(): Promise<void>;
}

const kinds = {
  train: ['model'],
  prepare: ['train', 'holdout'],
  evaluate: [],
};

export function aJob(key: string, job: Partial<Job> = {}): Job {
  const kind = job.kind ?? 'train';
  return {
    key,
    kind,
    project: 'shop',
    model: 'prices',
    command: ['node', 'train.mjs'],
    environment: {},
    hyperparameters: {},
    channels: {},
    outputs: kinds[kind],
    metrics: [],
    compute: { nodes: 1, spot: false },
    maxRuntimeMs: 60_000,
    ...job,
  };
}

/** "Not known yet" is asked again, as the engine does. */
export const askedAgain = (jobs: Jobs): Jobs => ({
  ...jobs,
  async start(job) {
    for (;;) {
      try {
        return await jobs.start(job);
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'unavailable') throw error;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  },
});

/** Waits until a job has ended, whichever way. */
export async function ended(jobs: Jobs, id: string): Promise<JobDescription> {
  return vi.waitFor(
    async () => {
      const description = await jobs.describe(id);
      if (['starting', 'running'].includes(description.status)) throw new Error(`still ${JSON.stringify(description)}`);
      return description;
    },
    { timeout: 20_000, interval: 20 },
  );
}

export async function appears(file: string): Promise<string> {
  return vi.waitFor(
    async () => {
      const text = await readFile(file, 'utf8');
      if (text === '') throw new Error(`${file} is empty`);
      return text;
    },
    { timeout: 20_000, interval: 10 },
  );
}

/** The beginning of every script of these tests. */
export const prelude = `
  import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  const { env } = process;
  const model = (text = 'weights') => writeFileSync(join(env.SM_MODEL_DIR, 'model.txt'), text);
  const metrics = (text) => writeFileSync(join(env.SM_OUTPUT_DATA_DIR, 'metrics.json'), text);
  const tally = (line) => appendFileSync(env.TALLY, line + '\\n');
`;

export function jobsContract(name: AdapterOf<'jobs'>, open: () => Promise<JobsUnderTest>): void {
  describe(`jobs: ${name}`, () => {
    const { commands, stop } = partsOf('jobs', name);
    let under: JobsUnderTest;
    let jobs: Jobs;
    let scratch: string;
    let tally: string;

    beforeEach(async () => {
      scratch = await mkdtemp(join(tmpdir(), 'serin-jobs-contract-'));
      tally = join(scratch, 'tally');
      under = await open();
      jobs = under.jobs;
    });
    afterEach(async () => {
      await under.close();
      await rm(scratch, { recursive: true, force: true });
    });

    const script = async (key: string, source: string, job: Partial<Job> = {}): Promise<Job> => ({
      ...aJob(key, job),
      code: { digest: await under.code({ 'train.mjs': prelude + source }) },
      environment: { TALLY: tally, ...job.environment },
    });
    const run = async (job: Job): Promise<JobDescription> => ended(jobs, (await jobs.start(job)).id);
    const lines = async () => (existsSync(tally) ? (await readFile(tally, 'utf8')).trim().split('\n') : []);
    const real = (title: string, body: () => Promise<void>) => commands(title, body, 30_000);

    test('does not know a job that was never started', async () => {
      await expect(jobs.describe('0'.repeat(32))).rejects.toMatchObject({ code: 'notFound' });
      await expect(jobs.describe('../../etc')).rejects.toMatchObject({ code: 'notFound' });
      await expect(jobs.stop('0'.repeat(32))).rejects.toMatchObject({ code: 'notFound' });
    });

    test('answers one id, however often and however concurrently a key is started', async () => {
      const job = await script('run_1/train/1', 'model();');

      const started = await Promise.all(Array.from({ length: 10 }, () => jobs.start(job)));
      started.push(await jobs.start(job));

      expect(new Set(started.map(({ id }) => id)).size).toBe(1);
      await ended(jobs, started[0]?.id ?? '');
    }, 30_000);

    test('gives each key, and equal keys of two projects, a job of their own', async () => {
      const job = await script('run_1/train/1', 'model();');

      const first = await jobs.start(job);
      const second = await jobs.start({ ...job, key: 'run_1/train/2' });
      const third = await jobs.start({ ...job, project: 'other' });

      expect(new Set([first.id, second.id, third.id]).size).toBe(3);
      for (const { id } of [first, second, third]) await ended(jobs, id);
    }, 30_000);

    stop(
      'takes a stop of a finished job, twice, and its description stays',
      async () => {
        const { id } = await jobs.start(await script('run_1/train/1', 'model();'));
        const before = await ended(jobs, id);

        await jobs.stop(id);
        await jobs.stop(id);

        expect(await jobs.describe(id)).toEqual(before);
      },
      30_000,
    );

    real('runs the command once for many starts', async () => {
      const job = await script('run_1/train/1', "tally('ran'); model();");

      const started = await Promise.all(Array.from({ length: 10 }, () => jobs.start(job)));
      const description = await ended(jobs, started[0]?.id ?? '');
      await jobs.start(job);

      expect(description.status).toBe('succeeded');
      expect(await lines()).toEqual(['ran']);
    });

    real('is running between its start and its end, and says when each was', async () => {
      const before = Date.now();
      const job = await script(
        'run_1/train/1',
        "tally('on'); process.on('SIGTERM', () => {}); const wait = setInterval(() => { if (existsSync(env.GO)) { clearInterval(wait); model(); } }, 10);",
        {
          environment: { GO: join(scratch, 'go') },
        },
      );

      const { id } = await jobs.start(job);
      await appears(tally);
      const during = await jobs.describe(id);
      await appendFile(join(scratch, 'go'), 'go');
      const after = await ended(jobs, id);

      expect(during.status).toBe('running');
      expect(after.startedAt).toBeGreaterThanOrEqual(before);
      expect(after.endedAt).toBeGreaterThanOrEqual(after.startedAt ?? Number.NaN);
    });

    real('leaves the model as an artifact whose digest follows its content alone', async () => {
      const write = (text: string) =>
        `mkdirSync(join(env.SM_MODEL_DIR, 'a')); writeFileSync(join(env.SM_MODEL_DIR, 'a', 'b.txt'), '${text}'); model();`;

      const one = await run(await script('run_1/train/1', write('x')));
      const same = await run(await script('run_1/train/2', write('x')));
      const other = await run(await script('run_1/train/3', write('y')));

      expect(one.artifacts?.model?.bytes).toBe('x'.length + 'weights'.length);
      expect(one.artifacts?.model?.digest).toMatch(/^[0-9a-f]{64}$/);
      expect(same.artifacts?.model?.digest).toBe(one.artifacts?.model?.digest);
      expect(other.artifacts?.model?.digest).not.toBe(one.artifacts?.model?.digest);
    });

    real('reads metrics from metrics.json, flat', async () => {
      const { metrics } = await run(
        await script('run_1/train/1', `model(); metrics('{"auc": 0.93, "rows": 12, "note": "text"}');`),
      );

      expect(metrics).toEqual({ auc: 0.93, rows: 12 });
    });

    real("reads metrics in the form of SageMaker's evaluation.json", async () => {
      const nested = {
        regression_metrics: { mse: { value: 4.9, standard_deviation: 2.2 } },
        confusion: { 0: { 0: 20 } },
      };

      const { metrics } = await run(
        await script('run_1/train/1', `model(); metrics(${JSON.stringify(JSON.stringify(nested))});`),
      );

      expect(metrics).toEqual({ mse: 4.9 });
    });

    real(
      'reads metrics from the log by regex: the last match of either stream wins, metrics.json comes first',
      async () => {
        const source = `model(); metrics('{"auc": 0.5}');
        console.log('rmse=3.5 auc=0.1'); console.error('loss: 2e-1'); console.log('rmse=1.25');`;
        const patterns = [
          { name: 'rmse', regex: 'rmse=([0-9.]+)' },
          { name: 'loss', regex: '^loss: (\\S+)$' },
          { name: 'auc', regex: 'auc=([0-9.]+)' },
          { name: 'absent', regex: 'absent=(\\d)' },
        ];

        const { metrics } = await run(await script('run_1/train/1', source, { metrics: patterns }));

        expect(metrics).toEqual({ rmse: 1.25, loss: 0.2, auc: 0.5 });
      },
    );

    real('a metric that is no finite number, in the file or in the log, costs itself alone and says so', async () => {
      const python = await run(await script('run_1/train/1', `model(); metrics('{"auc": NaN, "x": "NaN", "b": 1}');`));
      const node = await run(await script('run_1/train/2', 'model(); metrics(JSON.stringify({ recall: 0 / 0 }));'));
      const none = await run(await script('run_1/train/3', `model(); metrics('{');`));
      const log = await run(
        await script('run_1/train/4', "model(); console.log('rmse: 0.5;'); console.log('rmse: nan;');", {
          metrics: [{ name: 'rmse', regex: 'rmse: (.*?);' }],
        }),
      );

      for (const { status } of [python, node, none, log]) expect(status).toBe('succeeded');
      expect(python).toMatchObject({ metrics: { b: 1 }, unread: { auc: expect.stringContaining('NaN') } });
      expect(node).toMatchObject({ metrics: {}, unread: { recall: 'it is null in metrics.json' } });
      expect(none).toMatchObject({ metrics: {}, unread: { 'metrics.json': expect.stringContaining('not JSON') } });
      expect(log).toMatchObject({ metrics: {}, unread: { rmse: expect.stringContaining('nan') } });
    });

    real('fails a job that ended well without a promised output', async () => {
      const description = await run(await script('run_1/train/1', "console.log('all is well');"));

      expect(description).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(/wrote no model into .*SM_MODEL_DIR/),
      });
      expect(description.retryable).toBeUndefined();
    });

    real('fails with the exit code and the end of the log', async () => {
      const source = "for (let line = 1; line <= 50; line += 1) console.log('line', line); process.exitCode = 3;";

      const { status, reason } = await run(await script('run_1/train/1', source));

      expect(status).toBe('failed');
      expect(reason).toMatch(/exited with code 3/);
      expect(reason).toMatch(/line 31\n[\s\S]*line 50$/);
      expect(reason).not.toMatch(/line 30\n/);
    });

    real('fails with what the job wrote into output/failure', async () => {
      const source = "writeFileSync(join(env.SM_OUTPUT_DIR, 'failure'), 'column price is missing'); process.exit(1);";

      const { reason } = await run(await script('run_1/train/1', source));

      expect(reason).toMatch(/column price is missing/);
    });

    real('fails a command that is not there, and one that a signal ends', async () => {
      const absent = await run(await script('run_1/train/1', '', { command: ['no-such-command', 'train.py'] }));
      const killed = await run(
        await script('run_1/train/2', "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);"),
      );

      expect(absent).toMatchObject({ status: 'failed', reason: expect.stringContaining("'no-such-command'") });
      expect(killed).toMatchObject({ status: 'failed', reason: expect.stringContaining('SIGKILL') });
    });

    real('stops a running job with SIGTERM, so that it can put its things in order', async () => {
      const source =
        "tally('on'); process.on('SIGTERM', () => { tally('put in order'); process.exit(0); }); setInterval(() => {}, 1000);";
      const { id } = await jobs.start(await script('run_1/train/1', source));
      await appears(tally);

      await jobs.stop(id);
      await jobs.stop(id);
      const description = await ended(jobs, id);

      expect(description.status).toBe('stopped');
      expect(await lines()).toEqual(['on', 'put in order']);
    });

    real('kills a job that does not heed SIGTERM', async () => {
      const source = "process.on('SIGTERM', () => tally('not now')); tally(process.pid); setInterval(() => {}, 1000);";
      const { id } = await jobs.start(await script('run_1/train/1', source));
      const pid = Number(await appears(tally));

      await jobs.stop(id);
      const description = await ended(jobs, id);

      expect(description.status).toBe('stopped');
      expect((await lines()).at(-1)).toBe('not now');
      expect(() => process.kill(pid, 0)).toThrow();
    });

    real('fails a job that runs longer than it may', async () => {
      const { id } = await jobs.start(
        await script('run_1/train/1', 'setInterval(() => {}, 1000);', { maxRuntimeMs: 1000 }),
      );

      expect(await ended(jobs, id)).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('ran longer than 1s'),
      });
    });

    real('leaves no process behind, also none that changed its group', async () => {
      const source = `const { spawn } = await import('node:child_process');
        for (const detached of [false, true]) {
          const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached, stdio: 'inherit' });
          tally(child.pid); child.unref();
        }
        model(); process.exit(0);`;

      const description = await run(await script('run_1/train/1', source));

      expect(description.status).toBe('succeeded');
      const pids = (await lines()).map(Number);
      expect(pids).toHaveLength(2);
      for (const pid of process.platform === 'linux' ? pids : pids.slice(0, 1)) await gone(pid);
    });

    real('brings the files of a dataset into the channel, and those alone', async () => {
      const source = await under.dataset({ 'a.csv': 'x\n1\n', '2024/b.csv': 'x\n2\n' });
      const list =
        "tally(JSON.stringify(readdirSync(env.SM_CHANNEL_TRAIN, { recursive: true }).sort())); tally(readFileSync(join(env.SM_CHANNEL_TRAIN, '2024', 'b.csv'), 'utf8').split('\\n')[1]); tally(env.SM_CHANNEL_TRAINING === env.SM_CHANNEL_TRAIN); model();";

      const { status } = await run(await script('run_1/train/1', list, { channels: { train: source } }));

      expect(status).toBe('succeeded');
      // SageMaker's SDK calls its only channel `training`, and scripts are written for that.
      expect(await lines()).toEqual(['["2024","2024/b.csv","a.csv"]', '2', 'true']);
    });

    real('brings only the objects under a prefix, when the source names one', async () => {
      const source = await under.dataset({ 'train/a.csv': '1', 'holdout/b.csv': '2' }, 'train/');

      await run(
        await script('run_1/train/1', 'tally(readdirSync(env.SM_CHANNEL_TRAIN)); model();', {
          channels: { train: source },
        }),
      );

      expect(await lines()).toEqual(['a.csv']);
    });

    real('keeps a hostile key inside the channel', async () => {
      const source = await under.dataset({
        '../../../code/train.mjs': 'hostile',
        'a//b.csv': '1',
        a: '2',
        'a/c.csv': '3',
      });
      const list =
        "tally(JSON.stringify(readdirSync(env.SM_CHANNEL_TRAIN, { recursive: true }).map((name) => name.replace(/[0-9a-f]{64}/, 'digest')).sort())); model();";

      const { status } = await run(await script('run_1/train/1', list, { channels: { train: source } }));

      expect(status).toBe('succeeded');
      expect(await lines()).toEqual(['["a","digest.csv","digest.csv","digest.mjs"]']);
    });

    real('fails when an object changed since the manifest was written', async () => {
      const source = await under.dataset({ 'a.csv': 'x\n1\n' });
      await under.change('a.csv', 'x\n666\n');

      const description = await run(
        await script('run_1/train/1', "tally('ran'); model();", { channels: { train: source } }),
      );

      expect(description).toMatchObject({ status: 'failed', reason: expect.stringContaining('changed since') });
      expect(await lines()).toEqual([]);
    });

    real('hands what one job left to the next: prepare, train, evaluate', async () => {
      const data = await under.dataset({ 'rows.csv': 'one\ntwo\nthree' });
      const prepare = `const rows = readFileSync(join(env.SM_CHANNEL_DATA, 'rows.csv'), 'utf8').split('\\n');
        writeFileSync(join(env.SERIN_OUTPUT_TRAIN, 'rows.csv'), rows.slice(0, 2).join('\\n'));
        writeFileSync(join(env.AZURE_ML_OUTPUT_holdout, 'rows.csv'), rows[2]); metrics('{"trainRows": 2}');`;
      const train = "model(readFileSync(join(env.SM_CHANNEL_TRAIN, 'rows.csv'), 'utf8'));";
      const evaluate = `const seen = readFileSync(join(env.SM_CHANNEL_MODEL, 'model.txt'), 'utf8').split('\\n');
        metrics(JSON.stringify({ seen: seen.length, leaked: Number(seen.includes(readFileSync(join(env.AZURE_ML_INPUT_holdout, 'rows.csv'), 'utf8'))) }));`;
      const from = (description: JobDescription, output: string): Source => {
        const artifact = description.artifacts?.[output];
        if (artifact === undefined) throw new Error(`no ${output}: ${description.reason}`);
        return { kind: 'artifact', artifact };
      };

      const prepared = await run(await script('run_1/prepare/1', prepare, { kind: 'prepare', channels: { data } }));
      const trained = await run(await script('run_1/train/1', train, { channels: { train: from(prepared, 'train') } }));
      const channels = { model: from(trained, 'model'), holdout: from(prepared, 'holdout') };
      const scored = await run(await script('run_1/evaluate/1', evaluate, { kind: 'evaluate', channels }));

      expect(prepared.metrics).toEqual({ trainRows: 2 });
      expect(scored).toMatchObject({ status: 'succeeded', metrics: { seen: 2, leaked: 0 } });
    });

    real('does not hand on an artifact whose content is not of its digest', async () => {
      const trained = await run(await script('run_1/train/1', 'model();'));
      const artifact = { uri: '', bytes: 0, ...trained.artifacts?.model, digest: '0'.repeat(64) };

      const description = await run(
        await script('run_1/evaluate/1', "tally('ran');", {
          kind: 'evaluate',
          channels: { model: { kind: 'artifact', artifact } },
        }),
      );

      expect(description).toMatchObject({ status: 'failed', reason: expect.stringContaining('digest') });
      expect(await lines()).toEqual([]);
    });

    real('passes hyperparameters as arguments to a trainer, and as variables to all', async () => {
      const source =
        "tally(JSON.stringify(process.argv.slice(2))); tally([env['SM_HP_LEARNING-RATE'], env.SM_HPS, env.SM_USER_ARGS].join(' ')); model();";
      const hyperparameters = { 'learning-rate': '0.1', epochs: '10', note: '$(date) "quoted"', use_amp: 'true' };

      await run(await script('run_1/train/1', source, { hyperparameters }));
      await run(await script('run_1/evaluate/1', source, { hyperparameters, kind: 'evaluate', outputs: ['model'] }));

      const given = ['--epochs', '10', '--learning-rate', '0.1', '--note', '$(date) "quoted"', '--use_amp', 'True'];
      const variables = `0.1 {"epochs":10,"learning-rate":0.1,"note":"$(date) \\"quoted\\"","use_amp":true} ${JSON.stringify(given)}`;
      expect(await lines()).toEqual([JSON.stringify(given), variables, '[]', variables]);
    });

    real('gives the job the environment of the contract and nothing of the server', async () => {
      vi.stubEnv('SERIN_CANARY_SECRET', 'do not pass on');
      const source = 'tally(JSON.stringify(env)); model();';

      await run(await script('run_1/train/1', source, { environment: { MODE: 'fast' }, checkpoints: 'prices/run_1' }));
      vi.unstubAllEnvs();

      const environment = JSON.parse((await lines())[0] ?? '') as Record<string, string>;
      expect(JSON.stringify(environment)).not.toContain('do not pass on');
      expect(environment).toMatchObject({
        MODE: 'fast',
        WORLD_SIZE: '1',
        RANK: '0',
        SM_HOSTS: '["algo-1"]',
        SM_USER_ENTRY_POINT: 'train.mjs',
      });
      expect(environment.AIP_MODEL_DIR).toBe(environment.SM_MODEL_DIR);
      expect(environment.SERIN_OUTPUT_MODEL).toBe(environment.SM_MODEL_DIR);
      for (const name of ['AIP_CHECKPOINT_DIR', 'AZUREML_RUN_ID', 'MLFLOW_TRACKING_URI', 'TF_CONFIG'])
        expect(environment[name]).toBeTruthy();
    });

    real('shows all attempts of a run the same checkpoints, and other runs their own', async () => {
      const source =
        "const file = join(env.AIP_CHECKPOINT_DIR, 'step'); tally(existsSync(file) ? readFileSync(file, 'utf8') : 'from the beginning'); writeFileSync(file, 'step 7'); model();";

      await run(await script('run_1/train/1', source, { checkpoints: 'prices/run_1' }));
      await run(await script('run_1/train/2', source, { checkpoints: 'prices/run_1' }));
      await run(await script('run_2/train/1', source, { checkpoints: 'prices/run_2' }));

      expect(await lines()).toEqual(['from the beginning', 'step 7', 'from the beginning']);
    });

    real('fails a job whose code is not there', async () => {
      const description = await run(aJob('run_1/train/1', { code: { digest: '0'.repeat(64) } }));

      expect(description).toMatchObject({ status: 'failed', reason: expect.stringContaining('code/000') });
    });

    real('refuses at once what can never run', async () => {
      const refused = (job: Partial<Job>) =>
        expect(jobs.start(aJob('run_1/train/1', job))).rejects.toMatchObject({ code: 'invalid' });

      await refused({ command: [] });
      await refused({ compute: { nodes: 2, spot: false } });
      await refused({ channels: { '../up': { kind: 'manifest', bucket: 'serin', key: 'x' } } });
      await refused({ metrics: [{ name: 'auc', regex: '(' }] });
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of Azure ML, not of JavaScript
      await refused({ command: ['node', 'train.mjs', '${{inputs.nothing}}'] });
    });

    real('goes on with what was begun when the process is another one', async () => {
      if (under.restart === undefined) return;
      const job = await script(
        'run_1/train/1',
        "tally('ran'); const wait = setInterval(() => { if (existsSync(env.GO)) { clearInterval(wait); model(); } }, 10);",
        {
          environment: { GO: join(scratch, 'go') },
        },
      );
      const { id } = await jobs.start(job);
      await appears(tally);

      jobs = await under.restart();
      const adopted = await jobs.start(job);
      const during = await jobs.describe(id);
      await appendFile(join(scratch, 'go'), 'go');

      expect(adopted.id).toBe(id);
      expect(during.status).toBe('running');
      expect((await ended(jobs, id)).status).toBe('succeeded');
      expect(await lines()).toEqual(['ran']);
    });
  });
}

/** Resolves once no process has the pid. */
export async function gone(pid: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      if (stat !== '' && !/\) Z /.test(stat)) throw new Error(`process ${pid} is there: ${stat}`);
      if (stat === '' && existsSync('/proc/self')) return;
      expect(() => process.kill(pid, 0)).toThrow();
    },
    { timeout: 10_000, interval: 20 },
  );
}
