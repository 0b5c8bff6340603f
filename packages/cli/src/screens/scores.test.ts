import { expect, test } from 'vitest';
import { scoresOf } from './scores.ts';

test('a metric passes only where all that is wanted of it does, and stands once', () => {
  const of = { metric: 'auc', challenger: 0.7 };
  const checks = [
    { ...of, rule: 'atLeast', bound: 0.5, passed: true },
    { ...of, rule: 'noWorseBy', bound: 0.01, champion: 0.8, passed: false },
  ];

  expect(scoresOf({ verdict: { checks } })).toEqual([
    {
      metric: 'auc',
      value: 0.7,
      champion: 0.8,
      wanted: ['at least 0.5', 'no worse than the champion by 0.01'],
      passed: false,
    },
  ]);
  expect(scoresOf({})).toEqual([]);
});
