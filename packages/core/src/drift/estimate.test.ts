import { describe, expect, test } from 'vitest';
import type { Json } from '../base/json.ts';
import { expectedPerformance, noProbabilities, rowsIn, withProbabilities } from './estimate.ts';

const of = (answers: readonly (Json | undefined)[], { pointer = '', cutoff = 0.5 } = {}) =>
  withProbabilities(noProbabilities, answers, { pointer, cutoff });

describe('an estimate without labels', () => {
  test('is what the probabilities promise', () => {
    const estimate = expectedPerformance(of([0.1, 0.2, 0.35, 0.6, 0.8, 0.95]));

    expect(Math.abs((estimate?.accuracy ?? 0) - 0.783333333333)).toBeLessThan(1e-9);
    expect(estimate?.precision).toBeCloseTo(2.35 / 3, 12);
    expect(estimate?.recall).toBeCloseTo(2.35 / 3, 12);
  });

  test('goes by the cut-off of the model, which itself is positive', () => {
    const estimate = expectedPerformance(of([0.1, 0.8], { cutoff: 0.8 }));

    expect(estimate).toEqual({ accuracy: expect.closeTo(0.85, 12), precision: 0.8, recall: expect.closeTo(8 / 9, 12) });
  });

  test('has no precision where nothing is predicted positive, and no recall where nothing is expected to be', () => {
    expect(expectedPerformance(of([0, 0]))).toEqual({ accuracy: 1 });
    expect(expectedPerformance(of([0.25]))).toEqual({ accuracy: 0.75, recall: 0 });
    expect(expectedPerformance(noProbabilities)).toBeUndefined();
  });

  test('of parts is that of the whole', () => {
    const answers = Array.from({ length: 1000 }, (_, at) => (at % 7 === 0 ? 'none' : ((at * 37) % 100) / 99));
    const place = { pointer: '', cutoff: 0.5 };

    const halves = withProbabilities(of(answers.slice(0, 333)), answers.slice(333), place);

    expect(halves).toEqual(of(answers));
    expect(rowsIn(halves) + halves.lacking).toBe(1000);
  });

  test.each<readonly [string, string, Json]>([
    ['', 'the answer itself', 0.25],
    ['', 'the only one of a list', [0.25]],
    ['/1', 'the second of a list', [0.75, 0.25]],
    ['/probability', 'a field', { label: 'no', probability: 0.25 }],
    ['/probabilities/a~1b', 'a field of a field', { probabilities: { 'a/b': 0.25 } }],
  ])("finds a probability at '%s': %s", (pointer, _, answer) => {
    expect(of([answer], { pointer })).toEqual({ ...noProbabilities, below: { rows: 1, sum: 0.25 } });
  });

  test('takes no other value for a probability, counts it, and says the form of the first', () => {
    const hostile: readonly (readonly [Json | undefined, string])[] = [
      [undefined, 'nothing'],
      [{}, 'nothing'],
      [{ p: null }, 'nothing'],
      [{ p: '0.9' }, 'a text'],
      [{ p: true }, 'true or false'],
      [{ p: 1.000001 }, 'a number that is not between 0 and 1'],
      [{ p: -0.1 }, 'a number that is not between 0 and 1'],
      [{ p: Number.NaN }, 'a number that is not between 0 and 1'],
      [{ p: [0.3, 0.7] }, 'a list'],
      [{ p: [[0.3]] }, 'a list'],
      [{ p: { error: 'out of memory' } }, 'an object'],
      [{ error: 'out of memory' }, 'nothing'],
      ['p', 'nothing'],
    ];

    for (const [answer, lacks] of hostile)
      expect(of([answer, 'later'], { pointer: '/p' })).toEqual({ ...noProbabilities, lacking: 2, lacks });
    expect(of([[0.3, 0.7]], { pointer: '/constructor/length' }).lacking).toBe(1);
  });
});
