import { expect, test } from 'vitest';
import { type Cloud, type MachineUse, machineFor } from './accelerators.ts';
import { priceOf, prices, unitPrices } from './prices.ts';

const name = (cloud: Cloud, use: MachineUse, type: string, count = 1) => machineFor(cloud, use, { type, count }).name;

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
  ['B200', 8, 'ml.p6-b200.48xlarge', 'a4-highgpu-8g', undefined],
])('%s x %i names a machine on each cloud that has one', (type, count, aws, gcp, azure) => {
  for (const [cloud, expected] of Object.entries({ aws, gcp, azure }) as [Cloud, string | undefined][])
    if (expected === undefined) expect(() => name(cloud, 'train', type, count)).toThrow(type);
    else expect(name(cloud, 'train', type, count)).toBe(expected);
});

test('a number that no machine has is rounded up to the next one that does', () => {
  expect(machineFor('aws', 'train', { type: 'A100', count: 1 }).accelerator).toMatchObject({ type: 'A100', count: 8 });
  expect(name('aws', 'serve', 'T4', 2)).toBe('ml.g4dn.12xlarge');
  expect(name('gcp', 'train', 'T4', 3)).toBe('n1-standard-16');
});

test('what SageMaker trains and serves on it may not process or transform on', () => {
  expect(name('aws', 'serve', 'A100')).toBe('ml.p4d.24xlarge');
  expect(name('aws', 'process', 'H100')).toBe('ml.p5.4xlarge');
  expect(() => name('aws', 'process', 'A100')).toThrow(
    'for that it has T4 (1, 4), A10G (1, 4, 8), L4 (1, 4, 8), H100 (1)',
  );
  expect(() => name('aws', 'transform', 'H100')).toThrow('cannot transform on ml.p5.4xlarge, ml.p5.48xlarge');
});

test.each([
  ['a type that no row has', 'V100', 1, 'aws has no accelerator V100 in the table; it has T4 (1, 4), A10G (1, 4, 8)'],
  ['more than one machine has', 'H100', 16, 'at most 8 H100 to train on, not 16; more machines come by compute.nodes'],
  ['more memory than any has', 'A100-96GB', 1, 'no accelerator A100-96GB'],
])('%s is invalid, and the fault says what there is', (_, type, count, message) => {
  expect(() => machineFor('aws', 'train', { type, count })).toThrow(
    expect.objectContaining({ code: 'invalid', message: expect.stringContaining(message) }),
  );
});

test('without an accelerator it is the default machine of the cloud', () => {
  expect(machineFor('aws', 'train')).toMatchObject({ name: 'ml.m5.xlarge', vcpus: 4, memoryGb: 16, usdPerHour: 0.257 });
});

test('a machine without a published price has none, and every price says where and when it was read', () => {
  expect(priceOf('aws', 'ml.g6.xlarge')).toBeUndefined();
  expect(machineFor('aws', 'train', { type: 'L4', count: 1 })).not.toHaveProperty('usdPerHour');
  for (const { source, asOf } of [...prices, ...unitPrices]) expect([source, asOf]).not.toContain('');
});
