import { grouped, numberText } from '@serin/core/base/numbers';
import type { Document } from '../client.ts';
import { type Columns, type Reader, table, textOf, valueAt } from '../table.ts';
import { joined, type Part, screenOf, textAt } from './parts.ts';
import { scoresOf } from './scores.ts';

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

type Metrics = Readonly<Record<string, unknown>>;

/** The scores of both, on one hold-out where both were scored on the same, else each on that of its own run. */
interface Measured {
  readonly values: readonly [Metrics, Metrics];
  readonly isSame: boolean;
}

function measured([one, other]: Comparison['versions']): Measured {
  const scores = ({ version }: Side) => Object(version.scores) as Readonly<Record<string, Metrics>>;
  const key = Object.keys(scores(one)).findLast((each) => scores(other)[each] !== undefined);
  if (key !== undefined) return { values: [scores(one)[key] ?? {}, scores(other)[key] ?? {}], isSame: true };
  if (isAgainst(one, other)) return { values: [gateMetrics(one, 'value'), gateMetrics(one, 'champion')], isSame: true };
  if (isAgainst(other, one))
    return { values: [gateMetrics(other, 'champion'), gateMetrics(other, 'value')], isSame: true };
  return { values: [gateMetrics(one, 'value'), gateMetrics(other, 'value')], isSame: false };
}

/** The gate of one compared it with the other, which was the champion. */
const isAgainst = (one: Side, other: Side): boolean =>
  valueAt(one.version, 'verdict.against') === other.version.number && other.version.number !== undefined;

const gateMetrics = ({ version }: Side, whose: 'value' | 'champion'): Metrics =>
  Object.fromEntries(scoresOf(version).map((score) => [score.metric, score[whose]]));

function scoresText(versions: Comparison['versions'], gate: unknown, terminal: Reader): string {
  const { values, isSame } = measured(versions);
  const [one, other] = values;
  const rows = [...new Set([...Object.keys(one), ...Object.keys(other)])].map((metric) => ({
    metric,
    ...{ one: one[metric], other: other[metric] },
    ...difference(one[metric], other[metric], valueAt(gate, `${metric}.direction`)),
  }));
  if (rows.length === 0) return '';
  const columns: Columns = {
    METRIC: 'metric',
    [titleOf(versions[0])]: 'one',
    [titleOf(versions[1])]: 'other',
    DIFFERENCE: 'difference',
    '': { path: 'says', as: 'state' },
  };
  const note = isSame
    ? 'on the same hold-out'
    : 'each on the hold-out of its own run: the numbers do not compare exactly';
  return `${table(rows, columns, terminal)}${terminal.paint('dim', note)}\n`;
}

/** From the second to the first; better or worse is known only where the gate knows it. */
function difference(one: unknown, other: unknown, direction: unknown) {
  if (typeof one !== 'number' || typeof other !== 'number') return {};
  const by = one - other;
  const text = `${by > 0 ? '+' : ''}${numberText(Number(by.toPrecision(6)))}`;
  if (by === 0 || (direction !== 'up' && direction !== 'down')) return { difference: by === 0 ? 'equal' : text };
  return { difference: text, says: by > 0 === (direction === 'up') ? 'better' : 'worse' };
}

const origins: readonly (readonly [string, string])[] = [
  ['data', 'dataset'],
  ['code', 'lineage.code'],
  ['image', 'lineage.image'],
  ['commit', 'lineage.commit'],
  ['split', 'lineage.split'],
  ['trigger', 'lineage.trigger'],
  ['released by', 'lineage.releasedBy'],
  ['dropped by', 'lineage.droppedBy'],
];

function originText([one, other]: Comparison['versions'], terminal: Reader): string {
  const named = origins.map(([what, at]) => ({ what, one: textAt(one.version, at), other: textAt(other.version, at) }));
  const rows = [...named, ...hyperparameters(one, other)]
    .filter((row) => row.one !== '' || row.other !== '')
    .map((row) => (row.one === row.other ? { ...row, other: '', same: 'same' } : row));
  const columns: Columns = {
    WHAT: 'what',
    SAME: { path: 'same' },
    [titleOf(one)]: 'one',
    [titleOf(other)]: 'other',
  };
  return rows.length === 0 ? '' : table(rows, columns, terminal);
}

function hyperparameters(one: Side, other: Side) {
  const [left, right] = [one, other].map(({ version }) => parsed(valueAt(version, 'lineage.hyperparameters')));
  const names = [...new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})])];
  return names.map((name) => ({
    what: textOf('', name),
    one: textOf('', left?.[name]),
    other: textOf('', right?.[name]),
  }));
}

/** They are kept as JSON. */
function parsed(value: unknown): Readonly<Record<string, unknown>> {
  try {
    return typeof value === 'string' ? (Object(JSON.parse(value)) as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
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
