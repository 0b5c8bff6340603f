import { describe, expect, test } from 'vitest';
import { type Bets, betOnHarm, betOnSafety, type Loss, noBets } from './betting.ts';
import {
  atMostOne,
  expected,
  grid,
  type Law,
  largest,
  rounding,
  routed,
  type Tally,
  times,
} from './outcomes.fixture.ts';
import { logPaired, logShift } from './paired.ts';

/** E <= 1 under H0 for pairs, for the sample ratio and for bets on losses, by exact enumeration of all outcomes. */

const exactlyOne = <Case>(cases: Iterable<Case>, value: (of: Case) => number) => {
  const found = largest(cases, (of) => Math.abs(value(of) - 1));
  expect(found.value, JSON.stringify(found.of)).toBeLessThanOrEqual(rounding);
};

const everyRequest = { candidate: 1, champion: 1 } as const;

describe('pairs in which exactly one model is wrong', () => {
  /** `share`: how probable it is that the wrong one is the candidate. */
  const pairs = (count: number, share: number): Law => times(count, routed(share, everyRequest));
  const evidence =
    (ratio: number) =>
    ({ candidate, champion }: Tally): number =>
      Math.exp(logPaired(candidate, champion, ratio));
  const cases = { count: [0, 1, 2, 5, 8], ratio: [0.5, 1, 1.5, 3] } as const;

  test('expect no evidence from a candidate that is wrong no more often than tolerated', () => {
    atMostOne(
      largest(grid({ ...cases, part: [0, 0.3, 0.9, 1] }), ({ count, ratio, part }) =>
        expected(pairs(count, (part * ratio) / (1 + ratio)), evidence(ratio)),
      ),
    );
  });

  test('are exact at the tolerated ratio', () => {
    exactlyOne(grid(cases), ({ count, ratio }) => expected(pairs(count, ratio / (1 + ratio)), evidence(ratio)));
  });

  test('keep the bound when the second tick depends on the first', () => {
    const total = (first: Tally, second: Tally): Tally => ({
      ...first,
      candidate: first.candidate + second.candidate,
      champion: first.champion + second.champion,
    });

    atMostOne(
      largest(grid({ ...cases, part: [0.5, 1] }), ({ count, ratio, part }) => {
        const most = ratio / (1 + ratio);
        return expected(pairs(count, part * most), (first) =>
          expected(pairs(first.candidate > 1 ? 4 : 1, first.candidate > 0 ? most : 0.1 * most), (second) =>
            evidence(ratio)(total(first, second)),
          ),
        );
      }),
    );
  });

  test('expect too much once the candidate is wrong more often, or when a pair counts twice', () => {
    expect(expected(pairs(5, 0.6), evidence(1))).toBeGreaterThan(1.2);
    expect(
      expected(pairs(5, 0.5), ({ candidate, champion }) => Math.exp(logPaired(2 * candidate, 2 * champion, 1))),
    ).toBeGreaterThan(1.2);
  });
});

test('predictions that are as often higher as lower are no evidence of a shift', () => {
  exactlyOne([0, 1, 2, 5, 8], (count) =>
    expected(times(count, routed(0.5, everyRequest)), ({ candidate, champion }) =>
      Math.exp(logShift(candidate, champion)),
    ),
  );
});

