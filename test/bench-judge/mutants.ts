import { type Bets, betOnHarm, type Loss } from '../../packages/core/src/judge/betting.ts';
import type { Evidence } from '../../packages/core/src/judge/evidence.ts';
import { logSafe } from '../../packages/core/src/judge/judge.ts';
import { logMean } from '../../packages/core/src/judge/log.ts';
import { logFloor, logPromotion, logRatio } from '../../packages/core/src/judge/promotion.ts';
import type { Rules } from '../../packages/core/src/judge/rules.ts';
import type { Tick } from '../../packages/core/src/ports/telemetry.ts';
import { candidate, type Ended, type Promotes, rollback, rollbackByEvidence, tickMs } from './ours.ts';

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
const weightOfTheNext: Rollback = (ticks, weights, rules) => rollbackByEvidence(ticks, nextWeights(weights), rules);

/** (c) The test of requests where users stay with their model. */
const requestsOfUsers: Rollback = (ticks, weights, rules) => rollback(ticks, weights, { ...rules, unit: 'request' });

/** (d) A bet that looks at the observation it is placed on. */
function peekingBet(bets: Bets, loss: Loss, m: number): Bets {
  const seen = betOnHarm(bets, loss, m);
  return { ...seen, logK: betOnHarm({ ...seen, logK: bets.logK }, loss, m).logK };
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
    guardrail.streams.filter(({ promotes }) => promotes).map(({ id }) => logSafe(evidence, id, weight, guardrail)),
  );
  return logMean(logs) >= Math.log(1 / rules.beta);
};

/** (h) All ticks instead of those of the last step. */
const allTicks: Promotes = (evidence, _, rules) =>
  rules.guardrails.every((guardrail) =>
    guardrail.streams
      .filter(({ promotes }) => promotes)
      .every(({ id }) => logSafeOfAll(evidence, id, guardrail) >= Math.log(1 / rules.beta)),
  );

function logSafeOfAll({ streams }: Evidence, id: string, { margin, floor }: Rules['guardrails'][number]): number {
  const cells = Object.entries(streams[id] ?? {});
  const sum = (part: (cell: (typeof cells)[number][1]) => number) =>
    cells.reduce((all, [, cell]) => all + part(cell), 0);
  const ratio = logRatio(
    cells.map(([weight, cell]) => ({
      candidate: cell.candidate + cell.candidateAlone,
      champion: cell.champion,
      share: Number(weight) / 100,
    })),
    margin,
  );
  const bad = sum((cell) => cell.candidate + cell.candidateAlone);
  return logPromotion(
    ratio,
    logFloor(
      bad,
      sum(({ candidateRequests }) => candidateRequests),
      floor,
    ),
  );
}

export const mutants = {
  a: halfTheThreshold,
  b: weightOfTheNext,
  c: requestsOfUsers,
  d: peekingBet,
  e: ticksTwice,
  f: emptyArmsSkipped,
  g: average,
  h: allTicks,
} as const;

export const mutantTexts: Readonly<Record<keyof typeof mutants, string>> = {
  a: '1 / (2 alpha) as the threshold',
  b: 'the weight of the next tick used for this one',
  c: 'the test of requests where users stay with their model',
  d: 'a bet that looks at the current observation',
  e: 'a tick counted twice',
  f: 'ticks in which the candidate had no requests skipped',
  g: 'an average of the guardrails instead of every one, in promotion',
  h: "all ticks instead of the last step's, in promotion",
};
