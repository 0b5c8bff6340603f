import { describe, expect, test } from 'vitest';
import { isWorse, type LossEvidence, logWorse, lossLimit, noLosses, withLoss, withWindow } from './losses.ts';

const times = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);

/** The same coins for the same seed: a share of `bad` of them is 1. */
function coins(seed: number): (bad: number) => number {
  let state = seed;
  return (bad) => {
    state = (state * 48_271) % 2_147_483_647;
    return state < bad * 2_147_483_647 ? 1 : 0;
  };
}

const withLosses = (evidence: LossEvidence, losses: readonly number[], limit: number): LossEvidence =>
  losses.reduce((before, loss) => withLoss(before, loss, limit), withWindow(evidence));

describe('the alarm about late labels', () => {
  /** Every course of `windows` windows of two labels each, with its probability where a share of `bad` is wrong. */
  function everyCourse(windows: number, bad: number, limit: number) {
    let courses = [{ probability: 1, evidence: noLosses, hasAlarmed: false }];
    for (let window = 0; window < windows; window += 1)
      courses = courses.flatMap(({ probability, evidence, hasAlarmed }) =>
        [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ].map((losses) => {
          const after = withLosses(evidence, losses, limit);
          const chance = losses.reduce((product, loss) => product * (loss === 1 ? bad : 1 - bad), probability);
          return { probability: chance, evidence: after, hasAlarmed: hasAlarmed || isWorse(after, 20) };
        }),
      );
    return courses;
  }
  const meanOf = (courses: ReturnType<typeof everyCourse>) =>
    courses.reduce((sum, { probability, evidence }) => sum + probability * Math.exp(logWorse(evidence)), 0);
  const alarmsOf = (courses: ReturnType<typeof everyCourse>) =>
    courses.reduce((sum, { probability, hasAlarmed }) => sum + (hasAlarmed ? probability : 0), 0);

  test('grows by one a window on average while predictions are as bad as the limit, and by less where they are better', () => {
    expect(meanOf(everyCourse(6, 0.3, 0.3))).toBeCloseTo(6, 9);
    expect(meanOf(everyCourse(6, 0.2, 0.3))).toBeLessThan(6);
    expect(meanOf(everyCourse(6, 0.4, 0.3))).toBeGreaterThan(6);
  });

  test('comes within n windows with probability n / A at most', () => {
    for (const bad of [0.05, 0.1, 0.3]) {
      const share = alarmsOf(everyCourse(6, bad, bad));

      expect(share).toBeLessThanOrEqual(6 / 20);
    }
    expect(alarmsOf(everyCourse(6, 0.3, 0.1))).toBeGreaterThan(0.3);
  });

  test('is the same in whatever order the labels of a window come, and after a pause between them', () => {
    const limit = 0.2;
    const [one, two] = [
      [0, 1, 0.5, 0],
      [0.5, 0, 0, 1],
    ].map((losses) => withLosses(withLosses(noLosses, [0, 0], limit), losses, limit));
    const first = withLosses(noLosses, [0, 0], limit);
    const stored = JSON.parse(JSON.stringify(withLosses(first, [0, 1], limit)));

    expect(logWorse(one ?? noLosses)).toBeCloseTo(logWorse(two ?? noLosses), 12);
    expect([0.5, 0].reduce((evidence, loss) => withLoss(evidence, loss, limit), stored)).toEqual(one);
  });

  /** The window of the alarm, of `windows` of 500 labels after as many clean ones; absent: none. */
  function alarmAt(seed: number, bad: number, clean: number, windows: number, limit: number): number | undefined {
    const coin = coins(seed);
    let evidence = noLosses;
    const window = (share: number) => Array.from({ length: 500 }, () => coin(share));
    for (let at = 0; at < clean; at += 1) evidence = withLosses(evidence, window(0.1), limit);
    for (let at = 1; at <= windows; at += 1) {
      evidence = withLosses(evidence, window(bad), limit);
      if (isWorse(evidence)) return at;
    }
    return undefined;
  }
  const limit = lossLimit({ sum: 1000, labels: 10_000 });

  test('finds 5 points more of wrong predictions, however long they were good before', () => {
    const found = times(40, 0).map((_, at) => alarmAt(1000 + at, 0.15, 30, 30, limit) ?? 31);

    found.sort((left, right) => left - right);
    expect(found[20]).toBeLessThanOrEqual(10);
    expect(found[37]).toBeLessThanOrEqual(20);
  });

  test('is silent over a year of predictions that are as good as they were', () => {
    const alarms = times(2, 0).map((_, at) => alarmAt(77 + at, 0.1, 0, 365, limit));

    expect(alarms).toEqual(times(2, undefined));
  });

  test('starts from what was measured on the reference, however little that is', () => {
    // 1000 of 10,000: n kl(0.1, limit) = ln 20 at 0.10747.
    expect(limit).toBeCloseTo(0.1274, 3);
    expect(lossLimit({ sum: 0, labels: 100 }, 0)).toBeCloseTo(1 - 0.05 ** 0.01, 9);
    expect(lossLimit({ sum: 0, labels: 0 })).toBe(1);
    expect(lossLimit({ sum: 50, labels: 50 })).toBe(1);
  });

  test('never comes of a limit that nothing can exceed, and any number is a loss', () => {
    const worst = withLosses(noLosses, times(1000, 1), 1);
    const odd = withLosses(noLosses, [7, -3], 0);

    expect(isWorse(worst, 2)).toBe(false);
    expect(Number.isFinite(logWorse(odd))).toBe(true);
    expect(isWorse(noLosses, 1)).toBe(false);
  });
});
