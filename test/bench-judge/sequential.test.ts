import { expect, test } from 'vitest';
import { random } from './random.ts';
import {
  growthBook,
  halfWidth,
  logMixture,
  mixtureSprt,
  originOracle,
  rateOracle,
  rhoSquared,
  waldBound,
} from './sequential.ts';
import { fill, newStream, ramp, type Stream } from './stream.ts';

function drawn(ratio: number, seed: number): Stream {
  const stream = newStream(ramp);
  fill(stream, random(seed), { rpm: 6000, share: 0.005, ratio: () => ratio });
  return stream;
}

/** How many of 200 rollouts a rule takes back. */
const found = (rule: (stream: Stream) => number | undefined, ratio: number): number =>
  Array.from({ length: 200 }, (_, seed) => rule(drawn(ratio, seed))).filter((tick) => tick !== undefined).length;

test("Wald's bound is what the papers have: log(1/alpha) over the divergence", () => {
  expect(waldBound(2, 0.005, 0.01)).toBeCloseTo(2369, -1);
  expect(waldBound(3, 0.005, 0.01)).toBeCloseTo(705, 0);
  expect(waldBound(5, 0.005, 0.01)).toBeCloseTo(225, 0);
});

test('the half width of the confidence sequence is that of equation 134, and is narrowest about its tuning', () => {
  const rho2 = rhoSquared(0.05, 5000);
  const widths = [500, 5000, 50_000].map((n) => halfWidth(1, n, rho2, 0.05) * Math.sqrt(n));

  expect(5000 * rho2).toBeCloseTo(6.3288, 3);
  // n rho^2 is 6.3288 there: sqrt(2 * 7.3288 * log(1 + 2.7072 / 0.1) / (5000 * 6.3288)).
  expect(halfWidth(1, 5000, rho2, 0.05)).toBeCloseTo(0.0393, 4);
  expect(widths[1]).toBeLessThan(Math.min(widths[0] ?? 0, widths[2] ?? 0));
});

test('the mixture is the integral of the likelihood ratio over a normal prior', () => {
  const [n, p, q, deviation] = [4000, 0.011, 0.006, 0.005];
  const v = p * (1 - p) + q * (1 - q);
  let sum = 0;
  const step = deviation / 400;
  for (let x = -8 * deviation; x <= 8 * deviation; x += step)
    sum +=
      (step * Math.exp(-(x * x) / (2 * deviation ** 2) + (n / v) * ((p - q) * x - (x * x) / 2))) /
      (deviation * Math.sqrt(2 * Math.PI));

  expect(logMixture(n, p, q, deviation)).toBeCloseTo(Math.log(sum), 6);
});

test('sequential rules find a tripled error rate and leave the innocent alone', () => {
  for (const rule of [growthBook(0.01), mixtureSprt(0.01, 0.005), originOracle(3, 0.01), rateOracle(3, 0.005, 0.01)]) {
    expect(found(rule, 3)).toBe(200);
    expect(found(rule, 1)).toBeLessThanOrEqual(8);
    expect(found(rule, 1 / 3)).toBe(0);
  }
});
