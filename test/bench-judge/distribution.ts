import { logFactorial } from './random.ts';

/** P(X <= z) of a standard normal: Cody's form of erfc by its continued fraction and series, to about 1e-15. */
export function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const above = x < 3 ? 0.5 * (1 - erfSeries(x)) : 0.5 * erfcFraction(x);
  return z > 0 ? 1 - above : above;
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200 && Math.abs(term) > 1e-17 * sum; n += 1) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function erfcFraction(x: number): number {
  let tail = 0;
  for (let n = 60; n > 0; n -= 1) tail = n / 2 / (x + tail);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + tail);
}

/** The z below which a standard normal stays with this probability, by halving. */
export function normalQuantile(probability: number): number {
  let [low, high] = [-40, 40];
  for (let round = 0; round < 100; round += 1) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(X <= value) of a binomial, summed from the shorter side. */
export function binomialAtMost(value: number, trials: number, share: number): number {
  if (value < 0) return 0;
  if (value >= trials) return 1;
  if (share <= 0) return 1;
  if (share >= 1) return 0;
  if (value > trials * share) return 1 - sumDown(trials - value - 1, trials, 1 - share);
  return sumDown(value, trials, share);
}

/** From `value` down, where each term is smaller than the one before. */
function sumDown(value: number, trials: number, share: number): number {
  let term = Math.exp(
    logFactorial(trials) -
      logFactorial(value) -
      logFactorial(trials - value) +
      value * Math.log(share) +
      (trials - value) * Math.log1p(-share),
  );
  let sum = 0;
  for (let k = value; k >= 0 && term > 0; k -= 1) {
    sum += term;
    term *= (k * (1 - share)) / ((trials - k + 1) * share);
    if (term < sum * 1e-17) break;
  }
  return sum;
}

export interface Limits {
  readonly low: number;
  readonly high: number;
}

/**
 * Clopper-Pearson: both ends of the exact interval of a share at level `confidence`. The upper end alone is an upper
 * limit at level (1 + confidence) / 2, which is the stricter reading of "95 % upper limit".
 */
export function clopperPearson(hits: number, trials: number, confidence = 0.95): Limits {
  if (trials === 0) return { low: 0, high: 1 };
  const tail = (1 - confidence) / 2;
  return {
    low: hits === 0 ? 0 : crossing((share) => 1 - binomialAtMost(hits - 1, trials, share) < tail),
    high: hits === trials ? 1 : crossing((share) => binomialAtMost(hits, trials, share) > tail),
  };
}

/** Where a statement that holds from 0 on ceases to hold. */
function crossing(holds: (share: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let round = 0; round < 60; round += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
