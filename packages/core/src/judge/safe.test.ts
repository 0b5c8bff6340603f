import { describe, expect, test } from 'vitest';
import { logMean } from '../base/log.ts';
import { day, minute } from '../base/time.ts';
import type { Tick } from '../ports/telemetry.ts';
import { directCalls } from './direct.ts';
import { type Evidence, noEvidence, withTick } from './evidence.ts';
import type { History, MeasureHistory } from './history.ts';
import { shortfalls } from './judge.ts';
import { lacks } from './needed.ts';
import { both, expected, type Law, rounding, type Tally, times, toArm } from './outcomes.fixture.ts';
import { pairsOf } from './paired.ts';
import { logAgainstPast, lowerLimit } from './past.ts';
import { logRatio, ratioFactors } from './promotion.ts';
import { admit } from './routing.ts';
import type { Guardrail, Rules } from './rules.ts';
import { isUnlike, limitOf, logSafe, pastsOf } from './safe.ts';
import { type Climate, independent, newWeather } from './weather.ts';

const stream = { id: 'errors', measure: 'errors', harm: true, promotes: true, events: 'failed requests' } as const;
const guardrail: Guardrail = {
  ...{ name: 'errors', clock: 'ticks', warmsUp: false, toleratedRatio: 1, margin: 2, floor: 0.001, maxBurst: 1 },
  ...{ alphaShare: 1, streams: [stream], climates: { errors: independent } },
};
const part = { bad: 750, requests: 150_000 };
const known: MeasureHistory = {
  ...{ bad: 3000, requests: 600_000, parts: [part, part, part, { bad: 700, requests: 150_000 }, part] },
  ...{ typical: 0, dispersion: 1, calm: true },
};
const history = (errors: MeasureHistory = known): History => ({
  ...{ from: 0, to: 7 * day, ticks: 1440, measures: { errors } },
});
const rules: Rules = {
  ...{ alpha: 0.01, beta: 0.05, routing: 'configured', unit: 'request', mirrored: false, off: [] },
  ...{ guardrails: [guardrail], limits: { errors: { share: 1, minRequests: 1 } } },
};
const withPast: Rules = { ...rules, history: history() };
const limit = lowerLimit(700, 150_000, 0.005);

const place = { weight: 50, lastWeight: 50, candidate: 'v2', champion: 'v1' };
function counted(from: Evidence, tally: Tally, under: Rules = withPast): Evidence {
  const tick: Tick = {
    start: from.readTo,
    counts: {
      v2: { requests: tally.candidateRequests, bad: { errors: tally.candidate } },
      v1: { requests: tally.championRequests, bad: { errors: tally.champion } },
    },
  };
  return withTick(from, tick, minute, place, under);
}
const safe = (evidence: Evidence, under: Rules = withPast) =>
  logSafe(evidence, stream, { weight: 50, guardrail, rules: under });
const tallyOf = (candidate: number, candidateRequests: number, champion: number, championRequests: number): Tally => ({
  ...{ candidate, candidateRequests, champion, championRequests },
});

