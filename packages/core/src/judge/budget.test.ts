import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { affordable, excessBound } from './budget.ts';
import { shareInterval } from './interval.ts';

const arm = fc
  .tuple(fc.integer({ min: 0, max: 1_000_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([requests, part]) => ({ requests, errors: Math.floor(requests * part) }));

describe("how many more of the candidate's requests may fail", () => {
  test('is anything while nothing is known', () => {
    expect(excessBound({ requests: 0, errors: 0 }, { requests: 0, errors: 0 }, 0.01)).toBe(1);
  });

  test("is from its upper limit to the champion's lower one", () => {
    const candidate = { requests: 1000, errors: 20 };
    const champion = { requests: 9000, errors: 90 };

    expect(excessBound(candidate, champion, 0.01)).toBeCloseTo(
      shareInterval(20, 1000, 0.01).high - shareInterval(90, 9000, 0.01).low,
      15,
    );
  });

  test('is never below what was seen, below nothing or above everything', () => {
    fc.assert(
      fc.property(arm, arm, (candidate, champion) => {
        const bound = excessBound(candidate, champion, 0.01);
        const seen =
          candidate.requests * champion.requests === 0
            ? 0
            : candidate.errors / candidate.requests - champion.errors / champion.requests;

        expect(bound).toBeGreaterThanOrEqual(Math.max(0, seen - 1e-12));
        expect(bound).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('is less the more requests of the candidate succeeded', () => {
    const champion = { requests: 10_000, errors: 100 };
    const bounds = [0, 10, 100, 1000, 10_000].map((requests) => excessBound({ requests, errors: 0 }, champion, 0.01));

    expect(bounds).toEqual([...bounds].sort((a, b) => b - a));
    expect(new Set(bounds).size).toBe(bounds.length);
  });
});

describe('the weight that a harm budget affords', () => {
  const plan = {
    budget: fc.double({ min: 1, max: 1e6, noNaN: true }),
    excess: fc.double({ min: 1e-6, max: 1, noNaN: true }),
    spent: fc.integer({ min: 0, max: 1_000_000_000 }),
    ahead: fc.integer({ min: 1, max: 1_000_000_000 }),
  };

  test('keeps the expected excess within the budget, and is the largest percent that does', () => {
    fc.assert(
      fc.property(fc.record(plan), ({ budget, excess, spent, ahead }) => {
        const after = (percent: number) => excess * (spent + (percent / 100) * ahead);
        const weight = affordable(budget, excess, spent, ahead);

        expect(after(weight)).toBeLessThanOrEqual(budget * (1 + 1e-9) + 1e-9 * after(100));
        expect(after(weight + 1)).toBeGreaterThan(budget * (1 - 1e-9) - 1e-9 * after(100));
      }),
    );
  });

  test('is everything where nothing can be worse', () => {
    expect(affordable(10, 0, 1_000_000, 1000)).toBe(100);
  });

  test('is below nothing once the budget may be spent', () => {
    expect(affordable(10, 0.1, 101, 1000)).toBeLessThan(0);
  });
});
