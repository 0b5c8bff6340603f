import { describe, expect, test } from 'vitest';
import { logMean } from '../base/log.ts';
import { type Bets, betOnHarm, betOnSafety, type Loss, noBets } from './betting.ts';
import { type Evidence, noEvidence, withLabels, withTick } from './evidence.ts';
import { logPairs } from './judge.ts';
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
import { logShift, pairsOf } from './paired.ts';
import type { Guardrail, Rules } from './rules.ts';
import { type Climate, independent } from './weather.ts';

/** E <= 1 under H0 for pairs, for the sample ratio and for bets on losses, by exact enumeration of all outcomes. */

const exactlyOne = <Case>(cases: Iterable<Case>, value: (of: Case) => number) => {
  const found = largest(cases, (of) => Math.abs(value(of) - 1));
  expect(found.value, JSON.stringify(found.of)).toBeLessThanOrEqual(rounding);
};

const everyRequest = { candidate: 1, champion: 1 } as const;

describe('pairs of labels of which exactly one is wrong', () => {
  /** `share`: how probable it is that the wrong one is the candidate. */
  const pairs = (count: number, share: number): Law => times(count, routed(share, everyRequest));
  const evidence =
    (toleratedRatio: number) =>
    ({ candidate, champion }: Tally): number =>
      Math.exp(logPairs(labelled({ mirror: candidate, served: champion }, toleratedRatio), 'labels'));
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

  test('expect too much once the candidate is wrong more often, or when a pair counts twice', () => {
    expect(expected(pairs(5, 0.6), evidence(1))).toBeGreaterThan(1.2);
    expect(
      expected(pairs(5, 0.5), ({ candidate, champion }) =>
        Math.exp(logPairs(labelled({ mirror: 2 * candidate, served: 2 * champion }, 1), 'labels')),
      ),
    ).toBeGreaterThan(1.2);
  });
});

describe('pairs of a mirror of which exactly one answer is bad', () => {
  /** One request, to which both models answer: which of them errs alone, or neither or both. */
  const pair = (ours: number, theirs: number): Law => [
    { candidateRequests: 1, championRequests: 1, candidate: 1, champion: 0, probability: ours },
    { candidateRequests: 1, championRequests: 1, candidate: 0, champion: 1, probability: theirs },
    { candidateRequests: 1, championRequests: 1, candidate: 0, champion: 0, probability: 1 - ours - theirs },
  ];
  const climates: readonly Climate[] = [
    independent,
    { tau: 0.05, cap: 50, tax: 0, dispersion: 1, typical: 1, later: 0.1 },
    { tau: 0.28, cap: 5, tax: 0, dispersion: 1, typical: 0, later: 0.1 },
    { tau: 1, cap: 1.5, tax: 0, dispersion: 2, typical: 0.2, later: 0.5 },
  ];
  /** What is usual is known after two ticks, and so is whether the models err together. */
  const taught = {
    quiet: [zero, zero],
    loud: [
      { ...zero, candidate: 2, champion: 2 },
      { ...zero, candidate: 1, champion: 3 },
    ],
  };
  const cases = { climate: [0, 1, 2, 3], champion: [0.1, 0.4], together: [0, 0.5, 1], ratio: [0.5, 1] } as const;

  describe.each(Object.entries(taught))('after %s ticks', (_, before) => {
    test('expect no evidence from a candidate that is as bad as tolerated, also in a tick that depends on another', () => {
      const found = largest(grid({ ...cases, part: [0.5, 1] }), ({ climate, champion, together, ratio, part }) => {
        const guardrail = guarded({ toleratedRatio: ratio, climates: { errors: climates[climate] ?? independent } });
        const shared = together * ratio * champion;
        const law = (of: number) => pair(of * (ratio * champion - shared), champion - shared);
        const start = mirrored(noEvidence(0), before, guardrail);
        return expected(times(3, law(part)), (first) => {
          const between = mirrored(start, [first], guardrail);
          return expected(times(first.candidate > 1 ? 3 : 1, law(first.candidate > 0 ? 1 : 0.1)), (second) =>
            Math.exp(logPairs(mirrored(between, [second], guardrail), 'errors')),
          );
        });
      });

      atMostOne(found);
    });

    test('expect no evidence for a candidate that is as bad as the margin', () => {
      const found = largest(
        grid({ ...cases, ratio: [1.2, 2, 3], champion: [0.02, 0.1, 0.25], over: [1, 1.3] }),
        ({ climate, champion, together, ratio: margin, over }) => {
          const guardrail = guarded({ margin, climates: { errors: climates[climate] ?? independent } });
          const shared = together * champion;
          const law = pair(Math.min(over * margin * champion - shared, 1 - champion), champion - shared);
          const start = mirrored(noEvidence(0), before, guardrail);
          return expected(times(2, law), (first) => {
            const between = mirrored(start, [first], guardrail);
            return expected(times(2, law), (second) => shown(mirrored(between, [second], guardrail)));
          });
        },
      );

      atMostOne(found);
    });
  });

  test('would bring evidence against a candidate that is worse, and for one that is as good', () => {
    const guardrail = guarded({});
    const start = mirrored(noEvidence(0), taught.loud, guardrail);
    const mean = (law: Law, value: (evidence: Evidence) => number) =>
      expected(times(6, law), (tally) => value(mirrored(start, [tally], guardrail)));

    expect(mean(pair(0.5, 0.1), (evidence) => Math.exp(logPairs(evidence, 'errors')))).toBeGreaterThan(1.2);
    expect(mean(pair(0.2, 0.2), shown)).toBeGreaterThan(1.1);
  });

  const shown = ({ weather }: Evidence): number => Math.exp(logMean(weather[pairsOf('errors')]?.safe ?? []));
});

const zero = { candidateRequests: 9, championRequests: 9, candidate: 0, champion: 0 };
const guarded = (own: Partial<Guardrail>): Guardrail => ({
  ...{ name: 'errors', clock: 'ticks', warmsUp: false, toleratedRatio: 1, margin: 4, floor: 0.001, maxBurst: 1 },
  ...{ alphaShare: 1, climates: { errors: independent } },
  streams: [
    { id: 'errors', measure: 'errors', harm: true, promotes: true, events: 'failed requests', expectedShare: 0.3 },
  ],
  ...own,
});
const rulesOf = (guardrail: Guardrail): Rules => ({
  ...{ alpha: 0.01, beta: 0.05, routing: 'configured', unit: 'request', mirrored: true, off: [] },
  ...{ guardrails: [guardrail], limits: { errors: { share: 1, minRequests: 1 } } },
});
const place = { weight: 0, lastWeight: 50, candidate: 'v2', champion: 'v1' };

const mirrored = (from: Evidence, ticks: readonly Tally[], guardrail: Guardrail): Evidence =>
  ticks.reduce((evidence, { candidateRequests: pairs, candidate, champion }) => {
    const bad = { errors: { mirror: candidate, served: champion } };
    const predictions = { higher: 0, lower: 0, equal: pairs };
    const tick = { start: evidence.readTo, counts: {}, pairs: { v2: { pairs, dropped: 0, bad, predictions } } };
    return withTick(evidence, tick, 60_000, place, rulesOf(guardrail));
  }, from);

function labelled(wrong: { readonly mirror: number; readonly served: number }, toleratedRatio: number): Evidence {
  const guardrail = guarded({ toleratedRatio, name: 'labels', clock: 'labels', streams: [] });
  const tick = { start: 0, rows: [], losses: [], pairs: { v2: wrong } };
  return withLabels(noEvidence(0), tick, 60_000, place, rulesOf(guardrail));
}

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
