import { without } from '@serin/core/base/objects';
import type { RegisteredVersion } from '@serin/core/ports/registry';
import { describe, expect, test } from 'vitest';
import { type PropertyRules, versionProperties } from './properties.ts';

const owner = { project: 'acme-ml', environment: 'prod' };

const version = (change: Partial<RegisteredVersion> = {}): RegisteredVersion => ({
  model: 'fraud',
  number: 7,
  artifact: { uri: 's3://own/runs/run_1/model.tar.gz', digest: 'a'.repeat(64), bytes: 12 },
  metrics: { auc: 0.91 },
  lineage: { dataset: 'd'.repeat(64), run: 'run_1' },
  approval: 'pending',
  ...change,
});

const manyMetrics = (count: number) =>
  version({ metrics: Object.fromEntries(Array.from({ length: count }, (_, at) => [`metric-${at}`, at / 7])) });

/** Text with spaces and most of ASCII, as metadata of a model package. */
const metadata: PropertyRules = {
  of: 'a model package',
  entries: 50,
  key: 128,
  value: 256,
  unsafe: /^ | $|[^\p{L}\p{N} _.:/+\-@]/gu,
  mark: '=',
  hex: 'upper',
};
/** Lower case, digits and two signs, as labels of a resource. */
const labels: PropertyRules = {
  of: 'a model version',
  entries: 64,
  key: 63,
  value: 63,
  unsafe: /[^a-z0-9_]/gu,
  mark: '-',
  hex: 'lower',
};
const kinds = [
  ['metadata', metadata, /^[\p{L}\p{N} _.:/+\-@=]*$/u],
  ['labels', labels, /^[a-z0-9_-]*$/],
] as const;

// Those that are registered are read for as long as the registry keeps them.
test('a version reads in its registry as it always did', () => {
  expect(versionProperties(metadata).propertiesOf(owner, version({ lineage: { note: ' ü=1 ', none: '' } }))).toEqual({
    'serin.project': 'acme-ml',
    'serin.environment': 'prod',
    'serin.model': 'fraud',
    'serin.version': '7',
    'serin.digest': 'a'.repeat(64),
    'serin.bytes': '12',
    'serin.uri': 's3://own/runs/run_1/model.tar.gz',
    'metric.auc': '0.91',
    'lineage.note': '=20ü=3D1=20',
    'lineage.none': '=',
  });
  const packed = versionProperties(metadata).propertiesOf(owner, manyMetrics(60));
  expect(Object.keys(packed).filter((key) => !key.startsWith('serin.rest.'))).toEqual(
    ['project', 'environment', 'model', 'version', 'digest', 'bytes'].map((name) => `serin.${name}`),
  );
  expect(packed['serin.rest.0']).toMatch(/^=7B=22uri=22:=22s3:\/\/own\/runs/);
});

describe.each(kinds)('as %s', (_, rules, taken) => {
  const { propertiesOf, versionIn } = versionProperties(rules);

  test.each([
    ['few words', version()],
    ['odd words', version({ lineage: { ' a = b ': '', '😀%\n': 'Ä-ö=', dash: '-2e' } })],
    ['many metrics', manyMetrics(40)],
    ['long words', version({ lineage: { note: 'x'.repeat(600) } })],
  ])('a version with %s comes back, in what the registry takes', (_, registered) => {
    const properties = propertiesOf(owner, registered);

    expect(Object.keys(properties).length).toBeLessThanOrEqual(rules.entries);
    for (const [key, value] of Object.entries(properties)) {
      expect([key.length <= rules.key, value.length <= rules.value]).toEqual([true, true]);
      expect([key, value].every((text) => taken.test(text))).toBe(true);
    }
    expect(versionIn(owner, properties)).toEqual(without(registered, 'approval'));
  });

  test('an owner whose name is long once it is escaped is known again', () => {
    const long = { project: 'a-b'.repeat(20), environment: 'prod' };

    expect(versionIn(long, propertiesOf(long, version()))).toEqual(without(version(), 'approval'));
  });

  test('more than it holds is refused with what to do', () => {
    expect(() => propertiesOf(owner, manyMetrics(1000))).toThrow(
      new RegExp(`more metrics and lineage than ${rules.of} can hold .*; report fewer metrics`),
    );
  });

  test('of another project, another environment, or of nobody it is no version', () => {
    const properties = propertiesOf(owner, version());

    expect(versionIn({ ...owner, project: 'other' }, properties)).toBeUndefined();
    expect(versionIn({ ...owner, environment: 'test' }, properties)).toBeUndefined();
    expect(versionIn(owner, {})).toBeUndefined();
    const unnumbered = Object.entries(properties).filter(([key]) => !key.endsWith('version'));
    expect(versionIn(owner, Object.fromEntries(unnumbered))).toBeUndefined();
  });
});
