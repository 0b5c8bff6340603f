import { expect, test } from 'vitest';
import { emptyCounts } from './cells.ts';
import { type DayCounts, withDays } from './days.ts';
import { categories, drawsOf, numbersOf, referenceOf, windowOf } from './drift.fixture.ts';

const empty = referenceOf(numbersOf('x', [1, 2, 3, 4, 5, 6, 7]), categories('c', ['a', 'b', 'c']));
const eight = new Array<number>(8).fill(1 / 8);
const five = [0.5, 0.3, 0.2, 0, 0];
const daysOf = (count: number, make: (day: number) => readonly [readonly number[], readonly number[]]): DayCounts[] =>
  Array.from({ length: count }, (_, day) => ({ day, counts: windowOf(...make(day)) }));

test('a reference has the counts of all its days', () => {
  const reference = withDays(
    empty,
    daysOf(3, (day) => [eight.map(() => day), [1, 2, 3, 4, 5]]),
  );

  expect([reference.rows, reference.columns[0]?.cells, reference.columns[1]?.cells]).toEqual([
    24,
    eight.map(() => 3),
    [3, 6, 9, 12, 15],
  ]);
  expect(withDays(empty, [])).toEqual({ ...empty, ...emptyCounts(empty), columns: empty.columns });
});

test('it has counts by weekday from 28 days on, Sunday first', () => {
  const of = (count: number) =>
    withDays(
      empty,
      daysOf(count, (day) => [eight.map(() => day % 7), [1, 1, 1, 0, 0]]),
    ).columns[0];

  expect(of(27)?.byWeekday).toBeUndefined();
  // Day 0 of the epoch was a Thursday.
  expect(of(28)?.byWeekday?.map(({ cells }) => cells[0])).toEqual([12, 16, 20, 24, 0, 4, 8]);
});

test('its dispersion is about 1 where rows are independent, from 14 days on', () => {
  const draws = drawsOf(2);
  const of = (count: number) =>
    withDays(
      empty,
      daysOf(count, () => [draws.counts(eight, 300), draws.counts(five, 300)]),
    ).columns.map(({ dispersion }) => dispersion);

  expect(of(13)).toEqual([undefined, undefined]);
  for (const dispersion of of(200)) {
    expect(dispersion).toBeGreaterThanOrEqual(1);
    expect(dispersion).toBeLessThan(1.4);
  }
});

test('its dispersion shows that rows come in equal pairs, that days shift, and that a category comes and goes', () => {
  const draws = drawsOf(3);
  const double = (counts: readonly number[]) => counts.map((count) => 2 * count);
  const weights = (by: number) => eight.map((share, cell) => share * Math.exp(by * (cell - 3.5)));
  const moved = (by: number) =>
    weights(by).map((weight) => weight / weights(by).reduce((sum, other) => sum + other, 0));
  const of = (make: () => readonly [readonly number[], readonly number[]]) =>
    withDays(empty, daysOf(200, make)).columns.map(({ dispersion = 0 }) => dispersion);

  const pairs = of(() => [double(draws.counts(eight, 150)), double(draws.counts(five, 150))]);
  const shifts = of(() => [draws.counts(moved(0.05 * draws.normal()), 1000), draws.counts(five, 300)]);
  const swaps = of(() => {
    const some = 0.05 * (draws.unit() - 0.5);
    return [draws.counts(eight, 300), draws.counts([0.5 + some, 0.3 - some, 0.2, 0, 0], 1000)];
  });

  for (const dispersion of pairs) expect(Math.abs(dispersion - 2)).toBeLessThan(0.6);
  // The scores vary by 21/4 over cells of equal mass, so a day adds 0.05^2 x 5.25 x 1,000 rows.
  expect(shifts[0]).toBeGreaterThan(10);
  expect(swaps[0]).toBeLessThan(1.4);
  expect(swaps[1]).toBeGreaterThan(1.5);
});

test('a season of the week is none, where the reference has each weekday', () => {
  const draws = drawsOf(4);
  const share = (day: number) => (day % 7 < 5 ? five : [0.2, 0.3, 0.5, 0, 0]);
  const of = (count: number) =>
    withDays(
      empty,
      daysOf(count, (day) => [draws.counts(eight, 300), draws.counts(share(day), 300)]),
    ).columns[1]?.dispersion;

  expect(of(27)).toBeGreaterThan(10);
  expect(of(280)).toBeLessThan(1.4);
});

test('a day that is like the one before counts for more than one that is not', () => {
  const draws = drawsOf(6);
  const shares = (by: number) => [0.5 + by, 0.5 - by, 0, 0, 0];
  const of = (kept: number, days: number) => {
    let by = 0;
    return withDays(
      empty,
      daysOf(days, () => {
        by = kept * by + Math.sqrt(1 - kept * kept) * 0.04 * draws.normal();
        return [draws.counts(eight, 10), draws.counts(shares(by), 1000)];
      }),
    ).columns[1];
  };

  // A day adds 0.04^2 x 4 x 1,000 = 6.4 to 1; one half of it kept makes three times as much.
  const [apart, alike] = [of(0, 400)?.dispersion ?? 0, of(0.5, 400)?.dispersion ?? 0];
  expect(apart).toBeGreaterThan(5);
  expect(apart).toBeLessThan(11);
  expect(alike).toBeGreaterThan(1.7 * apart);
  expect(of(0, 14)?.dayRows).toBe(1000);
});
