import type { LabelTick, Tick } from '@serin/core/ports/telemetry';
import { type Crowd, crowdOf, crowds, type JudgedBy, planBy } from './crowds.ts';
import { promotes, rollsBack, told } from './judge-scenarios.ts';
import { configOf, type Given, given, minute, over, type Scenario, second } from './script.ts';
import type { Outside } from './universe.ts';

/**
 * Rollouts that are judged by their users, segments, labels, losses or pairs, of requests that are drawn one by one: no
 * two seeds have the same. What is counted of them is held against these requests.
 */
const kinds = Object.keys(crowds) as readonly JudgedBy[];
/** What each is called. */
const texts: Readonly<Record<JudgedBy, string>> = {
  users: 'users who stay with their model, of whom some have nearly all failures',
  segments: 'segments, which are judged by themselves as well',
  labels: 'labels that come late, or never',
  worst: 'labels that lack more often where the candidate answered, taken at their worst',
  losses: 'losses, most of them small and a few of them whole',
  pairs: 'copies of requests, half of whose failures are shared',
};

const outsideOf = (by: JudgedBy, candidate: 'healthy' | 'bad', more: Outside = {}): Outside => {
  const { people, models, labelled } = crowdOf(by, candidate, 2000);
  return { people, models: { ...models, perMinute: 1200 }, ...(labelled === undefined ? {} : { labelled }), ...more };
};

const canaryBy =
  (by: JudgedBy, changes: Crowd['rollout'] = {}): Scenario['act'] =>
  async (universe) => {
    await second(universe, configOf(planOf(by, changes)));
    await universe.when(over(2), 'fraud', 36 * 60 * minute);
  };

const planOf = (by: JudgedBy, changes: Crowd['rollout'] = {}): Partial<Given> =>
  planBy(by, { ...given.rollout, atMost: '1h', maxHold: '4h', ...changes });

/** By chance the evidence may take it back: how often is counted by `--healthy`. */
const promotesAsARule: Scenario['expect'] = (universe, calm) => {
  const { rollout } = universe.model() ?? {};
  const isUnlucky = rollout?.status === 'rolledBack' && rollout.because.kind === 'evidence';
  if (!isUnlucky) promotes(universe, calm);
};

const healthy = (by: JudgedBy, name: string, more?: Outside): Scenario => ({
  name,
  outside: outsideOf(by, 'healthy', more),
  act: canaryBy(by),
  expect: promotesAsARule,
});
const bad = (by: JudgedBy, name: string, more?: Outside): Scenario => ({
  name,
  outside: outsideOf(by, 'bad', more),
  act: canaryBy(by),
  expect: rollsBack('evidence', crowds[by].blamed),
});
/**
 * In a hostile world the evidence may promote it by a chance that the config allows (beta, 5 %): where the first failures
 * of many users fall into minutes of which nothing is told, the others look healthy. 2 of 200 seeds do.
 */
const badAsARule = (by: JudgedBy, name: string, more?: Outside): Scenario => ({
  ...bad(by, name, more),
  expect(universe, calm) {
    const { rollout } = universe.model() ?? {};
    const isLucky = !calm && rollout?.status === 'promoted' && rollout.certificate?.verdict === 'promotion';
    if (!isLucky) rollsBack('evidence', crowds[by].blamed)(universe, calm);
  },
});

/** Those that end well, unless by a chance that the config allows. */
export const healthyCrowds: readonly Scenario[] = kinds.map((by) => healthy(by, texts[by]));
const badCrowds = kinds.map((by) => bad(by, `${texts[by]}, and a bad candidate`));

/** One minute in four nobody is told apart. */
const sometimesUnknown = (tick: Tick): Tick => {
  const { users: _, segments: __, ...rest } = tick;
  return (tick.start / minute) % 4 === 0 ? rest : tick;
};
const twice = (tick: Tick): readonly Tick[] => [tick, tick];
const labelsTwice = (tick: LabelTick): readonly LabelTick[] => [tick, tick];
/** The same minute once more, with one failure more. */
const corrected = (tick: Tick): readonly Tick[] => {
  const { v2, ...others } = tick.counts;
  if (v2 === undefined || v2.requests === 0) return [tick];
  const errors = ((v2.bad.errors ?? 0) + 1) % (v2.requests + 1);
  return [tick, { ...tick, counts: { ...others, v2: { ...v2, bad: { ...v2.bad, errors } } } }];
};

const troubled: readonly Scenario[] = [
  healthy('users', 'users, and each tick is told twice', { told: twice }),
  bad('users', 'users, whose outcomes come ticks later, and a bad candidate', { outcomesTakeMs: 2.5 * minute }),
  badAsARule('users', 'users who are not told apart in each fourth minute, and a bad candidate', {
    counted: sometimesUnknown,
  }),
  bad('segments', 'segments that are not told apart in each fourth minute, and a bad candidate', {
    counted: sometimesUnknown,
  }),
  healthy('labels', 'labels that are told twice', { toldLabels: labelsTwice }),
  bad('losses', 'losses that are told twice, and a bad candidate', { toldLabels: labelsTwice }),
  {
    name: 'users, and ticks are told again with other counts',
    outside: outsideOf('users', 'healthy', { told: corrected }),
    act: canaryBy('users', { maxHold: '10m' }),
    expect(universe, calm) {
      rollsBack('hold')(universe, calm);
      if (calm) told(universe, /its counts cannot be read: the tick of .* was read again with other counts/);
    },
  },
  {
    name: 'a machine is restarted while users meet a candidate',
    one: true,
    outside: outsideOf('users', 'healthy'),
    async act(universe) {
      await second(universe, configOf(planOf('users')));
      await universe.when(({ rollout }) => rollout?.status === 'baking' && rollout.evidence.ticks > 3);
      const { platform, telemetry, sim } = universe;
      const now = platform.clock?.now() ?? sim.now;
      telemetry.away('v2', now, now + 3 * minute);
      platform.restart(5000);
      await universe.when(over(2), 'fraud', 36 * 60 * minute);
    },
    expect: promotesAsARule,
  },
];

export const crowdScenarios: readonly Scenario[] = [...healthyCrowds, ...badCrowds, ...troubled];