describe("the champion's past", () => {
  test('counts by the least of its limits, at a tenth of beta', () => {
    expect(limitOf(stream, guardrail, withPast)).toBeCloseTo(limit, 12);
    expect(pastsOf(withPast)).toEqual([{ stream, limit: limitOf(stream, guardrail, withPast) }]);
    expect(limitOf(stream, guardrail, { ...withPast, beta: 0.2 })).toBeGreaterThan(limit);
  });

  test('counts less where bad requests come together', () => {
    const together = { ...rules, history: history({ ...known, dispersion: 3 }) };

    expect(limitOf(stream, guardrail, together)).toBeCloseTo(lowerLimit(700 / 3, 50_000, 0.005), 12);
  });

  test.each([
    ['nothing is known', stream, guardrail, rules],
    ['users are the unit', stream, guardrail, { ...withPast, unit: 'user' }],
    ['one cause makes several requests bad', stream, { ...guardrail, maxBurst: 4 }, withPast],
    ['the stream is that of a segment', { ...stream, segment: 'de' }, guardrail, withPast],
    ['the stream certifies nothing', { ...stream, promotes: false }, guardrail, withPast],
    ['it is judged by labels', stream, { ...guardrail, clock: 'labels' }, withPast],
    [
      'two requests a minute are bad',
      stream,
      guardrail,
      { ...rules, history: history({ ...known, bad: 2 * 7 * 24 * 60 }) },
    ],
    [
      'it was not there for a whole day',
      stream,
      guardrail,
      { ...rules, history: history({ ...known, parts: [part, { bad: 0, requests: 0 }] }) },
    ],
    ['an older record has no parts', stream, guardrail, { ...rules, history: history({ ...known, parts: [] }) }],
  ] as const)('counts nothing where %s', (_, one, of, under) => {
    expect(limitOf(one, of as Guardrail, under as Rules)).toBe(0);
  });

  test('is half of the evidence, and its chance is paid for out of beta', () => {
    const evidence = counted(noEvidence(0), tallyOf(1, 2000, 8, 2000));
    const present = Math.exp(safe(evidence, rules));
    const past = Math.exp(logAgainstPast(1, 2000, { limit, margin: 2, floor: 0.001 }));

    expect(Math.exp(safe(evidence))).toBeCloseTo(0.9 * (present / 2 + past / 2), 10);
    expect(safe(noEvidence(0))).toBeCloseTo(Math.log(0.9), 12);
    expect(safe(noEvidence(0), rules)).toBe(0);
  });

  test('certifies sooner than the last step alone', () => {
    const evidence = counted(noEvidence(0), tallyOf(9, 3000, 14, 3000));

    expect(shortfalls(counted(noEvidence(0), tallyOf(9, 3000, 14, 3000), rules), 50, rules)).toHaveLength(1);
    expect(shortfalls(evidence, 50, withPast)).toEqual([]);
  });

  test('counts nothing any more once the champion is better than it was, also when it is as bad again', () => {
    const like = counted(noEvidence(0), tallyOf(0, 2000, 9, 2000));
    const better = counted(like, tallyOf(0, 4000, 0, 4000));
    const again = counted(better, tallyOf(0, 4000, 90, 4000));

    expect(isUnlike(like, 'errors')).toBe(false);
    expect(better.unlike).toEqual(['errors']);
    expect(counted(better, tallyOf(0, 10, 0, 10)).unlike).toEqual(['errors']);
    expect(again.unlike).toEqual(['errors']);
    expect(safe(again)).toBeCloseTo(
      safe(
        counted(
          counted(counted(noEvidence(0), tallyOf(0, 2000, 9, 2000), rules), tallyOf(0, 4000, 0, 4000), rules),
          tallyOf(0, 4000, 90, 4000),
          rules,
        ),
        rules,
      ) + Math.log(0.45),
      10,
    );
  });
});

test('a candidate at the margin of a champion that is as its past is expected to bring 0.9 at most, in two ticks', () => {
  const bad = { champion: limit, candidate: 2 * limit };
  const tick: Law = both(times(3, toArm('candidate', bad.candidate)), times(3, toArm('champion', bad.champion)));

  const value = expected(tick, (first) =>
    expected(tick, (second) => Math.exp(safe(counted(counted(noEvidence(0), first), second)))),
  );

  expect(value).toBeLessThanOrEqual(0.9 + rounding);
  expect(value).toBeGreaterThan(0.85);
});

describe('after a person ordered to go on with requests that had not been shared out as configured', () => {
  const fair = tallyOf(0, 300, 0, 300);
  const at = (from: Evidence, ticks: number, tally: Tally, under: Rules): Evidence =>
    Array.from({ length: ticks }).reduce<Evidence>((evidence) => counted(evidence, tally, under), from);

  test.each([
    ['a past', withPast],
    ['none', rules],
  ])('a promotion is not shown by what was counted before, with %s', (_, under) => {
    const held = at({ ...noEvidence(0), from: 0 }, 120, tallyOf(0, 600, 0, 200), under);
    expect(safe(held, under)).toBeGreaterThan(Math.log(20));

    const resumed = at({ ...held, from: held.readTo }, 1, fair, under);

    expect(safe(resumed, under)).toBeLessThan(Math.log(2));
    expect(safe(at(resumed, 120, fair, under), under)).toBeGreaterThan(Math.log(20));
  });

  test('what was counted against it before still counts', () => {
    const held = at({ ...noEvidence(0), from: 0 }, 120, tallyOf(3, 600, 0, 200), rules);

    const resumed = at({ ...held, from: held.readTo }, 121, fair, rules);

    expect(safe(resumed, rules)).toBeLessThan(0);
  });
});

