import { describe, expect, test } from 'vitest';
import { random } from '../bench-judge/random.ts';
import { alarmsOf, mixedWorld, prepare } from './rule-cases.ts';
import { limitOf, numberReference, numbersOf, rules } from './rules.ts';

const numbers = (...values: readonly number[]) => Float64Array.from(values);

describe('the distances of numbers', () => {
  test('are those that SciPy finds', () => {
    const found = numbersOf(numberReference(numbers(5, 3, 1, 2, 4), 5), numbers(7, 3, 6, 4, 5));

    expect(found.distance).toBeCloseTo(0.4, 12);
    expect(found.moved).toBeCloseTo(Math.SQRT2, 12);
  });

  test('take equal values together', () => {
    const found = numbersOf(numberReference(numbers(1, 1, 2, 2), 4), numbers(1, 2, 2, 2));

    expect(found.distance).toBe(0.25);
    expect(found.moved).toBeCloseTo(0.5, 12);
  });
});

test("bins are Doane's, as NumPy makes them", () => {
  // numpy.histogram_bin_edges([i * i for i in range(1, 101)], 'doane') has 10 bins.
  const { doane } = numberReference(
    Float64Array.from({ length: 100 }, (_, index) => (index + 1) ** 2),
    100,
  );

  expect(doane.counts).toHaveLength(11);
  expect(doane.counts.reduce((sum, count) => sum + count, 0)).toBe(100);
  expect(doane.counts.at(-1)).toBe(0);
});

test('chunks are far apart from three deviations on', () => {
  expect(limitOf([1, 2, 3])).toBeCloseTo(2 + 3 * Math.sqrt(2 / 3), 12);
});

describe('rules', () => {
  const world = mixedWorld((column, day) => (column === 0 && day === 1 ? 3 : 0));
  const draws = random(1);
  const prepared = prepare(world.rows(2000, -1, draws), 2000);

  test('all find that a column is somewhere else, and only there', () => {
    const alarms = alarmsOf(prepared, world.rows(2000, 1, draws));

    for (const { name } of rules) expect([name, alarms[name]?.[0]]).toEqual([name, true]);
    expect(alarms['SageMaker, robust']?.filter((alarm) => alarm)).toHaveLength(1);
  });

  test('Evidently has another one from 1,001 rows on', () => {
    const alarmsAt = (n: number) => {
      const of = random(9);
      const known = prepare(world.rows(n, -1, of), 100);
      return (alarmsOf(known, world.rows(100, 0, of)).Evidently ?? []).filter((alarm) => alarm).length;
    };

    expect(alarmsAt(1000)).toBeLessThan(10);
    expect(alarmsAt(1001)).toBeGreaterThan(10);
  });

  test('by chance 5 % of the columns alarm, and hardly any with the correction for many', () => {
    const alarms = [0, 2, 3, 4, 5, 6].map((day) => alarmsOf(prepared, world.rows(500, day, draws)));

    const count = (rule: string) => alarms.flatMap((of) => of[rule] ?? []).filter((alarm) => alarm).length;
    expect(count('a test a column')).toBeGreaterThan(3);
    expect(count('a test a column')).toBeLessThan(18);
    expect(count('Alibi Detect')).toBeLessThan(2);
  });

  test('values that the reference does not have are a category more', () => {
    const [last] = prepare([{ name: 'c', texts: ['a', 'b', 'a', 'b'] }], 2);

    const alarms = alarmsOf(last === undefined ? [] : [last], [{ name: 'c', texts: ['a', 'b', 'new', 'new'] }]);

    expect(alarms['Vertex AI']).toEqual([true]);
  });
});
