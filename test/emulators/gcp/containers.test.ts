import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import process from 'node:process';
import { secretText } from '@serin/core/base/variables';
import type { Job, JobDescription, Source } from '@serin/core/ports/jobs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { splitterFiles } from '../../../packages/cli/src/places.ts';
import { emulatedGcp } from '../emulated.ts';
import { containersOf } from './containers.ts';
import { type Handlers, type Served, serveGoogle } from './discovery.ts';
import { fakeJobs } from './fake-jobs.ts';
import { canary, imageJob, jobsWorld, settings, type World } from './jobs-world.ts';

const example = (path: string): string => join(import.meta.dirname, '../../../examples', path);
const textsIn = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));

emulatedGcp('containers of Vertex AI', () => {
  let served: Served;
  let handlers: Handlers = {};
  let world: World;
  let containers: ReturnType<typeof containersOf>;
  beforeAll(async () => {
    const ids = Object.keys(fakeJobs({ now: () => 0 }).handlers);
    served = await serveGoogle(
      'gcp-containers',
      Object.fromEntries(ids.map((id) => [id, (request) => handlers[id]?.(request)])),
    );
  });
  beforeEach(() => {
    world = jobsWorld(served.google);
    handlers = world.fake.handlers;
    containers = containersOf(world);
  });
  afterEach(() => {
    containers.close();
    served.check();
  });
  afterAll(() => served?.stop());

  async function run(job: Job, env: Readonly<Record<string, string>> = {}) {
    const { id } = await world.jobs.start(job);
    return containers.run(id, env);
  }
  const script = async (key: string, source: string, job: Partial<Job> = {}): Promise<Job> => {
    const { image: _, ...rest } = imageJob(key, { command: ['node', 'main.mjs'], ...job });
    const imports = `import { appendFileSync, existsSync, globSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
      import { join } from 'node:path'; const { env } = process;`;
    return { ...rest, code: { digest: await world.code({ 'main.mjs': `${imports}\n${source}` }) } };
  };
  const leave = "writeFileSync(join(env.SM_MODEL_DIR, 'model.txt'), 'weights');";
  const from = ({ artifacts, reason }: JobDescription, output: string): Source => {
    const artifact = artifacts?.[output];
    if (artifact === undefined) throw new Error(`no ${output}: ${reason}`);
    return { kind: 'artifact', artifact };
  };

  test('an example runs as it is: its data is split, a model is trained, and scored', async () => {
    const years = [1969, 1970, 1971, 1972].map((year) => {
      const file = join(containers.root, `${year}.csv`);
      execFileSync(process.execPath, [example('births/data.mjs'), String(year), file]);
      return [`${year}.csv`, readFileSync(file, 'utf8')] as const;
    });
    const data = await world.dataset(Object.fromEntries(years));
    const splitter = Object.fromEntries(splitterFiles.map((file) => [basename(file), readFileSync(file, 'utf8')]));
    const program = async (files: Readonly<Record<string, string>>, key: string, job: Partial<Job>): Promise<Job> => {
      const { image: _, ...rest } = imageJob(key, job);
      return { ...rest, code: { digest: await world.code(files) } };
    };
    const births = textsIn(example('births/src'));
    const split = ['node', 'split.mjs', '--by', 'time', '--column', 'day', '--last', '20%'];

    const prepared = await run(
      await program(splitter, 'run_1/prepare/1', {
        ...{ kind: 'prepare', outputs: ['train', 'holdout'], command: split, channels: { data } },
      }),
    );
    const trained = await run(
      await program(births, 'run_1/train/1', {
        ...{ command: ['node', 'train.mjs'], hyperparameters: { years: '3' } },
        channels: { train: from(prepared, 'train') },
      }),
    );
    const scored = await run(
      await program(births, 'run_1/evaluate/1', {
        ...{ kind: 'evaluate', outputs: [], command: ['node', 'evaluate.mjs'] },
        channels: { model: from(trained, 'model'), holdout: from(prepared, 'holdout') },
      }),
    );

    expect([prepared.status, trained.status, scored.status]).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(scored.metrics?.mape).toBeGreaterThan(0);
    expect(scored.metrics?.mape).toBeLessThan(0.5);
  }, 60_000);

  test('an example in Python runs as it is', async () => {
    const train = await world.dataset({ 'a.csv': 'x,y\n1,2\n2,4\n', 'deep/b.csv': 'x,y\n3,6\n' });
    const digest = await world.code(textsIn(example('python')));

    const { status, printed } = await run(
      imageJob('run_1/train/1', {
        ...{
          code: { digest },
          command: ['python3', 'train.py'],
          hyperparameters: { epochs: '300', 'learning-rate': '0.05' },
        },
        channels: { train },
      }),
    );

    expect(printed[0]).toContain('epoch=300');
    expect(status).toBe('succeeded');
  });

  test('a training script of Vertex AI runs as it is', async () => {
    const train = await world.dataset({ '1969.csv': readFileSync(example('sagemaker-pytorch/data/1969.csv'), 'utf8') });
    const digest = await world.code(textsIn(example('vertex/src')));

    const { status, artifacts, reason } = await run(
      imageJob('run_1/train/1', {
        ...{ code: { digest }, command: ['python3', 'train.py'], environment: { AIP_DATA_FORMAT: 'csv' } },
        channels: { train },
      }),
    );

    expect([status, reason]).toEqual(['succeeded', undefined]);
    expect(artifacts?.model?.bytes).toBeGreaterThan(50);
  });

  test('a program for Vertex AI finds its data, its model folder and the checkpoints of the attempt before', async () => {
    const source = `const step = join(env.AIP_CHECKPOINT_DIR.replace('gs://', '/gcs/'), 'step');
      console.log(existsSync(step) ? readFileSync(step, 'utf8') : 'from the beginning');
      writeFileSync(step, 'step 7');
      const rows = globSync(env.AIP_TRAINING_DATA_URI).map((file) => readFileSync(file, 'utf8')).join('');
      writeFileSync(join(env.AIP_MODEL_DIR.replace('gs://', '/gcs/'), 'model.txt'), rows);`;
    const train = await world.dataset({ 'a.csv': 'rows' });
    const job = { checkpoints: 'prices/run_1', channels: { train } };

    const first = await run(await script('run_1/train/1', source, job));
    const second = await run(await script('run_1/train/2', source, job));
    const other = await run(await script('run_2/train/1', source, { ...job, checkpoints: 'prices/run_2' }));

    expect([first, second, other].map(({ printed }) => printed[0])).toEqual([
      'from the beginning',
      'step 7',
      'from the beginning',
    ]);
    expect(second.artifacts?.model?.bytes).toBe('rows'.length);
  });

  test('a channel has the files of the dataset, whatever their names, and nothing else of the prefix', async () => {
    const many = Object.fromEntries(Array.from({ length: 450 }, (_, at) => [`many/part-${at}.csv`, String(at)]));
    const odd = {
      "it's 100 %.csv": '1',
      '-n.csv': '2',
      'a b/$(date) "q" #1;.csv': '3',
      'a b/*.csv': '4',
      'ü/é.csv': '5',
    };
    const train = await world.dataset({ ...many, ...odd });
    await world.put('drops', 'fraud/late.csv', 'came after the manifest');
    const source = `const files = readdirSync(env.SM_CHANNEL_TRAIN, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      console.log(JSON.stringify(Object.fromEntries(files.map(({ parentPath, name }) => [join(parentPath, name).slice(env.SM_CHANNEL_TRAIN.length + 1), readFileSync(join(parentPath, name), 'utf8')])))); ${leave}`;

    const { printed, status } = await run(await script('run_1/train/1', source, { channels: { train } }));

    expect(status).toBe('succeeded');
    expect(JSON.parse(printed[0] ?? '')).toEqual({ ...many, ...odd });
  });

  test('of several nodes each knows its rank and the first one, by what Vertex AI tells it', async () => {
    const source = `console.log(JSON.stringify([env.RANK, env.WORLD_SIZE, env.MASTER_ADDR, env.MASTER_PORT, env.SM_CURRENT_HOST]));
      if (env.RANK === '0') { ${leave} }`;

    const { printed, status } = await run(
      await script('run_1/train/1', source, { compute: { nodes: 3, spot: false } }),
    );

    const first = 'cmle-training-workerpool0-1d969d3ba6-0';
    expect(status).toBe('succeeded');
    expect(printed.map((line) => JSON.parse(line))).toEqual([
      ['0', '3', first, '29500', 'algo-1'],
      ['1', '3', first, '29500', 'algo-2'],
      ['2', '3', first, '29500', 'algo-3'],
    ]);
  });

  test('a node that cannot find out which one it is fails, and says why', async () => {
    const job = await script('run_1/train/1', leave, { compute: { nodes: 2, spot: false } });

    const { status, reason } = await run(job, { CLUSTER_SPEC: '{}' });

    expect([status, reason]).toEqual(['failed', expect.stringContaining('CLUSTER_SPEC does not say')]);
  });

  test('a program that fails is told with what it wrote, its exit code and the end of its log', async () => {
    const source =
      "console.error('read 3 rows'); writeFileSync(join(env.SM_OUTPUT_DIR, 'failure'), 'column price is missing'); process.exitCode = 3;";

    const { status, reason } = await run(await script('run_1/train/1', source));

    expect(status).toBe('failed');
    expect(reason).toMatch(/^column price is missing \(.*status of 3\..*\); the end of its log:\nread 3 rows$/s);
  });

  test('a command that the image does not have fails the job, and says so', async () => {
    const { status, reason } = await run(imageJob('run_1/train/1', { command: ['no-such-command'] }));

    expect([status, reason]).toEqual([
      'failed',
      expect.stringMatching(/does not have the command[\s\S]*no-such-command/),
    ]);
  });

  test('a file of the dataset that was deleted after the start fails the job before its command runs', async () => {
    const train = await world.dataset({ 'a.csv': '1', 'b.csv': '2' });
    const { id } = await world.jobs.start(
      await script('run_1/train/1', `console.log('ran'); ${leave}`, { channels: { train } }),
    );
    containers.lose('drops/fraud/a.csv');

    const { status, printed } = await containers.run(id);

    expect(status).toBe('failed');
    expect(printed[0]).not.toContain('ran');
  });
  test('a container that is started once more leaves nothing of the first time', async () => {
    const source = `const folder = env.SM_MODEL_DIR; writeFileSync(join(folder, \`part-\${readdirSync(folder).length}-\${Date.now()}\`), '1');`;
    const { id } = await world.jobs.start(await script('run_1/train/1', source));

    const first = await containers.run(id);
    const again = await containers.run(id);

    expect(first.artifacts?.model?.bytes).toBe(1);
    expect(
      readdirSync(
        join(containers.mount, settings.ownBucket, again.artifacts?.model?.uri.replace(/^gs:\/\/[^/]+\//, '') ?? ''),
      ),
    ).toHaveLength(1);
  });

  describe('a secret', () => {
    let secretManager: Server;
    let env: Readonly<Record<string, string>>;
    const asked: string[] = [];
    let stored = '';
    beforeAll(async () => {
      // As on the wire: pretty JSON, and the text in base64. https://docs.cloud.google.com/secret-manager/docs/reference/rest
      secretManager = createServer(({ url = '', headers }, response) => {
        asked.push(url);
        const isToken =
          url.endsWith('/instance/service-accounts/default/token') && headers['metadata-flavor'] === 'Google';
        const isSecret = url.endsWith('-api-key/versions/latest:access') && headers.authorization === 'Bearer a-token';
        const data = Buffer.from(stored).toString('base64');
        const body = isToken
          ? { access_token: 'a-token', expires_in: 3599, token_type: 'Bearer' }
          : { name: 'projects/1/secrets/x/versions/1', payload: { data, dataCrc32c: '1' } };
        response.writeHead(isToken || isSecret ? 200 : 403);
        response.end(JSON.stringify(body, undefined, isToken ? undefined : 2));
      }).listen(0, '127.0.0.1');
      await once(secretManager, 'listening');
      const host = `127.0.0.1:${(secretManager.address() as AddressInfo).port}`;
      env = { GCE_METADATA_HOST: host, CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: `http://${host}` };
    });
    afterAll(() => secretManager.close());

    /** A PATH with `sh`'s usual tools and, of what could read a secret, this one. Nothing is waited for. */
    function only(tool: string): string {
      const folder = join(containers.root, `bin-${tool}`);
      mkdirSync(folder);
      symlinkSync('/bin/true', join(folder, 'sleep'));
      for (const name of ['sh', 'env', 'rm', 'mkdir', 'cp', 'sed', 'tr', 'base64', 'printenv', tool]) {
        const at =
          name === 'node'
            ? process.execPath
            : execFileSync('sh', ['-c', `command -v ${name}`])
                .toString()
                .trim();
        const real = at.includes('/shims/')
          ? execFileSync(name, ['-c', 'import sys; print(sys.executable)']).toString().trim()
          : at;
        symlinkSync(real, join(folder, name));
      }
      return folder;
    }
    const job = (name = 'api-key') =>
      imageJob('run_1/evaluate/1', {
        ...{ kind: 'evaluate', outputs: [], command: ['sh', '-c', 'printf "%s|" "$API_KEY"'] },
        environment: { API_KEY: { secret: name } },
      });

    test.each(['python3', 'node', 'curl'])('is read when the container starts, by %s', async (tool) => {
      stored = `${canary} "quoted" ü\n`;
      const { status, printed, reason } = await run(job(), { ...env, PATH: only(tool) });

      expect([status, reason]).toEqual(['succeeded', undefined]);
      expect(printed[0]).toBe(`${canary} "quoted" ü|`);
      expect(asked.at(-1)).toBe('/v1/projects/acme-ml/secrets/serin-prod-shop-program-api-key/versions/latest:access');
    });

    test.each(['text', 'text\n', 'text\r\n', 'text\n\n', 'te\nxt\r', '.', ''])(
      'that is stored as %j is what it is on every platform',
      async (text) => {
        stored = text;

        const { status, printed } = await run(job(), { ...env, PATH: process.env.PATH ?? '' });

        expect(status).toBe('succeeded');
        expect(printed[0]).toBe(`${secretText(text)}|`);
      },
    );

    test('that the image cannot read, for it has no tool for it, fails the job in words', async () => {
      const { status, reason } = await run(job(), { ...env, PATH: only('true') });

      expect([status, reason]).toEqual(['failed', expect.stringContaining('has no python3, node or curl')]);
    });

    test('that the job may not read fails it in words, without its command', async () => {
      const { status, reason } = await run(job('other'), { ...env, PATH: only('curl') });

      expect([status, reason]).toEqual(['failed', expect.stringContaining('roles/secretmanager.secretAccessor')]);
    });
  });
});
