import { calibrations } from './calibration.ts';
import { conditionCases } from './conditions.ts';
import { effects, promotions } from './effects.ts';
import { mutantCases } from './mutant-cases.ts';
import { nulls } from './nulls.ts';
import { parts } from './parts.ts';
import type { Case } from './tally.ts';

export const cases: readonly Case[] = [
  ...calibrations,
  ...conditionCases,
  ...parts.flatMap((part) => part.cases),
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
