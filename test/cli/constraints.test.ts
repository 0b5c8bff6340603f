import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatasetProfile } from '@serin/core/drift/profile';
import { expect, test } from 'vitest';
import { folder, serin, stubServer } from './command.ts';

const feature = (name: string, type: string, more: object) => ({
  ...{ name, inferred_type: type, completeness: 1.0 },
  ...more,
});

/**
 * As the container of Model Monitor writes it, here with a feature that is not checked; `comparion_method` is the key of its
 * first versions. https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
 */
const written = {
  version: 0.0,
  features: [
    feature('amount', 'Fractional', {
      completeness: 0.99,
      num_constraints: { is_non_negative: true },
      monitoringConfigOverrides: {},
    }),
    feature('colour', 'String', { string_constraints: { domains: ['red', 'green'] } }),
    feature('id', 'Integral', { monitoringConfigOverrides: { evaluate_constraints: 'Disabled' } }),
  ],
  monitoring_config: {
    evaluate_constraints: 'Enabled',
    emit_metrics: 'Enabled',
    datatype_check_threshold: 1.0,
    domain_content_threshold: 1.0,
    distribution_constraints: {
      perform_comparison: 'Enabled',
      comparison_threshold: 0.1,
      comparion_method: 'Robust',
      categorical_comparison_threshold: 0.1,
      categorical_drift_method: 'LInfinity',
    },
  },
};

function withFile(name = 'constraints.json', content = JSON.stringify(written)): string {
  const cwd = folder();
  writeFileSync(join(cwd, name), content);
  return cwd;
}

const types = { boolean: 0, integer: 0, decimal: 0, timestamp: 0, text: 0, nested: 0 };
const column = { rows: 10, missing: 0, empty: 0, nan: 0, plusInfinity: 0, minusInfinity: 0, frequentAbout: 0 };
/** Blue is not in the domain of the file. */
const profile: DatasetProfile = {
  ...{ version: 1, objects: 1, passedOver: 0, bytes: 9, rows: 10, badRows: { rows: 0 } },
  rowSample: { below: 'f'.repeat(16), rows: [] },
  columns: [
    {
      ...{ name: 'amount', ...column, types: { ...types, decimal: 10 }, distinct: 2, distinctIsExact: true },
      numbers: { count: 10, min: 0.5, max: 2.5, mean: 1.5, deviation: 1, quantiles: [0.5, 2.5] },
      ...{ frequent: [] },
    },
    {
      ...{ name: 'colour', ...column, types: { ...types, text: 10 }, distinct: 2, distinctIsExact: true },
      frequent: [
        ['red', 6],
        ['blue', 4],
      ],
    },
  ],
};
const serving = () =>
  stubServer(({ url }) => ({ body: url.endsWith('/profile') ? profile : { dataset: 'd1', columns: {} } }));

test('the rules of a file of Model Monitor are printed as config, and what no rule says is told beside it', async () => {
  const cwd = withFile();

  const text = await serin(['datasets', 'constraints', '--from', 'constraints.json'], { cwd });
  const json = await serin(['datasets', 'constraints', '--from', 'constraints.json', '--json'], { cwd });

  expect(text).toEqual({
    exit: 0,
    stdout: [
      'validate: {',
      '  columns: {',
      '    amount: { type: "number", missing: { atMost: 0.01 }, min: 0 },',
      '    colour: { type: "text", missing: { atMost: 0 }, values: ["red", "green"] },',
      '  },',
      '},',
      '',
    ].join('\n'),
    stderr: 'not in the config: id: its constraints are disabled\n',
  });
  expect(JSON.parse(json.stdout)).toMatchObject({ left: ['id: its constraints are disabled'] });
});

test('the three files of Model Monitor are written of the data of a model', async () => {
  const [cwd, { env, received }] = [withFile(), await serving()];
  const printed = async (...args: readonly string[]) =>
    JSON.parse((await serin(['datasets', 'constraints', 'fraud', ...args], { cwd, env })).stdout);

  const broken = await printed('--format', 'violations', '--from', 'constraints.json');
  const statistics = await printed('--format', 'statistics');
  const suggested = await printed('--format', 'sagemaker');
  const kept = await printed('--format', 'sagemaker', '--from', 'constraints.json');

  expect(broken.violations).toMatchObject([
    { feature_name: 'colour', constraint_check_type: 'categorical_values_check' },
  ]);
  expect(statistics).toMatchObject({ dataset: { item_count: 10 }, features: [{ name: 'amount' }, { name: 'colour' }] });
  expect(suggested.features[0]).toEqual(
    feature('amount', 'Fractional', { num_constraints: { is_non_negative: true } }),
  );
  expect(kept.features[0]).toHaveProperty('monitoringConfigOverrides');
  expect(received.at(-1)?.url).toBe('/v1/models/fraud/datasets/d1/profile');
});

test.each([
  [[], 'which model is not said; name one, or give --from constraints.json for its rules'],
  [['--from', 'nowhere.json'], 'nowhere.json cannot be read; name a constraints.json of Model Monitor'],
  [['fraud', '--format', 'violations'], 'which constraints are not said; give --from constraints.json'],
  [['--format', 'xml'], "--format is 'xml'; give config, sagemaker, statistics, violations"],
])('constraints of %j are refused with what to do', async (args, says) => {
  const { exit, stderr } = await serin(['datasets', 'constraints', ...args], { cwd: withFile() });

  expect([exit, stderr]).toEqual([2, expect.stringContaining(says)]);
});

test.each([
  ['{"version": 0, "features": [', 'it is not JSON: Unexpected end of JSON input'],
  ['{"features": 3}', 'features must be a list'],
  [
    '{"features": [{"name": "a", "monitoringConfigOverrides": 1}]}',
    "monitoring_config_overrides of 'a' must be a JSON object",
  ],
])('a file of constraints that is %s is refused by its own name', async (content, why) => {
  const { exit, stderr } = await serin(['datasets', 'constraints', '--from', 'baseline-may.json'], {
    cwd: withFile('baseline-may.json', content),
  });

  expect([exit, stderr]).toEqual([
    2,
    expect.stringContaining('serin: baseline-may.json is not a file of constraints\n'),
  ]);
  expect(stderr).toContain(`  why:  ${why}`);
  expect(stderr).toContain('  mend: correct it, or give the constraints.json that a baseline of Model Monitor wrote\n');
  expect(stderr).not.toContain('defect of Serin');
});
