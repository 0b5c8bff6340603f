import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { everHappens } from './outcomes.fixture.ts';
import { logFloor, logPromotion, logRatio } from './promotion.ts';

const anyCount = fc.integer({ min: 0, max: 1_000_000_000 });
const anyShare = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1));
const margin = fc.double({ min: 1.2, max: 100, noNaN: true });
const floor = fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true });
const count = fc.integer({ min: 0, max: 5000 });
const weight = fc.integer({ min: 1, max: 99 }).map((percent) => percent / 100);

const impossible = Number.NEGATIVE_INFINITY;

describe('false promotions', () => {
  const beta = 0.05;
  const enough = Math.log(1 / beta);

  test('of a candidate exactly as bad as the margin are fewer than beta, looked at after every error', () => {
    const share = 0.5;
    const atMargin = (2 * share) / (2 * share + 1 - share);

    const exact = everHappens(
      300,
      atMargin,
      (candidate, champion) => logPromotion(logRatio([{ candidate, champion, share }], 2), impossible) >= enough,
    );

    expect(exact).toBeLessThanOrEqual(beta);
    // One half of the evidence alone: sharp within that half.
    expect(exact).toBeGreaterThan(beta / 8);
  });

  test('of a candidate exactly as bad as the floor are fewer than beta, looked at after every request', () => {
    const exact = everHappens(
      300,
      0.05,
      (bad, good) => logPromotion(impossible, logFloor(bad, bad + good, 0.05)) >= enough,
    );

    expect(exact).toBeLessThanOrEqual(beta);
    expect(exact).toBeGreaterThan(beta / 8);
  });

  test('would be more than beta by the better half alone, or with every error counted twice', () => {
    const twice = everHappens(
      300,
      2 / 3,
      (candidate, champion) =>
        logRatio([{ candidate: 2 * candidate, champion: 2 * champion, share: 0.5 }], 2) >= enough,
    );
    const lenient = everHappens(300, 0.05, (bad, good) => logFloor(bad, bad + good, 0.05) >= Math.log(1 / (4 * beta)));

    expect(twice).toBeGreaterThan(2 * beta);
    expect(lenient).toBeGreaterThan(beta);
  });
});

describe('the evidence that a candidate is safe', () => {
  test('is nothing before anything was counted', () => {
    expect(logRatio([], 2)).toBe(0);
    expect(logFloor(0, 0, 0.001)).toBe(0);
    expect(logPromotion(0, 0)).toBe(0);
  });

  test('falls with each error of the candidate and grows with each of the champion', () => {
    fc.assert(
      fc.property(count, count, weight, margin, (candidate, champion, share, most) => {
        const value = logRatio([{ candidate, champion, share }], most);

        expect(logRatio([{ candidate: candidate + 1, champion, share }], most)).toBeLessThan(value);
        expect(logRatio([{ candidate, champion: champion + 1, share }], most)).toBeGreaterThan(value);
      }),
    );
  });

  test('against the floor falls with each bad request and grows with each good one', () => {
    fc.assert(
      fc.property(count, count, fc.double({ min: 1e-4, max: 0.9, noNaN: true }), (bad, good, share) => {
        const value = logFloor(bad, bad + good, share);

        expect(logFloor(bad + 1, bad + 1 + good, share)).toBeLessThan(value);
        expect(logFloor(bad, bad + good + 1, share)).toBeGreaterThan(value);
      }),
    );
  });

  test('does not depend on the order of ticks', () => {
    const tick = fc.record({ candidate: count, champion: count, share: weight });

    fc.assert(
      fc.property(fc.array(tick, { minLength: 1, maxLength: 8 }), margin, (ticks, most) => {
        const value = logRatio(ticks, most);

        expect(Math.abs(logRatio([...ticks].reverse(), most) - value)).toBeLessThan(1e-9 * (1 + Math.abs(value)));
      }),
    );
  });

  test('is a finite number for all counts and shares: the alternative without errors is refuted by the first, the others stay', () => {
    fc.assert(
      fc.property(anyCount, anyCount, anyShare, margin, floor, (candidate, champion, share, most, least) => {
        const ratio = logRatio([{ candidate, champion, share }], most);
        const below = logFloor(candidate, candidate + champion, least, 1 + (champion % 7));

        expect(ratio).toSatisfy(Number.isFinite);
        expect(below).toSatisfy(Number.isFinite);
        expect(logPromotion(ratio, below)).toSatisfy(Number.isFinite);
      }),
    );
  });

  test('after one error is that of the two alternatives that allow errors', () => {
    const [quarter, half] = [0.25, 0.5].map((part) => part * ((1 - part * 0.1) / 0.9) ** 9);

    expect(Math.exp(logFloor(1, 10, 0.1))).toBeCloseTo(((quarter ?? 0) + (half ?? 0)) / 3, 12);
  });

  test('is at least half of what either half says, and no more than the stronger half', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1000, max: 1000, noNaN: true }),
        fc.double({ min: -1000, max: 1000, noNaN: true }),
        (ratio, below) => {
          const stronger = Math.max(ratio, below);
          const value = logPromotion(ratio, below);

          expect(value).toBeGreaterThanOrEqual(stronger - Math.log(2) - 1e-12);
          expect(value).toBeLessThanOrEqual(stronger + 1e-12);
        },
      ),
    );
  });
});

test('a service without errors is certified by the floor after about 4,400 requests of the candidate', () => {
  const certified = (requests: number) => logPromotion(0, logFloor(0, requests, 0.001)) >= Math.log(20);

  expect(certified(4200)).toBe(false);
  expect(certified(4600)).toBe(true);
});
