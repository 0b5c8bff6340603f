import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { minute } from '../base/time.ts';
import type { Tick } from '../ports/telemetry.ts';
import { climatesOf } from './climate.ts';
import { type Evidence, noEvidence, withTick } from './evidence.ts';
import { logHarm, logPairs } from './judge.ts';
import { toleranceOf } from './noise.ts';
import { everHappens, normals } from './outcomes.fixture.ts';
import { climateOfPairs, logShift, pairsOf } from './paired.ts';
import { ratioFactors } from './promotion.ts';
import type { Guardrail, Rules } from './rules.ts';
import { type Climate, weatherOf } from './weather.ts';

const stream = {
  ...{ id: 'latency.p90', measure: 'slower than 300 ms', harm: true, promotes: true, events: 'slow requests' },
  expectedShare: 0.1,
} as const;
const watched = { clock: 'ticks', unit: 'request', streams: [stream], maxBurst: 1 } as const;
const guardrail: Guardrail = {
  ...{ ...watched, name: 'latency', warmsUp: true, toleratedRatio: 1, margin: 2, floor: 0.001, alphaShare: 1 },
  climates: climatesOf(watched, undefined),
};
const rulesOf = (own: Partial<Guardrail> = {}): Rules => ({
  ...{ alpha: 0.01, beta: 0.05, routing: 'configured', unit: 'request', mirrored: true, off: [] },
  ...{ guardrails: [{ ...guardrail, ...own }], limits: { errors: { share: 1, minRequests: 1 } } },
});
const rules = rulesOf();
const place = { weight: 0, lastWeight: 50, candidate: 'v2', champion: 'v1' };

function mirrored(
  from: Evidence,
  [mirror, served]: readonly [number, number],
  pairs = 1000,
  under = rules,
  errors = 0,
): Evidence {
  const bad = { [stream.measure]: { mirror, served } };
  const tick: Tick = {
    start: from.readTo,
    counts: { v1: { requests: pairs, bad: { errors, [stream.measure]: pairs / 10 } } },
    pairs: { v2: { pairs, dropped: 0, bad, predictions: { higher: 0, lower: 0, equal: pairs } } },
  };
  return withTick(from, tick, minute, place, under);
}
const after = (ticks: readonly (readonly [number, number])[], from: Evidence = noEvidence(0), under = rules) =>
  ticks.reduce((evidence, tick) => mirrored(evidence, tick, 1000, under), from);
const pairsIn = (evidence: Evidence) => weatherOf(evidence, pairsOf(stream.id));

