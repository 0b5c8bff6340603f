import { expect, test } from 'vitest';
import { alarmFact } from './alarms.ts';

const said = {
  sender: 'meter',
  prefix: 'mt',
  fingerprint: 'alarms/churn-5xx',
  name: 'churn-5xx',
  state: 'ALARM',
  isOver: false,
  at: '2026-11-20T14:04:40.989Z',
  reason: '9 is more than 5',
  endpoints: ['prod-shop--churn-0123', 'prod-shop--churn-0123', 7],
  description: 'pages us. serin_model=prod/churn serin_model=fraud, serin_model=Fraud',
};

test('an alarm names its endpoints and what people wrote into it, each once', () => {
  expect(alarmFact(said).of).toEqual({ endpoints: ['prod-shop--churn-0123'], written: ['prod/churn', 'fraud'] });
  expect(alarmFact({ ...said, description: undefined, endpoints: [] }).of).toEqual({ endpoints: [], written: [] });
});

test('an alarm and its end have one fingerprint, and each an id of its own', () => {
  const raised = alarmFact(said);
  const resolved = alarmFact({ ...said, state: 'OK', isOver: true });

  expect(raised.says).toMatchObject({ type: 'alertRaised', title: 'churn-5xx: 9 is more than 5', startedAt: said.at });
  expect(resolved.says).toEqual({
    ...{ type: 'alertResolved', sender: 'meter', fingerprint: 'alarms/churn-5xx', endedAt: said.at },
  });
  expect(raised.id).not.toBe(resolved.id);
  expect(alarmFact({ ...said, reason: 'said in other words' }).id).toBe(raised.id);
});

test('a title is its name and its reason, and short', () => {
  const titleOf = (reason: unknown) => alarmFact({ ...said, reason }).says;

  expect(titleOf('')).toMatchObject({ title: 'churn-5xx' });
  expect(titleOf(7)).toMatchObject({ title: 'churn-5xx' });
  expect(titleOf('x'.repeat(600))).toMatchObject({ title: `churn-5xx: ${'x'.repeat(489)}` });
});
