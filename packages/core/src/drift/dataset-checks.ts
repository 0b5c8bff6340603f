import { countText, grouped, median, numberText, percent } from '../base/numbers.ts';
import { instant } from '../base/time.ts';
import { type Alone, tooGood } from './alone.ts';
import { compareDatasets, usualLimits } from './compare.ts';
import { duplicateShare, leakOf, leaksOver } from './equal-rows.ts';
import { kindOf, valuesOf } from './kind.ts';
import type { ColumnProfile, DatasetProfile } from './profile.ts';
import type { Reference, WindowCounts } from './reference.ts';
import { type ColumnRule, graded, listed, named, type Outcome } from './report.ts';

/** A dataset as a whole, and what is known of those before it. */
export interface Whole {
  readonly profile: DatasetProfile;
  readonly before?: DatasetProfile;
  /** Rows of the datasets before, the newest last. */
  readonly rowsBefore: readonly number[];
  /** The rows of the dataset on the cells of the one before. */
  readonly counted?: { readonly reference: Reference; readonly counts: WindowCounts };
  readonly label?: string;
  readonly key?: string;
  readonly time?: string;
  /** The dataset on its own cells: what each column alone tells of the label. */
  readonly own?: Reference;
  readonly columns: Readonly<Record<string, ColumnRule>>;
  /** Of a split by manifest: its two parts. */
  readonly parts?: { readonly train: DatasetProfile; readonly holdout: DatasetProfile };
}

export interface DatasetCheck {
  /** What it does by itself, at most. */
  readonly action: 'warn' | 'refuse';
  readonly says: string;
  /** Empty: there is nothing to compare. */
  readonly measure: (whole: Whole) => readonly Placed[];
}
type Placed = { readonly column?: string; readonly outcome: Outcome };

const limits = {
  badRows: { warn: 0.001, refuse: 0.01 },
  duplicates: 0.01,
  leakage: 0.001,
  /** In robust standard deviations of the logarithm of the rows; one is at least a tenth. */
  volume: 3.5,
  leastDeviation: 0.1,
  datasets: { least: 7, most: 14 },
  classRows: 20,
} as const;

/** Every check of a dataset as a whole, in the order in which findings are told. */
export const datasetChecks = {
  rows: {
    action: 'refuse',
    says: 'no rows: refuses',
    measure: ({ profile }) => [{ outcome: profile.rows > 0 ? 'passed' : noRows(profile) }],
  },
  badRows: {
    action: 'refuse',
    says: 'rows that cannot be read, or are not UTF-8: over 0.1 % warns, over 1 % refuses',
    measure: badRows,
  },
  volume: {
    action: 'warn',
    says: 'far more or fewer rows than the last 14 datasets (7 at least): more than 3.5 robust deviations of ln rows, one being 0.1 at least',
    measure: volume,
  },
  duplicates: {
    action: 'warn',
    says: 'rows that are copies of others: more than 1 point over before',
    measure: duplicates,
  },
  leakage: {
    action: 'refuse',
    says: 'rows of the hold-out that training has as well, in a split by manifest: any warns, over 0.1 % refuses',
    measure: leakage,
  },
  leakageByKey: {
    action: 'refuse',
    says: 'values of validate.key that training and the hold-out both have, in a split by manifest: any refuses',
    measure: leakageByKey,
  },
  leakageByTime: {
    action: 'refuse',
    says: 'rows of training that by validate.time are not before all of the hold-out, in a split by manifest: any refuses',
    measure: leakageByTime,
  },
  missingColumn: {
    action: 'refuse',
    says: 'a column of before, of validate.columns, the label, the key or the time is not there',
    measure: missingColumn,
  },
  extraColumn: { action: 'warn', says: 'a column that was not there before', measure: extraColumn },
  distribution: {
    action: 'warn',
    says: `values that are distributed otherwise than before: a distance over what chance explains of more than ${usualLimits.notice}, Kolmogorov-Smirnov of numbers and the largest change of the share of a category`,
    measure: distribution,
  },
  labelMissing: { action: 'refuse', says: 'rows without a label', measure: labelMissing },
  labelOneClass: { action: 'refuse', says: 'all labels are the same', measure: labelOneClass },
  labelRareClass: { action: 'refuse', says: 'a class of the label has fewer than 20 rows', measure: labelRareClass },
  labelAlone: {
    action: 'warn',
    says: `one column alone tells the label, so it is hardly known before it: an AUC of ${tooGood.auc} or more of a class against the rest, or an R2 of ${tooGood.r2} or more of a number`,
    measure: labelAlone,
  },
  labelByMissing: {
    action: 'warn',
    says: `whether a column has a value tells the label: an AUC of ${tooGood.missingAuc} or more`,
    measure: labelByMissing,
  },
} as const satisfies Readonly<Record<string, DatasetCheck>>;

