import { parsedId } from '../topology/ids.ts';
import type { Alarm } from '../topology/shapes.ts';
import type { Known } from './functions.ts';
import { type Around, type Pulumi, placed } from './pulumi.ts';

type Before = Omit<Around, 'identities'>;

/** Where functions write their logs, under their identities: keys of both are off. */
export function renderLogs(around: Before): { readonly known: Known; readonly resources: readonly Pulumi.Resource[] } {
  const { azure, topology, pulumi, after } = around;
  const { logs } = topology;
  if (logs === undefined)
    return { known: { insights: pulumi.output(''), logWorkspaceId: pulumi.output('') }, resources: [] };
  const workspace =
    logs.made === undefined
      ? undefined
      : new azure.operationalinsights.Workspace(
          'Logs',
          {
            ...placed(around),
            workspaceName: logs.made.name,
            sku: { name: 'PerGB2018' },
            retentionInDays: logs.made.days,
            features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true },
          },
          { dependsOn: [...after] },
        );
  const insights = new azure.applicationinsights.Component(
    'Insights',
    {
      ...placed(around),
      resourceName: logs.insights,
      kind: 'web',
      applicationType: 'web',
      ingestionMode: 'LogAnalytics',
      workspaceResourceId: logs.id,
      disableLocalAuth: true,
    },
    { dependsOn: [...after, ...(workspace === undefined ? [] : [workspace])] },
  );
  const { group = '', name = '' } = parsedId(logs.id) ?? {};
  const customerId =
    workspace?.customerId ??
    pulumi.output(azure.operationalinsights.getWorkspace({ resourceGroupName: group, workspaceName: name })).customerId;
  return {
    known: { insights: insights.connectionString, logWorkspaceId: customerId },
    resources: [...(workspace === undefined ? [] : [workspace]), insights],
  };
}

/** Alarms, and who hears them. */
export function renderWatch(around: Around, api: Pulumi.Output<string>): void {
  const { topology } = around;
  const groups = topology.actionGroups.map((group) => ({ group, made: renderActionGroup(around, group, api) }));
  const told = groups.filter(({ group }) => group.id === 'Email').map(({ made }) => made.id);
  for (const alarm of topology.alarms) renderAlarm(around, alarm, told);
}

function renderActionGroup(
  { azure, topology, after }: Around,
  { id, name, short, email }: Around['topology']['actionGroups'][number],
  api: Pulumi.Output<string>,
) {
  const { alarms } = topology.settings;
  return new azure.monitor.ActionGroup(
    `Told-${id}`,
    {
      resourceGroupName: topology.group,
      location: 'Global',
      tags: { ...topology.tags },
      actionGroupName: name,
      groupShortName: short,
      enabled: true,
      ...(email === undefined
        ? {}
        : { emailReceivers: [{ name: 'email', emailAddress: email, useCommonAlertSchema: true }] }),
      ...(id !== 'Signals' || alarms === undefined
        ? {}
        : {
            webhookReceivers: [
              {
                name: 'serin',
                serviceUri: api.apply((address) => `${address}/azure/events`),
                useAadAuth: true,
                tenantId: alarms.tenant,
                objectId: alarms.object,
                identifierUri: alarms.audience,
                useCommonAlertSchema: true,
              },
            ],
          }),
    },
    { dependsOn: [...after] },
  );
}

function renderAlarm(around: Around, alarm: Alarm, actionGroups: readonly Pulumi.Output<string>[]): void {
  if (alarm.when.kind === 'metric') renderMetricAlarm(around, alarm, alarm.when, actionGroups);
  else renderQueryAlarm(around, alarm, alarm.when, actionGroups);
}

type MetricWhen = Extract<Alarm['when'], { readonly kind: 'metric' }>;
type QueryWhen = Extract<Alarm['when'], { readonly kind: 'query' }>;

function renderMetricAlarm(
  { azure, topology, after }: Around,
  { id, name, says }: Alarm,
  { resource, entity, metric, aggregation, above, windowMinutes }: MetricWhen,
  actionGroups: readonly Pulumi.Output<string>[],
): void {
  new azure.monitor.MetricAlert(
    `Alarm-${id}`,
    {
      resourceGroupName: topology.group,
      location: 'global',
      tags: { ...topology.tags },
      ruleName: name,
      description: says,
      enabled: true,
      severity: 2,
      scopes: [resource],
      evaluationFrequency: 'PT5M',
      windowSize: `PT${windowMinutes}M`,
      autoMitigate: true,
      criteria: {
        odataType: 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria',
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion',
            name: metric,
            metricNamespace: parsedId(resource)?.type ?? '',
            metricName: metric,
            timeAggregation: aggregation,
            operator: 'GreaterThan',
            threshold: above,
            dimensions: entity === undefined ? [] : [{ name: 'EntityName', operator: 'Include', values: [entity] }],
          },
        ],
      },
      actions: actionGroups.map((actionGroupId) => ({ actionGroupId })),
    },
    { dependsOn: [...after] },
  );
}

function renderQueryAlarm(
  around: Around,
  { id, name, says }: Alarm,
  { query, operator, threshold, windowMinutes }: QueryWhen,
  actionGroups: readonly Pulumi.Output<string>[],
): void {
  const { azure, topology, after } = around;
  new azure.monitor.ScheduledQueryRule(
    `Alarm-${id}`,
    {
      ...placed(around),
      kind: 'LogAlert',
      ruleName: name,
      displayName: name,
      description: says,
      enabled: true,
      severity: 2,
      scopes: [topology.logs?.id ?? ''],
      evaluationFrequency: 'PT5M',
      windowSize: `PT${windowMinutes}M`,
      autoMitigate: true,
      // Before the first line is written there is no such table.
      skipQueryValidation: true,
      criteria: {
        allOf: [
          {
            query,
            timeAggregation: 'Count',
            operator,
            threshold,
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
          },
        ],
      },
      actions: { actionGroups: [...actionGroups] },
    },
    { dependsOn: [...after] },
  );
}

/** Addresses in the owner's network: of what functions reach, and of functions themselves. */
export const doorsOf = ({ endpoints }: Pick<Around['topology'], 'endpoints'>) => ({
  sites: endpoints.filter(({ kind }) => kind === 'sites'),
  stored: endpoints.filter(({ kind }) => kind !== 'sites'),
});

export function renderEndpoints(
  around: Around,
  endpoints: Around['topology']['endpoints'],
): readonly Pulumi.Resource[] {
  const { azure, topology, after } = around;
  const { network } = topology.settings;
  if (network === undefined) return [];
  return endpoints.map(
    ({ name, resource, kind }) =>
      new azure.network.PrivateEndpoint(
        `Private-${name}`,
        {
          ...placed(around),
          privateEndpointName: name,
          subnet: { id: network.endpoints },
          privateLinkServiceConnections: [{ name, privateLinkServiceId: resource, groupIds: [kind] }],
        },
        { dependsOn: [...after] },
      ),
  );
}
