import { describe, expect, test } from 'vitest';
import { day, hour, minute } from '../base/time.ts';
import type { Tick } from '../ports/telemetry.ts';
import {
  type BothArms,
  type Ceiling,
  fewestWindows,
  type PastWindow,
  togetherOf,
  togetherRule,
  togetherText,
  windowMs,
  windowsInRow,
  withBoth,
} from './together.ts';

const start = 7 * day;
const watched = [{ measure: 'errors', events: 'failed requests', floor: 0.001, toleratedRatio: 1 }];

/** Windows that end at the start, one for each share. */
const past = (shares: readonly number[], requests = 1000): readonly PastWindow[] =>
  shares.map((share, index) => ({
    start: start - (shares.length - index) * windowMs,
    requests,
    bad: { errors: Math.round(share * requests) },
  }));
const calm = (share = 0.01, windows = fewestWindows): number[] => Array.from({ length: windows }, () => share);
const knownOf = (windows: readonly PastWindow[]) => togetherOf(windows, { start, measures: ['errors'] });

function ceilingsOf(shares: readonly number[], rule: Partial<(typeof watched)[number]> = {}): readonly Ceiling[] {
  const known = knownOf(past(shares)) ?? expect.fail();
  const rules = togetherRule(known, [{ ...(watched[0] ?? expect.fail()), ...rule }]);
  return 'off' in rules ? [] : rules.ceilings;
}

const arms = ['v2', 'v1'];
/** A minute in which each arm has 100 requests, and this share of all of them fails. */
const minuteOf = (index: number, share: number): Tick => ({
  start: start + index * minute,
  counts: {
    v1: { requests: 100, bad: { errors: Math.round(share * 100) } },
    v2: { requests: 100, bad: { errors: Math.round(share * 100) } },
  },
});
/** What comes of minutes with these shares of errors, five with each. */
const after = (shares: readonly number[], ceilings: readonly Ceiling[], minutes = 5): BothArms | undefined =>
  shares
    .flatMap((share) => Array.from({ length: minutes }, () => share))
    .reduce<BothArms | undefined>(
      (known, share, index) => withBoth(known, minuteOf(index, share), minute, arms, ceilings),
      undefined,
    );

describe('what both arms are ranked against', () => {
  test('is the hour before the start, and the worst twenty minutes of the days before', () => {
    const shares = calm();
    shares.splice(100, 5, 0.05, 0.04, 0.06, 0.03, 0.02);

    expect(knownOf(past(shares))).toEqual({
      windows: fewestWindows,
      measures: { errors: { bad: 120, requests: 12_000, worst: 0.03 } },
    });
  });

  test.each([0, 7, fewestWindows - windowsInRow])('knows the worst of them wherever it is: %i', (from) => {
    const shares = calm();
    shares.fill(0.03, from, from + windowsInRow);

    expect(knownOf(past(shares))?.measures.errors?.worst).toBe(0.03);
  });

  test('leaves out windows that end after the start, and those without requests', () => {
    const windows = past(calm(0.01, fewestWindows + 1));
    const late = { start: start - windowMs + 1, requests: 1000, bad: { errors: 1000 } };
    const empty = windows.map((window, index) =>
      index === 50 ? { ...window, requests: 0, bad: { errors: 0 } } : window,
    );

    expect(knownOf([...empty, late, late, late, late])).toEqual(knownOf(past(calm())));
  });

  test('is unknown without a day of windows, or without half of the hour before', () => {
    const shares = calm();

    expect(knownOf(past(shares.slice(1)))).toBeUndefined();
    expect(knownOf(past(shares).map((window) => ({ ...window, start: window.start - 31 * minute })))).toBeUndefined();
    expect(knownOf(past(shares).map((window) => ({ ...window, start: window.start - 30 * minute })))).toBeDefined();
    expect(togetherOf(past(shares), { start, measures: ['errors', 'slower than 9 ms'] })?.measures).not.toHaveProperty(
      'slower than 9 ms',
    );
  });

  test('is half as much again as before, a quarter more than the worst, and never below the floor', () => {
    const worse = calm();
    worse.fill(0.03, 100, 100 + windowsInRow);

    const [quiet] = ceilingsOf(calm());
    expect(quiet).toMatchObject({ worst: 0.01, limit: 1.5 * (120.5 / 12_001) });
    expect(ceilingsOf(worse)).toMatchObject([{ worst: 0.03, limit: 1.25 * 0.03 }]);
    expect(ceilingsOf(calm(0))).toMatchObject([{ worst: 0, limit: 0.001 }]);
    expect(ceilingsOf(calm(), { toleratedRatio: 3 })).toMatchObject([{ limit: 3 * (quiet?.limit ?? 0) }]);
    expect(ceilingsOf(calm(), { toleratedRatio: 0.5 })).toMatchObject([{ limit: quiet?.limit }]);
  });
});

