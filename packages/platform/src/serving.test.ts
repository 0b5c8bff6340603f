import type { Bucket } from '@serin/core/ports/bucket';
import type { Deployment } from '@serin/core/ports/serving';
import { describe, expect, test } from 'vitest';
import { memoryBucket } from '../../../test/simulation/fakes/bucket.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { artifactAt, placeBy } from './jobs/artifacts.ts';
import { checkArtifact, checkShares, writesInTime } from './serving.ts';

describe('weights and a mirror', () => {
  test.each([
    [{}, undefined],
    [{ v1: 100 }, undefined],
    [{ v1: 95, v2: 5, v3: 0 }, undefined],
    [{ v1: 100 }, { deployment: 'v2', percent: 1 }],
    [
      { v1: 100, v2: 0 },
      { deployment: 'v2', percent: 100 },
    ],
  ])('%j and %j can be', (weights, mirror) => {
    expect(() => checkShares('fraud', weights, mirror)).not.toThrow();
  });

  test.each([
    [
      { v1: 99 },
      undefined,
      'cannot set the weights of fraud to {"v1":99}; use whole numbers from 0 to 100 that add up to 100',
    ],
    [{ v1: 0 }, undefined, 'or no weights'],
    [{ v1: 99.5, v2: 0.5 }, undefined, 'use whole numbers'],
    [{ v1: 101, v2: -1 }, undefined, 'use whole numbers'],
    [{ v1: 100 }, { deployment: 'v2', percent: 0 }, 'cannot mirror 0 % of fraud'],
    [{ v1: 100 }, { deployment: 'v2', percent: 101 }, 'use a whole number from 1 to 100'],
    [{ v1: 95, v2: 5 }, { deployment: 'v2', percent: 10 }, 'cannot mirror fraud to v2: it gets requests itself'],
  ])('%j and %j cannot be', (weights, mirror, why) => {
    expect(() => checkShares('fraud', weights, mirror)).toThrow(why);
  });
});

test('what is deployed is what was judged, as far as it lies where jobs may write', async () => {
  const bucket = atOnce<Bucket>(memoryBucket());
  const objects = { buckets: () => bucket, placeOf: placeBy('store') };
  const uri = 'store://own/jobs/1/model.tar.gz';
  await bucket.write('jobs/1/model.tar.gz', Buffer.from('judged'));
  const judged = await artifactAt(uri, objects);
  const deploying = (artifact: object, own = 'own') =>
    // The check reads no more of a deployment.
    checkArtifact('fraud', { name: 'v1', artifact } as unknown as Deployment, objects, own);

  await deploying({ uri, digest: judged?.digest });
  await bucket.write('jobs/1/model.tar.gz', Buffer.from('another'));

  await expect(deploying({ uri, digest: judged?.digest })).rejects.toThrow('was changed since it was judged');
  await expect(deploying({ uri: `${uri}.gone`, digest: 'a' })).rejects.toThrow('was deleted; train it again');
  await deploying({ uri, digest: 'a' }, 'another bucket');
});

test('who was held up after an order for an endpoint came does not write any more', () => {
  let now = 1000;
  const check = writesInTime('fraud', () => now);

  now += 10_000;
  expect(check).not.toThrow();
  now += 1;
  expect(check).toThrow(expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('fraud') }));
});
