import { numberText } from '@serin/core/base/numbers';
import { type Columns, type Reader, table, valueAt } from '../table.ts';
import type { Part } from './parts.ts';

/** A metric on a hold-out: of a version, and of the champion that it was compared with. */
export interface Score {
  readonly metric: string;
  readonly value?: number;
  readonly champion?: number;
  /** What the gate wanted of it. */
  readonly wanted: readonly string[];
  readonly passed: boolean;
}

interface Check {
  readonly metric: string;
  readonly rule: string;
  readonly bound: number;
  readonly challenger?: number;
  readonly champion?: number;
  readonly passed: boolean;
}

const wantedText = ({ rule, bound }: Check): string =>
  rule === 'noWorseBy'
    ? `no worse than the champion by ${numberText(bound)}`
    : `${rule === 'atLeast' ? 'at least' : 'at most'} ${numberText(bound)}`;

/** The metrics of a gate's verdict, each once, in its order. */
export function scoresOf(document: unknown): readonly Score[] {
  const checks = valueAt(document, 'verdict.checks');
  const byMetric = Map.groupBy((Array.isArray(checks) ? checks : []) as readonly Check[], ({ metric }) => metric);
  return [...byMetric].map(([metric, own]) => {
    const value = own.find(({ challenger }) => challenger !== undefined)?.challenger;
    const champion = own.find((check) => check.champion !== undefined)?.champion;
    return {
      metric,
      ...(value === undefined ? {} : { value }),
      ...(champion === undefined ? {} : { champion }),
      wanted: own.map(wantedText),
      passed: own.every(({ passed }) => passed),
    };
  });
}

/** What the gate looked at, and what it said. */
export function gatePart(document: unknown, version: number | undefined, terminal: Reader): Part {
  const rows = scoresOf(document).map(({ wanted, passed, ...score }) => ({
    ...score,
    gate: passed ? 'passed' : 'refused',
    wanted: wanted.join(', '),
  }));
  const against = valueAt(document, 'verdict.against');
  const columns: Columns = {
    METRIC: 'metric',
    [version === undefined ? 'VALUE' : `V${version}`]: 'value',
    [against === undefined ? 'CHAMPION' : `CHAMPION V${against}`]: 'champion',
    GATE: { path: 'gate', as: 'state' },
    WANTED: 'wanted',
  };
  return { heading: 'Scores on the hold-out', text: rows.length === 0 ? '' : table(rows, columns, terminal) };
}
