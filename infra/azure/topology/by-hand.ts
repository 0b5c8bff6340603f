import { sha256Hex } from '@serin/core/base/json';
import { azureMonitor, secretsPrefix } from './functions.ts';
import { parsedId } from './ids.ts';
import { type Places, webhooksSecret } from './places.ts';
import type { Topology } from './shapes.ts';

type ByHand = Topology['byHand'];

/** What must be registered in a subscription before anything of it is made. */
export const providers: readonly string[] = [
  'App',
  'EventGrid',
  'Insights',
  'KeyVault',
  'MachineLearningServices',
  'ManagedIdentity',
  'OperationalInsights',
  'ServiceBus',
  'Storage',
  'Web',
].map((provider) => `Microsoft.${provider}`);

/** SST keeps a state on this computer; `serin deploy` fetches it from there, and brings it back. */
export const stateAccountOf = (subscription: string): string =>
  `serinstate${sha256Hex(subscription.toLowerCase()).slice(0, 12)}`;
export const stateGroup = 'serin-state';
export const stateContainer = 'state';

/** What no tool does for the owner, each with its command. */
export function byHandOf(places: Places): ByHand {
  const { where, settings, vaults, dataAccountId, idOf } = places;
  const within = `--subscription ${where.account}`;
  const account = stateAccountOf(where.account);
  return [
    {
      what: 'whoever deploys must be logged in, and must be an owner of the subscription: roles are made and given, one of them on the subscription',
      command: `az login && az account set ${within}`,
    },
    {
      what: 'the resource providers, once for each subscription; each takes some minutes',
      command: providers.map((provider) => `az provider register --namespace ${provider} ${within}`).join(' && '),
    },
    {
      what: 'the storage account in which a team keeps the state of SST, once for each subscription, before the first deployment',
      command: [
        `az group create --name ${stateGroup} --location ${where.region} ${within}`,
        `az storage account create --name ${account} --resource-group ${stateGroup} --location ${where.region} --sku Standard_${settings.replication ?? 'ZRS'} --allow-shared-key-access false --allow-blob-public-access false --min-tls-version TLS1_2 ${within}`,
        `az storage account blob-service-properties update --account-name ${account} --resource-group ${stateGroup} --enable-versioning true ${within}`,
        `az storage container-rm create --name ${stateContainer} --storage-account ${account} --resource-group ${stateGroup} ${within}`,
      ].join(' && '),
    },
    {
      what: 'for each person or pipeline that deploys: the state may be read and written; owners of a subscription may not by themselves',
      command: grantToMe(
        'Storage Blob Data Contributor',
        idOf('Microsoft.Storage/storageAccounts', account, stateGroup),
      ),
    },
    {
      what: 'the quota of processors of each family above, 0 for accelerators in a new subscription: ask in the portal under Quotas, Machine learning; this shows what there is',
      command: `az ml compute list-usage --location ${where.region} ${within}`,
    },
    ...ofGiven(places),
    ...ofAlarms(places),
    ...(settings.alertEmail === undefined
      ? [
          {
            what: 'nobody hears Serin\'s own alarms yet: put an address into serin.azure.json, "alertEmail", and deploy again; this shows some of them',
            command: `az monitor metrics alert list --resource-group ${places.group} ${within}`,
          },
        ]
      : []),
    {
      what: 'for whoever drops data by hand, after the first deployment: an owner of the subscription may not write a blob by that alone',
      command: grantToMe('Storage Blob Data Contributor', dataAccountId),
    },
    {
      what: 'for images in a registry of yours, after the first deployment and before the first release: jobs and models may pull them',
      command: (['jobs', 'models'] as const)
        .map((id) => grantTo(places.identityId(id), 'AcrPull', '<resource id of the registry>'))
        .join(' && '),
    },
    {
      what: 'for whoever writes secrets, after the first deployment: an owner of the subscription may not by that alone',
      command: [vaults.programs, vaults.webhooks]
        .map((vault) => grantToMe('Key Vault Secrets Officer', idOf('Microsoft.KeyVault/vaults', vault)))
        .join(' && '),
    },
    {
      what: 'for incoming webhooks: their secrets, several of each while one is replaced',
      command: `az keyvault secret set --vault-name ${vaults.webhooks} --name ${webhooksSecret} --value '{"github":[],"standard":[]}'`,
    },
    {
      what: "for secrets that a config names ({ secret: 'name' }): each of them, before it is used",
      command: `az keyvault secret set --vault-name ${vaults.programs} --name '${secretsPrefix}<name>' --file <file>`,
    },
    {
      what: 'for a copy of the history elsewhere: a table has no point-in-time restore, and soft delete is of blobs only; this copies it, and a history can be read again from the copy',
      command: `azcopy copy 'https://${places.account}.table.core.windows.net/journal' <where>, of AzCopy 10.8 or older; newer ones copy no tables: use Azure Data Factory`,
    },
    ...ofNetwork(places),
    ...ofPrivateEndpoints(places),
  ];
}

/** Owners of a subscription hold what is stored, and not what is in it. */
const grantToMe = (role: string, scope: string): string =>
  `az role assignment create --role '${role}' --assignee $(az ad signed-in-user show --query id --output tsv) --scope ${scope}`;

