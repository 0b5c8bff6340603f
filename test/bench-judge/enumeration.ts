import { noEvidence, withTick } from '../../packages/core/src/judge/evidence.ts';
import type { History } from '../../packages/core/src/judge/history.ts';
import { logHarm } from '../../packages/core/src/judge/judge.ts';
import type { Rules } from '../../packages/core/src/judge/rules.ts';
import { toleratedIn } from '../../packages/core/src/judge/weather.ts';
import { nextWeights } from './mutants.ts';
import { candidate, champion, placeAt, rulesFor, tickMs } from './ours.ts';
import { calmAt } from './past.ts';
import { logFactorial } from './random.ts';

/**
 * The mean of E after one tick, over every origin that its bad requests can have: at most 1 for a judge that knows the
 * weight, whatever the number of bad requests. Simulation alone would not see a weight that is wrong in few ticks.
 */
export function meanEvidence(
  bad: number,
  weight: number,
  told: number,
  rules = rulesFor('errors', {}, 'exact'),
): number {
  return mean(bad, weight / 100, (ours) => evidenceOf(ours, bad, told, rules));
}

function evidenceOf(ours: number, bad: number, told: number, rules: Rules): number {
  // The numbers of requests fit what the judge is told, so that they cannot tell it better.
  const count = (percent: number, errors: number) => ({ requests: 200 * percent, bad: { errors } });
  const tick = { start: 0, counts: { [candidate]: count(told, ours), [champion]: count(100 - told, bad - ours) } };
  return Math.exp(logHarm(withTick(noEvidence(0), tick, tickMs, placeAt(told), rules), rules));
}

function mean(bad: number, share: number, of: (ours: number) => number): number {
  let sum = 0;
  for (let ours = 0; ours <= bad; ours += 1) sum += probability(bad, ours, share) * of(ours);
  return sum;
}

const probability = (trials: number, hits: number, share: number): number =>
  Math.exp(
    logFactorial(trials) -
      logFactorial(hits) -
      logFactorial(trials - hits) +
      hits * Math.log(share) +
      (trials - hits) * Math.log1p(-share),
  );

const counts = [1, 2, 5, 20, 60] as const;

/** The largest mean of E over the ticks of a ramp, when the judge is told these weights. */
export function largestMean(weights: readonly number[], told: readonly number[]): number {
  let largest = 0;
  for (const [tick, weight] of weights.entries())
    for (const bad of counts) largest = Math.max(largest, meanEvidence(bad, weight, told[tick] ?? weight));
  return largest;
}

/** One tick in 400 may be anything at all, and is the worst that it can be. */
const burstEvery = 400;
/** A champion whose counts are known and not calm. */
const restless: History = {
  ...calmAt(20),
  measures: Object.fromEntries(
    Object.entries(calmAt(20).measures).map(([name, known]) => [name, { ...known, calm: false }]),
  ),
};

export function largestMeanWithBursts(change: (rules: Rules) => Rules = (rules) => rules): number {
  const rules = change(rulesFor('errors', {}, restless));
  const tau = rules.guardrails[0]?.climates.errors?.tau ?? 0;
  let largest = 0;
  for (const weight of [5, 25, 50])
    for (const bad of counts) {
      const odds = (weight / (100 - weight)) * toleratedIn(1, tau);
      const usual = mean(bad, odds / (1 + odds), (ours) => evidenceOf(ours, bad, weight, rules));
      const worst = Math.max(...Array.from({ length: bad + 1 }, (_, ours) => evidenceOf(ours, bad, weight, rules)));
      largest = Math.max(largest, usual + (worst - usual) / burstEvery);
    }
  return largest;
}

/** What rounding may add to a mean of 1. */
export const rounding = 1e-9;

export const enumerated = (weights: readonly number[]) => ({
  judge: largestMean(weights, weights),
  b: largestMean(weights, nextWeights(weights)),
});
