import { logMean } from '../base/log.ts';
import type { Climate } from './weather.ts';

/**
 * Pairs of which exactly one answer is bad, where both models answered the same requests. Which model it came from is the
 * question of origin.ts for requests that a coin of 1/2 routes: an equally good candidate's answer is the bad one with
 * probability 1/2. So the pairs of a mirror are a stream of their own with the share 1/2 (weather.ts), and an arm's own
 * noise is tolerated in them as it is in split traffic.
 *
 * H0: in every tick, given the past and how many pairs have exactly one bad answer, each of these is the candidate's
 * with a probability of ratio / (1 + ratio) at most, whatever the others are. H0' of a promotion: at least margin / (1 +
 * margin). Then the proofs of weather.ts and promotion.ts hold word for word. `ratio` is that of the pairs, not of the
 * bad shares. If both err together with probability s, and the shares are p_c and p_p, it is (p_c - s) / (p_p - s): at
 * most `ratio` where p_c <= ratio p_p and ratio <= 1, at least `margin` where p_c >= margin p_p and margin >= 1. So errors
 * that both share make it slower only, but with a ratio above 1 a candidate that is tolerated may break it.
 *
 * Conditions: one pair an entity; an answer that never came is a bad answer; for a promotion, a mirrored answer errs as a
 * served one would. Noise is measured, not proved.
 */

/** The candidate's share of the bad answers of such pairs, in percent, if both models are equally good. */
export const evenWeight = 50;

/** Where the evidence keeps what the pairs of a stream say. */
export const pairsOf = (id: string): string => `${id}.mirror`;

/**
 * What is expected of the pairs of a stream in a tick of `pairs`. How many have one bad answer they teach, and their
 * weight never changes.
 *
 * Where both models err at the same requests, fewer pairs tell them apart, and the same noise of the bad share is a larger
 * part of these: of a share p the noise of its odds is p (1 - p) tau, and a part of p - s. Without common causes p - s is
 * p (1 - p). So the noise is multiplied by how many such pairs there would then be, to how many are usual; two on either
 * side keep small numbers from looking like common causes. All of it is known before the answers of the tick, so both
 * bounds keep.
 */
export function climateOfPairs(
  { tau, cap, tax, dispersion }: Climate,
  {
    share,
    pairs,
    usual = Number.POSITIVE_INFINITY,
  }: { readonly share: number; readonly pairs: number; readonly usual: number | undefined },
): Climate {
  const more = (2 * share * (1 - share) * pairs + few) / (usual + few);
  return { tau: tau * Math.max(more, 1), cap, tax, dispersion, later: 0 };
}
const few = 2;

const oddsGrid = [11 / 9, 1.5, 7 / 3, 4, 9] as const;

/**
 * `log E` against "neither model answers systematically higher": both directions share the evidence. Given that a pair
 * differs, each direction has probability 1/2. Only the numbers of both kinds count, so the order does not matter.
 *
 * Source: likelihood ratios of a Bernoulli share with a grid of odds; Shekhar & Ramdas (2309.09111) on testing by betting.
 */
export const logShift = (higher: number, lower: number): number =>
  logMean(
    oddsGrid.flatMap((odds) => {
      const [more, less] = [Math.log((2 * odds) / (1 + odds)), Math.log(2 / (1 + odds))];
      return [higher * more + lower * less, lower * more + higher * less];
    }),
  );
