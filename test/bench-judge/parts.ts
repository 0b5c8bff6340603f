import type { Claim } from './claims.ts';
import { othersPart } from './others-part.ts';
import { routingPart } from './routing-part.ts';
import { smallPart } from './small-part.ts';
import type { Case, Tallies } from './tally.ts';
import { togetherPart } from './together-part.ts';

/** What one more part of the judge is measured in: its cases, its targets and its section of docs/judge.md. */
export interface Part {
  readonly cases: readonly Case[];
  /** Of the cases that were run in this form. */
  claims(results: Readonly<Record<string, Tallies>>, form: 'short' | 'full'): readonly Claim[];
  /** Markdown, from its heading (`##`) on. */
  section(results: Readonly<Record<string, Tallies>>): string;
}

/** In the order of the page. */
export const parts: readonly Part[] = [routingPart, smallPart, togetherPart, othersPart];
