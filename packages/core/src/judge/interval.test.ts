import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { turningPoint } from '../base/log.ts';
import { type Evidence, noEvidence, withTick } from './evidence.ts';
import { ratioInterval, shareInterval } from './interval.ts';
import { intervalOf } from './judge.ts';
import type { AtShare } from './origin.ts';
import { everHappens, normals } from './outcomes.fixture.ts';
import type { Guardrail, Rules } from './rules.ts';

const count = fc.integer({ min: 0, max: 10_000 });
const weight = fc.integer({ min: 1, max: 99 }).map((percent) => percent / 100);
const ticks = fc.array(fc.record({ candidate: count, champion: count, share: weight }), { minLength: 1, maxLength: 5 });
const level = fc.constantFrom(0.001, 0.01, 0.05, 0.2);
const rounding = 1e-9;

const of = (given: readonly AtShare[], alpha: number) => {
  const { low, high = Number.POSITIVE_INFINITY } = ratioInterval(given, given, alpha);
  return { low, high };
};

describe('the interval of the ratio', () => {
  test.each([
    { share: 0.1, ratio: 1 },
    { share: 0.5, ratio: 2 },
  ])(
    'leaves out a ratio of $ratio at $share of the traffic with less than alpha, looked at after every error',
    (truth) => {
      const { share, ratio } = truth;
      const candidates = (share * ratio) / (share * ratio + 1 - share);
      const misses = (alpha: number) =>
        everHappens(60, candidates, (candidate, champion) => {
          const { low, high } = of([{ candidate, champion, share }], alpha);
          return ratio < low || ratio > high;
        });

      expect(misses(0.1)).toBeLessThanOrEqual(0.1);
      expect(misses(0.5)).toBeGreaterThan(0.1);
    },
  );

  test('contains the ratio that fits the counts best', () => {
    fc.assert(
      fc.property(ticks, level, (given, alpha) => {
        const [ours, theirs] = [sum(given, 'candidate'), sum(given, 'champion')];
        fc.pre(ours > 0 && theirs > 0);

        const best = fitting(given);
        const { low, high } = of(given, alpha);

        expect(low).toBeLessThanOrEqual(best * (1 + rounding));
        expect(high).toBeGreaterThanOrEqual(best * (1 - rounding));
      }),
      { numRuns: 60 },
    );
  });

  test('only shrinks when all counts are multiplied', () => {
    fc.assert(
      fc.property(ticks, level, fc.integer({ min: 2, max: 20 }), (given, alpha, more) => {
        const { low, high } = of(given, alpha);
        const scaled = of(
          given.map((tick) => ({ ...tick, candidate: more * tick.candidate, champion: more * tick.champion })),
          alpha,
        );

        expect(scaled.low).toBeGreaterThanOrEqual(low * (1 - rounding));
        expect(scaled.high).toBeLessThanOrEqual(high * (1 + rounding));
      }),
      { numRuns: 60 },
    );
  });

  test('excludes nothing without errors, and is open above without errors of the champion', () => {
    expect(ratioInterval([], [], 0.05)).toEqual({ low: 0 });
    expect(ratioInterval([{ candidate: 0, champion: 0, share: 0.1 }], [], 0.05)).toEqual({ low: 0 });

    const alone = [{ candidate: 20, champion: 0, share: 0.1 }];
    expect(ratioInterval(alone, alone, 0.05).low).toBeGreaterThan(1);
    expect(ratioInterval(alone, alone, 0.05)).not.toHaveProperty('high');
  });

  test('is made of numbers for all counts up to a thousand million and all shares', () => {
    const share = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1));

    fc.assert(
      fc.property(anyTicks(share), level, (given, alpha) => {
        const { low, high } = ratioInterval(given, given, alpha);

        expect(low).toSatisfy(Number.isFinite);
        expect(low).toBeGreaterThanOrEqual(0);
        if (high !== undefined) expect(high).toSatisfy(Number.isFinite);
      }),
      { numRuns: 60 },
    );
  });

  test('is never empty, unless an arm without traffic has errors', () => {
    fc.assert(
      fc.property(anyTicks(weight), level, (given, alpha) => {
        const { low, high } = of(given, alpha);

        expect(high).toBeGreaterThan(low);
      }),
      { numRuns: 60 },
    );
  });

  const anyTicks = (share: fc.Arbitrary<number>) => {
    const large = fc.integer({ min: 0, max: 1_000_000_000 });
    return fc.array(fc.record({ candidate: large, champion: large, share }), { maxLength: 3 });
  };

  const sum = (given: readonly AtShare[], arm: 'candidate' | 'champion') =>
    given.reduce((total, tick) => total + tick[arm], 0);

  /** Where the candidate has as many errors as the ratio lets one expect. */
  function fitting(given: readonly AtShare[]): number {
    const missing = (log: number) =>
      given.reduce((total, { candidate, champion, share }) => {
        const odds = (share / (1 - share)) * Math.exp(log);
        return total + candidate - ((candidate + champion) * odds) / (1 + odds);
      }, 0);
    return Math.exp(turningPoint(-40, 40, missing));
  }
});

