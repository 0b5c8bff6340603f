import type { PartUse } from '@serin/core/config/parts';
import { expect, test } from 'vitest';
import { clouds } from './clouds.ts';
import type { Cloud } from './facts.ts';
import { instanceTypeFor } from './instance-types.ts';
import { priceOf } from './prices.ts';

const chosen = (cloud: Cloud, use: PartUse, type: string, count = 1) =>
  instanceTypeFor(clouds[cloud].instanceTypes, use, { type, count });
const name = (...wanted: Parameters<typeof chosen>) => chosen(...wanted).name;

test.each([
  ['T4', 1, 'ml.g4dn.xlarge', 'n1-standard-4', 'Standard_NC4as_T4_v3'],
  ['T4', 4, 'ml.g4dn.12xlarge', 'n1-standard-16', 'Standard_NC64as_T4_v3'],
  ['L4', 1, 'ml.g6.xlarge', 'g2-standard-4', undefined],
  ['A10G', 1, 'ml.g5.xlarge', undefined, 'Standard_NV36ads_A10_v5'],
  ['A10', 1, 'ml.g5.xlarge', undefined, 'Standard_NV36ads_A10_v5'],
  ['A100', 8, 'ml.p4d.24xlarge', 'a2-highgpu-8g', 'Standard_ND96asr_v4'],
  ['A100-80GB', 8, 'ml.p4de.24xlarge', 'a2-ultragpu-8g', 'Standard_ND96amsr_A100_v4'],
  ['H100', 1, 'ml.p5.4xlarge', 'a3-highgpu-1g', 'Standard_NC40ads_H100_v5'],
  ['H200', 8, 'ml.p5e.48xlarge', 'a3-ultragpu-8g', 'Standard_ND96isr_H200_v5'],
  ['TPU-v5e', 1, undefined, 'ct5lp-hightpu-1t', undefined],
  ['TPU-v6e', 3, undefined, 'ct6e-standard-4t', undefined],
  ['B200', 8, 'ml.p6-b200.48xlarge', 'a4-highgpu-8g', undefined],
])('%s x %i names an instance type on each cloud that has one', (type, count, aws, gcp, azure) => {
  for (const [cloud, expected] of Object.entries({ aws, gcp, azure }) as [Cloud, string | undefined][])
    if (expected === undefined) expect(() => name(cloud, 'train', type, count)).toThrow(type);
    else expect(name(cloud, 'train', type, count)).toBe(expected);
});

test('a number that no instance type has is rounded up to the next one that does', () => {
  expect(chosen('aws', 'train', 'A100').accelerator).toMatchObject({ type: 'A100', count: 8 });
  expect(name('aws', 'serve', 'T4', 2)).toBe('ml.g4dn.12xlarge');
  expect(name('gcp', 'train', 'T4', 3)).toBe('n1-standard-16');
});

test('what SageMaker trains and serves on it may not process on', () => {
  expect(name('aws', 'serve', 'A100')).toBe('ml.p4d.24xlarge');
  expect(name('aws', 'process', 'H100')).toBe('ml.p5.4xlarge');
  expect(() => name('aws', 'process', 'A100')).toThrow('use T4 (1, 4), A10G (1, 4, 8), L4 (1, 4, 8), H100 (1)');
});

test.each([
  ['a type that no row has', 'V100', 1, 'aws has no accelerator V100; use T4 (1, 4), A10G (1, 4, 8)'],
  ['more than one instance has', 'H100', 16, 'no 16 H100 to train on; use at most 8, or more compute.nodes'],
  ['more memory than any has', 'A100-96GB', 1, 'no accelerator A100-96GB'],
])('%s is invalid, and the fault says what there is', (_, type, count, message) => {
  expect(() => chosen('aws', 'train', type, count)).toThrow(
    expect.objectContaining({ code: 'invalid', message: expect.stringContaining(message) }),
  );
});

test('without an accelerator it is the default of the cloud', () => {
  expect(instanceTypeFor(clouds.aws.instanceTypes, 'train')).toMatchObject({
    name: 'ml.m5.xlarge',
    vcpus: 4,
    memoryGb: 16,
  });
});

test('an instance type without a published price has none, and every price says where and when it was read', () => {
  expect(priceOf(clouds.aws, 'ml.m5.xlarge')).toMatchObject({ usdPerHour: 0.257 });
  expect(priceOf(clouds.aws, 'ml.g6.xlarge')).toBeUndefined();
  for (const { prices } of Object.values(clouds))
    for (const { source, asOf } of [...prices.instances, ...prices.units]) expect([source, asOf]).not.toContain('');
});

test('in whatever order the table is: of equally many accelerators the one with the least memory, and the price on demand', () => {
  const { instanceTypes, prices } = clouds.gcp;
  const turned = { ...instanceTypes, rows: instanceTypes.rows.toReversed() };
  const spot = { sku: 'x', purchase: 'spot', usdPerHour: 1, source: 's', asOf: 'a' } as const;
  const instances = [spot, { ...spot, purchase: 'onDemand', usdPerHour: 3 }] as const;

  expect(instanceTypeFor(turned, 'train', { type: 'A100', count: 1 }).name).toBe('a2-highgpu-1g');
  expect(priceOf({ prices: { ...prices, instances } }, 'x')).toMatchObject({ usdPerHour: 3 });
});
