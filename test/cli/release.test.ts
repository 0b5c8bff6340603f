import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CodeFolder, hashFolder } from '../../packages/cli/src/code.ts';
import { hashSplitter } from '../../packages/cli/src/release.ts';
import { folder, type Received, serin, stubServer } from './command.ts';
import { starter } from './starter.ts';

function code(files: Readonly<Record<string, string>>): string {
  const directory = folder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

test('equal folders have one digest, whatever their times, their order on disk, and what running them left', async () => {
  const one = code({ 'train.py': 'a', 'lib/b.py': 'b', 'lib.py': 'c' });
  const other = code({
    'lib.py': 'c',
    'lib/b.py': 'b',
    'train.py': 'a',
    '__pycache__/x': '1',
    'lib/b.pyc': '2',
    '.git/HEAD': '3',
    'node_modules/m/i.js': '4',
    '.serin/s': '5',
  });
  utimesSync(join(other, 'train.py'), 1, 1);

  const [first, second] = [await hashFolder(one), await hashFolder(other)];

  expect(second.digest).toBe(first.digest);
  expect(first.files.map(({ path }) => path)).toEqual(['lib.py', 'lib/b.py', 'train.py']);
  expect(JSON.parse(new TextDecoder().decode(first.manifest))).toEqual({
    files: [
      { path: 'lib.py', blob: sha256('c'), bytes: 1, executable: false },
      { path: 'lib/b.py', blob: sha256('b'), bytes: 1, executable: false },
      { path: 'train.py', blob: sha256('a'), bytes: 1, executable: false },
    ],
  });
  expect(first.digest).toBe(sha256(first.manifest));
});

test('a byte, a name or an execute bit more is another digest', async () => {
  const same = { 'train.py': 'a', 'b.py': 'b' };
  const executable = code(same);
  chmodSync(join(executable, 'b.py'), 0o755);

  const folders = await Promise.all(
    [code(same), code({ ...same, 'b.py': 'c' }), code({ 'train.py': 'a', 'c.py': 'b' }), executable].map((each) =>
      hashFolder(each),
    ),
  );

  expect(new Set(folders.map(({ digest }) => digest)).size).toBe(4);
});

const pathsOf = async (files: Readonly<Record<string, string>>, inside = '.') =>
  (await hashFolder(join(code(files), inside))).files.map(({ path }) => path);

test('secrets, environments, logs and the config belong to no release, and change none', async () => {
  const plain = code({ 'train.py': 'a' });
  const usual = code({
    'train.py': 'a',
    '.env': 'AWS_SECRET_ACCESS_KEY=hunter2',
    '.env.local': 'x',
    '.venv/pyvenv.cfg': '',
    '.venv/lib/a.py': 'x',
    'my-env/pyvenv.cfg': '',
    'my-env/lib/b.py': 'x',
    'dev.log': 'released ...',
    'serin.config.ts': 'export default {}',
    'serin.config.json': '{}',
    '.gitignore': 'nothing',
    '.serinignore': '',
    '.DS_Store': 'x',
    'lib/.ipynb_checkpoints/x.ipynb': 'x',
  });
  for (const name of ['.venv/bin', 'my-env/bin']) mkdirSync(join(usual, name));
  for (const name of ['.venv/bin/python', 'my-env/bin/python']) symlinkSync('/usr/bin/python3', join(usual, name));

  expect((await hashFolder(usual)).digest).toBe((await hashFolder(plain)).digest);
});

test('what git ignores is left out: by rules of the folder, of those below it, and of its repository above', async () => {
  const files = {
    '.git/HEAD': 'x',
    '.gitignore': '*.bin\n/build\n# a comment\nout/**\nlogs/\n',
    'src/.gitignore': 'cache\n!keep.bin\n',
    'src/train.py': 'a',
    'src/big.bin': 'x',
    'src/keep.bin': 'x',
    'src/cache/x.py': 'x',
    'src/build/x.py': 'x',
    'src/out/x.py': 'x',
    'src/logs/x.py': 'x',
    'src/lib/logs': 'a file',
  };

  expect(await pathsOf(files, 'src')).toEqual(['build/x.py', 'keep.bin', 'lib/logs', 'out/x.py', 'train.py']);
  const { '.git/HEAD': _, ...noRepository } = files;
  expect(await pathsOf(noRepository, 'src')).toContain('big.bin');
});

test('.serinignore has the last word, in both directions', async () => {
  const files = {
    '.gitignore': 'dist/\n',
    '.serinignore': '!dist/\n!.env.test\nnotes/\ndist/*.map\n',
    'dist/train.js': 'a',
    'dist/train.js.map': 'x',
    'notes/a.md': 'x',
    '.env.test': 'x',
    '.env': 'x',
  };

  expect(await pathsOf(files)).toEqual(['.env.test', 'dist/train.js']);
});

test.each<[string, readonly string[], readonly string[]]>([
  ['a', ['a', 'x/a', 'a/b'], ['ab', 'b']],
  ['/a', ['a'], ['x/a']],
  ['a/b', ['a/b'], ['x/a/b']],
  ['**/a/b', ['a/b', 'x/y/a/b'], ['a/x/b']],
  ['a/**/b', ['a/b', 'a/x/y/b'], ['b']],
  ['*.py[co]', ['a.pyc', 'x/b.pyo'], ['a.py']],
  ['a[!0-9].c', ['ab.c'], ['a1.c']],
  ['a?c', ['abc'], ['a/c', 'ac']],
  ['\\#a', ['#a'], ['a']],
  ['\\!a', ['!a'], ['a']],
  ['a.b+(c)', ['a.b+(c)'], ['axb+(c)']],
  ['a\\ ', ['a '], ['a']],
  ['a  ', ['a'], ['a ']],
  ['[z-a]', [], ['b']],
])('the rule %j is read as git reads it', async (rule, ignored, kept) => {
  const files = Object.fromEntries([...ignored, ...kept].map((path) => [path, 'x']));
  const paths = await Promise.all(
    Object.keys(files).map(
      async (path) => [path, await pathsOf({ '.gitignore': rule, [path]: 'x', 'z.py': 'x' })] as const,
    ),
  );

  expect(paths.filter(([path, found]) => !found.includes(path)).map(([path]) => path)).toEqual([...ignored]);
});

test('a folder of data is no code, and is told of; one with code in it is', async () => {
  const { files, dataFolders } = await hashFolder(
    code({
      'train.py': 'a',
      'data/1.csv': 'x',
      'data/2/b.parquet': 'x',
      'datasets/load.py': 'x',
      'datasets/a.csv': 'x',
    }),
  );

  expect(files.map(({ path }) => path)).toEqual(['datasets/a.csv', 'datasets/load.py', 'train.py']);
  expect(dataFolders).toEqual([{ path: 'data', files: 2 }]);
  expect(await pathsOf({ 'train.py': 'a', 'data/vocabulary.json': '{}' })).toContain('data/vocabulary.json');
  expect(await pathsOf({ 'train.py': 'a', 'data/1.csv': 'x', '.serinignore': '!data/' })).toContain('data/1.csv');
});

test('a folder of which nothing is left says why, and how to bring it back', async () => {
  await expect(hashFolder(code({ '.gitignore': '*', 'train.py': 'a' }))).rejects.toMatchObject({
    message: expect.stringContaining('has no files'),
    mend: expect.stringContaining('.serinignore'),
  });
});

test('what another machine would not see the same is refused, with the reason', async () => {
  const linked = code({ 'train.py': 'a' });
  symlinkSync('/etc/hosts', join(linked, 'hosts'));
  const big = code({ 'train.py': 'a', 'data.bin': '' });
  truncateSync(join(big, 'data.bin'), 200_000_000);

  await expect(hashFolder(linked)).rejects.toThrow('hosts in the code folder');
  await expect(hashFolder(big)).rejects.toMatchObject({ exit: 2, why: expect.stringContaining('data.bin (200 MB)') });
  await expect(hashFolder(code({}))).rejects.toThrow('has no files');
  await expect(hashFolder(join(big, 'nowhere'))).rejects.toThrow('cannot read the code folder');
});

test('the built-in splitter is stored without its tests', async () => {
  const { files } = await hashSplitter();

  expect(files.map(({ path }) => path)).toContain('split.mjs');
  expect(files.filter(({ path }) => path.includes('test'))).toEqual([]);
});

/** A server that keeps objects as the API does. */
async function store() {
  const objects = new Map<string, string>();
  const server = await stubServer((request) => {
    const url = new URL(request.url, 'http://stub');
    if (request.method === 'PUT') {
      objects.set(url.pathname.replace('/v1/buckets/serin/objects/', ''), request.body);
      return { status: 201 };
    }
    if (request.method === 'POST') return { status: 202, body: { outcome: 'accepted', seq: 1, digest: 'd' } };
    const prefix = url.searchParams.get('prefix') ?? '';
    return {
      body: {
        objects: [...objects.keys()]
          .filter((key) => key.startsWith(prefix))
          .map((key) => ({ key, version: 'v', bytes: 1 })),
      },
    };
  });
  return { ...server, objects };
}

const puts = (received: readonly Received[]) =>
  received.filter(({ method }) => method === 'PUT').map(({ url }) => url.replace('/v1/buckets/serin/objects/', ''));

test('a release stores each blob under its digest, a manifest after its blobs, and then the compiled config', async () => {
  const cwd = await starter();
  const { env, received, objects } = await store();
  const own: CodeFolder = await hashFolder(join(cwd, 'src'));

  const { exit, stdout } = await serin(['release', '--json'], { cwd, env });

  expect(exit).toBe(0);
  for (const [key, body] of objects) expect(key).toContain(sha256(body));
  const keys = puts(received);
  for (const { blob } of own.files)
    expect(keys.indexOf(`code/blobs/${blob}`)).toBeLessThan(keys.indexOf(`code/${own.digest}.json`));
  const last = received.at(-1);
  expect([last?.method, last?.url]).toEqual(['POST', '/v1/releases']);
  const { config } = JSON.parse(last?.body ?? '');
  expect(config.models.line).toMatchObject({
    train: { code: { digest: own.digest } },
    split: { kind: 'job' },
    data: { settle: { quiet: 2000 } },
  });
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'accepted', stored: { blobs: 8 } });
});

test('a second release stores only what changed', async () => {
  const cwd = await starter();
  const { env, received } = await store();
  await serin(['release'], { cwd, env });
  const before = received.length;
  writeFileSync(join(cwd, 'src', 'train.mjs'), '// another byte');

  const { exit } = await serin(['release'], { cwd, env });

  expect(exit).toBe(0);
  const changed = await hashFolder(join(cwd, 'src'));
  expect(puts(received.slice(before))).toEqual([
    `code/blobs/${sha256('// another byte')}`,
    `code/${changed.digest}.json`,
  ]);
});

test('a dry run of a release and a config with problems only ask what the server runs on', async () => {
  const cwd = await starter();
  const { env, received } = await store();

  const dry = await serin(['release', '--dry-run', '--json'], { cwd, env });
  writeFileSync(join(cwd, 'serin.config.ts'), 'export default {};');
  const broken = await serin(['release'], { cwd, env });

  expect([dry.exit, broken.exit]).toEqual([0, 2]);
  expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /version', 'GET /version']);
  expect(JSON.parse(dry.stdout)).toMatchObject({ dryRun: true, models: ['line'], code: { './src': { files: 4 } } });
});
