import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addClasses,
  addErrors,
  type Classes,
  type Errors,
  errorOf,
  largestError,
  lossOfError,
  withClass,
  withError,
} from './truths.ts';

describe('truths of a class', () => {
  test('are told apart by what was predicted and what was true', () => {
    const counts = (predicted: boolean, truth: boolean) => withClass(undefined, predicted, truth);

    expect(counts(true, true)).toMatchObject({ truePositives: 1, falsePositives: 0 });
    expect(counts(true, false)).toMatchObject({ falsePositives: 1, falseNegatives: 0 });
    expect(counts(false, true)).toMatchObject({ falseNegatives: 1, falsePositives: 0 });
    expect(counts(false, false)).toMatchObject({ trueNegatives: 1, falseNegatives: 0 });
  });

  test('are counted alike in one piece and in parts', () => {
    const pairs = fc.array(fc.tuple(fc.boolean(), fc.boolean()));
    const sum = (truths: readonly (readonly [boolean, boolean])[]): Classes | undefined =>
      truths.reduce<Classes | undefined>((sums, [predicted, truth]) => withClass(sums, predicted, truth), undefined);

    fc.assert(
      fc.property(pairs, pairs, (one, other) => {
        expect(addClasses(sum(one), sum(other))).toEqual(sum([...one, ...other]));
      }),
    );
  });
});

describe('truths that are numbers', () => {
  test.each([
    ['12.5', '10', 2.5],
    ['10', '12.5', -2.5],
    ['1e3', '1000', 0],
    [' 7 ', '7.0', 0],
    ['-0', '0', 0],
  ])('%j for %j is off by %d', (prediction, truth, error) => {
    expect(errorOf(prediction, truth)).toBeCloseTo(error, 12);
  });

  test.each([
    ['', '1'],
    [' ', '1'],
    ['cat', '1'],
    ['0x10', '16'],
    ['2', ' 0B10'],
    ['1', 'true'],
    ['1,5', '1.5'],
    ['NaN', '1'],
    ['Infinity', '1'],
    ['Infinity', 'Infinity'],
    ['1e400', '1'],
    ['1e308', '-1e308'],
    ['1e61', '0'],
  ])('how far %j is from %j is not known', (prediction, truth) => {
    expect(errorOf(prediction, truth)).toBeUndefined();
  });

  test('lose in parts of the scale, the whole of it at most, and all where the error is not known', () => {
    expect([0, 2, -2, 10, -30, largestError, undefined].map((error) => lossOfError(error, 10))).toEqual([
      ...[0, 0.2, 0.2, 1, 1, 1, 1],
    ]);
    expect(lossOfError(largestError, largestError)).toBe(1);
    expect(lossOfError(1, Number.MIN_VALUE)).toBe(1);
  });

  test('are added up by size, square and fourth power', () => {
    const sums = [3, -1, undefined, 2].reduce<Errors | undefined>(withError, undefined);

    expect(sums).toEqual({ numbers: 3, unknown: 1, absolute: 6, squares: 14, fourths: 98 });
  });

  test('come to the same in one piece and in parts, and to finite sums', () => {
    const size = largestError;
    const any = fc.array(fc.option(fc.double({ min: -size, max: size, noNaN: true }), { nil: undefined }));
    const sum = (errors: readonly (number | undefined)[]): Errors | undefined =>
      errors.reduce<Errors | undefined>(withError, undefined);

    fc.assert(
      fc.property(any, any, (one, other) => {
        const [parts, whole] = [addErrors(sum(one), sum(other)), sum([...one, ...other])];
        for (const [name, value] of Object.entries(whole ?? {})) {
          const part = parts?.[name as keyof Errors] ?? Number.NaN;
          expect(Number.isFinite(part)).toBe(true);
          expect(Math.abs(part - value)).toBeLessThanOrEqual(1e-12 * value);
        }
        expect(parts === undefined).toBe(whole === undefined);
      }),
    );
  });
});
