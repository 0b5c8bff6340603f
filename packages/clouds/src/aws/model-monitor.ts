import { Fault } from '@serin/core/base/fault';
import type { ColumnRule } from '@serin/core/drift/report';

/**
 * `constraints.json` of SageMaker Model Monitor, which is closed to new customers: read to move away from it, written for
 * what still reads it. Keys that are not known here stay where they are.
 *
 * https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
 */
export interface MonitorConstraints extends Unknown {
  readonly version: number;
  readonly features: readonly FeatureConstraints[];
  readonly monitoring_config: MonitoringConfig;
}

/** With what a later version of the format may add. */
interface Unknown {
  readonly [key: string]: unknown;
}

export const inferredTypes = ['Integral', 'Fractional', 'String', 'Unknown'] as const;
export type InferredType = (typeof inferredTypes)[number];

export interface FeatureConstraints extends Unknown {
  readonly name: string;
  readonly inferred_type: InferredType;
  /** The least share of rows that have a value. */
  readonly completeness?: number;
  readonly num_constraints?: Unknown & { readonly is_non_negative?: boolean };
  readonly string_constraints?: Unknown & { readonly domains?: readonly string[] };
}

const switches = ['Enabled', 'Disabled'] as const;
type Switch = (typeof switches)[number];

export interface MonitoringConfig extends Unknown {
  readonly evaluate_constraints: Switch;
  readonly emit_metrics: Switch;
  /**
   * The least share of values that have the type, and that are in the domain. The page calls 0.1 the default; the
   * service's own baselines write 1.0, and its reports read "Expected match: 100.0%".
   */
  readonly datatype_check_threshold: number;
  readonly domain_content_threshold: number;
  readonly distribution_constraints: DistributionConstraints;
}

export interface DistributionConstraints extends Unknown {
  readonly perform_comparison: Switch;
  /** The greatest distance that is no drift. */
  readonly comparison_threshold: number;
  readonly comparison_method: 'Simple' | 'Robust';
  readonly categorical_comparison_threshold: number;
  readonly categorical_drift_method: 'LInfinity' | 'ChiSquared';
}

/** Who reads the file knows its name, and says it before this. */
const refused = (path: string, expected: string): Fault => new Fault('invalid', `${path} must be ${expected}`);

/**
 * Reads the file as it is written today and as it was: `comparion_method`, and the methods by the names of the metrics.
 * A missing threshold is 0.1, and that of categories is that of numbers. A `Fault` with the code `invalid` says where the
 * file is not one of constraints: nothing that was read is refused later.
 */
export function readConstraints(text: string): MonitorConstraints {
  const given = dictionary(parsed(text), 'it');
  if (!Array.isArray(given.features)) throw refused('features', 'a list');
  const read = {
    ...given,
    version: number(given, 'version', { otherwise: 0 }),
    features: given.features.map((feature, at) =>
      readFeature(dictionary(feature, `features[${at}]`), `features[${at}]`),
    ),
    monitoring_config: readConfig(dictionary(given.monitoring_config ?? {}, 'monitoring_config'), 'monitoring_config'),
  };
  for (const feature of read.features) configOf(read, feature);
  return read;
}

/** The text of any of the three files. */
export const monitorText = (content: object): string => `${JSON.stringify(content, null, 2)}\n`;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Fault(
      'invalid',
      `it is not JSON: ${error instanceof Error ? error.message : String(error)}; give the whole file`,
      {
        cause: error,
      },
    );
  }
}

function dictionary(value: unknown, path: string): Unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused(path, 'a JSON object');
  return value as Unknown; // checked above
}

function readFeature(given: Unknown, path: string): FeatureConstraints {
  const { name, completeness, num_constraints: numbers, string_constraints: strings } = given;
  if (typeof name !== 'string') throw refused(`${path}.name`, 'a text');
  return {
    ...given,
    name,
    inferred_type: choice(given, 'inferred_type', inferredTypes, { path, otherwise: 'Unknown' }),
    ...(completeness === undefined ? {} : { completeness: number(given, 'completeness', { path }) }),
    ...(numbers === undefined
      ? {}
      : { num_constraints: readNumbers(dictionary(numbers, `${path}.num_constraints`), path) }),
    ...(strings === undefined
      ? {}
      : { string_constraints: readStrings(dictionary(strings, `${path}.string_constraints`), path) }),
  };
}

function readNumbers(given: Unknown, path: string): Unknown & { readonly is_non_negative?: boolean } {
  const { is_non_negative: isNonNegative } = given;
  if (isNonNegative === undefined) return { ...given };
  if (typeof isNonNegative !== 'boolean') throw refused(`${path}.num_constraints.is_non_negative`, 'true or false');
  return { ...given, is_non_negative: isNonNegative };
}

function readStrings(given: Unknown, path: string): Unknown & { readonly domains?: readonly string[] } {
  const { domains } = given;
  if (domains === undefined) return { ...given };
  if (!Array.isArray(domains) || !domains.every((value) => typeof value === 'string'))
    throw refused(`${path}.string_constraints.domains`, 'a list of texts');
  return { ...given, domains };
}