function noRows({ objects, passedOver }: DatasetProfile): Outcome {
  const others =
    objects > 0 || passedOver === 0
      ? ''
      : `: none of its ${countText(passedOver, 'object')} is CSV, NDJSON or Parquet by its name`;
  return { action: 'refuse', value: 0, limit: 1, text: `the dataset has no rows${others}` };
}

function badRows({ profile: { rows, badRows: bad } }: Whole): readonly Placed[] {
  const value = bad.rows === 0 ? 0 : bad.rows / (rows + bad.rows);
  const found = graded(value, limits.badRows);
  if (found === undefined) return [{ outcome: 'passed' }];
  const first = bad.first === undefined ? '' : `; the first is ${named(bad.first)}`;
  const text = `${countText(bad.rows, 'row')} (${percent(value)}) cannot be read, and the limit is ${percent(found.limit)}${first}`;
  return [{ outcome: { ...found, value, text } }];
}

function volume({ profile: { rows }, rowsBefore }: Whole): readonly Placed[] {
  const logs = rowsBefore
    .filter((count) => count > 0)
    .slice(-limits.datasets.most)
    .map(Math.log);
  if (logs.length < limits.datasets.least || rows === 0) return [];
  const middle = median(logs);
  const spread = 1.4826 * median(logs.map((log) => Math.abs(log - middle)));
  const deviation = Math.max(spread, limits.leastDeviation);
  const value = Math.abs(Math.log(rows) - middle) / deviation;
  if (value <= limits.volume) return [{ outcome: 'passed' }];
  const [least, usual, most] = [-limits.volume, 0, limits.volume].map((times) =>
    Math.round(Math.exp(middle + times * deviation)),
  );
  const text = `${countText(rows, 'row')}, and ${grouped(least ?? 0)} to ${grouped(most ?? 0)} are usual after the last ${logs.length} datasets`;
  return [{ outcome: { action: 'warn', value, limit: limits.volume, reference: usual ?? 0, text } }];
}

function duplicates({ profile, before }: Whole): readonly Placed[] {
  if (before === undefined || profile.rows === 0 || before.rows === 0) return [];
  const [now, usual] = [duplicateShare(profile), duplicateShare(before)];
  const limit = usual.value + limits.duplicates;
  // Both are estimates, so what is told is over the limit whatever the samples chose.
  if (now.value <= limit || now.low <= usual.high + limits.duplicates) return [{ outcome: 'passed' }];
  const text = `${percent(now.value)} of the rows are copies of another; they were ${percent(usual.value)}, and the limit is ${percent(limit)}`;
  return [{ outcome: { action: 'warn', value: now.value, limit, reference: usual.value, text } }];
}

function leakage({ parts }: Whole): readonly Placed[] {
  if (parts === undefined) return [];
  const leak = leakOf(parts.train, parts.holdout);
  if (leak.count === 0) return [{ outcome: 'passed' }];
  const value = leak.count / leak.of;
  const isLarge = leaksOver(leak, limits.leakage);
  const of = `${countText(leak.count, 'row')} of ${grouped(leak.of)} ${leak.isWhole ? 'distinct ones' : 'that were looked at'}`;
  const text = `the hold-out has rows that training has as well: ${of} (${percent(value)}), and over ${percent(limits.leakage)} is refused`;
  return [{ outcome: { action: isLarge ? 'refuse' : 'warn', value, limit: isLarge ? limits.leakage : 0, text } }];
}

