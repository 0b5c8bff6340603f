import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FactOf } from '@serin/core/inbound/fact';
import { expect, test } from 'vitest';
import { alarmFromAlert } from './alarm.ts';

/** Written from the samples of Microsoft's documentation with the names of an installation put in, not recorded. */
const fixture = (name: string) =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, '..', '..', '..', 'test', 'events', 'azure', `${name}.json`), 'utf8'),
  );

const endpoint = 'prod-shop-frau-bd23c96a17ada569';
const startedAt = '2026-11-20T14:04:24.371Z';
const endedAt = '2026-11-20T14:14:40.500Z';

/** An alert with other essentials. */
function read(name: string, more: object = {}) {
  const message = fixture(name);
  Object.assign(message.data.essentials, more);
  return alarmFromAlert(message);
}
const alarm = (name: string, more?: object) => read(name, more) as FactOf<'alarm'>;

test('an alert that fires began when it says, and tells the condition of its rule', () => {
  expect(alarm('alert')).toMatchObject({
    says: {
      ...{ type: 'alertRaised', kind: 'alert', sender: 'azure-monitor', startedAt },
      title: 'fraud-errors: RequestsPerMinute is 9 (GreaterThan 5)',
    },
    saidAt: startedAt,
  });
});

test.each([
  ['alert', {}, 'fraud-errors: RequestsPerMinute is 9 (GreaterThan 5)'],
  ['alert-log', {}, 'fraud-errors: the query is 9 (GreaterThan 5)'],
  ['alert', { metricValue: null }, 'fraud-errors'],
  ['alert', { metricValue: undefined }, 'fraud-errors'],
  ['alert-log-oldest', undefined, 'fraud-errors'],
])('the title of %s with %j is %s, by its first condition', (name, more, title) => {
  const message = fixture(name);
  const conditions = message.data.alertContext.condition?.allOf ?? [];
  if (more !== undefined) Object.assign(conditions[0], more);
  conditions.push({ metricName: 'another', metricValue: 1 });

  expect(alarmFromAlert(message)).toMatchObject({ says: { title } });
});

test('an endpoint is known in any case of its id', () => {
  const { alertTargetIDs } = fixture('alert').data.essentials;

  const upper = alertTargetIDs.map((id: string) => id.toUpperCase());

  expect(alarm('alert', { alertTargetIDs: upper }).of).toEqual({ endpoints: [endpoint], written: [] });
});

test('its end is of the same alert, at the time that is told', () => {
  const raised = alarm('alert').says as { readonly fingerprint: string };

  expect(alarm('alert-resolved').says).toEqual({
    ...{ type: 'alertResolved', sender: 'azure-monitor', fingerprint: raised.fingerprint, endedAt },
  });
});

test('the end of an alert on logs has no time of its own, and is an end all the same', () => {
  const { says } = alarm('alert-log', { monitorCondition: 'Resolved' });

  expect(says).toMatchObject({ type: 'alertResolved', endedAt: startedAt });
});

test('an alert that fires is not over, though it says when it was resolved the last time', () => {
  expect(alarm('alert', { resolvedDateTime: '2026-11-20T14:14:40Z' }).says).toMatchObject({ startedAt });
});

test.each([
  ['FIRED', 'alertRaised'],
  ['resolved', 'alertResolved'],
])('a state is read in any case (%s)', (state, type) => {
  expect(alarm('alert', { monitorCondition: state }).says).toMatchObject({ type });
});

test('each delivery of one firing has the same id; its end, and the next firing, have others', () => {
  const next = { alertId: '/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/next' };

  expect(alarm('alert').id).toBe(alarm('alert', { description: 'in other words' }).id);
  expect(new Set([alarm('alert'), alarm('alert-resolved'), alarm('alert', next)].map(({ id }) => id)).size).toBe(3);
});

test.each([
  'alert',
  'alert-deployment',
  'alert-dynamic',
  'alert-several-resources',
  'alert-log',
  'alert-log-simple',
  'alert-log-oldest',
])('the endpoint is known from the target, from what was measured or from a dimension (%s)', (name) => {
  expect(alarm(name).of).toEqual({ endpoints: [endpoint], written: [] });
});

test.each([
  ['alert-described', ['prod/fraud']],
  ['alert-custom-properties', ['prod/shop/fraud']],
  ['alert-availability', []],
  ['alert-budget', []],
])('an alert on no endpoint is about what its author wrote (%s)', (name, written) => {
  expect(alarm(name).of).toEqual({ endpoints: [], written });
});

test('the older place of the properties of a rule is read as well', () => {
  const message = fixture('alert-log');
  message.data.alertContext.properties = { serin_model: 'prod/fraud' };

  expect(alarmFromAlert(message)).toMatchObject({ of: { written: ['prod/fraud'] } });
});

test.each([
  ['alert-test', 'a test of an action group'],
  ['alert-activity-log', 'an alert on the activity log'],
])('%s alarms nobody, also about an endpoint of ours', (name, what) => {
  expect(read(name)).toEqual({ kind: 'unrouted', what });
});

test('an alert without a rule is told by its id', () => {
  expect(alarm('alert-budget').says).toMatchObject({ title: expect.stringContaining('alerts/ml') });
});

test.each([
  ['no essentials', {}, 'data.essentials'],
  ['no id', { alertId: null }, 'data.essentials.alertId'],
  ['a state that nobody knows', { monitorCondition: 'Acknowledged' }, 'send Fired or Resolved'],
  ['no state', { monitorCondition: undefined }, 'send Fired or Resolved'],
  ['no beginning', { firedDateTime: null }, 'data.essentials.firedDateTime'],
  ['a beginning in words', { firedDateTime: 'today' }, 'data.essentials.firedDateTime'],
])('an alert with %s is refused, and neither raised nor ended', (what, more, said) => {
  const broken = () => (what === 'no essentials' ? alarmFromAlert({ data: {} }) : read('alert', more));

  expect(broken).toThrow(expect.objectContaining({ code: 'invalid', message: expect.stringContaining(said) }));
});
