import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { secretText } from '@serin/core/base/variables';
import type { Job, JobDescription, Source } from '@serin/core/ports/jobs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { splitterFiles } from '../../packages/cli/src/places.ts';
import type { Files } from '../contract/jobs.contract.ts';

export type Environment = Readonly<Record<string, string>>;

/** Jobs of a cloud, whose containers run on this machine. */
export interface Containers {
  readonly root: string;
  /** A training job of an image, which is this machine. */
  imageJob(key: string, job?: Partial<Job>): Job;
  code(files: Files): Promise<string>;
  dataset(files: Files, under?: string): Promise<Source>;
  put(bucket: string, key: string, content: string): Promise<unknown>;
  start(job: Job): Promise<{ readonly id: string }>;
  /** Runs a job that was started to its end, and answers what it has come to and what each node printed. */
  run(id: string, env?: Environment): Promise<JobDescription & { readonly printed: readonly string[] }>;
  /** An object, by `<bucket>/<key>`, that the mount does not have. */
  lose(object: string): void;
  /** The names of the files of an artifact. */
  filesOf(description: JobDescription, output: string): readonly string[];
  close(): void;
}

/** A store of secrets that containers ask. */
export interface SecretStore {
  readonly env: Environment;
  /** The text that is stored under `api-key`. */
  store(text: string): void;
  /** The last request for a secret. */
  asked(): string | undefined;
  /** What is asked for `api-key`. */
  readonly asks: string;
  readonly missingTool: string;
  readonly mend: string;
}

const example = (path: string): string => join(import.meta.dirname, '../../examples', path);
export const textsIn = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));

/** A job of code of its own, in Node. */
export async function scriptOf(
  containers: Containers,
  key: string,
  source: string,
  job: Partial<Job> = {},
): Promise<Job> {
  const { image: _, ...rest } = containers.imageJob(key, { command: ['node', 'main.mjs'], ...job });
  const imports = `import { appendFileSync, existsSync, globSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
      import { join } from 'node:path'; const { env } = process;`;
  return { ...rest, code: { digest: await containers.code({ 'main.mjs': `${imports}\n${source}` }) } };
}

export const leave = "writeFileSync(join(env.SM_MODEL_DIR, 'model.txt'), 'weights');";

