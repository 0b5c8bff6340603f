import { describe, expect, test } from 'vitest';
import { logMean } from '../base/log.ts';
import { betOnHarm, noBets } from './betting.ts';
import { ratioInterval } from './interval.ts';
import { type AtShare, logEvidence } from './origin.ts';
import { logShift } from './paired.ts';
import { logFloor, logRatio } from './promotion.ts';
import { deviations, logShared } from './routing.ts';

/**
 * The reference table of the judge, computed outside this repository. Every value has to come out to 1e-9, so that a
 * certificate means the same on every platform.
 */
const near = (value: number, expected: number, within = 1e-9) =>
  expect(Math.abs(value - expected), `${value} is not ${expected}`).toBeLessThan(within);

/** [candidate bad, champion bad, share of the candidate] */
type Row = readonly [number, number, number];

const at = ([candidate, champion, share]: Row, maxBurst = 1): AtShare => ({
  candidate: candidate / maxBurst,
  champion: champion / maxBurst,
  share,
});

/** [candidate bad, champion bad, candidate requests, champion requests] */
const realised = ([candidate, champion, ours, theirs]: readonly [number, number, number, number]): AtShare => ({
  candidate,
  champion,
  share: ours / (ours + theirs),
});

describe('the origin of errors', () => {
  test.each([
    { ticks: [[3, 28, 300, 5700]], ratio: 1, logE: 0.0897461838 },
    { ticks: [[3, 28, 300, 5700]], ratio: 1.2, logE: -0.146619906 },
    {
      ticks: [
        [3, 28, 300, 5700],
        [9, 30, 600, 5400],
      ],
      ratio: 1,
      logE: 2.162680266,
    },
    {
      ticks: [
        [3, 28, 300, 5700],
        [9, 30, 600, 5400],
      ],
      ratio: 1.2,
      logE: 1.2162159996,
    },
    { ticks: [[0, 28, 300, 5700]], ratio: 1, logE: -1.0674078983 },
    { ticks: [[12, 8, 1000, 1000]], ratio: 1, logE: -0.1762483809 },
    {
      ticks: [
        [20, 10, 1000, 1000],
        [25, 12, 1000, 1000],
      ],
      ratio: 1,
      logE: 2.7961989479,
    },
  ] as const)('at the realised share of $ticks, tolerated ratio $ratio, has log E $logE', ({ ticks, ratio, logE }) => {
    near(logEvidence(ticks.map(realised), ratio), logE);
  });

  const ramp = [
    [2, 40, 0.05],
    [6, 35, 0.1],
    [9, 20, 0.25],
  ] as const;

  test.each([
    { ticks: ramp, ratio: 1, logE: -0.3224960226 },
    { ticks: ramp, ratio: 1.2, logE: -0.944537303 },
    { ticks: [...ramp, [0, 3, 0.05]], ratio: 1, logE: -0.3761906423 },
  ] as const)(
    'at the configured shares of $ticks, tolerated ratio $ratio, has log E $logE',
    ({ ticks, ratio, logE }) => {
      near(
        logEvidence(
          ticks.map((row) => at(row)),
          ratio,
        ),
        logE,
      );
    },
  );

  test.each([
    { maxBurst: 3, logE: 0.483335735 },
    { maxBurst: 1, logE: 2.1541428799 },
  ])('counts bursts of $maxBurst as one error', ({ maxBurst, logE }) => {
    near(logEvidence([at([15, 60, 0.1], maxBurst)], 1), logE);
  });

  test('reads slow requests beyond each percentile and their mean', () => {
    const percentiles = (
      [
        [165, 2850, 0.05],
        [45, 570, 0.05],
        [9, 57, 0.05],
      ] as const
    ).map((row) => logEvidence([at(row)], 1));

    const [p50 = 0, p90 = 0, p99 = 0] = percentiles;
    near(p50, -1.0210322933);
    near(p90, 1.7185124318);
    near(p99, 2.4496168602);
    near(logMean(percentiles), 1.7647512178);
  });

  test('has the E that the sentence of a rollback quotes', () => {
    near(Math.exp(logEvidence([at([17, 35, 0.1])], 1)), 4344.827, 5e-4);
    expect(Math.floor(Math.exp(logEvidence([at([17, 35, 0.1])], 1)))).toBe(4344);
  });
});

