import { expect, test } from 'vitest';
import { predictionIn } from './prediction.ts';

const found = (answer: unknown, pointer?: string) => predictionIn(JSON.stringify(answer), pointer);

test.each([
  ['the body itself', 0.5, 0.5],
  ['the body itself, a text', 'cat', 'cat'],
  ['the one value of a list', [[0.5]], 0.5],
  ['the one value of an object', { score: 0.5 }, 0.5],
  ['prediction', { prediction: 'cat', predictions: [1] }, 'cat'],
  ['prediction, when it is false', { prediction: false }, false],
  ['a list in prediction', { prediction: [3] }, 3],
  ['the first of predictions', { predictions: [1, 2] }, 1],
  ['the one value of the first of predictions', { predictions: [{ score: 0.9 }, { score: 0.1 }] }, 0.9],
  ['the data of the first output', { model_name: 'm', outputs: [{ name: 'o', data: [7, 8] }, { data: [9] }] }, 7],
  ['nested data of the first output', { outputs: [{ data: [['a', 'b'], ['c']] }] }, 'a'],
])('finds %s', (_, answer, expected) => {
  expect(found(answer)).toBe(expected);
});

test.each([
  ['null', null],
  ['an object of several values', { score: 1, other: 2 }],
  ['no prediction', { predictions: [] }],
  ['a prediction of several values', { predictions: [{ a: 1, b: 2 }] }],
  ['no outputs', { outputs: [] }],
  ['an output without data', { outputs: [{ data: [] }] }],
  ['a text that is too long', 'x'.repeat(257)],
])('finds nothing in %s', (_, answer) => {
  expect(found(answer)).toBeUndefined();
});

test.each([
  ['no text', ''],
  ['what is no JSON', 'no json'],
  ['half of a JSON', '{"prediction": '],
  ['a number that is not finite', '1e999'],
  ['lists in lists in lists', `${'['.repeat(30_000)}1${']'.repeat(30_000)}`],
])('finds nothing in %s', (_, text) => {
  expect(predictionIn(text)).toBeUndefined();
});

test.each([
  ['/score', 2],
  ['/list/1', 'b'],
  ['/a~1b', 3],
  ['/m~0n', 4],
  ['/', 5],
  ['/one', 6],
  ['/list', undefined],
  ['/list/2', undefined],
  ['/score/x', undefined],
  ['/constructor', undefined],
  ['/__proto__', undefined],
])('goes by the JSON pointer %s alone', (pointer, expected) => {
  const answer = { prediction: 1, score: 2, list: ['a', 'b'], 'a/b': 3, 'm~n': 4, '': 5, one: { value: 6 } };

  expect(found(answer, pointer)).toBe(expected);
});
