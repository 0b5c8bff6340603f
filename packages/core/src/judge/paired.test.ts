import fc from 'fast-check';
import { expect, test } from 'vitest';
import { everHappens } from './outcomes.fixture.ts';
import { logPaired, logShift } from './paired.ts';

const anyCount = fc.integer({ min: 0, max: 1_000_000_000 });
const count = fc.integer({ min: 0, max: 5000 });
const ratio = fc.double({ min: 0.01, max: 100, noNaN: true });

test('equal models are told apart in fewer than alpha of all rollouts, looked at after every pair', () => {
  const alpha = 0.01;
  const reaches = (level: number) =>
    everHappens(300, 0.5, (candidate, champion) => logPaired(candidate, champion, 1) >= Math.log(1 / level));

  expect(reaches(alpha)).toBeLessThanOrEqual(alpha);
  expect(reaches(alpha)).toBeGreaterThan(alpha / 3);
  expect(reaches(3 * alpha)).toBeGreaterThan(alpha);
});

test('a shift between equal models is found in fewer than alpha of all rollouts, in whichever direction', () => {
  const exact = everHappens(300, 0.5, (higher, lower) => logShift(higher, lower) >= Math.log(100));

  expect(exact).toBeLessThanOrEqual(0.01);
  expect(exact).toBeGreaterThan(0.01 / 3);
});

test('no pair is no evidence', () => {
  expect(logPaired(0, 0, 1.5)).toBe(0);
  expect(logShift(0, 0)).toBe(0);
});

test('each pair in which the candidate is wrong speaks against it, each in which the champion is for it', () => {
  fc.assert(
    fc.property(count, count, ratio, (candidate, champion, tolerated) => {
      const value = logPaired(candidate, champion, tolerated);

      expect(logPaired(candidate + 1, champion, tolerated)).toBeGreaterThan(value);
      expect(logPaired(candidate, champion + 1, tolerated)).toBeLessThan(value);
    }),
  );
});

test('the evidence of a shift is the same in both directions', () => {
  fc.assert(
    fc.property(count, count, (higher, lower) => {
      const value = logShift(higher, lower);

      expect(Math.abs(logShift(lower, higher) - value)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(value)));
    }),
  );
});

test('the evidence of pairs is a finite number for all counts up to a thousand million', () => {
  fc.assert(
    fc.property(anyCount, anyCount, ratio, (candidate, champion, tolerated) => {
      expect(logPaired(candidate, champion, tolerated)).toSatisfy(Number.isFinite);
      expect(logShift(candidate, champion)).toSatisfy(Number.isFinite);
    }),
  );
});
