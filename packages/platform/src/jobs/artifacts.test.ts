import { gzipSync } from 'node:zlib';
import type { Bucket } from '@serin/core/ports/bucket';
import { describe, expect, test } from 'vitest';
import { memoryBucket } from '../../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { padding, tarEnd, tarHead } from '../code/tar.ts';
import { artifactAt, digestAt, type Objects, placeBy, unchangedArtifact } from './artifacts.ts';
import { metricsAt } from './metrics.ts';

function opened() {
  const bucket = atOnce<Bucket>(memoryBucket());
  const objects: Objects = {
    buckets: () => bucket,
    placeOf: (uri) => (uri.startsWith('cloud://own/') ? { bucket: 'own', key: uri.slice(12) } : undefined),
  };
  return { bucket, objects, put: (key: string, content: string) => bucket.write(key, Buffer.from(content)) };
}

describe('an artifact', () => {
  test('is one object, or all objects of a folder, with another digest after any change', async () => {
    const { objects, put } = opened();
    for (const key of ['a/model', 'a/model.txt', 'a/model/1', 'a/model/2']) await put(key, key);

    const [file, folder] = [
      await artifactAt('cloud://own/a/model', objects),
      await artifactAt('cloud://own/a/model/', objects),
    ];
    await put('a/model/2', 'changed!!');

    expect(file).toMatchObject({ bytes: 7 });
    expect(folder).toMatchObject({ bytes: 18 });
    expect((await artifactAt('cloud://own/a/model', objects))?.digest).toBe(file?.digest);
    expect((await artifactAt('cloud://own/a/model/', objects))?.digest).not.toBe(folder?.digest);
    expect(await artifactAt('cloud://own/b', objects)).toBeUndefined();
    expect(await artifactAt('cloud://own/a/mod', objects)).toBeUndefined();
  });

  test('is made of files: the marker of a folder changes nothing, and is no artifact', async () => {
    const { objects, put } = opened();
    await put('a/model', '1');
    const before = await artifactAt('cloud://own/a/', objects);

    for (const marker of ['a/', 'a/empty/', 'b/']) await put(marker, '');

    expect(await artifactAt('cloud://own/a/', objects)).toEqual(before);
    expect(await artifactAt('cloud://own/b/', objects)).toBeUndefined();
  });

  test('is all objects of a folder, over all pages of a list', async () => {
    const { objects, put } = opened();
    for (let number = 0; number < 1001; number += 1) await put(`a/${number}`, '1');

    expect(await artifactAt('cloud://own/a/', objects)).toMatchObject({ bytes: 1001 });
  });

  test('is refused when it is gone, was changed, or lies elsewhere', async () => {
    const { objects, put } = opened();
    await put('a/model', '1');
    const made = {
      uri: 'cloud://own/a/model',
      digest: '',
      bytes: 1,
      ...(await artifactAt('cloud://own/a/model', objects)),
    };
    const refused = (change: object, words: string) =>
      expect(unchangedArtifact('model', { ...made, ...change }, objects)).rejects.toThrow(words);

    expect(await unchangedArtifact('model', made, objects)).toEqual(made);
    await refused({ digest: 'other' }, 'was changed since it was made');
    await refused({ uri: 'cloud://own/b' }, 'does not exist any more');
    await refused({ uri: 'file:///model' }, 'is not an object of this cloud');
  });
});

test('metrics are those of the first file of them in a folder, and one that is too large is said', async () => {
  const { objects, put } = opened();
  await put('a/evaluation.json', '{"auc": 1}');
  await put('b/evaluation.json', '{"auc": 1}');
  await put('b/metrics.json', '{"auc": 2}');
  await put('c/metrics.json', ' '.repeat(1024 * 1024 + 1));

  expect((await metricsAt('cloud://own/a/', objects)).metrics).toEqual({ auc: 1 });
  expect((await metricsAt('cloud://own/b/', objects)).metrics).toEqual({ auc: 2 });
  expect((await metricsAt('cloud://own/c/', objects)).unread['metrics.json']).toContain('larger than 1048576 bytes');
  expect((await metricsAt('cloud://own/d/', objects)).metrics).toEqual({});
});

test('what is looked up by its URI has the digest of now, or is said to be gone', async () => {
  const { objects, put } = opened();
  await put('a/model', 'one');

  expect(await digestAt('cloud://own/a/', objects)).toBe((await artifactAt('cloud://own/a/', objects))?.digest);
  await expect(digestAt('cloud://own/b/', objects)).rejects.toMatchObject({ code: 'notFound' });
});

test('a URI names a bucket and a key, and only one of this cloud does', () => {
  const placeOf = placeBy('store');

  expect(placeOf('store://drops/fraud/a\nb')).toEqual({ bucket: 'drops', key: 'fraud/a\nb' });
  for (const uri of ['store://drops', 'store://drops/', 'store:///a', 'other://drops/a', 'a store://drops/a'])
    expect(placeOf(uri)).toBeUndefined();
});

test('of a packed output the file of metrics counts, wherever it lies beside a report', async () => {
  const { bucket, objects } = opened();
  const entry = (path: string, text: string) => {
    const listed = { path, bytes: text.length, executable: false };
    return [...tarHead(listed), Buffer.from(text), padding(listed)];
  };
  const tar = [...entry('evaluation.json', '{"auc": 0.1}'), ...entry('metrics.json', '{"auc": 0.9}'), tarEnd];
  await bucket.write('a/output.tar.gz', gzipSync(Buffer.concat(tar)));

  expect((await metricsAt('cloud://own/a/output.tar.gz', objects)).metrics).toEqual({ auc: 0.9 });
});
