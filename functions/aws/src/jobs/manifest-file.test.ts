import type { Bucket } from '@serin/core/ports';
import { describe, expect, test } from 'vitest';
import { datasetIn } from '../../../../test/emulators/aws/stored.ts';
import { memoryBucket } from '../../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { manifestFile } from './manifest-file.ts';

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

describe('a dataset for SageMaker', () => {
  test('names its objects below the folder of the prefix, over all chunks', async () => {
    const { text, bytes } = await fileOf({ 'a.csv': '1', '2024/b "c".csv': '22', 'ü.csv': '3' });

    expect(JSON.parse(text)).toEqual([{ prefix: 's3://drops/fraud/' }, 'a.csv', '2024/b "c".csv', 'ü.csv']);
    expect(bytes).toBe(4);
  });

  test('names only what is under a prefix, below the last folder of it', async () => {
    expect(JSON.parse((await fileOf({ 'train/a.csv': '1', 'holdout/b.csv': '2' }, 'train/')).text)).toEqual([
      { prefix: 's3://drops/fraud/train/' },
      'a.csv',
    ]);
    expect(JSON.parse((await fileOf({ 'train-1.csv': '1', 'holdout.csv': '2' }, 'train')).text)).toEqual([
      { prefix: 's3://drops/fraud/' },
      'train-1.csv',
    ]);
  });

  test('leaves out what older code listed though it is no data: folders, markers, files of nothing', async () => {
    const files = { 'sub/': '', _SUCCESS: '', 'sub/_SUCCESS': '', 'empty.csv': '', 'sub/a.csv': '1' };

    expect(JSON.parse((await fileOf(files)).text)).toEqual([{ prefix: 's3://drops/fraud/' }, 'sub/a.csv']);
  });

  test('has one name, another for another part, and is written once', async () => {
    const { buckets, put, text, dataset } = opened();
    const source = await dataset({ 'a/x.csv': '1', 'b/y.csv': '2' });
    if (source.kind !== 'manifest') throw new Error('a manifest was wanted');

    const whole = await manifestFile(source, buckets);
    const part = await manifestFile({ ...source, under: 'fraud/a/' }, buckets);
    await put('serin', whole.key, 'kept');
    const again = await manifestFile(source, buckets);

    expect(again.key).toBe(whole.key);
    expect(part.key).not.toBe(whole.key);
    expect(await text(whole.key)).toBe('kept');
  });

  test.each(['../../code/train.py', 'a//b.csv', './a', 'line\nbreak.csv', 'back\\slash.csv'])(
    'refuses a key that is no path below the channel: %j',
    async (path) => {
      await expect(fileOf({ 'a.csv': '1', [path]: '2' })).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('rename it'),
      });
    },
  );

  test('refuses a part without objects, and a manifest that is gone', async () => {
    await expect(fileOf({ 'a.csv': '1' }, 'holdout/')).rejects.toMatchObject({ code: 'invalid' });
    await expect(
      manifestFile({ kind: 'manifest', bucket: 'serin', key: 'datasets/gone.json' }, opened().buckets),
    ).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('datasets/gone.json') });
  });
});
