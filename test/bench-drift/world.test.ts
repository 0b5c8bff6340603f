import { describe, expect, test } from 'vitest';
import { random } from '../bench-judge/random.ts';
import { evidenceAlone, judging, shipped } from './follow.ts';
import { countRows, multinomial, referenceOf, windowOf } from './world.ts';
import { categories, daysOf, normals, steady, zipf } from './worlds.ts';

const oneDay = { days: 1, rowsPerDay: 5000, hasTime: false };

test('judges by the rules that a config has without figures', () => {
  expect(shipped).toEqual({ notice: 0.03, major: 0.1, quietFor: 365 });
});

describe('counts that are drawn at once', () => {
  test('are of as many rows as were asked for, in their shares', () => {
    const shares = Float64Array.of(0.2, 0, 0.5, 0.3);
    const draws = random(1);
    const sums = [0, 0, 0, 0];

    for (let turn = 0; turn < 200; turn += 1)
      for (const [cell, count] of multinomial(1000, shares, draws).entries()) sums[cell] = (sums[cell] ?? 0) + count;

    expect(sums.reduce((sum, count) => sum + count, 0)).toBe(200_000);
    for (const [cell, share] of shares.entries())
      expect(Math.abs((sums[cell] ?? 0) / 200_000 - share)).toBeLessThan(0.0035);
  });

  test.each([
    ['normal', normals((column) => ({ shift: column / 10, scale: 1.5, missing: 0.1 }))],
    ['of categories', categories(zipf(300))],
  ])('have the law of rows that are counted one by one: %s', (_, world) => {
    const reference = referenceOf(world, oneDay, random(2));
    const rows = 10_000;

    const atOnce = windowOf(world, reference, { rows, day: 0 }, random(3)).columns[7];
    const oneByOne = countRows(reference, world.rows(rows, 0, random(4)), rows).columns[7];

    expect(Math.abs((atOnce?.missing ?? 0) - (oneByOne?.missing ?? 0))).toBeLessThan(200);
    const pairs = (atOnce?.cells ?? []).map((count, cell) => [count, oneByOne?.cells[cell] ?? 0] as const);
    const apart = pairs.reduce(
      (sum, [one, other]) => sum + (one === other ? 0 : (one - other) ** 2 / (one + other)),
      0,
    );
    const limit = pairs.length + 5 * Math.sqrt(2 * pairs.length);
    expect(apart).toBeLessThan(limit);
  });
});

test('a reference with time has urns by weekday, and one without has none', () => {
  const given = { days: 28, rowsPerDay: 100 };

  const known = referenceOf(steady(), { ...given, hasTime: true }, random(5));
  const unknown = referenceOf(steady(), { ...given, hasTime: false }, random(5));

  expect(known.columns[0]?.byWeekday).toHaveLength(7);
  expect(known.columns[0]?.dispersion).toBeGreaterThanOrEqual(1);
  expect(unknown.columns[0]?.byWeekday).toBeUndefined();
  expect([known.rows, unknown.rows]).toEqual([2800, 2800]);
});

test('an incident opens once, however many windows it lasts', () => {
  const world = normals((_, day) => ({ shift: day < 0 ? 0 : 1 }));
  const reference = referenceOf(world, oneDay, random(6));
  const judge = judging(reference);

  const opened = [0, 1, 2, 3].map((day) => judge(windowOf(world, reference, { rows: 500, day }, random(7, day)), day));

  expect(opened.map(({ opens }) => opens)).toEqual([true, false, false, false]);
  expect(opened.every(({ verdict }) => !verdict.clean)).toBe(true);
});

test('with evidence alone, a change opens an incident however small it is', () => {
  const world = normals((_, day) => ({ shift: day < 0 ? 0 : 0.06 }));
  const reference = referenceOf(world, { ...oneDay, rowsPerDay: 20_000 }, random(8));
  const opens = (judge: ReturnType<typeof judging>) =>
    [0, 1].some((day) => judge(windowOf(world, reference, { rows: 20_000, day }, random(9, day)), day).opens);
  const fromLarger = { ...shipped, notice: 0.06 };

  expect(opens(judging(reference, fromLarger))).toBe(false);
  expect(opens(judging(reference, evidenceAlone))).toBe(true);
  expect(evidenceAlone.notice).toBeLessThan(1 / 1_000_000);
});

test('each column has days of its own, made of the day before', () => {
  const of = daysOf({ from: -2, to: 3, next: (before) => before + 1 });

  expect([-2, -1, 0, 1, 2].map((day) => of(0, day).shift)).toEqual([1, 2, 3, 4, 5]);
});
