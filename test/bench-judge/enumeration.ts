import { noEvidence, withTick } from '../../packages/core/src/judge/evidence.ts';
import { logHarm } from '../../packages/core/src/judge/judge.ts';
import { nextWeights } from './mutants.ts';
import { candidate, champion, placeAt, rulesFor, tickMs } from './ours.ts';
import { logFactorial } from './random.ts';

/**
 * The mean of E after one tick, over every origin that its bad requests can have: at most 1 for a judge that knows the
 * weight, whatever the number of bad requests. Simulation alone would not see a weight that is wrong in few ticks.
 */
export function meanEvidence(bad: number, weight: number, told: number): number {
  const rules = rulesFor('errors');
  let mean = 0;
  for (let ours = 0; ours <= bad; ours += 1) {
    const count = (errors: number) => ({ requests: 10_000, bad: { errors } });
    const tick = { start: 0, counts: { [candidate]: count(ours), [champion]: count(bad - ours) } };
    const evidence = withTick(noEvidence(0), tick, tickMs, placeAt(told), rules);
    mean += probability(bad, ours, weight / 100) * Math.exp(logHarm(evidence, rules));
  }
  return mean;
}

const probability = (trials: number, hits: number, share: number): number =>
  Math.exp(
    logFactorial(trials) -
      logFactorial(hits) -
      logFactorial(trials - hits) +
      hits * Math.log(share) +
      (trials - hits) * Math.log1p(-share),
  );

/** The largest mean of E over the ticks of a ramp, when the judge is told these weights. */
export function largestMean(weights: readonly number[], told: readonly number[]): number {
  let largest = 0;
  for (const [tick, weight] of weights.entries())
    for (const bad of [1, 2, 5, 20, 60]) largest = Math.max(largest, meanEvidence(bad, weight, told[tick] ?? weight));
  return largest;
}

/** What rounding may add to a mean of 1. */
export const rounding = 1e-9;

export const enumerated = (weights: readonly number[]) => ({
  judge: largestMean(weights, weights),
  b: largestMean(weights, nextWeights(weights)),
});