const namesOf = (profile: DatasetProfile | undefined): ReadonlySet<string> =>
  new Set(profile?.columns.map(({ name }) => name));

function leakageByKey({ parts, key }: Whole): readonly Placed[] {
  const [train, holdout] = [parts?.train.keySample, parts?.holdout.keySample];
  if (key === undefined || train === undefined || holdout === undefined) return [];
  const leak = leakOf({ rowSample: train }, { rowSample: holdout });
  if (leak.count === 0) return [{ column: key, outcome: 'passed' }];
  const of = `${grouped(leak.of)} ${leak.isWhole ? 'different ones' : 'that were looked at'}`;
  const text = `has ${countText(leak.count, 'value')} of the hold-out, of ${of}, that training has as well`;
  return [{ column: key, outcome: { action: 'refuse', value: leak.count, limit: 0, text } }];
}

function leakageByTime({ parts, time }: Whole): readonly Placed[] {
  const [train, holdout] = [parts?.train, parts?.holdout].map((part) =>
    part?.columns.find(({ name }) => name === time),
  );
  for (const ends of [timesIn, numbersIn]) {
    const [of, later] = [ends(train), ends(holdout)];
    if (time === undefined || of === undefined || later === undefined) continue;
    if (of.last < later.first) return [{ column: time, outcome: 'passed' }];
    const text = `goes up to ${of.text(of.last)} in training, and the hold-out begins with ${of.text(later.first)}: all of training has to be before it`;
    return [{ column: time, outcome: { action: 'refuse', value: of.last, limit: later.first, text } }];
  }
  return [];
}

type Ends = { readonly first: number; readonly last: number; readonly text: (value: number) => string };

const timesIn = (column: ColumnProfile | undefined): Ends | undefined =>
  column?.times && { ...column.times, text: instant };
const numbersIn = (column: ColumnProfile | undefined): Ends | undefined =>
  column?.numbers && { first: column.numbers.min, last: column.numbers.max, text: numberText };

function missingColumn({ profile, before, label, key, time, columns }: Whole): readonly Placed[] {
  const here = namesOf(profile);
  const wanted = new Set([
    ...namesOf(before),
    ...Object.keys(columns),
    ...[label, key, time].filter((name) => name !== undefined),
  ]);
  const gone = [...wanted].filter((name) => !here.has(name));
  if (gone.length === 0) return wanted.size === 0 ? [] : [{ outcome: 'passed' }];
  return gone.map((column) => ({
    column,
    outcome: {
      action: 'refuse',
      value: 0,
      limit: 1,
      text: column === label ? 'is not there, and is the label' : 'is not there',
    },
  }));
}

function extraColumn({ profile, before, columns }: Whole): readonly Placed[] {
  if (before === undefined) return [];
  const known = namesOf(before);
  const extra = profile.columns.filter(({ name }) => !known.has(name) && !Object.hasOwn(columns, name));
  if (extra.length === 0) return [{ outcome: 'passed' }];
  return extra.map(({ name }) => ({
    column: name,
    outcome: { action: 'warn', value: 1, limit: 0, text: 'was not there before' },
  }));
}

function distribution({ counted }: Whole): readonly Placed[] {
  if (counted === undefined) return [];
  const found = compareDatasets(counted.reference, counted.counts).findings.filter(
    ({ check }) => check === 'distribution',
  );
  if (found.length === 0) return [{ outcome: 'passed' }];
  return found.map(({ column, size }) => ({
    column,
    outcome: {
      ...{ action: 'warn', value: size, limit: usualLimits.notice },
      text: `is distributed otherwise than before: by ${size.toFixed(2)} beyond what chance explains, and the limit is ${usualLimits.notice}`,
    },
  }));
}

