import { sha256Hex } from '@serin/core/base/json';
import { type On, type OwnFolder, ownFolders } from './calls.ts';
import { parsedId } from './ids.ts';
import type { FunctionId, IdentityId, Settings, Where } from './shapes.ts';

/** What a permission is given on. With a folder: of the container only what lies below it. */
export interface Place {
  /** A resource id. */
  readonly target: string;
  readonly folder?: OwnFolder;
  /** As it is printed. */
  readonly says: string;
}

/** Names of one installation. All but the ids of identities are known before anything is made. */
export interface Places {
  readonly settings: Settings;
  readonly where: Where;
  /** `serin-<project>-<environment>-<thing>` */
  readonly name: (thing: string) => string;
  /** Of something whose name is unique in the world: `serin<hash><thing>`, lower-case letters and digits. */
  readonly plainName: (thing: string) => string;
  readonly group: string;
  /** Ours, or that of the workspace that was given. */
  readonly workspaceGroup: string;
  readonly workspaceId: string;
  /** The id of a resource in our group: `Microsoft.Storage/storageAccounts`, `acme`. */
  readonly idOf: (type: string, name: string, group?: string) => string;
  readonly identityId: (id: IdentityId) => string;
  readonly appName: (id: FunctionId) => string;
  readonly account: string;
  readonly accountId: string;
  /** The storage account of the data, and its id. */
  readonly dataAccount: string;
  readonly dataAccountId: string;
  readonly hostOf: (id: FunctionId) => string;
  readonly namespace: string;
  /** Of the secrets that configs name, and of those of incoming webhooks. */
  readonly vaults: { readonly programs: string; readonly webhooks: string };
  readonly insightsId: string;
  /** Absent: no logs are kept. */
  readonly logWorkspaceId: string | undefined;
  readonly on: Readonly<Record<On, readonly Place[]>>;
}

export const ownContainer = 'serin';
export const journalTable = 'journal';
export const [signalsQueue, eventsTopic] = ['signals', 'events'] as const;
export const webhooksSecret = 'webhooks';

/** That of the own container in the workspace, where others have theirs: letters, digits and underscores. */
export const datastoreOf = ({ name }: Pick<Places, 'name'>): string => name('store').replaceAll('-', '_');

/** Of the names of Azure resources that a path of functions has. */
export const thingOf = (id: IdentityId): string => (id === 'deadLetters' ? 'dead-letters' : id);

/** What a renderer calls the resource of something. */
export const resourceId = (id: string): string => `${id[0]?.toUpperCase()}${id.slice(1)}`;

const mlType = 'Microsoft.MachineLearningServices/workspaces';

export function placesOf(settings: Settings, where: Where): Places {
  const { project, environment } = settings;
  const installation = `serin-${project}-${environment}`;
  // Names of these are unique for all customers of Azure.
  const hash = sha256Hex(`${where.account}/${project}/${environment}`).slice(0, 10);
  const name = (thing: string): string => `${installation}-${thing}`;
  const plainName = (thing: string): string => `serin${hash}${thing}`;
  const group = settings.resourceGroup ?? installation;
  const idOf = (type: string, of: string, inGroup = group): string =>
    `/subscriptions/${where.account}/resourceGroups/${inGroup}/providers/${type}/${of}`;
  const given = settings.workspace === undefined ? undefined : parsedId(settings.workspace);
  const workspaceGroup = given?.group ?? name('ml');
  const account = plainName('own');
  const accountId = idOf('Microsoft.Storage/storageAccounts', account);
  const dataAccountId = settings.dataAccount ?? accountId;
  const { logWorkspace } = settings;
  const made = {
    settings,
    where,
    name,
    plainName,
    group,
    workspaceGroup,
    workspaceId: settings.workspace ?? idOf(mlType, installation, workspaceGroup),
    idOf,
    identityId: (id: IdentityId) => idOf('Microsoft.ManagedIdentity/userAssignedIdentities', name(thingOf(id))),
    appName: (id: FunctionId) => `${name(thingOf(id))}-${hash.slice(0, 6)}`,
    account,
    accountId,
    dataAccount: parsedId(dataAccountId)?.name ?? account,
    dataAccountId,
    hostOf: (id: FunctionId) => plainName(hostSuffix[id]),
    namespace: `${installation}-${hash.slice(0, 8)}`,
    vaults: { programs: `serin-${hash}-config`, webhooks: `serin-${hash}-hooks` },
    insightsId: idOf('Microsoft.Insights/components', name('functions')),
    logWorkspaceId:
      logWorkspace === 'off'
        ? undefined
        : (logWorkspace ?? idOf('Microsoft.OperationalInsights/workspaces', name('logs'))),
  };
  return { ...made, on: onOf(made) };
}

const hostSuffix: Readonly<Record<FunctionId, string>> = {
  signals: 'signals',
  api: 'api',
  clock: 'clock',
  deadLetters: 'dead',
};

export const containerId = (account: string, container: string): string =>
  `${account}/blobServices/default/containers/${container}`;

function onOf(places: Omit<Places, 'on'>): Places['on'] {
  const { settings, idOf, identityId, account, accountId, dataAccount, dataAccountId, vaults } = places;
  const at = (target: string, says = target.split('/').at(-1) ?? ''): readonly Place[] => [{ target, says }];
  const own = (folder?: OwnFolder): readonly Place[] => [
    {
      target: containerId(accountId, ownContainer),
      ...(folder === undefined ? {} : { folder }),
      says: `${account}/${ownContainer}/${folder === undefined ? '' : `${folder}/`}`,
    },
  ];
  const folders = Object.fromEntries(ownFolders.map((folder) => [`own/${folder}`, own(folder)]));
  const namespaceId = idOf('Microsoft.ServiceBus/namespaces', places.namespace);
  const vaultId = (name: string): string => idOf('Microsoft.KeyVault/vaults', name);
  const { logWorkspaceId } = places;
  return {
    // All folders are there.
    ...(folders as unknown as Readonly<Record<`own/${OwnFolder}`, readonly Place[]>>),
    journal: at(`${accountId}/tableServices/default/tables/${journalTable}`, `${account}/${journalTable}`),
    ownContainer: own(),
    dataContainers: settings.dataBuckets.flatMap((container) =>
      at(containerId(dataAccountId, container), `${dataAccount}/${container}/`),
    ),
    signals: at(`${namespaceId}/queues/${signalsQueue}`, `${places.namespace}/${signalsQueue}`),
    bus: at(`${namespaceId}/topics/${eventsTopic}`, `${places.namespace}/${eventsTopic}`),
    webhooks: at(vaultId(vaults.webhooks)),
    programSecrets: at(vaultId(vaults.programs)),
    jobIdentity: at(identityId('jobs')),
    modelIdentity: at(identityId('models')),
    workspace: at(places.workspaceId),
    workspaceGroup: at(`/subscriptions/${places.where.account}/resourceGroups/${places.workspaceGroup}`),
    subscription: at(`/subscriptions/${places.where.account}`),
    workspaceStorage:
      settings.workspace === undefined
        ? at(idOf('Microsoft.Storage/storageAccounts', places.plainName('ml'), places.workspaceGroup))
        : [],
    loggedWorkspace: logWorkspaceId === undefined ? [] : at(places.workspaceId),
    logWorkspace: logWorkspaceId === undefined ? [] : at(logWorkspaceId),
    insights: logWorkspaceId === undefined ? [] : at(places.insightsId),
  };
}