/** What a container is given at its start, the same on every cloud that mounts its storage. */
export function containersContract(
  open: () => Containers,
  secrets: () => SecretStore,
  /** What in an image can read a secret. */
  tools: readonly string[],
): void {
  let containers: Containers;
  beforeEach(() => {
    containers = open();
  });
  afterEach(() => containers.close());

  async function run(job: Job, env: Environment = {}) {
    const { id } = await containers.start(job);
    return containers.run(id, env);
  }
  const script = (key: string, source: string, job: Partial<Job> = {}) => scriptOf(containers, key, source, job);
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
    const data = await containers.dataset(Object.fromEntries(years));
    const splitter = Object.fromEntries(splitterFiles.map((file) => [basename(file), readFileSync(file, 'utf8')]));
    const program = async (files: Readonly<Record<string, string>>, key: string, job: Partial<Job>): Promise<Job> => {
      const { image: _, ...rest } = containers.imageJob(key, job);
      return { ...rest, code: { digest: await containers.code(files) } };
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
    const train = await containers.dataset({ 'a.csv': 'x,y\n1,2\n2,4\n', 'deep/b.csv': 'x,y\n3,6\n' });
    const digest = await containers.code(textsIn(example('python')));

    const { status, printed } = await run(
      containers.imageJob('run_1/train/1', {
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

  test('a training script that was written for a command job of Azure ML runs as it is', async () => {
    const source = `import argparse, json, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument('--data', type=pathlib.Path)
parser.add_argument('--out', type=pathlib.Path)
parser.add_argument('--epochs', type=int)
found = parser.parse_args()
rows = [line for file in sorted(found.data.rglob('*.csv')) for line in file.read_text().splitlines()[1:]]
assert found.data == pathlib.Path(os.environ['AZURE_ML_INPUT_train'])
(pathlib.Path(os.environ['AZURE_ML_OUTPUT_model']) / 'model.json').write_text(json.dumps({'rows': len(rows)}))
print(os.environ['AZUREML_RUN_ID'], found.epochs, (found.out / 'model.json').read_text())
`;
    const place = (name: string) => `\${{${name}}}`;
    const train = await containers.dataset({ 'a.csv': 'x\n1\n2\n', 'deep/b.csv': 'x\n3\n' });

    const { status, printed } = await run(
      containers.imageJob('run_1/train/1', {
        ...{ code: { digest: await containers.code({ 'train.py': source }) }, channels: { train } },
        command: ['python3', 'train.py', '--data', place('inputs.train'), '--out', place('outputs.model')],
        hyperparameters: { epochs: '3' },
      }),
    );

    expect(status).toBe('succeeded');
    expect(printed[0]).toMatch(/^\S*train-1-[0-9a-f]{16} 3 \{"rows": 3\}$/);
  });

  test('a training script that was written for Vertex AI runs as it is', async () => {
    const train = await containers.dataset({
      '1969.csv': readFileSync(example('sagemaker-pytorch/data/1969.csv'), 'utf8'),
    });
    const digest = await containers.code(textsIn(example('vertex/src')));

    const { status, artifacts, reason } = await run(
      containers.imageJob('run_1/train/1', {
        ...{ code: { digest }, command: ['python3', 'train.py'], environment: { AIP_DATA_FORMAT: 'csv' } },
        channels: { train },
      }),
    );

    expect([status, reason]).toEqual(['succeeded', undefined]);
    expect(artifacts?.model?.bytes).toBeGreaterThan(50);
  });

  test('a program finds its data, its model folder and the checkpoints of the attempt before', async () => {
    const source = `const step = join(env.AIP_CHECKPOINT_DIR.replace('gs://', '/gcs/'), 'step');
      console.log(existsSync(step) ? readFileSync(step, 'utf8') : 'from the beginning');
      writeFileSync(step, 'step 7');
      const rows = globSync(env.AIP_TRAINING_DATA_URI).map((file) => readFileSync(file, 'utf8')).join('');
      writeFileSync(join(env.AIP_MODEL_DIR.replace('gs://', '/gcs/'), 'model.txt'), rows);`;
    const train = await containers.dataset({ 'a.csv': 'rows' });
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
    const train = await containers.dataset({ ...many, ...odd });
    await containers.put('drops', 'fraud/late.csv', 'came after the manifest');
    const source = `const files = readdirSync(env.SM_CHANNEL_TRAIN, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      console.log(JSON.stringify(Object.fromEntries(files.map(({ parentPath, name }) => [join(parentPath, name).slice(env.SM_CHANNEL_TRAIN.length + 1), readFileSync(join(parentPath, name), 'utf8')])))); ${leave}`;

    const { printed, status } = await run(await script('run_1/train/1', source, { channels: { train } }));

    expect(status).toBe('succeeded');
    expect(JSON.parse(printed[0] ?? '')).toEqual({ ...many, ...odd });
  });

  test('a program that fails is told with what it wrote, its exit code and the end of its log', async () => {
    const source =
      "console.error('read 3 rows'); writeFileSync(join(env.SM_OUTPUT_DIR, 'failure'), 'column price is missing'); process.exitCode = 3;";

    const { status, reason } = await run(await script('run_1/train/1', source));

    expect(status).toBe('failed');
    expect(reason).toMatch(
      /^column price is missing \(.*status (?:of|code) 3\..*\); the end of its log:\nread 3 rows$/s,
    );
  });

  test('a command that the image does not have fails the job, and says so', async () => {
    const { status, reason } = await run(containers.imageJob('run_1/train/1', { command: ['no-such-command'] }));

    expect([status, reason]).toEqual([
      'failed',
      expect.stringMatching(/does not have the command[\s\S]*no-such-command/),
    ]);
  });

  test('a file of the dataset that was deleted after the start fails the job before its command runs', async () => {
    const train = await containers.dataset({ 'a.csv': '1', 'b.csv': '2' });
    const { id } = await containers.start(
      await script('run_1/train/1', `console.log('ran'); ${leave}`, { channels: { train } }),
    );
    containers.lose('drops/fraud/a.csv');

    const { status, printed } = await containers.run(id);

    expect(status).toBe('failed');
    expect(printed[0]).not.toContain('ran');
  });

  test('a container that is started once more leaves nothing of the first time', async () => {
    const source = `const folder = env.SM_MODEL_DIR; writeFileSync(join(folder, \`part-\${readdirSync(folder).length}-\${Date.now()}\`), '1');`;
    const { id } = await containers.start(await script('run_1/train/1', source));

    const first = await containers.run(id);
    const again = await containers.run(id);

    expect(first.artifacts?.model?.bytes).toBe(1);
    expect(containers.filesOf(again, 'model')).toHaveLength(1);
  });

  describe('a secret', () => {
    const textOf = 'canary-c0ffee-of-a-secret';
    const env = (path: string): Environment => ({ ...secrets().env, PATH: path });

    /** A PATH with `sh`'s usual tools and, of what could read a secret, this one. Nothing is waited for. */
    function only(tool: string): string {
      const folder = join(containers.root, `bin-${tool}`);
      mkdirSync(folder);
      symlinkSync('/bin/true', join(folder, 'sleep'));
      for (const name of ['sh', 'env', 'rm', 'mkdir', 'cp', 'sed', 'tr', 'base64', 'ln', tool]) {
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
      containers.imageJob('run_1/evaluate/1', {
        ...{ kind: 'evaluate', outputs: [], command: ['sh', '-c', 'printf "%s|" "$API_KEY"'] },
        environment: { API_KEY: { secret: name } },
      });

    test.each(tools)('is read when the container starts, by %s', async (tool) => {
      secrets().store(`${textOf} "quoted" ü\n`);
      const { status, printed, reason } = await run(job(), env(only(tool)));

      expect([status, reason]).toEqual(['succeeded', undefined]);
      expect(printed[0]).toBe(`${textOf} "quoted" ü|`);
      expect(secrets().asked()).toBe(secrets().asks);
    });

    test.each(['text', 'text\n', 'text\r\n', 'text\n\n', 'te\nxt\r', '.', ''])(
      'that is stored as %j is what it is on every platform',
      async (text) => {
        secrets().store(text);

        const { status, printed } = await run(job(), env(process.env.PATH ?? ''));

        expect(status).toBe('succeeded');
        expect(printed[0]).toBe(`${secretText(text)}|`);
      },
    );

    test('that the image cannot read, for it has no tool for it, fails the job in words', async () => {
      const { status, reason } = await run(job(), env(only('true')));

      expect([status, reason]).toEqual(['failed', expect.stringContaining(secrets().missingTool)]);
    });

    test('that the job may not read fails it in words, without its command', async () => {
      const { status, reason } = await run(job('other'), env(only(tools.at(-1) ?? '')));

      expect([status, reason]).toEqual(['failed', expect.stringContaining(secrets().mend)]);
    });
  });
}
