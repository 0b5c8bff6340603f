import { logMean } from './log.ts';

const oddsGrid = [11 / 9, 1.5, 7 / 3, 4, 9] as const;

/**
 * `log E` of the paired test: both models answered the same requests, and exactly one of them was wrong.
 *
 * H0: at every time P(the candidate is the wrong one | exactly one is wrong, the past) <= ratio / (1 + ratio); `ratio` is
 * that of the discordant pairs, not of the error shares. The even mixture over the grid is a supermartingale under H0.
 * Conditions: one pair an entity; an answer that never came is a wrong answer. Only the numbers of both kinds count,
 * so the order of the pairs does not matter.
 *
 * Source: likelihood ratios of a Bernoulli share with a grid of odds; Shekhar & Ramdas (2309.09111) on testing by betting.
 */
export function logPaired(candidateWrong: number, championWrong: number, ratio: number): number {
  const null0 = ratio / (1 + ratio);
  return logMean(
    oddsGrid.map((factor) => {
      const odds = ratio * factor;
      const share = odds / (1 + odds);
      return candidateWrong * Math.log(share / null0) + championWrong * Math.log((1 - share) / (1 - null0));
    }),
  );
}

const safeGrid = [0.5, 0.7, 0.85, 1, 1.1] as const;

/**
 * `log E'` of the pairs of a mirror: the candidate is not `margin` times as bad as the champion.
 *
 * H0': P(the candidate is the wrong one | exactly one is wrong, the past) >= margin / (1 + margin) at every pair. A
 * candidate whose bad share is `margin` >= 1 times the champion's or more fulfils it: if both err together with
 * probability s, p_c - s >= margin (p_p - s). So errors that both share only make it slower.
 * Conditions: a mirrored answer errs as a served one would; one pair an entity.
 */
export function logPairedSafe(candidateWrong: number, championWrong: number, margin: number): number {
  return logMean(
    safeGrid.map(
      (ratio) =>
        candidateWrong * Math.log((ratio * (1 + margin)) / (margin * (1 + ratio))) +
        championWrong * Math.log((1 + margin) / (1 + ratio)),
    ),
  );
}

/** `log E` against "neither model answers systematically higher": both directions share the evidence. */
export const logShift = (higher: number, lower: number): number =>
  logMean([logPaired(higher, lower, 1), logPaired(lower, higher, 1)]);
