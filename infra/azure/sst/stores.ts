import type { StorageAccount, Vault } from '../topology/shapes.ts';
import { type Around, idIn, keptOf, type Pulumi, placed } from './pulumi.ts';

type Before = Omit<Around, 'identities'>;

/** Groups, in which all else lies; ours stay with what stays in them. */
export function renderGroups({ azure, topology }: Omit<Before, 'after'>): readonly Pulumi.Resource[] {
  const { where, tags, groups } = topology;
  return groups.map(
    ({ id, name }) =>
      new azure.resources.ResourceGroup(
        `Group-${id}`,
        { resourceGroupName: name, location: where.region, tags: { ...tags } },
        keptOf({ topology }, `/subscriptions/${where.account}/resourceGroups/${name}`),
      ),
  );
}

export function renderStores(around: Before): readonly Pulumi.Resource[] {
  const { accounts, vaults } = around.topology;
  return [
    ...accounts.flatMap((account) => renderAccount(around, account)),
    ...vaults.map((vault) => renderVault(around, vault)),
    ...renderBus(around),
  ];
}

const isPrivate = ({ topology }: Pick<Around, 'topology'>): boolean => topology.settings.network !== undefined;

function renderAccount(around: Before, account: StorageAccount): readonly Pulumi.Resource[] {
  const { azure, topology, after } = around;
  const { id, name, group, kept } = account;
  const accountId = idIn(topology, 'Microsoft.Storage/storageAccounts', name, group);
  const optionsOf = (path = '') => (kept ? keptOf(around, `${accountId}${path}`) : {});
  const within = { accountName: name, resourceGroupName: group };
  const made = new azure.storage.StorageAccount(
    `Storage-${id}`,
    {
      ...placed(around, group),
      accountName: name,
      kind: 'StorageV2',
      sku: { name: `Standard_${topology.settings.replication ?? 'ZRS'}` },
      allowSharedKeyAccess: false,
      allowBlobPublicAccess: false,
      allowCrossTenantReplication: false,
      defaultToOAuthAuthentication: true,
      enableHttpsTrafficOnly: true,
      minimumTlsVersion: 'TLS1_2',
      // Azure ML reaches its own from outside of the owner's network.
      publicNetworkAccess: isPrivate(around) && id !== 'Workspace' ? 'Disabled' : 'Enabled',
      ...encryptionOf(around),
    },
    { ...optionsOf(), dependsOn: [...after] },
  );
  const options = (path: string) => ({ ...optionsOf(path), dependsOn: [made] });
  return [
    made,
    ...renderVersions(around, account, options),
    ...account.containers.map(
      (container) =>
        new azure.storage.BlobContainer(
          `Container-${id}-${container.name}`,
          { ...within, containerName: container.name, publicAccess: 'None' },
          options(`/blobServices/default/containers/${container.name}`),
        ),
    ),
    ...account.tables.map(
      (table) =>
        new azure.storage.Table(
          `Table-${id}-${table}`,
          { ...within, tableName: table },
          options(`/tableServices/default/tables/${table}`),
        ),
    ),
  ];
}

/** What was written over or deleted stays for a while. */
function renderVersions(
  { azure }: Before,
  { id, name, group, oldVersionsDays, forgotten = [] }: StorageAccount,
  options: (path: string) => Pulumi.CustomResourceOptions,
): readonly Pulumi.Resource[] {
  if (oldVersionsDays === undefined) return [];
  const within = { accountName: name, resourceGroupName: group };
  const deleted = { enabled: true, days: 7 };
  return [
    new azure.storage.BlobServiceProperties(
      `Versions-${id}`,
      {
        ...within,
        blobServicesName: 'default',
        isVersioningEnabled: true,
        deleteRetentionPolicy: deleted,
        containerDeleteRetentionPolicy: deleted,
      },
      options('/blobServices/default'),
    ),
    new azure.storage.ManagementPolicy(
      `Lifecycle-${id}`,
      {
        ...within,
        managementPolicyName: 'default',
        policy: {
          rules: [
            {
              name: 'old-versions',
              enabled: true,
              type: 'Lifecycle',
              definition: {
                actions: { version: { delete: { daysAfterCreationGreaterThan: oldVersionsDays } } },
                filters: { blobTypes: ['blockBlob'] },
              },
            },
            ...forgotten.map(({ rule, prefix, days }) => ({
              ...{ name: rule, enabled: true, type: 'Lifecycle' },
              definition: {
                actions: {
                  baseBlob: { delete: { daysAfterCreationGreaterThan: days } },
                  version: { delete: { daysAfterCreationGreaterThan: 1 } },
                },
                filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: [prefix] },
              },
            })),
          ],
        },
      },
      options('/managementPolicies/default'),
    ),
  ];
}

