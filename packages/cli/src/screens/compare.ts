import { grouped } from '@serin/core/base/numbers';
import { type Comparable, comparedOrigins, comparedScores } from '@serin/core/model/compare';
import type { Criteria } from '@serin/core/model/run/gate';
import type { Document } from '../client.ts';
import { type Columns, type Reader, table, textOf, valueAt } from '../table.ts';
import { joined, type Part, screenOf, textAt } from './parts.ts';

/** One of the two: a version, and how it was rolled out. */
export interface Side {
  readonly version: Document;
  readonly rollout?: Document;
}

export interface Comparison {
  readonly versions: readonly [Side, Side];
  /** Of the model's config: which way a metric is better. */
  readonly gate?: unknown;
}

/** Two versions side by side; what is the same of both stands once. */
export function compareScreen({ versions, gate }: Comparison, terminal: Reader): string {
  const [one, other] = versions;
  return screenOf(
    `${nameOf(one)} and ${nameOf(other)}`,
    [
      { heading: 'Scores', text: scoresText(versions, gate, terminal) },
      { heading: 'Made from', text: originText(versions, terminal) },
      servedPart(versions, terminal),
    ],
    terminal,
  );
}

const nameOf = ({ version }: Side): string => `${textAt(version, 'model')} v${textAt(version, 'number')}`;
const titleOf = ({ version }: Side): string => `V${textAt(version, 'number')}`;

/** The documents are the API's own. */
const versionsOf = (versions: Comparison['versions']): readonly [Comparable, Comparable] => [
  Object(versions[0].version) as Comparable,
  Object(versions[1].version) as Comparable,
];

function scoresText(versions: Comparison['versions'], gate: unknown, terminal: Reader): string {
  const { rows, isSame } = comparedScores(versionsOf(versions), Object(gate) as Criteria);
  if (rows.length === 0) return '';
  const columns: Columns = {
    METRIC: 'metric',
    [titleOf(versions[0])]: 'one',
    [titleOf(versions[1])]: 'other',
    DIFFERENCE: 'difference',
    [`${titleOf(versions[0])} IS`]: { path: 'says', as: 'state' },
  };
  const note = isSame
    ? 'on the same hold-out'
    : 'each on the hold-out of its own run: the numbers do not compare exactly';
  const told = rows.map((row) => (row.says === 'equal' ? { ...row, difference: 'equal', says: undefined } : row));
  return `${table(told, columns, terminal)}${terminal.paint('dim', note)}\n`;
}

function originText(versions: Comparison['versions'], terminal: Reader): string {
  const rows = comparedOrigins(versionsOf(versions))
    .map(({ what, one, other }) => ({ what: textOf('', what), one: textOf('', one), other: textOf('', other) }))
    .map((row) => (row.one === row.other ? { ...row, other: '', same: 'same' } : row));
  const columns: Columns = {
    WHAT: 'what',
    SAME: { path: 'same' },
    [titleOf(versions[0])]: 'one',
    [titleOf(versions[1])]: 'other',
  };
  return rows.length === 0 ? '' : table(rows, columns, terminal);
}

function servedPart(versions: Comparison['versions'], terminal: Reader): Part {
  const rows = versions.flatMap((side) => (side.rollout === undefined ? [] : [servedRow(side, side.rollout)]));
  const columns: Columns = {
    VERSION: 'version',
    ROLLOUT: { path: 'status', as: 'state' },
    REQUESTS: 'requests',
    FAILED: 'failed',
    WHY: 'because',
  };
  return { heading: 'Served', text: rows.length === 0 ? '' : table(rows, columns, terminal) };
}

const servedRow = ({ version }: Side, rollout: Document) => ({
  version: `v${textAt(version, 'number')}`,
  status: rollout.status,
  requests: grouped(Number(valueAt(rollout, 'evidence.candidate.requests') ?? 0)),
  failed: joined('', textAt(rollout, 'evidence.candidate.errors')),
  because: rollout.because,
});
