import { type Around, idIn, keptOf, type Pulumi, placed } from './pulumi.ts';

/** The workspace of Azure ML, unless there is one, and the datastore of our own container in it. */
export function renderWorkspace(around: Around): readonly Pulumi.Resource[] {
  const { azure, topology, after } = around;
  const { workspace, where } = topology;
  const { datastore } = workspace;
  const made = workspace.made === undefined ? [] : [renderMade(around, workspace.made)];
  return [
    ...made,
    new azure.machinelearningservices.Datastore(
      'Datastore',
      {
        resourceGroupName: workspace.group,
        workspaceName: workspace.name,
        name: datastore.name,
        properties: {
          datastoreType: 'AzureBlob',
          accountName: datastore.account,
          containerName: datastore.container,
          subscriptionId: where.account,
          resourceGroup: topology.group,
          endpoint: 'core.windows.net',
          protocol: 'https',
          credentials: { credentialsType: 'None' },
          serviceDataAccessAuthIdentity: 'None',
        },
      },
      { dependsOn: [...after, ...made] },
    ),
  ];
}

/**
 * In a group of its own: Azure gives the identity of a workspace wide rights on the group in which it lies.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication
 */
function renderMade(around: Around, made: { readonly storage: string; readonly vault: string }): Pulumi.Resource {
  const { azure, topology, identities, after } = around;
  const { id, name, group } = topology.workspace;
  const { network } = topology.settings;
  const [own] = topology.accounts;
  const vault = topology.vaults.find((each) => each.id === 'Programs');
  const reaches = (type: string, of: string, subresourceTarget: string) => ({
    type: 'PrivateEndpoint' as const,
    category: 'UserDefined',
    destination: { serviceResourceId: idIn(topology, type, of), subresourceTarget },
  });
  return new azure.machinelearningservices.Workspace(
    'Workspace',
    {
      ...placed(around, group),
      workspaceName: name,
      kind: 'Default',
      sku: { name: 'Basic', tier: 'Basic' },
      identity: { type: 'SystemAssigned,UserAssigned', userAssignedIdentities: [identities.jobs.id] },
      storageAccount: idIn(topology, 'Microsoft.Storage/storageAccounts', made.storage, group),
      keyVault: idIn(topology, 'Microsoft.KeyVault/vaults', made.vault, group),
      systemDatastoresAuthMode: 'Identity',
      v1LegacyMode: false,
      publicNetworkAccess: 'Enabled',
      ...(network === undefined
        ? {}
        : {
            managedNetwork: {
              isolationMode: 'AllowInternetOutbound',
              outboundRules: {
                own: reaches('Microsoft.Storage/storageAccounts', own?.name ?? '', 'blob'),
                config: reaches('Microsoft.KeyVault/vaults', vault?.name ?? '', 'vault'),
              },
            },
          }),
    },
    { ...keptOf(around, id), dependsOn: [...after] },
  );
}
