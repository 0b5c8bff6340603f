import { logBeta, turningPoint } from './log.ts';
import { type AtShare, logEvidence } from './origin.ts';

/** No upper bound: the counts do not exclude any ratio from above. */
export interface Interval {
  readonly low: number;
  readonly high?: number;
}

const widest = Math.log(1e9);

/**
 * The confidence sequence of a constant ratio of bad shares, candidate to champion, at level 1 - alpha at every look.
 *
 * {r : E+(r) < 2/alpha and E-(r) < 2/alpha}, E+ being the rollback statistic against ratio r and E- the same with the
 * alternatives below r; both are monotone in r. `worse` and `better` are the ticks that count for either: they differ in
 * ticks in which one arm had no requests, and, for shares that moved inside a cell, in the bound that is used.
 */
export function ratioInterval(worse: readonly AtShare[], better: readonly AtShare[], alpha: number): Interval {
  const enough = Math.log(2 / alpha);
  const above = (log: number) => logEvidence(worse, Math.exp(log), 'worse') - enough;
  const below = (log: number) => enough - logEvidence(better, Math.exp(log), 'better');
  const low = above(-widest) < 0 ? 0 : Math.exp(turningPoint(-widest, widest, above));
  return below(widest) >= 0 ? { low } : { low, high: Math.exp(turningPoint(-widest, widest, below)) };
}

/**
 * The confidence sequence of a constant bad share at level 1 - alpha/2: {q : B(1/2+e, 1/2+n-e) / B(1/2, 1/2) <
 * (2/alpha) q^e (1-q)^(n-e)}, a mixture of Bernoulli likelihoods with Jeffreys' prior (Robbins).
 */
export function shareInterval(
  bad: number,
  requests: number,
  alpha: number,
): { readonly low: number; readonly high: number } {
  if (requests === 0) return { low: 0, high: 1 };
  const mixture = logBeta(0.5 + bad, 0.5 + requests - bad) - logBeta(0.5, 0.5);
  const inside = (share: number) =>
    Math.log(2 / alpha) + times(bad, Math.log(share)) + times(requests - bad, Math.log1p(-share)) - mixture;
  const best = bad / requests;
  return {
    low: bad === 0 ? 0 : turningPoint(0, best, (share) => -inside(share)),
    high: bad === requests ? 1 : turningPoint(best, 1, inside),
  };
}

/** 0 for no count, whatever the log. */
const times = (count: number, log: number): number => (count === 0 ? 0 : count * log);
