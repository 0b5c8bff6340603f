import { describe, expect, test } from 'vitest';
import { logMean } from '../base/log.ts';
import {
  atMostOne,
  both,
  expected,
  grid,
  type Law,
  largest,
  mixed,
  rounding,
  routed,
  type Tally,
  times,
  toArm,
} from './outcomes.fixture.ts';
import { addRatio, logFloor, logPromotion } from './promotion.ts';

/**
 * E[E'] <= 1 for a candidate that is as bad as the margin and as the floor, by exact enumeration of all outcomes. Then
 * no such candidate is promoted with more than beta. The last block breaks one condition each: these sums can fail.
 */
/** The alternatives to "as bad as the margin"; an index beyond them would give NaN, which is above any bound. */
const alternatives = [0, 1, 2, 3, 4];
const leftOut = alternatives.map(() => 1);

/** E' of the ratio of one tick for each alternative. The promotion test leaves out a tick without candidate requests. */
function ratios(tally: Tally, share: number, margin: number): readonly number[] {
  if (tally.candidateRequests === 0) return leftOut;
  return allRatios(tally, share, margin);
}

function allRatios({ candidate, champion }: Tally, share: number, margin: number): readonly number[] {
  const logs: number[] = [];
  addRatio(logs, { candidate, champion, share }, margin);
  return logs.map(Math.exp);
}

const floorOf = ({ candidate, candidateRequests }: Tally, floor: number, maxBurst = 1): number =>
  Math.exp(logFloor(candidate, candidateRequests, floor, maxBurst));

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** `over` 1: as bad as the margin exactly. */
interface Case {
  readonly share: number;
  readonly requests: number;
  readonly margin: number;
  readonly baseline: number;
  readonly over: number;
}

const cases = {
  share: [0, 0.05, 0.25, 0.5, 0.95, 1],
  requests: [0, 1, 2, 5],
  margin: [1.2, 2, 3],
  baseline: [0.01, 0.1, 0.3],
  over: [1, 1.1],
} as const;
const boundary = { ...cases, over: [1] } as const;

const bad = ({ baseline, margin, over }: Pick<Case, 'baseline' | 'margin' | 'over'>) => ({
  candidate: baseline * margin * over,
  champion: baseline,
});

const tick = (of: Case): Law => times(of.requests, routed(of.share, bad(of)));

/** An incident that multiplies what fails in both arms, and any number of requests. */
const changing = (of: Case): Law =>
  mixed([
    [0.4, tick(of)],
    [0.3, tick({ ...of, baseline: of.baseline / 4 })],
    [0.2, tick({ ...of, baseline: 0.999 / (of.margin * of.over) })],
    [0.1, tick({ ...of, requests: 1 })],
  ]);

describe.each(
  Object.entries({ 'independent failures': tick, 'incidents of both arms and changing traffic': changing }),
)('the ratio, under %s', (_, law) => {
  test('expects no evidence for a candidate at least as bad as the margin', () => {
    for (const index of alternatives)
      atMostOne(
        largest(grid(cases), (of) =>
          expected(law(of), (tally) => ratios(tally, of.share, of.margin)[index] ?? Number.NaN),
        ),
      );
  });

  test('is exact at the margin, no tick left out', () => {
    for (const index of alternatives) {
      const found = largest(grid(boundary), (of) =>
        Math.abs(expected(law(of), (tally) => allRatios(tally, of.share, of.margin)[index] ?? Number.NaN) - 1),
      );
      expect(found.value, JSON.stringify(found.of)).toBeLessThanOrEqual(rounding);
    }
  });
});

test('the ratio at a realised share expects no evidence for a candidate at least as bad as the margin', () => {
  const found = largest(
    grid({
      ours: [0, 1, 2, 4],
      theirs: [0, 1, 2, 4],
      margin: cases.margin,
      baseline: cases.baseline,
      over: cases.over,
    }),
    (of) => {
      const law = both(
        times(of.ours, toArm('candidate', bad(of).candidate)),
        times(of.theirs, toArm('champion', bad(of).champion)),
      );
      const share = of.ours / Math.max(1, of.ours + of.theirs);
      return Math.max(
        ...alternatives.map((index) =>
          expected(law, (tally) => allRatios(tally, share, of.margin)[index] ?? Number.NaN),
        ),
      );
    },
  );

  atMostOne(found);
});

