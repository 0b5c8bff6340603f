import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logBeta, logGamma, logMean, logRising, logSum, turningPoint } from './log.ts';

describe('sums of what is kept as logs', () => {
  test('are right where the numbers themselves would overflow or vanish', () => {
    expect(logSum([1000, 1000])).toBeCloseTo(1000 + Math.log(2), 12);
    expect(logSum([-2000, -2000, -2000, -2000])).toBeCloseTo(-2000 + Math.log(4), 12);
    expect(logMean([5000, -5000])).toBeCloseTo(5000 - Math.log(2), 12);
  });

  test('of nothing and of zeros are zero, never NaN', () => {
    expect(logSum([])).toBe(Number.NEGATIVE_INFINITY);
    expect(logSum([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY])).toBe(Number.NEGATIVE_INFINITY);
    expect(logMean([Number.NEGATIVE_INFINITY, 0])).toBeCloseTo(-Math.log(2), 12);
  });
});

describe('log B(a, b)', () => {
  test.each([
    { a: 0.5, b: 0.5, value: Math.log(Math.PI) },
    { a: 1, b: 1, value: 0 },
    { a: 2, b: 3, value: Math.log(1 / 12) },
    { a: 0.5, b: 1.5, value: Math.log(Math.PI / 2) },
    { a: 10, b: 10, value: Math.log(1 / 923780) },
  ])('of $a and $b is $value', ({ a, b, value }) => {
    expect(Math.abs(logBeta(a, b) - value)).toBeLessThan(1e-13 * Math.max(1, Math.abs(value)));
  });

  test.each([
    [0, 1000],
    [10, 100_000],
    [1000, 1_000_000],
    [3, 10_000_000],
  ])('keeps its digits for %d bad of %d requests', (bad, requests) => {
    // B(1/2 + e, 1/2 + n - e) / B(1/2, 1/2) as the product over the requests, one by one.
    let product = 0;
    for (let index = 0; index < bad; index += 1) product += Math.log((index + 0.5) / (index + 1));
    for (let index = 0; index < requests - bad; index += 1) product += Math.log1p(-(bad + 0.5) / (bad + index + 1));

    const value = logBeta(0.5 + bad, 0.5 + requests - bad) - logBeta(0.5, 0.5);

    expect(Math.abs(value / product - 1)).toBeLessThan(1e-11);
  });

  test('is the same from both sides, up to a thousand million', () => {
    expect(logBeta(3.5, 1e9)).toBeCloseTo(logBeta(1e9, 3.5), 10);
    // Gamma(a) b^-a is the limit for large b; Gamma(3.5) is 15/8 sqrt(pi), and the next term is a (a - 1) / 2b.
    expect(logBeta(3.5, 1e9)).toBeCloseTo(Math.log((15 / 8) * Math.sqrt(Math.PI)) - 3.5 * Math.log(1e9), 7);
  });
});

test('a turning point is found to the last digits', () => {
  expect(turningPoint(0, 10, (x) => 2 - x * x)).toBeCloseTo(Math.SQRT2, 15);
  expect(turningPoint(3, 3, () => 1)).toBe(3);
});

describe('log Gamma(x)', () => {
  test.each([
    { x: 1e-5, value: 11.51291969289583 },
    { x: 0.5, value: Math.log(Math.PI) / 2 },
    { x: 1, value: 0 },
    { x: 2, value: 0 },
    { x: 7, value: Math.log(720) },
    { x: 21, value: 42.33561646075349 },
    { x: 1e6, value: 12815504.569147611 },
  ])('of $x is $value', ({ x, value }) => {
    expect(Math.abs(logGamma(x) - value)).toBeLessThan(1e-13 * Math.max(1, Math.abs(value)));
  });
});

describe('the log of a rising factorial', () => {
  test('is the sum of the logs of its factors, small or large', () => {
    const whole = fc.tuple(fc.double({ min: 1e-9, max: 1e7, noNaN: true }), fc.integer({ min: 0, max: 300 }));

    fc.assert(
      fc.property(whole, ([b, y]) => {
        let log = 0;
        for (let step = 0; step < y; step += 1) log += Math.log(b + step);
        expect(Math.abs(logRising(b, y) - log)).toBeLessThan(1e-11 * Math.max(1, Math.abs(log)));
      }),
    );
  });

  test('is that of a step that is not whole', () => {
    // Gamma(3/2) is half the square root of pi; Gamma(5/4) and Gamma(3/4): Abramowitz & Stegun, table 6.1.
    expect(logRising(1, 0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI) / 2), 11);
    expect(logRising(0.75, 0.5)).toBeCloseTo(Math.log(0.9064024770554771 / 1.2254167024651776), 11);
  });
});
