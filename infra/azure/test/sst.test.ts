import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import * as enums from '@pulumi/azure-native/types/enums/index.js';
import * as pulumi from '@pulumi/pulumi';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { folder, forgetFolders, repository } from '../../aws/test/copy.ts';
import { installed } from '../sst/installed.ts';
import { type Settings, topology } from '../topology.ts';
import { answerOf } from './pulumi-answers.ts';
import { azure, projectWith, type Registered, registeredBy } from './registered.ts';
import { all, bare, closed, given, plain, where } from './settings.ts';

type Rendered = Awaited<ReturnType<typeof registeredBy>>;
const rendered = new Map<Settings, Rendered>();

beforeAll(async () => {
  for (const settings of Object.values(all)) rendered.set(settings, await registeredBy(settings));
  forgetFolders();
});
afterEach(forgetFolders);

const allOf = (settings: Settings): readonly Registered[] => rendered.get(settings)?.registered ?? [];
/** In the order of their names: Pulumi registers each when what it depends on is there. */
const of = (settings: Settings, type: string): readonly Registered[] =>
  allOf(settings)
    .filter((each) => each.type === type)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
const one = (settings: Settings, type: string, name: string): Registered => {
  const [found] = of(settings, type).filter((each) => each.name === name);
  if (found === undefined) throw new Error(`${type} ${name} was not registered`);
  return found;
};
const installations = Object.entries(all);

test.each(installations)('%s: SST gives the roles that the topology says, and nothing more', (_, settings) => {
  const made = topology(settings, where);
  const roles = of(settings, 'authorization:RoleDefinition').map(({ inputs }) => ({
    id: inputs.roleDefinitionId,
    name: inputs.roleName,
    scope: inputs.assignableScopes.join() === inputs.scope ? inputs.scope : inputs.assignableScopes,
    ...inputs.permissions[0],
  }));
  const given = of(settings, 'authorization:RoleAssignment').map(({ inputs }) => ({
    id: inputs.roleAssignmentName,
    role: inputs.roleDefinitionId,
    target: inputs.scope,
    condition: inputs.condition,
  }));
  const sorted = <Row extends { readonly id: string }>(rows: readonly Row[]) =>
    rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));

  expect(sorted(roles)).toEqual(
    sorted(made.customRoles.map((role) => ({ ...role, notActions: [], notDataActions: [] }))),
  );
  expect(sorted(given)).toEqual(
    sorted(made.assignments.map(({ id, role, target, when }) => ({ id, role, target, condition: when?.expression }))),
  );
  for (const { inputs } of of(settings, 'authorization:RoleAssignment'))
    expect([inputs.principalType, inputs.conditionVersion]).toEqual([
      'ServicePrincipal',
      inputs.condition === undefined ? undefined : '2.0',
    ]);
});

