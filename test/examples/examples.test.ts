import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { folder, serin } from '../cli/command.ts';
import { type Environment, exampleFolder, hurriedCopy, startedProject, withModule } from './one-machine.ts';

describe.each(['sklearn', 'sagemaker-pytorch'])('the example %s', (name) => {
  test.each([
    ['one machine', []],
    ['AWS', ['--cloud', 'aws']],
  ])('has a config for %s without a problem or a warning', async (_, cloud) => {
    const { exit, stdout, stderr } = await serin(['validate', '--json', ...cloud], { cwd: exampleFolder(name) });

    expect(stderr).toBe('');
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, warnings: [] });
  });

  test('serves on SageMaker by the command of its config, in its code folder', () => {
    const code = folder();
    const SERIN_COMMAND = JSON.stringify(['python3', '-c', 'import os; print(os.getcwd(), "a b")']);

    const { stdout } = spawnSync(join(exampleFolder(name), 'image', 'serve'), {
      env: { PATH: process.env.PATH, SERIN_CODE_DIR: code, SERIN_COMMAND },
      encoding: 'utf8',
    });

    expect(stdout).toBe(`${code} a b\n`);
  });
});

test.each([
  ['births', 'serin.gcp.config.ts'],
  ['sagemaker-pytorch', 'serin.gcp.config.ts'],
  ['vertex', 'serin.config.ts'],
])('the example %s has a config for Google Cloud without a problem: %s', async (name, config) => {
  const command = ['validate', '--json', '--config', config, '--cloud', 'gcp'];

  const { exit, stdout } = await serin(command, { cwd: exampleFolder(name) });

  expect([exit, JSON.parse(stdout)]).toMatchObject([0, { valid: true }]);
});

test('the example azure-ml has a config for Azure without a problem', async () => {
  const command = ['validate', '--json', '--cloud', 'azure'];

  const { exit, stdout } = await serin(command, { cwd: exampleFolder('azure-ml') });

  expect([exit, JSON.parse(stdout)]).toMatchObject([0, { valid: true }]);
});

test('the image of the example azure-ml serves by what Serin tells it to start', () => {
  const file = readFileSync(join(exampleFolder('azure-ml'), 'image', 'Dockerfile'), 'utf8');
  const [program = '', ...words] = JSON.parse(/^CMD (.*)$/m.exec(file)?.[1] ?? '[]') as readonly string[];

  const { stdout } = spawnSync(program, words, {
    env: { PATH: process.env.PATH, SERIN_START: 'set -eu\necho "a  b" $$\nexec printf %s "$SERIN_START"\n' },
    encoding: 'utf8',
  });

  expect(stdout).toMatch(/^a {2}b \d+\nset -eu\necho/);
});

/** Two years of births are dropped into a project; how far off its first version is for a day of the third year. */
async function forecast(name: string, env: Environment) {
  const project = await startedProject(hurriedCopy(name), env);
  const data = join(exampleFolder('sagemaker-pytorch'), 'data');
  for (const year of ['1969.csv', '1970.csv']) project.drop('acme-drops', 'births/', join(data, year));
  await project.event('dev.serin.rollout.promoted.v1');
  const good = await project.invoke('births', { instances: [{ day: '1971-03-02' }] });
  const bad = await project.invoke('births', { instances: [{ day: '1971-02-30' }] });
  const version = await project.run(['versions', 'get', 'births', '1']);
  return { off: Math.abs(JSON.parse(good.stdout).predictions[0].births - born(data, '1971-03-02')), bad, version };
}

const python = withModule('json');