describe('a rise of both arms together', () => {
  const ceilings = ceilingsOf(calm());

  test('is found after twenty minutes above the limit, and not before', () => {
    expect(after([0.02, 0.02, 0.02], ceilings)?.risen).toBeUndefined();
    expect(after([0.01, 0.02, 0.02, 0.02], ceilings)?.risen).toBeUndefined();
    expect(after([0.01, 0.02, 0.03, 0.04, 0.05], ceilings)?.risen).toEqual({
      measure: 'errors',
      since: start + 5 * minute,
      share: 0.02,
    });
  });

  test('exceeds its limit: what only reaches it is none', () => {
    const [ceiling] = ceilings;
    const at = [{ ...(ceiling ?? expect.fail()), limit: 0.02 }];

    expect(after(calm(0.02, 8), at)?.risen).toBeUndefined();
    expect(after(calm(0.03, 8), at)?.risen).toBeDefined();
  });

  test('is not an incident of ten minutes, however bad it is and whenever it begins', () => {
    for (let begins = 0; begins < 20; begins += 1) {
      const minutes = Array.from({ length: 40 }, (_, index) => (index >= begins && index < begins + 10 ? 1 : 0.01));

      expect(after(minutes, ceilings, 1)?.risen).toBeUndefined();
    }
  });

  test('is one of all requests, whichever model had them', () => {
    const [ceiling = expect.fail()] = ceilings;
    const lopsided = (failing: 'v1' | 'v2'): Tick[] =>
      Array.from({ length: 20 }, (_, index) => ({
        start: start + index * minute,
        counts: {
          v1: { requests: 150, bad: { errors: failing === 'v1' ? 4 : 0 } },
          v2: { requests: 50, bad: { errors: failing === 'v2' ? 4 : 0 } },
        },
      }));
    const risen = (failing: 'v1' | 'v2') =>
      lopsided(failing).reduce<BothArms | undefined>(
        (known, tick) => withBoth(known, tick, minute, arms, [ceiling]),
        undefined,
      )?.risen;

    expect(risen('v1')).toMatchObject({ share: 0.02 });
    expect(risen('v2')).toEqual(risen('v1'));
  });

  test('is over after ten minutes without it', () => {
    const up = [0.02, 0.02, 0.02, 0.02];

    expect(after([...up, 0.01], ceilings)?.risen).toBeDefined();
    expect(after([...up, 0.01, 0.02, 0.01], ceilings)?.risen).toMatchObject({ since: start });
    expect(after([...up, 0.01, 0.01], ceilings)?.risen).toBeUndefined();
    const [ceiling = expect.fail()] = ceilings;
    expect(after([...up, 0.01, 0.01], [{ ...ceiling, limit: 0.01 }])?.risen).toBeUndefined();
  });

  test('may be followed by one of another measure', () => {
    const [ceiling = expect.fail()] = ceilings;
    const both = [ceiling, { ...ceiling, measure: 'slower than 9 ms' }];
    const tick = (index: number): Tick => {
      const bad = index < 20 ? { errors: 4, 'slower than 9 ms': 4 } : { errors: 0, 'slower than 9 ms': 4 };
      return { start: start + index * minute, counts: { v1: { requests: 200, bad } } };
    };
    const known = (minutes: number) =>
      Array.from({ length: minutes }, (_, index) => tick(index)).reduce<BothArms | undefined>(
        (before, each) => withBoth(before, each, minute, arms, both),
        undefined,
      );

    expect(known(20)?.risen?.measure).toBe('errors');
    expect(known(30)?.risen?.measure).toBe('slower than 9 ms');
  });

  test('is not seen in time that was not served, nor in windows without requests', () => {
    const unserved = (index: number): Tick => ({ start: start + index * minute, counts: {}, unserved: true });
    const silent = (index: number): Tick => ({ start: start + index * minute, counts: {} });
    const up = after([0.02, 0.02, 0.02], ceilings);
    const reads = (tick: (index: number) => Tick, from = up) =>
      [15, 16, 17, 18, 19].reduce((known, index) => withBoth(known, tick(index), minute, arms, ceilings), from);
    const halfway = withBoth(up, minuteOf(15, 0.02), minute, arms, ceilings);

    expect(halfway).toMatchObject({ open: { ms: minute } });
    expect(reads(unserved, halfway)).toEqual(halfway);
    expect(reads(unserved)).toEqual(up);
    expect(reads(silent)).toEqual(up);
    expect(reads((index) => minuteOf(index, 0.02))?.risen).toBeDefined();
  });

  test('is counted in windows of a tick where a tick is longer than five minutes', () => {
    const hours = [0, 60, 120, 180].reduce<BothArms | undefined>(
      (known, index) => withBoth(known, minuteOf(index, 0.02), hour, arms, ceilings),
      undefined,
    );

    expect(hours?.risen).toMatchObject({ since: start });
  });

  test('needs a few numbers only, however long the rollout lasts', () => {
    const long = after(calm(0.02, 500), ceilings);

    expect(JSON.stringify(long).length).toBeLessThan(400);
  });
});

