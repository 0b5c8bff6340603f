import { kindOf, valuesOf } from '@serin/core/drift/kind';
import type { ColumnProfile, DatasetProfile, NumberProfile } from '@serin/core/drift/profile';
import type { FeatureConstraints, InferredType, MonitorConstraints } from './model-monitor.ts';

/** What a baseline job of Model Monitor writes of a dataset, from a profile of Serin. */

/** `statistics.json`: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-statistics.html */
export interface MonitorStatistics {
  readonly version: 0;
  readonly dataset: { readonly item_count: number };
  readonly features: readonly FeatureStatistics[];
}

interface Common {
  readonly num_present: number;
  readonly num_missing: number;
}

export interface FeatureStatistics {
  readonly name: string;
  readonly inferred_type: InferredType;
  readonly numerical_statistics?: {
    readonly common: Common;
    readonly mean: number;
    readonly sum: number;
    readonly std_dev: number;
    readonly min: number;
    readonly max: number;
    readonly distribution: { readonly kll: { readonly buckets: readonly Bucket[] } };
  };
  readonly string_statistics?: {
    readonly common: Common;
    readonly distinct_count: number;
    readonly distribution: {
      readonly categorical: { readonly buckets: readonly { readonly value: string; readonly count: number }[] };
    };
  };
}

export interface Bucket {
  readonly lower_bound: number;
  readonly upper_bound: number;
  readonly count: number;
}

/**
 * Counts of buckets and of frequent values are as exact as the profile's sketches; all others are exact. There is no KLL
 * sketch in it, which Model Monitor's own container needs to compare with: let that container make its own baseline.
 */
export const statisticsOf = ({ rows, columns }: DatasetProfile): MonitorStatistics => ({
  version: 0,
  dataset: { item_count: rows },
  features: columns.map((column) => featureOf(column, rows)),
});

function featureOf(column: ColumnProfile, rows: number): FeatureStatistics {
  const { name, numbers } = column;
  const type = inferredTypeOf(column);
  const present = valuesOf(column);
  const common = { num_present: present, num_missing: Math.max(0, rows - present) };
  if (numbers !== undefined && (type === 'Integral' || type === 'Fractional')) {
    const { count, mean, deviation, min, max } = numbers;
    const distribution = { kll: { buckets: bucketsOf(numbers) } };
    return {
      ...{ name, inferred_type: type },
      numerical_statistics: { common, mean, sum: mean * count, std_dev: deviation, min, max, distribution },
    };
  }
  const buckets = frequentOf(column).map(([value, count]) => ({ value, count }));
  return {
    ...{ name, inferred_type: type },
    string_statistics: { common, distinct_count: column.distinct, distribution: { categorical: { buckets } } },
  };
}

/** Without those that count as missing. */
export const frequentOf = ({ frequent }: ColumnProfile): ColumnProfile['frequent'] =>
  frequent.filter(([value]) => value !== '' && value !== 'NaN');

/** Of all values, as each can be read alone: a text among numbers makes the column one of texts. */
export function inferredTypeOf(column: ColumnProfile): InferredType {
  const { boolean, integer, decimal, timestamp, text, nested } = column.types;
  // An empty text and NaN are missing values, and were counted as a text and as a decimal.
  const [texts, decimals] = [text - column.empty, decimal - column.nan];
  if (boolean + timestamp + texts + nested > 0) return 'String';
  if (decimals > 0) return 'Fractional';
  return integer > 0 ? 'Integral' : 'Unknown';
}

/** Ten of the same width from the least value to the greatest: each holds its lower bound, the last its upper one too. */
export function bucketsOf({ count, min, max, quantiles }: NumberProfile): readonly Bucket[] {
  const bound = (i: number) => (i === 10 ? max : min + ((max - min) * i) / 10);
  const below = (i: number) => (i === 10 ? count : Math.round(count * shareBelow(bound(i), quantiles)));
  return Array.from({ length: 10 }, (_, i) => ({
    lower_bound: bound(i),
    upper_bound: bound(i + 1),
    count: below(i + 1) - below(i),
  }));
}

/** About the share of values below x, between two quantiles by how near it is to each. */
function shareBelow(x: number, quantiles: readonly number[]): number {
  const above = quantiles.findIndex((quantile) => quantile >= x);
  if (above === 0 || quantiles.length < 2) return 0;
  const last = quantiles.length - 1;
  if (above < 0) return 1;
  const [from = x, to = x] = [quantiles[above - 1], quantiles[above]];
  return (above - 1 + (x - from) / (to - from)) / last;
}

/**
 * `constraints.json` as a baseline job suggests it: types, completeness, and the domain of a category whose values are all
 * known. What `before` says of the monitoring, and what it says that is not known here, is kept.
 */
export function constraintsOf({ rows, columns }: DatasetProfile, before?: MonitorConstraints): MonitorConstraints {
  const known = new Map(before?.features.map((feature) => [feature.name, feature]));
  return {
    ...{ version: 0, monitoring_config: asSuggested, ...before },
    features: columns.map((column) => suggested(column, rows, known.get(column.name))),
  };
}

/** Of the service's own baselines: every value has its type and is in its domain, and a distance of 0.1 is drift. */
const asSuggested: MonitorConstraints['monitoring_config'] = {
  evaluate_constraints: 'Enabled',
  emit_metrics: 'Enabled',
  datatype_check_threshold: 1,
  domain_content_threshold: 1,
  distribution_constraints: {
    perform_comparison: 'Enabled',
    comparison_threshold: 0.1,
    comparison_method: 'Robust',
    categorical_comparison_threshold: 0.1,
    categorical_drift_method: 'LInfinity',
  },
};

function suggested(column: ColumnProfile, rows: number, before?: FeatureConstraints): FeatureConstraints {
  const { num_constraints: numbers, string_constraints: strings, ...kept } = before ?? {};
  const type = inferredTypeOf(column);
  const isListed = column.distinctIsExact && column.frequentAbout === 0 && column.distinct <= column.frequent.length;
  const isDomain = type === 'String' && kindOf(column) === 'category' && isListed;
  const isNumber = column.numbers !== undefined && type !== 'String';
  return {
    ...kept,
    name: column.name,
    inferred_type: type,
    completeness: rows === 0 ? 0 : valuesOf(column) / rows,
    ...(isNumber ? { num_constraints: { ...numbers, is_non_negative: (column.numbers?.min ?? 0) >= 0 } } : {}),
    ...(isDomain ? { string_constraints: { ...strings, domains: frequentOf(column).map(([value]) => value) } } : {}),
  };
}
