// Makes the Python environment that test/examples and test/python work with. A second run does nothing new.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
const environment = join(root, 'test', 'emulators', '.installed', 'examples');
const requirements = ['examples/sklearn/image/requirements.txt', 'test/python/requirements.txt'];
const wanted = requirements.map((file) => readFileSync(join(root, file), 'utf8')).join('');
const stamp = join(environment, 'requirements.txt');

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status === 0) return;
  console.error(`examples: \`${command} ${args.join(' ')}\` failed${error === undefined ? '' : `: ${error.message}`}`);
  console.error('examples: it takes Python 3.11 or newer with its venv module (Debian: python3-venv), and PyPI');
  process.exit(1);
}

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  rmSync(environment, { recursive: true, force: true });
  run('python3', ['-m', 'venv', environment]);
  const pip = join(environment, 'bin', 'pip');
  const files = requirements.flatMap((file) => ['--requirement', join(root, file)]);
  run(pip, ['install', '--quiet', '--no-deps', ...files]);
  run(pip, ['check']);
  writeFileSync(stamp, wanted);
}
console.log(`examples: ${environment} has what ${requirements.join(' and ')} name`);
