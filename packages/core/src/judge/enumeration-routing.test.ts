import { describe, expect, test } from 'vitest';
import { logMean } from '../base/log.ts';
import type { Tick } from '../ports/telemetry.ts';
import { type Evidence, noEvidence, type Place, withTick } from './evidence.ts';
import { logStream, verdictOf } from './judge.ts';
import { rounding } from './outcomes.fixture.ts';
import { logFloor, logPromotion } from './promotion.ts';
import type { Guardrail, Rules } from './rules.ts';
import { logSafe } from './safe.ts';

/**
 * What a tick says when the numbers of requests decide whether it counts: sums over all numbers and outcomes, through the
 * judge itself. The tick is the first of a new weight, so it may be late, impossible, or what came may be more than the
 * weight.
 */
const tickMs = 60_000;
const requests = 40;
const margin = 2;

const guardrail: Guardrail = {
  name: 'errors',
  clock: 'ticks',
  warmsUp: false,
  toleratedRatio: 1,
  margin,
  floor: 0.2,
  maxBurst: 1,
  alphaShare: 1,
  climates: {},
  streams: [{ id: 'errors', measure: 'errors', harm: true, promotes: true, events: 'failed requests' }],
};

const rules: Rules = {
  alpha: 0.01,
  beta: 0.05,
  routing: 'configured',
  unit: 'request',
  mirrored: false,
  guardrails: [guardrail],
  off: [],
  limits: { errors: { share: 1, minRequests: 1 } },
};

const [stream] = guardrail.streams;
const safety = (evidence: Evidence): number =>
  stream === undefined ? Number.NaN : logSafe(evidence, stream, { weight: 50, guardrail, rules });

interface Counts {
  readonly ours: number;
  readonly theirs: number;
  readonly oursBad: number;
  readonly theirsBad: number;
}

const tickOf = (index: number, { ours, theirs, oursBad, theirsBad }: Counts): Tick => ({
  start: index * tickMs,
  counts: { v2: { requests: ours, bad: { errors: oursBad } }, v1: { requests: theirs, bad: { errors: theirsBad } } },
});

const placeAt = (weight: number): Place => ({ weight, lastWeight: 50, candidate: 'v2', champion: 'v1' });

/** Two ticks at 5 %, and then one at the next weight. */
function after(last: Counts, weight: number, own: Rules = rules, place: Partial<Place> = {}): Evidence {
  let evidence: Evidence = { ...noEvidence(0), from: 0 };
  for (const index of [0, 1])
    evidence = withTick(
      evidence,
      tickOf(index, { ours: 2, theirs: 38, oursBad: 0, theirsBad: 0 }),
      tickMs,
      placeAt(5),
      own,
    );
  return withTick({ ...evidence, from: 2 * tickMs }, tickOf(2, last), tickMs, { ...placeAt(weight), ...place }, own);
}

function binomial(count: number, share: number): readonly number[] {
  const law = [(1 - share) ** count];
  for (let hits = 0; hits < count; hits += 1)
    law.push(((law[hits] ?? 0) * (count - hits) * share) / ((hits + 1) * (1 - share)));
  return law;
}

/** What is as good as impossible is left out, and its probability added as if it said as much as a tick may. */
function expectedOf(share: number, bad: readonly [ours: number, theirs: number], value: (counts: Counts) => number) {
  let [sum, seen] = [0, 0];
  binomial(requests, share).forEach((came, ours) => {
    if (came < 1e-12) return;
    const failing = [binomial(ours, bad[0]), binomial(requests - ours, bad[1])] as const;
    failing[0].forEach((oursFail, oursBad) => {
      failing[1].forEach((theirsFail, theirsBad) => {
        const probability = came * oursFail * theirsFail;
        if (probability < 1e-11) return;
        seen += probability;
        sum += probability * value({ ours, theirs: requests - ours, oursBad, theirsBad });
      });
    });
  });
  return { sum, rest: 1 - seen };
}

const weights = [25, 50] as const;

