import type { Settings, Where } from '../topology.ts';

export const subscription = '0b1f6471-1bf0-4dda-aec3-cb9272f09590';
export const where: Where = { account: subscription, region: 'westeurope' };

const group = `/subscriptions/${subscription}/resourceGroups/ml`;

export const plain: Settings = {
  project: 'shop',
  environment: 'prod',
  version: '0.1.0',
  adminTokenHash: '0'.repeat(64),
  dataBuckets: ['acme-data', 'acme-labels'],
  subscription,
  region: where.region,
};

/** What is the owner's own already. */
export const given: Settings = {
  ...plain,
  environment: 'given',
  resourceGroup: 'serin-of-ours',
  workspace: `${group}/providers/Microsoft.MachineLearningServices/workspaces/acme-ws`,
  cluster: 'gpu-spot',
  dataAccount: `${group}/providers/Microsoft.Storage/storageAccounts/acmemldata`,
  dataTopic: 'acmemldata-events',
  workspaceTopic: 'acme-ws-events',
  logWorkspace: `${group}/providers/Microsoft.OperationalInsights/workspaces/acme-logs`,
  alertEmail: 'oncall@acme.example',
};

/** Everything that can be switched on. */
export const closed: Settings = {
  ...plain,
  environment: 'closed',
  replication: 'GZRS',
  kmsKey: 'https://acme-keys.vault.azure.net/keys/serin',
  kmsIdentity: `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/keys`,
  network: {
    functions: `${group}/providers/Microsoft.Network/virtualNetworks/ml/subnets/functions`,
    endpoints: `${group}/providers/Microsoft.Network/virtualNetworks/ml/subnets/endpoints`,
  },
  api: 'internal',
  apiInstances: 50,
  logDays: 90,
  alertEmail: 'oncall@acme.example',
  alarms: {
    tenant: '72f988bf-86f1-41af-91ab-2d7cd011db47',
    audience: 'api://5d2a3f0e-6f6f-4b7e-8f7a-0d6a2a1c9b11',
    object: '11111111-2222-4333-8444-555555555555',
  },
  nodeImage: 'acme.azurecr.io/node:24-slim',
  endpointKeys: true,
  privateEndpoints: true,
};

/** Nothing but what must be said. */
export const bare: Settings = { ...plain, environment: 'bare', dataBuckets: [], logWorkspace: 'off' };

export const all = { plain, given, closed, bare };

/** What a file for one environment says; a stage of SST is told by SST. */
export function fileOf({ environment, adminTokenHash, ...settings }: Settings): Readonly<Record<string, unknown>> {
  return { ...settings, adminTokenHash: { [environment]: adminTokenHash } };
}
