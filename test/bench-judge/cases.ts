import { calibrations } from './calibration.ts';
import { conditionCases } from './conditions.ts';
import { effects, promotions } from './effects.ts';
import { mutantCases } from './mutant-cases.ts';
import { nulls } from './nulls.ts';
import { otherCases } from './others-cases.ts';
import type { Case } from './tally.ts';

export const cases: readonly Case[] = [
  ...calibrations,
  ...conditionCases,
  ...otherCases,
  ...nulls,
  ...effects,
  ...promotions,
  ...mutantCases,
];

export function caseNamed(name: string): Case {
  const found = cases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no case is named '${name}'`);
  return found;
}

/** A number from a name (FNV-1a), so that no two cases share their streams. */
export function numberOf(name: string): number {
  let mixed = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) mixed = Math.imul(mixed ^ name.charCodeAt(index), 0x01000193);
  return mixed >>> 0;
}