/** https://learn.microsoft.com/azure/storage/common/customer-managed-keys-configure-new-account */
function encryptionOf({ topology: { settings } }: Before) {
  const { kmsKey, kmsIdentity } = settings;
  if (kmsKey === undefined || kmsIdentity === undefined) return {};
  const { origin, pathname } = new URL(kmsKey);
  return {
    identity: { type: 'UserAssigned', userAssignedIdentities: [kmsIdentity] },
    encryption: {
      keySource: 'Microsoft.Keyvault',
      keyVaultProperties: { keyName: pathname.split('/').at(-1) ?? '', keyVaultUri: origin },
      encryptionIdentity: { encryptionUserAssignedIdentity: kmsIdentity },
    },
  };
}

function renderVault(around: Before, { id, name, group }: Vault): Pulumi.Resource {
  const { azure, tenant, topology, after } = around;
  return new azure.keyvault.Vault(
    `Vault-${id}`,
    {
      ...placed(around, group),
      vaultName: name,
      properties: {
        tenantId: tenant,
        sku: { family: 'A', name: 'standard' },
        enableRbacAuthorization: true,
        enableSoftDelete: true,
        softDeleteRetentionInDays: 90,
        enablePurgeProtection: true,
        publicNetworkAccess: isPrivate(around) && id !== 'Workspace' ? 'Disabled' : 'Enabled',
      },
    },
    { ...keptOf(around, idIn(topology, 'Microsoft.KeyVault/vaults', name, group)), dependsOn: [...after] },
  );
}

/** As Azure answers it: another text for the same time would be a change at each deployment. */
function durationOf(seconds: number): string {
  const [day, hour] = [24 * 3600, 3600];
  if (seconds % day === 0) return `P${seconds / day}D`;
  return seconds % hour === 0 ? `PT${seconds / hour}H` : `PT${seconds / 60}M`;
}

function renderBus(around: Before): readonly Pulumi.Resource[] {
  const { azure, topology, after } = around;
  const { name, tier, queue, topic } = topology.namespace;
  const made = new azure.servicebus.Namespace(
    'Bus',
    {
      ...placed(around),
      namespaceName: name,
      sku: { name: tier, tier, ...(tier === 'Premium' ? { capacity: 1 } : {}) },
      disableLocalAuth: true,
      minimumTlsVersion: '1.2',
      publicNetworkAccess: isPrivate(around) ? 'Disabled' : 'Enabled',
    },
    { dependsOn: [...after] },
  );
  const within = { resourceGroupName: topology.group, namespaceName: name };
  const options = { dependsOn: [made] };
  return [
    made,
    new azure.servicebus.Queue(
      'Signals',
      {
        ...within,
        queueName: queue.name,
        lockDuration: durationOf(queue.lockSeconds),
        maxDeliveryCount: queue.attempts,
        defaultMessageTimeToLive: `P${queue.days}D`,
        deadLetteringOnMessageExpiration: true,
        requiresDuplicateDetection: true,
        duplicateDetectionHistoryTimeWindow: durationOf(queue.duplicatesSeconds),
      },
      options,
    ),
    new azure.servicebus.Topic(
      'Events',
      {
        ...within,
        topicName: topic.name,
        defaultMessageTimeToLive: `P${topic.days}D`,
        requiresDuplicateDetection: true,
        duplicateDetectionHistoryTimeWindow: durationOf(topic.duplicatesSeconds),
      },
      options,
    ),
    // Event Grid comes from outside. https://learn.microsoft.com/azure/event-grid/managed-service-identity
    ...(tier === 'Premium'
      ? [
          new azure.servicebus.NamespaceNetworkRuleSet(
            'Bus-network',
            { ...within, defaultAction: 'Deny', publicNetworkAccess: 'Disabled', trustedServiceAccessEnabled: true },
            options,
          ),
        ]
      : []),
  ];
}
