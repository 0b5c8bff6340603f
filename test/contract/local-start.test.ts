import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { startServer } from '@serin/local/compose';
import { expect, test } from 'vitest';
import { closers, newDirectory } from './serving-machine.ts';
import { predicted, startIn, trained } from './trained-project.ts';

const compose = pathToFileURL(join(import.meta.dirname, '../../packages/local/src/compose.ts')).href;

/** A process that starts the server and goes on when it cannot: it ends by itself only when nothing of it is left. */
async function saidBy(directory: string): Promise<string> {
  const data = JSON.stringify(join(directory, 'data'));
  const source = `
    import { startServer } from ${JSON.stringify(compose)};
    await startServer({ directory: ${data}, port: 0, version: 'test' }).catch(({ message }) => console.log(message));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closers.push(() => void child.kill('SIGKILL'));
  return text(child.stdout);
}

async function released(): Promise<{ readonly directory: string; readonly config: string }> {
  const directory = newDirectory();
  const server = await startIn(directory);
  await trained(server, directory);
  await server.close();
  const configs = join(directory, 'data/buckets/serin/configs');
  return { directory, config: join(configs, readdirSync(configs)[0] ?? '') };
}

test.each([
  ['missing', (config: string) => rmSync(config), /the released config [0-9a-f]{64} is not in the bucket 'serin'/],
  [
    'changed',
    (config: string) => writeFileSync(config, readFileSync(config, 'utf8').replace('kill', 'kiln')),
    /has the digest [0-9a-f]{64}, not [0-9a-f]{64}/,
  ],
])('a server whose released config is %s says so and ends, and answers nobody', async (_, damage, words) => {
  const { directory, config } = await released();
  const whole = readFileSync(config);
  damage(config);

  const said = await saidBy(directory);
  await expect(startIn(directory)).rejects.toThrow(words);
  writeFileSync(config, whole);
  const again = await startIn(directory);

  expect(said).toMatch(words);
  await expect.poll(() => predicted(again), { interval: 20, timeout: 10_000 }).toBe(200);
});

test('a backup that was copied back a moment ago starts at once', async () => {
  const { directory } = await released();
  const copy = newDirectory();
  cpSync(join(directory, 'data'), join(copy, 'data'), { recursive: true });
  // Artifacts are named by their path.
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  cpSync(join(copy, 'data'), join(directory, 'data'), { recursive: true });

  const server = await startServer({ directory: join(directory, 'data'), port: 0, version: 'test' });
  closers.push(() => server.close());

  await expect.poll(() => predicted(server), { interval: 20, timeout: 10_000 }).toBe(200);
});

test('a start forgets what readings of two weeks ago and windows of 100 days ago have left, and nothing else', async () => {
  const directory = newDirectory();
  const own = join(directory, 'data', 'buckets', 'serin');
  const ago = (days: number) => Date.now() / 1000 - days * 86_400;
  const files = {
    'profiles/unfinished/a': 15,
    'drift/unfinished/b': 15,
    'profiles/unfinished/c': 13,
    'profiles/d.json': 15,
    'drift/windows/e': 99,
    'drift/windows/f': 101,
    'drift/g.json': 101,
  };
  for (const [name, days] of Object.entries(files)) {
    mkdirSync(dirname(join(own, name)), { recursive: true });
    writeFileSync(join(own, name), 'x');
    utimesSync(join(own, name), ago(days), ago(days));
  }

  await startIn(directory);

  const left = () => Object.keys(files).filter((name) => existsSync(join(own, name)));
  await expect.poll(left).toEqual(['profiles/unfinished/c', 'profiles/d.json', 'drift/windows/e', 'drift/g.json']);
});

test('a start on a port that is taken leaves neither a lock nor a model server behind', async () => {
  const { directory } = await released();
  const other = await startIn(newDirectory());

  const start = startServer({ directory: join(directory, 'data'), port: other.port, version: 'test' });

  await expect(start).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('is in use') });
  expect(modelServersIn(directory)).toEqual([]);
  await startIn(directory);
});

function modelServersIn(directory: string): readonly string[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`SM_MODEL_DIR=${directory}`);
    } catch {
      return false;
    }
  });
}

test('an empty token file is replaced by a new token, and one that holds anything else is refused', async () => {
  const directory = newDirectory();
  const file = join(directory, 'data/admin.token');
  const first = await startIn(directory);
  await first.close();

  writeFileSync(file, '');
  const second = await startIn(directory);
  const kept = readFileSync(file, 'utf8').trim();
  await second.close();
  writeFileSync(file, 'srn_half');

  expect([second.tokenIsNew, second.token === first.token]).toEqual([true, false]);
  expect(kept).toBe(second.token);
  await expect(startIn(directory)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringMatching(/admin\.token does not hold a token; restore it from a backup, or delete it/),
  });
});

const mounts = process.platform === 'linux' && process.getuid?.() === 0;

test.skipIf(!mounts).each([8, 64, 200])(
  `a first start on a disk with %i KB says that it is full and leaves nothing that is believed${mounts ? '' : ' [skipped: it takes Linux and root to mount one]'}`,
  async (kilobytes) => {
    const directory = newDirectory();
    spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', directory]);
    closers.push(() => void spawnSync('umount', ['-l', directory]));

    await expect(startIn(directory)).rejects.toThrow(
      /is full; free some space|check its disk|check the space and permissions of the disk/,
    );
    spawnSync('mount', ['-o', 'remount,size=64m', directory]);
    const server = await startIn(directory);

    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    await server.close();
  },
);

test('/readyz says no when the data directory was taken away', async () => {
  const directory = newDirectory();
  const server = await startIn(directory);
  const before = await fetch(`${server.url}/readyz`);
  rmSync(join(directory, 'data'), { recursive: true });

  const after = async () => (await fetch(`${server.url}/readyz`)).status;

  expect(before.status).toBe(200);
  await expect.poll(after, { interval: 100, timeout: 10_000 }).toBe(503);
});

test('a model server that ignores SIGTERM is killed, and the process that waited for it ends well', async () => {
  const directory = newDirectory();
  const module = pathToFileURL(join(import.meta.dirname, '../../packages/local/src/machine/server-process.ts')).href;
  const stubborn = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up');";
  const log = join(directory, 'log.txt');
  const source = `
    import { existsSync, readFileSync } from 'node:fs';
    import { launch } from ${JSON.stringify(module)};
    const command = [process.execPath, '-e', ${JSON.stringify(stubborn)}];
    const started = await launch({ command, folder: '.', environment: {}, log: ${JSON.stringify(log)} });
    while (!readFileSync(${JSON.stringify(log)}, 'utf8').includes('up')) await new Promise((go) => setTimeout(go, 10));
    await started.end(50);
    console.log('closed');`;

  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));

  expect(await text(child.stdout)).toBe('closed\n');
  expect(await exit).toBe(0);
});