describe('the floor', () => {
  const floors = { floor: [0.001, 0.1, 0.5], requests: [0, 1, 3, 6] } as const;

  test('expects no evidence for a candidate at least as bad as the floor', () => {
    atMostOne(
      largest(grid({ ...floors, over: [1, 1.5, 2] }), (of) =>
        expected(times(of.requests, toArm('candidate', of.floor * of.over)), (tally) => floorOf(tally, of.floor)),
      ),
    );
  });

  test('is exact at the floor', () => {
    const found = largest(grid(floors), (of) =>
      Math.abs(expected(times(of.requests, toArm('candidate', of.floor)), (tally) => floorOf(tally, of.floor)) - 1),
    );

    expect(found.value, JSON.stringify(found.of)).toBeLessThanOrEqual(rounding);
  });

  test('with bursts of the stated size is exact, and with smaller ones expects no evidence', () => {
    const exact = largest(grid(floors), (of) =>
      Math.abs(
        expected(times(of.requests, toArm('candidate', of.floor, 3)), (tally) => floorOf(tally, of.floor, 3)) - 1,
      ),
    );

    expect(exact.value, JSON.stringify(exact.of)).toBeLessThanOrEqual(rounding);
    atMostOne(
      largest(grid({ ...floors, singles: [0, 1, 2], pairs: [0, 1, 2] }), (of) => {
        const small = both(
          times(of.singles, toArm('candidate', of.floor)),
          times(of.pairs, toArm('candidate', of.floor, 2)),
        );
        return expected(both(small, times(of.requests, toArm('candidate', of.floor, 3))), (tally) =>
          floorOf(tally, of.floor, 3),
        );
      }),
    );
  });

  test('expects too much when bursts are larger than stated', () => {
    const law = times(3, toArm('candidate', 0.1, 3));

    expect(expected(law, (tally) => floorOf(tally, 0.1))).toBeGreaterThan(1.5);
  });
});

describe('both halves together', () => {
  const floor = 0.2;
  /** As bad as the margin and as the floor: the baseline is what the champion may have at most. */
  const asBad = [
    { share: 0.5, margin: 2, candidate: 0.2, champion: 0.1 },
    { share: 0.25, margin: 2, candidate: 0.2, champion: 0.02 },
    { share: 0.1, margin: 1.2, candidate: 0.6, champion: 0.5 },
    { share: 0.9, margin: 3, candidate: 0.9, champion: 0.3 },
    { share: 0.5, margin: 2, candidate: 1, champion: 0 },
  ];

  const promotion = (tally: Tally, share: number, margin: number): number =>
    Math.exp(logPromotion(logMean(ratios(tally, share, margin).map(Math.log)), Math.log(floorOf(tally, floor))));

  test.each(asBad)('expect no evidence for a candidate that is as bad as both: $candidate to $champion', (of) => {
    for (const requests of [0, 1, 4, 6])
      expect(
        expected(times(requests, routed(of.share, of)), (tally) => promotion(tally, of.share, of.margin)),
      ).toBeLessThanOrEqual(1 + rounding);
  });

  test('are exact where the candidate is at the margin and at the floor, no tick left out', () => {
    const law = times(5, routed(0.5, { candidate: 0.2, champion: 0.1 }));

    const value = expected(law, (tally) =>
      Math.exp(logPromotion(Math.log(mean(allRatios(tally, 0.5, 2))), Math.log(floorOf(tally, floor)))),
    );

    expect(Math.abs(value - 1)).toBeLessThanOrEqual(rounding);
  });

  test.each(asBad)(
    'keep the bound over two ticks of which the first decides how the second is routed: $candidate to $champion',
    (of) => {
      const next = (first: Tally) => ({
        share: first.candidate > 0 ? 0.5 : 0.9,
        requests: 1 + first.champion,
        candidate: first.candidate === 0 ? of.candidate : Math.max(floor, of.margin * 0.3),
        champion: first.candidate === 0 ? of.champion : 0.3,
      });
      const halves = (first: Tally, second: Tally) => {
        const after = ratios(second, next(first).share, of.margin);
        return (
          mean(ratios(first, of.share, of.margin).map((value, index) => value * (after[index] ?? Number.NaN))) / 2 +
          mean([0, 0.25, 0.5].map((part) => floorPart(first, part) * floorPart(second, part))) / 2
        );
      };

      const value = expected(times(3, routed(of.share, of)), (first) =>
        expected(times(next(first).requests, routed(next(first).share, next(first))), (second) =>
          halves(first, second),
        ),
      );

      expect(value).toBeLessThanOrEqual(1 + rounding);
    },
  );

  /** One alternative of the floor, from its definition: a likelihood ratio of two shares. */
  const floorPart = ({ candidate, candidateRequests }: Tally, part: number): number =>
    part ** candidate * ((1 - part * floor) / (1 - floor)) ** (candidateRequests - candidate);

  test('the floor of two ticks is the floor of their sums', () => {
    const [first, second] = [
      { candidate: 1, candidateRequests: 5, champion: 0, championRequests: 0 },
      { candidate: 0, candidateRequests: 7, champion: 0, championRequests: 0 },
    ] as const;

    const parts = mean([0, 0.25, 0.5].map((part) => floorPart(first, part) * floorPart(second, part)));

    expect(Math.exp(logFloor(1, 12, floor))).toBeCloseTo(parts, 12);
  });
});

