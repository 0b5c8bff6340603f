import { probabilities } from './drifts.ts';
import { random } from './random.ts';
import {
  champion,
  configOf,
  drift,
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

/** Requests of two columns; from a time on most of them are of one day. A share of the worlds has few rows each window. */
const asking =
  (driftsAt: (at: number, seed: number) => boolean): NonNullable<Outside['asking']> =>
  (seed) => {
    const dice = random(seed ^ 0xd41f);
    const rows = dice.pick([2, 2, 8]);
    return {
      ...{ everyMs: 15_000, rows, perPage: dice.pick([3, 5, 40]), lateMs: dice.pick([0, 1000, 5 * minute]) },
      answer: (row) =>
        'day' in row && row.day === 'd2'
          ? { label: 'late', probabilities: [1 - probabilities.late, probabilities.late] }
          : { label: 'early', probabilities: [1 - probabilities.early, probabilities.early] },
      row: (at, index) => rowOf(random(seed ^ (at / 1000 + 7919 * index)).between(0, 59), driftsAt(at, seed)),
    };
  };

/** Of sixty rows in a row each number comes once, and each day equally often, before the requests turn. */
const rowOf = (draw: number, isLate: boolean) => ({
  day: isLate && draw % 20 < 17 ? 'd2' : `d${draw % 3}`,
  n: `${Math.floor(draw / 3) % 20}`,
});

/** A dataset of requests as they are before or after they turned; of another name it has other rows. */
const rows = (name: number, isLate: boolean): string =>
  `day,n\n${Array.from({ length: 60 + name }, (_, at) => Object.values(rowOf(at, isLate)).join()).join('\n')}\n`;

const monitor: Given['monitor'] = {
  ...{ onDrift: 'run', cooldown: '1h', retrainBudget: { runs: 2, per: '7d' } },
  capture: { share: '100%', fields: ['day', 'n'] },
  // So rare that a false alarm is a defect.
  drift: { window: '20m', quietFor: 100_000, columns: { n: 'category' } },
  estimate: { probability: '/probabilities/1' },
};
const judging = configOf({ monitor });

export const waits = 'requests drift within the cooldown of a run, and the next one starts when it has ended';

/** When requests begin to be others, if they do. */
const turnsAt = (seed: number): number => beginning + random(seed ^ 0x7e57).between(hour, 6 * hour);
const afterTurn = (at: number, seed: number): boolean => at >= turnsAt(seed);
const forAWhile = (at: number, seed: number): boolean => afterTurn(at, seed) && at < turnsAt(seed) + 3 * hour;

async function firstServes(universe: Universe): Promise<void> {
  await universe.release(judging);
  await universe.when(() => true);
  universe.drop('fraud/1.csv', rows(1, false));
  await universe.when(serves(1));
}

const isOpen = (universe: Universe): boolean => universe.model()?.drift?.incident !== undefined;
const toldOf = (universe: Universe, type: string): number =>
  universe.bus.received().filter((event) => event.type === `dev.serin.drift.${type}.v1`).length;
const runsByDrift = (universe: Universe): number => universe.model()?.monitor.runs.length ?? 0;

export const driftScenarios: readonly Scenario[] = [
  {
    name: 'requests do not drift, and nothing says so',
    outside: {
      asking: asking(() => false),
      fateOf: ({ kind }) =>
        kind === 'evaluate' ? { metrics: { auc: 0.9, calibration_error: 0.01, holdout_rows: 1000 } } : undefined,
    },
    async act(universe) {
      await firstServes(universe);
      universe.drop('fraud/1.csv', rows(2, false));
      await universe.when(serves(2));
      await universe.sleep(5 * hour);
    },
    expect(universe, calm) {
      must(toldOf(universe, 'detected') === 0, 'drift was told of');
      const { windows = [] } = universe.model()?.drift ?? {};
      if (!calm) return;
      must(windows.length >= 12, 'a window was not judged');
      must(
        windows.every(({ rows, estimate }) => rows < 200 || estimate !== undefined),
        `a window has no estimate: ${universe.model()?.drift?.unestimated}`,
      );
    },
  },
  {
    name: 'requests drift, and the version that is trained of newer data mends it',
    outside: { asking: asking(afterTurn) },
    async act(universe) {
      await firstServes(universe);
      await universe.when(({ drift }) => drift?.incident?.level === 'major');
      universe.drop('fraud/1.csv', rows(2, true));
      await universe.when((model) => (model.champion ?? 0) > 1 && settled(model));
      await universe.when(({ drift }) => drift !== undefined && drift.incident === undefined);
      await universe.sleep(2 * hour);
    },
    expect(universe, calm) {
      const told = [toldOf(universe, 'detected') > 0, toldOf(universe, 'resolved')];
      if (!calm) return;
      must(!isOpen(universe), `the incident did not end: ${JSON.stringify(universe.model()?.drift?.incident)}`);
      must(told[0] === true && told[1] === 1, `drift was told of ${told}: ${textOf(universe.model())}`);
    },
  },
  {
    name: 'requests drift, and no version that is trained passes',
    outside: {
      asking: asking(afterTurn),
      fateOf: (job) =>
        job.kind !== 'evaluate' ? undefined : { metrics: { auc: job.key.includes('/champion/') ? 0.9 : 0.85 } },
    },
    async act(universe) {
      await firstServes(universe);
      await universe.release(configOf({ monitor, on: { data: false } }));
      // Who brings data before it is there starts a run by it, and drift has no newer one.
      await universe.when(({ plan }) => !plan.on.data);
      universe.drop('fraud/1.csv', rows(2, true));
      await universe.when(({ drift }) => drift?.incident?.level === 'major');
      await universe.sleep(8 * hour);
    },
    expect(universe, calm) {
      // In a world that fails, the first version may never have become ready.
      if (calm || universe.model()?.served.some(({ version }) => version === 1)) champion(universe, 1);
      if (!calm) return;
      must(isOpen(universe), `the incident is over: ${textOf(universe.model())}`);
      must(runsByDrift(universe) === 1, `${runsByDrift(universe)} runs were started by drift`);
    },
  },
  {
    name: 'requests drift, and nobody brings newer data',
    outside: { asking: asking(afterTurn) },
    async act(universe) {
      await firstServes(universe);
      await universe.release(configOf({ monitor, on: { data: false } }));
      await universe.when(({ drift }) => drift?.incident?.level === 'major');
      await universe.sleep(8 * hour);
    },
    expect(universe, calm) {
      if (!calm) return;
      must(isOpen(universe), `the incident is over: ${textOf(universe.model())}`);
      must(runsByDrift(universe) === 0, `${runsByDrift(universe)} runs were started by drift`);
      const { because = '' } = universe.model()?.did ?? {};
      must(because.includes('; put newer data into '), `nobody is asked for newer data: ${because}`);
    },
  },
  {
    name: waits,
    outside: { asking: asking(afterTurn) },
    async act(universe) {
      const rules = { ...monitor, cooldown: '9h' };
      await universe.release(configOf({ monitor: rules }));
      await universe.when(() => true);
      universe.drop('fraud/1.csv', rows(1, false));
      await universe.when(serves(1));
      await universe.release(configOf({ monitor: rules, on: { data: false } }));
      await universe.when(({ plan }) => !plan.on.data);
      universe.drop('fraud/2.csv', rows(2, false));
      universe.tell(drift());
      await universe.when((model) => (model.champion ?? 0) > 1 && settled(model));
      universe.tell({ type: 'alertResolved', sender: drift().sender, fingerprint: drift().fingerprint });
      universe.drop('fraud/3.csv', rows(3, true));
      await universe.when((model) => model.drift?.incident?.level === 'major' && settled(model));
      await universe.sleep(9.5 * hour);
    },
    expect(universe, calm) {
      if (calm) must(runsByDrift(universe) === 2, `${runsByDrift(universe)} runs: ${textOf(universe.model())}`);
    },
  },
  {
    name: 'requests drift for a while, and are then as before',
    outside: { asking: asking(forAWhile) },
    async act(universe) {
      await firstServes(universe);
      await universe.sleep(14 * hour);
    },
    expect(universe, calm) {
      if (!calm) return;
      must(toldOf(universe, 'detected') > 0, 'drift was not told of');
      must(!isOpen(universe), `the incident did not end: ${JSON.stringify(universe.model()?.drift?.incident)}`);
    },
  },
  {
    name: 'requests drift while two versions go out and traffic goes back',
    outside: { asking: asking(afterTurn) },
    async act(universe) {
      await firstServes(universe);
      universe.drop('fraud/1.csv', rows(2, false));
      await universe.sleep(universe.sim.random.between(0, 2 * hour));
      universe.drop('fraud/1.csv', rows(3, true));
      await universe.when((model) => (model.champion ?? 0) > 1 && settled(model));
      await universe.sleep(universe.sim.random.between(0, 2 * hour));
      await universe.ask({ type: 'rollbackRequested' });
      await universe.sleep(4 * hour);
    },
    expect() {},
  },
];
