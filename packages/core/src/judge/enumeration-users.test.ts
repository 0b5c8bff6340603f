import { describe, expect, test } from 'vitest';
import { logOrigin, originGrid } from './origin.ts';
import {
  atMostOne,
  both,
  counted,
  expected,
  grid,
  type Law,
  largest,
  rounding,
  routed,
  type Shares,
  type Tally,
  times,
  toArm,
} from './outcomes.fixture.ts';
import { addRatio } from './promotion.ts';

/**
 * Sticky routing, by exact enumeration: the unit is the user, the event is the user's first bad request. A user draws
 * the model once, so a tick is not a fresh coin, and what holds is less than for requests. Here is what, and what not.
 */

const factor =
  (share: number, ratio: number, growth: number) =>
  ({ candidate, champion }: Tally): number =>
    Math.exp(logOrigin(candidate, champion, share, ratio, growth));

const uncut = (value: (tally: Tally) => number) => value;

/** One tick: the weight, and the part of either arm's users at risk who get their first bad request in it. */
interface Step {
  readonly share: number;
  readonly first: Shares;
}

/** Users at risk of the second tick, in nested buckets: the candidate has those whose hash is below the weight. */
const moved = (before: number, now: Step, { candidateRequests, candidate, championRequests, champion }: Tally): Law =>
  both(
    times(candidateRequests - candidate, routed(Math.min(1, now.share / before), now.first)),
    times(championRequests - champion, routed(Math.max(0, (now.share - before) / (1 - before)), now.first)),
  );

interface Two {
  readonly users: number;
  readonly ratio: number;
  readonly start: Step;
  readonly next: (tally: Tally) => Step;
}

/** The expectations of all alternatives. */
function twoTicks({ users, ratio, start, next }: Two, rule = counted): readonly number[] {
  const sums = originGrid.map(() => 0);
  for (const first of times(users, routed(start.share, start.first))) {
    const second = next(first);
    const law = moved(start.share, second, first);
    originGrid.forEach((growth, index) => {
      const before = rule(factor(start.share, ratio, growth));
      const after = rule(factor(second.share, ratio, growth));
      sums[index] = (sums[index] ?? 0) + first.probability * before(first) * expected(law, after);
    });
  }
  return sums;
}

/** One user through many ticks in nested buckets; independent users multiply. `value` is that of a first bad request. */
function throughTicks(steps: readonly Step[], value: (step: Step, candidate: boolean) => number): number {
  const cuts = [...new Set([0, 1, ...steps.map(({ share }) => share)])].sort((a, b) => a - b);
  let sum = 0;
  for (const [index, from] of cuts.slice(0, -1).entries()) {
    const to = cuts[index + 1] ?? 1;
    let [atRisk, bucket] = [1, 0];
    for (const step of steps) {
      const candidate = from < step.share;
      const first = candidate ? step.first.candidate : step.first.champion;
      bucket += atRisk * first * value(step, candidate);
      atRisk *= 1 - first;
    }
    sum += (to - from) * (bucket + atRisk);
  }
  return sum;
}

const harm =
  (ratio: number, growth: number) =>
  ({ share }: Step, candidate: boolean): number =>
    Math.exp(logOrigin(candidate ? 1 : 0, candidate ? 0 : 1, share, ratio, growth));

const safety =
  (margin: number, alternative: number) =>
  ({ share }: Step, candidate: boolean): number => {
    const logs: number[] = [];
    addRatio(logs, { candidate: candidate ? 1 : 0, champion: candidate ? 0 : 1, share }, margin);
    return Math.exp(logs[alternative] ?? Number.NaN);
  };

