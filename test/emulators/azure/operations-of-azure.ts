/**
 * Permissions that Azure has, as far as a role of ours could want them. No package holds Azure's list, so each is copied
 * from the page that documents it, beneath https://learn.microsoft.com/azure/role-based-access-control/permissions/.
 */
interface Documented {
  readonly page: string;
  readonly actions?: readonly string[];
  readonly dataActions?: readonly string[];
}

const of = (prefix: string, ...names: readonly string[]): readonly string[] => names.map((name) => `${prefix}/${name}`);

const ml = 'Microsoft.MachineLearningServices';
const storage = 'Microsoft.Storage/storageAccounts';

export const documented: readonly Documented[] = [
  {
    page: 'ai-machine-learning#microsoftmachinelearningservices',
    actions: [
      ...of(`${ml}/locations`, 'mfeOperationResults/read', 'mfeOperationsStatus/read', 'usages/read'),
      ...of(
        `${ml}/workspaces`,
        'read',
        'computes/read',
        'datastores/read',
        'datastores/write',
        'metrics/resource/write',
      ),
      ...of(`${ml}/workspaces/environments`, 'read', 'write', 'build/action', 'readSecrets/action'),
      // https://learn.microsoft.com/azure/machine-learning/how-to-assign-roles names it.
      ...of(`${ml}/workspaces/data/versions`, 'write'),
      ...of(`${ml}/workspaces/environments/versions`, 'read', 'write', 'delete'),
      ...of(`${ml}/workspaces/jobs`, 'read', 'write', 'delete', 'cancel/action', 'operationresults/read'),
      ...of(`${ml}/workspaces/models`, 'read', 'write', 'delete', 'versions/read', 'versions/write', 'versions/delete'),
      ...of(`${ml}/workspaces/experiments`, 'read', 'runs/read', 'runs/write'),
      ...of(`${ml}/workspaces/metadata`, 'artifacts/read', 'artifacts/write'),
      ...of(`${ml}/workspaces/onlineEndpoints`, 'read', 'write', 'delete', 'score/action'),
      ...of(`${ml}/workspaces/onlineEndpoints`, 'listkeys/action', 'operationresults/read', 'operationsstatus/read'),
      ...of(`${ml}/workspaces/onlineEndpoints/deployments`, 'read', 'write', 'delete', 'getlogs/action'),
      ...of(`${ml}/workspaces/onlineEndpoints/deployments`, 'operationresults/read', 'operationsstatus/read'),
    ],
  },
  {
    page: 'storage#microsoftstorage',
    dataActions: [
      ...of(`${storage}/blobServices/containers/blobs`, 'read', 'write', 'delete', 'add/action', 'move/action'),
      ...of(`${storage}/tableServices/tables/entities`, 'read', 'write', 'delete', 'add/action', 'update/action'),
    ],
  },
  {
    page: 'security#microsoftkeyvault',
    dataActions: of('Microsoft.KeyVault/vaults/secrets', 'getSecret/action', 'readMetadata/action', 'setSecret/action'),
  },
  {
    page: 'integration#microsoftservicebus',
    dataActions: of('Microsoft.ServiceBus/namespaces/messages', 'send/action', 'receive/action'),
  },
  {
    page: 'monitor#microsoftinsights',
    actions: [
      ...of('Microsoft.Insights', 'Metrics/Read', 'MetricDefinitions/Read', 'DiagnosticSettings/Read'),
      ...of('Microsoft.Insights', 'DiagnosticSettings/Write', 'DiagnosticSettings/Delete'),
      ...of('Microsoft.Insights/AutoscaleSettings', 'Read', 'Write', 'Delete'),
    ],
    dataActions: of('Microsoft.Insights', 'Metrics/Write', 'Telemetry/Write'),
  },
  {
    page: 'monitor#microsoftoperationalinsights',
    actions: of(
      'Microsoft.OperationalInsights/workspaces',
      'query/read',
      'query/AmlOnlineEndpointTrafficLog/read',
      'sharedKeys/action',
    ),
  },
  {
    page: 'identity#microsoftmanagedidentity',
    actions: of('Microsoft.ManagedIdentity/userAssignedIdentities', 'read', 'assign/action'),
  },
  {
    page: 'containers#microsoftcontainerregistry',
    actions: of('Microsoft.ContainerRegistry/registries', 'pull/read', 'push/write'),
  },
];

const known = (kind: 'actions' | 'dataActions'): ReadonlySet<string> =>
  new Set(documented.flatMap((each) => each[kind] ?? []).map((name) => name.toLowerCase()));

/** Of the permissions of a role: those that Microsoft does not document as such. Azure takes them in any case. */
export function unknownIn(role: { readonly actions: readonly string[]; readonly dataActions: readonly string[] }) {
  const [actions, dataActions] = [known('actions'), known('dataActions')];
  return [
    ...role.actions.filter((name) => !actions.has(name.toLowerCase())),
    ...role.dataActions.filter((name) => !dataActions.has(name.toLowerCase())),
  ];
}