describe('the interval of the ratio under noise', () => {
  const noises = fc.record({
    tau: fc.double({ min: 0, max: 1, noNaN: true }),
    dispersion: fc.double({ min: 1, max: 20, noNaN: true }),
    bad: fc.integer({ min: 0, max: 10_000 }),
  });
  const even = [{ share: 0.5, candidate: 120, champion: 100 }];
  const halved = [{ share: 0.5, candidate: 60, champion: 50 }];

  test('contains that of the counts as they are, whatever is taken for the noise', () => {
    fc.assert(
      fc.property(ticks, level, noises, (given, alpha, noise) => {
        const { low, high } = of(given, alpha);

        const under = ratioInterval(given, given, alpha, noise);

        expect(under.low).toBeLessThanOrEqual(low * (1 + rounding));
        expect(under.high ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(high * (1 - rounding));
      }),
      { numRuns: 60 },
    );
  });

  test('is that of as many counts as are independent, moved apart by noise that lasts', () => {
    const scatter = (120 / 220) * (100 / 220);
    const twice = { low: ratioInterval(halved, halved, 0.01).low, high: ratioInterval(halved, halved, 0.01).high ?? 0 };

    for (const tau of [0.1, 0.4]) {
      const { low, high } = ratioInterval(even, even, 0.01, { tau, dispersion: 1, bad: 1 + 1 / (0.25 * tau * tau) });

      expect(scatter).toBeLessThan(0.25);
      expect(low).toBeCloseTo(twice.low * Math.exp(-0.7 * tau), 9);
      expect(high).toBeCloseTo(twice.high * Math.exp(0.7 * tau), 9);
    }
    expect(ratioInterval(even, even, 0.01, { tau: 0, dispersion: 2, bad: 100 })).toEqual(
      ratioInterval(halved, halved, 0.01),
    );
  });

  test('goes by what most of the bad requests are, where that is more than the weight says', () => {
    const worse = [{ share: 0.05, candidate: 100, champion: 100 }];
    const fewer = [{ share: 0.05, candidate: 50, champion: 50 }];

    const { low } = ratioInterval(worse, worse, 0.01, { tau: 0.2, dispersion: 1, bad: 101 });

    expect(low).toBeCloseTo(ratioInterval(fewer, fewer, 0.01).low * Math.exp(-0.14), 9);
  });

  test('divides the counts of all weights by the same', () => {
    const both = [{ share: 0.05, candidate: 6, champion: 100 }, ...even];
    const divided = both.map(({ share, ...counts }) => ({
      share,
      candidate: counts.candidate / 2,
      champion: counts.champion / 2,
    }));

    const { low } = ratioInterval(both, both, 0.01, { tau: 0.2, dispersion: 1, bad: 101 });

    expect(low).toBeCloseTo(ratioInterval(divided, divided, 0.01).low * Math.exp(-0.14), 9);
  });

  test('has the truth in it though one arm varies by 10 % for minutes', () => {
    const normal = normals(7);
    const missed = Array.from({ length: 40 }, () => varied(normal, 0.1)).filter((evidence) => {
      const { low, high = 0 } = intervalOf(evidence, 'errors', guardrail, rules);
      return low > 1 || high < 1;
    });

    expect(missed).toEqual([]);
  });

  test('reckons with the larger of what is usual now and what was on average', () => {
    const [loud, quiet] = [[500, 500] as const, [1, 1] as const];
    const expected = (given: readonly (readonly [number, number])[], bad: number) => {
      const [candidate, champion] = given.reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
      const cells = [{ share: 0.5, candidate, champion }];
      return ratioInterval(cells, cells, 0.01, { tau: 0.28, dispersion: 1, bad });
    };
    const fading = [...Array.from({ length: 10 }, () => loud), ...Array.from({ length: 30 }, () => quiet)];
    const rising = fading.toReversed();

    expect(intervalOf(counted(fading), 'errors', guardrail, rules)).toEqual(expected(fading, 251.5));
    const tenths = [{ share: 0.5, candidate: 503, champion: 503 }];
    expect(intervalOf({ ...counted(fading), weather: {} }, 'errors', { ...guardrail, maxBurst: 10 }, rules)).toEqual(
      ratioInterval(tenths, tenths, 0.01, { tau: 0.28, dispersion: 1, bad: 25.15 }),
    );
    expect(intervalOf(counted(rising), 'errors', guardrail, rules).high).toBeGreaterThan(
      expected(rising, 700).high ?? 0,
    );
  });

  const stream = { id: 'errors', measure: 'errors', harm: true, promotes: true, events: 'failed requests' } as const;
  const guardrail: Guardrail = {
    ...{ name: 'errors', clock: 'ticks', warmsUp: false, toleratedRatio: 1, margin: 2, floor: 0.001, maxBurst: 1 },
    ...{ alphaShare: 1, streams: [stream] },
    climates: { errors: { tau: 0.28, cap: 5, tax: 0, dispersion: 1, later: 0.1 } },
  };
  const rules: Rules = {
    ...{ alpha: 0.01, beta: 0.05, routing: 'configured', unit: 'request', mirrored: false, off: [] },
    ...{ guardrails: [guardrail], limits: { errors: { share: 1, minRequests: 1 } } },
  };
  const place = { weight: 50, lastWeight: 50, candidate: 'v2', champion: 'v1' };

  const counted = (bad: readonly (readonly [number, number])[]): Evidence =>
    bad.reduce((evidence, [ours, theirs]) => {
      const of = (errors: number) => ({ requests: 3000, bad: { errors } });
      const tick = { start: evidence.readTo, counts: { v2: of(ours), v1: of(theirs) } };
      return withTick(evidence, tick, 60_000, place, rules);
    }, noEvidence(0));

  /** Twenty minutes of 6,000 requests a minute, of which a tenth is bad in both arms. */
  const varied = (normal: () => number, sd: number): Evidence => {
    let noise = [normal() * sd, normal() * sd] as const;
    const bad = Array.from({ length: 20 }, () => {
      noise = [0.8 * noise[0] + 0.6 * sd * normal(), 0.8 * noise[1] + 0.6 * sd * normal()];
      const [ours = 0, theirs = 0] = noise.map((own) => Math.round(3000 / (1 + 9 * Math.exp(-own)) + 16 * normal()));
      return [ours, theirs] as const;
    });
    return counted(bad);
  };
});

describe('the interval of a bad share', () => {
  const alpha = 0.1;
  const requests = 300;
  const outside = (share: number) => {
    const known = new Map<number, boolean>();
    return (bad: number, good: number): boolean => {
      const key = bad * 1000 + good;
      const before = known.get(key);
      if (before !== undefined) return before;
      const { low, high } = shareInterval(bad, bad + good, alpha);
      known.set(key, share < low || share > high);
      return share < low || share > high;
    };
  };

  test.each([0.01, 0.1, 0.5])('leaves out %d with less than alpha / 2, looked at after every request', (share) => {
    expect(everHappens(requests, share, outside(share))).toBeLessThanOrEqual(alpha / 2);
  });

  test('would leave out too much if it were that of one look', () => {
    const fixed = (bad: number, good: number) => {
      const total = bad + good;
      const seen = bad / total;
      return total >= 30 && Math.abs(seen - 0.5) > 1.96 * Math.sqrt((seen * (1 - seen)) / total);
    };

    expect(everHappens(requests, 0.5, fixed)).toBeGreaterThan(4 * (alpha / 2));
  });

  test('covers in 2,000 simulated rollouts as it does in the exact sum', () => {
    const share = 0.1;
    const rollouts = 2000;
    const random = seeded(20_240_611);
    const missed = outside(share);
    let misses = 0;

    for (let rollout = 0; rollout < rollouts; rollout += 1) {
      let [bad, out] = [0, false];
      for (let request = 1; request <= requests && !out; request += 1) {
        if (random() < share) bad += 1;
        out = missed(bad, request - bad);
      }
      if (out) misses += 1;
    }

    const exact = everHappens(requests, share, missed);
    // Clopper-Pearson at 99.8 %: neither as many misses nor as few would come by chance; and alpha / 2 is above them.
    expect(atLeast(misses, rollouts, exact)).toBeGreaterThan(0.001);
    expect(1 - atLeast(misses + 1, rollouts, exact)).toBeGreaterThan(0.001);
    expect(1 - atLeast(misses + 1, rollouts, alpha / 2)).toBeLessThan(0.001);
  });

  const shareOf = fc
    .tuple(fc.integer({ min: 1, max: 1_000_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([total, part]) => ({ total, bad: Math.floor(total * part) }));

  test('contains the share that was seen and lies within 0 and 1, for all counts up to a thousand million', () => {
    fc.assert(
      fc.property(shareOf, level, ({ total, bad }, given) => {
        const { low, high } = shareInterval(bad, total, given);

        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(bad / total);
        expect(high).toBeGreaterThanOrEqual(bad / total);
      }),
    );
  });

  test('shrinks when all counts are multiplied', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 2, max: 20 }),
        level,
        (total, part, more, given) => {
          const bad = Math.floor(total * part);
          const width = ({ low, high }: ReturnType<typeof shareInterval>) => high - low;

          expect(width(shareInterval(more * bad, more * total, given))).toBeLessThan(
            width(shareInterval(bad, total, given)),
          );
        },
      ),
    );
  });

  test('is everything before the first request', () => {
    expect(shareInterval(0, 0, 0.01)).toEqual({ low: 0, high: 1 });
  });

  /** P(X >= hits) of a binomial. */
  function atLeast(hits: number, trials: number, share: number): number {
    let term = (1 - share) ** trials;
    let below = 0;
    for (let count = 0; count < hits; count += 1) {
      below += term;
      term *= ((trials - count) / (count + 1)) * (share / (1 - share));
    }
    return 1 - below;
  }

  /** mulberry32: the same draws on every machine. */
  function seeded(seed: number): () => number {
    let state = seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    };
  }
});
