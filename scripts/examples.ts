// Makes what test/examples, test/python and test/mlflow have of Python. A second run does nothing new.
// `node scripts/examples.ts xgboost onnx pytorch scripts` makes what projects of these templates need, and the scripts of
// test/examples/scripts, each in a folder of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
const installed = join(root, 'test', 'emulators', '.installed');
const environment = join(installed, 'examples');
const pip = join(environment, 'bin', 'pip');

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status === 0) return;
  console.error(`examples: \`${command} ${args.join(' ')}\` failed${error === undefined ? '' : `: ${error.message}`}`);
  console.error('examples: it takes Python 3.11 or newer with its venv module (Debian: python3-venv), and PyPI');
  process.exit(1);
}

/** Installs into a folder what files of requirements name, unless those very files were installed there before. */
function made(folder: string, requirements: readonly string[], install: (files: readonly string[]) => void): void {
  const wanted = requirements.map((file) => readFileSync(join(root, file), 'utf8')).join('');
  const stamp = join(folder, 'requirements.txt');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    rmSync(folder, { recursive: true, force: true });
    install(requirements.flatMap((file) => ['--requirement', join(root, file)]));
    writeFileSync(stamp, wanted);
  }
  console.log(`examples: ${folder} has what ${requirements.join(' and ')} name`);
}

made(environment, ['examples/sklearn/image/requirements.txt', 'test/python/requirements.txt'], (files) => {
  run('python3', ['-m', 'venv', environment]);
  run(pip, ['install', '--quiet', '--no-deps', ...files]);
  run(pip, ['check']);
});
// Folders beside that environment, which has scikit-learn and pandas: so those are there once.
for (const version of ['3', '2']) {
  const folder = join(installed, `mlflow-${version}`);
  made(folder, [`test/mlflow/requirements-${version}.txt`], (files) =>
    run(pip, ['install', '--quiet', '--no-deps', '--no-compile', '--target', folder, ...files]),
  );
}
for (const name of process.argv.slice(2)) {
  const folder = join(installed, name);
  const where = name === 'scripts' ? 'test/examples/scripts' : `packages/cli/src/templates/${name}/src`;
  made(folder, [`${where}/requirements.txt`], (files) => {
    run('python3', ['-m', 'venv', folder]);
    run(join(folder, 'bin', 'pip'), ['install', '--quiet', ...files]);
  });
}
