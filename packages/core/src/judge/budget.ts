import { shareInterval } from './interval.ts';

interface Arm {
  readonly requests: number;
  readonly errors: number;
}

/**
 * By how much the candidate's share of failures exceeds the champion's, at most: upper(candidate) - lower(champion),
 * each at level 1 - alpha/2 at every look. A running minimum of it is also a bound, if the shares are constant.
 */
export const excessBound = (candidate: Arm, champion: Arm, alpha: number): number =>
  Math.max(
    0,
    shareInterval(candidate.errors, candidate.requests, alpha).high -
      shareInterval(champion.errors, champion.requests, alpha).low,
  );

/**
 * The weight in percent that the next step may have, so that the expected number of excess failures since the rollout
 * began is at most `budget` after it, with probability 1 - alpha, if the rates are constant.
 *
 * `excess` is the least of the bounds so far (1 when nothing is known), `spent` the candidate's requests so far,
 * `ahead` the requests of both arms that the step will bring.
 */
export function affordable(budget: number, excess: number, spent: number, ahead: number): number {
  if (excess === 0 || ahead === 0) return 100;
  return Math.floor((100 * (budget / excess - spent)) / ahead);
}
