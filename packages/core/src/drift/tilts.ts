import { logRising } from '../base/log.ts';
import { logUrn } from './urn.ts';

/**
 * What a change would look like: other urns b, decided before the window is counted. Each gives an e-value
 * E = P(y; b) / P(y; a): its expectation is at most 1 where the urn a holds, since P(.; b) sums to 1.
 *
 * - `weaker`: the same shares, less sure of them (20, 200, 2,000 rows), or drawn to those of the last 7 and 28 windows.
 * They look in all directions at once. None is surer than the urn: that would find rows that vary less than they should,
 * which thinned ones do.
 * - `tilted`: the cells of numbers weighed by exp(d z) along their normal scores z, or by exp(d (z^2 - 1)): what a shift
 * of d standard deviations of a normal column does, and a wider or narrower one. One direction each, so a shift of 0.1
 * is found in a third of the windows. The last 7 windows are in the urn as they came: the change may have begun with any of
 * them, and an urn that is tilted as a whole would expect the change a second time. Where no live window came
 * before the change, 90 % instead of 85 % of the shifts of 0.1 are found within 7 windows.
 * - `apart`: of categories, one against all others as a beta-binomial.
 */
export interface Past {
  readonly urn: Float64Array;
  /** Counts of the last 7 windows, and of about the last 28. */
  readonly week: ArrayLike<number>;
  readonly month: ArrayLike<number>;
}

/** How many alternatives `weaker` and `tilted` have. */
export const weakerCount = 5;
export const tiltedCount = 8;

/** The logarithms of E of all alternatives that look in every direction. `log` is that of the urn itself. */
export function weaker({ urn, week, month }: Past, y: ArrayLike<number>, log: number): number[] {
  const balls = sum(urn);
  const other = new Float64Array(urn.length);
  const against = (most: number, drawn?: ArrayLike<number>): number => {
    const rows = Math.min(most, balls);
    for (let cell = 0; cell < urn.length; cell += 1)
      other[cell] = ((urn[cell] ?? 0) / balls) * rows + (drawn?.[cell] ?? 0);
    return logUrn(other, y) - log;
  };
  return [against(20), against(200), against(2000), against(50, week), against(50, month)];
}

/** `lately`: rows that the urn holds, and that may have come after the change. */
export function tilted(urn: Float64Array, lately: ArrayLike<number>, y: ArrayLike<number>, log: number): number[] {
  const before = urn.map((count, cell) => count - (lately[cell] ?? 0));
  const balls = sum(before);
  const other = new Float64Array(urn.length);
  /** The same number of balls, moved to where the weights are large. */
  const against = (weights: Float64Array, isUp: boolean): number => {
    let moved = 0;
    for (let cell = 0; cell < urn.length; cell += 1) {
      const weight = weights[cell] ?? 1;
      const count = (before[cell] ?? 0) * (isUp ? weight : 1 / weight);
      moved += count;
      other[cell] = count;
    }
    for (let cell = 0; cell < urn.length; cell += 1)
      other[cell] = ((other[cell] ?? 0) * balls) / moved + (lately[cell] ?? 0);
    return logUrn(other, y) - log;
  };
  return tiltWeights(before).flatMap((weights) => [against(weights, true), against(weights, false)]);
}

/**
 * The two that look for the smallest shift come first, and weigh 4 times as much as others: such a shift is just worth a
 * notice, and gives the least evidence a window. It is found within 7 windows in 95 % instead of 90 %; what looks for
 * others loses 0.3 nats of the tens that a larger change gives.
 */
export const tiltOfLeast = { count: 2, weight: 4 } as const;

/** Shifts by 0.1, 0.2 and 0.4, and a change of width. */
function tiltWeights(urn: Float64Array): Float64Array[] {
  const scores = normalScores(urn);
  const shift = scores.map((score) => Math.exp(0.1 * score));
  const twice = shift.map((weight) => weight * weight);
  return [
    shift,
    twice,
    twice.map((weight) => weight * weight),
    scores.map((score) => Math.exp(0.1 * (score * score - 1))),
  ];
}

/** How sure `apart` is of a category's share: about a standard deviation of 5 points at one half, 3 at one tenth. */
const apartRows = 100;

export function apart(urn: Float64Array, y: readonly number[]): number[] {
  const [balls, rows] = [sum(urn), sum(y)];
  const sure = Math.min(apartRows, balls);
  const all = logRising(balls, rows) - logRising(sure, rows);
  return y.map((count, cell) => {
    const [own, rest] = [urn[cell] ?? 0, rows - count];
    const share = own / balls;
    const other = logRising(sure * share, count) + logRising(sure * (1 - share), rest);
    return other - logRising(own, count) - logRising(balls - own, rest) + all;
  });
}

/** The standard normal quantile at the middle of each cell's mass. */
export function normalScores(urn: Float64Array): Float64Array {
  const balls = sum(urn);
  let below = 0;
  return urn.map((count) => {
    const middle = (below + count / 2) / balls;
    below += count;
    return normalQuantile(middle);
  });
}

/** The standard normal quantile to 4.5e-4: Abramowitz & Stegun 26.2.23. Any score that is decided before gives an e-value. */
function normalQuantile(share: number): number {
  const tail = Math.max(1e-12, Math.min(share, 1 - share));
  const t = Math.sqrt(-2 * Math.log(tail));
  const above = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  const value = t - (2.515517 + t * (0.802853 + t * 0.010328)) / above;
  return share < 0.5 ? -value : value;
}

export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < values.length; index += 1) total += values[index] ?? 0;
  return total;
}
