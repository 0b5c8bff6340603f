import { expect, test } from 'vitest';
import { topology } from '../topology.ts';
import { all, where } from './settings.ts';

/**
 * Operations as Microsoft's reference of permissions names them, of the providers that roles of ours are about.
 *
 * https://github.com/MicrosoftDocs/azure-docs, articles/role-based-access-control/permissions: ai-machine-learning,
 * identity, integration, monitor, security, storage (2026-11-29).
 */
const known: Readonly<Record<string, readonly string[]>> = {
  'Microsoft.MachineLearningServices/locations': ['mfeOperationResults/read', 'mfeOperationsStatus/read'],
  'Microsoft.MachineLearningServices/workspaces': [
    'computes/read',
    'datastores/read',
    'environments/versions/read',
    'environments/versions/write',
    'experiments/runs/read',
    'jobs/cancel/action',
    'jobs/read',
    'jobs/write',
    'metrics/resource/write',
    'models/versions/read',
    'models/versions/write',
    'onlineEndpoints/deployments/delete',
    'onlineEndpoints/deployments/read',
    'onlineEndpoints/deployments/write',
    'onlineEndpoints/read',
    'onlineEndpoints/write',
  ],
  'Microsoft.Insights': [
    'autoscalesettings/delete',
    'autoscalesettings/read',
    'autoscalesettings/write',
    'diagnosticSettings/write',
    'metrics/read',
    'Metrics/Write',
    'Telemetry/Write',
  ],
  'Microsoft.OperationalInsights/workspaces': [
    'query/AmlOnlineEndpointTrafficLog/read',
    'query/read',
    'sharedKeys/action',
  ],
  'Microsoft.ManagedIdentity/userAssignedIdentities': ['assign/action'],
  'Microsoft.ServiceBus/namespaces': ['messages/receive/action', 'messages/send/action'],
  'Microsoft.KeyVault/vaults': ['secrets/getSecret/action'],
  'Microsoft.Storage/storageAccounts': [
    'blobServices/containers/blobs/add/action',
    'blobServices/containers/blobs/delete',
    'blobServices/containers/blobs/read',
    'blobServices/containers/blobs/write',
    'tableServices/tables/entities/add/action',
    'tableServices/tables/entities/delete',
    'tableServices/tables/entities/read',
    'tableServices/tables/entities/update/action',
  ],
};

test.each(Object.entries(all))('%s: Azure knows each permission of each role', (_, settings) => {
  const operations = new Set(
    Object.entries(known).flatMap(([provider, names]) => names.map((name) => `${provider}/${name}`)),
  );
  const given = topology(settings, where).customRoles.flatMap(({ actions, dataActions }) => [
    ...actions,
    ...dataActions,
  ]);

  expect(given.length).toBeGreaterThan(20);
  expect(given.filter((permission) => !operations.has(permission))).toEqual([]);
});