describe('what a certificate says of it', () => {
  const before = { bad: 0, requests: 1000, worst: 0.4 };
  const known = { windows: 2016, measures: { errors: { ...before, worst: 0.01 }, slow: before, slower: before } };
  const rule = togetherRule(known, [
    ...watched,
    { measure: 'slow', events: 'slow requests', floor: 0.001, toleratedRatio: 1 },
    { measure: 'slower', events: 'slower requests', floor: 1, toleratedRatio: 1 },
    { measure: 'unknown', events: 'unknown requests', floor: 1, toleratedRatio: 1 },
  ]);

  test('is the limits that can be exceeded, and how often they are by chance', () => {
    const text = (hours: number) =>
      togetherText({ together: rule }, { together: { since: start, last: [] }, readTo: start + hours * hour });

    expect(text(2)).toMatch(
      /with more than 1.25 % failed requests, 50 % slow requests of both models together for 20 minutes, which happens by chance in at most 1 of 85 rollouts that are as long as this one, for each of these, if its time is like any other of those days$/,
    );
    expect(text(2.1)).toMatch(/at most 1 of 81 rollouts/);
    expect(text(0)).toMatch(/at most 1 of 2017 rollouts/);
  });
});

describe('of stretches that are alike', () => {
  const stretch = 6;
  const stretches = 1 + fewestWindows / stretch;

  /** Which of them would have been held, had each been the rollout and the others its past. */
  function heldAmong(shares: readonly (readonly number[])[]): readonly number[] {
    return shares.flatMap((own, live) => {
      const before = shares.filter((_, index) => index !== live).flat();
      const known = knownOf(past(before, 10_000)) ?? expect.fail();
      // The hour before is one of the others, and would only make it rarer.
      const quiet = { ...known, measures: { errors: { ...(known.measures.errors ?? expect.fail()), bad: 0 } } };
      const rule = togetherRule(quiet, watched);
      const both = own.reduce<BothArms | undefined>((state, share, index) => {
        const bad = { errors: Math.round(share * 10_000) };
        const tick = { start: start + index * windowMs, counts: { v1: { requests: 10_000, bad } } };
        return withBoth(state, tick, windowMs, arms, 'off' in rule ? [] : rule.ceilings);
      }, undefined);
      return both?.risen === undefined ? [] : [live];
    });
  }

  test.each([
    ['none is far above the others', [0.02, 0.021], []],
    ['one is far above the others', [0.02, 0.06], [40]],
    ['two are far above the others, and equal', [0.06, 0.06], []],
    ['two are far above the others', [0.06, 0.09], [40]],
  ])('at most one would have been held: %s', (_, [second = 0, first = 0], held) => {
    const shares = Array.from({ length: stretches }, (_each, index) => {
      const level = index === 40 ? first : index === 7 ? second : 0.01 + (index % 10) / 1000;
      return Array.from({ length: stretch }, () => level);
    });

    expect(heldAmong(shares)).toEqual(held);
  });

  test('at most one would have been held, whatever they are', () => {
    let seed = 1;
    const next = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const counts = Array.from({ length: 12 }, () => {
      // Levels with a heavy tail, so that the worst is often far above the next.
      const shares = Array.from({ length: stretches }, () => {
        const level = Math.min(0.5, 0.002 / next());
        return Array.from({ length: stretch }, () => level * (0.8 + 0.4 * next()));
      });
      return heldAmong(shares).length;
    });

    expect(Math.max(...counts)).toBe(1);
    expect(Math.min(...counts)).toBe(0);
  });
});
