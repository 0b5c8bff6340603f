import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { pack } from '../../scripts/pack.ts';
import { folder } from './command.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..', '..');

/** An empty project with the package installed as a user would: no other package, no network. */
async function installed(): Promise<string> {
  const directory = folder();
  const tarball = await pack(join(directory, 'out'));
  const project = join(directory, 'project');
  mkdirSync(project);
  copyFileSync(tarball, join(project, 'serin.tgz'));
  await run('npm', ['init', '--yes'], { cwd: project });
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', './serin.tgz'], { cwd: project });
  return project;
}

test('the package installs offline without dependencies, and its command makes a project that validates', {
  timeout: 180_000,
}, async () => {
  const cwd = await installed();

  await run('npx', ['serin', 'init', 'steps'], { cwd });
  const { stdout } = await run('npx', ['serin', 'validate', '--json'], { cwd: join(cwd, 'steps') });
  const version = await run('npx', ['serin', 'version', '--json'], { cwd });

  expect(JSON.parse(stdout)).toMatchObject({ valid: true, models: ['line'] });
  expect(JSON.parse(version.stdout)).toMatchObject({
    version: JSON.parse(readFileSync(join(repository, 'packages', 'cli', 'package.json'), 'utf8')).version,
  });
  expect(readdirSync(join(cwd, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['serin']);
  // The same code has the same digest, wherever the command comes from: a release from CI changes nothing.
  const own = await run(
    process.execPath,
    [join(repository, 'packages', 'cli', 'bin', 'serin.js'), 'validate', '--json'],
    { cwd: join(cwd, 'steps') },
  );
  expect(JSON.parse(stdout).digest).toBe(JSON.parse(own.stdout).digest);

  await types(join(cwd, 'steps'));
  await plans(join(cwd, 'steps'));
  const dist = join(cwd, 'node_modules', 'serin', 'dist');
  for (const file of [
    'runner.js',
    'splitter/split.mjs',
    'births/serin.config.ts',
    'births/data/1969.csv',
    'starter/gitignore',
    'templates/python/src/serinignore',
    'templates/sklearn/src/train.py',
  ])
    expect([file, existsSync(join(dist, file))]).toEqual([file, true]);
  expect(
    readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => /\.test\.|node_modules/.test(file)),
  ).toEqual([]);
});

/**
 * `serin plan` in a folder with nothing but a config. Its requests want a part that a package may be made without: then
 * it says so.
 */
async function plans(cwd: string): Promise<void> {
  const image = { aws: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/line:1' };
  const file = join(cwd, 'aws.config.json');
  const program = { command: ['python3', 'train.py'], image };
  const data = { bucket: 'acme-drops', prefix: 'line/' };
  const line = { data, train: program, approval: { required: true }, serve: 'none' };
  writeFileSync(file, JSON.stringify({ project: 'acme', models: { line } }));
  const plan = (...more: string[]) =>
    run('npx', ['serin', 'plan', '--cloud', 'aws', '--config', file, '--json', ...more], { cwd });

  const dist = join(cwd, '..', 'node_modules', 'serin', 'dist');

  const { topology } = JSON.parse((await plan('--region', 'eu-west-1')).stdout);
  const bytes = readdirSync(dist)
    .filter((name) => name.startsWith('aws-'))
    .map((name) => statSync(join(dist, name)).size);
  rmSync(join(dist, 'aws-requests.cjs'), { force: true });
  const refused = await plan('--requests').catch((error: { stdout: string }) => JSON.parse(error.stdout));

  expect(topology.table.name).toBe('serin-acme-dev-journal');
  expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(2_000_000);
  expect(refused.title).toBe('this package of serin does not contain the requests of aws');
}

/** The published types take the starter's config, and refuse a field that the schema does not know. */
async function types(project: string): Promise<void> {
  const config = readFileSync(join(project, 'serin.config.ts'), 'utf8');
  writeFileSync(join(project, 'wrong.config.ts'), config.replace("bake: '10s'", "bakes: '10s'"));
  const check = (file: string) =>
    run(
      join(repository, 'node_modules', '.bin', 'tsc'),
      ['--noEmit', '--strict', '--module', 'nodenext', '--types', '', file],
      { cwd: project },
    );

  await expect(check('serin.config.ts')).resolves.toMatchObject({ stdout: '' });
  await expect(check('wrong.config.ts')).rejects.toMatchObject({ stdout: expect.stringContaining('bakes') });
}
