import type { Random } from './random.ts';

/** What one rule did in the runs of one case. */
export interface Tally {
  runs: number;
  found: number;
  /** Requests to the candidate, summed over all runs; a run that was not ended counts whole. */
  exposed: number;
  exposedSquares: number;
  /** Of the runs that were ended, after how many minutes (or ticks, or pairs: the case says what). */
  minutes: number[];
}
export type Tallies = Record<string, Tally>;

export const newTally = (): Tally => ({ runs: 0, found: 0, exposed: 0, exposedSquares: 0, minutes: [] });

export function note(tallies: Tallies, rule: string, minute: number | undefined, exposed = 0): void {
  const tally = tallies[rule] ?? newTally();
  tallies[rule] = tally;
  tally.runs += 1;
  tally.exposed += exposed;
  tally.exposedSquares += exposed * exposed;
  if (minute === undefined) return;
  tally.found += 1;
  tally.minutes.push(minute);
}

export function merge(into: Tallies, more: Tallies): void {
  for (const [rule, tally] of Object.entries(more)) {
    const known = into[rule] ?? newTally();
    into[rule] = known;
    known.runs += tally.runs;
    known.found += tally.found;
    known.exposed += tally.exposed;
    known.exposedSquares += tally.exposedSquares;
    for (const minute of tally.minutes) known.minutes.push(minute);
  }
}

/** The limits of the tuned threshold rules, by rule: found in a run of their own, before the rest. */
export interface Context {
  readonly limits: Readonly<Record<string, number>>;
}

/** A stream and what is measured on it. Runs are numbered, and a run's numbers depend on the seed and its number alone. */
export interface Case {
  readonly name: string;
  /** 0: not in this form. */
  readonly runs: { readonly short: number; readonly full: number };
  /** Prepares buffers once, and answers what to do in each run. */
  begin(context: Context): (random: Random, tallies: Tallies) => void;
}