test.each(installations)('%s: each role is given to the identity that it is for', (_, settings) => {
  const made = topology(settings, where);
  const principals = new Map(
    [...of(settings, 'managedidentity:UserAssignedIdentity'), ...of(settings, 'eventgrid:SystemTopic')].map(
      ({ type, name, inputs }) => {
        const { state } = answerOf(`azure-native:${type}`, name, inputs);
        return [name, state.principalId ?? state.identity.principalId] as const;
      },
    ),
  );

  for (const { inputs } of of(settings, 'authorization:RoleAssignment')) {
    const { principal } = made.assignments.find(({ id }) => id === inputs.roleAssignmentName) ?? {};
    const who = principal === undefined ? '' : 'of' in principal ? principal.of : `Identity-${principal.identity}`;
    const isGiven = settings === given && who.startsWith('Topic-');
    expect([who, inputs.principalId]).toEqual([who, isGiven ? expect.any(String) : principals.get(who)]);
    expect(inputs.principalId).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test.each(installations)(
  '%s: no storage account has keys, public blobs or old TLS, and none is without its group',
  (_, settings) => {
    const accounts = of(settings, 'storage:StorageAccount');

    expect(accounts.map(({ inputs }) => inputs.accountName).toSorted()).toEqual(
      topology(settings, where)
        .accounts.map(({ name }) => name)
        .toSorted(),
    );
    for (const { name, inputs } of accounts)
      expect([name, inputs]).toEqual([
        name,
        expect.objectContaining({
          allowSharedKeyAccess: false,
          allowBlobPublicAccess: false,
          allowCrossTenantReplication: false,
          enableHttpsTrafficOnly: true,
          minimumTlsVersion: 'TLS1_2',
          kind: 'StorageV2',
        }),
      ]);
    for (const { inputs } of of(settings, 'storage:BlobContainer')) expect(inputs.publicAccess).toBe('None');
  },
);

test.each(installations)(
  '%s: Service Bus, logs, vaults and function apps know identities, and no key or password',
  (_, settings) => {
    const bus = one(settings, 'servicebus:Namespace', 'Bus').inputs;
    expect([bus.disableLocalAuth, bus.minimumTlsVersion]).toEqual([true, '1.2']);
    for (const { inputs } of of(settings, 'operationalinsights:Workspace'))
      expect(inputs.features.disableLocalAuth).toBe(true);
    for (const { inputs } of of(settings, 'applicationinsights:Component')) expect(inputs.disableLocalAuth).toBe(true);
    for (const { inputs } of of(settings, 'keyvault:Vault'))
      expect(inputs.properties).toMatchObject({ enableRbacAuthorization: true, enablePurgeProtection: true });
    for (const type of ['web:WebAppScmAllowed', 'web:WebAppFtpAllowed'])
      expect(of(settings, type).map(({ inputs }) => inputs.allow)).toEqual([false, false, false, false]);
    for (const { inputs } of of(settings, 'web:WebApp')) {
      expect(inputs).toMatchObject({ httpsOnly: true, siteConfig: { minTlsVersion: '1.2', scmMinTlsVersion: '1.2' } });
      expect(inputs.identity.type).toBe('UserAssigned');
    }
  },
);

test.each(installations)('%s: no secret is in what is sent, nor in what SST keeps and prints', (_, settings) => {
  const text = JSON.stringify([allOf(settings), rendered.get(settings)?.outputs]);

  expect(text).not.toMatch(/AccountKey|SharedAccessKey|sharedAccessSignature|connectionStrings?":|[?&]sig=|listKeys/i);
});

test.each(installations)('%s: the functions are what the topology says, each under its own identity', (_, settings) => {
  const apps = of(settings, 'web:WebApp').map(({ inputs }) => ({
    name: inputs.name,
    runtime: inputs.functionAppConfig.runtime,
    identity: inputs.identity.userAssignedIdentities,
    storage: inputs.functionAppConfig.deployment.storage,
    scale: inputs.functionAppConfig.scaleAndConcurrency,
    subnet: inputs.virtualNetworkSubnetId,
  }));
  const byName = (a: { readonly id: string }, b: { readonly id: string }) =>
    a.id[0]?.toUpperCase() + a.id.slice(1) < b.id[0]?.toUpperCase() + b.id.slice(1) ? -1 : 1;

  const { functions } = topology(settings, where);
  expect(apps).toEqual(
    functions.toSorted(byName).map((each) => ({
      name: each.name,
      runtime: { name: 'node', version: '24' },
      identity: [`Identity-${each.id}-id`],
      storage: {
        type: 'blobContainer',
        value: `https://${each.host}.blob.core.windows.net/code`,
        authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: `Identity-${each.id}-id` },
      },
      scale: {
        instanceMemoryMB: each.memoryMb,
        maximumInstanceCount: each.maxInstances,
        ...(each.id === 'api' ? { triggers: { http: { perInstanceConcurrency: 1 } } } : {}),
      },
      subnet: settings.network?.functions,
    })),
  );
  expect(of(settings, 'web:AppServicePlan').map(({ inputs }) => inputs.sku)).toEqual(
    Array.from({ length: 4 }, () => ({ name: 'FC1', tier: 'FlexConsumption' })),
  );
});

test('what is known only when it stands reaches the settings of functions, and nothing of them is missing', () => {
  for (const settings of [plain, given, closed, bare]) {
    const apps = of(settings, 'web:WebApp');
    for (const { id, name, environment } of topology(settings, where).functions) {
      const { inputs } = apps.find((each) => each.inputs.name === name) ?? {};
      const told = new Map<string, string>(
        inputs.siteConfig.appSettings.map((each: { name: string; value: string }) => [each.name, each.value]),
      );

      expect([...told.keys()]).toEqual(Object.keys(environment));
      const client = answerOf('UserAssignedIdentity', `Identity-${id}`, {}).state.clientId;
      expect(told.get('AZURE_CLIENT_ID')).toBe(client);
      expect(told.get('AzureWebJobsStorage__clientId')).toBe(client);
      if (told.has('APPLICATIONINSIGHTS_AUTHENTICATION_STRING'))
        expect(told.get('APPLICATIONINSIGHTS_AUTHENTICATION_STRING')).toBe(`ClientId=${client};Authorization=AAD`);
      for (const value of told.values()) expect(value).not.toBe('');
    }
  }
});

test('nobody reaches a function but the API, and in a network Azure Monitor reaches that', () => {
  const doors = (settings: Settings) =>
    of(settings, 'web:WebApp').map(({ name, inputs: { siteConfig } }) => [
      name,
      siteConfig.ipSecurityRestrictionsDefaultAction,
      siteConfig.ipSecurityRestrictions?.map((each: { ipAddress: string }) => each.ipAddress),
    ]);

  expect(doors(plain)).toEqual([
    ['Api', undefined, undefined],
    ['Clock', 'Deny', []],
    ['DeadLetters', 'Deny', []],
    ['Signals', 'Deny', []],
  ]);
  expect(doors(closed)[0]).toEqual(['Api', 'Deny', ['ActionGroup']]);
});

test.each(installations)(
  '%s: no private endpoint closes an app to those whom its rules let in, nor to whoever deploys',
  (_, settings) => {
    for (const { inputs } of of(settings, 'web:WebApp'))
      expect([inputs.publicNetworkAccess, inputs.siteConfig.scmIpSecurityRestrictionsDefaultAction ?? 'Allow']).toEqual(
        ['Enabled', 'Allow'],
      );
  },
);

test('each app is given its code once it stands, and in a preview none is', async () => {
  const hosts = topology(plain, where).functions.map(({ name }) => `${name}.scm.azurewebsites.net`);

  const { published } = await registeredBy(plain, { isPreview: true });

  expect(rendered.get(plain)?.published.toSorted()).toEqual(hosts.toSorted());
  expect(published).toEqual([]);
});

test('the queue detects duplicates, holds a message while it is worked on, and lays what nobody can use aside', () => {
  expect(one(plain, 'servicebus:Queue', 'Signals').inputs).toMatchObject({
    queueName: 'signals',
    lockDuration: 'PT1M',
    maxDeliveryCount: 10,
    defaultMessageTimeToLive: 'P4D',
    deadLetteringOnMessageExpiration: true,
    requiresDuplicateDetection: true,
    duplicateDetectionHistoryTimeWindow: 'PT1H',
  });
  expect(one(plain, 'servicebus:Topic', 'Events').inputs).toMatchObject({
    requiresDuplicateDetection: true,
    duplicateDetectionHistoryTimeWindow: 'P1D',
  });
});

test('Event Grid delivers CloudEvents into the queue under the identity of its topic, and what it cannot is put aside', () => {
  for (const settings of [plain, given])
    for (const { inputs } of of(settings, 'eventgrid:SystemTopicEventSubscription')) {
      expect(inputs).toMatchObject({
        eventDeliverySchema: 'CloudEventSchemaV1_0',
        retryPolicy: { eventTimeToLiveInMinutes: 1440, maxDeliveryAttempts: 30 },
        deliveryWithResourceIdentity: {
          identity: { type: 'SystemAssigned' },
          destination: {
            endpointType: 'ServiceBusQueue',
            resourceId: expect.stringMatching(/\/namespaces\/serin-shop-\w+-[0-9a-f]{8}\/queues\/signals$/),
          },
        },
        deadLetterWithResourceIdentity: {
          identity: { type: 'SystemAssigned' },
          deadLetterDestination: { endpointType: 'StorageBlob', blobContainerName: 'dead-events' },
        },
      });
      expect(inputs.destination).toBeUndefined();
    }
  expect(of(plain, 'eventgrid:SystemTopicEventSubscription')).toHaveLength(3);
  expect(of(given, 'eventgrid:SystemTopic')).toEqual([]);
  for (const { inputs } of of(plain, 'eventgrid:SystemTopic')) expect(inputs.location).toBe('westeurope');
});

test('a system topic lies where its source does', async () => {
  const { dataTopic: _, workspaceTopic: __, ...settings } = given;

  const { registered } = await registeredBy(settings);

  const topics = registered.filter(({ type }) => type === 'eventgrid:SystemTopic');
  expect(topics.map(({ inputs }) => inputs.location)).toEqual(['northeurope', 'northeurope']);
});

test('what holds data stays when the rest is destroyed, with all that is in it, and nothing else does', () => {
  for (const settings of [plain, given, closed, bare]) {
    const made = topology(settings, where);
    const accounts = made.accounts.filter(({ kept }) => kept);
    const retained = allOf(settings)
      .filter((each) => each.retained)
      .map(({ type }) => type);

    const count = (type: string) => retained.filter((each) => each === type).length;
    expect(count('storage:StorageAccount')).toBe(accounts.length);
    expect(count('storage:BlobContainer')).toBe(accounts.flatMap(({ containers }) => containers).length);
    expect(count('storage:Table')).toBe(1);
    expect(count('keyvault:Vault')).toBe(made.vaults.length);
    expect(count('machinelearningservices:Workspace')).toBe(made.workspace.made === undefined ? 0 : 1);
    expect(count('resources:ResourceGroup')).toBe(made.groups.length);
    expect(
      [...new Set(retained)].filter((type) => !/^(storage|keyvault|resources|machinelearning)/.test(type)),
    ).toEqual([]);
  }
});

test('what an earlier installation has left is taken over when the settings say so', async () => {
  const { registered } = await registeredBy({ ...plain, adopt: true });

  const imported = registered.flatMap((each) => each.imported ?? []);
  expect(registered.filter((each) => each.retained).map((each) => each.imported)).toEqual(imported);
  expect(imported.join('\n')).toMatch(/storageAccounts\/serin[0-9a-f]{10}own\/tableServices\/default\/tables\/journal/);
  expect(imported.join('\n')).toMatch(/Microsoft\.KeyVault\/vaults\/serin-[0-9a-f]{10}-hooks/);
  expect(allOf(plain).filter((each) => each.imported !== undefined)).toEqual([]);
});

test('the own account keeps old versions and what was deleted for a while', () => {
  expect(one(plain, 'storage:BlobServiceProperties', 'Versions-Own').inputs).toMatchObject({
    isVersioningEnabled: true,
    deleteRetentionPolicy: { enabled: true, days: 7 },
    containerDeleteRetentionPolicy: { enabled: true, days: 7 },
  });
  expect(JSON.stringify(one(plain, 'storage:ManagementPolicy', 'Lifecycle-Own').inputs.policy)).toContain(
    '"version":{"delete":{"daysAfterCreationGreaterThan":90}}',
  );
});

test.each([
  ['copies of requests', 'captured', 'captured/', 14],
  ['labels', 'labels', 'labels/_requests/', 15],
  ['states of profiles', 'unfinished-profiles', 'profiles/unfinished/', 14],
  ['counts of parts', 'unfinished-counts', 'drift/unfinished/', 14],
  ['counts of windows', 'windows', 'drift/windows/', 100],
])('%s are deleted after their time, and their old versions a day later', (_, rule, prefix, days) => {
  const { rules } = one(plain, 'storage:ManagementPolicy', 'Lifecycle-Own').inputs.policy;

  expect(rules.find(({ name }: { name: string }) => name === rule).definition).toEqual({
    actions: {
      baseBlob: { delete: { daysAfterCreationGreaterThan: days } },
      version: { delete: { daysAfterCreationGreaterThan: 1 } },
    },
    filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: [`serin/${prefix}`] },
  });
});

test('the datastore has no credentials, and a workspace that is given is not made', () => {
  expect(one(plain, 'machinelearningservices:Datastore', 'Datastore').inputs.properties).toMatchObject({
    datastoreType: 'AzureBlob',
    credentials: { credentialsType: 'None' },
    containerName: 'serin',
  });
  expect(one(plain, 'machinelearningservices:Workspace', 'Workspace').inputs).toMatchObject({
    systemDatastoresAuthMode: 'Identity',
    identity: { userAssignedIdentities: ['Identity-jobs-id'] },
  });
  expect(of(given, 'machinelearningservices:Workspace')).toEqual([]);
  expect(one(given, 'machinelearningservices:Datastore', 'Datastore').inputs).toMatchObject({
    resourceGroupName: 'ml',
    workspaceName: 'acme-ws',
  });
});

test('under a key of the owner’s each storage account is encrypted with it', () => {
  for (const { inputs } of of(closed, 'storage:StorageAccount'))
    expect(inputs.encryption).toEqual({
      keySource: 'Microsoft.Keyvault',
      keyVaultProperties: { keyName: 'serin', keyVaultUri: 'https://acme-keys.vault.azure.net' },
      encryptionIdentity: { encryptionUserAssignedIdentity: closed.kmsIdentity },
    });
});

test('in a network of the owner’s nothing that holds data is reached from outside', () => {
  const ours = of(closed, 'storage:StorageAccount').filter(({ name }) => name !== 'Storage-Workspace');

  for (const { inputs } of ours) expect(inputs.publicNetworkAccess).toBe('Disabled');
  expect(one(closed, 'servicebus:Namespace', 'Bus').inputs).toMatchObject({
    sku: { name: 'Premium', tier: 'Premium', capacity: 1 },
    publicNetworkAccess: 'Disabled',
  });
  expect(one(closed, 'servicebus:NamespaceNetworkRuleSet', 'Bus-network').inputs.trustedServiceAccessEnabled).toBe(
    true,
  );
  expect(of(closed, 'network:PrivateEndpoint').map(({ inputs }) => inputs.subnet.id)).toEqual(
    topology(closed, where).endpoints.map(() => closed.network?.endpoints),
  );
});

/** All that stands before a resource, directly or not. */
function before(settings: Settings, { after }: Pick<Registered, 'after'>): ReadonlySet<string> {
  const byName = new Map(allOf(settings).map((each) => [`${each.type} ${each.name}`, each]));
  const found = new Set<string>();
  const open = [...after];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    open.push(...(byName.get(name)?.after ?? []));
  }
  return found;
}

test('in an empty subscription each thing comes after what it needs', () => {
  const needs = (type: string, name: string) => [...before(plain, one(plain, type, name))].join('\n');
  const grants = of(plain, 'authorization:RoleAssignment').map(({ name }) => name);

  for (const { name } of of(plain, 'web:WebApp'))
    for (const grant of grants) expect(needs('web:WebApp', name)).toContain(grant);
  for (const { name } of of(plain, 'eventgrid:SystemTopicEventSubscription'))
    for (const wanted of [
      'servicebus:Queue Signals',
      'Container-Own-dead-events',
      'eventgrid:SystemTopic Topic-Data',
      ...grants,
    ])
      expect(needs('eventgrid:SystemTopicEventSubscription', name)).toContain(wanted);
  for (const grant of grants)
    for (const wanted of [
      'Table-Own-journal',
      'machinelearningservices:Workspace',
      'authorization:RoleDefinition',
      'Topic-Workspace',
    ])
      expect(needs('authorization:RoleAssignment', grant)).toContain(wanted);
  expect(needs('machinelearningservices:Workspace', 'Workspace')).toContain('Storage-Workspace');
  expect(needs('storage:StorageAccount', 'Storage-Own')).toContain('Group-Own');
});

test('what is about a function app comes after the app, and an app in a network after its doors to what it reads', () => {
  for (const settings of [plain, closed]) {
    const needs = (type: string) => of(settings, type).map((each) => [...before(settings, each)].join('\n'));
    const ofApi = of(settings, 'monitor:MetricAlert').filter(({ inputs }) => inputs.scopes[0].includes('/sites/'));

    expect(ofApi).toHaveLength(1);
    for (const each of ofApi) expect([...before(settings, each)]).toContain('web:WebApp Api');
    for (const each of needs('eventgrid:SystemTopicEventSubscription')) expect(each).toContain('web:WebApp Signals');
  }
  const door = one(closed, 'network:PrivateEndpoint', 'Private-serin-shop-closed-api-sites');
  expect([...before(closed, door)]).toContain('web:WebApp Api');
  const others = of(closed, 'network:PrivateEndpoint').filter((each) => each !== door);
  for (const { name } of of(closed, 'web:WebApp'))
    for (const other of others)
      expect([...before(closed, one(closed, 'web:WebApp', name))]).toContain(`network:PrivateEndpoint ${other.name}`);
});

test('alarms are heard by whoever the settings name, and alert rules of the owner’s call the API under Entra', () => {
  const heard = (settings: Settings) => [
    ...new Set(
      [...of(settings, 'monitor:MetricAlert'), ...of(settings, 'monitor:ScheduledQueryRule')].map(({ inputs }) =>
        JSON.stringify(inputs.actions),
      ),
    ),
  ];

  expect(heard(plain)).toEqual(['[]', '{"actionGroups":[]}']);
  expect(heard(closed)).toEqual(['[{"actionGroupId":"Told-Email-id"}]', '{"actionGroups":["Told-Email-id"]}']);
  expect(one(closed, 'monitor:ActionGroup', 'Told-Signals').inputs.webhookReceivers).toEqual([
    {
      name: 'serin',
      serviceUri: expect.stringMatching(
        /^https:\/\/serin-shop-closed-api-[0-9a-f]{6}\.azurewebsites\.net\/azure\/events$/,
      ),
      useAadAuth: true,
      tenantId: closed.alarms?.tenant,
      objectId: closed.alarms?.object,
      identifierUri: closed.alarms?.audience,
      useCommonAlertSchema: true,
    },
  ]);
});

// Types let any text stand for an enum, and mocks take what they are given.
test.each([
  ['storage:StorageAccount', 'kind', enums.storage.Kind],
  ['storage:StorageAccount', 'sku.name', enums.storage.SkuName],
  ['storage:StorageAccount', 'minimumTlsVersion', enums.storage.MinimumTlsVersion],
  ['storage:StorageAccount', 'publicNetworkAccess', enums.storage.PublicNetworkAccess],
  ['storage:StorageAccount', 'encryption.keySource', enums.storage.KeySource],
  ['storage:StorageAccount', 'identity.type', enums.storage.IdentityType],
  ['storage:BlobContainer', 'publicAccess', enums.storage.PublicAccess],
  ['storage:ManagementPolicy', 'policy.rules.0.type', enums.storage.RuleType],
  ['servicebus:Namespace', 'sku.name', enums.servicebus.SkuName],
  ['servicebus:Namespace', 'sku.tier', enums.servicebus.SkuTier],
  ['servicebus:Namespace', 'minimumTlsVersion', enums.servicebus.TlsVersion],
  ['servicebus:Namespace', 'publicNetworkAccess', enums.servicebus.PublicNetworkAccess],
  ['servicebus:NamespaceNetworkRuleSet', 'defaultAction', enums.servicebus.DefaultAction],
  ['keyvault:Vault', 'properties.sku.name', enums.keyvault.SkuName],
  ['keyvault:Vault', 'properties.sku.family', enums.keyvault.SkuFamily],
  ['eventgrid:SystemTopic', 'identity.type', enums.eventgrid.IdentityType],
  ['eventgrid:SystemTopicEventSubscription', 'eventDeliverySchema', enums.eventgrid.EventDeliverySchema],
  [
    'eventgrid:SystemTopicEventSubscription',
    'deliveryWithResourceIdentity.identity.type',
    enums.eventgrid.EventSubscriptionIdentityType,
  ],
  ['machinelearningservices:Workspace', 'identity.type', enums.machinelearningservices.ManagedServiceIdentityType],
  ['machinelearningservices:Workspace', 'publicNetworkAccess', enums.machinelearningservices.PublicNetworkAccessType],
  [
    'machinelearningservices:Workspace',
    'systemDatastoresAuthMode',
    enums.machinelearningservices.SystemDatastoresAuthMode,
  ],
  ['machinelearningservices:Workspace', 'managedNetwork.isolationMode', enums.machinelearningservices.IsolationMode],
  [
    'machinelearningservices:Workspace',
    'managedNetwork.outboundRules.own.category',
    enums.machinelearningservices.RuleCategory,
  ],
  [
    'machinelearningservices:Workspace',
    'managedNetwork.outboundRules.config.type',
    enums.machinelearningservices.RuleType,
  ],
  ['machinelearningservices:Workspace', 'sku.tier', enums.machinelearningservices.SkuTier],
  ['machinelearningservices:Datastore', 'properties.datastoreType', enums.machinelearningservices.DatastoreType],
  [
    'machinelearningservices:Datastore',
    'properties.credentials.credentialsType',
    enums.machinelearningservices.CredentialsType,
  ],
  [
    'machinelearningservices:Datastore',
    'properties.serviceDataAccessAuthIdentity',
    enums.machinelearningservices.ServiceDataAccessAuthIdentity,
  ],
  ['authorization:RoleAssignment', 'principalType', enums.authorization.PrincipalType],
  ['web:WebApp', 'identity.type', enums.web.ManagedServiceIdentityType],
  ['web:WebApp', 'functionAppConfig.runtime.name', enums.web.RuntimeName],
  ['web:WebApp', 'functionAppConfig.deployment.storage.type', enums.web.FunctionsDeploymentStorageType],
  ['web:WebApp', 'functionAppConfig.deployment.storage.authentication.type', enums.web.AuthenticationType],
  ['web:WebApp', 'siteConfig.minTlsVersion', enums.web.SupportedTlsVersions],
  ['web:WebApp', 'siteConfig.ipSecurityRestrictionsDefaultAction', enums.web.DefaultAction],
  ['web:WebApp', 'siteConfig.ipSecurityRestrictions.0.tag', enums.web.IpFilterTag],
  ['operationalinsights:Workspace', 'sku.name', enums.operationalinsights.WorkspaceSkuNameEnum],
  ['applicationinsights:Component', 'applicationType', enums.applicationinsights.ApplicationType],
  ['applicationinsights:Component', 'ingestionMode', enums.applicationinsights.IngestionMode],
  ['monitor:MetricAlert', 'criteria.allOf.0.operator', enums.monitor.Operator],
  ['monitor:MetricAlert', 'criteria.allOf.0.timeAggregation', enums.monitor.AggregationTypeEnum],
  ['monitor:ScheduledQueryRule', 'kind', enums.monitor.Kind],
  // The provider has the operators of another API under this name.
  // https://learn.microsoft.com/azure/templates/microsoft.insights/scheduledqueryrules#condition
  [
    'monitor:ScheduledQueryRule',
    'criteria.allOf.0.operator',
    ['Equals', 'GreaterThan', 'GreaterThanOrEqual', 'LessThan', 'LessThanOrEqual'],
  ],
  ['monitor:ScheduledQueryRule', 'criteria.allOf.0.timeAggregation', enums.monitor.TimeAggregation],
])('%s: %s is one of its values', (type, path, known) => {
  const values = [plain, given, closed, bare].flatMap((settings) =>
    of(settings, type).flatMap(
      ({ inputs }) =>
        // biome-ignore lint/suspicious/noExplicitAny: a path may lead nowhere
        path.split('.').reduce((value: any, part) => value?.[part], inputs) ?? [],
    ),
  );

  expect(values.length).toBeGreaterThan(0);
  for (const value of values) expect(Object.values(known)).toContain(value);
});

test('the API is where Azure Functions serves it', () => {
  expect(rendered.get(plain)?.address).toMatch(/^https:\/\/serin-shop-prod-api-[0-9a-f]{6}\.azurewebsites\.net$/);
});

test('SST makes nothing of a file that is wrong, names no subscription, or has no administrator for the stage', () => {
  const deploy = (stage: string, changes: object) => {
    const root = projectWith({ ...plain, ...changes });
    const zip = new Uint8Array();
    const code = { signals: zip, api: zip, clock: zip, deadLetters: zip };
    return () => installed({ azure, pulumi }, { root, stage, code });
  };

  expect(deploy('prod', { api: 'private' })).toThrow('serin.azure.json cannot be deployed:\n  api is "private"');
  expect(deploy('prod', { region: undefined })).toThrow('subscription or region is missing: set AZURE_SUBSCRIPTION_ID');
  expect(deploy('dev', {})).toThrow('adminTokenHash has none for dev, but for prod');
});

/** What `app` of sst.config.ts says in this folder, which is where SST calls it. */
async function appIn(root: string, env: Readonly<Record<string, string>> = { SERIN_STATE: 'fetched' }) {
  vi.stubGlobal('$config', (config: unknown) => config);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const started = process.cwd();
  process.chdir(root);
  try {
    const { default: config } = await import('../../../sst.config.ts');
    return config.app({ stage: 'prod' });
  } finally {
    process.chdir(started);
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
  }
}

test('sst.config.ts names the subscription and the region of the settings, and runs only with the state of the team', async () => {
  expect(await appIn(projectWith(plain))).toMatchObject({
    name: 'serin-shop',
    home: 'local',
    providers: { 'azure-native': { subscriptionId: plain.subscription, location: 'westeurope' } },
  });
  await expect(appIn(projectWith(plain), {})).rejects.toThrow("run 'serin deploy --cloud azure'");
});

test('sst.config.ts without settings names the files of all clouds', async () => {
  await expect(appIn(folder('bare'))).rejects.toThrow(
    'serin.aws.json or serin.gcp.json or serin.azure.json is missing beside sst.config.ts',
  );
});

test('the provider has one version wherever it is named', async () => {
  const app = await appIn(projectWith(plain));

  const { dependencies } = JSON.parse(readFileSync(join(repository, 'infra/package.json'), 'utf8'));
  expect(dependencies['@pulumi/azure-native']).toBe(
    (app.providers as { 'azure-native': { version: string } })['azure-native'].version,
  );
});
