import { describe, expect, test } from 'vitest';
import { memoryBucket } from '../../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { blobObjects, blobUri, jobName, placeOf } from './settings.ts';

describe('the URI of a blob', () => {
  test.each(['model.txt', 'jobs/a/model/', 'a b/100%/ü#1?&+.csv', "it's (1)/*.csv", 'a//b'])(
    'names the key %j, and is read back',
    (key) => {
      const uri = blobUri('serinprod', 'own', key);

      expect(uri).toMatch(/^https:\/\/serinprod\.blob\.core\.windows\.net\/own\/[^ ?#]+$/);
      expect(placeOf(uri)).toEqual({ account: 'serinprod', bucket: 'own', key });
    },
  );

  test.each([
    'gs://own/model.txt',
    'https://serinprod.blob.core.windows.net/own',
    'https://serinprod.blob.core.windows.net/own/',
    'https://serinprod.blob.core.windows.net/own/a?sv=2024&sig=x',
    'https://serinprod.blob.core.windows.net.evil.example/own/a',
    'https://user@serinprod.blob.core.windows.net/own/a',
    'http://serinprod.blob.core.windows.net/own/a',
    'https://serinprod.blob.core.windows.net/own/%ff',
  ])('is not %s', (uri) => {
    expect(placeOf(uri)).toBeUndefined();
  });

  test('of an account that is not ours names no object of ours', () => {
    const accounts = { account: 'serinprod', dataAccount: 'acmedata', ownContainer: 'own' };
    const objects = blobObjects(() => atOnce(memoryBucket()), accounts);
    const known = (account: string, container: string) =>
      objects.placeOf(blobUri(account, container, 'a')) !== undefined;

    expect([known('serinprod', 'own'), known('acmedata', 'drops')]).toEqual([true, true]);
    expect([known('evil', 'own'), known('acmedata', 'own'), known('serinprod', 'drops')]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

test('the name of a job follows from its project and key alone, and differs for each attempt', () => {
  const name = (key: string, project = 'shop') => jobName({ project: 'shop', environment: 'prod' }, { project, key });

  expect(name('run_1/train/1')).toMatch(/^prod-shop--train-1-[0-9a-f]{16}$/);
  expect(
    new Set([name('run_1/train/1'), name('run_1/train/2'), name('run_2/train/1'), name('run_1/train/1', 'b')]).size,
  ).toBe(4);
});
