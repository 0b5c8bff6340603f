import { expect, test } from 'vitest';
import { alert, simpleGate } from '../between/between.fixture.ts';
import { planOf, withCanary, withChampion } from '../model.fixture.ts';
import { whyModel } from '../why.ts';

test('an alert says what was done in the end, not what the policy asked for', () => {
  const { drive } = withChampion(planOf(simpleGate));
  drive.say(alert);

  expect(Object.values(drive.state.monitor.alerts)).toMatchObject([{ did: 'escalate' }]);
  expect(whyModel(drive.state, drive.now).story.map(({ text }) => text)).toContain(
    "'errors high' (grafana) fires: somebody has to look at it",
  );
});

test('an alert is announced with what it did, and not when it did nothing', () => {
  const { drive } = withCanary();
  drive.say(alert);
  drive.say({ ...alert, fingerprint: 'g', over: true });
  drive.say(alert);

  const told = drive.entries.flatMap(({ events }) => events.filter(({ type }) => type.includes('.alert.')));

  expect(told.map(({ data }) => data)).toMatchObject([{ fingerprint: 'f', did: 'revert' }]);
});