describe('users who stay with their model', () => {
  const asAssigned = [at([1, 9, 0.05]), at([4, 6, 0.25])];
  const allAtTheCurrentWeight = [at([5, 15, 0.25])];

  test('count at the weight under which they were assigned', () => {
    near(logEvidence(asAssigned, 1), 0.2219033679);
    near(logRatio(asAssigned, 2), -1.1095726728);
  });

  test('would hide harm and certify safety that is not there, counted at the current weight', () => {
    near(logEvidence(allAtTheCurrentWeight, 1), -0.828892433);
    near(logRatio(allAtTheCurrentWeight, 2), 0.8195745571);
  });
});

describe('the certificate of a promotion', () => {
  const steps = [at([3, 57, 0.05]), at([6, 54, 0.1]), at([15, 45, 0.25]), at([30, 30, 0.5])];

  test.each([
    { ticks: 1, margin: 2, logE: 0.7137401452 },
    { ticks: 2, margin: 2, logE: 2.1007471242 },
    { ticks: 3, margin: 2, logE: 4.8977225752 },
    { ticks: 4, margin: 2, logE: 8.2850238551 },
    { ticks: 4, margin: 1.5, logE: 2.3218773876 },
  ])('after $ticks ticks at margin $margin has log E of the ratio $logE', ({ ticks, margin, logE }) => {
    near(logRatio(steps.slice(0, ticks), margin), logE);
  });

  test.each([
    { bad: 0, requests: 4000, logE: 3.310919394 },
    { bad: 1, requests: 6000, logE: 2.3860420331 },
  ])('with $bad of $requests bad has log E of the floor $logE', ({ bad, requests, logE }) => {
    near(logFloor(bad, requests, 0.001), logE);
  });
});

describe('the interval of the ratio', () => {
  const ramp = [at([2, 40, 0.05]), at([6, 35, 0.1]), at([9, 20, 0.25])];

  test.each([
    { alpha: 0.05, low: 0.51125641, high: 2.97207603 },
    { alpha: 0.01, low: 0.42962977, high: 3.34663098 },
  ])('is [$low, $high] at alpha $alpha', ({ alpha, low, high }) => {
    const interval = ratioInterval(ramp, ramp, alpha);

    // The table gives eight decimals.
    near(interval.low, low, 5.1e-9);
    near(interval.high ?? Number.NaN, high, 5.1e-9);
  });

  test('starts at 0 for a candidate without errors', () => {
    const ticks = [at([0, 28, 0.05])];

    const interval = ratioInterval(ticks, ticks, 0.05);

    expect(interval.low).toBe(0);
    near(interval.high ?? Number.NaN, 4.17594253, 5.1e-9);
  });
});

test.each([
  { candidate: 350, champion: 5650, logS: 2.5021254424 },
  { candidate: 400, champion: 5600, logS: 12.9335067131 },
])('requests of $candidate to $champion at 5 % have a mean ratio of log $logS', ({ candidate, champion, logS }) => {
  const tick = { share: 0.05, tickMs: 60_000, unit: 'user' } as const;

  near(logMean(deviations.map((deviation) => logShared({ candidate, champion }, tick, deviation))), logS);
});

test.each([
  { candidate: 10, champion: 12, margin: 2, log: 1.891582178776 },
  { candidate: 4, champion: 9, margin: 3, log: 5.06515638419 },
])("has log E' $log of pairs without noise, $candidate to $champion", ({ candidate, champion, margin, log }) => {
  near(logRatio([{ candidate, champion, share: 0.5 }], margin), log);
});

test.each([
  { higher: 10, lower: 0, log: 3.92231196017 },
  { higher: 3, lower: 7, log: -0.125279932063 },
])('of $higher higher and $lower lower predictions the log E of a shift is $log', ({ higher, lower, log }) => {
  near(logShift(higher, lower), log);
});

test('bets on ten losses have the log K of the table after 3, 7 and 10 of them', () => {
  const arms = '1010010010';
  const losses = [0.5, 0.2, 1, 0, 0.3, 0.7, 1, 0.1, 0.9, 0.4];
  const logs: number[] = [];

  losses.reduce((bets, loss, index) => {
    const next = betOnHarm(bets, { candidate: arms[index] === '1', share: index < 5 ? 0.25 : 0.5, loss }, 0.05);
    logs.push(next.logK);
    return next;
  }, noBets);

  near(logs[2] ?? Number.NaN, 0.7004192502);
  near(logs[6] ?? Number.NaN, 0.1492267905);
  near(logs[9] ?? Number.NaN, 0.1626616688);
});
