import { compareColumn } from '@serin/core/drift/compare';
import type { ColumnProfile, DatasetProfile } from '@serin/core/drift/profile';
import type { ReferenceColumn } from '@serin/core/drift/reference';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configOf, type MonitorConstraints, monitorText, readConstraints, rulesOf } from './model-monitor.ts';
import { bucketsOf, constraintsOf, statisticsOf } from './model-monitor-baseline.ts';
import { violationsOf } from './model-monitor-violations.ts';

const noTypes = { boolean: 0, integer: 0, decimal: 0, timestamp: 0, text: 0, nested: 0 };
const column = (name: string, own: Partial<ColumnProfile>): ColumnProfile => ({
  ...{ name, rows: 1000, missing: 0, empty: 0, nan: 0, plusInfinity: 0, minusInfinity: 0, types: noTypes },
  ...{ distinct: 1000, distinctIsExact: true, frequent: [], frequentAbout: 0 },
  ...own,
});
const quantiles = Array.from({ length: 257 }, (_, i) => (100 * i) / 256);
const amount = column('amount', {
  types: { ...noTypes, decimal: 900, integer: 90 },
  missing: 10,
  numbers: { count: 990, min: 0, max: 100, mean: 50, deviation: 28.5, quantiles },
});
const colour = column('colour', {
  types: { ...noTypes, text: 1000 },
  empty: 20,
  distinct: 3,
  frequent: [
    ['red', 600],
    ['green', 300],
    ['blue', 80],
    ['', 20],
  ],
});
const years = column('years', {
  types: { ...noTypes, integer: 1000 },
  distinct: 60,
  numbers: { count: 1000, min: -3, max: 57, mean: 27, deviation: 17, quantiles: quantiles.map((q) => q * 0.6 - 3) },
});
const datasetOf = (...columns: readonly ColumnProfile[]): DatasetProfile => ({
  ...{ version: 1, objects: 1, passedOver: 0, bytes: 9, rows: 1000, badRows: { rows: 0 } },
  ...{ rowSample: { below: 'f'.repeat(16), rows: [] }, columns },
});
const dataset = datasetOf(amount, colour, years);

const asWritten = {
  version: 0.0,
  features: [
    {
      name: 'amount',
      inferred_type: 'Fractional',
      completeness: 0.99,
      num_constraints: { is_non_negative: true },
      monitoringConfigOverrides: {},
    },
    { name: 'colour', inferred_type: 'String', completeness: 1, string_constraints: { domains: ['red', 'green'] } },
  ],
  monitoring_config: {
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
  },
};
const read = (content: unknown): MonitorConstraints => readConstraints(JSON.stringify(content));

