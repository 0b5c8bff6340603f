import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Needed, Start } from '@serin/platform/serving-start';
import type { Variables } from '@serin/platform/settings';
import { afterEach, describe, expect, test } from 'vitest';

/** The store, the secrets and the tokens of a cloud, as a container reaches them. */
export interface Reached {
  readonly variables: Variables;
  stop(): Promise<void>;
}

/** A cloud whose serving containers start by our script. */
export interface StartedOn {
  /** An object that the store has. */
  needed(key: string, path: string, content: Buffer): Needed;
  /** The same in a version that it never had. */
  overwritten(model: Needed): Needed;
  /** As the container runs it. */
  script(start: Start, reached: Reached, root?: string): string;
  /** `cut`: only half of an object comes; `failures`: so many requests for objects fail first. */
  reach(how?: { readonly cut?: boolean; readonly failures?: number }): Promise<Reached>;
  /** Lines that export KEY, whose stored text is `storedSecret`. */
  readonly secrets: readonly string[];
  /** What an image must have beside a reader of objects, so that it reads secrets too. */
  readonly readsSecrets: Readonly<Record<'curl' | 'python3' | 'node', boolean>>;
  /** The variable by which programs of this cloud find their model, and what it says. */
  readonly modelVariable: string;
  modelIn(root: string): string;
}

export const storedSecret = 'of "a" secret: $HOME `x` \\ ü\n';

/** What any image has. */
export const always = ['sh', 'mkdir', 'sed', 'wc', 'sleep', 'rm', 'cat', 'env', 'dirname'];
export const packers = ['tar', 'gzip'];

export function whereIs(name: string): string | undefined {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
  if (found === undefined || name !== 'python3') return found;
  // What is first in the path may be a script that only chooses one.
  const which = 'import os, sys; print(os.path.realpath(sys.executable))';
  return execFileSync(found, ['-c', which], { encoding: 'utf8' }).trim();
}

