import { countText } from '../base/numbers.ts';
import { defined, own } from '../base/objects.ts';
import { columnChecks } from './column-checks.ts';
import type { ColumnCheck, Compared } from './compared.ts';
import { type DatasetCheck, datasetChecks, type Whole } from './dataset-checks.ts';
import { kindOf } from './kind.ts';
import type { ColumnProfile, DatasetProfile } from './profile.ts';
import type { ColumnKind, Reference, WindowCounts } from './reference.ts';
import {
  type CheckAction,
  type ColumnRule,
  type DataReport,
  type Finding,
  listed,
  named,
  type Outcome,
} from './report.ts';

/** Whether a dataset may be trained on: decided before anything is paid. */

/** By name: what each check says, and what it does by itself at most. */
export const checks: Readonly<Record<string, Omit<DatasetCheck, 'measure'> | Omit<ColumnCheck, 'measure'>>> = {
  ...datasetChecks,
  ...columnChecks,
};
export type CheckName = keyof typeof datasetChecks | keyof typeof columnChecks;
// The keys of the two tables.
export const checkNames = Object.keys(checks) as readonly CheckName[];

/** Of values that have moved. */
const moved = new Set<string>(
  Object.entries<ColumnCheck>(columnChecks).flatMap(([name, { ofMoved }]) => (ofMoved ? [name] : [])),
);

/** What the config says of the validation; `{}` is all defaults. */
export interface DataRules {
  readonly checks?: Readonly<Partial<Record<CheckName, CheckAction | undefined>>> | undefined;
  /** The column that a model predicts. */
  readonly label?: string | undefined;
  /** Of a split by manifest: a column whose values the two parts may not share, and one by which the hold-out is later. */
  readonly key?: string | undefined;
  readonly time?: string | undefined;
  readonly columns?: Readonly<Record<string, ColumnRule>> | undefined;
  /** An alert asked for the run, or the requests have drifted: not of the config. */
  readonly changeExpected?: true | undefined;
}

export interface Validated {
  readonly profile: DatasetProfile;
  /** The dataset that the champion was trained on, with the reference that was frozen of it. */
  readonly against?: { readonly profile: DatasetProfile; readonly reference?: Reference };
  /** The rows of the new dataset on the cells of `against.reference`. Without them extremes and lists tell less. */
  readonly counts?: WindowCounts;
  /** Its rows on cells of its own, where they were counted before the report. */
  readonly own?: Reference;
  readonly rules: DataRules;
  /** Rows of the datasets before, the newest last. */
  readonly rowsBefore: readonly number[];
  /** Of a split by manifest: its two parts, for what both have. */
  readonly parts?: { readonly train: DatasetProfile; readonly holdout: DatasetProfile };
}

/** The label that each column is counted by, unless no check asks for it. */
export const labelToCount = ({ label, checks: given }: DataRules): string | undefined =>
  given?.labelAlone === 'off' && given.labelByMissing === 'off' ? undefined : label;

/**
 * Compares a dataset with the one before it, and with what the config promises.
 *
 * Pure, and the same for the same profiles in any order of their columns but for the order of findings. A finding is over
 * its limit, and is no accident of sampling: for each check of columns all of them together exceed it by chance in at most
 * one of a thousand datasets whose rows are independent (unseen categories: about).
 */
export function validateDataset(given: Validated): DataReport {
  const { profile, against, rules } = given;
  const results = [...wholeResults(given), ...columnResults(given)].map((result) => settled(result, rules));
  const findings = results.flatMap(({ finding }) => (finding === undefined ? [] : [finding]));
  const refusals = findings.filter(({ action }) => action === 'refuse');
  const sorted = [...refusals, ...findings.filter(({ action }) => action === 'warn')];
  return {
    version: 1,
    refused: refusals.length > 0,
    because: becauseOf(sorted, profile),
    rows: profile.rows,
    ...(against === undefined
      ? {}
      : { against: { rows: against.profile.rows, columns: against.profile.columns.length } }),
    findings: sorted.slice(0, mostFindings),
    more: Math.max(0, sorted.length - mostFindings),
    ...(given.own?.labelUnknown === undefined
      ? {}
      : { notCompared: [`no column was compared with the label: ${given.own.labelUnknown}`] }),
    compared: [...new Set(results.flatMap(({ check, isOfColumn }) => (isOfColumn ? [] : [check])))],
    columns: comparedColumns(profile, results, given),
  };
}

const mostFindings = 1000;

interface Result {
  readonly check: CheckName;
  readonly column?: string;
  readonly outcome: Outcome;
  readonly finding?: Finding;
  readonly isOfColumn: boolean;
}

const actionOf = ({ checks: given }: DataRules, check: CheckName): CheckAction =>
  given?.[check] ?? checks[check]?.action ?? 'off';

const isOn =
  ({ rules }: Validated) =>
  ([name]: readonly [string, unknown]): boolean =>
    actionOf(rules, name as CheckName) !== 'off'; // a key of a table

