import { type FactOf, unrouted } from '@serin/core/inbound/fact';
import { alarmFact } from '@serin/platform/alarms';
import { type Fields, fieldsOf, textOf, unreadable, wordOf } from '@serin/platform/fields';

/**
 * An incident of Cloud Monitoring, or its end, as a notification channel publishes it: schema 1.2, and older ones, which
 * lack fields. An incident is of one series of one condition, so it fires and ends by itself.
 *
 * https://docs.cloud.google.com/monitoring/support/notification-options#webhooks
 */
export function alarmFromIncident({ version, incident }: Fields): FactOf<'alarm'> | FactOf<'unrouted'> {
  // What the console sends when a channel is tried out looks like an incident that is open.
  if (wordOf(version).toLowerCase() === 'test') return unrouted('a test of a notification channel');
  const said = fieldsOf(incident);
  if (said === undefined) throw unreadable('a notification of Cloud Monitoring', 'an incident');
  const id = textOf(said.incident_id, 'incident.incident_id');
  const state = wordOf(said.state).toLowerCase();
  if (state !== 'open' && state !== 'closed') throw unreadable(`the state of the incident ${id}`, 'open or closed');
  const isOver = state === 'closed';
  const watched = fieldsOf(fieldsOf(said.resource)?.labels)?.endpoint_id;
  const labelled = nameIn(fieldsOf(fieldsOf(said.metadata)?.user_labels));
  return alarmFact({
    ...{ sender: 'cloud-monitoring', prefix: 'cm', fingerprint: id, state, isOver },
    name: wordOf(said.policy_name ?? said.condition_name ?? id),
    at: isOver && said.ended_at ? instant(said.ended_at, 'ended_at') : instant(said.started_at, 'started_at'),
    reason: said.summary,
    description: [labelled, ...writtenIn(said)].join(' '),
    // The labels of an endpoint say whose it is, also where it goes by a number that Google gave it.
    endpoints: labelled === '' ? [watched] : [],
  });
}

/** Seconds since the epoch, as a number or as text. */
function instant(value: unknown, field: string): string {
  const seconds = typeof value === 'string' && value !== '' ? Number(value) : value;
  const at = new Date(typeof seconds === 'number' ? seconds * 1000 : Number.NaN);
  if (Number.isNaN(at.getTime())) throw unreadable(`incident.${field}`, 'seconds since 1970');
  return at.toISOString();
}

/** The documentation of a policy, which is text for people, and its labels. */
function writtenIn({ documentation, policy_user_labels }: Fields): readonly string[] {
  const { content, subject } = fieldsOf(documentation) ?? { content: documentation };
  const texts = [content, subject].filter((text) => typeof text === 'string');
  return [...texts, nameIn(fieldsOf(policy_user_labels))];
}

/** Whose an alarm is, of labels: they take no `/`, so each part of the name has a label of its own. */
function nameIn(labels: Fields = {}): string {
  const { serin_environment: environment, serin_project: project, serin_model: model } = labels;
  const parts = environment === undefined ? [model] : [environment, ...(project === undefined ? [] : [project]), model];
  return model === undefined ? '' : `serin_model=${parts.map(wordOf).join('/')}`;
}
