import type { LabelTick } from '@serin/core/ports/telemetry';
import {
  champion,
  configOf,
  first,
  type Given,
  minute,
  must,
  type Scenario,
  serves,
  settled,
  textOf,
} from './script.ts';
import type { Outside, Universe } from './universe.ts';
import { beginning } from './world.ts';

const hour = 60 * minute;

/** Three quarters of the labels come in time, some later, and some never. */
const monitor: Given['monitor'] = {
  ...{ onPerformance: 'run', cooldown: '1h', retrainBudget: { runs: 2, per: '7d' } },
  // So rare that a false alarm is a defect.
  performance: { window: '20m', maturity: '10m', quietFor: 100_000 },
};
/** The same of truths of a class, and of truths that are numbers. */
const classes = { ...monitor, performance: { ...monitor.performance, positive: 'fraud' } };
const numbers = { ...monitor, performance: { ...monitor.performance, scale: 10 } };
const judging = configOf({ monitor: classes });
const late = { share: 0.9, takeMs: 12 * minute };
const labelsTwice = (tick: LabelTick): readonly LabelTick[] => [tick, tick];

/** When predictions of a version get worse. */
const turnsAt = beginning + 4 * hour;
const worse =
  (...versions: readonly string[]): NonNullable<NonNullable<Outside['models']>['wrong']> =>
  (deployment, at = 0) =>
    versions.includes(deployment) && at >= turnsAt ? 0.4 : 0.1;
const labelled = (wrong: ReturnType<typeof worse>, more: Outside = {}): Outside => ({
  ...{ models: { perMinute: 120, wrong }, labelled: late, toldLabels: labelsTwice, ...more },
});

const told = (universe: Universe, type: string): number =>
  universe.bus.received().filter((event) => event.type === `dev.serin.performance.${type}.v1`).length;
const isOpen = (universe: Universe): boolean => universe.model()?.performance?.incident !== undefined;
const runs = (universe: Universe): number => universe.model()?.monitor.runs.length ?? 0;

/** The first version serves, and newer data lies ready that starts no run by itself. */
async function serving(universe: Universe, rules = monitor): Promise<void> {
  await first(universe, configOf({ monitor: rules }));
  await universe.release(configOf({ monitor: rules, on: { data: false } }));
  await universe.when(({ plan }) => !plan.on.data);
  universe.drop('fraud/2.csv');
}

export const performanceScenarios: readonly Scenario[] = [
  {
    name: 'labels come late, twice or never, and predictions are as good as they were',
    outside: labelled(worse()),
    async act(universe) {
      await first(universe, judging);
      await universe.sleep(4 * hour);
      universe.drop('fraud/2.csv');
      await universe.when(serves(2));
      await universe.sleep(4 * hour);
    },
    expect(universe, calm) {
      must(told(universe, 'lost') === 0, 'lost performance was told of');
      if (calm) must((universe.model()?.performance?.windows.length ?? 0) >= 18, 'a window was not judged');
    },
  },
  {
    name: 'predictions get worse, and those of the version that was to mend it as well',
    outside: labelled(worse('v1', 'v2')),
    async act(universe) {
      const limited = { ...monitor, cooldown: '10m', performance: { ...monitor.performance, limit: 0.2 } };
      await serving(universe, limited);
      await universe.when(({ performance }) => performance?.incident !== undefined);
      await universe.when((model) => (model.champion ?? 0) > 1 && settled(model));
      await universe.sleep(4 * hour);
    },
    expect(universe, calm) {
      if (!calm) return;
      champion(universe, 2);
      must(isOpen(universe), `the incident is over: ${textOf(universe.model())}`);
      must(told(universe, 'lost') === 2, `performance was told of ${told(universe, 'lost')} times`);
      must(runs(universe) === 1, `${runs(universe)} runs were started`);
    },
  },
  {
    name: 'predictions get worse, and the version that is trained of newer data mends it',
    outside: labelled(worse('v1')),
    async act(universe) {
      await serving(universe, numbers);
      await universe.when(({ performance }) => performance?.incident !== undefined);
      await universe.when((model) => (model.champion ?? 0) > 1 && settled(model));
      await universe.when(({ performance }) => performance !== undefined && performance.incident === undefined);
      await universe.sleep(2 * hour);
    },
    expect(universe, calm) {
      if (!calm) return;
      must(!isOpen(universe), `the incident did not end: ${JSON.stringify(universe.model()?.performance?.incident)}`);
      const heard = [told(universe, 'lost'), told(universe, 'recovered')];
      must(heard.join() === '1,1', `performance was told of ${heard}: ${textOf(universe.model())}`);
    },
  },
  {
    name: 'predictions get worse, and no version that is trained passes',
    outside: labelled(worse('v1'), {
      fateOf: (job) =>
        job.kind !== 'evaluate' ? undefined : { metrics: { auc: job.key.includes('/champion/') ? 0.9 : 0.85 } },
    }),
    async act(universe) {
      await serving(universe);
      await universe.when(({ performance }) => performance?.incident !== undefined);
      await universe.sleep(8 * hour);
    },
    expect(universe, calm) {
      if (!calm) return;
      champion(universe, 1);
      must(isOpen(universe), `the incident is over: ${textOf(universe.model())}`);
      must(runs(universe) === 1, `${runs(universe)} runs were started`);
    },
  },
  {
    name: 'predictions of both versions get worse, and traffic goes back once',
    outside: labelled(worse('v1', 'v2')),
    async act(universe) {
      const limited = { ...monitor.performance, limit: 0.2 };
      await first(universe, configOf({ monitor: { ...monitor, onPerformance: 'rollback', performance: limited } }));
      universe.drop('fraud/2.csv');
      await universe.when(serves(2));
      await universe.when(({ performance }) => performance?.incident !== undefined);
      await universe.sleep(6 * hour);
    },
    expect(universe, calm) {
      if (!calm) return;
      champion(universe, 1);
      must(isOpen(universe), `the incident is over: ${textOf(universe.model())}`);
      must(told(universe, 'lost') === 2, `performance was told of ${told(universe, 'lost')} times`);
    },
  },
  {
    name: 'labels come for less than half of the predictions, and nothing is said of them',
    outside: labelled(worse('v1'), { labelled: { share: 0.4, takeMs: 10 * minute } }),
    async act(universe) {
      await first(universe, judging);
      await universe.sleep(8 * hour);
    },
    expect(universe, calm) {
      must(told(universe, 'lost') === 0, 'lost performance was told of');
      if (!calm) return;
      const because = universe.model()?.performance?.because ?? '';
      must(because.includes('nothing is said below 50 %'), `the reason is '${because}'`);
    },
  },
];
