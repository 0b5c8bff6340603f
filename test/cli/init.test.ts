import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { init } from '../../packages/cli/src/commands/init.ts';
import type { Options } from '../../packages/cli/src/invocation.ts';
import { begin, bin, folder, serin } from './command.ts';
import { keptTerminal } from './screens.ts';

/** A person at a terminal who gives these answers, one after the other. */
async function asked(
  answers: readonly string[],
  { options = {}, cwd = folder(), args = ['p'] }: { options?: Options; cwd?: string; args?: readonly string[] } = {},
) {
  const left = [...answers];
  const terminal = {
    ...keptTerminal(80),
    interactive: true,
    ask: async () => left.shift() ?? Promise.reject(new Error('nobody expected this question')),
  };
  const exit = await init({ args, options, terminal, env: {}, cwd, signal: new AbortController().signal });
  return { exit, text: terminal.text(), cwd, left };
}

const configIn = (folder: string): string => {
  const name = readdirSync(folder).find((file) => file.startsWith('serin.config.')) ?? '';
  return readFileSync(join(folder, name), 'utf8');
};

test('init asks a person at a terminal, and an empty answer is the first choice: scikit-learn, served', async () => {
  const { text, cwd } = await asked(['', '', '']);

  expect(text).toContain('What do you have?\n  1  nothing yet: write a project that works\n');
  expect(text).toContain('  1  scikit-learn: gradient boosting');
  expect(readFileSync(join(cwd, 'p', 'src', 'requirements.txt'), 'utf8')).toContain('scikit-learn==');
  expect(configIn(join(cwd, 'p'))).toContain('serve: { command: [python3, serve.py] }');
});

test('init takes the number of a choice or its name, and asks again after anything else', async () => {
  const { cwd, left } = await asked(['1', '9', 'nothing', 'xgboost', 'no']);

  expect(left).toEqual([]);
  expect(readFileSync(join(cwd, 'p', 'src', 'requirements.txt'), 'utf8')).toContain('xgboost');
  expect(configIn(join(cwd, 'p'))).toMatch(/\n {4}serve: none\n$/);
  expect(readdirSync(join(cwd, 'p', 'src'))).not.toContain('serve.py');
});

test('init in a folder with a training script proposes it', async () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'train.py'), "import argparse\nopen('x')\n");

  const { text } = await asked(['', ''], { cwd, args: [] });

  expect(text).toContain('  1  a training script: write a config around it');
  expect(configIn(cwd)).toContain('train.py');
});

test.each<[string, Options]>([
  ['--template', { template: 'node' }],
  ['--yes', { yes: true }],
  ['--cloud', { cloud: 'aws' }],
])('init with %s asks nothing', async (_, options) => {
  const { cwd } = await asked([], { options });

  expect(configIn(join(cwd, 'p'))).toContain("train: { code: './src', command: ['node', 'train.mjs']");
});

test.each(['sklearn', 'xgboost', 'pytorch', 'onnx', 'node'])(
  'init --template %s writes a project that validates, and overwrites nothing afterwards',
  async (template) => {
    const cwd = folder();

    const first = await serin(['init', 'My Shop', '--template', template, '--json'], { cwd });
    const again = await serin(['init', 'My Shop', '--template', template], { cwd });
    const place = join(cwd, 'My Shop');
    const { exit, stdout } = await serin(['validate', '--json'], { cwd: place, env: { VIRTUAL_ENV: '/x' } });

    const { written } = JSON.parse(first.stdout);
    expect(written).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'sample/first.csv']));
    expect([exit, JSON.parse(stdout).warnings]).toEqual([0, []]);
    expect(again.exit).toBe(4);
    for (const file of written) expect(readFileSync(join(place, file), 'utf8')).not.toMatch(/__[A-Z_]+__(?!")/);
    const readme = readFileSync(join(place, 'README.md'), 'utf8');
    expect([readme.includes(`node ${bin} dev`), readme.includes('npx')]).toEqual([true, false]);
    if (template === 'node') return;
    expect(configIn(place)).toContain('project: my-shop\n');
    expect(readFileSync(join(place, 'src', '.serinignore'), 'utf8')).toContain('data/');
    expect(readFileSync(join(place, '.gitignore'), 'utf8')).toContain('.venv/');
    expect(JSON.parse(readFileSync(join(place, '.serin', 'schema.json'), 'utf8'))).toHaveProperty('properties.models');
  },
);

test.each([
  [['--template', 'sklean'], 'use sklearn, xgboost, pytorch, onnx or node'],
  [['--template', 'sklearn', '--from', 'train.py'], 'give one of them'],
  [['--template', 'sklearn', '--cloud', 'aws'], 'leave out --cloud'],
  [['--template', 'node', '--no-serve'], 'leave out --no-serve'],
])('init %j is refused, and says what to do', async (options, mend) => {
  const cwd = folder();

  const { exit, stderr } = await serin(['init', 'p', ...options], { cwd });

  expect(exit).toBe(2);
  expect(stderr).toContain(mend);
  expect(readdirSync(cwd)).toEqual([]);
});

/** A project with an environment whose `python3` only says that it ran. */
async function environment(): Promise<string> {
  const cwd = folder();
  await serin(['init', '--template', 'sklearn'], { cwd });
  mkdirSync(join(cwd, '.venv', 'bin'), { recursive: true });
  const python = join(cwd, '.venv', 'bin', 'python3');
  writeFileSync(python, `#!/bin/sh\necho "$0" >> ${join(cwd, 'ran')}\nexit 3\n`);
  chmodSync(python, 0o755);
  return cwd;
}

test('a job finds its Python in .venv beside the config, unless another environment is active', {
  timeout: 60_000,
}, async () => {
  const [beside, active] = [await environment(), await environment()];

  const ran = await Promise.all(
    [
      { cwd: beside, env: {} },
      { cwd: active, env: { VIRTUAL_ENV: '/somewhere' } },
    ].map(async ({ cwd, env }) => {
      const child = begin(['dev', '--port', '0', '--json'], { cwd, env });
      await new Promise((resolve) =>
        child.stdout?.on('data', (bytes) => String(bytes).includes('"released"') && resolve(0)),
      );
      writeFileSync(
        join(cwd, '.serin', 'buckets', 'drops', 'churn', 'a.csv'),
        readFileSync(join(cwd, 'sample', 'first.csv')),
      );
      const wait = begin(['events', 'list', '--follow', '--after', '0', '--json'], { cwd });
      await new Promise((resolve) =>
        wait.stdout?.on('data', (bytes) => /run\.failed/.test(String(bytes)) && resolve(0)),
      );
      return readdirSync(cwd).includes('ran');
    }),
  );

  expect(ran).toEqual([true, false]);
});

test('packages that the code names are missed as long as there is no environment for them', async () => {
  const cwd = folder();
  await serin(['init', '--template', 'sklearn'], { cwd });
  const warningsWith = async (env: Record<string, string>, ...more: string[]) =>
    JSON.parse((await serin(['validate', '--json', ...more], { cwd, env })).stdout).warnings;

  const [none, active] = [await warningsWith({}), await warningsWith({ VIRTUAL_ENV: '/x' })];
  mkdirSync(join(cwd, '.venv'));

  expect(none).toEqual([
    'src/requirements.txt names packages, and there is no .venv beside the config: python3 -m venv .venv && .venv/bin/pip install -r src/requirements.txt',
  ]);
  expect([active, await warningsWith({})]).toEqual([[], []]);
});
