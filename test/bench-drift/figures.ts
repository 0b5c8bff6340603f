import { chiSquareLimit } from '@serin/core/drift/laws';
import { type Estimate, shareOf } from '../bench-judge/claims.ts';
import { newTally, type Tallies, type Tally } from '../bench-judge/tally.ts';

export type Results = Readonly<Record<string, Tallies>>;

export const tallyOf = (results: Results, name: string, of: string): Tally => results[name]?.[of] ?? newTally();

/** Incidents a year: the upper and the lower limit are those of a Poisson count, each at 95 %. */
export function yearly({ exposed, runs }: Tally): Estimate {
  const limit = (count: number, tail: number) => (count === 0 ? 0 : chiSquareLimit(tail, 2 * count) / 2);
  const most = chiSquareLimit(0.05, 2 * (exposed + 1)) / 2;
  if (runs === 0) return { value: 0, low: 0, high: Number.POSITIVE_INFINITY };
  return { value: exposed / runs, low: limit(exposed, 0.95) / runs, high: most / runs };
}

/** `0.2 (<= 0.31)`: a rate, and its upper limit. */
export function yearlyText(tally: Tally): string {
  if (tally.runs === 0) return '';
  const { value, high } = yearly(tally);
  return `${short(value)} (<= ${short(high)})`;
}

/** Of a tally whose `exposed` are shares: their mean. */
export const meanText = ({ exposed, runs }: Tally): string => (runs === 0 ? '' : `${short((100 * exposed) / runs)} %`);

export function shareText(tally: Tally): string {
  return tally.runs === 0 ? '' : `${short(100 * shareOf(tally).value)} %`;
}

export const short = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-GB') : String(Number(value.toPrecision(2)));
