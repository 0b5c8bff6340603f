import { availableParallelism } from 'node:os';
import { groups } from './cases.ts';
import { chunk, type Spent } from './pool.ts';
import type { Case } from './tally.ts';

/** Where the processor time went, by the parts of the page, and what all runs of the full form would take. */
export function spentText(spent: Readonly<Record<string, Spent>>): readonly string[] {
  const all = Object.entries(groups).map(([part, cases]) => ({ part, cases: cases.map((one) => timeOf(one, spent)) }));
  const sum = (cases: readonly Time[], of: keyof Omit<Time, 'name'>): number =>
    cases.reduce((total, one) => total + one[of], 0);
  const slowest = all
    .flatMap(({ cases }) => cases)
    .toSorted((a, b) => b.fullMs - a.fullMs)
    .slice(0, 10);
  const whole = all.reduce((total, { cases }) => total + sum(cases, 'fullMs'), 0);
  const cores = availableParallelism();
  const minutes = (whole / cores / 60_000).toFixed(1);
  const isWhole = all.every(({ cases }) => cases.every(({ runs, fullRuns }) => runs > 0 || fullRuns === 0));
  return [
    ...all.map(
      ({ part, cases }) =>
        `${seconds(sum(cases, 'ms'))} of ${seconds(sum(cases, 'fullMs'))}  ${part}: ${sum(cases, 'runs')} of ${sum(cases, 'fullRuns')} runs`,
    ),
    ...(isWhole
      ? [`All runs of the full form: ${seconds(whole).trim()}, or ${minutes} min on ${cores} quiet cores`]
      : []),
    'The slowest cases',
    ...slowest.map(
      ({ name, ms, fullMs, fullRuns }) => `${seconds(ms)} of ${seconds(fullMs)}  ${name}: ${fullRuns} runs`,
    ),
  ];
}

interface Time {
  readonly name: string;
  readonly ms: number;
  readonly runs: number;
  readonly fullRuns: number;
  readonly fullMs: number;
}

function timeOf({ name, runs: { full } }: Case, spent: Readonly<Record<string, Spent>>): Time {
  const { beginMs, runMs, runs, chunks } = spent[name] ?? { beginMs: 0, runMs: 0, runs: 0, chunks: 0 };
  const fullMs = runs === 0 ? 0 : (Math.ceil(full / chunk) * beginMs) / chunks + (full * runMs) / runs;
  return { name, ms: beginMs + runMs, runs, fullRuns: full, fullMs };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`.padStart(9);
