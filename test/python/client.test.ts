import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { finished } from '../cli/command.ts';
import { dev, starter } from '../cli/starter.ts';
import { pythonWith } from '../examples/one-machine.ts';

const { env, why } = pythonWith('unittest');
const isRequired = (process.env.SERIN_REQUIRE ?? '').split(',').includes('python');
const note = why === undefined ? '' : ` [skipped: ${why}; install Python 3.9 or newer]`;
const inPython = why === undefined || isRequired ? test : test.skip;
const client = join(import.meta.dirname, '..', '..', 'clients', 'python');

const hurried = (config: string): string =>
  config
    .replace("quiet: '2s'", "quiet: '100ms'")
    .replace("bake: '10s'", "bake: '1s'")
    .replace("guard: '10s'", "guard: '1s'")
    .replace('serve: {', "labels: { bucket: 'outcomes', prefix: 'line/' },\n      serve: {")
    .replace('latency: { dryRun: true }', "latency: { dryRun: true }, labels: { maturity: '1h' }");

inPython(`the Python client works with a real server${note}`, { timeout: 180_000 }, async () => {
  const cwd = await starter(hurried);
  await dev(cwd);
  const { url, token } = JSON.parse(readFileSync(join(cwd, '.serin', 'server.json'), 'utf8'));

  const child = spawn('python3', ['-W', 'error', '-m', 'unittest'], {
    cwd: client,
    env: { ...env, HOME: cwd, SERIN_URL: url, SERIN_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { exit, stderr } = await finished(child);

  expect(stderr).toMatch(/^OK( \(skipped=\d+\))?$/m);
  expect(exit).toBe(0);
});

inPython(`the Python client finds the server of its folder, as the command does${note}`, async () => {
  const cwd = await starter();
  await dev(cwd);

  const { stdout, stderr } = spawnSync('python3', ['-c', 'import serin; print(serin.connect().models.list())'], {
    cwd: join(cwd, 'src'),
    env: { ...env, HOME: cwd, PYTHONPATH: client },
    encoding: 'utf8',
  });

  expect([stdout, stderr]).toEqual([expect.stringContaining("'model': 'line'"), '']);
});
