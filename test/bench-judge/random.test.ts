import { expect, test } from 'vitest';
import { binomialAtMost, clopperPearson, normalBelow, normalQuantile } from './distribution.ts';
import { logFactorial, random } from './random.ts';

test('the same seeds give the same numbers, and any other seed gives others', () => {
  const first = random(7, 1, 2);
  const again = random(7, 1, 2);
  const others = [random(7, 1, 3), random(7, 2, 2), random(8, 1, 2), random(7, 1), random(2, 1, 7)];

  const numbers = Array.from({ length: 50 }, () => first.next());

  expect(Array.from({ length: 50 }, () => again.next())).toEqual(numbers);
  for (const other of others) expect(Array.from({ length: 50 }, () => other.next())).not.toEqual(numbers);
  expect(numbers.every((number) => number > 0 && number < 1)).toBe(true);
});

/** Pearson's statistic of draws against a distribution, cells of few expected draws put together. */
function chiSquare(draws: readonly number[], probability: (value: number) => number): number {
  const counts = new Map<number, number>();
  for (const draw of draws) counts.set(draw, (counts.get(draw) ?? 0) + 1);
  let [statistic, cells, observed, expected] = [0, 0, 0, 0];
  const highest = Math.max(...draws);
  let left = draws.length;
  for (let value = 0; value <= highest; value += 1) {
    observed += counts.get(value) ?? 0;
    expected += draws.length * probability(value);
    left -= draws.length * probability(value);
    if (expected < 50 || left < 50) continue;
    statistic += (observed - expected) ** 2 / expected;
    cells += 1;
    [observed, expected] = [0, 0];
  }
  // As a standard normal, roughly: (statistic - degrees) / sqrt(2 degrees).
  return (statistic - cells) / Math.sqrt(2 * Math.max(cells, 1));
}

test.each([0.01, 0.7, 5, 9.99, 10, 57, 6_000])('a Poisson draw of mean %d has its distribution', (mean) => {
  const source = random(11, mean * 100);

  const draws = Array.from({ length: 40_000 }, () => source.poisson(mean));

  const score = chiSquare(draws, (value) => Math.exp(value * Math.log(mean) - mean - logFactorial(value)));
  expect(Math.abs(score)).toBeLessThan(4.5);
});

test.each([
  [1, 0.3],
  [40, 0.05],
  [300, 0.005],
  [300, 0.9],
  [25, 0.5],
  [6_000, 0.2],
  [60_000, 0.0005],
])('a binomial draw of %d trials at %d has its distribution', (trials, share) => {
  const source = random(12, trials, share * 1e6);

  const draws = Array.from({ length: 40_000 }, () => source.binomial(trials, share));

  const score = chiSquare(draws, (value) =>
    Math.exp(
      logFactorial(trials) -
        logFactorial(value) -
        logFactorial(trials - value) +
        value * Math.log(share) +
        (trials - value) * Math.log1p(-share),
    ),
  );
  expect(Math.abs(score)).toBeLessThan(4.5);
  expect(Math.max(...draws)).toBeLessThanOrEqual(trials);
});

test('a draw at the edges needs no chance', () => {
  const source = random(1);

  expect(source.poisson(0)).toBe(0);
  expect(source.binomial(0, 0.5)).toBe(0);
  expect(source.binomial(9, 0)).toBe(0);
  expect(source.binomial(9, 1)).toBe(9);
});

test('a normal draw has the mean, the spread and the tails of one', () => {
  const source = random(13);

  const draws = Array.from({ length: 100_000 }, () => source.normal());

  expect(Math.abs(draws.reduce((sum, z) => sum + z, 0) / draws.length)).toBeLessThan(0.015);
  expect(Math.abs(draws.reduce((sum, z) => sum + z * z, 0) / draws.length - 1)).toBeLessThan(0.02);
  expect(draws.filter((z) => z > 2.326).length / draws.length).toBeCloseTo(0.01, 2);
});

test('the normal distribution is right from its middle to its tails', () => {
  expect(normalBelow(0)).toBeCloseTo(0.5, 14);
  expect(normalBelow(1.959963984540054)).toBeCloseTo(0.975, 14);
  expect(normalBelow(-6) / 9.865876450376946e-10).toBeCloseTo(1, 8);
  expect(normalQuantile(0.99)).toBeCloseTo(2.3263478740408408, 12);
});

test('the limits of Clopper and Pearson are those of the tables', () => {
  const none = clopperPearson(0, 20_000);
  const some = clopperPearson(10, 100);

  expect(none.low).toBe(0);
  expect(none.high).toBeCloseTo(1 - 0.025 ** (1 / 20_000), 10);
  expect(some.low).toBeCloseTo(0.0490046892, 9);
  // Checked in exact arithmetic: P(X <= 10) of 100 at this share is 0.025.
  expect(some.high).toBeCloseTo(0.1762225977, 9);
  expect(clopperPearson(100, 100).high).toBe(1);
  expect(binomialAtMost(3, 10, 0.5)).toBeCloseTo(176 / 1024, 12);
  expect(binomialAtMost(7, 10, 0.5)).toBeCloseTo(968 / 1024, 12);
});