test.each(weights)(
  'the first tick at a weight of %d expects no evidence from a candidate that is no worse',
  (weight) => {
    const { sum, rest } = expectedOf(weight / 100, [0.1, 0.1], (counts) =>
      Math.exp(logStream(after(counts, weight), 'errors', guardrail)),
    );

    expect(rest).toBeLessThan(1e-6);
    expect(sum).toBeLessThanOrEqual(1 + 1e-6 + rounding);
    expect(sum).toBeGreaterThan(0.8);
  },
);

test('the first tick of the last step expects none for a candidate as bad as the margin', () => {
  const { sum, rest } = expectedOf(0.5, [margin * 0.2, 0.2], (counts) => Math.exp(safety(after(counts, 50))));

  expect(rest).toBeLessThan(1e-6);
  expect(sum).toBeLessThanOrEqual(1 + 1e-6 + rounding);
  // Now and then the champion has so many more requests by chance that direct calls are reckoned with.
  expect(sum).toBeGreaterThan(0.3);
});

test('a tick that is late leaves the evidence as it was, and one with far too many requests counts by what came', () => {
  const before = after({ ours: 0, theirs: 0, oursBad: 0, theirsBad: 0 }, 50);
  const late = after({ ours: 2, theirs: 38, oursBad: 2, theirsBad: 0 }, 50);
  const many = (ours: number) => after({ ours, theirs: 400 - ours, oursBad: 8, theirsBad: 12 }, 25);
  const harm = (evidence: Evidence) => logStream(evidence, 'errors', guardrail);

  expect(harm(late)).toBe(harm(before));
  expect(safety(late)).toBe(0);
  expect(late.ticks).toBe(2);
  expect(harm(many(100))).toBeGreaterThan(harm(before));
  expect(harm(many(200))).toBeLessThan(harm(before));
});

test('a tick that may be late by chance counts against the candidate, and not for it', () => {
  const late = after({ ours: 5, theirs: 35, oursBad: 3, theirsBad: 2 }, 50);

  expect(late.ticks).toBe(3);
  expect(logStream(late, 'errors', guardrail)).not.toBe(0);
  expect(safety(late)).toBeCloseTo(logOfFloor(3, 5), 12);
});

/** What the floor alone says, beside a ratio that says nothing. */
const logOfFloor = (bad: number, requests: number): number => logPromotion(0, logFloor(bad, requests, guardrail.floor));

test('the floor counts no more requests than the share explains', () => {
  const of = (ours: number) => safety(after({ ours, theirs: 400, oursBad: 40, theirsBad: 40 }, 50));

  expect(of(430)).toBe(of(400));
  expect(of(390)).toBeLessThan(of(400));
});

test('what is left out teaches nothing of what is usual', () => {
  const climate = { tau: 0.1, cap: 5, tax: 0, dispersion: 1, typical: 2, later: 0 };
  const learning = { ...rules, guardrails: [{ ...guardrail, climates: { errors: climate } }] };
  const teach = (ours: number) => after({ ours, theirs: 300, oursBad: 0, theirsBad: 90 }, 50, learning).weather.errors;

  expect(teach(10)?.typical).toBe(teach(0)?.typical);
  expect(teach(300)?.typical).not.toBe(teach(0)?.typical);
});

test('without a configured share, and while nobody knows it, no numbers are odd', () => {
  const odd = { ours: 0, theirs: 400, oursBad: 0, theirsBad: 4 };

  expect(after(odd, 50, { ...rules, routing: 'realised' }).routing).toBeUndefined();
  expect(after(odd, 50, rules, { astray: true }).routing?.leftOut.late).toBe(0);
  expect(after(odd, 50).routing?.leftOut.late).toBe(1);
});

