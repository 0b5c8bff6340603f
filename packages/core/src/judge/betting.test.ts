import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bets, betOnHarm, betOnSafety, type Loss, noBets } from './betting.ts';

const loss: fc.Arbitrary<Loss> = fc.record({
  candidate: fc.boolean(),
  share: fc.integer({ min: 1, max: 9999 }).map((parts) => parts / 10_000),
  loss: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
});
const tolerated = fc.double({ min: 0, max: 1, noNaN: true });

const play = (losses: readonly Loss[], bet: typeof betOnHarm, m: number, from = noBets): Bets =>
  losses.reduce((bets, one) => bet(bets, one, m), from);

const constant = (length: number, ours: number, theirs: number): readonly Loss[] =>
  Array.from({ length }, (_, index) => {
    const candidate = index % 2 === 0;
    return { candidate, share: 0.5, loss: candidate ? ours : theirs };
  });

describe('bets on losses', () => {
  test('never lose all, whatever comes: log K is a finite number', () => {
    fc.assert(
      fc.property(fc.array(loss, { maxLength: 60 }), tolerated, (losses, m) => {
        for (const bet of [betOnHarm, betOnSafety]) {
          const { labels, logK, sum, squares } = play(losses, bet, m);

          expect(labels).toBe(losses.length);
          expect([logK, sum, squares].every(Number.isFinite)).toBe(true);
        }
      }),
    );
  });

  test('put at most half at risk: one loss never takes more than half of K', () => {
    fc.assert(
      fc.property(fc.array(loss, { maxLength: 40 }), loss, tolerated, (past, next, m) => {
        for (const bet of [betOnHarm, betOnSafety]) {
          const bets = play(past, bet, m);

          expect(bet(bets, next, m).logK - bets.logK).toBeGreaterThanOrEqual(Math.log(0.5) - 1e-12);
        }
      }),
    );
  });

  test('begin without a bet: the first loss decides nothing', () => {
    fc.assert(
      fc.property(loss, tolerated, (first, m) => {
        expect(betOnHarm(noBets, first, m).logK).toBeCloseTo(0, 12);
      }),
    );
  });

  test('find a candidate that loses more, and not one that loses as much', () => {
    expect(play(constant(400, 0.3, 0.1), betOnHarm, 0).logK).toBeGreaterThan(Math.log(100));
    expect(play(constant(400, 0.2, 0.2), betOnHarm, 0).logK).toBeLessThan(Math.log(100));
    expect(play(constant(400, 0.1, 0.3), betOnHarm, 0).logK).toBeLessThanOrEqual(0);
  });

  test('certify a candidate that loses as much as the champion, and not one at the margin', () => {
    expect(play(constant(3000, 0.2, 0.2), betOnSafety, 0.1).logK).toBeGreaterThan(Math.log(20));
    expect(play(constant(3000, 0.3, 0.2), betOnSafety, 0.1).logK).toBeLessThan(Math.log(20));
  });

  test('risk nothing where the hypothesis cannot be won against: a share of which one arm has all', () => {
    const alone = { candidate: true, share: 1, loss: 0.7 };
    const bets = play(constant(20, 1, 0), betOnHarm, 0);

    expect(betOnHarm(bets, alone, 0).logK).toBe(bets.logK);
  });
});
