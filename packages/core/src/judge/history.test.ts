import { describe, expect, test } from 'vitest';
import { day, minute } from '../base/time.ts';
import type { Counts, Tick } from '../ports/telemetry.ts';
import {
  aloneIn,
  dispersionOf,
  historyOf,
  historyText,
  historyTickMs,
  incidentsIn,
  noiseOf,
  recentMs,
  scattersByChance,
} from './history.ts';

const errors = (requests: number, bad: number): Counts => ({ requests, bad: { errors: bad } });

/** Ticks from `from` on; `undefined`: none is there. */
const ticksOf = (tickMs: number, counts: readonly (Tick['counts'] | undefined)[], from = 0): readonly Tick[] =>
  counts.flatMap((each, index) => (each === undefined ? [] : [{ start: from + index * tickMs, counts: each }]));

const bad = (values: readonly number[], requests: number) =>
  values.map((value, index) => ({ index, bad: value, requests }));

/** Draws that are the same in each run (mulberry32). */
function drawn(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const poisson = (mean: number) => {
    let count = 0;
    for (let left = next(); left > Math.exp(-mean); left *= next()) count += 1;
    return count;
  };
  const normal = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  return { poisson, normal };
}

describe('the noise of a champion', () => {
  const small = [30, 25, 41, 33, 28, 35, 29, 31, 60, 27, 33, 30];
  const large = small.map((value) => 3 * value);

  test('is what its log-odds vary beyond chance, as another implementation has it', () => {
    expect(noiseOf(bad(large, 600), { lag: 3, fewest: 12 })).toBeCloseTo(0.067242446859, 10);
    // Chance is greater.
    expect(noiseOf(bad(small, 600), { lag: 3, fewest: 12 })).toBe(0);
  });

  test('is not told from less than ten bad requests a tick, nor from less than three hours of ticks', () => {
    const of = (count: number, value: number) =>
      noiseOf(
        bad(
          Array.from({ length: count }, () => value),
          6000,
        ),
      );

    expect(of(180, 10)).toBe(0);
    expect(of(180, 9.9)).toBeUndefined();
    expect(of(179, 10)).toBeUndefined();
  });

  test('compares ticks that are an hour apart, however many between them are missing', () => {
    const of = (valueAt: (index: number) => number) =>
      Array.from({ length: 600 }, (_, index) => ({ index, requests: 6000, bad: valueAt(index) }));
    // Up for an hour, down for an hour: ticks beside one another are alike.
    const hours = of((index) => (Math.floor(index / 60) % 2 === 0 ? 300 : 600));
    const gaps = hours.filter(({ index }) => index % 7 !== 0);
    const neverApart = hours.filter(({ index }) => index % 120 < 60);

    expect(noiseOf(hours)).toBeGreaterThan(0.7);
    expect(noiseOf(gaps)).toBeCloseTo(noiseOf(hours) ?? 0, 1);
    expect(noiseOf(hours, { lag: 1 })).toBe(0);
    expect(noiseOf(neverApart)).toBeUndefined();
  });

  test('is neither what comes with each hour nor a day that turns to night', () => {
    const of = (factorAt: (index: number) => number) =>
      Array.from({ length: 1440 }, (_, index) => ({ index, requests: 60_000, bad: Math.round(300 * factorAt(index)) }));
    const wave = (index: number, period: number) => 1 + 0.5 * Math.sin((2 * Math.PI * index) / period);

    expect(noiseOf(of((index) => wave(index, 60)))).toBe(0);
    expect(noiseOf(of((index) => wave(index, 1440)))).toBe(0);
    expect(noiseOf(of((index) => wave(index, 300)))).toBeGreaterThan(0.1);
  });

  test('is not what an incident of an hour was', () => {
    const calm = Array.from({ length: 600 }, () => 100);
    const incident = calm.map((value, index) => (index >= 200 && index < 260 ? 10 * value : value));

    expect(noiseOf(bad(incident, 6000))).toBe(noiseOf(bad(calm, 6000)));
  });
});

