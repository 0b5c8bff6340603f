import type { Resource } from '../../shared/shapes.ts';
import { parsedId } from './ids.ts';
import { thingOf } from './places.ts';
import type { Topology } from './shapes.ts';

type Listed = Pick<
  Topology,
  | 'groups'
  | 'group'
  | 'accounts'
  | 'namespace'
  | 'vaults'
  | 'functions'
  | 'identities'
  | 'customRoles'
  | 'sources'
  | 'workspace'
  | 'logs'
  | 'alarms'
  | 'actionGroups'
  | 'endpoints'
  | 'settings'
  | 'where'
>;

const keptText = 'retained when the rest is destroyed';

/** What is deployed beside the functions, one row each. */
export function resourcesOf(made: Listed): readonly Resource[] {
  const { namespace, workspace, logs } = made;
  return [
    ...made.groups.map(({ name }) => ({ kind: 'resource group', name, says: keptText })),
    ...made.accounts.flatMap((account) => [
      { kind: 'storage account', name: account.name, says: account.kept ? keptText : account.does },
      ...account.containers.map(({ name, says }) => ({ kind: 'container', name: `${account.name}/${name}`, says })),
      ...account.tables.map((name) => ({ kind: 'table', name: `${account.name}/${name}`, says: 'the history' })),
    ]),
    ...made.vaults.map(({ name }) => ({ kind: 'key vault', name, says: keptText })),
    { kind: 'Service Bus namespace', name: namespace.name, says: namespace.tier },
    { kind: 'queue', name: `${namespace.name}/${namespace.queue.name}`, says: 'everything that happens' },
    { kind: 'topic', name: `${namespace.name}/${namespace.topic.name}`, says: 'what Serin tells: subscribe to it' },
    ...made.sources.flatMap(({ topic, isOurs, source, subscriptions }) => [
      ...(isOurs ? [{ kind: 'system topic', name: topic, says: `events of ${parsedId(source)?.name}` }] : []),
      ...subscriptions.map(({ name, subjectBeginsWith }) => ({
        kind: 'event subscription',
        name: `${topic}/${name}`,
        says: subjectBeginsWith ?? 'ends of jobs and deployments, as hints',
      })),
    ]),
    ...(workspace.made === undefined ? [] : [{ kind: 'Azure ML workspace', name: workspace.name, says: keptText }]),
    {
      kind: 'datastore',
      name: `${workspace.name}/${workspace.datastore.name}`,
      says: 'our container, without credentials',
    },
    ...made.identities.map(({ name, does }) => ({ kind: 'managed identity', name, says: does })),
    ...made.functions.map(({ id, name }) => ({
      kind: 'plan',
      name,
      says: `Flex Consumption, for ${thingOf(id)} only`,
    })),
    ...made.customRoles.map(({ name, actions, dataActions }) => ({
      kind: 'role',
      name,
      says: [...actions, ...dataActions].join(' '),
    })),
    ...(logs === undefined
      ? []
      : [
          ...(logs.made === undefined
            ? []
            : [{ kind: 'log workspace', name: logs.made.name, says: `${logs.made.days} days` }]),
          { kind: 'Application Insights', name: logs.insights, says: 'logs of the functions' },
        ]),
    ...made.actionGroups.map(({ name, email }) => ({
      kind: 'action group',
      name,
      says: email ?? 'calls the API under your Entra application',
    })),
    ...made.alarms.map(({ name, says }) => ({ kind: 'alarm', name, says })),
    ...made.endpoints.map(({ name, resource }) => ({
      kind: 'private endpoint',
      name,
      says: resource.split('/').at(-1) ?? '',
    })),
  ];
}

/** What stays when the rest is destroyed. */
export const staysOf = (made: Listed): readonly string[] => [
  ...made.accounts.filter(({ kept }) => kept).map(({ name, does }) => `the storage account ${name}: ${does}`),
  ...made.vaults.map(({ name, does }) => `the key vault ${name}: ${does}`),
  ...(made.workspace.made === undefined
    ? []
    : [`the Azure ML workspace ${made.workspace.name}: jobs, models and endpoints`]),
  ...made.groups.map(({ name }) => `the resource group ${name}, which holds them`),
];

/** What can be done with it; the names are fixed, so a plain second deployment would find them taken. */
export const laterOf = (made: Listed): readonly string[] => [
  'to deploy again with this history: write "adopt": true into serin.azure.json, then serin deploy',
  `to forget it: ${[
    ...made.groups.map(({ name }) => `az group delete --name ${name} --subscription ${made.where.account}`),
    ...(made.groups.some(({ id }) => id === 'Own')
      ? []
      : made.accounts
          .filter(({ kept, group }) => kept && group === made.group)
          .map(({ name }) => `az storage account delete --name ${name} --subscription ${made.where.account}`)),
  ].join(' && ')}; its key vaults hold their names for 90 days after that${
    made.workspace.made === undefined ? '' : ', and its workspace for 14'
  }: until then deploy as another environment`,
];
