import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

// Installs cfn-lint into .build/python, once per content of requirements.txt; the tests then run it.
const here = import.meta.dirname;
const python = join(here, '.build/python');
const requirements = join(here, 'requirements.txt');
const stamp = join(python, 'installed');
const cfnLint = join(python, 'bin/cfn-lint');

const wanted = readFileSync(requirements, 'utf8');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  try {
    execFileSync('python3', ['-m', 'venv', '--clear', python], { stdio: 'inherit' });
  } catch (error) {
    process.stderr.write('cannot make a Python environment; install Python 3.9 or newer with its module venv\n');
    throw error;
  }
  execFileSync(join(python, 'bin/pip'), ['install', '--quiet', '--no-deps', '-r', requirements], { stdio: 'inherit' });
  writeFileSync(stamp, wanted);
}
process.stdout.write(execFileSync(cfnLint, ['--version'], { encoding: 'utf8' }));
