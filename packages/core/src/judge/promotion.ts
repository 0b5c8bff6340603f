import { logMean } from './log.ts';
import { originCost } from './origin.ts';

/**
 * The certificate of a promotion: the candidate is not as bad as the margin.
 *
 * H0': in every tick counted the candidate's bad share is at least `margin` times the champion's AND at least `floor`.
 * Half of the evidence speaks against the first, half against the second, so E' = E'ratio / 2 + E'floor / 2 is an
 * e-process of H0', and a candidate as bad as that is promoted with probability beta at most.
 *
 * Conditions: those of the origin test. Only ticks of the last step are counted, because a regression that starts late
 * would hide behind a clean start. Every guardrail has to reach 1/beta by itself, because an average would promote a
 * candidate that is worse in only one of them.
 *
 * Sources: as origin.ts; the floor is a mixture of simple likelihood ratios of a Bernoulli share.
 */

/** The ratio of the candidate to the champion, in the alternatives to "as bad as the margin". */
const ratioGrid = [0.5, 0.7, 0.85, 1, 1.1] as const;
/** Its bad share as a part of the floor, in the alternatives to "as bad as the floor". */
const floorGrid = [0, 0.25, 0.5] as const;

/** Writes `log L` of one tick for each ratio of the grid into `into`, on top of what is there. */
export function addRatio(
  into: number[],
  { candidate, champion, share }: { readonly candidate: number; readonly champion: number; readonly share: number },
  margin: number,
): void {
  for (let index = 0; index < ratioGrid.length; index += 1) {
    const growth = (ratioGrid[index] ?? 1) / margin;
    into[index] =
      (into[index] ?? 0) + candidate * Math.log(growth) - (candidate + champion) * originCost(share, margin, growth);
  }
}

/** `log E'ratio` of ticks. */
export function logRatio(
  ticks: readonly { readonly candidate: number; readonly champion: number; readonly share: number }[],
  margin: number,
): number {
  const logs: number[] = [];
  for (const tick of ticks) addRatio(logs, tick, margin);
  return logs.length === 0 ? 0 : logMean(logs);
}

/**
 * `log E'floor`: `bad` of `requests` of the candidate, against a bad share of at least `floor`.
 *
 * With `maxBurst` d the whole is divided by d. That is exact if bad requests come in bursts of d that fail together.
 */
export function logFloor(bad: number, requests: number, floor: number, maxBurst = 1): number {
  return logMean(
    floorGrid.map((part) => {
      const share = part * floor;
      // 0 * log(0) is 0: an alternative without errors is refuted by the first one.
      const failed = bad === 0 ? 0 : bad * Math.log(share / floor);
      return (failed + (requests - bad) * Math.log((1 - share) / (1 - floor))) / maxBurst;
    }),
  );
}

/** `log E'` from its two halves. */
export const logPromotion = (ratio: number, floor: number): number => logMean([ratio, floor]);