describe(`the example of Vertex AI${python.note}`, () => {
  test('has a training script that knows nothing but the variables of Vertex AI', () => {
    const script = readFileSync(join(exampleFolder('vertex'), 'src', 'train.py'), 'utf8');
    const names = [...script.matchAll(/environ(?:\.get\(|\[)"(\w+)"/g)].map(([, name = '']) => name);

    expect(names.toSorted()).toEqual([
      'AIP_CHECKPOINT_DIR',
      'AIP_DATA_FORMAT',
      'AIP_MODEL_DIR',
      'AIP_TENSORBOARD_LOG_DIR',
      'AIP_TRAINING_DATA_URI',
      'CLOUD_ML_JOB_ID',
    ]);
  });

  python.run('trains, judges and serves by its unchanged script on one machine', { timeout: 150_000 }, async () => {
    const { off, bad, version } = await forecast('vertex', python.env);

    expect(off).toBeLessThan(1500);
    expect(bad.stderr).toContain('answered with 400');
    expect(version).toMatchObject({
      verdict: { passed: true, checks: [{ metric: 'mape', rule: 'atMost', bound: 0.2 }] },
    });
  });
});

describe(`the example of Azure ML${python.note}`, () => {
  test('has a training script that knows nothing but the variables of Azure ML', () => {
    const script = readFileSync(join(exampleFolder('azure-ml'), 'src', 'train.py'), 'utf8');
    const names = [...script.matchAll(/environ(?:\.get\(|\[)"(\w+)"/g)].map(([, name = '']) => name);

    expect(names.toSorted()).toEqual(['AZUREML_RUN_ID', 'AZURE_ML_OUTPUT_model']);
  });

  python.run('trains, judges and serves by its unchanged script on one machine', { timeout: 150_000 }, async () => {
    const { off, bad, version } = await forecast('azure-ml', python.env);

    expect(off).toBeLessThan(1500);
    expect(bad.stderr).toContain('answered with 400');
    expect(version).toMatchObject({
      verdict: { passed: true, checks: [{ metric: 'mape', rule: 'atMost', bound: 0.2 }] },
    });
  });
});

const sklearn = withModule('sklearn');

describe(`the scikit-learn example${sklearn.note}`, () => {
  sklearn.run('trains, judges and serves a first drop on one machine', { timeout: 150_000 }, async () => {
    const project = await startedProject(hurriedCopy('sklearn'), sklearn.env);

    project.drop('acme-drops', 'wine/', join(exampleFolder('sklearn'), 'data', 'first.csv'));
    await project.event('dev.serin.rollout.promoted.v1');
    const [header = '', row = ''] = readFileSync(join(exampleFolder('sklearn'), 'data', 'second.csv'), 'utf8').split(
      '\n',
    );
    const wine = Object.fromEntries(header.split(',').map((column, index) => [column, row.split(',')[index]]));
    const good = await project.invoke('wine', { instances: [wine] });
    const bad = await project.invoke('wine', { instances: [{ alcohol: 13 }] });
    const version = await project.run(['versions', 'get', 'wine', '1']);

    expect(JSON.parse(good.stdout).predictions).toMatchObject([{ class: Number(wine.class) }]);
    expect(bad.stderr).toContain('answered with 400');
    expect(version).toMatchObject({
      metrics: { rows: 96, oobAccuracy: expect.any(Number) },
      verdict: { passed: true, checks: [{ metric: 'accuracy', rule: 'atLeast', bound: 0.9 }] },
    });
  });
});

const torch = withModule('torch');

describe(`the PyTorch example${torch.note}`, () => {
  torch.run('trains, judges and serves two years on one machine', { timeout: 200_000 }, async () => {
    const { off, bad, version } = await forecast('sagemaker-pytorch', torch.env);

    expect(off).toBeLessThan(1000);
    expect(bad.stderr).toContain('answered with 400');
    expect(version).toMatchObject({
      metrics: { trainDays: 584, trainMape: expect.any(Number) },
      verdict: { passed: true, checks: [{ metric: 'mape', rule: 'atMost', bound: 0.1 }] },
    });
  });

  torch.run('goes on from its checkpoint after an interruption', { timeout: 60_000 }, () => {
    const root = folder();
    for (const name of ['model', 'output']) mkdirSync(join(root, name));
    const env = {
      ...torch.env,
      SM_CHANNEL_TRAIN: join(exampleFolder('sagemaker-pytorch'), 'data'),
      SM_MODEL_DIR: join(root, 'model'),
      SM_OUTPUT_DATA_DIR: join(root, 'output'),
      SM_NUM_GPUS: '0',
      AIP_CHECKPOINT_DIR: join(root, 'checkpoints'),
    };
    const train = (epochs: string) =>
      spawnSync('python3', ['train.py', '--epochs', epochs], {
        cwd: join(exampleFolder('sagemaker-pytorch'), 'src'),
        env,
        encoding: 'utf8',
      }).stdout;
    const lossAt = (epoch: number, log: string) => log.match(`epoch=${epoch} train_loss=(\\S+)`)?.[1];

    const whole = train('150');
    const checkpoints = readdirSync(join(root, 'checkpoints'));
    env.AIP_CHECKPOINT_DIR = join(root, 'interrupted');
    const first = train('100');
    const second = train('150');

    expect(checkpoints).toEqual(['checkpoint.pth']);
    expect(first).not.toContain('resumed');
    expect(second).toContain('resumed after epoch=100');
    expect(second).not.toContain('epoch=50 ');
    expect(Number(lossAt(150, second))).toBeCloseTo(Number(lossAt(150, whole)), 4);
  });
});

function born(data: string, day: string): number {
  const lines = readFileSync(join(data, `${day.slice(0, 4)}.csv`), 'utf8').split('\n');
  return Number(
    lines
      .find((line) => line.startsWith(day))
      ?.split(',')
      .at(-1),
  );
}
