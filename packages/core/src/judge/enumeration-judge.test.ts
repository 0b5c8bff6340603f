import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tick } from '../ports/telemetry.ts';
import { type Evidence, noEvidence, type Place, withTick } from './evidence.ts';
import { logStream } from './judge.ts';
import { logOrigin, originGrid } from './origin.ts';
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
import type { Guardrail, Rules } from './rules.ts';
import { logSafe } from './safe.ts';
import { type Climate, independent } from './weather.ts';

/**
 * The same exact enumeration through the judge itself: from the counts of a tick, as they are delivered, to E. So what
 * it leaves out, adds up and divides is part of what is shown to stay at 1 or below.
 */
const tickMs = 60_000;
const floor = 0.2;

const errors = (bounds: Partial<Guardrail>): Guardrail => ({
  name: 'errors',
  clock: 'ticks',
  warmsUp: false,
  toleratedRatio: 1,
  margin: 2,
  floor,
  maxBurst: 1,
  alphaShare: 1,
  streams: [{ id: 'errors', measure: 'errors', harm: true, promotes: true, events: 'failed requests' }],
  climates: { errors: independent },
  ...bounds,
});

const rulesOf = (routing: Rules['routing'], unit: Rules['unit'], guardrail: Guardrail): Rules => ({
  alpha: 0.01,
  beta: 0.05,
  routing,
  unit,
  mirrored: false,
  guardrails: [guardrail],
  off: [],
  limits: { errors: { share: 1, minRequests: 1 } },
});

/** The counts as they are delivered; of users, when users are the unit, each of whom was assigned before. */
function delivered({ candidateRequests, championRequests, candidate, champion }: Tally, index: number): Tick {
  const arms = { v2: [candidateRequests, candidate], v1: [championRequests, champion] } as const;
  const of = <Counted>(read: (requests: number, bad: number) => Counted) => ({
    v2: read(...arms.v2),
    v1: read(...arms.v1),
  });
  return {
    start: index * tickMs,
    counts: of((requests, bad) => ({ requests, bad: { errors: bad } })),
    users: of((atRisk, bad) => ({ assigned: 0, bad: { errors: { atRisk, bad } } })),
  };
}

const at = (share: number, last: number): Place => ({
  ...{ weight: share * 100, lastWeight: last * 100 },
  ...{ candidate: 'v2', champion: 'v1' },
});

type Counted = readonly [tally: Tally, share: number];

const after = (ticks: readonly Counted[], rules: Rules): Evidence =>
  ticks.reduce(
    (evidence, [tally, share], index) =>
      withTick(evidence, delivered(tally, index), tickMs, at(share, ticks.at(-1)?.[1] ?? 0), rules),
    noEvidence(0),
  );

const harm = (ticks: readonly Counted[], rules: Rules, guardrail: Guardrail): number =>
  Math.exp(logStream(after(ticks, rules), 'errors', guardrail));

const safety = (ticks: readonly Counted[], rules: Rules, guardrail: Guardrail): number =>
  Math.exp(safe(after(ticks, rules), (ticks.at(-1)?.[1] ?? 0) * 100, guardrail, rules));

function safe(evidence: Evidence, weight: number, guardrail: Guardrail, rules: Rules): number {
  const [stream] = guardrail.streams;
  return stream === undefined ? Number.NaN : logSafe(evidence, stream, { weight, guardrail, rules });
}

const cases = { share: [0.01, 0.25, 0.5], requests: [1, 3, 5], ratio: [1, 1.2, 2], baseline: [0.05, 0.5] } as const;

const units = ['request', 'user'] as const;

/** Whatever a champion's history says: the proof does not rest on it. */
const climates: readonly Climate[] = [
  { tau: 0.05, cap: 50, tax: 0, dispersion: 1, typical: 1, later: 0.1 },
  { tau: 0.28, cap: 5, tax: 0, dispersion: 1, typical: 0, later: 0.1 },
  { tau: 1, cap: 1.5, tax: 0, dispersion: 2, typical: 0.2, later: 0.5 },
];

describe.each(units)('with the %s as the unit and the weight as the share', (unit) => {
  test('expects no evidence from a candidate no worse than tolerated', () => {
    const found = largest(grid({ ...cases, part: [0, 1] }), ({ share, requests, ratio, baseline, part }) => {
      const guardrail = errors({ toleratedRatio: ratio, margin: 3 });
      const law = times(requests, routed(share, { candidate: baseline * ratio * part, champion: baseline }));
      return expected(law, (tally) => harm([[tally, share]], rulesOf('configured', unit, guardrail), guardrail));
    });

    atMostOne(found);
  });

  test('leaves out the ticks without champion requests, and no others', () => {
    const guardrail = errors({});
    const law = times(4, routed(0.5, { candidate: 0.5, champion: 0.5 }));

    for (const tally of law) {
      const alternatives = originGrid.map((growth) =>
        Math.exp(logOrigin(tally.candidate, tally.champion, 0.5, 1, growth)),
      );
      const mean = alternatives.reduce((sum, value) => sum + value, 0) / alternatives.length;

      expect(harm([[tally, 0.5]], rulesOf('configured', unit, guardrail), guardrail)).toBeCloseTo(
        tally.championRequests === 0 ? 1 : mean,
        12,
      );
    }
  });
});

