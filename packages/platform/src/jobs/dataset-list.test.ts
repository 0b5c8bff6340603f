import type { Bucket } from '@serin/core/ports/bucket';
import { describe, expect, test } from 'vitest';
import { datasetIn } from '../../../../test/emulators/aws/stored.ts';
import { memoryBucket } from '../../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { datasetList, type ListFormat, type ManifestSource } from './dataset-list.ts';

const format: ListFormat = {
  name: 'a list',
  maxBytes: 1000,
  begin: (bucket, folder) => JSON.stringify([{ prefix: `bucket://${bucket}/${folder}` }]).slice(0, -1),
  item: (path) => `,${JSON.stringify(path)}`,
  end: ']',
};
const manifestFile = (source: ManifestSource, buckets: (name: string) => Bucket) =>
  datasetList(source, buckets, format);

function opened() {
  const all = new Map(['serin', 'drops'].map((name) => [name, atOnce<Bucket>(memoryBucket())]));
  const buckets = (name: string): Bucket => {
    const bucket = all.get(name);
    if (bucket === undefined) throw new Error(`no bucket ${name}`);
    return bucket;
  };
  const put = (name: string, key: string, content: string) => buckets(name).write(key, Buffer.from(content));
  const text = async (key: string) =>
    Buffer.from((await buckets('serin').read({ key, maxBytes: 10_000 }))?.content ?? []).toString();
  return { buckets, put, text, dataset: datasetIn(put) };
}

const fileOf = async (files: Readonly<Record<string, string>>, under?: string) => {
  const { buckets, text, dataset } = opened();
  const source = await dataset(files, under);
  if (source.kind !== 'manifest') throw new Error('a manifest was wanted');
  const { key, bytes } = await manifestFile(source, buckets);
  return { key, bytes, text: await text(key) };
};

describe('a dataset as a list of a cloud', () => {
  test('names its objects below the folder of the prefix, over all chunks', async () => {
    const { text, bytes } = await fileOf({ 'a.csv': '1', '2024/b "c".csv': '22', 'ü.csv': '3' });

    expect(JSON.parse(text)).toEqual([{ prefix: 'bucket://drops/fraud/' }, 'a.csv', '2024/b "c".csv', 'ü.csv']);
    expect(bytes).toBe(4);
  });

  test('names only what is under a prefix, below the last folder of it', async () => {
    expect(JSON.parse((await fileOf({ 'train/a.csv': '1', 'holdout/b.csv': '2' }, 'train/')).text)).toEqual([
      { prefix: 'bucket://drops/fraud/train/' },
      'a.csv',
    ]);
    expect(JSON.parse((await fileOf({ 'train-1.csv': '1', 'holdout.csv': '2' }, 'train')).text)).toEqual([
      { prefix: 'bucket://drops/fraud/' },
      'train-1.csv',
    ]);
  });

  test('leaves out what older code listed though it is not data: folders, markers, files of nothing', async () => {
    const files = { 'sub/': '', _SUCCESS: '', 'sub/_SUCCESS': '', 'empty.csv': '', 'sub/a.csv': '1' };

    expect(JSON.parse((await fileOf(files)).text)).toEqual([{ prefix: 'bucket://drops/fraud/' }, 'sub/a.csv']);
  });

  test('has one name, another for another part, and is compared with it when it is there', async () => {
    const { buckets, put, dataset } = opened();
    const source = await dataset({ 'a/x.csv': '1', 'b/y.csv': '2' });
    if (source.kind !== 'manifest') throw new Error('a manifest was wanted');

    const whole = await manifestFile(source, buckets);
    const part = await manifestFile({ ...source, under: 'fraud/a/' }, buckets);
    const again = await manifestFile(source, buckets);
    await put('serin', whole.key, '[{"prefix":"bucket://drops/"},"other.csv"]');

    expect(again.key).toBe(whole.key);
    expect(part.key).not.toBe(whole.key);
    await expect(manifestFile(source, buckets)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(`not ${/[0-9a-f]{64}/.exec(whole.key)?.[0]}`),
    });
    expect((await manifestFile({ ...source, under: 'fraud/a/' }, buckets)).key).toBe(part.key);
  });

  test('is refused when a chunk of the dataset, or its manifest, is not what it was', async () => {
    const damaged = async (prefix: string, change: (text: string) => string) => {
      const { buckets, put, text, dataset } = opened();
      const source = await dataset({ 'a.csv': '1', 'b.csv': '2', 'c.csv': '3' });
      if (source.kind !== 'manifest') throw new Error('a manifest was wanted');
      const { items } = await buckets('serin').list(prefix);
      for (const { key } of items) await put('serin', key, change(await text(key)));
      return manifestFile(source, buckets);
    };
    const refused = {
      code: 'invalid',
      message: expect.stringMatching(/has the digest [0-9a-f]{64}, not [0-9a-f]{64}/),
    };
    const halved = (text: string) => {
      const manifest = JSON.parse(text);
      return JSON.stringify({ ...manifest, chunks: manifest.chunks.slice(0, 1) });
    };

    await expect(damaged('datasets/fraud/', halved)).rejects.toMatchObject(refused);
    await expect(damaged('datasets/chunks/', (text) => text.replace('.csv', '.txt'))).rejects.toMatchObject(refused);
  });

  test.each(['../../code/train.py', 'a//b.csv', './a', 'line\nbreak.csv', 'back\\slash.csv'])(
    'refuses a key that is not a path below the channel: %j',
    async (path) => {
      await expect(fileOf({ 'a.csv': '1', [path]: '2' })).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('rename it'),
      });
    },
  );

  test('refuses more objects than a list may have bytes', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`a file of the set ${index}.csv`, '1']));

    await expect(fileOf(files)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('names more objects than a list of 1000 bytes holds'),
    });
  });

  test('refuses a part without objects, and a manifest that is gone', async () => {
    await expect(fileOf({ 'a.csv': '1' }, 'holdout/')).rejects.toMatchObject({ code: 'invalid' });
    await expect(
      manifestFile({ kind: 'manifest', bucket: 'serin', key: 'datasets/gone.json' }, opened().buckets),
    ).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('datasets/gone.json') });
  });
});
