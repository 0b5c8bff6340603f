import { isNoChance } from './routing.ts';
import type { Rules } from './rules.ts';

/** What the hard limit uses, where there is a champion to compare with. */

export interface Arm {
  readonly requests: number;
  readonly errors: number;
}

export const noRequests: Arm = { requests: 0, errors: 0 };

export const plus = (arm: Arm, { requests, errors }: Arm): Arm => ({
  requests: arm.requests + requests,
  errors: arm.errors + errors,
});

/**
 * Requests (sticky: users at risk, and those with their first error) of all ticks in which both arms had some. A row of
 * ticks in which only one arm had some counts as one tick, with the one that ends it.
 */
export interface Compared {
  readonly candidate: Arm;
  readonly championRequests: number;
  /** Failures that the candidate would have had if it had failed as often as the champion did in the same tick. */
  readonly excused: number;
  /** The row of now. Absent: both arms had requests in the last tick. */
  readonly row?: Row;
}

interface Both {
  readonly candidate: Arm;
  readonly champion: Arm;
}

interface Row extends Both {
  /** The candidate's, in percent. */
  readonly weight: number;
  readonly ticks: number;
}

interface Given {
  readonly weight: number;
  readonly tickMs: number;
  readonly unit: Rules['unit'];
}

export const noneCompared: Compared = { candidate: noRequests, championRequests: 0, excused: 0 };

/**
 * With one more tick, in which at least one arm had requests. With few requests each tick may be one of a single arm, so a
 * row of them at one weight is summed up. A row that the weight makes impossible is a gap of the other arm: what failed in
 * it is compared with nothing.
 */
export function comparedAfter({ row: before, ...known }: Compared, tick: Both, given: Given): Compared {
  const all = rowAfter(before, tick, given.weight);
  const isOver = isWhole(all) && before !== undefined && isGap(before, given);
  const row = isOver ? { ...tick, weight: given.weight, ticks: 1 } : all;
  if (!isWhole(row)) return { ...known, row };
  const { candidate, champion } = row;
  return {
    candidate: plus(known.candidate, candidate),
    championRequests: known.championRequests + champion.requests,
    excused: known.excused + (candidate.requests * champion.errors) / champion.requests,
  };
}

function rowAfter(known: Row | undefined, { candidate, champion }: Both, weight: number): Row {
  if (known?.weight !== weight) return { weight, ticks: 1, candidate, champion };
  return {
    weight,
    ticks: known.ticks + 1,
    candidate: plus(known.candidate, candidate),
    champion: plus(known.champion, champion),
  };
}

const isWhole = ({ candidate, champion }: Both): boolean => candidate.requests > 0 && champion.requests > 0;

const isGap = ({ weight, ticks, candidate, champion }: Row, { tickMs, unit }: Given): boolean =>
  isNoChance(
    { candidate: candidate.requests, champion: champion.requests },
    { share: weight / 100, tickMs: tickMs * ticks, unit },
  );