test('two ticks, the second routed after the evidence of the first, expect none from a candidate no worse than tolerated', () => {
  const guardrail = errors({});
  const rules = rulesOf('configured', 'request', guardrail);

  const found = largest(grid({ share: [0.1, 0.5], baseline: [0.1, 0.5], part: [0.5, 1] }), (of) => {
    const law = (share: number, requests: number) =>
      times(requests, routed(share, { candidate: of.baseline * of.part, champion: of.baseline }));
    return expected(law(of.share, 3), (first) => {
      const next = harm([[first, of.share]], rules, guardrail) > 1 ? 0.05 : 0.5;
      return expected(law(next, 1 + first.champion), (second) =>
        harm(
          [
            [first, of.share],
            [second, next],
          ],
          rules,
          guardrail,
        ),
      );
    });
  });

  atMostOne(found);
});

test.each(climates)('with noise $tau and a cap of $cap, two ticks at two weights expect none either', (climate) => {
  const guardrail = errors({ climates: { errors: climate } });
  const rules = rulesOf('configured', 'request', guardrail);

  const found = largest(grid({ share: [0.1, 0.5], next: [0.1, 0.25], baseline: [0.1, 0.5], part: [0.5, 1] }), (of) => {
    const law = (share: number) => times(4, routed(share, { candidate: of.baseline * of.part, champion: of.baseline }));
    return expected(law(of.share), (first) =>
      expected(law(of.next), (second) =>
        harm(
          [
            [first, of.share],
            [second, of.next],
          ],
          rules,
          guardrail,
        ),
      ),
    );
  });

  atMostOne(found);
});

test('at the realised share expects no evidence from a candidate no worse than tolerated', () => {
  const counts = { ours: [0, 1, 3], theirs: [0, 1, 3] } as const;

  const found = largest(grid({ ...counts, ratio: [0.5, 1, 2], baseline: [0.05, 0.5], part: [0, 1] }), (of) => {
    const guardrail = errors({ toleratedRatio: of.ratio, margin: 3 });
    const law = both(
      times(of.ours, toArm('candidate', of.baseline * of.ratio * of.part)),
      times(of.theirs, toArm('champion', of.baseline)),
    );
    // The weight that was asked for is not what came.
    return expected(law, (tally) => harm([[tally, 0.5]], rulesOf('realised', 'request', guardrail), guardrail));
  });

  atMostOne(found);
});

test('bursts up to the stated size expect no evidence, and larger ones too much', () => {
  const law = (burst: number) => times(4, routed(0.25, { candidate: 0.3, champion: 0.3 }, burst));
  const value = (burst: number, maxBurst: number) => {
    const guardrail = errors({ maxBurst });
    return expected(law(burst), (tally) =>
      harm([[tally, 0.25]], rulesOf('configured', 'request', guardrail), guardrail),
    );
  };

  for (const [burst, maxBurst] of [
    [1, 1],
    [2, 2],
    [2, 3],
    [3, 3],
  ] as const)
    expect(value(burst, maxBurst)).toBeLessThanOrEqual(1 + rounding);
  expect(value(3, 1)).toBeGreaterThan(1.5);
});

test.each(['configured', 'realised'] as const)(
  'bursts of three count as one bad request at the %s share',
  (routing) => {
    const tally: Tally = { candidateRequests: 25, championRequests: 75, candidate: 6, champion: 3 };
    const single: Tally = { ...tally, candidate: 2, champion: 1 };
    const value = (counts: Tally, maxBurst: number) => {
      const guardrail = errors({ maxBurst });
      return harm([[counts, 0.25]], rulesOf(routing, 'request', guardrail), guardrail);
    };

    expect(value(tally, 3)).toBeCloseTo(value(single, 1), 12);
    expect(value(tally, 1)).not.toBeCloseTo(value(single, 1), 3);
  },
);

