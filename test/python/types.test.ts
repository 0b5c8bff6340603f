import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { pythonWith } from '../examples/one-machine.ts';

const { env, why } = pythonWith('mypy');
const isRequired = (process.env.SERIN_REQUIRE ?? '').split(',').includes('sklearn');
const note = why === undefined ? '' : ` [skipped: ${why}; npm run examples]`;
const inPython = why === undefined || isRequired ? test : test.skip;

inPython(`the Python client and its tests have the types that they say${note}`, { timeout: 60_000 }, () => {
  const { stdout, stderr } = spawnSync('python3', ['-m', 'mypy', '--cache-dir', '/dev/null', 'serin', 'tests'], {
    cwd: join(import.meta.dirname, '..', '..', 'clients', 'python'),
    env,
    encoding: 'utf8',
  });

  expect([stdout.trim(), stderr]).toEqual([
    expect.stringMatching(/^Success: no issues found in \d+ source files$/),
    '',
  ]);
});