describe('the history of a champion', () => {
  const recent = ticksOf(
    minute,
    Array.from({ length: 200 }, (_, index) => ({ v1: errors(1000, 9 + (index % 3)) })),
    7 * day,
  );
  const long = ticksOf(
    historyTickMs,
    Array.from({ length: 2016 }, () => ({ v1: errors(5000, 50) })),
  );
  const given = { deployment: 'v1', measures: ['errors'], tickMs: minute, start: 7 * day, recent, long };

  test('has its rate from the longer window, and a usual tick and its noise from the last day', () => {
    expect(historyOf(given)).toMatchObject({
      from: 0,
      to: 7 * day,
      ticks: 200,
      measures: {
        errors: { bad: 2016 * 50, requests: 2016 * 5000, typical: 10, noise: 0, dispersion: 1, calm: false },
      },
      together: { windows: 2016, measures: { errors: { bad: 600, requests: 60_000, worst: 0.01 } } },
    });
    expect(historyOf({ ...given, start: 7 * day - 1 })?.together?.windows).toBe(2015);
  });

  test('leaves out ticks without requests, unserved ones, and those in which somebody else answered too', () => {
    const counts = { v1: errors(10, 1) };
    const ticks: readonly Tick[] = [
      { start: 0, counts },
      { start: 1, counts: {} },
      { start: 2, counts: { v1: errors(0, 0) } },
      { start: 3, counts, unserved: true },
      { start: 4, counts: { ...counts, v0: errors(1, 0) } },
      { start: 5, counts: { ...counts, v0: errors(0, 0) } },
      { start: 5, counts },
      { start: 6, counts: { v0: errors(10, 1) } },
    ];

    expect(aloneIn(ticks, 'v1').map(({ start }) => start)).toEqual([0, 5]);
    expect(historyOf({ ...given, recent: ticks, long: ticks })).toMatchObject({
      ticks: 2,
      measures: { errors: { bad: 2, requests: 20, typical: 1 } },
    });
  });

  test('is unknown when it answered nothing alone', () => {
    expect(historyOf({ ...given, long: [] })).toBeUndefined();
    expect(historyOf({ ...given, deployment: 'v2' })).toBeUndefined();
  });

  test('says nothing of a measure that is not counted', () => {
    const measures = ['errors', 'slower than 20 ms'];

    expect(Object.keys(historyOf({ ...given, measures })?.measures ?? {})).toEqual(['errors']);
  });

  test('is dispersed where bad requests come together, and bursts do not count as that', () => {
    const draws = drawn(7);
    const chance = Array.from({ length: 1440 }, () => draws.poisson(3));

    expect(dispersionOf(chance)).toBeCloseTo(1, 1);
    expect(dispersionOf(chance.map((count) => 4 * count))).toBeGreaterThan(3);
    expect(dispersionOf(chance.map((count, index) => (index % 20 === 9 ? count + 50 : count)))).toBeCloseTo(1, 1);
    expect(dispersionOf([0, 0, 0])).toBe(1);
  });

  test('scatters by chance alone, day and night and an incident of an hour included', () => {
    const draws = drawn(8);
    const chance = (mean: (tick: number) => number) =>
      Array.from({ length: 1440 }, (_, tick) => draws.poisson(mean(tick)));
    const daily = (tick: number) => 1 + 0.5 * Math.sin((2 * Math.PI * tick) / 1440);

    expect(scattersByChance(chance(() => 30))).toBe(true);
    expect(scattersByChance(chance((tick) => 30 * daily(tick)))).toBe(true);
    expect(scattersByChance(chance((tick) => (tick >= 600 && tick < 608 ? 180 : 30)))).toBe(true);
    expect(scattersByChance(chance(() => 0))).toBe(true);
    expect(scattersByChance(chance(() => 30 * Math.exp(0.2 * draws.normal())))).toBe(false);
    expect(scattersByChance(chance(() => 3).map((count, tick) => (tick % 20 === 9 ? count + 10 : count)))).toBe(false);
    expect(scattersByChance(chance(() => 3).map((count) => 3 * count))).toBe(false);
    expect(scattersByChance(chance(() => 30).slice(0, 999))).toBe(false);
  });
});

