import { logMean } from '../../packages/core/src/base/log.ts';
import { type Bets, betOnHarm, type Loss } from '../../packages/core/src/judge/betting.ts';
import type { Rules } from '../../packages/core/src/judge/rules.ts';
import { logSafe } from '../../packages/core/src/judge/safe.ts';
import type { Climate } from '../../packages/core/src/judge/weather.ts';
import type { Tick } from '../../packages/core/src/ports/telemetry.ts';
import { warmUp } from './compare.ts';
import { candidate, type Ended, type Promotes, promotion, rollback, rollbackByEvidence, tickMs } from './ours.ts';

/**
 * The mistakes that judges of this kind are known for, each a wrapper around the functions of the product. The
 * benchmark has to flag every one of them, or it could not tell whether the product has it.
 */
type Rollback = (ticks: readonly Tick[], weights: readonly number[], rules: Rules) => Ended;

/** (a) 1 / (2 alpha) as the threshold. */
const halfTheThreshold: Rollback = (ticks, weights, rules) =>
  rollback(ticks, weights, { ...rules, alpha: 2 * rules.alpha });

/** (b) The weight of the next tick used for this one. */
export const nextWeights = (weights: readonly number[]): readonly number[] =>
  weights.map((weight, tick) => weights[tick + 1] ?? weight);

/** (c) The test of requests where users stay with their model. */
const requestsOfUsers: Rollback = (ticks, weights, rules) => rollback(ticks, weights, { ...rules, unit: 'request' });

/** (d) A bet that looks at the observation it is placed on. */
function peekingBet(bets: Bets, loss: Loss, m: number): Bets {
  const seen = betOnHarm(bets, loss, m);
  return {
    ...seen,
    logK: betOnHarm({ ...seen, logK: bets.logK }, loss, m).logK,
  };
}

/** (e) A tick counted twice, as if it had another name each time. */
const ticksTwice: Rollback = (ticks, weights, rules) => {
  const twice = ticks.flatMap((tick, index) => [
    { ...tick, start: 2 * index * tickMs },
    { ...tick, start: (2 * index + 1) * tickMs },
  ]);
  const { rolledBack, ...rest } = rollback(
    twice,
    weights.flatMap((weight) => [weight, weight]),
    rules,
  );
  return rolledBack === undefined ? rest : { rolledBack: Math.floor(rolledBack / 2) };
};

/** (f) Ticks in which the candidate had no requests are skipped. */
const emptyArmsSkipped: Rollback = (ticks, weights, rules) =>
  rollbackByEvidence(
    ticks.map((tick) => (tick.counts[candidate]?.requests === 0 ? { ...tick, counts: {} } : tick)),
    weights,
    rules,
  );

/** (g) An average of the guardrails instead of every one. */
const average: Promotes = (evidence, weight, rules) => {
  const logs = rules.guardrails.flatMap((guardrail) =>
    guardrail.streams
      .filter(({ promotes }) => promotes)
      .map((stream) => logSafe(evidence, stream, { weight, guardrail, rules })),
  );
  return logMean(logs) >= Math.log(1 / rules.beta);
};

/** (h) All ticks instead of those of the last step: each is taken for one of it. */
const allTicks = (ticks: readonly Tick[], weights: readonly number[], rules: Rules): number | undefined =>
  promotion(ticks, weights, rules, { lastWeightAt: (weight) => weight });

/** (i) A tick's own bad requests say how many of them count, so that no burst is one too many. */
const ownMost: Rollback = (ticks, weights, rules) =>
  rollbackByEvidence(ticks, weights, rules, (evidence, tick) => ({
    ...evidence,
    weather: Object.fromEntries(
      Object.entries(evidence.weather).map(([id, weather]) => [id, { ...weather, before: badIn(tick, id) }]),
    ),
  }));

const badIn = ({ counts }: Tick, measure: string): number =>
  Object.values(counts).reduce((sum, { bad }) => sum + (bad[measure] ?? 0), 0);

/** (j) A tick may multiply the evidence by as much as it says. */
const noCut: Rollback = (ticks, weights, rules) =>
  rollback(ticks, weights, inClimates(rules, { cap: Number.POSITIVE_INFINITY }));

/** (k) Two arms that are alike are taken to differ by chance alone. */
const noNoise: Rollback = (ticks, weights, rules) =>
  rollback(ticks, weights, inClimates(rules, { tau: 0, fixed: true }), warmUp);

/** (l) Only the first weight has a warm-up. */
const warmedOnce: Rollback = (ticks, weights, rules) => rollback(ticks, weights, rules, warmUp, 'once');

const inClimates = (rules: Rules, changed: Partial<Climate>): Rules => ({
  ...rules,
  guardrails: rules.guardrails.map((guardrail) => ({
    ...guardrail,
    climates: Object.fromEntries(
      Object.entries(guardrail.climates).map(([id, climate]) => [id, { ...climate, ...changed }]),
    ),
  })),
});

/** (m) No tick is taxed for the burst that it may be: what one tick is worth with a burst in 400, see enumeration.ts. */
export const untaxed = (rules: Rules): Rules => inClimates(rules, { tax: 0 });

export const mutants = {
  a: halfTheThreshold,
  c: requestsOfUsers,
  d: peekingBet,
  e: ticksTwice,
  f: emptyArmsSkipped,
  g: average,
  h: allTicks,
  i: ownMost,
  j: noCut,
  k: noNoise,
  l: warmedOnce,
  m: untaxed,
} as const;

export const mutantTexts: Readonly<Record<keyof typeof mutants | 'b', string>> = {
  a: '1 / (2 alpha) as the threshold',
  b: 'the weight of the next tick used for this one',
  c: 'the test of requests where users stay with their model',
  d: 'a bet that looks at the current observation',
  e: 'a tick counted twice',
  f: 'ticks in which the candidate had no requests skipped',
  g: 'an average of the guardrails instead of every one, in promotion',
  h: "all ticks instead of the last step's, in promotion",
  i: "a tick's own bad requests say how many of them count",
  j: 'what one tick says is not cut',
  k: "an arm's own noise is not reckoned with",
  l: 'a warm-up of the first weight alone',
  m: 'no tax for the burst that a tick may be',
};
