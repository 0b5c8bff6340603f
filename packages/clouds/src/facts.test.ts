import { expect, test } from 'vitest';
import { clouds } from './clouds.ts';
import type { Cloud } from './facts.ts';
import { instanceTypeFor } from './instance-types.ts';

const counted = (cloud: Cloud, use: 'train' | 'process' | 'serve', type?: string, spot = false) => {
  const { instanceTypes, quotas } = clouds[cloud];
  const found = instanceTypeFor(instanceTypes, use, type === undefined ? undefined : { type, count: 1 });
  return quotas.of({ use, spot }, found);
};

test.each([
  ['aws', 'train', 'T4', true, 'ml.g4dn.xlarge for spot training job usage', 1],
  ['aws', 'process', undefined, false, 'ml.m5.xlarge for processing job usage', 1],
  ['aws', 'serve', 'T4', false, 'ml.g4dn.xlarge for endpoint usage', 1],
  ['gcp', 'train', 'T4', true, 'custom_model_training_preemptible_nvidia_t4_gpus', 1],
  ['gcp', 'train', undefined, true, 'custom_model_training_preemptible_cpus', 4],
  ['gcp', 'process', undefined, false, 'custom_model_training_cpus', 4],
  ['gcp', 'serve', 'A100-80GB', false, 'custom_model_serving_nvidia_a100_80gb_gpus', 1],
  ['azure', 'train', 'T4', true, 'low-priority cores per region', 4],
  ['azure', 'process', undefined, false, 'standardDSv2Family', 4],
  ['azure', 'serve', 'A100', false, 'standardNCADSA100v4Family', 24],
] as const)('%s counts what it would %s on (%s, spot %s) against %s', (cloud, use, type, spot, quota, each) => {
  expect(counted(cloud, use, type, spot)).toEqual({ quota, each });
});

test('an instance with several accelerators counts as so many', () => {
  const { instanceTypes, quotas } = clouds.gcp;
  const eight = instanceTypeFor(instanceTypes, 'train', { type: 'A100', count: 8 });

  expect(quotas.of({ use: 'train', spot: false }, eight)).toMatchObject({ each: 8 });
});

test('a quota that nobody names is not guessed', () => {
  expect(counted('gcp', 'train', 'B200')).toBeUndefined();
  expect(counted('azure', 'train', 'H200')).toBeUndefined();
});

test('an update of an endpoint needs its instances more than once, and on azure mostly a fifth more', () => {
  const atUpdate = (cloud: Cloud, type?: string) => {
    const { instanceTypes, quotas } = clouds[cloud];
    const found = instanceTypeFor(instanceTypes, 'serve', type === undefined ? undefined : { type, count: 1 });
    return quotas.atUpdate(10, found);
  };

  expect([atUpdate('aws'), atUpdate('gcp'), atUpdate('azure'), atUpdate('azure', 'A100')]).toEqual([30, 20, 24, 20]);
});

test.each([
  ['aws', '123456789012', 'eu-west-1', 'acme', 'europe-west4'],
  ['gcp', 'acme-ml-1', 'europe-west4', 'ACME', 'eu-west-1'],
  ['azure', '00000000-0000-0000-0000-000000000001', 'westeurope', 'acme', 'eu-west-1'],
] as const)('%s has accounts such as %s and regions such as %s', (cloud, account, region, noAccount, noRegion) => {
  const { places } = clouds[cloud];

  expect([places.account.of.test(account), places.region.of.test(region)]).toEqual([true, true]);
  expect([places.account.of.test(noAccount), places.region.of.test(noRegion)]).toEqual([false, false]);
});

test.each([
  ['eu-west-1', { partition: 'aws', urlSuffix: 'amazonaws.com' }],
  ['us-gov-west-1', { partition: 'aws-us-gov', urlSuffix: 'amazonaws.com' }],
  ['cn-north-1', { partition: 'aws-cn', urlSuffix: 'amazonaws.com.cn' }],
])('%s lies in a partition of its own names', (region, partition) => {
  expect(clouds.aws.places.partitionOf(region)).toEqual(partition);
});

test('each cloud stands under its own name', () => {
  for (const [cloud, facts] of Object.entries(clouds))
    expect([facts.cloud, facts.instanceTypes.cloud]).toEqual([cloud, cloud]);
});