describe('the incidents of a champion', () => {
  const perWindow = historyTickMs / minute;
  const draws = drawn(11);
  /** A week of chance, with the last day by the minute; `factor` multiplies the bad requests of a minute. */
  const weekOf = (
    mean: number,
    factor: (at: number) => number = () => 1,
    requestsAt: (at: number) => number = () => 1000,
  ) => {
    const minutes = Array.from({ length: 7 * 1440 }, (_, at) => ({
      ...{ start: at * minute, requests: requestsAt(at), bad: draws.poisson(mean * factor(at)) },
    }));
    const long = Array.from({ length: minutes.length / perWindow }, (_, index) => {
      const own = minutes.slice(index * perWindow, (index + 1) * perWindow);
      const sum = (field: 'requests' | 'bad') => own.reduce((total, one) => total + one[field], 0);
      return { start: index * historyTickMs, requests: sum('requests'), bad: sum('bad') };
    });
    return [minutes.slice(-1440), long] as const;
  };
  const lasting = (minutes: number, times: number, starts: readonly number[]) => (at: number) =>
    starts.some((start) => at >= start && at < start + minutes) ? times : 1;

  test('are those of ten minutes of the whole week, and each counts once', () => {
    expect(incidentsIn(...weekOf(3, lasting(10, 10, [1000, 4003, 9001])))).toBe(3);
    expect(incidentsIn(...weekOf(3, lasting(10, 5, [1000, 9001])))).toBe(2);
    expect(incidentsIn(...weekOf(30, lasting(10, 3, [2000])))).toBe(1);
  });

  test('are single ticks of the last day, too short for five minutes to show', () => {
    expect(incidentsIn(...weekOf(3, lasting(1, 8, [9000, 9500])))).toBe(2);
    expect(incidentsIn(...weekOf(3, lasting(1, 3, [1000, 1500])))).toBe(0);
  });

  test.each([
    { usual: 0, most: 6 },
    { usual: 3, most: 15 },
    { usual: 30, most: 62 },
    // Chance is far less here, and half more is not far more.
    { usual: 1000, most: 1501 },
  ])('begin above $most bad requests where $usual are usual', ({ usual, most }) => {
    const with1 = (value: number) =>
      bad(
        Array.from({ length: 60 }, (_, index) => (index === 40 ? value : usual)),
        6000,
      ).map((count, index) => ({ ...count, start: index * historyTickMs }));

    expect(incidentsIn([], with1(most))).toBe(0);
    expect(incidentsIn([], with1(most + 1))).toBe(1);
  });

  test('are neither chance, nor day and night, nor more traffic', () => {
    const daily = (at: number) => 1 + 0.5 * Math.sin((2 * Math.PI * at) / 1440);
    const rush = lasting(60, 4, [2000, 9000]);

    for (const mean of [0, 0.3, 3, 30, 200]) expect(incidentsIn(...weekOf(mean))).toBe(0);
    expect(incidentsIn(...weekOf(30, daily))).toBe(0);
    expect(incidentsIn(...weekOf(30, rush, (at) => 1000 * rush(at)))).toBe(0);
    expect(incidentsIn(...weekOf(30, rush))).toBe(2);
    expect(incidentsIn([], [])).toBe(0);
  });

  test('are no calm, however rare', () => {
    const told = (factor?: (at: number) => number) => {
      const [recent, long] = weekOf(3, factor);
      const ticks = (counts: typeof recent) =>
        counts.map(({ start, requests, bad: own }) => ({ start, counts: { v1: errors(requests, own) } }));
      const past = { deployment: 'v1', measures: ['errors'], tickMs: minute, start: 7 * day };
      return historyOf({ ...past, recent: ticks(recent), long: ticks(long) })?.measures.errors;
    };

    expect(told()).toMatchObject({ calm: true });
    expect(told()?.incidents).toBeUndefined();
    expect(told(lasting(10, 10, [1000]))).toMatchObject({ calm: false, incidents: 1 });
  });
});

test('the last day has no more ticks where they are shorter than a minute', () => {
  expect(recentMs(5 * minute)).toBe(day);
  expect(recentMs(minute)).toBe(day);
  expect(recentMs(1000)).toBe(24 * minute);
});

test('a history is told in one line', () => {
  const failed = { bad: 3024, requests: 604_800, typical: 12, noise: 0.2, dispersion: 1, calm: false };
  const told = (errors: object) => historyText({ from: 0, to: 7 * day, ticks: 1440, measures: { errors } } as never);

  expect(told(failed)).toBe('7d, 604,800 requests, 0.5 % failed; a share that varies by 14.1 % by itself');
  expect(told({ ...failed, noise: undefined })).toBe('7d, 604,800 requests, 0.5 % failed');
  expect(historyText('none')).toMatch(/^not known/);
});
