import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { commandOf } from '@serin/core/job-contract/command';
import type { Job } from '@serin/core/ports/jobs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { folder, serin } from '../cli/command.ts';
import { type Environment, withModule } from './one-machine.ts';

/** A project around a copy of a script in the style of others, what `init` said, and the config that it wrote. */
async function wrapped(
  script: string,
  { options = [] as readonly string[], beside = {} as Readonly<Record<string, string>> } = {},
) {
  const cwd = join(folder(), 'leavers');
  mkdirSync(cwd);
  const scripts = join(import.meta.dirname, 'scripts');
  cpSync(join(scripts, script), join(cwd, script));
  cpSync(join(scripts, 'conf'), join(cwd, 'conf'), { recursive: true });
  for (const [name, text] of Object.entries(beside)) writeFileSync(join(cwd, name), text);
  const { exit, stdout } = await serin(['init', '--from', script, '--json', ...options], { cwd });
  const printed = await serin(['config', 'print', '--json'], { cwd });
  const model = JSON.parse(printed.stdout).models?.leavers;
  return { cwd, exit, model, ...JSON.parse(stdout) };
}
const slot = (name: string) => `\${{inputs.${name}}}`;

const judged = [
  'serin.config.yaml',
  'evaluate.py',
  'predictor.py',
  'rows.py',
  'serve.py',
  '.gitignore',
  '.serinignore',
];

test.each<[string, readonly string[], object, string | undefined]>([
  [
    'argparse_sklearn.py',
    ['--data', '{train}/train.csv', '--model-dir', '{model}'],
    { 'n-estimators': 50, max_depth: 6 },
    'r2',
  ],
  [
    'click_pickle.py',
    ['--train-path', '{train}/train.csv', '--output', '{model}/model.pkl'],
    { regularization: 1, solver: 'lbfgs' },
    'accuracy',
  ],
  [
    'typer_xgboost.py',
    ['--data', '{train}/train.csv', '--model-path', '{model}/model.json'],
    { 'learning-rate': 0.1, depth: 3 },
    'accuracy',
  ],
  [
    'hydra_torch.py',
    [
      'data.path={train}/train.csv',
      'model.save_path={model}/model.pt',
      `data.target=${slot('data.target')}`,
      `model.hidden=${slot('model.hidden')}`,
      `train.lr=${slot('train.lr')}`,
      `train.epochs=${slot('train.epochs')}`,
    ],
    { 'data.target': 'left', 'model.hidden': 32, 'train.lr': 0.001, 'train.epochs': 5 },
    undefined,
  ],
  ['positional_scaled.py', ['{train}/train.csv', '{model}/model'], {}, undefined],
])(
  'init --from %s: its paths lead to the data and the model of a job, and are no hyperparameters',
  async (script, places, hyperparameters, metric) => {
    const { model, written } = await wrapped(script);

    expect(model.train.command).toEqual(['python3', script, ...places]);
    expect(model.train.hyperparameters).toEqual(hyperparameters);
    expect(model.split).toEqual({ holdout: { by: 'rows', share: '20%' } });
    expect(Object.keys(model.gate ?? {})).toEqual(metric === undefined ? [] : [metric]);
    expect(model.approval?.required).toBe(metric === undefined ? true : undefined);
    expect(written).toEqual(metric === undefined ? ['serin.config.yaml', '.gitignore', '.serinignore'] : judged);
  },
);

test('init --from environment.py: variables that a script reads are given to it, and a secret never is', async () => {
  const { model } = await wrapped('environment.py');

  expect(model.train.command).toEqual([
    ...['env', 'DATA_DIR={train}', 'MODEL_PATH={model}/model.joblib', `MAX_ITER=${slot('MAX_ITER')}`],
    ...['python3', 'environment.py'],
  ]);
  expect(model.train.hyperparameters).toEqual({ MAX_ITER: 200 });
});

test.each([
  [
    'constants.py',
    'mkdir -p data models && ln -sf "{train}/train.csv" data/customers.csv && python3 constants.py && cp models/forest.joblib "{model}/"',
  ],
  ['notebook.py', 'ln -sf "{train}/train.csv" customers.csv && python3 notebook.py && cp model.joblib "{model}/"'],
])(
  'init --from %s: a path that stands in the script is led to by a link, and the script stays as it is',
  async (script, shell) => {
    const { model, assumptions } = await wrapped(script);

    expect(model.train.command).toEqual(['sh', '-c', shell]);
    expect(assumptions.join('\n')).toContain("its own paths lead to a job's");
  },
);

test.each([
  ['hydra_torch.py', {}, 'it saves weights of PyTorch, and only the script knows their network; write an evaluate.py'],
  [
    'positional_scaled.py',
    {},
    'line 14 prepares the rows outside of the model that it saves (fit_transform); a Pipeline',
  ],
  [
    'click_pickle.py',
    { beside: { 'serve.py': '# mine' } },
    'serve.py is there already; name what is yours in the config',
  ],
])('init --from %s %j says plainly why nothing judges the model by itself', async (script, around, why) => {
  const { cwd, assumptions, model } = await wrapped(script, around);

  expect(assumptions.at(-1)).toContain(
    `a person approves each version (approval.required), and nothing is served: ${why}`,
  );
  expect(model).toMatchObject({ approval: { required: true }, serve: 'none' });
  if (existsSync(join(cwd, 'serve.py'))) expect(readFileSync(join(cwd, 'serve.py'), 'utf8')).toBe('# mine');
});

