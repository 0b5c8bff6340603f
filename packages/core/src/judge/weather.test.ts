import { describe, expect, test } from 'vitest';
import { logMean } from '../base/log.ts';
import { minute } from '../base/time.ts';
import { planOf } from '../model/model.fixture.ts';
import { noEvidence, withTick } from './evidence.ts';
import { verdictOf } from './judge.ts';
import { originGrid } from './origin.ts';
import { rulesOf } from './rules.ts';
import {
  type Climate,
  forgiven,
  harmFactors,
  logOfHarm,
  mostOf,
  tauOf,
  toleratedIn,
  type Weather,
  withHeard,
} from './weather.ts';

const careful = { tau: 0.1, cap: 5, tax: Math.log(1.01), dispersion: 1, later: 0.1 } as const satisfies Climate;
const limits = {
  toleratedRatio: 1,
  margin: 2,
  maxBurst: 1,
  climate: careful,
  routing: 'configured',
  unit: 'request',
  promotes: true,
  cameToo: true,
} as const;

/** [e_c, e_p] of a tick at this weight; 1,000 requests for each percent. */
const tick = (weight: number, [candidate, champion]: readonly [number, number], isCold = false) => ({
  ...{ weight, isCold, isLast: weight === 50 },
  events: { candidate, champion, candidateRequests: 1000 * weight, championRequests: 1000 * (100 - weight) },
});
type Told = ReturnType<typeof tick>;
const after = (ticks: readonly Told[], climate: Climate = careful): Weather => {
  const [first, ...others] = ticks.map((each) => (known?: Weather) => withHeard(known, each, { ...limits, climate }));
  if (first === undefined) throw new Error('no tick');
  return others.reduce((known, next) => next(known), first());
};

describe('the factor of a tick', () => {
  // judge-weather's reference values: bad of either arm, share, tolerated ratio without noise, alternative, noise, most.
  test.each([
    [[3, 28], 0.05, 1, 2, 0.1, 60, 0.4635449010092],
    [[60, 540], 0.05, 1, 1.5, 0.28, 1500, 1.599487581581],
    [[12, 8], 0.5, 1, 3, 0.28, 40, -1.105410268316],
    [[20, 3], 0.05, 1, 10, 0.1, 8, 0.213193220461],
    [[1, 0], 0.05, 1, 1.1, 0.05, 3, 0.08022859727437],
    [[300, 300], 0.5, 1, 1.25, 0.6, 2000, -0.3009800321456],
  ] as const)('is that of another implementation: %j', ([candidate, champion], share, r0, growth, tau, most, log) => {
    const rule = { ratio: r0 * Math.exp(0.6 * tau), tau, most, climate: careful };

    const logs = harmFactors({ candidate, champion, share }, rule);

    expect(logs[originGrid.indexOf(growth)]).toBeCloseTo(log, 9);
  });

  test('is 1 without bad requests, whatever the tax', () => {
    const rule = { ratio: 1, tau: 0.1, most: 5, climate: careful };

    expect(harmFactors({ candidate: 0, champion: 0, share: 0.25 }, rule)).toEqual(originGrid.map(() => 0));
  });

  test('is no larger than so few requests can say of a small alternative', () => {
    const rule = { ratio: 1, tau: 0.1, most: 60, climate: careful };

    const [smallest] = harmFactors({ candidate: 9, champion: 0, share: 0.05 }, rule);

    expect(smallest).toBeCloseTo(0.24085747437570199, 12);
  });

  test('takes a lasting difference of 0.7 standard deviations of the noise for no harm', () => {
    expect(toleratedIn(2, 0.5)).toBeCloseTo(2 * Math.exp(0.35), 12);
  });

  test('says less where bad requests come together', () => {
    const [single, together] = [1, 4].map((dispersion) =>
      logOfHarm(after([tick(5, [4, 28]), tick(5, [4, 28]), tick(5, [6, 28])], { ...careful, dispersion }), careful),
    );

    expect(together ?? 0).toBeLessThan(single ?? 0);
  });
});