const labelOf = ({ profile, label }: Whole): ColumnProfile | undefined =>
  label === undefined || profile.rows === 0 ? undefined : profile.columns.find(({ name }) => name === label);

function labelMissing(whole: Whole): readonly Placed[] {
  const label = labelOf(whole);
  if (label === undefined) return [];
  const value = whole.profile.rows - valuesOf(label);
  const text = `is the label, and is missing in ${countText(value, 'row')} of ${grouped(whole.profile.rows)}`;
  return [{ column: label.name, outcome: value <= 0 ? 'passed' : { action: 'refuse', value, limit: 0, text } }];
}

function labelOneClass(whole: Whole): readonly Placed[] {
  const label = labelOf(whole);
  if (label === undefined) return [];
  const isOne = label.distinctIsExact && label.distinct === 1;
  const text = `is the label, and has one value only: ${named(label.frequent[0]?.[0] ?? '')}`;
  return [{ column: label.name, outcome: isOne ? { action: 'refuse', value: 1, limit: 2, text } : 'passed' }];
}

/** A label that is a number has no classes. */
function labelRareClass(whole: Whole): readonly Placed[] {
  const label = labelOf(whole);
  const type = label === undefined ? undefined : whole.columns[label.name]?.type;
  if (label === undefined || type === 'number' || kindOf(label) !== 'category') return [];
  const rare = label.frequent.filter(
    ([value, count]) => value !== '' && count + label.frequentAbout < limits.classRows,
  );
  const least = rare.at(-1);
  // Of classes that are not listed the profile tells those that came once.
  const single = label.frequent.length < label.distinct && least === undefined ? (label.singletons ?? 0) : 0;
  if (single > 0) {
    const text = `is the label, and has ${countText(single, 'class', 'classes')} in one row each, where ${limits.classRows} are needed`;
    return [{ column: label.name, outcome: { action: 'refuse', value: 1, limit: limits.classRows, text } }];
  }
  if (least === undefined) return [{ column: label.name, outcome: 'passed' }];
  const classes = rare.map(([value, count]) => `${named(value)} in ${numberText(count)}`);
  const text = `is the label, and has classes in fewer than ${limits.classRows} rows: ${listed(classes)}`;
  return [{ column: label.name, outcome: { action: 'refuse', value: least[1], limit: limits.classRows, text } }];
}

function labelAlone(whole: Whole): readonly Placed[] {
  return aloneFindings(whole, ({ auc, r2, class: name = '' }) =>
    r2 === undefined
      ? { value: auc, limit: tooGood.auc, text: `alone tells ${named(name)} of the label from the rest: its AUC is` }
      : { value: r2, limit: tooGood.r2, text: 'alone explains the label: its R2 is' },
  );
}

function labelByMissing(whole: Whole): readonly Placed[] {
  return aloneFindings(whole, ({ missingAuc, missingClass = '' }) => ({
    ...{ value: missingAuc, limit: tooGood.missingAuc },
    text: `tells ${named(missingClass)} of the label from the rest by whether it has a value: the AUC of that is`,
  }));
}

type Measured = { readonly value: number | undefined; readonly limit: number; readonly text: string };

function aloneFindings({ own }: Whole, measure: (alone: Alone) => Measured): readonly Placed[] {
  const known = (own?.columns ?? []).flatMap(({ name, alone }) => {
    const { value, limit, text } = measure(alone ?? {});
    return value === undefined ? [] : [{ column: name, value, limit, text }];
  });
  const found = known.filter(({ value, limit }) => value >= limit);
  if (known.length > 0 && found.length === 0) return [{ outcome: 'passed' }];
  return found.map(({ column, value, limit, text }) => ({
    column,
    outcome: {
      ...{ action: 'warn', value, limit },
      text: `${text} ${numberText(Number(value.toPrecision(4)))}, and from ${limit} on it is too good to be true`,
    },
  }));
}