describe('direct calls of the champion', () => {
  const plain = { ...guardrail, floor: 0.000_01 };
  const own = { ...rules, guardrails: [plain] };
  const after = (ticks: number, tally: Tally, under: Rules = own): Evidence => {
    let evidence = noEvidence(0);
    for (let index = 0; index < ticks; index += 1) evidence = counted(evidence, tally, under);
    return evidence;
  };
  const shown = (evidence: Evidence) => logSafe(evidence, stream, { weight: 50, guardrail: plain, rules: own });

  test.each([
    ['all of them are slow, of 20 requests a minute', tallyOf(20, 100, 70, 160)],
    ['half of them are slow, of 20 requests a minute', tallyOf(20, 100, 40, 160)],
    ['all of them fail, of 30 requests a minute', tallyOf(2, 150, 61, 210)],
  ])('promote nobody who is as bad as the margin where %s', (_, tenMinutes) => {
    for (const times of [3, 6, 24]) {
      const evidence = after(times, tenMinutes);

      expect(logMean(evidence.weather.errors?.safe ?? [])).toBeGreaterThan(Math.log(20));
      expect(shown(evidence)).toBeLessThan(0);
    }
  });

  test('that are bad as often as other requests promote no candidate at the margin, and keep none that is healthy', () => {
    expect(shown(after(240, tallyOf(60, 300, 36, 360)))).toBeLessThan(Math.log(20));
    expect(shown(after(12, tallyOf(30, 300, 36, 360)))).toBeGreaterThan(Math.log(20));
    // The same bad requests among more of the champion's: it is better than they look beside the weight.
    expect(shown(after(12, tallyOf(30, 300, 30, 360)))).toBeLessThan(shown(after(12, tallyOf(30, 300, 30, 300))) - 1);
  });

  test('are nobody before the champion has a quarter more, nor before that is more than chance', () => {
    const ratioOf = (evidence: Evidence) => logMean(evidence.weather.errors?.safe ?? []);
    const half = (evidence: Evidence) => ratioOf(evidence) + Math.log(0.5);

    for (const [tally, ticks] of [
      [tallyOf(3, 300, 3, 390), 60],
      [tallyOf(3, 10, 3, 14), 1],
    ] as const)
      expect(shown(after(ticks, tally))).toBeGreaterThanOrEqual(half(after(ticks, tally)));
    expect(shown(after(60, tallyOf(3, 300, 3, 440)))).toBeLessThan(half(after(60, tallyOf(3, 300, 3, 440))));
  });

  test('leave a promotion to those of its bad requests that are more than they', () => {
    expect(shown(after(60, tallyOf(30, 300, 175, 450)))).toBeLessThan(Math.log(20));
    expect(shown(after(60, tallyOf(30, 300, 200, 450)))).toBeGreaterThan(Math.log(20));
  });

  test('explain no requests of the candidate, which the past counts', () => {
    const direct = shownByPast(tallyOf(4, 900, 4, 1300));

    expect(direct).toBeLessThan(shownByPast(tallyOf(4, 900, 4, 940)));
  });
  const shownByPast = (tally: Tally) => safe(counted(noEvidence(0), { ...tally, champion: 0 }));

  test('never make the evidence larger, and count as many causes as bad requests do', () => {
    const evidence = after(60, tallyOf(30, 300, 200, 450));
    const weather = { errors: { ...newWeather(independent, 50), safe: [-9, -9, -9, -9, -9] } };
    const bursts = { ...plain, maxBurst: 3 };
    const [of, ratio] = [
      { weight: 50, guardrail: bursts, rules: own },
      { candidate: 600, share: 0.5 },
    ];
    const direct = 9000 + 3 * Math.sqrt(45_000);

    expect(shown({ ...evidence, weather })).toBeLessThan(-8);
    expect(logSafe(evidence, stream, of)).toBeCloseTo(
      logRatio([{ ...ratio, champion: (12_000 - direct) / 3 }], 2) + Math.log(0.5),
      6,
    );
  });

  test('are what came beyond the share and three standard deviations, and no more than the champion got', () => {
    const cell = { ...{ candidate: 0, champion: 0, candidateAlone: 0, championAlone: 0 }, candidateRequests: 100 };
    const routed = (share: number, candidate: number, champion: number) =>
      admit(undefined, { candidate, champion }, { start: 0, tickMs: day, share, unit: 'request' }).routing;

    expect(directCalls({ ...cell, championRequests: 880 }, routed(0.25, 100, 440), 25)).toBeCloseTo(
      2 * (140 + 3 * Math.sqrt(440 + 900)),
      9,
    );
    expect(directCalls({ ...cell, championRequests: 10 }, routed(0.5, 1, 20), 50)).toBe(10);
  });

  test('are reckoned with at the weight that holds alone, and not among users', () => {
    const { streams, routing } = after(60, tallyOf(2, 10, 7, 16));
    const cell = streams.errors?.[50];
    if (cell === undefined) throw new Error('nothing was counted');

    expect(directCalls(cell, routing, 50)).toBeGreaterThan(360);
    expect(directCalls(cell, routing, 75)).toBe(0);
    expect(directCalls(cell, undefined, 50)).toBe(0);
    expect(directCalls({ ...cell, shares: { low: 0.4, high: 0.4 } }, routing, 50)).toBe(0);
  });
});

