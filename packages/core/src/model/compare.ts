import { numberText } from '../base/numbers.ts';
import { own } from '../base/objects.ts';
import type { Criteria, GateVerdict, Metrics } from './run/gate.ts';

/** A version, as far as it is compared with another. */
export interface Comparable {
  readonly number: number;
  readonly dataset?: string;
  readonly scores?: Readonly<Record<string, Metrics>>;
  readonly lineage?: Readonly<Record<string, string>>;
  readonly verdict?: GateVerdict;
}

type Two = readonly [Comparable, Comparable];

/** A metric of both; what it says is said of the first. */
export interface ComparedScore {
  readonly metric: string;
  readonly one?: number;
  readonly other?: number;
  /** From the second to the first, with its sign. */
  readonly difference?: string;
  /** Absent where the gate does not say which way is better. */
  readonly says?: 'better' | 'worse' | 'equal';
}

/**
 * The scores of two versions: on one hold-out (`isSame`) where both were scored on the same, else each on that of its
 * own run. The metrics of the gate come first.
 */
export function comparedScores(
  versions: Two,
  gate: Criteria = {},
): { readonly rows: readonly ComparedScore[]; readonly isSame: boolean } {
  const [one, other] = versions;
  const { read, isSame } = measured(one, other);
  const scored = versions.flatMap(({ scores = {} }) => Object.values(scores).flatMap(Object.keys));
  const rows = [...new Set([...Object.keys(gate), ...scored])].map((metric) =>
    comparedScore(metric, read(metric), own(gate, metric)?.direction),
  );
  return { rows: rows.filter((row) => row.one !== undefined || row.other !== undefined), isSame };
}

type Pair = readonly [number | undefined, number | undefined];

function measured(one: Comparable, other: Comparable) {
  const key = Object.keys(one.scores ?? {}).findLast((each) => other.scores?.[each] !== undefined);
  const isAgainst = (mine: Comparable, theirs: Comparable) => mine.verdict?.against === theirs.number;
  const read = (metric: string): Pair => {
    if (key !== undefined) return [own(one.scores?.[key], metric), own(other.scores?.[key], metric)];
    if (isAgainst(one, other)) return [scoreOf(one, metric), championScoreOf(one, metric)];
    if (isAgainst(other, one)) return [championScoreOf(other, metric), scoreOf(other, metric)];
    return [scoreOf(one, metric), scoreOf(other, metric)];
  };
  return { read, isSame: key !== undefined || isAgainst(one, other) || isAgainst(other, one) };
}

function comparedScore(metric: string, [one, other]: Pair, direction: 'up' | 'down' | undefined): ComparedScore {
  if (one === undefined) return other === undefined ? { metric } : { metric, other };
  if (other === undefined) return { metric, one };
  const row = { metric, one, other, difference: `${one > other ? '+' : ''}${numberText(one - other)}` };
  if (one === other) return { ...row, says: 'equal' };
  if (direction === undefined) return row;
  return { ...row, says: one > other === (direction === 'up') ? 'better' : 'worse' };
}

/** The score on the hold-out of its own run, as its gate had it, else as it was measured last. */
export function scoreOf({ verdict, scores = {} }: Comparable, metric: string): number | undefined {
  const judged = verdict?.checks.find((check) => check.metric === metric)?.challenger;
  return judged ?? own(Object.values(scores).at(-1), metric);
}

/** What the champion of that time had on the same hold-out. */
export const championScoreOf = ({ verdict }: Comparable, metric: string): number | undefined =>
  verdict?.checks.find((check) => check.metric === metric && check.champion !== undefined)?.champion;

/** What a version was made from, in words. */
export const lineageNames: Readonly<Record<string, string>> = {
  trigger: 'trigger',
  dataset: 'dataset',
  code: 'code',
  image: 'image',
  repository: 'repository',
  commit: 'commit',
  split: 'split',
  hyperparameters: 'hyperparameters',
  startedBy: 'started by',
  releasedBy: 'released by',
  droppedBy: 'dropped by',
  fourEyes: 'four eyes',
};

const compared = ['code', 'image', 'commit', 'split', 'trigger', 'releasedBy', 'droppedBy'] as const;

interface Origin {
  readonly what: string;
  readonly one: unknown;
  readonly other: unknown;
}

/** What both were made from, and their hyperparameters. What neither has is left out. */
export function comparedOrigins([one, other]: Two): readonly Origin[] {
  const [left, right] = [one, other].map(({ lineage }) => hyperparametersIn(lineage?.hyperparameters));
  const rows: readonly Origin[] = [
    { what: 'dataset', one: one.dataset, other: other.dataset },
    ...compared.map((name) => ({
      what: lineageNames[name] ?? name,
      one: one.lineage?.[name],
      other: other.lineage?.[name],
    })),
    ...Object.keys({ ...left, ...right }).map((what) => ({ what, one: left?.[what], other: right?.[what] })),
  ];
  return rows.filter((row) => row.one !== undefined || row.other !== undefined);
}

/** They are kept as JSON. Text that cannot be read has none. */
export function hyperparametersIn(text: unknown): Readonly<Record<string, unknown>> {
  try {
    return typeof text === 'string' ? (Object(JSON.parse(text)) as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