test('init --from with --target and --no-serve: a person knows better than the script', async () => {
  const { cwd, written, model } = await wrapped('click_pickle.py', { options: ['--target', "it's", '--no-serve'] });

  expect(readFileSync(join(cwd, 'rows.py'), 'utf8')).toContain('TARGET = "it\'s"\n');
  expect(written).not.toContain('serve.py');
  expect(model.serve).toBe('none');
});

const houses = [
  'id,rooms,area,price',
  ...Array.from({ length: 80 }, (_, row) => `${row},${row % 7},${20 + (row % 30)},${(row % 7) * 10 + (row % 30)}`),
];
const leavers = [
  'tenure,fee,left',
  ...Array.from({ length: 80 }, (_, row) => `${row % 40},${10 + (row % 9)},${row % 40 < 15 ? 1 : 0}`),
];

/** Runs a command of a config as a job would, in a copy of the code. */
function runJob(
  cwd: string,
  kind: Job['kind'],
  program: { command: string[]; hyperparameters?: Record<string, unknown> },
  env: Environment,
) {
  const code = folder();
  cpSync(cwd, code, { recursive: true });
  const at = (name: string) => join(cwd, '..', name);
  const job = {
    ...{ key: 'k', kind, command: program.command, outputs: kind === 'train' ? ['model'] : [] },
    channels: { train: {}, holdout: {}, ...(kind === 'train' ? {} : { model: {} }) },
    hyperparameters: Object.fromEntries(
      Object.entries(program.hyperparameters ?? {}).map(([name, value]) => [name, String(value)]),
    ),
  } as unknown as Job; // what a command needs of a job
  const [command = '', ...args] = commandOf(job, { found: at, outputOf: at });
  return spawnSync(command, args, {
    cwd: code,
    env: { ...env, SM_CHANNEL_HOLDOUT: at('holdout'), SM_CHANNEL_MODEL: at('model'), SM_OUTPUT_DATA_DIR: at('output') },
    encoding: 'utf8',
  });
}

const scripts = [
  ['argparse_sklearn.py', houses, 'r2', withModule('sklearn')],
  ['click_pickle.py', leavers, 'accuracy', withModule('click, sklearn, pandas', 'scripts')],
  ['constants.py', leavers, 'accuracy', withModule('sklearn')],
  ['notebook.py', leavers, 'accuracy', withModule('sklearn')],
  ['environment.py', leavers, 'accuracy', withModule('sklearn')],
  ['typer_xgboost.py', leavers, 'accuracy', withModule('typer, xgboost, pandas', 'scripts')],
] as const;

for (const [script, rows, metric, { env, run, note }] of scripts)
  run(
    `the unchanged script ${script} trains on the dropped rows, and what init wrote judges and serves it${note}`,
    { timeout: 120_000 },
    async () => {
      const { cwd, model } = await wrapped(script);
      for (const name of ['train', 'holdout', 'model', 'output']) mkdirSync(join(cwd, '..', name));
      const [header = '', ...data] = rows;
      writeFileSync(join(cwd, '..', 'train', 'train.csv'), [header, ...data.slice(0, 60), ''].join('\n'));
      writeFileSync(join(cwd, '..', 'holdout', 'holdout.csv'), [header, ...data.slice(60), ''].join('\n'));

      const trained = runJob(cwd, 'train', model.train, env);
      const evaluated = runJob(cwd, 'evaluate', model.evaluate, env);
      const names = header.split(',');
      const row = Object.fromEntries((data[60] ?? '').split(',').map((value, index) => [names[index], Number(value)]));
      const answers = await served(cwd, env, [{ instances: [row] }, { instances: [{}] }, { nothing: 1 }]);

      expect([trained.stderr, trained.status]).toEqual([expect.not.stringContaining('Error'), 0]);
      expect(readdirSync(join(cwd, '..', 'model'))).toHaveLength(1);
      expect([evaluated.stderr, evaluated.status]).toEqual(['', 0]);
      expect(JSON.parse(readFileSync(join(cwd, '..', 'output', 'metrics.json'), 'utf8'))[metric]).toBeGreaterThan(0.8);
      expect(answers.map(({ status }) => status)).toEqual([200, 400, 400]);
      expect(answers[0]?.body.predictions).toEqual([expect.closeTo(Number(row[names.at(-1) ?? '']), -1)]);
    },
  );

/** What the written server answers, which listens where it is told and nowhere else. */
async function served(cwd: string, env: Environment, bodies: readonly object[]) {
  const port = String(await freePort());
  const child = spawn('python3', ['serve.py'], {
    cwd,
    env: { ...env, PORT: port, SERIN_BIND_ADDRESS: '127.0.0.1', SM_MODEL_DIR: join(cwd, '..', 'model') },
    stdio: 'inherit',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await vi.waitFor(async () => expect((await fetch(`${url}/ping`)).status).toBe(200), {
    timeout: 60_000,
    interval: 50,
  });
  return Promise.all(
    bodies.map(async (body) => {
      const answer = await fetch(`${url}/invocations`, { method: 'POST', body: JSON.stringify(body) });
      return { status: answer.status, body: (await answer.json()) as { predictions?: unknown } };
    }),
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}
