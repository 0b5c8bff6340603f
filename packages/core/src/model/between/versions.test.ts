import { expect, test } from 'vitest';
import { converge, planOf, score, serveToTheEnd, trainOne, withChampion } from '../model.fixture.ts';
import type { Model } from '../state.ts';
import { offerNext, simpleGate } from './between.fixture.ts';
import { numberTrained } from './versions.ts';

test.each([
  ['with an endpoint', {}, { '3': 100 }],
  ['without an endpoint', { serve: 'none' }, {}],
] as const)(
  'a champion and the two before it are kept however many versions were trained after it, %s',
  (_, changes, weights) => {
    const { drive, endpoint } = withChampion(planOf({ ...simpleGate, ...changes }));
    for (const digest of ['two', 'three']) {
      offerNext(drive, endpoint, digest);
      serveToTheEnd(drive, endpoint);
    }
    expect([drive.state.champion, drive.state.lastGood]).toEqual([3, [1, 2]]);

    for (let number = 4; number <= 26; number += 1) {
      trainOne(drive, `refused-${number}`);
      score(drive, 0.1);
    }
    converge(drive, endpoint);

    const newest = Array.from({ length: 20 }, (_, index) => `${index + 7}`);
    expect(Object.keys(drive.state.versions)).toEqual(['1', '2', '3', ...newest]);
    expect(drive.state.endpoint.desired.weights).toEqual(weights);
  },
);

test('a version says of which image and commit it was trained', () => {
  const { state } = withChampion().drive;
  const run = { ...state.run, trigger: { kind: 'ci', by: 'ann', image: 'registry.example/fraud:2', commit: 'c0ffee' } };

  const { versions } = numberTrained({ ...state, versions: {}, run } as Model, { at: state.at, seq: 1, by: 'ann' });

  expect(versions['1']?.lineage).toMatchObject({
    ...{ image: 'registry.example/fraud:2', commit: 'c0ffee', trigger: 'ci', startedBy: 'ann' },
    dataset: 'one',
  });
});
