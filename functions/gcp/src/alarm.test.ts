import type { FactOf } from '@serin/core/inbound/fact';
import { expect, test } from 'vitest';
import { alarmFromIncident } from './alarm.ts';

const endpoint = 'prod-shop--fraud-bd23c96a17ada569';
const resource = { type: 'aiplatform.googleapis.com/Endpoint', labels: { endpoint_id: endpoint } };
const opened = { incident_id: '0.a', state: 'open', started_at: 1_795_183_480, ended_at: null, resource };
const startedAt = '2026-11-20T14:04:40.000Z';
const endedAt = '2026-11-20T14:14:40.000Z';

const read = (more: object = {}, version = '1.2') => alarmFromIncident({ version, incident: { ...opened, ...more } });
const alarm = (more?: object) => read(more) as FactOf<'alarm'>;

test.each(['test', 'TEST'])(
  'a channel that is tried out alarms nobody, also about an endpoint of ours (%s)',
  (version) => {
    expect(read({}, version)).toMatchObject({ kind: 'unrouted' });
  },
);

test.each([
  ['closed', 1_795_184_080, endedAt],
  ['CLOSED', '1795184080', endedAt],
  ['closed', null, startedAt],
  ['closed', 0, startedAt],
])('an incident that is %s at %j has ended, at the latest time that is told', (state, ended_at, at) => {
  const { says, saidAt } = alarm({ state, ended_at });

  expect(says).toMatchObject({ type: 'alertResolved', fingerprint: '0.a', endedAt: at });
  expect(saidAt).toBe(at);
});

test('an incident that is open began when it says, whatever it says of its end', () => {
  expect(alarm({ state: 'OPEN', ended_at: 1_795_184_080 }).says).toMatchObject({ type: 'alertRaised', startedAt });
});

test('each delivery of one incident has the same id, and its end has another', () => {
  expect(alarm().id).toBe(alarm({ summary: 'in other words' }).id);
  expect(alarm().id).not.toBe(alarm({ state: 'closed' }).id);
  expect(alarm().id).not.toBe(alarm({ incident_id: '0.b' }).id);
});

test.each([
  ['a state that nobody knows', { state: 'acknowledged' }, 'the state of the incident 0.a cannot be read'],
  ['no state', { state: undefined }, 'the state of the incident 0.a cannot be read'],
  ['no id', { incident_id: '' }, 'incident.incident_id'],
  ['no beginning', { started_at: null }, 'incident.started_at'],
  ['a beginning in words', { started_at: 'today' }, 'incident.started_at'],
  ['a beginning of nothing', { started_at: '' }, 'incident.started_at'],
])('an incident with %s is refused, and neither raised nor ended', (_, more, said) => {
  expect(() => read(more)).toThrow(said);
});

test('an endpoint is known by its labels before its id, which may be a number that Google gave it', () => {
  const user_labels = { serin_environment: 'prod', serin_project: 'shop', serin_model: 'fraud' };

  expect(alarm().of).toEqual({ endpoints: [endpoint], written: [] });
  expect(alarm({ metadata: { user_labels } }).of).toEqual({ endpoints: [], written: ['prod/shop/fraud'] });
});

test.each([
  [{ serin_model: 'fraud' }, ['fraud']],
  [{ serin_environment: 'prod', serin_model: 'fraud' }, ['prod/fraud']],
  [{ serin_project: 'shop', serin_model: 'fraud' }, ['fraud']],
  [{ serin_environment: 'prod', serin_project: 'shop' }, []],
  [{ team: 'risk' }, []],
])('a policy with the labels %j is about %j', (policy_user_labels, written) => {
  expect(alarm({ policy_user_labels, resource: {} }).of).toEqual({ endpoints: [], written });
});
