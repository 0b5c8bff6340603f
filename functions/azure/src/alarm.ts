import { type FactOf, unrouted } from '@serin/core/inbound/fact';
import { alarmFact } from '@serin/platform/alarms';
import { type Fields, fieldsOf, instantOf, listOf, textOf, unreadable, wordOf } from '@serin/platform/fields';

/**
 * An alert of Azure Monitor, or its end, in the common alert schema. An alert is of one series of one rule and has an id of
 * its own each time that it fires.
 *
 * https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema
 */
export function alarmFromAlert({ data }: Fields): FactOf<'alarm'> | FactOf<'unrouted'> {
  const { essentials, alertContext, customProperties } = fieldsOf(data) ?? {};
  const said = fieldsOf(essentials);
  if (said === undefined) throw unreadable('an alert of Azure Monitor', 'data.essentials');
  const id = textOf(said.alertId, 'data.essentials.alertId');
  // What the button "Test action group" sends looks like an alert that fires; nobody has this subscription.
  if (id.startsWith('/subscriptions/11111111-1111-1111-1111-111111111111/'))
    return unrouted('a test of an action group');
  // They tell what somebody did, such as a release of ours, and never end.
  if (said.signalType === 'Activity Log') return unrouted('an alert on the activity log');
  // A budget's alert has no state, and never ends. https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-payload-samples
  const always = said.monitoringService === 'CostAlerts' ? 'fired' : undefined;
  const state = wordOf(said.monitorCondition ?? always).toLowerCase();
  if (state !== 'fired' && state !== 'resolved') throw unreadable(`the state of the alert ${id}`, 'Fired or Resolved');
  const isOver = state === 'resolved';
  const context = fieldsOf(alertContext) ?? {};
  const conditions = listOf(fieldsOf(context.condition)?.allOf);
  return alarmFact({
    ...{ sender: 'azure-monitor', prefix: 'am', fingerprint: id, state, isOver },
    // A budget's alert has no rule.
    name: wordOf(said.alertRule ?? id),
    // The end of an alert on logs may have no time.
    at: instantOf((isOver ? said.resolvedDateTime : undefined) ?? said.firedDateTime, 'data.essentials.firedDateTime'),
    reason: reasonOf(conditions[0]),
    description: [said.description, writtenIn(customProperties), writtenIn(context.properties)].map(wordOf).join(' '),
    endpoints: [
      ...endpointsIn([said.alertTargetIDs, said.configurationItems].flat()),
      ...[...conditions.flatMap(({ dimensions }) => listOf(dimensions)), ...listOf(context.Dimensions)].flatMap(
        ({ name, value }): readonly unknown[] => (name === 'EndpointName' ? [value] : endpointsIn([value])),
      ),
    ],
  });
}

/** The condition that fired: of a metric; of a query it has no name. */
function reasonOf({ metricName, metricValue, operator, threshold }: Fields = {}): string {
  if (metricValue === undefined || metricValue === null) return '';
  return `${wordOf(metricName ?? 'the query')} is ${wordOf(metricValue)} (${wordOf(operator)} ${wordOf(threshold)})`;
}

/** The names of endpoints in the ids of resources, which Azure Monitor writes in lower case; of a deployment, its endpoint. */
const endpointsIn = (ids: readonly unknown[]): readonly string[] =>
  ids.flatMap((id) => /\/onlineendpoints\/([^/]+)/i.exec(typeof id === 'string' ? id : '')?.[1]?.toLowerCase() ?? []);

/** What a rule's author has named: `serin_model` says whose the alert is. */
const writtenIn = (properties: unknown): string => {
  const model = fieldsOf(properties)?.serin_model;
  return model === undefined ? '' : `serin_model=${wordOf(model)}`;
};
