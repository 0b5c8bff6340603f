import { calibrations } from './calibration.ts';
import { conditionCases } from './conditions.ts';
import { effects, promotions } from './effects.ts';
import { mutantCases } from './mutant-cases.ts';
import { nulls } from './nulls.ts';
import { othersPart } from './others-part.ts';
import { routingPart } from './routing-part.ts';
import { smallPart } from './small-part.ts';
import type { Case } from './tally.ts';
import { togetherPart } from './together-part.ts';

/** By the part of the page that they belong to. */
export const groups = {
  tuning: calibrations,
  conditions: conditionCases,
  routing: routingPart.cases,
  'few requests': smallPart.cases,
  together: togetherPart.cases,
  others: othersPart.cases,
  nulls,
  effects,
  promotions,
  mutants: mutantCases,
} as const satisfies Record<string, readonly Case[]>;

export const cases: readonly Case[] = Object.values(groups).flat();

export function caseNamed(name: string): Case {
  const found = cases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no case is named '${name}'`);
  return found;
}
