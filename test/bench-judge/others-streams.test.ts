import { describe, expect, test } from 'vitest';
import { otherCases } from './others-cases.ts';
import {
  labelledSource,
  lossySource,
  mirroredSource,
  noisyMirrorSource,
  segmentedSource,
  stickySource,
} from './others-streams.ts';
import { random } from './random.ts';
import { type Beside, candidate, champion } from './rollout.ts';
import type { Tallies } from './tally.ts';

const besideOf = (answer: { readonly beside?: Beside }): Beside => answer.beside ?? {};

describe('the streams that are looked at more closely', () => {
  test('count each user as new once, and each first failed request once', () => {
    const unlucky = { candidate: 0.1, champion: 0.1 };
    const source = stickySource(random(1), { users: 300, rpm: 600, unlucky, failing: 0.2 });
    const minutes = [5, 5, 5, 25, 25, 50, 50, 50].map((weight) => {
      const { users = {}, ...answer } = besideOf(source.next(weight));
      return { ...answer, arms: [candidate, champion].map((name) => users[name]) };
    });

    const sum = (read: (arm: NonNullable<(typeof minutes)[number]['arms'][number]>) => number) =>
      minutes.reduce(
        (all, { arms }) => all + arms.reduce((own, arm) => own + (arm === undefined ? 0 : read(arm)), 0),
        0,
      );

    expect(sum(({ assigned }) => assigned)).toBeLessThanOrEqual(300);
    expect(sum(({ assigned }) => assigned)).toBeGreaterThan(200);
    expect(sum(({ bad }) => bad.errors?.bad ?? 0)).toBeLessThanOrEqual(60);
    expect(sum(({ bad }) => bad.errors?.bad ?? 0)).toBeGreaterThan(5);
  });

  test('add up: segments to the whole, labels to at most the requests, losses to all of them, pairs to the copies', () => {
    const segmented = segmentedSource(random(2), 600, ['a', 'b'], () => 0.1).next(50);
    const labelled = labelledSource(random(3), {
      ...{ rpm: 600, wrong: { candidate: 0.1, champion: 0.1 } },
      comes: { candidate: { right: 0.5, wrong: 0.5 }, champion: { right: 0.5, wrong: 0.5 } },
    }).next(50);
    const lossy = lossySource(random(4), 600, () => 0.5).next(50);
    const mirrored = mirroredSource(random(5), 100, { rpm: 600, champion: 0.1, candidate: 0.1, both: 0.05 }).next(0);

    const parts = Object.values(besideOf(segmented).segments ?? {}).map((arms) => arms[candidate]?.bad.errors ?? 0);
    const [row] = besideOf(labelled).labels?.rows ?? [];
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(segmented.candidate.errors);
    expect(row?.labelled).toBeLessThan(row?.requests ?? 0);
    expect(row?.wrong).toBeLessThan(row?.labelled ?? 0);
    expect(besideOf(lossy).labels?.losses).toHaveLength(lossy.candidate.requests + lossy.champion.requests);
    expect(besideOf(mirrored).pairs?.[candidate]?.pairs).toBe(mirrored.champion.requests);
  });
});

test('copies and served answers of the same model differ as often as two coins do, and noise makes minutes differ', () => {
  const source = noisyMirrorSource(random(8), 100, { rpm: 1000, errors: 0.02, noise: { sd: 0, ar: 0 } });
  const noisy = noisyMirrorSource(random(8), 100, { rpm: 10_000, errors: 0.02, noise: { sd: 0.2, ar: 0.8 } });
  const alone = (from: typeof source, measure: string, minutes: number) =>
    Array.from({ length: minutes }, () => besideOf(from.next(0)).pairs?.[candidate]?.bad[measure]?.mirror ?? 0);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const slowest = Object.keys(besideOf(source.next(0)).pairs?.[candidate]?.bad ?? {});

  // Of ten in a hundred that are slow, nine come with an answer that is not.
  expect(mean(alone(source, slowest[2] ?? '', 500))).toBeCloseTo(90, -1);
  expect(mean(alone(source, 'errors', 500))).toBeCloseTo(20 * 0.98, 0);
  const errors = alone(noisy, 'errors', 500);
  const sd = Math.sqrt(mean(errors.map((value) => (value - mean(errors)) ** 2)));
  expect(sd).toBeGreaterThan(30);
});

test('each of these cases runs through the table of the product', () => {
  const tallies: Record<string, Tallies> = {};
  for (const { name, begin } of otherCases) {
    tallies[name] = {};
    begin({ limits: {} })(random(6), tallies[name]);
  }

  const pairs = tallies['worse, pairs: +1 point beside 2 %, nine in ten errors shared'];
  expect(pairs).toHaveProperty('ended: evidence');
  for (const tally of Object.values(tallies)) expect(tally.judge?.runs).toBe(1);
});