describe('a promotion', () => {
  const asBad = [
    { share: 0.5, candidate: floor, champion: floor / 2 },
    { share: 0.25, candidate: 2 * floor, champion: floor },
    { share: 0.5, candidate: 1, champion: 0 },
  ];
  const law = (of: (typeof asBad)[number]): Law =>
    mixed([
      [0.8, times(5, routed(of.share, of))],
      [0.2, times(1, routed(of.share, of))],
    ]);

  test.each(asBad)('expects no evidence for a candidate as bad as margin and floor: $candidate to $champion', (of) => {
    const guardrail = errors({});

    for (const unit of units) {
      const rules = rulesOf('configured', unit, guardrail);
      expect(expected(law(of), (tally) => safety([[tally, of.share]], rules, guardrail))).toBeLessThanOrEqual(
        1 + rounding,
      );
    }
  });

  test.each(asBad)('at the realised share expects none either: $candidate to $champion', (of) => {
    const guardrail = errors({});
    const rules = rulesOf('realised', 'request', guardrail);

    for (const [ours, theirs] of [
      [0, 2],
      [2, 0],
      [1, 3],
      [3, 3],
    ] as const) {
      const fixed = both(times(ours, toArm('candidate', of.candidate)), times(theirs, toArm('champion', of.champion)));

      expect(expected(fixed, (tally) => safety([[tally, 0.5]], rules, guardrail))).toBeLessThanOrEqual(1 + rounding);
    }
  });

  test('leaves out the ticks without candidate requests', () => {
    const guardrail = errors({});
    const rules = rulesOf('configured', 'request', guardrail);
    const alone: Tally = { candidateRequests: 0, championRequests: 10, candidate: 0, champion: 4 };
    const last: Tally = { candidateRequests: 200, championRequests: 200, candidate: 3, champion: 1 };

    const withBoth = safety(
      [
        [alone, 0.5],
        [last, 0.5],
      ],
      rules,
      guardrail,
    );

    expect(withBoth).toBe(safety([[last, 0.5]], rules, guardrail));
  });

  test('is not helped by a clean start: only the ticks of the last step speak for it', () => {
    const guardrail = errors({});
    const rules = rulesOf('configured', 'request', guardrail);
    const clean: Tally = { candidateRequests: 10_000, championRequests: 10_000, candidate: 0, champion: 500 };
    const last: Tally = { candidateRequests: 10, championRequests: 10, candidate: 3, champion: 1 };

    expect(
      safety(
        [
          [clean, 0.25],
          [last, 0.5],
        ],
        rules,
        guardrail,
      ),
    ).toBe(safety([[last, 0.5]], rules, guardrail));
  });
});

describe('the evidence of ticks at one weight', () => {
  const tally = fc
    .record({
      candidateRequests: fc.nat(5000),
      ours: fc.double({ min: 0, max: 1, noNaN: true }),
      theirs: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(
      ({ candidateRequests, ours, theirs }): Tally => ({
        candidateRequests,
        championRequests: 3 * candidateRequests,
        candidate: Math.floor(ours * candidateRequests),
        champion: Math.floor(theirs * 3 * candidateRequests),
      }),
    );
  const guardrail = errors({});
  const rules = rulesOf('configured', 'request', guardrail);
  const evidence = (tallies: readonly Tally[]) =>
    after(
      tallies.map((one): Counted => [one, 0.25]),
      rules,
    );

  test('does not depend on their order where no tick is cut', () => {
    fc.assert(
      fc.property(fc.array(tally, { minLength: 1, maxLength: 6 }), (tallies) => {
        const [forwards, backwards] = [evidence(tallies), evidence([...tallies].reverse())];

        expect(backwards.streams).toEqual(forwards.streams);
        expect(backwards.routed).toEqual(forwards.routed);
        expect(logStream(backwards, 'errors', guardrail)).toBeCloseTo(logStream(forwards, 'errors', guardrail), 6);
      }),
    );
  });

  test('does not change when a tick is delivered again', () => {
    fc.assert(
      fc.property(fc.array(tally, { minLength: 1, maxLength: 6 }), (tallies) => {
        const once = evidence(tallies);

        const again = tallies.reduce(
          (known, one, index) => withTick(known, delivered(one, index), tickMs, at(0.25, 0.25), rules),
          once,
        );

        expect(again).toEqual(once);
      }),
    );
  });

  test('grows against the candidate and shrinks for it with each of its errors', () => {
    fc.assert(
      fc.property(tally, (one) => {
        fc.pre(one.candidate < one.candidateRequests && one.championRequests > 0);
        const [before, more] = [evidence([one]), evidence([{ ...one, candidate: one.candidate + 1 }])];

        expect(logStream(more, 'errors', guardrail)).toBeGreaterThan(logStream(before, 'errors', guardrail));
        expect(safe(more, 25, guardrail, rules)).toBeLessThan(safe(before, 25, guardrail, rules));
      }),
    );
  });
});
