import { expect, test } from 'vitest';
import { converge, planOf, score, serveToTheEnd, trainOne, withChampion } from '../model.fixture.ts';
import { offerNext, simpleGate } from './between.fixture.ts';

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