describe('pairs of a mirror', () => {
  test('take back hardly any innocent candidate whose speed varies by itself', () => {
    const normal = normals(20_261_130);
    const rolledBack = Array.from({ length: 60 }, () => noisyMirror(normal, 0.1)).filter(Boolean).length;

    expect(rolledBack).toBeLessThanOrEqual(2);
  });

  test('are as quick after an outage of both models, where the history says how many fail usually', () => {
    const { expectedShare: _, ...slow } = stream;
    const failing = { ...slow, id: 'errors', measure: 'errors' };
    const own = rulesOf({ streams: [failing], climates: climatesOf({ ...watched, streams: [failing] }, undefined) });
    const measures = { errors: { bad: 500, requests: 100_000, typical: 5, dispersion: 1, calm: true } };
    const knowing = { ...own, history: { from: 0, to: 7 * 24 * 60 * minute, ticks: 1440, measures } };
    const tickOf = (from: Evidence, errors: number, [mirror, served]: readonly [number, number]): Evidence => {
      const pairs = { pairs: 600, dropped: 0, bad: { errors: { mirror, served } } };
      const v2 = { ...pairs, predictions: { higher: 0, lower: 0, equal: 600 } };
      const counts = { v1: { requests: 600, bad: { errors } } };
      return withTick(from, { start: from.readTo, counts, pairs: { v2 } }, minute, place, knowing);
    };
    const minutesTo100 = (outage: number): number => {
      let evidence = noEvidence(0);
      for (let index = 0; index < 10; index += 1) evidence = tickOf(evidence, 3, [3, 3]);
      for (let index = 0; index < outage; index += 1) evidence = tickOf(evidence, 540, [3, 3]);
      for (let index = 1; index < 200; index += 1) {
        evidence = tickOf(evidence, 3, [6, 3]);
        if (logHarm(evidence, knowing) >= Math.log(100)) return index;
      }
      return Number.POSITIVE_INFINITY;
    };

    expect(minutesTo100(10)).toBeLessThanOrEqual(1.5 * minutesTo100(0));
  });

  test('are found to be worse within minutes', () => {
    const worse = after(Array.from({ length: 25 }, () => [180, 90] as const));

    expect(logHarm(worse, rules)).toBeGreaterThan(Math.log(1 / rules.alpha));
  });

  test('have not more weight in one tick than split traffic has', () => {
    const usual = after(Array.from({ length: 10 }, () => [90, 90] as const));

    expect(logPairs(mirrored(usual, [900, 0]), stream.id) - logPairs(usual, stream.id)).toBeLessThan(Math.log(1.25));
  });

  test('teach what is usual in their first two ticks and while caches are cold', () => {
    const taught = after([
      [200, 100],
      [200, 100],
    ]);
    const cold = after(
      [
        [200, 100],
        [200, 100],
        [200, 100],
      ],
      { ...noEvidence(0), from: 3 * minute },
    );

    expect([logPairs(taught, stream.id), logPairs(cold, stream.id)]).toEqual([0, 0]);
    expect([pairsIn(taught)?.typical, cold.pairs]).toEqual([300, {}]);
    expect(logPairs(mirrored(taught, [200, 100]), stream.id)).toBeGreaterThan(0.1);
    expect(logPairs(mirrored(cold, [200, 100]), stream.id)).toBeGreaterThan(0.1);
  });

  test('of a tick without copies are no tick of the mirror', () => {
    const known = after([
      [90, 90],
      [90, 90],
    ]);

    expect(pairsIn(mirrored(known, [0, 0], 0))).toEqual(pairsIn(known));
  });

  test('count by what one cause makes bad at once', () => {
    const ticks = Array.from({ length: 12 }, () => [200, 90] as const);
    const tenths = after(ticks, noEvidence(0), rulesOf({ maxBurst: 10 }));

    expect(pairsIn(tenths)?.typical).toBeCloseTo(29, 9);
    expect(logPairs(tenths, stream.id)).toBeLessThan(logPairs(after(ticks), stream.id) / 2);
  });

  test('are as noisy as the shares also where one cause makes several answers bad', () => {
    const logs: number[] = [];

    const evenly = after(
      [
        [90, 90],
        [90, 90],
        [90, 90],
      ],
      noEvidence(0),
      rulesOf({ maxBurst: 10 }),
    );

    ratioFactors(logs, { candidate: 9, champion: 9, share: 0.5 }, { margin: 2, tau: 0.28, most: 100 });
    expect(pairsIn(evenly)?.safe?.map((log) => log.toFixed(9))).toEqual(logs.map((log) => log.toFixed(9)));
  });

  test('are as noisy as what was known before the tick makes them, whatever the champion does in it', () => {
    const { expectedShare: _, ...unexpected } = stream;
    const under = rulesOf({ streams: [unexpected] });
    const taught = [1, 2].reduce((evidence) => mirrored(evidence, [15, 10], 1000, under, 50), noEvidence(0));
    const [calm, storm] = [0, 500].map((errors) => mirrored(taught, [15, 10], 1000, under, errors));

    expect(pairsIn(storm ?? taught)).toEqual(pairsIn(calm ?? taught));
    expect(pairsIn(mirrored(calm ?? taught, [15, 10], 1000, under))).not.toEqual(
      pairsIn(mirrored(storm ?? taught, [15, 10], 1000, under)),
    );
  });

  test('speak for a promotion in every tick, with the noise that is known', () => {
    const logs: number[] = [];

    const { safe } =
      pairsIn(
        after([
          [90, 90],
          [90, 90],
          [90, 90],
        ]),
      ) ?? {};

    ratioFactors(logs, { candidate: 90, champion: 90, share: 0.5 }, { margin: 2, tau: 0.28, most: 1000 });
    expect(safe?.map((log) => log.toFixed(9))).toEqual(logs.map((log) => log.toFixed(9)));
  });

  test('may be what varies more, and then the certificate tolerates that', () => {
    const wild = after(
      Array.from({ length: 40 }, (_, index) => (index % 7 < 3 ? ([150, 70] as const) : ([70, 150] as const))),
    );

    expect(toleranceOf(wild, stream.id, guardrail)?.noise).toBeGreaterThan(0.3);
    expect(toleranceOf(noEvidence(0), stream.id, guardrail)?.noise).toBe(0.28);
  });
});