/** Folders and servers that go with the test. */
export function fixtures() {
  const closers: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  function newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'serin-start-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  return {
    closers,
    newFolder,

    /** The folder of an image's programs. */
    programs(names: readonly string[]): string {
      const folder = newFolder();
      for (const name of names) {
        const file = whereIs(name);
        if (file !== undefined) symlinkSync(file, join(folder, name));
      }
      return folder;
    },

    packed(files: Readonly<Record<string, string>>): Buffer {
      const folder = newFolder();
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(join(folder, path, '..'), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      return execFileSync('tar', ['-czf', '-', '-C', folder, '.']);
    },

    /** Runs a script as the container of the example's server does, and asks it. */
    async served(script: string, env: Readonly<Record<string, string | undefined>>, port: number): Promise<unknown> {
      const child = spawn(whereIs('sh') ?? 'sh', ['-c', script], { env, stdio: 'inherit' });
      closers.push(() => void child.kill('SIGKILL'));
      const ask = (path: string, more = {}) => fetch(`http://127.0.0.1:${port}${path}`, more);
      const isReady = () =>
        ask('/ping').then(
          ({ ok }) => ok,
          () => false,
        );
      while (!(await isReady())) await sleep(20);
      const body = JSON.stringify({ instances: [{ day: '1971-03-01' }] });
      return (await ask('/invocations', { method: 'POST', body })).json();
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** What the start of a serving container promises on every cloud where it is ours. */
export function servingStart(cloud: StartedOn): void {
  const { closers, newFolder, programs, packed } = fixtures();
  const { needed } = cloud;

  async function reach(how: Parameters<StartedOn['reach']>[0] = {}): Promise<Reached> {
    const reached = await cloud.reach(how);
    closers.push(() => reached.stop());
    return reached;
  }

  async function run(start: Start, reached: Reached, path: string, root = newFolder()) {
    const env = { ...reached.variables, PATH: path, SERIN_PAUSE: '0', TMPDIR: newFolder() };
    return promisify(execFile)(whereIs('sh') ?? 'sh', ['-c', cloud.script(start, reached, root)], { env }).then(
      ({ stdout }) => ({ code: 0, said: stdout, root }),
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, said: stderr, root }),
    );
  }

  const shown = `cat "$SM_MODEL_DIR/deep/weights.bin"; printf "|%s|" "\${KEY-}"; cat serve.txt; printf "|%s" "$${cloud.modelVariable}"`;
  const start = (more: Partial<Start> = {}): Start => ({
    model: [needed('jobs/a b/ü+model.tar.gz', 'ü+model.tar.gz', packed({ 'deep/weights.bin': 'weights' }))],
    code: needed('code/archives/c.tar.gz', 'code.tar.gz', packed({ 'serve.txt': 'code' })),
    command: ['sh', '-c', shown],
    secrets: cloud.secrets,
    ...more,
  });

  describe.each([
    ['curl', ['curl', 'base64', 'tr', ...packers]],
    ['python3', ['python3']],
    ['node', ['node', ...packers]],
  ] as const)('in an image with %s', (reader, tools) => {
    const isHere = tools.every((tool) => whereIs(tool) !== undefined);
    const reads = cloud.readsSecrets[reader];
    const secrets = reads ? cloud.secrets : [];
    const image = () => programs([...always, ...tools]);

    test.skipIf(!isHere)('brings the model, the code and secrets, and becomes the command', async () => {
      const { code, said, root } = await run(start({ secrets }), await reach(), image());

      expect(said).toBe(`weights|${reads ? storedSecret.slice(0, -1) : ''}|code|${cloud.modelIn(root)}`);
      expect(code).toBe(0);
    });

    test.skipIf(!isHere || reads)('says that it cannot read secrets', async () => {
      const { code, said } = await run(start(), await reach(), image());

      expect(code).not.toBe(0);
      expect(said).toContain('the secret api-key cannot be read: the image has no');
    });

    test.skipIf(!isHere)('brings the files of a folder to their places, and an empty one too', async () => {
      const big = Buffer.alloc(3_000_000, 'x');
      const model = [
        needed('m/config.json', 'config.json', Buffer.from('{}')),
        needed('m/deep/er/big one.bin', 'deep/er/big one.bin', big),
        needed('m/empty', 'empty', Buffer.alloc(0)),
      ];
      const ending: Start = { model, command: ['sh', '-c', 'exit 0'], secrets: [] };

      const { code, root } = await run(ending, await reach(), image());

      expect(code).toBe(0);
      expect(readFileSync(join(root, 'model/config.json'), 'utf8')).toBe('{}');
      expect(readFileSync(join(root, 'model/deep/er/big one.bin')).equals(big)).toBe(true);
      expect(readFileSync(join(root, 'model/empty'), 'utf8')).toBe('');
    });

    test.skipIf(!isHere)(
      'tries again while the store has no time, and stops with the reason when it never has',
      async () => {
        const patient = await run(start({ secrets: [] }), await reach({ failures: 3 }), image());
        const vain = await run(start({ secrets: [] }), await reach({ failures: 99 }), image());

        expect([patient.code, vain.code]).toEqual([0, 1]);
        expect(vain.said).toMatch(/serin: cannot download .*503/s);
      },
    );

    test.skipIf(!isHere)('stops at a model that was overwritten, and at one that came only in part', async () => {
      const model = start().model.map(cloud.overwritten);

      const overwritten = await run(start({ model }), await reach(), image());
      const partly = await run(start(), await reach({ cut: true }), image());

      expect([overwritten.code, partly.code]).toEqual([1, 1]);
      expect(overwritten.said).toMatch(/look whether it was deleted/);
      expect(partly.said).toMatch(/came with \d+ bytes, not \d+; deploy the model again/);
    });
  });

  test('an image that cannot download or unpack says what it lacks', async () => {
    const none = await run(start(), await reach(), programs(always));
    const unpacking = await run(start({ secrets: [] }), await reach(), programs([...always, 'curl']));

    expect([none.code, unpacking.code]).toEqual([1, 1]);
    expect(none.said).toContain('none of curl, python3 and node');
    expect(unpacking.said).toContain('add tar and gzip');
  });

  test('a user who may not write to /opt/ml gets the model elsewhere', async () => {
    const root = newFolder();
    chmodSync(root, 0o500);
    const image = programs([...always, 'curl', ...packers]);
    // Root may write everywhere: a file stands in the way then.
    const blocked = join(root, 'blocked');
    if (process.getuid?.() === 0) writeFileSync(blocked, '');

    const { code, said } = await run(start({ secrets: [] }), await reach(), image, blocked);

    expect(code).toBe(0);
    expect(said).toMatch(/^weights\|.*\/serin\/model$/s);
  });

  test('the command gets the signals of the container, for it has taken the place of the shell', async () => {
    const reached = await reach();
    const script = cloud.script({ model: [], command: ['sleep', '60'], secrets: [] }, reached, newFolder());
    const env = { ...reached.variables, PATH: process.env.PATH };
    const child = spawn(whereIs('sh') ?? 'sh', ['-c', script], { env });
    const ended = once(child, 'exit');
    while (!readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').startsWith('sleep')) await sleep(10);

    child.kill('SIGTERM');

    expect(await ended).toEqual([null, 'SIGTERM']);
  });
}
