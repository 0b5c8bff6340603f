import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { incompleteBeta } from '../base/log.ts';
import { day, minute } from '../base/time.ts';
import { atMostOne, everHappens, expected, grid, largest, rounding, times, toArm } from './outcomes.fixture.ts';
import { logAgainstPast, logBelowPast, lowerLimit, partsOf } from './past.ts';

/** Computed outside this repository. */
const near = (value: number, reference: number, relative = 1e-9) =>
  expect(Math.abs(value / reference - 1), `${value} is not ${reference}`).toBeLessThan(relative);

const limit = lowerLimit(3024, 604_800, 0.005);

describe('the reference table', () => {
  test.each([{ bad: 3024, requests: 604_800, error: 0.005, value: 0.00476944914394 }])(
    'has the lower limit $value of $bad in $requests',
    ({ bad, requests, error, value }) => {
      near(lowerLimit(bad, requests, error), value);
    },
  );

  test.each([
    { bad: 7, requests: 1500, log: 2.064342600459 },
    { bad: 0, requests: 600, log: 3.561414355583 },
  ])("has log E' $log of $bad in $requests against the champion's past", ({ bad, requests, log }) => {
    near(logAgainstPast(bad, requests, { limit, margin: 2, floor: 0.001 }), log);
  });

  test('has log E of a champion that is better than its past', () => {
    near(logBelowPast(3, 1500, limit), 1.125344697124);
  });
});

describe('the lower limit of a share', () => {
  test('is exact: with this share so many bad requests, or more, come with probability `error`', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 60 }),
        fc.constantFrom(0.2, 0.005, 1e-6),
        (bad, good, error) => {
          const share = lowerLimit(bad, bad + good, error);
          const law = times(bad + good, toArm('candidate', share));

          expect(expected(law, ({ candidate }) => (candidate >= bad ? 1 : 0)) / error).toBeCloseTo(1, 8);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('of no bad request is 0, and shows nothing', () => {
    expect(lowerLimit(0, 1000, 0.005)).toBe(0);
    expect(lowerLimit(0, 0, 0.005)).toBe(0);
    expect(logAgainstPast(0, 5000, { limit: 0, margin: 2, floor: 0.001 })).toBe(0);
    expect(logBelowPast(0, 5000, 0)).toBe(0);
    expect(incompleteBeta(0, 3, 4)).toBe(0);
  });
});

describe("a candidate that is as bad as the margin, beside a champion that is as bad as its past's limit", () => {
  const cases = {
    requests: [0, 1, 4, 30],
    limit: [0.001, 0.05, 0.2],
    margin: [1.2, 2, 3],
    floor: [0.001, 0.3],
  } as const;
  const worst = ({
    limit,
    margin,
    floor,
  }: {
    readonly limit: number;
    readonly margin: number;
    readonly floor: number;
  }) => Math.max(floor, margin * limit);

  test('is expected to bring no evidence, and exactly none at the margin', () => {
    atMostOne(
      largest(grid({ ...cases, over: [1, 1.4] }), (of) =>
        expected(times(of.requests, toArm('candidate', worst(of) * of.over)), ({ candidate }) =>
          Math.exp(logAgainstPast(candidate, of.requests, of)),
        ),
      ),
    );
    const exact = largest(grid(cases), (of) =>
      Math.abs(
        expected(times(of.requests, toArm('candidate', worst(of))), ({ candidate }) =>
          Math.exp(logAgainstPast(candidate, of.requests, of)),
        ) - 1,
      ),
    );
    expect(exact.value, JSON.stringify(exact.of)).toBeLessThanOrEqual(rounding);
  });

  test('is promoted with less than beta, looked at after every request', () => {
    const past = { limit: 0.05, margin: 2, floor: 0.001 };

    const ever = everHappens(400, 0.1, (bad, good) => logAgainstPast(bad, bad + good, past) >= Math.log(20));

    expect(ever).toBeLessThanOrEqual(0.05);
    expect(ever).toBeGreaterThan(0.005);
  });

  test('brings evidence if the champion is better than the limit: the condition is one', () => {
    const value = expected(times(60, toArm('candidate', 0.1)), ({ candidate }) =>
      Math.exp(logAgainstPast(candidate, 60, { limit: 0.1, margin: 2, floor: 0.001 })),
    );

    expect(value).toBeGreaterThan(5);
  });

  test('shows nothing where the margin would exclude every share', () => {
    expect(logAgainstPast(0, 5000, { limit: 0.4, margin: 3, floor: 0.001 })).toBe(0);
  });
});

test('a champion that is as bad as the limit or worse is said to be better with 1/20 at most', () => {
  for (const share of [0.05, 0.08])
    expect(everHappens(400, share, (bad, good) => logBelowPast(bad, bad + good, 0.05) >= Math.log(20))).toBeLessThan(
      0.05,
    );
  expect(everHappens(400, 0.01, (bad, good) => logBelowPast(bad, bad + good, 0.05) >= Math.log(20))).toBeGreaterThan(
    0.9,
  );
});

describe('what the limit is taken of', () => {
  const windows = (bad: (start: number) => number, days = 7) =>
    Array.from({ length: (days * day) / (5 * minute) }, (_, index) => ({
      start: index * 5 * minute,
      requests: 300,
      bad: bad(index * 5 * minute),
    }));

  test('is each quarter of the day, and the last day', () => {
    const parts = partsOf(windows((start) => (start % day < day / 4 ? 1 : start >= 6 * day ? 2 : 3)));

    expect(parts).toEqual([
      { bad: 7 * 72, requests: 7 * 72 * 300 },
      ...[1, 2, 3].map(() => ({ bad: 6 * 72 * 3 + 72 * 2, requests: 7 * 72 * 300 })),
      { bad: 72 + 3 * 72 * 2, requests: 288 * 300 },
    ]);
  });

  test('is what is usual: a burst or an incident does not raise it', () => {
    const calm = partsOf(windows(() => 2));

    expect(partsOf(windows((start) => (start % (7 * 5 * minute) === 0 ? 60 : 2)))).toEqual(calm);
  });

  test('has a quarter without requests if the champion is younger than a day, and then nothing is known', () => {
    expect(partsOf(windows(() => 2, 0.5)).map(({ requests }) => requests === 0)).toContain(true);
    expect(partsOf([])).toEqual([0, 1, 2, 3, 4].map(() => ({ bad: 0, requests: 0 })));
  });
});
