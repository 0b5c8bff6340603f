import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf } from '@serin/core/job-contract/command';
import type { Job } from '@serin/core/ports/jobs';
import { expect, test } from 'vitest';
import { retiredImport } from '../../packages/cli/src/retired-sdk.ts';
import { factsOf } from '../../packages/cli/src/script-facts.ts';
import { bin, folder, serin } from './command.ts';

const good = `{
  project: 'p',
  models: { m: { data: { bucket: 'drops' }, train: { code: './src', command: ['node', 'train.mjs'] }, approval: {} } },
}`;

/** A folder with a config and the code that it names. */
function project(name: string, text: string): string {
  const cwd = folder();
  mkdirSync(join(cwd, 'src'));
  writeFileSync(join(cwd, 'src', 'train.mjs'), '// trains');
  writeFileSync(join(cwd, name), text);
  return cwd;
}

test.each([
  [
    'serin.config.ts',
    `import { defineConfig } from 'serin';\nconst named: string = 'x';\nexport default defineConfig(${good});`,
  ],
  ['serin.config.mjs', `import { defineConfig } from 'serin';\nexport default defineConfig(${good});`],
  [
    'serin.config.json',
    JSON.stringify({
      project: 'p',
      models: {
        m: { data: { bucket: 'drops' }, train: { code: './src', command: ['node', 'train.mjs'] }, approval: {} },
      },
    }),
  ],
])('%s is read where nothing is installed, and without a warning', async (name, text) => {
  const { exit, stdout, stderr } = await serin(['validate', '--json'], { cwd: project(name, text) });

  expect([exit, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toMatchObject({ valid: true, models: ['m'], warnings: [] });
});

test('a TypeScript config is a module also beside the package.json that npm init writes, and may import its neighbours', async () => {
  const cwd = project('serin.config.ts', "import { config } from './parts.ts';\nexport default config;");
  writeFileSync(
    join(cwd, 'parts.ts'),
    `import { defineConfig } from 'serin';\nexport const config = defineConfig(${good});`,
  );
  writeFileSync(join(cwd, 'package.json'), '{ "type": "commonjs" }');

  const { exit, stderr } = await serin(['validate'], { cwd });

  expect([exit, stderr]).toEqual([0, '']);
});

test("a script of Azure ML's retired SDK v1 is told so, with what takes its place, and still validates", async () => {
  const cwd = project('serin.config.mjs', `export default ${good};`);
  writeFileSync(join(cwd, 'src', 'train.py'), 'import os, azureml.core as v1\n\nrun = v1.Run.get_context()\n');
  writeFileSync(join(cwd, 'src', 'new.py'), '# from azureml.core import Run\nimport azureml.mlflow\nimport mlflow\n');

  const { exit, stdout } = await serin(['validate', '--json'], { cwd });
  const { stdout: doctor } = await serin(['doctor', '--json'], { cwd });

  const said = expect.stringMatching(
    /^train\.py of the code \.\/src imports azureml\.core of .*SDK v1.*mlflow.*azure-ai-ml$/,
  );
  expect([exit, JSON.parse(stdout).warnings]).toEqual([0, [said]]);
  expect(JSON.parse(doctor).checks).toContainEqual({ check: 'code', verdict: 'warning', detail: said });
});

test.each([
  ['from azureml.core import Workspace, Run', 'azureml.core'],
  ['  from azureml.train.hyperdrive import choice', 'azureml.train'],
  ['import azureml.pipeline.steps', 'azureml.pipeline'],
  ['import azureml.mlflow', undefined],
  ['from azureml.fsspec import AzureMachineLearningFileSystem', undefined],
  ['from azure.ai.ml import MLClient', undefined],
  ['import azureml.corelib', undefined],
])('%s is an import of the SDK v1: %s', (line, found) => {
  expect(retiredImport(`import os\n${line}\n`)).toBe(found);
});

test('every problem is reported at once: its path, the value, and what is allowed', async () => {
  const cwd = project(
    'serin.config.ts',
    `export default { project: 'P!', models: { m: { data: { bucket: 'drops', settle: { quiet: '2 min' } }, train: { command: [] }, approval: {}, gates: 1 } } };`,
  );

  const text = await serin(['validate'], { cwd });
  const json = await serin(['validate', '--json'], { cwd });

  expect([text.exit, text.stdout]).toEqual([2, '']);
  expect(text.stderr).toContain('serin.config.ts has 4 problems');
  expect(text.stderr).toMatch(/models\.m\.data\.settle\.quiet +is "2 min": write a duration such as '30s'/);
  expect(text.stderr).toMatch(/models\.m\.train\.command +is \[\]: write a command such as/);
  expect(text.stderr).toMatch(/models\.m\.gates +is not a known field/);
  expect([json.exit, json.stderr]).toEqual([2, '']);
  expect(JSON.parse(json.stdout).errors).toContainEqual({
    pointer: '/models/m/data/settle/quiet',
    detail: expect.stringContaining("'30s'"),
    value: '2 min',
  });
});

test.each([
  ['that is missing', undefined, 3, "write one with 'serin init'"],
  ['that does not parse', 'export default {', 2, 'cannot load'],
  ['that throws', `throw new Error('no such secret');`, 2, 'no such secret'],
  ['without a default export', 'export const config = {};', 2, 'has no default export'],
])('a config %s is a failure that says so', async (_, text, code, message) => {
  const cwd = text === undefined ? folder() : project('serin.config.ts', text);

  const { exit, stderr } = await serin(['validate'], { cwd });

  expect(exit).toBe(code);
  expect(stderr).toContain(message);
});

test('two configs in one folder are refused: nobody knows which is meant', async () => {
  const cwd = project('serin.config.ts', `export default ${good};`);
  writeFileSync(join(cwd, 'serin.config.json'), '{}');

  const [both, named] = [
    await serin(['validate'], { cwd }),
    await serin(['validate', '--config', 'serin.config.ts'], { cwd }),
  ];

  expect([both.exit, named.exit]).toEqual([2, 0]);
});

test('a command that names a script its folder does not have is warned of', async () => {
  const cwd = project('serin.config.ts', `export default ${good.replace('train.mjs', 'trian.mjs')};`);

  const { exit, stderr } = await serin(['validate'], { cwd });

  expect(exit).toBe(0);
  expect(stderr).toContain('models.m.train.command names trian.mjs, which is not in ./src');
});

test('config print shows the defaults, and config schema is a JSON Schema of what may be written', async () => {
  const cwd = project('serin.config.ts', `export default ${good};`);

  const printed = JSON.parse((await serin(['config', 'print', '--json'], { cwd })).stdout);
  const schema = JSON.parse((await serin(['config', 'schema', '--json'])).stdout);

  expect(printed.models.m).toMatchObject({ serve: 'none', rollout: { strategy: 'canary', steps: [5, 25, 50] } });
  expect(schema).toMatchObject({ type: 'object', required: ['project', 'models'], additionalProperties: false });
});

test('init writes a project that validates, and overwrites nothing afterwards', async () => {
  const cwd = folder();

  const first = await serin(['init', 'p', '--json'], { cwd });
  writeFileSync(join(cwd, 'p', 'README.md'), 'mine');
  const again = await serin(['init', 'p'], { cwd });
  const forced = await serin(['init', 'p', '--force'], { cwd });

  expect(JSON.parse(first.stdout).written).toContain('src/train.mjs');
  expect((await serin(['validate'], { cwd: join(cwd, 'p') })).exit).toBe(0);
  expect([again.exit, forced.exit]).toEqual([4, 4]);
  expect(again.stderr).toContain('p/README.md');
  expect(readFileSync(join(cwd, 'p', 'README.md'), 'utf8')).toBe('mine');
});

test('init --force --yes overwrites: a person has said so twice', async () => {
  const cwd = project('README.md', 'mine');

  const { exit } = await serin(['init', '--force', '--yes'], { cwd });

  expect(exit).toBe(0);
  expect(readFileSync(join(cwd, 'README.md'), 'utf8')).toContain('First steps');
});

test.each([['aws,gcp,azure'], ['gcp, azure'], ['azure']])(
  'init --cloud %s writes a config that validates on all of them, and on one machine',
  async (clouds) => {
    const cwd = folder();
    const named = clouds.split(',').map((name) => name.trim());

    const { exit, stdout } = await serin(['init', 'p', '--cloud', clouds], { cwd });

    expect(exit).toBe(0);
    expect(await serin(['validate'], { cwd: join(cwd, 'p') })).toMatchObject({ exit: 0 });
    for (const cloud of named) {
      expect(stdout).toContain(`node ${bin} validate --cloud ${cloud}`);
      expect(await serin(['validate', '--cloud', cloud], { cwd: join(cwd, 'p') })).toMatchObject({ exit: 0 });
    }
    const config = readFileSync(join(cwd, 'p', 'serin.config.ts'), 'utf8');
    expect([...config.matchAll(/^ {2}(\w+): '.*@sha256:0{64}'/gm)].map(([, name]) => name)).toEqual(named);
  },
);

test.each([
  [['--cloud', 'aws,oracle'], 'use aws, gcp, azure'],
  [['--cloud', ''], 'use aws, gcp, azure'],
  [['--cloud', 'aws', '--from', 'train.py'], 'leave out --cloud'],
])('init %j is refused, says what to do, and writes nothing', async (options, mend) => {
  const cwd = project('train.py', '');
  const before = readdirSync(cwd);

  const { exit, stderr } = await serin(['init', ...options], { cwd });

  expect(exit).toBe(2);
  expect(stderr).toContain(mend);
  expect(readdirSync(cwd)).toEqual(before);
});

const script = `import argparse, os
p = argparse.ArgumentParser()
p.add_argument('--learning-rate', type=float, default=1e-2)
p.add_argument("--epochs", type=int, help="so many (really)", default=10)
p.add_argument('--optimizer', default='adam')
p.add_argument('--seed', type=int, default=int(os.environ.get('SEED', 1)))
p.add_argument('--verbose', action='store_true')
p.add_argument('--model-dir', default=os.environ['SM_MODEL_DIR'])
p.add_argument('--train', default=os.environ.get('SM_CHANNEL_TRAIN'))
extra = os.environ['SM_CHANNEL_LABELS']
`;

test('init --from wraps a script: its flags are the hyperparameters, a person approves, and nothing is copied', async () => {
  const cwd = folder();
  mkdirSync(join(cwd, 'My Churn'));
  writeFileSync(join(cwd, 'My Churn', 'train.py'), script);

  const { exit, stdout } = await serin(['init', '--from', 'train.py'], { cwd: join(cwd, 'My Churn') });
  const printed = JSON.parse((await serin(['config', 'print', '--json'], { cwd: join(cwd, 'My Churn') })).stdout);

  expect(exit).toBe(0);
  expect(stdout).toContain('SM_CHANNEL_LABELS');
  expect(stdout).toContain('a person approves each version');
  expect(readdirSync(join(cwd, 'My Churn')).sort()).toEqual([
    '.gitignore',
    '.serin',
    '.serinignore',
    'serin.config.yaml',
    'train.py',
  ]);
  expect(printed.models['my-churn']).toMatchObject({
    train: {
      code: '.',
      command: ['python3', 'train.py'],
      hyperparameters: { 'learning-rate': 0.01, epochs: 10, optimizer: 'adam' },
    },
    approval: { required: true },
    serve: 'none',
  });
  expect(Object.keys(printed.models['my-churn'].train.hyperparameters)).toHaveLength(3);
});

const [train, model] = ['{train}', '{model}'];

const usual = `import argparse, csv, pathlib
p = argparse.ArgumentParser()
p.add_argument('--data', default='data')
p.add_argument('--model', default='models/model.txt')
p.add_argument('--rows', type=int, default=3)
a = p.parse_args()
files = sorted(pathlib.Path(a.data).rglob('*.csv'))
pathlib.Path(a.model).write_text(f'{len(files)} files, {a.rows} rows')
`;

test('init --from: a script with flags of its own for data and model is trained on the dropped data, unchanged', async () => {
  const cwd = folder();
  mkdirSync(join(cwd, 'p', 'data'), { recursive: true });
  writeFileSync(join(cwd, 'p', 'train.py'), usual);
  writeFileSync(join(cwd, 'p', 'data', 'old.csv'), 'x');
  const [dropped, saved] = ['dropped', 'saved'].map((name) => join(cwd, name));
  for (const place of [dropped, saved]) mkdirSync(place ?? '');
  for (const name of ['1.csv', '2.csv']) writeFileSync(join(dropped ?? '', name), 'x');

  const { stdout } = await serin(['init', '--from', 'train.py', '--json'], { cwd: join(cwd, 'p') });
  const { exit, stderr } = await serin(['validate'], { cwd: join(cwd, 'p') });
  const printed = JSON.parse((await serin(['config', 'print', '--json'], { cwd: join(cwd, 'p') })).stdout);
  const { command, hyperparameters } = printed.models.p.train;
  const places = { found: () => dropped ?? '', outputOf: () => saved ?? '' };
  const [program = '', ...args] = commandOf(
    {
      ...{ key: 'k', kind: 'train', command, outputs: ['model'] },
      ...{ channels: { train: {} }, hyperparameters: { rows: String(hyperparameters.rows) } },
    } as unknown as Job,
    places,
  );
  execFileSync(program, args, { cwd: join(cwd, 'p') });

  expect(command).toEqual([...['python3', 'train.py', '--data', train, '--model', `${model}/model.txt`]]);
  expect(hyperparameters).toEqual({ rows: 3 });
  expect(readFileSync(join(saved ?? '', 'model.txt'), 'utf8')).toBe('2 files, 3 rows');
  expect(exit).toBe(0);
  expect(stderr).toContain('goes without data/ (1 files)');
  expect(JSON.parse(stdout).written).toEqual(['serin.config.yaml', '.gitignore', '.serinignore']);
  expect(readFileSync(join(cwd, 'p', '.gitignore'), 'utf8')).toContain('.serin/');
});

test.each<[string, readonly string[], readonly string[]]>([
  ["p.add_argument('--data-path', required=True)", ['--data-path', train], []],
  ["p.add_argument('--train', default='data/houses.csv')", ['--train', `${train}/train.csv`], []],
  ["p.add_argument('--output-dir', type=Path, default=Path('out'))", ['--output-dir', model], []],
  ["p.add_argument('data')", [train], []],
  ["@click.option('--data-dir', default='./data')", ['--data-dir', train], []],
  ["p.add_argument('--model', default='forest')", [], ['model']],
  ["p.add_argument('--dataset', default='mnist')", [], ['dataset']],
  ["p.add_argument('--data-fraction', type=float, default=0.5)", [], ['data-fraction']],
  ["p.add_argument('--train', default=os.environ['SM_CHANNEL_TRAIN'])", [], []],
  ["p.add_argument('--verbose', action='store_true')", [], []],
])('of %s the places are %j and the hyperparameters %j', (text, places, names) => {
  const facts = factsOf(text);

  expect(facts.places).toEqual(places);
  expect(Object.keys(facts.hyperparameters)).toEqual(names);
});

test('init --from says what a script has yet to do that knows neither its data nor where its model goes', async () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'train.py'), "import pandas\npandas.read_parquet('data/train.parquet')\n");
  writeFileSync(join(cwd, '.gitignore'), 'mine');

  const { stdout } = await serin(['init', '--from', 'train.py'], { cwd });

  expect(stdout).toContain("train.py has yet to read its data from the folder os.environ['SM_CHANNEL_TRAIN']");
  expect(stdout).toContain("save its model into the folder os.environ['SM_MODEL_DIR']");
  expect(readFileSync(join(cwd, '.gitignore'), 'utf8')).toBe('mine');
});

test.each([
  ['nothing.py', 3],
  ['train.exe', 2],
  ['../train.py', 2],
])('init --from %s is exit code %i', async (from, code) => {
  const cwd = folder();
  mkdirSync(join(cwd, 'p'));
  for (const name of ['train.py', 'p/train.exe']) writeFileSync(join(cwd, name), '');

  const { exit } = await serin(['init', '--from', from], { cwd: join(cwd, 'p') });

  expect([exit, readdirSync(join(cwd, 'p'))]).toEqual([code, ['train.exe']]);
});
