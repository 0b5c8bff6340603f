import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Bucket } from '@serin/core/ports/bucket';
import { describe, expect, test } from 'vitest';
import { sha256, storeCode } from '../../../../test/emulators/aws/stored.ts';
import { memoryBucket } from '../../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { codeArchive, type StartFile } from './archive.ts';

const start: StartFile = { path: 'serin-start.sh', text: '#!/bin/sh\nexec /bin/sh /start.sh\n' };

const opened = () => {
  const bucket = atOnce<Bucket>(memoryBucket());
  const put = (_: string, key: string, content: string) => bucket.write(key, Buffer.from(content));
  const bytes = async (key: string) => (await bucket.read({ key, maxBytes: 10_000_000 }))?.content ?? new Uint8Array();
  return { bucket, put, bytes };
};

const long = `${'folder-of-forty-characters-ünd-a-slash/'.repeat(5)}${'n'.repeat(60)}.py`;

test('a code folder becomes an archive that tar unpacks to the same files, with our start beside them', async () => {
  const { bucket, put, bytes } = opened();
  const files = { 'train.py': 'print("ü")\n', 'lib/a.py': '', [long]: 'deep', 'a 🚀.txt': 'x'.repeat(513) };
  const digest = await storeCode(files, put);

  const key = await codeArchive(digest, bucket, start);

  const directory = mkdtempSync(join(tmpdir(), 'serin-archive-'));
  execFileSync('tar', ['-xzf', '-', '-C', directory], { input: await bytes(key) });
  for (const [path, content] of Object.entries({ ...files, [start.path]: start.text }))
    expect(readFileSync(join(directory, path), 'utf8')).toBe(content);
  expect(statSync(join(directory, 'serin-start.sh')).mode & 0o111).not.toBe(0);
  rmSync(directory, { recursive: true });
});

test('a platform may have no start of its own in an archive: it holds the released files, and nothing else', async () => {
  const { bucket, put, bytes } = opened();
  const digest = await storeCode({ 'train.py': '1', 'lib/a.py': '2' }, put);

  const key = await codeArchive(digest, bucket);

  expect(key).toBe(`code/archives/${digest}.tar.gz`);
  expect(execFileSync('tar', ['-tzf', '-'], { input: await bytes(key) }).toString()).toBe('lib/a.py\ntrain.py\n');
  expect(await codeArchive(digest, bucket)).toBe(key);
});

test('equal folders have equal archives, and an archive is written once', async () => {
  const [one, other] = [opened(), opened()];
  const files = { 'b.py': '2', 'a.py': '1' };
  const digest = await storeCode(files, one.put);
  await storeCode(files, other.put);

  const key = await codeArchive(digest, one.bucket, start);
  await codeArchive(digest, other.bucket, start);
  const first = await one.bytes(key);
  await one.put('', `code/blobs/${sha256('1')}`, 'gone');

  expect(key).toMatch(new RegExp(`^code/archives/${digest}-[0-9a-f]{8}\\.tar\\.gz$`));
  expect(await other.bytes(key)).toEqual(first);
  expect(await codeArchive(digest, one.bucket, start)).toBe(key);
});

describe('an archive that is there', () => {
  const kept = async (change: (tar: Buffer) => Uint8Array) => {
    const { bucket, put, bytes } = opened();
    const digest = await storeCode({ 'a.py': 'print(1)\n', [long]: 'deep' }, put);
    const key = await codeArchive(digest, bucket, start);
    await bucket.write(key, change(gunzipSync(await bytes(key))));
    return codeArchive(digest, bucket, start);
  };
  const replaced = (from: string, to: string) => (tar: Buffer) => {
    const changed = Buffer.from(tar.toString('latin1').replace(from, to), 'latin1');
    expect(changed).not.toEqual(tar);
    return gzipSync(changed);
  };

  test('is used when it holds what was released, however it was packed', async () => {
    expect(await kept((tar) => gzipSync(tar, { level: 1 }))).toContain('code/archives/');
  });

  test('is refused with both digests when a file in it was changed', async () => {
    await expect(kept(replaced('print(1)', 'print(2)'))).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(
        new RegExp(`'a.py' in code/archives/.* has the digest ${sha256('print(2)\n')}, not ${sha256('print(1)\n')}`),
      ),
    });
  });

  test.each([
    ['a file of it has another name', replaced('a.py', 'b.py')],
    ['our start in it was changed', replaced('exec /bin/sh', 'echo /bin/sh')],
    ['it was cut off', (tar: Buffer) => gzipSync(tar.subarray(0, 2048))],
    ['something was added', (tar: Buffer) => gzipSync(Buffer.concat([tar, tar]))],
    ['it is no archive', () => Buffer.from('no archive')],
    ['it is empty', () => new Uint8Array()],
  ])('is refused when %s', async (_, change) => {
    await expect(kept(change)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/code\/archives\/.*changed or damaged; delete it/),
    });
  });
});

test('code that is not there whole, was changed, or cannot be placed is refused', async () => {
  const { bucket, put } = opened();
  const refused = (digest: string, words: string) =>
    expect(codeArchive(digest, bucket, start)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(words),
    });
  const changed = await storeCode({ 'a.py': '1' }, put);
  await put('', `code/blobs/${sha256('1')}`, '2');

  const huge = JSON.stringify({
    files: [{ path: 'big.bin', blob: 'a'.repeat(64), bytes: 250_000_001, executable: false }],
  });
  await put('', `code/${sha256(huge)}.json`, huge);

  await refused(sha256(huge), 'more than 250 MB');
  await refused('0'.repeat(64), 'code/000');
  await refused('../secrets', 'not the digest');
  await refused(changed, `not ${sha256('1')}`);
  for (const path of ['../up.py', 'a//b.py', 'serin-start.sh'])
    await refused(await storeCode({ [path]: 'x' }, put), path.slice(0, 10));
});
