import type { ColumnComparison } from '@serin/core/drift/compare';
import { valuesOf } from '@serin/core/drift/kind';
import type { ColumnProfile, DatasetProfile } from '@serin/core/drift/profile';
import { robustDistance, sagemakerFactor } from '@serin/core/drift/statistics';
import { configOf, type FeatureConstraints, type MonitorConstraints, type MonitoringConfig } from './model-monitor.ts';
import { frequentOf } from './model-monitor-baseline.ts';

/** `constraint_violations.json`: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html */
export interface MonitorViolations {
  readonly violations: readonly Violation[];
}

export interface Violation {
  readonly feature_name: string;
  readonly constraint_check_type:
    | 'data_type_check'
    | 'completeness_check'
    | 'baseline_drift_check'
    | 'missing_column_check'
    | 'extra_column_check'
    | 'categorical_values_check';
  readonly description: string;
}

/**
 * Which constraints a dataset breaks, in the words of Model Monitor where its readers search them: a distance that
 * `exceeds threshold`, and a type match that `is not met`. `comparisons`: with the reference; without one of a column, its
 * distribution is not judged. Unlike Model Monitor it names each column that is missing or new.
 */
export function violationsOf(
  constraints: MonitorConstraints,
  {
    profile,
    comparisons = [],
  }: { readonly profile: DatasetProfile; readonly comparisons?: readonly ColumnComparison[] },
): MonitorViolations {
  if (constraints.monitoring_config.evaluate_constraints === 'Disabled') return { violations: [] };
  const columns = new Map(profile.columns.map((column) => [column.name, column]));
  const compared = new Map(comparisons.map((comparison) => [comparison.name, comparison]));
  const named = new Set(constraints.features.map(({ name }) => name));
  const extra = profile.columns.filter(({ name }) => !named.has(name));
  return {
    violations: [
      ...constraints.features.flatMap((feature) => {
        const config = configOf(constraints, feature);
        if (config.evaluate_constraints === 'Disabled') return [];
        const column = columns.get(feature.name);
        const found = column === undefined ? [missingColumn] : brokenBy(feature, column, profile.rows, config);
        return [...found, ...driftOf(config, compared.get(feature.name))].map((one) => violation(feature.name, one));
      }),
      ...extra.map(({ name }) =>
        violation(name, ['extra_column_check', 'The column is in the current dataset, and in no baseline constraint']),
      ),
    ],
  };
}

type Found = readonly [Violation['constraint_check_type'], string];

const violation = (name: string, [check, description]: Found): Violation => ({
  feature_name: name,
  constraint_check_type: check,
  description,
});

const missingColumn: Found = [
  'missing_column_check',
  'The column is in the baseline constraints, and not in the current dataset',
];

function brokenBy(
  feature: FeatureConstraints,
  column: ColumnProfile,
  rows: number,
  { datatype_check_threshold: typed, domain_content_threshold: listed }: MonitoringConfig,
): readonly Found[] {
  const present = valuesOf(column);
  const complete = rows === 0 ? 1 : present / rows;
  const [match, inDomain] =
    present === 0 ? [1, 1] : [matching(feature, column) / present, 1 - outsideOf(feature, column) / present];
  const found: Found[] = [];
  if (match < typed) found.push(['data_type_check', typeText(feature, typed, match)]);
  if (complete < (feature.completeness ?? 0))
    found.push([
      'completeness_check',
      `Data completeness: ${complete} is below required threshold: ${feature.completeness}`,
    ]);
  if (inDomain < listed)
    found.push([
      'categorical_values_check',
      `Share of values in the domain: ${inDomain} is below required threshold: ${listed}`,
    ]);
  return found;
}

const typeText = ({ inferred_type: type }: FeatureConstraints, typed: number, match: number): string =>
  `Data type match requirement is not met. Expected data type: ${type}, Expected match: ${percentText(typed)}. Observed: Only ${percentText(match)} of data is ${type}.`;

/** `100.0%`, as Model Monitor writes it. */
const percentText = (share: number): string => {
  const percent = Number((share * 100).toPrecision(15));
  return `${Number.isInteger(percent) ? percent.toFixed(1) : percent}%`;
};

/** Values that have the type: any value is a text, and a whole number is a fraction too. */
function matching({ inferred_type: type }: FeatureConstraints, column: ColumnProfile): number {
  const { integer, decimal } = column.types;
  if (type === 'Integral') return integer;
  return type === 'Fractional' ? integer + decimal - column.nan : valuesOf(column);
}

/** Of the frequent values alone: of others nobody knows whether they are in the domain. */
function outsideOf({ string_constraints: strings }: FeatureConstraints, column: ColumnProfile): number {
  if (strings?.domains === undefined) return 0;
  const domain = new Set(strings.domains.map((value) => [...value].slice(0, 128).join('')));
  return frequentOf(column).reduce((sum, [value, count]) => sum + (domain.has(value) ? 0 : count), 0);
}

/**
 * The distance of Model Monitor: the greatest difference of the distribution functions, or of the shares of a category
 * (`ChiSquared`: the p-value of the test, which has to be below the threshold), from which `Robust` takes what chance
 * explains.
 */
function driftOf(
  { distribution_constraints: given }: MonitoringConfig,
  comparison: ColumnComparison | undefined,
): readonly Found[] {
  const distribution = comparison?.distribution;
  if (given.perform_comparison === 'Disabled' || comparison === undefined || distribution === undefined) return [];
  const isCategory = comparison.kind === 'category';
  const threshold = isCategory ? given.categorical_comparison_threshold : given.comparison_threshold;
  if (isCategory && given.categorical_drift_method === 'ChiSquared')
    return distribution.p < threshold
      ? [['baseline_drift_check', `Chi-squared p-value: ${distribution.p} is below threshold: ${threshold}`]]
      : [];
  const { before, now } = comparison.values;
  const isRobust = given.comparison_method === 'Robust';
  const distance = isRobust ? robustDistance(distribution.size, before, now, sagemakerFactor) : distribution.size;
  return distance > threshold
    ? [['baseline_drift_check', `Baseline drift distance: ${distance} exceeds threshold: ${threshold}`]]
    : [];
}
