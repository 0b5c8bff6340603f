import { clopperPearson } from './distribution.ts';
import type { Tally } from './tally.ts';

/** A measured figure, and how far off it may be by chance. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What was promised of a figure. */
export interface Claim {
  readonly what: string;
  readonly estimate: Estimate;
  readonly goal: { readonly atMost: number } | { readonly atLeast: number };
  readonly unit: 'share' | 'minutes' | 'ticks' | 'requests' | 'windows' | 'a year' | 'ms' | 'M/s' | 'MB';
  /** The upper limit has to meet the goal, not the figure alone. */
  readonly strict?: boolean;
}

export type Verdict = 'met' | 'missed' | 'open';

/**
 * With all runs the figure decides (`strict`: its limit). With few, only a figure whose limits lie beyond the goal is
 * missed, and one whose limits lie across it is open.
 */
export function verdictOn({ estimate, goal, strict = false }: Claim, form: 'short' | 'full'): Verdict {
  const { value, low, high } = estimate;
  const upper = 'atMost' in goal;
  const limit = upper ? goal.atMost : goal.atLeast;
  const within = (figure: number) => (upper ? figure <= limit : figure >= limit);
  const [best, worst] = upper ? [low, high] : [high, low];
  if (form === 'full') return within(strict ? worst : value) ? 'met' : 'missed';
  if (!within(best)) return 'missed';
  return within(worst) ? 'met' : 'open';
}

export function shareOf({ found, runs }: Tally): Estimate {
  return { value: runs === 0 ? 0 : found / runs, ...clopperPearson(found, runs) };
}

/** A share of the runs that ended within so many minutes. */
export function shareWithin({ runs, minutes }: Tally, limit: number): Estimate {
  const hits = minutes.filter((minute) => minute <= limit).length;
  return { value: runs === 0 ? 0 : hits / runs, ...clopperPearson(hits, runs) };
}

/** Over all runs, those that were not ended being later than any; limits from the order of the runs, at 95 %. */
export function medianOf({ runs, minutes }: Tally): Estimate {
  const sorted = minutes.toSorted((a, b) => a - b);
  const at = (rank: number) => sorted[Math.max(0, Math.ceil(rank) - 1)] ?? Number.POSITIVE_INFINITY;
  const spread = 0.98 * Math.sqrt(runs);
  return { value: at(runs / 2), low: at(runs / 2 - spread), high: at(runs / 2 + spread + 1) };
}

/** When this part of all runs was ended. */
export function quantileOf({ runs, minutes }: Tally, part: number): number {
  const sorted = minutes.toSorted((a, b) => a - b);
  return sorted[Math.ceil(part * runs) - 1] ?? Number.POSITIVE_INFINITY;
}

/** Requests to the candidate in the mean of all runs, with the limits of a normal mean at 95 %. */
export function exposureOf({ runs, exposed, exposedSquares }: Tally): Estimate {
  if (runs === 0) return { value: 0, low: 0, high: 0 };
  const value = exposed / runs;
  const error = 1.96 * Math.sqrt(Math.max(0, exposedSquares / runs - value * value) / runs);
  return { value, low: value - error, high: value + error };
}

export function figure(value: number, unit: Claim['unit']): string {
  if (!Number.isFinite(value)) return 'never';
  if (unit === 'share') return `${Number((value * 100).toPrecision(3))} %`;
  if (unit === 'a year' || unit === 'M/s') return `${Number(value.toPrecision(2))} ${unit}`;
  if (unit === 'windows') return value === 1 ? '1 window' : `${value} windows`;
  const rounded = Math.round(value).toLocaleString('en-GB');
  return unit === 'requests' ? rounded : `${rounded} ${unit === 'minutes' ? 'min' : unit}`;
}

export const goalText = ({ goal, unit }: Claim): string =>
  'atMost' in goal ? `<= ${figure(goal.atMost, unit)}` : `>= ${figure(goal.atLeast, unit)}`;

export function estimateText({ estimate, unit }: Pick<Claim, 'estimate' | 'unit'>): string {
  const { value, low, high } = estimate;
  return `${figure(value, unit)} (${figure(low, unit)} to ${figure(high, unit)})`;
}