test('a weight that is confirmed again is not held for what came before, even before its first tick', () => {
  let evidence: Evidence = { ...noEvidence(0), from: 0 };
  const skewed = { ours: 600, theirs: 5400, oursBad: 3, theirsBad: 27 };
  for (let index = 0; index < 8; index += 1)
    evidence = withTick(evidence, tickOf(index, skewed), tickMs, placeAt(5), rules);

  expect(verdictOf(evidence, placeAt(5), rules).kind).toBe('misrouted');
  expect(verdictOf({ ...evidence, from: 9 * tickMs }, placeAt(5), rules).kind).toBe('none');
});

describe('what came before a person ordered to go on', () => {
  const later = { tau: 0.1, cap: 50, tax: 0, dispersion: 1, typical: 6, later: 0.1 };
  const careful = { ...guardrail, climates: { errors: later } };
  const own = { ...rules, guardrails: [careful] };
  /** Nine ticks in which the candidate gets 42 in place of 50 %, a change of weight before them, and then one more tick. */
  const held = (bad: readonly [number, number], period: number, last: Partial<Counts> = {}): Evidence => {
    let evidence: Evidence = { ...noEvidence(0), from: 0 };
    const of = (counts: Counts, index: number, weight: number) =>
      withTick(evidence, tickOf(index, counts), tickMs, placeAt(weight), own);
    evidence = of({ ours: 100, theirs: 300, oursBad: 1, theirsBad: 3 }, 0, 25);
    evidence = { ...evidence, from: tickMs };
    const skewed = { ours: 250, theirs: 350, oursBad: bad[0], theirsBad: bad[1] };
    for (let index = 1; index < 10; index += 1) evidence = of(skewed, index, 50);
    evidence = { ...evidence, from: period };
    return of({ ours: 200, theirs: 200, oursBad: 0, theirsBad: 0, ...last }, 10, 50);
  };
  const harm = (evidence: Evidence) => logStream(evidence, 'errors', careful);
  const safeOf = ({ weather }: Evidence) => logMean(weather.errors?.safe ?? []);
  const [goesOn, resumed] = [tickMs, 10 * tickMs];

  test('speaks no more against the candidate, nor for it', () => {
    expect(harm(held([9, 3], goesOn))).toBeGreaterThan(Math.log(100));
    expect(Math.abs(harm(held([9, 3], resumed)) + 0.1)).toBeLessThan(0.1);
    expect(safeOf(held([3, 9], goesOn))).toBeGreaterThan(Math.log(20));
    expect(safeOf(held([3, 9], resumed))).toBe(0);
  });

  test('still counts where it is against what would be decided', () => {
    expect(harm(held([3, 9], resumed))).toBe(harm(held([3, 9], goesOn)));
    expect(harm(held([3, 9], resumed))).toBeLessThan(0);
    expect(safeOf(held([9, 3], resumed))).toBe(safeOf(held([9, 3], goesOn)));
    expect(safeOf(held([9, 3], resumed))).toBeLessThan(-1);
  });

  test('decides nothing before the first tick either, nor if that has no requests', () => {
    const before = { ...held([9, 3], goesOn), from: 11 * tickMs };
    const empty = withTick(
      before,
      tickOf(11, { ours: 0, theirs: 0, oursBad: 0, theirsBad: 0 }),
      tickMs,
      placeAt(50),
      own,
    );

    expect(verdictOf(before, placeAt(50), own).kind).toBe('none');
    expect(verdictOf(empty, placeAt(50), own).kind).toBe('none');
    expect(Math.abs(harm(empty) + 0.1)).toBeLessThan(0.1);
  });
});

test('a candidate without a weight that nobody knows the routing of is learned of by the share that came', () => {
  const climate = { tau: 0.1, cap: 5, tax: 0, dispersion: 1, typical: 2, later: 0 };
  const learning = { ...rules, guardrails: [{ ...guardrail, climates: { errors: climate } }] };
  const held = { astray: true, weight: 0 } as const;

  const { errors } = after({ ours: 30, theirs: 300, oursBad: 3, theirsBad: 30 }, 5, learning, held).weather;

  expect(errors?.past.at(-1)).toEqual([3, 30, 1 / 11]);
});
