import { capturedDays, labelDays, labelsPrefix } from '@serin/clouds/captured';
import { passing } from '@serin/core/engine/stored';
import { functionIds } from './functions.ts';
import { datastoreOf, eventsTopic, journalTable, ownContainer, type Places, signalsQueue, thingOf } from './places.ts';
import type { Logs, Namespace, PrivateEndpoint, StorageAccount, Vault, Workspace } from './shapes.ts';

export const deadEvents = 'dead-events';
/** Where Flex Consumption has the code of an app. */
export const codeContainer = 'code';

/** Our own, those of the hosts, and that of our workspace. */
export function accountsOf(places: Places): readonly StorageAccount[] {
  const { settings, group } = places;
  const data = settings.dataAccount === undefined ? settings.dataBuckets : [];
  const none = { containers: [], tables: [] };
  return [
    {
      id: 'Own',
      name: places.account,
      group,
      does: 'the history, code, configs and what jobs left',
      kept: true,
      containers: [
        { name: ownContainer, says: 'code, configs and what jobs left' },
        { name: deadEvents, says: 'events that Event Grid could not deliver' },
        ...data.map((name) => ({ name, says: 'your data' })),
      ],
      tables: [journalTable],
      // Trainers write checkpoints over each other; all else in it is written once.
      oldVersionsDays: 90,
      forgotten: [
        { rule: 'captured', prefix: `${ownContainer}/captured/`, days: capturedDays },
        { rule: 'labels', prefix: `${ownContainer}/${labelsPrefix}`, days: labelDays },
        ...passing.map(({ of, prefix, days }) => ({
          rule: of,
          ...{ prefix: `${ownContainer}/${prefix}`, days },
        })),
      ],
    },
    ...functionIds.map((id) => ({
      id: `Host-${id}`,
      name: places.hostOf(id),
      group,
      does: `the code and the locks of ${thingOf(id)}`,
      kept: false,
      containers: [{ name: codeContainer, says: `the code of ${thingOf(id)}` }],
      tables: [],
    })),
    ...(settings.workspace === undefined
      ? [
          {
            id: 'Workspace',
            name: places.plainName('ml'),
            group: places.workspaceGroup,
            does: 'what Azure ML keeps of jobs',
            kept: true,
            ...none,
          },
        ]
      : []),
  ];
}

const day = 24 * 60 * 60;

export const namespaceOf = ({ namespace, settings }: Places): Namespace => ({
  name: namespace,
  // https://learn.microsoft.com/azure/service-bus-messaging/private-link-service: private endpoints need Premium.
  tier: settings.network === undefined ? 'Standard' : 'Premium',
  queue: {
    name: signalsQueue,
    // The host renews it while a function works; one that dies gives its message back after as long.
    lockSeconds: 60,
    attempts: 10,
    days: 4,
    duplicatesSeconds: 60 * 60,
  },
  topic: { name: eventsTopic, days: 14, duplicatesSeconds: day },
});

export const vaultsOf = (places: Places): readonly Vault[] => [
  { id: 'Programs', name: places.vaults.programs, group: places.group, does: 'secrets that configs name' },
  { id: 'Webhooks', name: places.vaults.webhooks, group: places.group, does: 'secrets of incoming webhooks' },
  ...(places.settings.workspace === undefined
    ? [{ id: 'Workspace', name: mlVault(places), group: places.workspaceGroup, does: 'what Azure ML keeps' }]
    : []),
];
const mlVault = ({ plainName }: Places): string => plainName('ml');

export function workspaceOf(places: Places): Workspace {
  const { settings, workspaceId, workspaceGroup, account } = places;
  return {
    id: workspaceId,
    name: workspaceId.split('/').at(-1) ?? '',
    group: workspaceGroup,
    ...(settings.workspace === undefined ? { made: { storage: places.plainName('ml'), vault: mlVault(places) } } : {}),
    // https://learn.microsoft.com/azure/machine-learning/reference-yaml-datastore-blob: no credentials are those of whoever uses it.
    datastore: { name: datastoreOf(places), account, container: ownContainer },
  };
}

export function logsOf({ settings, logWorkspaceId, name }: Places): Logs | undefined {
  if (logWorkspaceId === undefined) return undefined;
  const made = { name: name('logs'), days: settings.logDays ?? 30 };
  return { id: logWorkspaceId, ...(settings.logWorkspace === undefined ? { made } : {}), insights: name('functions') };
}

/** In the owner's network: whatever functions and jobs reach. */
export function endpointsOf(places: Places): readonly PrivateEndpoint[] {
  const { settings, name, idOf } = places;
  if (settings.network === undefined) return [];
  const to = (kind: PrivateEndpoint['kind'], thing: string, type: string, of: string): PrivateEndpoint => ({
    name: name(`${thing}-${kind}`),
    resource: idOf(type, of),
    kind,
  });
  const storage = 'Microsoft.Storage/storageAccounts';
  return [
    to('blob', 'own', storage, places.account),
    to('table', 'own', storage, places.account),
    ...functionIds.map((id) => to('blob', thingOf(id), storage, places.hostOf(id))),
    to('namespace', 'bus', 'Microsoft.ServiceBus/namespaces', places.namespace),
    to('vault', 'config', 'Microsoft.KeyVault/vaults', places.vaults.programs),
    to('vault', 'hooks', 'Microsoft.KeyVault/vaults', places.vaults.webhooks),
    ...(settings.api === 'internal' ? [to('sites', 'api', 'Microsoft.Web/sites', places.appName('api'))] : []),
  ];
}
