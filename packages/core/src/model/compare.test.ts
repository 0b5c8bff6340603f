import { expect, test } from 'vitest';
import { type Comparable, comparedOrigins, comparedScores, scoreOf } from './compare.ts';
import type { GateVerdict } from './run/gate.ts';

const version = (number: number, more: Partial<Comparable> = {}): Comparable => ({ number, ...more });
const up = { auc: { direction: 'up' } } as const;
const judged = (champion: number, against: number): GateVerdict => ({
  passed: true,
  against,
  checks: [{ metric: 'auc', rule: 'noWorseBy', bound: 0, challenger: 0.8, champion, passed: true }],
});

test('two versions are compared on the newest hold-out that both were scored on', () => {
  const one = version(2, { scores: { old: { auc: 0.5 }, new: { auc: 0.9 } } });
  const other = version(1, { scores: { old: { auc: 0.4 }, new: { auc: 0.8 } } });

  expect(comparedScores([one, other], up)).toEqual({
    isSame: true,
    rows: [{ metric: 'auc', one: 0.9, other: 0.8, difference: '+0.1', says: 'better' }],
  });
});

test('a version whose gate compared it with the other is compared with the numbers of that gate', () => {
  const one = version(2, { scores: { own: { auc: 0.8 } }, verdict: judged(0.85, 1) });
  const other = version(1, { scores: { older: { auc: 0.99 } } });

  const row = { metric: 'auc', one: 0.8, other: 0.85, difference: '-0.05', says: 'worse' };
  expect(comparedScores([one, other], up)).toEqual({ isSame: true, rows: [row] });
  const turned = { metric: 'auc', one: 0.85, other: 0.8, difference: '+0.05', says: 'better' };
  expect(comparedScores([other, one], up)).toEqual({ isSame: true, rows: [turned] });
});

test('without a hold-out in common each has the score of its own run, and that is said', () => {
  const one = version(3, { scores: { a: { auc: 0.8, loss: 1 } } });
  const other = version(1, { scores: { b: { auc: 0.8 } } });

  expect(comparedScores([one, other], up)).toEqual({
    isSame: false,
    rows: [
      { metric: 'auc', one: 0.8, other: 0.8, difference: '0', says: 'equal' },
      { metric: 'loss', one: 1 },
    ],
  });
});

test.each(['constructor', 'toString', '__proto__'])(
  'a metric may be called %s, and one version have none',
  (metric) => {
    const scored = JSON.parse(`{"${metric}":1}`);
    const one = version(2, { scores: { same: scored } });
    const other = version(1, { scores: { same: { auc: 0.5 } } });

    expect(comparedScores([one, other], up).rows).toEqual([
      { metric: 'auc', other: 0.5 },
      { metric, one: 1 },
    ]);
    expect(scoreOf(other, metric)).toBeUndefined();
  },
);

test('a metric that the gate does not know is neither better nor worse', () => {
  const scored = (number: number, loss: number) => version(number, { scores: { same: { loss } } });

  expect(comparedScores([scored(2, 3), scored(1, 2)]).rows).toEqual([
    { metric: 'loss', one: 3, other: 2, difference: '+1' },
  ]);
});

test('origins have a row for each thing that one of the two has', () => {
  const one = version(2, { dataset: 'd', lineage: { code: 'c', hyperparameters: '{"epochs":"2"}' } });
  const other = version(1, { dataset: 'd', lineage: { hyperparameters: 'not JSON' } });

  expect(comparedOrigins([one, other])).toEqual([
    { what: 'dataset', one: 'd', other: 'd' },
    { what: 'code', one: 'c', other: undefined },
    { what: 'epochs', one: '2', other: undefined },
  ]);
});
