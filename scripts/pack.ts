import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import process from 'node:process';
import { configSchema } from '@serin/core/config/config';
import { type BuildOptions, build } from 'esbuild';
import { builtPage } from '../packages/page/build/build.ts';
import { bundle as bundleOf, type CloudName, clouds } from './bundle.ts';
import { declarations } from './pack-types.ts';

/**
 * Makes the npm package: `node scripts/pack.ts [outDir]` leaves `<outDir>/package` and `<outDir>/serin-<version>.tgz`.
 *
 * Everything is bundled, so the package has no dependencies, and TypeScript inside `node_modules` (which Node does not
 * strip) is not needed. The default outDir is packages/cli/dist.
 */

const root = resolve(import.meta.dirname, '..');
const cli = join(root, 'packages', 'cli');
const local = join(root, 'packages', 'local', 'src');

export async function pack(outDir: string): Promise<string> {
  const target = join(outDir, 'package');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, 'dist'), { recursive: true });
  await bundle(join(target, 'dist'));
  copyFiles(target);
  cutDemoData(join(target, 'dist', 'births'));
  writeFileSync(
    join(target, 'dist', 'index.d.ts'),
    declarations(configSchema.toJSONSchema({ io: 'input', unrepresentable: 'any' })),
  );
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
  const file = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', outDir], {
    cwd: target,
    encoding: 'utf8',
  }).trim();
  return join(outDir, basename(file.split('\n').at(-1) ?? ''));
}

async function bundle(dist: string): Promise<void> {
  const common = {
    outdir: dist,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    legalComments: 'linked',
    logLevel: 'warning',
  } satisfies BuildOptions;
  // For Node the package has CommonJS, whose `require` a bundle of modules does not have.
  const alias = { yaml: join(root, 'node_modules', 'yaml', 'browser', 'index.js') };
  const main = { in: join(cli, 'src', 'main.ts'), out: 'main' };
  const index = { in: join(cli, 'src', 'index.ts'), out: 'index' };
  await build({ ...common, entryPoints: [main, index], splitting: true, plugins: [builtPage], alias });
  // A process of its own for each job: it shares nothing, so that it stays small.
  await build({ ...common, entryPoints: [{ in: join(local, 'machine', 'runner.ts'), out: 'runner' }] });
  // What `serin plan` and `serin deploy` read of a cloud: nothing else of the command depends on it.
  await build({ ...common, entryPoints: infrastructure() });
  await bundleRequests(dist);
}

/** For each cloud that has a folder in infra: what it consists of, and where SST's state is kept if SST does not. */
const infrastructure = () =>
  readdirSync(join(root, 'infra'))
    .flatMap((cloud) =>
      ['topology', 'state'].map((part) => ({ in: join(root, 'infra', cloud, `${part}.ts`), out: `${cloud}-${part}` })),
    )
    .filter((entry) => existsSync(entry.in));

/** The ports of a cloud, with the parts of its packages that `serin plan --requests` runs; left out where they are not installed. */
async function bundleRequests(dist: string): Promise<void> {
  for (const cloud of Object.keys(clouds) as CloudName[]) {
    const name = `${cloud}-requests`;
    const functions = join(root, 'functions', cloud);
    if (!existsSync(join(functions, 'src', 'plan.ts'))) continue;
    if (!existsSync(join(functions, 'node_modules'))) {
      process.stderr.write(`functions/${cloud} is not installed: the package is made without ${name}.cjs\n`);
      continue;
    }
    const { file } = await bundleOf(cloud, { name, code: `export { requestsFor } from './plan.ts';` }, dist);
    renameSync(file, join(dist, `${name}.cjs`));
    rmSync(join(dist, name), { recursive: true });
  }
}

/** What is read at run time and is no module of the bundle. */
function copyFiles(target: string): void {
  const isProduct = (file: string) => !/\.test\.\w+$/.test(file) && !/node_modules|\.serin$|__pycache__/.test(file);
  const copy = (from: string, to: string) => cpSync(from, join(target, to), { recursive: true, filter: isProduct });
  copy(join(cli, 'bin'), 'bin');
  chmodSync(join(target, 'bin', 'serin.js'), 0o755);
  copy(join(cli, 'src', 'starter'), 'dist/starter');
  copy(join(cli, 'src', 'templates'), 'dist/templates');
  copy(join(local, 'splitter'), 'dist/splitter');
  copy(join(root, 'packages', 'core', 'src', 'base', 'data-files.mjs'), 'dist/splitter/data-files.mjs');
  copy(join(root, 'examples', 'births'), 'dist/births');
  for (const file of ['README.md', 'LICENSE']) if (existsSync(join(root, file))) copy(join(root, file), file);
}

/** The demo's data as CSV: the package that it comes from is not a dependency of the published one. */
function cutDemoData(births: string): void {
  mkdirSync(join(births, 'data'), { recursive: true });
  const script = join(root, 'examples', 'births', 'data.mjs');
  execFileSync(process.execPath, [script, 'all', join(births, 'data')], { stdio: ['ignore', 'ignore', 'inherit'] });
  rmSync(join(births, 'data.mjs'), { force: true });
}

function manifest() {
  const { name, version, license } = JSON.parse(readFileSync(join(cli, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  return {
    name,
    version,
    license,
    type: 'module',
    description: 'New data in a bucket becomes a safely released model: train, judge, canary, promote or roll back.',
    engines: { node: '>=18' },
    bin: { serin: 'bin/serin.js' },
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' },
    files: ['bin', 'dist'],
  };
}

if (process.argv[1] === import.meta.filename)
  process.stdout.write(`${await pack(resolve(process.argv[2] ?? join(cli, 'dist')))}\n`);
