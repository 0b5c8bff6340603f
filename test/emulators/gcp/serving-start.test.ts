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
import type { Bucket } from '@serin/core/ports/bucket';
import { secretLines } from '@serin/gcp/jobs/secret-script';
import { literal } from '@serin/gcp/serving/container';
import { neededOf, startScript } from '@serin/gcp/serving/start';
import { artifactAt, placeBy } from '@serin/platform/jobs/artifacts';
import type { Needed, Start } from '@serin/platform/serving-start';
import { afterEach, describe, expect, test } from 'vitest';
import { storeCode } from '../aws/stored.ts';
import { emulatedGcp } from '../emulated.ts';
import { Media, Refusal, type Request, type Served, serveGoogle } from './discovery.ts';
import { openWorld } from './serving-world.ts';

const exampleServer = join(import.meta.dirname, '../../../examples/vertex/src/serve.py');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const suite = 'gcp-serving-start';
const place = { googleProject: 'p', secretsPrefix: 'prefix-' };

/** What any image has. */
const always = ['sh', 'mkdir', 'sed', 'wc', 'sleep', 'rm', 'cat', 'env', 'dirname'];
const packers = ['tar', 'gzip'];
const secret = 'of "a" secret: $HOME `x` \\ ü\n';

function whereIs(name: string): string | undefined {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
  if (found === undefined || name !== 'python3') return found;
  // What is first in the path may be a script that only chooses one.
  const which = 'import os, sys; print(os.path.realpath(sys.executable))';
  return execFileSync(found, ['-c', which], { encoding: 'utf8' }).trim();
}

/** As Kubernetes expands a command. */
const expanded = (text: string): string => text.replaceAll('$$', '$');

