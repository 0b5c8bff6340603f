import type { Case } from '../bench-judge/tally.ts';
import { effectCases } from './effects.ts';
import { lateCases } from './late.ts';
import { nullCases } from './nulls.ts';
import { ruleCases } from './rule-cases.ts';

/** What is simulated. Speed, installed packages and real data are measured once, and are not cases. */
export const cases: readonly Case[] = [...nullCases, ...effectCases, ...lateCases, ...ruleCases];

export function caseNamed(name: string): Case {
  const found = cases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no case is named '${name}'`);
  return found;
}
