import type { Rule } from './others.ts';
import type { Stream } from './stream.ts';

/**
 * Sequential rules: those of the experimentation platforms, which may be looked at every minute as this judge may, and
 * tests that know what nobody can know, as a measure of what is possible.
 */

/** What has come so far of the candidate and of a control of the same size. */
interface Halves {
  ours: number;
  ourErrors: number;
  theirs: number;
  theirErrors: number;
}

const inHalves =
  (isHarm: (seen: Halves) => boolean): Rule =>
  ({ weights, requests, errors, control }) => {
    const seen: Halves = { ours: 0, ourErrors: 0, theirs: 0, theirErrors: 0 };
    for (let tick = 0; tick < weights.length; tick += 1) {
      seen.ours += requests.candidate[tick] ?? 0;
      seen.ourErrors += errors.candidate[tick] ?? 0;
      seen.theirs += control.requests[tick] ?? 0;
      seen.theirErrors += control.errors[tick] ?? 0;
      if (isHarm(seen)) return tick;
    }
    return undefined;
  };

/**
 * GrowthBook's Safe Rollout: a one-sided asymptotic confidence sequence of the relative lift of a guardrail metric.
 *
 * Follows growthbook `packages/stats/gbstats/frequentist/tests.py`: `sequential_rho` (equation 161 of Waudby-Smith et
 * al., arXiv 2103.06476v7, at twice alpha as it is one-sided), `sequential_interval_halfwidth_one_sided` (equation 134)
 * and the delta-method variance of the lift; tuning parameter 5,000. The rollout is a test of two equal halves: the
 * control is as large as the candidate. Looked at every minute, which is more often than it does itself.
 */
export function growthBook(alpha: number, tuning = 5000): Rule {
  const rho2 = rhoSquared(alpha, tuning);
  return inHalves(({ ours, ourErrors, theirs, theirErrors }) => {
    if (theirErrors === 0 || ourErrors === 0) return false;
    const [p, q] = [ourErrors / ours, theirErrors / theirs];
    const n = ours + theirs;
    const variance = (p * (1 - p)) / ours / (q * q) + ((q * (1 - q)) / theirs) * (p / (q * q)) ** 2;
    return p / q - 1 > halfWidth(variance * n, n, rho2, alpha);
  });
}

/** Equation 161; at twice alpha, as the sequence is one-sided. */
export function rhoSquared(alpha: number, tuning: number): number {
  const log = -2 * Math.log(2 * alpha);
  return (log + Math.log(log + 1)) / tuning;
}

export function halfWidth(s2: number, n: number, rho2: number, alpha: number): number {
  const grown = n * rho2 + 1;
  return Math.sqrt((s2 * 2 * grown * Math.log(1 + Math.sqrt(grown) / (2 * alpha))) / (n * n * rho2));
}

/**
 * The mixture SPRT of Optimizely's and Statsig's kind: two Bernoulli arms, a normal mixture of the difference.
 *
 * Follows Johari, Koomen, Pekelis, Walsh, Peeking at A/B tests (KDD 2017), as in the R package mixtureSPRT:
 * `sqrt(V / (V + n t2)) exp(n^2 t2 d^2 / (2 V (V + n t2)))`, with V the sum of both arms' variances. It is two-sided; a
 * difference in the candidate's favour does not roll back. `deviation` is the standard deviation of the mixture.
 */
export const mixtureSprt = (alpha: number, deviation: number): Rule =>
  inHalves(({ ours, ourErrors, theirs, theirErrors }) => {
    const n = (ours + theirs) / 2;
    if (ours === 0 || theirs === 0) return false;
    const [p, q] = [ourErrors / ours, theirErrors / theirs];
    return p > q && logMixture(n, p, q, deviation) >= Math.log(1 / alpha);
  });

export function logMixture(n: number, p: number, q: number, deviation: number): number {
  const v = p * (1 - p) + q * (1 - q);
  const wide = v + n * deviation * deviation;
  return v === 0 ? 0 : 0.5 * Math.log(v / wide) + (n * n * deviation ** 2 * (p - q) ** 2) / (2 * v * wide);
}

/** Wald's test of the origin of each failed request, of somebody who knows how many times as bad the candidate is. */
export const originOracle = (ratio: number, alpha: number): Rule =>
  oracle(alpha, ({ weights, errors }, tick) => {
    const share = (weights[tick] ?? 0) / 100;
    const [ours, theirs] = [errors.candidate[tick] ?? 0, errors.champion[tick] ?? 0];
    return ours * Math.log(ratio) - (ours + theirs) * Math.log(share * ratio + 1 - share);
  });

/** The same of somebody who knows the champion's share of errors as well. */
export const rateOracle = (ratio: number, share: number, alpha: number): Rule =>
  oracle(alpha, ({ requests, errors }, tick) => {
    const ours = errors.candidate[tick] ?? 0;
    const well = (requests.candidate[tick] ?? 0) - ours;
    return ours * Math.log(ratio) + well * Math.log((1 - ratio * share) / (1 - share));
  });

const oracle =
  (alpha: number, logRatio: (stream: Stream, tick: number) => number): Rule =>
  (stream) => {
    let log = 0;
    for (let tick = 0; tick < stream.weights.length; tick += 1) {
      log += logRatio(stream, tick);
      if (log >= Math.log(1 / alpha)) return tick;
    }
    return undefined;
  };

/**
 * Wald's bound: no test with this alpha that always finds the effect needs fewer requests to the candidate in the mean,
 * not even one that knows both shares and looks after each request.
 */
export function waldBound(ratio: number, share: number, alpha: number): number {
  const bad = ratio * share;
  const divergence = bad * Math.log(ratio) + (1 - bad) * Math.log((1 - bad) / (1 - share));
  return Math.log(1 / alpha) / divergence;
}