emulatedGcp('the start of a serving container', () => {
  const closers: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  function newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'serin-start-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  /** The folder of an image's programs. */
  function programs(names: readonly string[]): string {
    const folder = newFolder();
    for (const name of names) {
      const file = whereIs(name);
      if (file !== undefined) symlinkSync(file, join(folder, name));
    }
    return folder;
  }

  function packed(files: Readonly<Record<string, string>>): Buffer {
    const folder = newFolder();
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return execFileSync('tar', ['-czf', '-', '-C', folder, '.']);
  }

  const objects = new Map<string, Buffer>();
  function needed(key: string, path: string, content: Buffer): Needed {
    objects.set(key, content);
    const object = { key, version: '1795169730123456', bytes: content.length };
    return neededOf('serin-own', object, { path, isPacked: path.endsWith('.tar.gz') });
  }

  /** Storage, secrets and tokens as Google serves them; `cut` answers only half of an object. */
  async function google(how: { readonly cut?: boolean; readonly failures?: number } = {}): Promise<Served> {
    let failures = how.failures ?? 0;
    const served = await serveGoogle(suite, {
      'storage.objects.get': ({ params, query }: Request) => {
        if (failures-- > 0) throw new Refusal('UNAVAILABLE', 'try again');
        const content = objects.get(params.object ?? '');
        if (content === undefined || query.get('generation') !== '1795169730123456')
          throw new Refusal('NOT_FOUND', `No such object: ${params.object}`);
        return new Media(how.cut ? content.subarray(0, content.length / 2) : content);
      },
      'secretmanager.projects.secrets.versions.access': ({ params }: Request) => ({
        name: params.name,
        payload: { data: Buffer.from(params.name?.includes('api-key') ? secret : 'plain').toString('base64') },
      }),
    });
    closers.push(() => served.stop());
    return served;
  }

  async function run(start: Start, { variables }: Served, path: string, root = newFolder()) {
    const script = expanded(literal(startScript(start, root)));
    const env = { ...variables, PATH: path, SERIN_PAUSE: '0', TMPDIR: newFolder() };
    const sh = whereIs('sh') ?? 'sh';
    return promisify(execFile)(sh, ['-c', script], { env }).then(
      ({ stdout }) => ({ code: 0, said: stdout, root }),
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, said: stderr, root }),
    );
  }

  const shown =
    'cat "$SM_MODEL_DIR/deep/weights.bin"; printf "|%s|" "$KEY"; cat serve.txt; printf "|%s" "$AIP_STORAGE_URI"';
  const start = (more: Partial<Start> = {}): Start => ({
    model: [needed('jobs/a b/ü+model.tar.gz', 'ü+model.tar.gz', packed({ 'deep/weights.bin': 'weights' }))],
    code: needed('code/archives/c.tar.gz', 'code.tar.gz', packed({ 'serve.txt': 'code' })),
    command: ['sh', '-c', shown],
    secrets: secretLines({ of: 'v1 of e', environment: { KEY: { secret: 'api-key' } } }, place),
    ...more,
  });

  describe.each([
    ['curl', ['curl', 'base64', 'tr', ...packers]],
    ['python3 and nothing else', ['python3']],
    ['node', ['node', ...packers]],
  ])('in an image with %s', (name, tools) => {
    const isHere = tools.every((tool) => whereIs(tool) !== undefined);

    test.skipIf(!isHere)('brings the model, the code and secrets, and becomes the command', async () => {
      const served = await google();

      const { code, said, root } = await run(start(), served, programs([...always, ...tools]));

      expect(said).toBe(`weights|${secret.slice(0, -1)}|code|file://${root}/model`);
      expect(code).toBe(0);
    });

    test.skipIf(!isHere)('brings the files of a folder to their places, and an empty one too', async () => {
      const served = await google();
      const big = Buffer.alloc(3_000_000, 'x');
      const model = [
        needed('m/config.json', 'config.json', Buffer.from('{}')),
        needed('m/deep/er/big one.bin', 'deep/er/big one.bin', big),
        needed('m/empty', 'empty', Buffer.alloc(0)),
      ];

      const { code, root } = await run(
        { model, command: ['sh', '-c', 'exit 0'], secrets: [] },
        served,
        programs([...always, ...tools]),
      );

      expect(code).toBe(0);
      expect(readFileSync(join(root, 'model/config.json'), 'utf8')).toBe('{}');
      expect(readFileSync(join(root, 'model/deep/er/big one.bin')).equals(big)).toBe(true);
      expect(readFileSync(join(root, 'model/empty'), 'utf8')).toBe('');
    });

    test.skipIf(!isHere)(
      'tries again while Google has no time, and stops with the reason when it never has',
      async () => {
        const patient = await run(
          start({ secrets: [] }),
          await google({ failures: 3 }),
          programs([...always, ...tools]),
        );
        const vain = await run(start({ secrets: [] }), await google({ failures: 99 }), programs([...always, ...tools]));

        expect([patient.code, vain.code]).toEqual([0, 1]);
        expect(vain.said).toMatch(/serin: cannot download .*503/s);
      },
    );

    test.skipIf(!isHere)('stops at a model that was overwritten, and at one that came only in part', async () => {
      const image = programs([...always, ...tools]);
      const [model] = start().model;
      const other = model === undefined ? [] : [{ ...model, url: model.url.replace(/\d+$/, '2') }];

      const overwritten = await run(start({ model: other }), await google(), image);
      const partly = await run(start(), await google({ cut: true }), image);

      expect([overwritten.code, partly.code]).toEqual([1, 1]);
      expect(overwritten.said).toMatch(/look whether it was deleted/);
      expect(partly.said).toMatch(/came with \d+ bytes, not \d+; deploy the model again/);
      expect(name).not.toBe('');
    });
  });

  test("a container of Vertex AI's contract serves the model that was deployed", async () => {
    const world = await openWorld({ suite });
    closers.push(() => world.served.stop());
    const put = (_: string, key: string, content: string) => world.bucket.write(key, Buffer.from(content));
    const digest = await storeCode({ 'serve.py': readFileSync(exampleServer, 'utf8') }, put);
    await world.bucket.write('jobs/v1/model.tar.gz', packed({ 'model.json': '{"Monday":9470.4}' }));
    const artifact = await artifactAt('gs://serin-own/jobs/v1/model.tar.gz', {
      buckets: () => world.bucket,
      placeOf: placeBy('gs'),
    });
    await world.deployed(world.deploymentOf(1, { code: { digest }, ...(artifact === undefined ? {} : { artifact }) }));
    const { command, env } = world.asked('models.upload')[0]?.body.model.containerSpec ?? {};
    const root = newFolder();
    const { variables } = await serveFrom(world.bucket);
    const port = await freePort();

    const child = spawn(whereIs('sh') ?? 'sh', ['-c', expanded(command[2]).replace('root=/opt/ml', `root=${root}`)], {
      env: {
        ...variables,
        ...Object.fromEntries(env.map(({ name, value }: { name: string; value: string }) => [name, expanded(value)])),
        // As Vertex AI sets them: https://docs.cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements
        ...{ AIP_HTTP_PORT: String(port), AIP_HEALTH_ROUTE: '/ping', AIP_PREDICT_ROUTE: '/invocations' },
        ...{ AIP_STORAGE_URI: '', PATH: programs([...always, ...packers, 'curl', 'python3']) },
      },
      stdio: 'inherit',
    });
    closers.push(() => void child.kill('SIGKILL'));
    const ask = (path: string, more = {}) => fetch(`http://127.0.0.1:${port}${path}`, more);
    while (
      !(await ask('/ping').then(
        ({ ok }) => ok,
        () => false,
      ))
    )
      await sleep(20);
    const body = JSON.stringify({ instances: [{ day: '1971-03-01' }] });
    const answer = await ask('/invocations', { method: 'POST', body });

    expect(await answer.json()).toEqual({ predictions: [{ births: 9470 }] });
  });

  /** The objects of a bucket, as Cloud Storage serves them. */
  async function serveFrom(bucket: Bucket): Promise<Served> {
    const served = await serveGoogle(suite, {
      'storage.objects.get': async ({ params, query }: Request) => {
        const key = params.object ?? '';
        const [info] = (await bucket.list(key)).items;
        const found = await bucket.read({ key, maxBytes: 1e9 });
        if (found === undefined || info?.version !== query.get('generation')) throw new Refusal('NOT_FOUND', key);
        return new Media(found.content);
      },
    });
    closers.push(() => served.stop());
    return served;
  }

  test('an image that cannot download or unpack says what it lacks', async () => {
    const served = await google();

    const none = await run(start(), served, programs(always));
    const unpacking = await run(start({ secrets: [] }), served, programs([...always, 'curl']));

    expect([none.code, unpacking.code]).toEqual([1, 1]);
    expect(none.said).toContain('none of curl, python3 and node');
    expect(unpacking.said).toContain('add tar and gzip');
  });

  test('a user who may not write to /opt/ml gets the model elsewhere', async () => {
    const root = newFolder();
    chmodSync(root, 0o500);
    const image = programs([...always, 'curl', 'base64', 'tr', ...packers]);
    // Root may write everywhere: a file stands in the way then.
    const blocked = join(root, 'blocked');
    if (process.getuid?.() === 0) writeFileSync(blocked, '');

    const { code, said } = await run(start(), await google(), image, blocked);

    expect(code).toBe(0);
    expect(said).toMatch(/^weights\|.*\/serin\/model$/s);
  });

  test('the command gets the signals of the container, for it has taken the place of the shell', async () => {
    const { variables } = await google();
    const script = expanded(literal(startScript({ model: [], command: ['sleep', '60'], secrets: [] }, newFolder())));
    const child = spawn(whereIs('sh') ?? 'sh', ['-c', script], { env: { ...variables, PATH: process.env.PATH } });
    const ended = once(child, 'exit');
    while (!readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').startsWith('sleep')) await sleep(10);

    child.kill('SIGTERM');

    expect(await ended).toEqual([null, 'SIGTERM']);
  });
});
