import { logMean } from '../base/log.ts';
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
export const ratiosTried = [0.5, 0.7, 0.85, 1, 1.1] as const;
/** Its bad share as a part of the floor, in the alternatives to "as bad as the floor". */
const floorGrid = [0, 0.25, 0.5] as const;

/** Writes `log L` of one tick for each ratio of the grid into `into`, on top of what is there. */
export function addRatio(
  into: number[],
  { candidate, champion, share }: { readonly candidate: number; readonly champion: number; readonly share: number },
  margin: number,
): void {
  for (let index = 0; index < ratiosTried.length; index += 1) {
    const growth = (ratiosTried[index] ?? 1) / margin;
    into[index] =
      (into[index] ?? 0) + candidate * Math.log(growth) - (candidate + champion) * originCost(share, margin, growth);
  }
}

/** The log of most that one tick may add for a candidate, in each alternative. */
const mostOfATick = Math.log(3);
/** The part of the noise's standard deviation by which a margin is taken to be smaller. */
const marginOfNoise = 0.6;

export interface RatioRule {
  readonly margin: number;
  /** The standard deviation of the log-odds between the arms that is noise. */
  readonly tau: number;
  /** Most bad requests of both arms that a tick counts for. */
  readonly most: number;
  /** Bad requests that come together, on average; at least 1. */
  readonly dispersion?: number;
  /** `false`: no tick is cut, because its requests are a cohort that counts one by one. */
  readonly isCut?: boolean;
}

/**
 * Writes the log factor of one tick for each ratio x of the grid into `into`, on top of what is there. `tau` and `most`
 * have to be known before the tick. With r = margin exp(-0.6 tau), m bad requests, and q the share of them that the
 * candidate has at r:
 *
 *     min(log L(x against r) / max(1 + (m - 1) q (1 - q) tau^2, dispersion, m / most), log 3), of a tick with m > most: min(., 0)
 *
 * and 0 where x >= r. Without noise each factor is the likelihood ratio of addRatio against a margin that is no larger,
 * to a power of 1 or less that is fixed before the tick's bad requests are told apart, and then cut from above. So its
 * expectation under H0' is 1 at most, whatever `tau` and `most` are (Jensen).
 *
 * The arms' own noise, up to `tau`, leaves the expectation below 1 as well: summed for normal noise that is independent
 * from tick to tick, measured for noise that lasts. The cut is for bursts of the champion, which would make a candidate
 * look good: a likelihood ratio divided by m / most alone promotes 22 to 57 % of candidates at the margin when 10 to 100
 * requests of one arm fail together once in 20 ticks, with the cut 3 % or less.
 */
export function ratioFactors(
  into: number[],
  { candidate, champion, share }: { readonly candidate: number; readonly champion: number; readonly share: number },
  { margin, tau, most, dispersion = 1, isCut = true }: RatioRule,
): void {
  const bad = candidate + champion;
  const excluded = margin * Math.exp(-marginOfNoise * tau);
  const whole = share * excluded + 1 - share;
  const origin = (share * excluded) / whole;
  const scatter = 1 + Math.max(bad - 1, 0) * origin * (1 - origin) * tau * tau;
  const design = Math.max(scatter, dispersion, bad / most);
  const cut = bad > most ? 0 : mostOfATick;
  const atMost = isCut ? cut : Number.POSITIVE_INFINITY;
  for (let index = 0; index < ratiosTried.length; index += 1) {
    const ratio = ratiosTried[index] ?? 1;
    const known = into[index] ?? 0;
    const log =
      ratio >= excluded || bad === 0
        ? 0
        : candidate * Math.log(ratio / excluded) - bad * Math.log((share * ratio + 1 - share) / whole);
    into[index] = known + Math.min(log / design, atMost);
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