describe('noise of pairs', () => {
  const climate: Climate = { tau: 0.1, cap: 5, tax: 0.01, dispersion: 2, typical: 7, later: 0.1 };

  test('is that of the shares where each model errs by itself, and more where both err at the same requests', () => {
    const noise = (usual: number | undefined) => climateOfPairs(climate, { share: 0.1, pairs: 10_000, usual }).tau;

    expect(noise(1800)).toBeCloseTo(0.1, 12);
    expect(noise(360)).toBeCloseTo((0.1 * 1802) / 362, 12);
    expect([noise(5000), noise(undefined)]).toEqual([0.1, 0.1]);
  });

  test('is not taken from a few pairs', () => {
    expect(climateOfPairs(climate, { share: 0.005, pairs: 60, usual: 0.1 }).tau).toBeLessThan(0.13);
  });

  test('comes with all that is known of bursts, and with no number of bad requests that is usual', () => {
    expect(climateOfPairs(climate, { share: 0, pairs: 1, usual: 1 })).toEqual({
      ...{ tau: 0.1, cap: 5, tax: 0.01, dispersion: 2, later: 0 },
    });
  });

  test('counts where most failures are shared', () => {
    const alike = after(Array.from({ length: 20 }, () => [15, 10] as const));
    const apart = after(
      Array.from({ length: 20 }, () => [15, 10] as const),
      noEvidence(0),
      rulesOf({ streams: [{ ...stream, expectedShare: 0.0125 }] }),
    );

    expect(logPairs(alike, stream.id)).toBeLessThan(logPairs(apart, stream.id));
  });
});

/** Whether a mirror of an hour with 6,000 requests a minute and noise that lasts for minutes is taken back. */
function noisyMirror(normal: () => number, sd: number): boolean {
  let evidence = noEvidence(0);
  let noise = [normal() * sd, normal() * sd] as const;
  for (let tick = 0; tick < 60; tick += 1) {
    noise = [0.8 * noise[0] + 0.6 * sd * normal(), 0.8 * noise[1] + 0.6 * sd * normal()];
    const [ours, theirs] = noise.map((own) => 1 / (1 + 9 * Math.exp(-own))) as [number, number];
    const count = (share: number) => Math.round(6000 * share + Math.sqrt(6000 * share * (1 - share)) * normal());
    const bad = [count(ours * (1 - theirs)), count(theirs * (1 - ours))] as const;
    evidence = mirrored(evidence, bad, 6000);
    if (logHarm(evidence, rules) >= Math.log(1 / rules.alpha)) return true;
  }
  return false;
}

const anyCount = fc.integer({ min: 0, max: 1_000_000_000 });
const count = fc.integer({ min: 0, max: 5000 });

test('a shift between equal models is found in fewer than alpha of all rollouts, in whichever direction', () => {
  const exact = everHappens(300, 0.5, (higher, lower) => logShift(higher, lower) >= Math.log(100));

  expect(exact).toBeLessThanOrEqual(0.01);
  expect(exact).toBeGreaterThan(0.01 / 3);
});

test('no pair is no evidence', () => {
  expect(logShift(0, 0)).toBe(0);
  expect(logPairs(noEvidence(0), stream.id)).toBe(0);
});

test('the evidence of a shift is the same in both directions', () => {
  fc.assert(
    fc.property(count, count, (higher, lower) => {
      const value = logShift(higher, lower);

      expect(Math.abs(logShift(lower, higher) - value)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(value)));
    }),
  );
});

test('the evidence of a shift is a finite number for all counts up to a thousand million', () => {
  fc.assert(
    fc.property(anyCount, anyCount, (higher, lower) => {
      expect(logShift(higher, lower)).toSatisfy(Number.isFinite);
    }),
  );
});
