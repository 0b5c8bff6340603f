import type { Settings, Where } from '../topology.ts';

export const where: Where = {
  partition: 'aws',
  region: 'eu-west-1',
  account: '123456789012',
  urlSuffix: 'amazonaws.com',
};

export const plain: Settings = {
  project: 'shop',
  environment: 'prod',
  version: '0.1.0',
  adminTokenHash: '0'.repeat(64),
  dataBuckets: ['acme-ml-data', 'acme-ml-labels'],
};

/** Everything that can be switched on. */
export const isolated: Settings = {
  ...plain,
  environment: 'closed',
  createDataBuckets: true,
  kmsKey: 'arn:aws:kms:eu-west-1:123456789012:key/0c5b0f0c-0000-4000-8000-000000000000',
  network: 'isolated',
  notify: 'arn:aws:sns:eu-west-1:123456789012:oncall',
  alertTopic: true,
  apiConcurrency: 50,
};

/** In a network of somebody else's. */
export const joined: Settings = {
  ...plain,
  environment: 'joined',
  network: { subnets: ['subnet-0a1b2c3d', 'subnet-1a2b3c4d'], securityGroups: ['sg-0a1b2c3d'] },
  dataAccounts: ['123456789012', '210987654321'],
  dataKeys: ['arn:aws:kms:eu-west-1:210987654321:key/1c5b0f0c-0000-4000-8000-000000000000'],
  imageAccounts: ['763104351884'],
  lambdaConcurrency: 10,
  dashboard: false,
};

export const all = { plain, isolated, joined };

/** What a file for one environment says; a stage of SST is told by SST. */
export function fileOf({ environment, adminTokenHash, ...settings }: Settings): Readonly<Record<string, unknown>> {
  return { ...settings, adminTokenHash: { [environment]: adminTokenHash } };
}