describe('users in nested buckets, judged at the current weight', () => {
  const cases = {
    users: [1, 3, 4],
    ratio: [1, 1.2, 2],
    share: [0.05, 0.5],
    before: [0, 0.1, 0.5],
    partBefore: [0, 0.6, 1],
    after: [0.2, 0.5],
    partAfter: [0.5, 1],
  } as const;

  /** The weight and what fails in the second tick follow from the first bad requests of the first. */
  const adaptive = (of: { readonly [Name in keyof typeof cases]: number }): Two => ({
    ...of,
    start: { share: of.share, first: { candidate: of.before * of.ratio * of.partBefore, champion: of.before } },
    next: ({ candidate, champion }) => ({
      share: candidate > 0 ? 0.02 : champion > 0 ? 0.8 : 0.25,
      first:
        champion > 1
          ? { candidate: of.after, champion: of.after }
          : { candidate: of.after * of.ratio * of.partAfter, champion: of.after },
    }),
  });

  test('expect no evidence from a candidate no worse than tolerated, when the next weight follows from first bad requests', () => {
    atMostOne(largest(grid(cases), (of) => Math.max(...twoTicks(adaptive(of)))));
  });

  test('are exact for equal models, no tick left out', () => {
    const equal = { ...cases, ratio: [1], partBefore: [1], partAfter: [1] } as const;

    const found = largest(grid(equal), (of) =>
      Math.max(...twoTicks(adaptive(of), uncut).map((value) => Math.abs(value - 1))),
    );

    expect(found.value, JSON.stringify(found.of)).toBeLessThanOrEqual(rounding);
  });

  test('expect no evidence over a ramp that rises and falls, whatever failed in between', () => {
    const part = [0, 0.5, 1] as const;
    const ramps = { one: part, two: part, three: part, four: part, ratio: [1, 1.2, 2], growth: originGrid } as const;

    const found = largest(grid(ramps), (of) =>
      throughTicks(
        [of.one, of.two, of.three, of.four].map((less, index) => ({
          share: [0.05, 0.5, 0.25, 0.6][index] ?? 0,
          first: { candidate: 0.4 * of.ratio * less, champion: 0.4 },
        })),
        harm(of.ratio, of.growth),
      ),
    );

    atMostOne(found);
  });
});

describe('users who keep the model that they drew at their first visit', () => {
  const early = { share: 0.25, first: { candidate: 0.3, champion: 0.3 } };
  const late = { share: 0.05, first: { candidate: 0.3, champion: 0.3 } };
  const bothTicks = (step: Step) => [step, step];

  test('are exact for equal models, each counted at the weight of their assignment', () => {
    for (const growth of originGrid)
      for (const step of [early, late])
        expect(Math.abs(throughTicks(bothTicks(step), harm(1, growth)) - 1)).toBeLessThanOrEqual(rounding);
  });

  test('would bring an innocent candidate down on a falling ramp, counted at the current weight', () => {
    const atCurrent = (step: Step, candidate: boolean) => harm(1, 2)({ ...step, share: late.share }, candidate);

    expect(throughTicks(bothTicks(early), atCurrent)).toBeGreaterThan(1.05);
  });

  test('would promote a candidate as bad as the margin on a rising ramp, counted at the current weight', () => {
    const asBad = { share: late.share, first: { candidate: 0.4, champion: 0.2 } };
    const atCurrent = (step: Step, candidate: boolean) => safety(2, 0)({ ...step, share: early.share }, candidate);

    expect(throughTicks([asBad], safety(2, 0))).toBeLessThanOrEqual(1 + rounding);
    expect(throughTicks([asBad], atCurrent)).toBeGreaterThan(1.02);
  });
});