function wholeResults(given: Validated): readonly Result[] {
  const { profile, against, counts, own, rules, rowsBefore, parts } = given;
  const whole: Whole = {
    ...{ profile, rowsBefore, columns: rules.columns ?? {} },
    ...(against === undefined ? {} : { before: against.profile }),
    ...(against?.reference === undefined || counts === undefined
      ? {}
      : { counted: { reference: against.reference, counts } }),
    ...defined({ label: rules.label, key: rules.key, time: rules.time }),
    ...(parts === undefined ? {} : { parts }),
    ...(own === undefined ? {} : { own }),
  };
  return Object.entries<DatasetCheck>(datasetChecks)
    .filter(isOn(given))
    .flatMap(([check, { measure }]) =>
      measure(whole).map((placed) => ({ check: check as CheckName, ...placed, isOfColumn: false })),
    );
}

function columnResults(given: Validated): readonly Result[] {
  const { profile } = given;
  if (profile.rows === 0) return [];
  const on = Object.entries<ColumnCheck>(columnChecks).filter(isOn(given));
  const compare = comparing(given);
  const columns = profile.columns.map((column) => [column.name, compare(column)] as const);
  return on.flatMap(([check, { measure }]) =>
    columns.flatMap(([column, compared]): readonly Result[] => {
      const outcome = measure(compared);
      return outcome === undefined ? [] : [{ check: check as CheckName, column, outcome, isOfColumn: true }];
    }),
  );
}

function comparing(given: Validated): (column: ColumnProfile) => Compared {
  const { profile, against, counts, rules } = given;
  const before = new Map(against?.profile.columns.map((column) => [column.name, column]));
  const places = new Map(against?.reference?.columns.map(({ name }, index) => [name, index]));
  const kind = kinds(given);
  const rare = 0.001 / Math.max(1, profile.columns.length);
  return (now) => {
    const [place, rule, was] = [places.get(now.name) ?? -1, own(rules.columns, now.name), before.get(now.name)];
    const [cells, counted] = [against?.reference?.columns[place], counts?.columns[place]];
    return {
      ...{ now, rows: profile.rows, rare, kind: kind(now) },
      ...(was === undefined || against === undefined || against.profile.rows === 0
        ? {}
        : { before: { column: was, rows: against.profile.rows } }),
      ...(rule === undefined ? {} : { rule }),
      ...(cells === undefined ? {} : { cells }),
      ...(counted === undefined ? {} : { counts: counted }),
    };
  };
}

/** A column is compared as the reference froze it, or else as the dataset before had it. */
function kinds({ against }: Validated): (column: ColumnProfile) => ColumnKind {
  const frozen = new Map(against?.reference?.columns.map(({ name, kind }) => [name, kind]));
  const before = new Map(against?.profile.columns.map((column) => [column.name, column]));
  return (column) => frozen.get(column.name) ?? kindOf(before.get(column.name) ?? column);
}

/**
 * Where something has changed already, data that has moved as well is what the run is for, and the gate judges what comes of
 * it. What the config says of the check or promises of the column holds.
 */
function isExcused(
  { check, column = '' }: Result,
  { changeExpected, checks: given, columns = {} }: DataRules,
): boolean {
  const { min, max, values } = own(columns, column) ?? {};
  const isPromised = min !== undefined || max !== undefined || values !== undefined;
  return changeExpected === true && moved.has(check) && given?.[check] === undefined && !isPromised;
}

/** What a result comes to: `warn` lowers each refusal, and `refuse` raises what only warns by itself. */
function settled(result: Result, rules: DataRules): Result {
  const { check, column, outcome } = result;
  if (outcome === 'passed') return result;
  const wanted = isExcused(result, rules) ? 'warn' : actionOf(rules, check);
  const isRaised = wanted === 'refuse' && checks[check]?.action === 'warn';
  const action = isRaised ? 'refuse' : wanted === 'warn' ? 'warn' : outcome.action;
  const text = column === undefined ? outcome.text : `${named(column)} ${outcome.text}`;
  return { ...result, finding: { check, ...(column === undefined ? {} : { column }), ...outcome, action, text } };
}

function comparedColumns(
  { columns }: DatasetProfile,
  results: readonly Result[],
  given: Validated,
): DataReport['columns'] {
  const compared = new Map<string, CheckName[]>();
  for (const { check, column, isOfColumn } of results)
    if (isOfColumn && column !== undefined) compared.set(column, [...(compared.get(column) ?? []), check]);
  const kind = kinds(given);
  return columns.map((column) => ({
    name: column.name,
    kind: kind(column),
    compared: compared.get(column.name) ?? [],
  }));
}

const longestBecause = 1000;

/** The reasons of a refusal, or else the warnings. */
function becauseOf(findings: readonly Finding[], { rows, columns }: DatasetProfile): string {
  const [first] = findings;
  if (first === undefined)
    return `nothing was found in ${countText(rows, 'row')} of ${countText(columns.length, 'column')}`;
  const told = findings.filter(({ action }) => action === first.action).map(({ text }) => text);
  const count = countText(told.length, first.action === 'refuse' ? 'fault' : 'warning');
  return `the dataset has ${count}: ${listed(told, '; ')}`.slice(0, longestBecause);
}