describe('pairs of a mirror', () => {
  const mirrored = { ...rules, mirrored: true };
  const evidence = counted(noEvidence(0), tallyOf(1, 2000, 8, 2000), mirrored);
  const shows = (from: Evidence, log: number): Evidence => ({
    ...from,
    weather: {
      ...from.weather,
      [pairsOf('errors')]: { ...newWeather(independent, 50), safe: [log, log, log, log, log] },
    },
  });
  const after = (log: number) => safe(shows(evidence, log), mirrored);

  test('multiply what the last step shows, up to half of what a promotion needs', () => {
    expect(after(0)).toBe(safe(evidence, rules));
    expect(after(0.7) - after(0)).toBeCloseTo(0.7, 12);
    expect(after(50) - after(0)).toBeCloseTo(Math.log(20) / 2, 12);
    expect(after(-2)).toBeLessThan(after(0));
  });

  test('certify nothing by themselves', () => {
    expect(shortfalls(shows(noEvidence(0), 1000), 50, mirrored)).toHaveLength(1);
  });

  test('count nothing where nothing was mirrored', () => {
    expect(safe(shows(evidence, 50), rules)).toBe(safe(evidence, rules));
  });

  test('shorten how long a promotion is expected to take', () => {
    const little = counted(noEvidence(0), tallyOf(3, 1000, 3, 1000), mirrored);
    const [times = 0, shorter = 0] = [little, shows(little, 50)].map((of) => lacks(of, 50, mirrored)[0]?.times ?? 0);

    expect(times).toBeGreaterThan(1);
    expect(shorter).toBeGreaterThan(1);
    expect(shorter).toBeLessThan(times);
  });
});

test.each([
  { typical: 1.9, tau: 0.1 },
  { typical: 2, tau: 0.28 },
])('with $typical bad requests a tick a promotion reckons with noise of $tau', ({ typical, tau }) => {
  const careful: Climate = { tau: 0.28, cap: 5, tax: 0, dispersion: 1, later: 0.1, typical };
  const under = { ...rules, guardrails: [{ ...guardrail, climates: { errors: careful } }] };
  const logs: number[] = [];

  const { weather } = counted(noEvidence(0), tallyOf(1, 100, 1, 100), under);

  ratioFactors(logs, { candidate: 1, champion: 1, share: 0.5 }, { margin: 2, tau, most: 5 });
  expect(weather.errors?.safe).toEqual(logs);
});
