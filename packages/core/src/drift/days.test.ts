import { expect, test } from 'vitest';
import { withCounts } from './cells.ts';
import { withDays as daysOfReference } from './days.ts';
import {
  categories,
  drawsOf,
  numbersOf,
  referenceOf,
  type Timed,
  timesOf,
  windowOf,
  referenceOfDays as withDays,
} from './drift.fixture.ts';

const empty = referenceOf(numbersOf('x', [1, 2, 3, 4, 5, 6, 7]), categories('c', ['a', 'b', 'c']));
const eight = new Array<number>(8).fill(1 / 8);
const five = [0.5, 0.3, 0.2, 0, 0];
const daysOf = (count: number, make: (day: number) => readonly [readonly number[], readonly number[]]): Timed[] =>
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
  expect(reference.days).toEqual({ column: 'at', days: 3, because: 'its rows are of 3 days, and 14 are the least' });
  expect(reference.columns[0]?.dispersion).toBeUndefined();
});

test('it has counts by weekday from 28 days on, Sunday first', () => {
  const of = (count: number) =>
    withDays(
      empty,
      daysOf(count, (day) => [eight.map(() => 10 * (day % 7)), [1, 1, 1, 0, 0]]),
    ).columns[0];

  expect(of(27)?.byWeekday).toBeUndefined();
  // Day 0 of the epoch was a Thursday.
  expect(of(28)?.byWeekday?.map(({ cells }) => cells[0])).toEqual([120, 160, 200, 240, 0, 40, 80]);
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
        return [draws.counts(eight, 50), draws.counts(shares(by), 1000)];
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

test('days that have few rows tell nothing, and nor do rows that have no time', () => {
  const draws = drawsOf(7);
  const days = (rows: number) => daysOf(60, () => [draws.counts(eight, rows), draws.counts(five, rows)]);
  const some = days(100);
  const of = (untimed: number) =>
    daysOfReference(withCounts(empty, { ...windowOf(eight, five), rows: 6000 }), timesOf(empty, some, untimed), 'at');

  expect(withDays(empty, days(40)).days).toMatchObject({
    because: 'its days have 40 rows on average, and 50 are the least',
  });
  expect(of(301).days).toMatchObject({ because: '5.02 % of its rows have no time that can be read' });
  expect(of(301).columns[0]).not.toHaveProperty('dispersion');
  expect(of(300).days).toEqual({ column: 'at', days: 60, weekdays: true });
});

test('a night that differs from the day is a season, and chance is none', () => {
  const draws = drawsOf(8);
  const night = [0.2, 0.3, 0.5, 0, 0];
  const hours = (share: (hour: number) => readonly number[]) =>
    Array.from(
      { length: 20 * 24 },
      (_, at): Timed => ({
        ...{ day: Math.floor(at / 24), hour: at % 24 },
        counts: windowOf(draws.counts(eight, 50), draws.counts(share(at % 24), 50)),
      }),
    );

  const same = withDays(
    empty,
    hours(() => five),
  ).columns.map(({ seasons }) => seasons?.day);
  const [, differs] = withDays(
    empty,
    hours((hour) => (hour < 8 ? night : five)),
  ).columns;

  for (const season of same) expect(season).toEqual({ size: 0, missing: 0 });
  // The night has a third of the rows: 0.2 is 0.3 from the day, and two thirds of that from all.
  expect(differs?.seasons?.day.size).toBeGreaterThan(0.1);
  expect(differs?.seasons?.day.size).toBeLessThan(0.2);
  expect(differs?.seasons?.week).toEqual({ size: 0, missing: 0 });
});
