import { incompleteBeta, logMean, turningPoint } from '../base/log.ts';
import { median } from '../base/numbers.ts';
import { day } from '../base/time.ts';

/**
 * What the champion did before the rollout, as a part of the promotion test.
 *
 * H0': in every tick counted the candidate's bad share is at least `margin` times the champion's and at least `floor`.
 * While the champion's share is at least `limit`, such a candidate's is at least max(floor, margin * limit), and against
 * that a likelihood ratio of a Bernoulli share is a supermartingale. So `limit` has to be the LOWER limit of what the
 * champion's share was: with an upper one, "less than margin times the most that it was" would be certified.
 *
 * Condition: in every tick counted the champion's share is at least `limit`. If it is f times that (f < 1), the
 * certificate speaks of margin / f. One limit of a whole week would break it: it certified 28 % of candidates at the margin
 * for a champion whose share moves by half between day and night, and 88 % for one with bursts. So the limit is the least
 * of five (`partsOf`), and the live counts are asked whether the champion is better than that now (`logBelowPast`).
 *
 * Sources: Clopper & Pearson (1934); mixtures of simple likelihood ratios as in promotion.ts.
 */

/** Bad requests, and all, of which a limit is taken. */
export interface Part {
  readonly bad: number;
  readonly requests: number;
}

const quarters = [0, 1, 2, 3] as const;

/**
 * The champion's counts by quarter of the day (UTC), and those of the last day. A rollout falls into one of the quarters;
 * the last day knows what has changed since. A window with far more bad requests than usual counts as a usual one, because
 * a burst or an incident is not what a candidate may be measured by.
 */
export function partsOf(windows: readonly (Part & { readonly start: number })[]): readonly Part[] {
  const usual = median(windows.map(({ bad }) => bad));
  const most = 1.5 * usual + 2 * Math.sqrt(usual) + 2;
  const last = (windows.at(-1)?.start ?? 0) - day;
  const part = (belongs: (start: number) => boolean): Part => {
    let [bad, requests] = [0, 0];
    for (const window of windows) {
      if (!belongs(window.start)) continue;
      bad += window.bad > most ? usual : window.bad;
      requests += window.requests;
    }
    return { bad: Math.floor(bad), requests };
  };
  return [
    ...quarters.map((quarter) => part((start) => Math.floor(((start % day) * 4) / day) === quarter)),
    part((start) => start > last),
  ];
}

/** Of an alternative the candidate's share, and of an alternative the champion's, in parts of `limit`. */
const candidateGrid = [0.5, 0.7, 0.85, 1, 1.1] as const;
const championGrid = [0.5, 0.7, 0.85] as const;

/** At this the champion's live counts say that it is better than its past. */
export const refutes = 20;

/** The lower limit of Clopper and Pearson of a share at level 1 - `error` (`error` below 1/2): 0 of no bad requests. */
export function lowerLimit(bad: number, requests: number, error: number): number {
  if (bad === 0) return 0;
  return turningPoint(0, bad / requests, (share) => error - incompleteBeta(share, bad, requests - bad + 1));
}

export interface Past {
  readonly limit: number;
  readonly margin: number;
  readonly floor: number;
}

/** The share against which `logAgainstPast` tests; 1 or more: every share is below, and nothing can be shown. */
const excluded = ({ limit, margin, floor }: Past): number => Math.max(floor, margin * limit);

/** `log E'` of the candidate's counts. */
export function logAgainstPast(bad: number, requests: number, past: Past): number {
  const most = excluded(past);
  return most >= 1 || past.limit === 0
    ? 0
    : logShares(
        bad,
        requests,
        most,
        candidateGrid.map((x) => x * past.limit),
      );
}

/** `log E` of the champion's live counts against "its share is at least `limit`"; `refutes` is enough. */
export const logBelowPast = (bad: number, requests: number, limit: number): number =>
  limit === 0
    ? 0
    : logShares(
        bad,
        requests,
        limit,
        championGrid.map((x) => x * limit),
      );

const logShares = (bad: number, requests: number, null0: number, shares: readonly number[]): number =>
  logMean(
    shares.map((share) => bad * Math.log(share / null0) + (requests - bad) * (Math.log1p(-share) - Math.log1p(-null0))),
  );
