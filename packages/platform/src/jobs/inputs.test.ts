import type { Artifact, Job } from '@serin/core/ports/jobs';
import { expect, test } from 'vitest';
import { aJob } from '../../../../test/contract/jobs.contract.ts';
import { memoryBucket } from '../../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { artifactAt, placeBy } from './artifacts.ts';
import { mountedInputs } from './inputs.ts';

async function opened() {
  const bucket = atOnce(memoryBucket());
  const objects = { buckets: () => bucket, placeOf: placeBy('gs') };
  await bucket.write('jobs/a/model/part.bin', Buffer.from('weights'));
  const supplies = {
    archive: async () => '',
    manifest: async () => ({ key: 'datasets/manifests/x.json', bucket: 'drops', bytes: 7 }),
  };
  const mounted = (name: string, key: string) => `/mnt/${name}/${key}`;
  const inputOf = (source: Job['channels'][string]) =>
    mountedInputs(aJob('run_1/train/1', { channels: { train: source } }), { supplies, objects, mounted });
  const artifact = async (key: string): Promise<Artifact> => {
    const found = await artifactAt(`gs://own/${key}`, objects);
    if (found === undefined) throw new Error(`there is no ${key}`);
    return found;
  };
  return { inputOf, artifact };
}

test('a dataset is found by its list in the own bucket, and its files in the bucket that the manifest names', async () => {
  const { inputOf } = await opened();

  expect(await inputOf({ kind: 'manifest', bucket: 'serin', key: 'x' })).toEqual([
    { channel: 'train', kind: 'list', path: '/mnt/serin/datasets/manifests/x.json', bucket: 'drops', bytes: 7 },
  ]);
});

test('an artifact is a folder, or one file', async () => {
  const { inputOf, artifact } = await opened();
  const found = async (key: string) => inputOf({ kind: 'artifact', artifact: await artifact(key) });

  expect(await found('jobs/a/model/')).toEqual([
    { channel: 'train', kind: 'folder', path: '/mnt/own/jobs/a/model/', bucket: 'own', bytes: 7 },
  ]);
  expect(await found('jobs/a/model/part.bin')).toEqual([
    { channel: 'train', kind: 'file', path: '/mnt/own/jobs/a/model/part.bin', bucket: 'own', bytes: 7 },
  ]);
});

test('an artifact that is not what it was is refused', async () => {
  const { inputOf, artifact } = await opened();
  const changed = { ...(await artifact('jobs/a/model/')), digest: '0'.repeat(64) };

  await expect(inputOf({ kind: 'artifact', artifact: changed })).rejects.toMatchObject({ code: 'invalid' });
});
