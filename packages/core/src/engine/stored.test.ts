import { expect, test } from 'vitest';
import { encodeText, sha256Hex } from '../base/json.ts';
import { type Bucket, ownBucket } from '../ports/bucket.ts';
import type { Ports } from '../ports/ports.ts';
import { datasetParts, manifestKey } from './dataset.ts';
import { codeKey, configKey, isSafePath, type ReadOwn, readCode, readConfig, readNamed } from './stored.ts';

const stored = new Map<string, Uint8Array>();
const put = (key: string, text: string): string => {
  stored.set(key, encodeText(text));
  return key;
};
const read: ReadOwn = async (key, maxBytes) => {
  const content = stored.get(key);
  return (
    content && {
      key,
      version: '1',
      bytes: content.length,
      content: content.subarray(0, maxBytes),
      truncated: content.length > maxBytes,
    }
  );
};
const bucket = () => ({ read: ({ key, maxBytes }) => read(key, maxBytes) }) as Pick<Bucket, 'read'> as Bucket;
const ports: Pick<Ports, 'bucket'> = { bucket };

test('content is used only when it has the digest of its name, and a mismatch names both', async () => {
  const digest = sha256Hex('{"project":"shop"}');
  const other = sha256Hex('{"project":"chop"}');

  put(configKey(digest), '{"project":"shop"}');
  const whole = await readConfig(digest, ports);
  put(configKey(digest), '{"project":"chop"}');

  expect(whole).toEqual({ project: 'shop' });
  await expect(readConfig(digest, ports)).rejects.toMatchObject({
    // Models wait for a config until somebody has restored it.
    code: 'unavailable',
    message: expect.stringMatching(new RegExp(`${other}, not ${digest}.*restore it from a backup`)),
  });
  await expect(readNamed(read, configKey(digest))).rejects.toMatchObject({ code: 'invalid' });
});

test('a code folder whose list of files was changed is refused', async () => {
  const digest = sha256Hex('{"files":[]}');
  put(codeKey(digest), '{"files":[ ]}');

  await expect(readCode(read, digest)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining(`${sha256Hex('{"files":[ ]}')}, not ${digest}`),
  });
});

test('an object that no digest names is not taken for one that is', async () => {
  put('datasets/chunks/0.json', '{}');

  await expect(readNamed(read, 'datasets/chunks/0.json')).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('not named by its digest'),
  });
});

test('an object that is larger than may be read is refused, and not taken in part', async () => {
  const digest = sha256Hex('{"project":"shop"}');
  const key = put(configKey(digest), '{"project":"shop"}');

  await expect(readNamed(read, key, { maxBytes: 17 })).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('is larger than 17 bytes'),
  });
  expect((await readNamed(read, key, { maxBytes: 18 }))?.length).toBe(18);
});

test.each([
  ['a.py', true],
  ['src/.env/a b-ü.py', true],
  ['a..b/...', true],
  ['', false],
  ['/etc/passwd', false],
  ['src/../../a.py', false],
  ['..', false],
  ['./a.py', false],
  ['src//a.py', false],
  ['src/', false],
  ['C:a.py', false],
  ['src\\..\\a.py', false],
  ['a\0.py', false],
  ['x'.repeat(201), false],
  [`${'x/'.repeat(512)}x`, false],
])('the path %j stays in its directory, on every system: %s', (path, isSafe) => {
  expect(isSafePath(path)).toBe(isSafe);
});

const file = { path: 'a.py', blob: 'a'.repeat(64), bytes: 1, executable: false };

test.each([
  ['a path out of its directory', [{ ...file, path: '../a.py' }]],
  ['no path', [{ ...file, path: undefined }]],
  ['one path twice', [file, file]],
  ['a content without a digest', [{ ...file, blob: '../configs/a' }]],
  ['no size', [{ ...file, bytes: undefined }]],
  ['a size that is not a whole number', [{ ...file, bytes: 0.5 }]],
])('a code folder that names a file with %s is refused', async (_, files) => {
  const text = JSON.stringify({ files });
  put(codeKey(sha256Hex(text)), text);

  await expect(readCode(read, sha256Hex(text))).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('has a file that cannot be written'),
  });
});

/** Two parts of a dataset, and what stands in its manifest. */
function dataset(): { readonly key: string; readonly chunks: readonly string[] } {
  const objects = ['a', 'b'].map((key) => ({ key, version: `v-${key}`, bytes: 1 }));
  const chunks = objects.map((object) => {
    const text = JSON.stringify({ objects: [object] });
    return put(`datasets/chunks/${sha256Hex(text)}.json`, text);
  });
  const chain = objects.reduce(
    (before, { key, version, bytes }) => sha256Hex(`${before}\n${JSON.stringify([key, version, bytes])}`),
    '',
  );
  const key = manifestKey('m', sha256Hex(JSON.stringify(['drops', '', chain])));
  put(key, JSON.stringify({ bucket: 'drops', prefix: '', objects: 2, bytes: 2, chunks }));
  return { key, chunks };
}

async function keysOf(manifest: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { objects } of datasetParts(read, manifest)) keys.push(...objects.map(({ key }) => key));
  return keys;
}

test('a dataset comes whole, or not at all', async () => {
  const { key, chunks } = dataset();

  const whole = await keysOf(key);
  put(key, JSON.stringify({ bucket: 'drops', prefix: '', objects: 2, bytes: 2, chunks: chunks.slice(1) }));
  const shortened = keysOf(key);
  put('datasets/m/other.json', JSON.stringify({ bucket: 'drops', prefix: '', objects: 2, bytes: 2, chunks }));

  expect(whole).toEqual(['a', 'b']);
  await expect(shortened).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(key) });
  await expect(keysOf('datasets/m/other.json')).rejects.toMatchObject({ code: 'invalid' });
});

test.each([
  ['without one object', '{"objects":[]}'],
  ['that is not JSON', '\0'],
  ['that is empty', ''],
])('a part of a dataset %s is refused, and the file is named', async (_, text) => {
  const { key, chunks } = dataset();
  put(chunks[0] ?? '', text);

  await expect(keysOf(key)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining(`${chunks[0]} in the bucket '${ownBucket}' has the digest ${sha256Hex(text)}`),
  });
});

test.each([['{}'], ['null'], ['"x"'], ['{"chunks":[1]}'], ['{"chunks'], ['']])(
  'a manifest that holds %j is refused by its name',
  async (text) => {
    const { key } = dataset();
    put(key, text);

    await expect(keysOf(key)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(key) });
  },
);
