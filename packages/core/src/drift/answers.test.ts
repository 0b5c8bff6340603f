import { describe, expect, test } from 'vitest';
import type { Json } from '../base/json.ts';
import { type AnswerSample, answersName, columnWords, noAnswers, valueIn, withSampled } from './answers.ts';
import { cellRule, mistyped } from './cells.ts';
import { categories } from './drift.fixture.ts';

describe('an answer is counted by one value:', () => {
  test.each<readonly [string, Json, Json]>([
    ['a number', 0.25, 0.25],
    ['a text', 'cat', 'cat'],
    ['a boolean', true, true],
    ['none', null, null],
    ['a list of one', [[3]], 3],
    ['two probabilities: that of the positive class', [0.9, 0.1], 0.1],
    ['probabilities of more classes: the one that wins', [0.2, 0.1, 0.7], 'class 2'],
    ['probabilities with two digits', [0.33, 0.33, 0.33], 'class 0'],
    ['a score', { score: 0.4 }, 0.4],
    ['a label before its score', { score: 0.99, label: 'spam' }, 'spam'],
    ['probabilities under a name', { id: 7, probabilities: [0.3, 0.7] }, 0.7],
    ['the only field', { predict: 3 }, 3],
    ['probabilities by name: the name that wins', { cat: 0.2, dog: 0.8 }, 'dog'],
    ['a field that every object inherits is none', { toString: 1, id: 2 }, []],
  ])('%s', (_, answer, value) => {
    expect(valueIn(answer)).toEqual(value);
  });

  test.each<readonly [string, Json]>([
    ['a list of numbers that are no probabilities', [3, 4, 5]],
    ['an empty list', []],
    ['an object of several fields without one that is known', { id: 1, at: 'now' }],
  ])('%s is a value that no column holds', (_, answer) => {
    expect(cellRule(categories('x', ['a']))(valueIn(answer))).toBe(mistyped);
  });
});

describe('a sample of answers', () => {
  const request = (at: number, ...answers: readonly Json[]) => ({ at, rows: answers.map(() => ({ n: 1 })), answers });
  const sampled = (known: AnswerSample, requests: Parameters<typeof withSampled>[1]) =>
    withSampled(known, requests, 'secret');
  const many = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => request(from + index, from + index));

  test('has each request once, however often it is counted, in whatever order and in how many parts', () => {
    const all = sampled(noAnswers, many(0, 40));
    const parts = sampled(sampled(noAnswers, many(20, 40).reverse()), many(0, 25));

    expect(all.answers).toHaveLength(40);
    expect(sampled(all, many(0, 40))).toEqual(all);
    expect(parts).toEqual(all);
  });

  test('is another one under another secret: no id of a request is in each', () => {
    const places = (secret: string) => withSampled(noAnswers, many(0, 9), secret).answers.map(([hash]) => hash);

    expect(places('one').filter((hash) => places('other').includes(hash))).toEqual([]);
  });

  test('tells apart rows of one request, and requests of one time', () => {
    const named = (requestId: string) => ({ ...request(5, 'a', 'a'), requestId });

    expect(sampled(noAnswers, [named('one'), named('other'), named('one')]).answers).toHaveLength(4);
  });

  test('has 10,000 at most, of all with the same chance, and chooses them without a look at the answer', () => {
    const all = Array.from({ length: 12_000 }, (_, index) => request(index, index));
    const sample = sampled(noAnswers, all);
    const places = ({ answers }: typeof sample) => answers.map(([hash]) => hash);
    const mean = sample.answers.reduce((sum, [, value]) => sum + Number(value), 0) / 10_000;

    expect(sample.answers).toHaveLength(10_000);
    // Six standard errors of the mean of a sample of 10,000 of 12,000 without replacement.
    expect(Math.abs(mean - 5999.5)).toBeLessThan(85);
    expect(
      places(
        sampled(
          noAnswers,
          all.map(({ at }) => request(at, 'other')),
        ),
      ),
    ).toEqual(places(sample));
    expect(sampled(sampled(noAnswers, all.slice(0, 7000)), all.slice(7000))).toEqual(sample);
  });
});

test('a column is named in words', () => {
  expect([columnWords(answersName), columnWords('a\n b')]).toEqual(["the model's answers", 'column a b']);
});
