import { azureNameProblems, isContainerName } from '@serin/clouds/azure/names';
import { places } from '@serin/clouds/azure/places';
import { type Field, type Fields, isObject, oneOf, problemsBy, wholeBetween } from '../../shared/fields.ts';
import {
  commonFields,
  readSettings as readFile,
  requireSettings,
  type SettingsRead,
  switched,
  text,
} from '../../shared/settings-file.ts';
import { parsedId } from './ids.ts';
import type { Settings } from './shapes.ts';

const idOf = (type: string): Field['takes'] => {
  return (value) => typeof value === 'string' && parsedId(value)?.type.toLowerCase() === type.toLowerCase();
};
const guid = places.account.of;
const ofAccount = "'/subscriptions/<id>/resourceGroups/<group>/providers";
const topicName = text(/^[A-Za-z0-9-]{3,128}$/);

const fields: Readonly<Record<keyof Settings, Field>> = {
  ...commonFields({
    must: 'containers, of 3 to 63 lower-case letters, digits and single hyphens',
    takes: isContainerName,
  }),
  subscription: { must: 'the id of a subscription, a GUID', takes: text(guid) },
  region: { must: "a region such as 'westeurope'", takes: text(places.region.of) },
  // https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources
  resourceGroup: {
    must: 'the name of a resource group: up to 90 letters, digits, _, -, () and periods, no period last',
    takes: text(/^[\w().-]{0,89}[\w()-]$/),
  },
  workspace: {
    must: `the resource id of an Azure ML workspace, ${ofAccount}/Microsoft.MachineLearningServices/workspaces/<name>'`,
    takes: idOf('Microsoft.MachineLearningServices/workspaces'),
  },
  cluster: { must: 'the name of a compute cluster of the workspace', takes: text(/^[A-Za-z][A-Za-z0-9-]{1,31}$/) },
  dataAccount: {
    must: `the resource id of a storage account, ${ofAccount}/Microsoft.Storage/storageAccounts/<name>', whose name has 3 to 24 lower-case letters and digits`,
    takes: (value) =>
      idOf('Microsoft.Storage/storageAccounts')(value) && /^[a-z0-9]{3,24}$/.test(parsedId(`${value}`)?.name ?? ''),
  },
  dataTopic: { must: 'the name of the Event Grid system topic of dataAccount', takes: topicName },
  workspaceTopic: { must: 'the name of the Event Grid system topic of workspace', takes: topicName },
  logWorkspace: {
    must: `'off', or the resource id of a Log Analytics workspace, ${ofAccount}/Microsoft.OperationalInsights/workspaces/<name>'`,
    takes: (value) => value === 'off' || idOf('Microsoft.OperationalInsights/workspaces')(value),
  },
  // https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure
  logDays: { must: 'a whole number from 30 to 730', takes: wholeBetween(30, 730) },
  replication: { must: "'LRS', 'ZRS', 'GRS' or 'GZRS'", takes: oneOf('LRS', 'ZRS', 'GRS', 'GZRS') },
  kmsKey: {
    must: "a key in Key Vault, 'https://<vault>.vault.azure.net/keys/<key>', and no version of it",
    takes: text(/^https:\/\/[a-zA-Z][\w-]{2,23}\.vault\.azure\.net\/keys\/[\w-]+$/),
  },
  kmsIdentity: {
    must: `the resource id of a managed identity, ${ofAccount}/Microsoft.ManagedIdentity/userAssignedIdentities/<name>'`,
    takes: idOf('Microsoft.ManagedIdentity/userAssignedIdentities'),
  },
  network: { must: '{functions, endpoints}, two subnets of yours', takes: isObject },
  api: { must: "'public' or 'internal'", takes: oneOf('public', 'internal') },
  apiInstances: { must: 'a whole number from 40 to 1000', takes: wholeBetween(40, 1000) },
  alertEmail: { must: 'an e-mail address', takes: text(/^[^@\s]+@[^@\s]+\.[^@\s]+$/) },
  alarms: { must: '{tenant, audience, object} of an Entra application', takes: isObject },
  nodeImage: {
    must: "an image such as 'acme.azurecr.io/node:24-slim'",
    takes: text(/^[\w.-]+(:\d+)?\/[\w./-]+[:@][\w.:-]+$/),
  },
  endpointKeys: switched,
  privateEndpoints: switched,
  adopt: switched,
};

const subnet: Field = {
  must: `the resource id of a subnet, ${ofAccount}/Microsoft.Network/virtualNetworks/<name>/subnets/<name>'`,
  takes: idOf('Microsoft.Network/virtualNetworks/subnets'),
  required: true,
};
const networkFields: Fields = { functions: subnet, endpoints: subnet };
const alarmFields: Fields = {
  tenant: { must: 'the id of the Entra tenant, a GUID', takes: text(guid), required: true },
  audience: {
    must: "the application's id URI, such as 'api://<application id>'",
    takes: text(/^(api|https):\/\/\S+$/),
    required: true,
  },
  object: { must: 'the object id of the application, a GUID', takes: text(guid), required: true },
};

export const settingsProblems = (settings: object): readonly string[] => [
  ...problemsBy(
    { fields, objects: { network: networkFields, alarms: alarmFields }, nameProblems: azureNameProblems },
    settings,
  ),
  ...togetherProblems(settings),
];

/** What is right by itself and wrong together. */
function togetherProblems(settings: Partial<Settings>): readonly string[] {
  const {
    subscription,
    workspace,
    cluster,
    dataAccount,
    dataTopic,
    workspaceTopic,
    api,
    network,
    logWorkspace,
    kmsKey,
    kmsIdentity,
  } = settings;
  const elsewhere = Object.entries({ workspace, dataAccount, logWorkspace, ...networkIn(network) }).filter(
    ([, id]) => typeof id === 'string' && subscription !== undefined && isElsewhere(id, subscription),
  );
  const asks = (field: string, given: unknown, needs: string, has: unknown): readonly string[] =>
    given !== undefined && has === undefined
      ? [`${field} says nothing without ${needs}: give both, or leave ${field} out`]
      : [];
  return [
    ...elsewhere.map(
      ([field]) =>
        `${field} is in another subscription than ${subscription}: name one of this subscription, for roles are made in one`,
    ),
    ...asks('cluster', cluster, 'workspace', workspace),
    ...asks('dataTopic', dataTopic, 'dataAccount', dataAccount),
    ...asks('workspaceTopic', workspaceTopic, 'workspace', workspace),
    ...(api === 'internal' ? asks('api "internal"', api, 'network', network) : []),
    ...asks('kmsKey', kmsKey, 'kmsIdentity', kmsIdentity),
    ...asks('kmsIdentity', kmsIdentity, 'kmsKey', kmsKey),
  ];
}

const networkIn = (network: unknown): Readonly<Record<string, unknown>> =>
  isObject(network) ? { 'network.functions': network.functions, 'network.endpoints': network.endpoints } : {};
const isElsewhere = (id: string, subscription: string): boolean => {
  const found = parsedId(id)?.subscription;
  return found !== undefined && found.toLowerCase() !== subscription.toLowerCase();
};

/** What `serin.azure.json` says of one environment. `stage` names it, else the file does. */
export const readSettings = (file: unknown, stage?: string): SettingsRead<Settings> =>
  readFile(settingsProblems, file, stage);

/** The same, or an error with everything that is wrong. */
export const settingsOf = (name: string, file: unknown, stage?: string): Settings =>
  requireSettings(name, readSettings(file, stage));