describe('constraints of SageMaker Model Monitor', () => {
  test('are read as they are documented', () => {
    expect(read(asWritten)).toEqual(asWritten);
  });

  test('become rules of a config', () => {
    expect(rulesOf(read(asWritten))).toEqual({
      columns: {
        amount: { type: 'number', missing: { atMost: expect.closeTo(0.01, 12) }, min: 0 },
        colour: { type: 'text', missing: { atMost: 0 }, values: ['red', 'green'] },
      },
      left: [],
    });
  });

  test('say what no rule can: a share of values, and what is disabled', () => {
    const { features } = asWritten;
    const disabled = {
      name: 'id',
      inferred_type: 'Integral',
      monitoringConfigOverrides: { evaluate_constraints: 'Disabled' },
    };
    const config = { datatype_check_threshold: 0.9, domain_content_threshold: 0.95 };

    expect(rulesOf(read({ features: [...features, disabled], monitoring_config: config }))).toEqual({
      columns: {
        amount: { missing: { atMost: expect.closeTo(0.01, 12) }, min: 0 },
        colour: { missing: { atMost: 0 } },
      },
      left: [
        'amount: 0.9 of its values have to be Fractional',
        'colour: 0.9 of its values have to be String',
        'colour: 0.95 of its values have to be in its domain',
        'id: its constraints are disabled',
      ],
    });
  });

  test('of old files have the key that was misspelt, and the metric as the method', () => {
    const distributions = {
      perform_comparison: 'Disabled',
      comparison_threshold: 0.3,
      comparion_method: 'linf_simple',
    };

    const { monitoring_config } = read({
      features: [],
      monitoring_config: { distribution_constraints: distributions },
    });

    expect(monitoring_config).toEqual({
      ...{ evaluate_constraints: 'Enabled', emit_metrics: 'Enabled' },
      ...{ datatype_check_threshold: 0.1, domain_content_threshold: 0.1 },
      distribution_constraints: {
        ...{ perform_comparison: 'Disabled', comparison_threshold: 0.3, comparison_method: 'Simple' },
        ...{ categorical_comparison_threshold: 0.3, categorical_drift_method: 'LInfinity' },
      },
    });
    expect(monitorText(monitoring_config)).not.toContain('comparion');
  });

  test('that say nothing have a threshold of 0.1 and the robust distance', () => {
    expect(read({ features: [] }).monitoring_config.distribution_constraints).toEqual({
      ...{ perform_comparison: 'Enabled', comparison_threshold: 0.1, comparison_method: 'Robust' },
      ...{ categorical_comparison_threshold: 0.1, categorical_drift_method: 'LInfinity' },
    });
  });

  test.each(['monitoringConfigOverrides', 'monitoring_config_overrides'])(
    'of a feature are under its own config, which some call %s',
    (key) => {
      const own = { distribution_constraints: { comparison_threshold: 0.5 } };
      const constraints = read({ ...asWritten, features: [{ name: 'a', inferred_type: 'Unknown', [key]: own }] });
      const [feature] = constraints.features;

      const config = feature === undefined ? undefined : configOf(constraints, feature);

      expect(config?.distribution_constraints).toMatchObject({
        comparison_threshold: 0.5,
        comparison_method: 'Robust',
      });
    },
  );

  test('in the texts of the Python SDK are disabled by themselves too', () => {
    const strings = { domains: ['a'], monitoring_config_overrides: { evaluate_constraints: 'Disabled' } };
    const constraints = read({ features: [{ name: 'a', inferred_type: 'String', string_constraints: strings }] });

    expect(rulesOf(constraints).left).toEqual(['a: its constraints are disabled']);
  });

  test('come back as they were, with every key that nobody knows', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value || 0);
    const unknown = fc.dictionary(fc.stringMatching(/^x_[a-z]{1,5}$/), fc.jsonValue(), { noNullPrototype: true });
    const feature = fc
      .tuple(
        fc.record({ name: fc.string(), inferred_type: fc.constantFrom('Integral', 'Fractional', 'String', 'Unknown') }),
        fc.record(
          {
            completeness: share,
            num_constraints: fc.record({ is_non_negative: fc.boolean(), x_more: fc.jsonValue() }, { requiredKeys: [] }),
            string_constraints: fc.record({ domains: fc.array(fc.string()) }, { requiredKeys: [] }),
          },
          { requiredKeys: [] },
        ),
        unknown,
      )
      .map(([known, some, more]) => ({ ...more, ...known, ...some }));
    const config = fc
      .tuple(share, fc.constantFrom('Simple', 'Robust'), fc.constantFrom('LInfinity', 'ChiSquared'), unknown)
      .map(([threshold, method, drift, more]) => ({
        ...more,
        ...{ evaluate_constraints: 'Enabled', emit_metrics: 'Disabled' },
        ...{ datatype_check_threshold: threshold, domain_content_threshold: 1 },
        distribution_constraints: {
          ...more,
          ...{ perform_comparison: 'Enabled', comparison_threshold: threshold, comparison_method: method },
          ...{ categorical_comparison_threshold: 0.2, categorical_drift_method: drift },
        },
      }));
    const files = fc
      .tuple(fc.array(feature), config, unknown)
      .map(([features, monitoring_config, more]) => ({ ...more, version: 0, features, monitoring_config }));

    fc.assert(
      fc.property(files, (content) => {
        // What JSON cannot say (-0) is not part of a file.
        const known = JSON.parse(JSON.stringify(content));
        expect(readConstraints(monitorText(known))).toEqual(known);
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ['{"version": 0, "features": [', 'it is not JSON: Unexpected end of JSON input'],
    ['[]', 'it must be a JSON object'],
    ['{"version": -1, "features": []}', /^version must be a number that is not negative$/],
    ['{"features": {}}', 'features must be a list'],
    ['{"features": [null]}', 'features[0] must be a JSON object'],
    ['{"features": [[]]}', 'features[0] must be a JSON object'],
    ['{"features": [{}]}', 'features[0].name must be a text'],
    ['{"features": [{"name": "a", "inferred_type": "Float"}]}', 'features[0].inferred_type must be one of Integral'],
    ['{"features": [{"name": "a", "completeness": "1"}]}', 'features[0].completeness must be a number'],
    ['{"features": [{"name": "a", "num_constraints": {"is_non_negative": 1}}]}', 'must be true or false'],
    ['{"features": [{"name": "a", "string_constraints": {"domains": [1]}}]}', 'domains must be a list of texts'],
    ['{"features": [], "monitoring_config": {"evaluate_constraints": true}}', 'must be one of Enabled, Disabled'],
    [
      '{"features": [], "monitoring_config": {"distribution_constraints": {"comparison_threshold": -1}}}',
      'monitoring_config.distribution_constraints.comparison_threshold must be a number that is not negative',
    ],
    [
      '{"features": [{"name": "a", "monitoringConfigOverrides": {"emit_metrics": 1}}]}',
      "monitoring_config_overrides of 'a'.emit_metrics must be one of Enabled, Disabled",
    ],
  ])('that are %s are refused by their place', (text, message) => {
    expect(() => readConstraints(text)).toThrow(message);
  });
});

describe('a baseline of SageMaker Model Monitor', () => {
  test('has exact counts, moments and ten buckets of each column of numbers', () => {
    const { dataset: whole, features } = statisticsOf(dataset);

    expect(whole).toEqual({ item_count: 1000 });
    expect(features[0]).toMatchObject({
      name: 'amount',
      inferred_type: 'Fractional',
      numerical_statistics: {
        ...{ common: { num_present: 990, num_missing: 10 }, mean: 50, sum: 49_500, std_dev: 28.5, min: 0, max: 100 },
      },
    });
    expect(features[0]?.numerical_statistics?.distribution.kll.buckets).toEqual(
      Array.from({ length: 10 }, (_, i) => ({ lower_bound: 10 * i, upper_bound: 10 * i + 10, count: 99 })),
    );
    expect(features[2]?.inferred_type).toBe('Integral');
  });

  test('has the frequent values of each column of texts', () => {
    expect(statisticsOf(dataset).features[1]).toEqual({
      name: 'colour',
      inferred_type: 'String',
      string_statistics: {
        common: { num_present: 980, num_missing: 20 },
        distinct_count: 3,
        distribution: {
          categorical: {
            buckets: [
              { value: 'red', count: 600 },
              { value: 'green', count: 300 },
              { value: 'blue', count: 80 },
            ],
          },
        },
      },
    });
  });

  test('takes neither an empty text nor NaN for a value', () => {
    const gaps = { ...years, rows: 1010, empty: 4, nan: 6, types: { ...noTypes, integer: 1000, text: 4, decimal: 6 } };

    expect(statisticsOf({ ...datasetOf(gaps), rows: 1010 }).features[0]).toMatchObject({
      inferred_type: 'Integral',
      numerical_statistics: { common: { num_present: 1000, num_missing: 10 } },
    });
  });

  test('has all values of a constant in the last bucket, which holds its upper bound', () => {
    const buckets = bucketsOf({ count: 7, min: 3, max: 3, mean: 3, deviation: 0, quantiles: quantiles.map(() => 3) });

    expect(buckets.map(({ count }) => count)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    expect(buckets[9]).toMatchObject({ lower_bound: 3, upper_bound: 3 });
  });

  test('loses no value to rounding, and ends at the greatest one', () => {
    const buckets = bucketsOf({
      count: 1001,
      min: 0,
      max: 0.3,
      mean: 0,
      deviation: 1,
      quantiles: quantiles.map((q) => q ** 2 * 3e-5),
    });

    expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(1001);
    expect(buckets.every(({ count }) => count >= 0)).toBe(true);
    expect(buckets[9]?.upper_bound).toBe(0.3);
  });

  test('suggests types, completeness, signs and domains', () => {
    const constraints = constraintsOf(dataset);

    expect(constraints.monitoring_config).toEqual(asWritten.monitoring_config);
    expect(constraints.features).toEqual([
      { name: 'amount', inferred_type: 'Fractional', completeness: 0.99, num_constraints: { is_non_negative: true } },
      {
        ...{ name: 'colour', inferred_type: 'String', completeness: 0.98 },
        string_constraints: { domains: ['red', 'green', 'blue'] },
      },
      { name: 'years', inferred_type: 'Integral', completeness: 1, num_constraints: { is_non_negative: false } },
    ]);
    expect(readConstraints(monitorText(constraints))).toEqual(constraints);
    expect(violationsOf(constraints, { profile: dataset })).toEqual({ violations: [] });
  });

  test('suggests no domain of texts that are all different or not all known', () => {
    const names = column('names', { types: { ...noTypes, text: 1000 }, distinct: 990 });
    const many = column('many', { types: { ...noTypes, text: 1000 }, distinct: 300, frequent: [['a', 20]] });

    expect(constraintsOf(datasetOf(names, many)).features.map((feature) => feature.string_constraints)).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('keeps what was there, and is of no type where there are no values', () => {
    const known = read({ ...asWritten, x_owner: 'us', features: [{ ...asWritten.features[0], x_note: 1 }] });

    const renewed = constraintsOf(datasetOf(amount, column('none', { missing: 1000 })), known);

    expect(renewed).toMatchObject({ x_owner: 'us', monitoring_config: asWritten.monitoring_config });
    expect(renewed.features[0]).toMatchObject({ x_note: 1, completeness: 0.99 });
    expect(renewed.features[1]).toEqual({ name: 'none', inferred_type: 'Unknown', completeness: 0 });
  });
});

describe('violations of constraints of SageMaker Model Monitor', () => {
  const constraints = constraintsOf(dataset);
  const found = (profile: DatasetProfile, of = constraints) =>
    violationsOf(of, { profile }).violations.map((one) => [
      one.feature_name,
      one.constraint_check_type,
      one.description,
    ]);

  test('name columns that are missing or new', () => {
    expect(found(datasetOf(amount, colour, column('extra', {})))).toEqual([
      ['years', 'missing_column_check', expect.any(String)],
      ['extra', 'extra_column_check', expect.any(String)],
    ]);
  });

  test('are of types, completeness and domains, with what was found and what is required', () => {
    const texts = { ...years, types: { ...noTypes, integer: 997, text: 3 } };
    const fewer = { ...amount, missing: 90, types: { ...noTypes, decimal: 820, integer: 90 } };
    const other = {
      ...colour,
      empty: 0,
      frequent: [
        ['red', 900],
        ['pink', 100],
      ] as const,
    };

    expect(found(datasetOf(fewer, other, texts))).toEqual([
      ['amount', 'completeness_check', 'Data completeness: 0.91 is below required threshold: 0.99'],
      ['colour', 'categorical_values_check', 'Share of values in the domain: 0.9 is below required threshold: 1'],
      [
        'years',
        'data_type_check',
        'Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. Observed: Only 99.7% of data is Integral.',
      ],
    ]);
  });

  test('take a whole number for a fraction, and any value for a text', () => {
    const whole = { ...amount, types: { ...noTypes, integer: 990 } };
    const digits = { ...colour, types: { ...noTypes, integer: 980, text: 20 }, frequent: [] };

    expect(found(datasetOf(whole, digits, years))).toEqual([]);
  });

  const reference: ReferenceColumn = {
    ...{
      name: 'amount',
      kind: 'number',
      rows: 1000,
      missing: 0,
      mistyped: 0,
      outside: 0,
      cells: [500, 500],
      edges: [50],
    },
    numbers: { min: 0, max: 100, mean: 50, deviation: 28 },
  };
  const colours: ReferenceColumn = {
    ...{ name: 'colour', kind: 'category', rows: 1000, missing: 0, mistyped: 0, outside: 0, cells: [600, 400, 0, 0] },
    ...{ values: ['red', 'green'], isWhole: true, singletons: 0 },
  };
  const drift = (distributions: object, live: readonly number[], of = reference) => {
    const comparisons = [compareColumn(of, { rows: 200, missing: 0, mistyped: 0, outside: 0, cells: live })];
    const config = { distribution_constraints: distributions };
    const given = read({ features: [{ name: of.name, inferred_type: 'Unknown' }], monitoring_config: config });
    const profile = datasetOf(column(of.name, {}));
    return violationsOf(given, { profile, comparisons }).violations.map(({ description }) => description);
  };

  test('take the distance as it is, or without what chance explains', () => {
    expect(drift({ comparison_method: 'Simple' }, [75, 125])).toEqual([
      'Baseline drift distance: 0.125 exceeds threshold: 0.1',
    ]);
    // 1.8 sqrt(1/1000 + 1/200) is 0.139.
    expect(drift({ comparison_method: 'Robust' }, [75, 125])).toEqual([]);
    expect(drift({ comparison_method: 'Robust' }, [0, 200])).toEqual([
      expect.stringMatching(/^Baseline drift distance: 0\.36057\d* exceeds threshold: 0\.1$/),
    ]);
    expect(drift({ perform_comparison: 'Disabled' }, [0, 200])).toEqual([]);
  });

  test('of categories have a threshold of their own, and may be those of chi-square', () => {
    const simple = { comparison_method: 'Simple', categorical_comparison_threshold: 0.2 };
    const chi = { ...simple, categorical_drift_method: 'ChiSquared', categorical_comparison_threshold: 0.05 };

    expect(drift(simple, [90, 110, 0, 0], colours)).toEqual([]);
    expect(drift(simple, [70, 130, 0, 0], colours)).toEqual(['Baseline drift distance: 0.25 exceeds threshold: 0.2']);
    expect(drift(chi, [118, 82, 0, 0], colours)).toEqual([]);
    expect(drift(chi, [90, 110, 0, 0], colours)).toEqual([expect.stringMatching(/^Chi-squared p-value: .* is below/)]);
  });

  test('are none where they are not to be evaluated', () => {
    const off = {
      ...constraints,
      monitoring_config: { ...constraints.monitoring_config, evaluate_constraints: 'Disabled' },
    };
    const ownOff = constraints.features.map((feature) => ({
      ...feature,
      monitoringConfigOverrides: { evaluate_constraints: 'Disabled' },
    }));

    expect(found(datasetOf(), off as MonitorConstraints)).toEqual([]);
    expect(found(datasetOf(), { ...constraints, features: ownOff })).toEqual([]);
  });
});
