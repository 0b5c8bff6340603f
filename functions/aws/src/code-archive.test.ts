import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bucket } from '@serin/core/ports';
import { expect, test } from 'vitest';
import { sha256, storeCode } from '../../../test/emulators/aws/stored.ts';
import { memoryBucket } from '../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { codeArchive } from './code-archive.ts';
import { toolkitScript } from './jobs/start-script.ts';

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

  const key = await codeArchive(digest, bucket);

  const directory = mkdtempSync(join(tmpdir(), 'serin-archive-'));
  execFileSync('tar', ['-xzf', '-', '-C', directory], { input: await bytes(key) });
  for (const [path, content] of Object.entries({ ...files, 'serin-start.sh': toolkitScript }))
    expect(readFileSync(join(directory, path), 'utf8')).toBe(content);
  expect(statSync(join(directory, 'serin-start.sh')).mode & 0o111).not.toBe(0);
  rmSync(directory, { recursive: true });
});

test('equal folders have equal archives, and an archive is written once', async () => {
  const [one, other] = [opened(), opened()];
  const files = { 'b.py': '2', 'a.py': '1' };
  const digest = await storeCode(files, one.put);
  await storeCode(files, other.put);

  const key = await codeArchive(digest, one.bucket);
  await codeArchive(digest, other.bucket);
  const first = await one.bytes(key);
  await one.put('', `code/blobs/${sha256('1')}`, 'gone');

  expect(key).toBe(`code/archives/${digest}.tar.gz`);
  expect(await other.bytes(key)).toEqual(first);
  expect(await codeArchive(digest, one.bucket)).toBe(key);
});

test('code that is not there whole, was changed, or cannot be placed is refused', async () => {
  const { bucket, put } = opened();
  const refused = (digest: string, words: string) =>
    expect(codeArchive(digest, bucket)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(words),
    });
  const changed = await storeCode({ 'a.py': '1' }, put);
  await put('', `code/blobs/${sha256('1')}`, '2');

  await refused('0'.repeat(64), 'code/000');
  await refused('../secrets', 'no digest');
  await refused(changed, 'not what was released');
  for (const path of ['../up.py', 'a//b.py', 'serin-start.sh'])
    await refused(await storeCode({ [path]: 'x' }, put), path.slice(0, 10));
});
