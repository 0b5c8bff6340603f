import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from '@serin/local/compose';
import { expect, test } from 'vitest';
import { bin } from '../cli/command.ts';
import { newDirectory } from './serving-machine.ts';
import { predicted, startIn, trained } from './trained-project.ts';

interface Report {
  readonly exit: number;
  readonly checks: readonly { readonly check: string; readonly verdict: string; readonly detail: string }[];
}

/** `serin doctor --deep`, what it says about digests. */
const doctor = ({ url, token }: Server, cwd: string): Promise<Report> =>
  new Promise((resolve) => {
    const env = { PATH: process.env.PATH, HOME: cwd, SERIN_URL: url, SERIN_TOKEN: token };
    execFile(process.execPath, [bin, 'doctor', '--deep', '--json'], { cwd, env }, (error, stdout) => {
      const { checks } = JSON.parse(stdout) as Report;
      resolve({ exit: Number(error?.code ?? 0), checks: checks.filter(({ check }) => check.startsWith('digest')) });
    });
  });

/** Changes one character of a file, wherever it lies below the directory. */
function damage(directory: string, ending: RegExp): string {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const found = files.find((name) => ending.test(name));
  if (found === undefined) throw new Error(`nothing in ${directory} ends like ${ending}`);
  const file = join(directory, found);
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text.replace(/[a-z0-9]/, (letter) => (letter === 'x' ? 'y' : 'x')),
  );
  return found;
}

test('doctor --deep reads code, configs, datasets and models, and names what is not what its digest says', async () => {
  const directory = newDirectory();
  const server = await startIn(directory);
  await trained(server, directory);
  const own = join(directory, 'data/buckets/serin');

  const whole = await doctor(server, directory);
  const kinds = [/^code\/blobs\/[0-9a-f]+$/, /^code\/[0-9a-f]+\.json$/, /^configs\//, /^datasets\/chunks\//];
  const objects = kinds.map((kind) => damage(own, kind));
  const model = damage(join(directory, 'data/jobs'), /tree\/model\/model\.json$/);
  const damaged = await doctor(server, directory);

  expect(whole.exit).toBe(0);
  expect(whole.checks).toMatchObject([
    { check: 'digests of objects', verdict: 'ok' },
    { check: 'digests of artifacts', verdict: 'ok', detail: expect.stringMatching(/^[1-9]\d* read whole/) },
  ]);
  expect(damaged.exit).toBe(1);
  for (const name of objects)
    expect(damaged.checks).toContainEqual({
      check: `digest of ${name}`,
      verdict: 'failed',
      detail: expect.stringMatching(/has the digest [0-9a-f]{64}, not [0-9a-f]{64}.*restore it from a backup/),
    });
  expect(damaged.checks).toContainEqual({
    check: expect.stringContaining(model.split('/')[0] ?? ''),
    verdict: 'failed',
    detail: expect.stringMatching(/has the digest [0-9a-f]{64}, not [0-9a-f]{64}/),
  });
});

test('a champion whose model was changed while the server was down is not served', async () => {
  const directory = newDirectory();
  const before = await startIn(directory);
  await trained(before, directory);
  await before.close();
  damage(join(directory, 'data/jobs'), /tree\/model\/model\.json$/);

  const server = await startIn(directory);
  const status = await predicted(server);

  expect(status).toBe(503);
});