const grantTo = (identity: string, role: string, scope: string): string =>
  `az role assignment create --role '${role}' --assignee-object-id $(az identity show --ids ${identity} --query principalId --output tsv) --assignee-principal-type ServicePrincipal --scope ${scope}`;

/** Of what is the owner's own, and is not changed. */
function ofGiven({ settings, identityId, where }: Places): ByHand {
  const { workspace, dataAccount, dataTopic, workspaceTopic } = settings;
  const updates = [
    ...(dataTopic === undefined ? [] : [[dataTopic, dataAccount] as const]),
    ...(workspaceTopic === undefined ? [] : [[workspaceTopic, workspace] as const]),
  ].map(
    ([topic, source]) =>
      `az eventgrid system-topic update --name ${topic} --resource-group ${parsedId(source ?? '')?.group} --identity systemassigned --subscription ${where.account}`,
  );
  return [
    ...(updates.length === 0
      ? []
      : [
          {
            what: 'the system topics of yours need an identity of their own, before the first deployment',
            command: updates.join(' && '),
          },
        ]),
    ...(workspace === undefined
      ? []
      : [
          {
            what: 'jobs and models keep their logs in the storage account of your workspace, after the first deployment: this lets them, where its own datastores are used by identities and not by keys',
            command: (['jobs', 'models'] as const)
              .map((id) => grantTo(identityId(id), 'Storage Blob Data Contributor', '<resource id of the account>'))
              .join(' && '),
          },
          {
            what: 'your workspace must know the identity of jobs, after the first deployment; a cluster of yours as well, in the portal',
            command: `az rest --method patch --url 'https://management.azure.com${workspace}?api-version=2025-12-01' --body '{"identity":{"type":"SystemAssigned,UserAssigned","userAssignedIdentities":{"${identityId('jobs')}":{}}}}'`,
          },
        ]),
    ...(workspace !== undefined && workspaceTopic === undefined
      ? [
          {
            what: 'a workspace has one system topic at most: if yours has one, name it in "workspaceTopic" in serin.azure.json; this shows them',
            command: `az eventgrid system-topic list --query "[].{name:name,source:source}" --subscription ${where.account}`,
          },
        ]
      : []),
  ];
}

function ofNetwork({ settings, where, account, vaults }: Places): ByHand {
  if (settings.network === undefined) return [];
  const ids = [account, vaults.programs].map(
    (name) =>
      `az network private-endpoint-connection list --id $(az resource list --name ${name} --query [0].id --output tsv --subscription ${where.account}) --query "[?properties.privateLinkServiceConnectionState.status=='Pending'].id" --output tsv`,
  );
  return [
    {
      what: 'the private endpoints have no names yet: add each to the private DNS zones of your network (privatelink.blob.core.windows.net, privatelink.table.core.windows.net, privatelink.servicebus.windows.net, privatelink.vaultcore.azure.net, privatelink.azurewebsites.net); the subnet of the functions must be delegated',
      command: `az network vnet subnet update --ids ${settings.network.functions} --delegations Microsoft.App/environments`,
    },
    {
      what: 'jobs reach the storage account and the secrets from the network of Azure ML, whose requests for a connection you approve after the first deployment; these show them',
      command: `${ids.join(' ; ')} ; az network private-endpoint-connection approve --id <each of them>`,
    },
  ];
}

/** https://learn.microsoft.com/azure/machine-learning/concept-secure-online-endpoint#secure-inbound-scoring-requests */
function ofPrivateEndpoints({ settings, workspaceId, where, group, name }: Places): ByHand {
  if (settings.privateEndpoints !== true) return [];
  const subnet = settings.network?.endpoints ?? '<resource id of a subnet>';
  return [
    {
      what: 'for callers of models, after the first deployment: a private endpoint of the workspace in your network, through which alone they reach them, with the private DNS zones privatelink.api.azureml.ms and privatelink.notebooks.azure.net',
      command: `az network private-endpoint create --name ${name('workspace')} --resource-group ${group} --location ${where.region} --subnet ${subnet} --private-connection-resource-id ${workspaceId} --group-id amlworkspace --connection-name workspace --subscription ${where.account}`,
    },
  ];
}

/** Without an Entra application nothing calls the API but who has a token of Serin's. */
function ofAlarms({ settings: { alarms }, name, group, where }: Places): ByHand {
  if (alarms === undefined)
    return [
      {
        what: 'for alert rules of yours on a model: an Entra application, under which Azure Monitor calls Serin; put its ids into serin.azure.json, "alarms": {"tenant", "audience", "object"}',
        // Entra takes no other address of an application unless the tenant has verified its domain.
        command: `az ad app create --display-name ${name('alarms')} && az ad app update --id <its appId> --identifier-uris api://<its appId> && az ad sp create --id <its appId>; docs/azure.md has its role, which Azure Monitor needs`,
      },
    ];
  return [
    {
      what: `the application needs a role for Azure Monitor: its app role 'ActionGroupsSecureWebhook', assigned to the service principal of ${azureMonitor}`,
      command:
        'https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#configure-authentication-for-secure-webhook has the script',
    },
    {
      what: 'for alert rules of yours on a model: name the action group of Serin in them; this shows it',
      command: `az monitor action-group show --name ${name('signals')} --resource-group ${group} --subscription ${where.account}`,
    },
  ];
}