describe('bets on bounded losses', () => {
  /** Half of the losses are 0 or 1, half are the mean itself. */
  const losses = (mean: number) => [
    { loss: 0, probability: (1 - mean) / 2 },
    { loss: mean, probability: 1 / 2 },
    { loss: 1, probability: mean / 2 },
  ];

  /** One request, routed by a coin of `share`. */
  const requests = (
    share: number,
    candidate: number,
    champion: number,
  ): readonly (Loss & { probability: number })[] => [
    ...losses(candidate).map((of) => ({ ...of, probability: share * of.probability, candidate: true, share })),
    ...losses(champion).map((of) => ({ ...of, probability: (1 - share) * of.probability, candidate: false, share })),
  ];

  const step = (outcomes: readonly (Loss & { probability: number })[], next: (loss: Loss) => number): number =>
    outcomes.reduce((sum, outcome) => sum + outcome.probability * next(outcome), 0);

  const played = (given: readonly (readonly [boolean, number])[], bet: typeof betOnHarm): Bets =>
    given.reduce((bets, [candidate, loss]) => bet(bets, { candidate, share: 0.25, loss }, 0.05), noBets);

  const harmful = [
    [true, 1],
    [true, 1],
    [false, 0],
    [true, 0.4],
  ] as const;
  const harmless = [
    [false, 1],
    [false, 0.4],
    [true, 0],
    [false, 1],
  ] as const;
  const pasts = { 'no past': [], 'a harmful past': harmful, 'a harmless past': harmless };
  const cases = { share: [0.01, 0.05, 0.25, 0.5, 0.9], tolerated: [0, 0.05, 0.3], champion: [0, 0.1, 0.4] } as const;

  const tests = [
    { name: 'harm', bet: betOnHarm, sign: 1 },
    { name: 'safety', bet: betOnSafety, sign: -1 },
  ] as const;

  describe.each(tests)('on $name', ({ bet, sign }) => {
    test.each(Object.entries(pasts))('expect no gain under the hypothesis, after %s', (_, past) => {
      const bets = played(past, bet);

      const found = largest(grid({ ...cases, off: [0, 0.1, 0.2] }), ({ share, tolerated, champion, off }) => {
        // Harm: at most `tolerated` worse. Safety: at least so much worse.
        const candidate = Math.max(0, champion + tolerated - sign * off);
        return step(requests(share, candidate, champion), (loss) =>
          Math.exp(bet(bets, loss, tolerated).logK - bets.logK),
        );
      });

      atMostOne(found);
    });

    test.each(Object.entries(pasts))('are fair at its edge, after %s', (_, past) => {
      const bets = played(past, bet);

      exactlyOne(grid(cases), ({ share, tolerated, champion }) =>
        step(requests(share, champion + tolerated, champion), (loss) =>
          Math.exp(bet(bets, loss, tolerated).logK - bets.logK),
        ),
      );
    });

    test('keep the bound over two requests, the second routed and failing after the first', () => {
      const bets = played(sign === 1 ? harmful : harmless, bet);

      exactlyOne(grid(cases), ({ share, tolerated, champion }) =>
        step(requests(share, champion + tolerated, champion), (first) => {
          const between = bet(bets, first, tolerated);
          const after = first.loss > 0 ? { share: 0.05, champion: 0.4 } : { share: 0.5, champion: 0.05 };
          return step(requests(after.share, after.champion + tolerated, after.champion), (second) =>
            Math.exp(bet(between, second, tolerated).logK - bets.logK),
          );
        }),
      );
    });
  });

  test('gain from a candidate that loses more, and from one that loses less than the margin', () => {
    const gain = (bets: Bets, bet: typeof betOnHarm, candidate: number, m: number) =>
      step(requests(0.25, candidate, 0.2), (loss) => Math.exp(bet(bets, loss, m).logK - bets.logK));

    expect(gain(played(harmful, betOnHarm), betOnHarm, 0.6, 0.05)).toBeGreaterThan(1.02);
    expect(gain(played(harmless, betOnSafety), betOnSafety, 0.2, 0.3)).toBeGreaterThan(1.02);
  });

  test('would gain from equal models by looking at the loss that is bet on', () => {
    const bets = played(harmful, betOnHarm);

    const looked = step(requests(0.5, 0.5, 0.5), (loss) => {
      const seen = betOnHarm(bets, loss, 0);
      return Math.exp(betOnHarm(seen, loss, 0).logK - seen.logK);
    });

    expect(looked).toBeGreaterThan(1.01);
  });

  test('would gain from equal models by a wrong share', () => {
    const bets = played(harmful, betOnHarm);

    const wrong = step(requests(0.5, 0.2, 0.2), (loss) =>
      Math.exp(betOnHarm(bets, { ...loss, share: 0.25 }, 0).logK - bets.logK),
    );

    expect(wrong).toBeGreaterThan(1.01);
  });

  test("would gain from equal models when the champion's losses are labelled less often", () => {
    const bets = played(harmful, betOnHarm);

    const biased = step(requests(0.5, 0.3, 0.3), (loss) =>
      loss.candidate || loss.loss === 0 ? Math.exp(betOnHarm(bets, loss, 0).logK - bets.logK) : 1,
    );

    expect(biased).toBeGreaterThan(1.01);
  });
});