describe('no few ticks decide', () => {
  const quiet = Array.from({ length: 4 }, () => tick(5, [2, 28]));

  test('a burst of the candidate adds a quarter at most', () => {
    const before = logOfHarm(after(quiet), careful);

    const burst = logOfHarm(after([...quiet, tick(5, [100, 28])]), careful);

    expect(burst - before).toBeLessThanOrEqual(Math.log(1.25));
  });

  test('an outage is as good as any other tick from its second minute on', () => {
    const logs = [1, 2, 3, 4].map((length) =>
      logOfHarm(after([...quiet, ...Array.from({ length }, () => tick(5, [100, 28]))]), careful),
    );

    for (const [index, log] of logs.slice(1).entries()) {
      expect(log - (logs[index] ?? 0)).toBeLessThanOrEqual(Math.log(5));
      expect(log - (logs[index] ?? 0)).toBeGreaterThan(1.3);
    }
  });

  test('the first two ticks of a stream without a history only teach', () => {
    const taught = after([tick(5, [30, 20]), tick(5, [30, 10])]);

    expect(taught).toMatchObject({ typical: 40, before: 40 });
    expect(logOfHarm(taught, careful)).toBeCloseTo(0, 12);
    expect(logOfHarm(after([...quiet.slice(0, 2), tick(5, [9, 28])]), careful)).toBeGreaterThan(0.3);
    expect(logOfHarm(after([tick(5, [9, 28])], { ...careful, typical: 30 }), careful)).toBeGreaterThan(0.3);
  });

  test('ticks while caches are cold teach as well, and are no evidence', () => {
    const cold = after([...quiet, tick(5, [9, 28], true)]);

    expect(cold).toMatchObject({ harm: after(quiet).harm, before: 37 });
    expect(cold.past.at(-1)).toEqual([]);
  });
});

describe('what a stream learns', () => {
  test('is the reference of another implementation', () => {
    const ticks = [tick(5, [2, 30], true), tick(5, [1, 27], true), tick(5, [3, 28]), tick(5, [9, 30])];
    const more = [
      tick(5, [6, 25]),
      tick(5, [40, 31]),
      tick(5, [1, 60]),
      tick(25, [8, 24], true),
      tick(25, [7, 20], true),
    ];

    const typical = [...ticks, ...more].map((_, index, all) => after(all.slice(0, index + 1)).typical);

    expect(typical.map((value) => value?.toFixed(8))).toEqual(
      [undefined, 28, 28.6, 30.68, 30.744, 36.436290891, 41.349032712, 39.47922617, 36.983380936].map((value) =>
        value?.toFixed(8),
      ),
    );
    expect(mostOf(36.786704748549084, 37)).toBeCloseTo(69.310465978019, 9);
  });

  test('is more noise than was known before, never less', () => {
    const wild = Array.from({ length: 40 }, (_, index) => tick(50, index % 7 < 3 ? [60, 30] : [30, 60]));
    const calm = Array.from({ length: 40 }, () => tick(50, [30, 30]));

    expect(tauOf(after(wild), careful)).toBeGreaterThan(0.3);
    expect(tauOf(after(calm), careful)).toBe(0.1);
  });

  test('is no noise where the candidate is worse all the time', () => {
    const worse = Array.from({ length: 40 }, () => tick(50, [90, 30]));

    expect(tauOf(after(worse), careful)).toBe(0.1);
  });
});

test('evidence that is too large for a number is still a logarithm', () => {
  const known = after([tick(5, [2, 28]), tick(5, [2, 28])]);
  const huge = { ...known, harm: known.harm.map(() => 5000) };

  expect(logOfHarm(huge, careful)).toBeCloseTo(5000 + Math.log(0.9), 9);
  expect(logOfHarm({ ...huge, since: huge.harm }, careful)).toBeCloseTo(5000 + Math.log(1.9), 9);
});