describe('what breaks the bound on false promotions', () => {
  const equal: Case = { share: 0.25, requests: 5, margin: 2, baseline: 0.2, over: 1 };

  const expectedRatio = (law: Law, share: number, margin: number, rule = allRatios): number =>
    expected(law, (tally) => mean(rule(tally, share, margin)));

  test('the half of the ratio, where the candidate is as bad as the floor and not as the margin', () => {
    const law = times(5, routed(0.5, { candidate: 0.2, champion: 0.2 }));

    expect(expectedRatio(law, 0.5, 2)).toBeGreaterThan(1.05);
    expect(expected(law, (tally) => floorOf(tally, 0.2))).toBeLessThanOrEqual(1 + rounding);
  });

  test('the half of the floor, where the candidate is as bad as the margin and not as the floor', () => {
    const law = times(5, routed(0.5, { candidate: 0.1, champion: 0.05 }));

    expect(expected(law, (tally) => floorOf(tally, 0.2))).toBeGreaterThan(1.2);
    expect(expectedRatio(law, 0.5, 2)).toBeLessThanOrEqual(1 + rounding);
  });

  test('a wrong weight: requests routed at 10 % that are judged at the 25 % of the next step', () => {
    expect(expectedRatio(tick({ ...equal, share: 0.1 }), 0.25, 2)).toBeGreaterThan(1.05);
  });

  test('a tick that counts twice', () => {
    expect(
      expected(tick(equal), (tally) => mean(allRatios(tally, 0.25, 2).map((value) => value ** 2))),
    ).toBeGreaterThan(1.05);
    expect(expected(times(5, toArm('candidate', 0.2)), (tally) => floorOf(tally, 0.2) ** 2)).toBeGreaterThan(1.5);
  });

  test('leaving out the ticks without champion requests', () => {
    const skipping = (tally: Tally, share: number, margin: number) =>
      tally.championRequests === 0 ? leftOut : allRatios(tally, share, margin);

    expect(expectedRatio(tick({ ...equal, share: 0.9 }), 0.9, 2, skipping)).toBeGreaterThan(1.05);
  });

  test('an outage of both arms, in which a candidate that is otherwise as bad as the margin fails no more often', () => {
    const law = mixed([
      [0.5, tick(equal)],
      [0.5, times(5, routed(0.25, { candidate: 1, champion: 1 }))],
    ]);

    expect(expectedRatio(law, 0.25, 2)).toBeGreaterThan(1.2);
  });
});