function readConfig(given: Unknown, path: string): MonitoringConfig {
  const distributions = dictionary(given.distribution_constraints ?? {}, `${path}.distribution_constraints`);
  return {
    ...given,
    evaluate_constraints: choice(given, 'evaluate_constraints', switches, { path, otherwise: 'Enabled' }),
    emit_metrics: choice(given, 'emit_metrics', switches, { path, otherwise: 'Enabled' }),
    datatype_check_threshold: number(given, 'datatype_check_threshold', { path, otherwise: 0.1 }),
    domain_content_threshold: number(given, 'domain_content_threshold', { path, otherwise: 0.1 }),
    distribution_constraints: readDistributions(distributions, `${path}.distribution_constraints`),
  };
}

const methods = ['Simple', 'Robust', 'linf_simple', 'linf_robust'] as const;

function readDistributions({ comparion_method: misspelt, ...given }: Unknown, path: string): DistributionConstraints {
  const spelt = misspelt === undefined ? given : { comparison_method: misspelt, ...given };
  const threshold = number(given, 'comparison_threshold', { path, otherwise: 0.1 });
  const method = choice(spelt, 'comparison_method', methods, { path, otherwise: 'Robust' });
  return {
    ...given,
    perform_comparison: choice(given, 'perform_comparison', switches, { path, otherwise: 'Enabled' }),
    comparison_threshold: threshold,
    comparison_method: method === 'Simple' || method === 'linf_simple' ? 'Simple' : 'Robust',
    categorical_comparison_threshold: number(given, 'categorical_comparison_threshold', { path, otherwise: threshold }),
    categorical_drift_method: choice(given, 'categorical_drift_method', ['LInfinity', 'ChiSquared'] as const, {
      path,
      otherwise: 'LInfinity',
    }),
  };
}

interface Asked<Value> {
  /** Of what holds the value, where that is not the file itself. */
  readonly path?: string;
  readonly otherwise?: Value;
}

function number(given: Unknown, key: string, { path, otherwise }: Asked<number>): number {
  const value = given[key] ?? otherwise;
  if (typeof value !== 'number' || value < 0) throw refused(placeOf(path, key), 'a number that is not negative');
  return value;
}

const placeOf = (path: string | undefined, key: string): string => (path === undefined ? key : `${path}.${key}`);

function choice<Value extends string>(
  given: Unknown,
  key: string,
  choices: readonly Value[],
  { path, otherwise }: Asked<Value>,
): Value {
  const value = given[key] ?? otherwise;
  const known = choices.find((one) => one === value);
  if (known === undefined) throw refused(placeOf(path, key), `one of ${choices.join(', ')}`);
  return known;
}

/**
 * The config of one feature: its own, as far as it says something, over that of all. The page calls it
 * `monitoringConfigOverrides`; the Python SDK writes `monitoring_config_overrides`, and into the constraints of texts.
 */
export function configOf(
  { monitoring_config: all }: MonitorConstraints,
  feature: FeatureConstraints,
): MonitoringConfig {
  const { monitoringConfigOverrides, monitoring_config_overrides, string_constraints: strings } = feature;
  const own = monitoringConfigOverrides ?? monitoring_config_overrides ?? strings?.monitoring_config_overrides ?? {};
  const path = `monitoring_config_overrides of '${feature.name}'`;
  const changes = dictionary(own, path);
  const distributions = dictionary(changes.distribution_constraints ?? {}, `${path}.distribution_constraints`);
  return readConfig(
    { ...all, ...changes, distribution_constraints: { ...all.distribution_constraints, ...distributions } },
    path,
  );
}

/**
 * The constraints as rules of Serin's config (`validate.columns`), and what they say that no rule can: a rule holds for
 * every row, so types and domains that only a share of rows has to meet are left to the comparison with the reference.
 */
export function rulesOf(constraints: MonitorConstraints): {
  readonly columns: Readonly<Record<string, ColumnRule>>;
  readonly left: readonly string[];
} {
  const columns: [string, ColumnRule][] = [];
  const left: string[] = [];
  for (const feature of constraints.features) {
    const config = configOf(constraints, feature);
    if (config.evaluate_constraints === 'Disabled') {
      left.push(`${feature.name}: its constraints are disabled`);
      continue;
    }
    columns.push([feature.name, ruleOf(feature, config)]);
    if (typeOf(feature) !== undefined && config.datatype_check_threshold < 1)
      left.push(
        `${feature.name}: ${config.datatype_check_threshold} of its values have to be ${feature.inferred_type}`,
      );
    if (feature.string_constraints?.domains !== undefined && config.domain_content_threshold < 1)
      left.push(`${feature.name}: ${config.domain_content_threshold} of its values have to be in its domain`);
  }
  return { columns: Object.fromEntries(columns), left };
}

const types = { Integral: 'integer', Fractional: 'number', String: 'text', Unknown: undefined } as const;
const typeOf = ({ inferred_type }: FeatureConstraints): ColumnRule['type'] => types[inferred_type];

/** Without the digits that a subtraction leaves. */
const missingOf = (completeness: number): number => Number(Math.max(0, 1 - completeness).toFixed(12));

function ruleOf(feature: FeatureConstraints, config: MonitoringConfig): ColumnRule {
  const type = config.datatype_check_threshold < 1 ? undefined : typeOf(feature);
  const values = config.domain_content_threshold < 1 ? undefined : feature.string_constraints?.domains;
  return {
    ...(type === undefined ? {} : { type }),
    ...(feature.completeness === undefined ? {} : { missing: { atMost: missingOf(feature.completeness) } }),
    ...(feature.num_constraints?.is_non_negative === true ? { min: 0 } : {}),
    ...(values === undefined ? {} : { values }),
  };
}
