import type { Settings, Where } from '../topology.ts';

export const where: Required<Where> = { account: 'acme-ml', region: 'europe-west4', number: '123456789012' };

export const plain: Settings = {
  project: 'shop',
  environment: 'prod',
  version: '0.1.0',
  adminTokenHash: '0'.repeat(64),
  dataBuckets: ['acme-ml-data', 'acme-ml-labels'],
  googleProject: where.account,
  region: where.region,
};

/** Everything that can be switched on. */
export const closed: Settings = {
  ...plain,
  environment: 'closed',
  createDataBuckets: true,
  kmsKey: 'projects/acme-keys/locations/europe-west4/keyRings/ml/cryptoKeys/serin',
  network: {
    network: 'projects/123456789012/global/networks/ml',
    connector: 'projects/acme-ml/locations/europe-west4/connectors/ml',
  },
  api: 'internal',
  sharedEndpoints: true,
  alertEmail: 'oncall@acme.example',
  notify: 'projects/acme-ml/notificationChannels/42',
  logDays: 90,
  apiInstances: 50,
  roleGeneration: 2,
};

/** Nothing but what must be said. */
export const bare: Settings = { ...plain, environment: 'bare', dataBuckets: [], dashboard: false };

export const all = { plain, closed, bare };

/** What a file for one environment says; a stage of SST is told by SST. */
export function fileOf({ environment, adminTokenHash, ...settings }: Settings): Readonly<Record<string, unknown>> {
  return { ...settings, adminTokenHash: { [environment]: adminTokenHash } };
}
