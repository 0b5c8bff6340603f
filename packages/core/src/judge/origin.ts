import { logMean } from '../base/log.ts';

/**
 * Given a bad request, which arm did it come from? The e-process of this question, from counts alone.
 *
 * H0: in every tick the candidate's bad share is at most `ratio` times the champion's. Then the mean of exp(log L(g))
 * over the grid is a nonnegative supermartingale that starts at 1. So by Ville's inequality the probability that it
 * reaches 1/alpha at any time is alpha at most. The weights may depend on the past.
 *
 * Conditions. Share `configured`: each request (sticky: each user) is routed by a fresh coin of the weight that was
 * fixed before the tick; exact for every baseline and for common causes, if the ratio holds under each of them: better
 * in some ticks and worse in others is not H0, and an outage of both arms, whose ratio is 1, breaks a `ratio` below 1.
 * `realised`: the numbers of requests do not depend on outcomes, outcomes are independent given the tick, and share and
 * error rate do not move together inside it; below 1 even at the boundary.
 *
 * Users draw once, so less holds for them. With `ratio` >= 1 it is enough that the rate of first bad requests is
 * tolerated in every tick; a `ratio` below 1 and the margin of a promotion speak of the share of users who ever had
 * one, which comes near 1 in both arms where most users have. The next weight may follow from first bad requests, not
 * from how many users an arm has. enumeration.test.ts and enumeration-users.test.ts show each of these by exact sums.
 *
 * Sources: Lindon & Malek, anytime-valid multinomial inference (NeurIPS 2022); Howard, Ramdas, McAuliffe, Sekhon
 * (arXiv 1810.08240).
 */

/** How many times worse than tolerated a candidate is, in each of the alternatives. They share the evidence evenly. */
export const originGrid = [1.1, 1.25, 1.5, 2, 3, 5, 10] as const;

/**
 * `log L(g)` of one tick: `candidate` and `champion` bad requests, the candidate having `share` of the traffic.
 *
 * In the form that never gives NaN: both logarithms are of positive numbers for every share of [0, 1] and ratio > 0.
 * Without bad requests it is 0.
 */
export const logOrigin = (candidate: number, champion: number, share: number, ratio: number, growth: number): number =>
  candidate * Math.log(growth) - (candidate + champion) * originCost(share, ratio, growth);

/** What one bad request of either arm costs the alternative `growth`. */
export const originCost = (share: number, ratio: number, growth: number): number =>
  Math.log((share * ratio * growth + 1 - share) / (share * ratio + 1 - share));

/** `log(growth)` of each alternative. */
export const originGains: readonly number[] = originGrid.map(Math.log);

/** Bad requests of ticks that had the same share. */
export interface AtShare {
  readonly share: number;
  readonly candidate: number;
  readonly champion: number;
}

/** `log E` against H0 with `ratio`, over all ticks; with `towards: 'better'` the alternatives lie on the other side. */
export function logEvidence(ticks: readonly AtShare[], ratio: number, towards: 'worse' | 'better' = 'worse'): number {
  return logMean(
    originGrid.map((factor) => {
      const growth = towards === 'worse' ? factor : 1 / factor;
      let sum = 0;
      for (const { candidate, champion, share } of ticks) sum += logOrigin(candidate, champion, share, ratio, growth);
      return sum;
    }),
  );
}
