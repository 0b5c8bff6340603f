import { expect, test } from 'vitest';
import { converge, planOf, score, serveToTheEnd, trainOne, withChampion } from '../model.fixture.ts';
import { ownScore } from '../run/steps.ts';
import type { Model } from '../state.ts';
import { versionOf } from '../version.ts';
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

test('a version keeps its score on the hold-out of its own training, and the last two on those of others', () => {
  const { drive } = withChampion();
  for (const [index, champion] of [0.81, 0.82, 0.83, 0.84].entries()) {
    trainOne(drive, `other-${index}`);
    score(drive, 0.6, champion);
  }

  const one = versionOf(drive.state.versions, 1);

  expect(Object.values(one?.scores ?? {})).toEqual([{ auc: 0.8 }, { auc: 0.83 }, { auc: 0.84 }]);
  expect(one && ownScore(one)).toEqual({ auc: 0.8 });
});

test('a version says of which image and commit it was trained', () => {
  const { state } = withChampion().drive;
  const run = { ...state.run, trigger: { kind: 'ci', by: 'ann', image: 'registry.example/fraud:2', commit: 'c0ffee' } };

  const { versions } = numberTrained({ ...state, versions: {}, run } as Model, { at: state.at, seq: 1, by: 'ann' });

  expect(versions['1']?.lineage).toMatchObject({
    ...{ image: 'registry.example/fraud:2', commit: 'c0ffee', trigger: 'ci', startedBy: 'ann' },
    dataset: 'one',
  });
});