describe('evidence that begins at a later weight', () => {
  const clean = Array.from({ length: 60 }, () => tick(5, [1, 40]));
  const late = Array.from({ length: 8 }, () => tick(25, [24, 18]));

  test('finds what the ticks before would hide', () => {
    expect(logOfHarm(after([...clean, ...late]), careful)).toBeGreaterThan(Math.log(100));
    expect(logOfHarm(after([...clean, ...late], { ...careful, later: 0 }), { ...careful, later: 0 })).toBeLessThan(0);
  });

  test('has half of what is kept for each change, so that all of it together is the evidence of one rollout', () => {
    const changed = after([tick(5, [1, 19]), tick(5, [1, 19]), tick(25, [0, 0]), tick(50, [0, 0]), tick(95, [0, 0])]);

    expect(changed.changes).toBe(3);
    expect(Math.exp(changed.since?.[0] ?? 0)).toBeCloseTo(0.05 + 0.025 + 0.0125, 12);
    expect(logOfHarm(changed, careful)).toBeCloseTo(0, 12);
  });
});

test('what is forgiven is worth no more than it began with, and what speaks against a decision stays', () => {
  const known = after([
    ...Array.from({ length: 4 }, () => tick(5, [9, 28])),
    ...Array.from({ length: 4 }, () => tick(50, [60, 20])),
  ]);
  const cut = forgiven(known, careful);

  expect(known.changes).toBe(1);
  expect(logOfHarm(known, careful)).toBeGreaterThan(2);
  expect(logOfHarm(cut, careful)).toBeLessThanOrEqual(1e-12);
  expect(logMean(cut.since ?? [])).toBeGreaterThan(Math.log(0.04));
  expect(cut.safe).toEqual(known.safe?.map((log) => Math.min(0, log)));
  expect(Math.min(...(cut.safe ?? []))).toBeLessThan(-1);
  expect(forgiven(cut, careful)).toEqual(cut);
});

test('nothing but the share that came counts while nobody knows how requests are routed', () => {
  const known = after([tick(5, [2, 28]), tick(5, [2, 28])]);

  const astray = withHeard(known, tick(0, [9, 28]), { ...limits, isAstray: true });

  expect(astray.harm).toEqual(known.harm);
  expect(astray.came).not.toEqual(known.came);
  expect(JSON.stringify(astray)).not.toContain('null');
});

describe('of a segment', () => {
  const rulesWith = (values: string[]) =>
    rulesOf({
      plan: planOf({ rollout: { guardrails: { latency: false }, segments: { by: 'country', values } } }).rollout,
      sticky: false,
    });
  const counts = { v1: { requests: 500, bad: { errors: 5 } }, v2: { requests: 500, bad: { errors: 20 } } };
  const tickOf = (index: number) => ({ start: index * minute, counts, segments: { de: counts } });
  const place = { weight: 50, lastWeight: 50, candidate: 'v2', champion: 'v1' };

  test('nothing is kept that only the whole needs', () => {
    let evidence = noEvidence(0);
    for (const index of [0, 1, 2]) evidence = withTick(evidence, tickOf(index), minute, place, rulesWith(['de']));

    const { errors, 'errors@de': segment } = evidence.weather;
    expect(errors).toMatchObject({ came: segment?.harm, safe: expect.any(Array) });
    expect(segment?.harm[0]).not.toBe(0);
    expect(segment).not.toHaveProperty('came');
    expect(segment).not.toHaveProperty('safe');
  });

  test('no part of the evidence is used by which harm is found where nobody knows how requests are routed', () => {
    const ticksUntilHarm = (values: string[]) => {
      let evidence = noEvidence(0);
      for (let index = 0; index < 50; index += 1) {
        evidence = withTick(evidence, tickOf(index), minute, { ...place, astray: true }, rulesWith(values));
        if (verdictOf(evidence, { ...place, astray: true }, rulesWith(values)).kind === 'harmAsCame') return index;
      }
      return undefined;
    };

    expect(ticksUntilHarm(['de', 'fr', 'it'])).toBeGreaterThan(2);
    expect(ticksUntilHarm(['de', 'fr', 'it'])).toBe(ticksUntilHarm(['elsewhere']));
  });
});
