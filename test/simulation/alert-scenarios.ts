import {
  alert,
  at,
  champion,
  configOf,
  ended,
  first,
  hadChampion,
  minute,
  must,
  rolloutIs,
  type Scenario,
  serves,
  settled,
  takenBack,
  textOf,
} from './script.ts';

const resolved = { type: 'alertResolved', sender: 'grafana', fingerprint: 'f1' } as const;
/** Nothing is compared with the champion, so an offer is not scored again. */
const simple = { gate: { auc: { direction: 'up', atLeast: 0.5 } } } as const;

/** Alerts as conditions: what fires while new candidates come, and what was over before. */
export const alertScenarios: readonly Scenario[] = [
  {
    name: 'an alert goes on firing while new candidates come',
    async act(universe) {
      if (!(await takenBack(universe, configOf(simple)))) return;
      universe.drop('fraud/3.csv');
      await universe.when((model) => model.run?.trained?.number === 3 && ended(model.run));
      universe.tell(alert(), { id: 'told-again' });
      await universe.sleep(20 * minute);
      universe.tell(resolved);
      await universe.when(serves(3));
    },
    expect(universe, calm) {
      if (calm && hadChampion(universe)) champion(universe, 3);
    },
  },
  {
    name: 'somebody overrides the alert that holds a candidate, and another one fires',
    async act(universe) {
      if (!(await takenBack(universe, configOf(simple)))) return;
      universe.drop('fraud/3.csv');
      await universe.when((model) => model.offered?.version === 3 && ended(model.run));
      await universe.ask({ type: 'approvalGiven', version: 3, approved: true, override: 'v3 is the fix' });
      if (!(await universe.when((model) => model.rollout?.candidate === 3 && model.rollout.status === 'baking')))
        return;
      universe.tell(alert('f2'));
      await universe.when((model) => settled(model));
      universe.tell(resolved);
      universe.tell({ ...resolved, fingerprint: 'f2' });
    },
    expect(universe, calm) {
      if (calm && hadChampion(universe)) champion(universe, 1);
      must(universe.model()?.champion !== 3, `v3 serves: ${textOf(universe.model())}`);
    },
  },
  {
    name: 'an alert that ended before a rollout is told during it',
    async act(universe) {
      await first(universe, configOf(simple));
      universe.tell({ ...resolved, endedAt: '2026-01-05T07:55:00Z' });
      await universe.when((model) => Object.keys(model.monitor.ends).length > 0);
      universe.drop('fraud/2.csv');
      if (!(await universe.when(at('baking')))) return;
      universe.tell({ ...alert(), startedAt: '2026-01-05T07:50:00Z' });
      universe.tell({ ...alert('f2'), over: true });
      await universe.when(serves(2));
    },
    expect(universe, calm) {
      if (calm && hadChampion(universe)) rolloutIs(universe, 'promoted');
    },
  },
  {
    name: 'the champion that came after a rollback is taken back as well',
    async act(universe) {
      if (!(await takenBack(universe, configOf(simple)))) return;
      universe.tell(resolved);
      universe.drop('fraud/3.csv');
      await universe.when(serves(3));
      universe.tell(alert('f2'));
      await universe.when(serves(1));
      universe.tell({ ...resolved, fingerprint: 'f2' });
    },
    expect(universe, calm) {
      if (calm && hadChampion(universe)) champion(universe, 1);
    },
  },
];