describe('what sticky routing does not promise', () => {
  test('nothing of requests: counted by request, a few users with many failures are evidence against equal models', () => {
    const oneInFive = routed(0.5, { candidate: 0.2, champion: 0.2 }, 4);

    expect(expected(times(4, oneInFive), factor(0.5, 1, 2))).toBeGreaterThan(1.5);
  });

  test('the margin is of users who ever failed: twice their number is certified by nobody', () => {
    const atMargin = [
      { share: 0.5, first: { candidate: 0.2, champion: 0.1 } },
      // 0.2 + 0.8 * 0.375 is 0.5, twice 0.1 + 0.9 / 6.
      { share: 0.5, first: { candidate: 0.375, champion: 1 / 6 } },
    ];

    for (const alternative of [0, 1, 2, 3, 4])
      expect(Math.abs(throughTicks(atMargin, safety(2, alternative)) - 1)).toBeLessThanOrEqual(rounding);
  });

  test('a rate that is twice as high in every tick does get certified as less than twice, once most users failed', () => {
    const twiceTheRate = Array.from({ length: 8 }, () => ({ share: 0.5, first: { candidate: 0.4, champion: 0.2 } }));

    const [short, long] = [
      throughTicks(twiceTheRate.slice(0, 1), safety(2, 3)),
      throughTicks(twiceTheRate, safety(2, 3)),
    ];

    expect(short).toBeLessThanOrEqual(1 + rounding);
    expect(long).toBeGreaterThan(1.05);
  });

  test('a tolerated ratio below 1 is of users who ever failed as well, and not of the rate of each tick', () => {
    const halfTheRate = Array.from({ length: 4 }, () => ({ share: 0.5, first: { candidate: 0.4, champion: 0.8 } }));

    expect(throughTicks(halfTheRate, harm(0.5, 2))).toBeGreaterThan(1.05);
  });

  test('a next weight that follows from how many users drew the candidate', () => {
    const first = { candidate: 0.5, champion: 0.5 };
    const looked = twoTicks(
      {
        users: 1,
        ratio: 1,
        start: { share: 0.5, first: { candidate: 0, champion: 0 } },
        next: ({ candidateRequests }) => ({ share: candidateRequests === 1 ? 0.5 : 1, first }),
      },
      uncut,
    );

    expect(Math.min(...looked)).toBeGreaterThan(1);
  });
});

describe('the share of the users at risk, in place of the weight', () => {
  /** Users at risk of either arm; what happens to them in one tick. */
  const tick = (ours: number, theirs: number, first: Shares): Law =>
    both(times(ours, toArm('candidate', first.candidate)), times(theirs, toArm('champion', first.champion)));
  const shareOf = (ours: number, theirs: number) => ours / Math.max(1, ours + theirs);

  /** Two ticks of the same users: those with a bad request in the first are not at risk of the second. */
  const twoTicksOf = (ours: number, theirs: number, first: Shares, value: (tally: Tally, share: number) => number) =>
    expected(tick(ours, theirs, first), (before) => {
      const [left, others] = [ours - before.candidate, theirs - before.champion];
      return (
        value(before, shareOf(ours, theirs)) *
        expected(tick(left, others, first), (after) => value(after, shareOf(left, others)))
      );
    });

  const counts = { ours: [0, 1, 3], theirs: [0, 1, 3], rate: [0.05, 0.2, 0.5] } as const;

  test('expects no evidence for a candidate whose rate is twice as high in every tick', () => {
    const found = largest(grid({ ...counts, alternative: [0, 1, 2, 3, 4] }), ({ ours, theirs, rate, alternative }) =>
      twoTicksOf(ours, theirs, { candidate: 2 * rate, champion: rate }, (tally, share) => {
        const logs: number[] = [];
        addRatio(logs, { candidate: tally.candidate, champion: tally.champion, share }, 2);
        return Math.exp(logs[alternative] ?? Number.NaN);
      }),
    );

    atMostOne(found);
  });

  test('expects no evidence from a candidate whose rate is tolerated in every tick, below 1 as well', () => {
    const found = largest(grid({ ...counts, ratio: [0.5, 1, 2] }), ({ ours, theirs, rate, ratio }) =>
      Math.max(
        ...originGrid.map((growth) =>
          twoTicksOf(ours, theirs, { candidate: ratio * rate, champion: rate }, (tally, share) =>
            factor(share, ratio, growth)(tally),
          ),
        ),
      ),
    );

    atMostOne(found);
  });
});
