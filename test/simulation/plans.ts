import type { Shape } from './fakes/shapes.ts';
import { random } from './random.ts';
import type { Plan } from './run.ts';
import { scenarios } from './scenarios.ts';
import type { Scenario } from './script.ts';
import { scenariosOn } from './shaped-scenarios.ts';
import { type Faults, noFaults } from './world.ts';

/** The schedule of a seed: which scenario, how hostile, on how many processes. A tenth is not hostile at all. */
export function planOf(seed: number, named?: Scenario): Plan {
  const dice = random(seed ^ 0x5eed);
  const index = seed % scenarios.length;
  const scenario = named ?? scenarios[index] ?? scenarios[0];
  if (scenario === undefined) throw new Error('there are no scenarios');
  const one = dice.chance(0.2) || scenario.one === true;
  return { seed, scenario, one, faults: dice.chance(0.1) ? noFaults : faultsOf(seed) };
}

/** Some seeds suffer from one kind of fault alone, most from several: a storm of all hides what a single one shows. */
function faultsOf(seed: number): Faults {
  const dice = random(seed ^ 0xfa17);
  const some = (most: number): number => (dice.chance(0.5) ? dice.next() * most : 0);
  return {
    crash: some(0.02),
    throttled: some(0.1),
    late: some(0.06),
    unsure: some(0.06),
    freeze: some(0.02),
    repeat: some(0.3),
    unacknowledged: some(0.2),
    lost: some(0.5),
    skewMs: dice.chance(0.1) ? 300_000 : dice.chance(0.5) ? 5000 : 0,
  };
}

/** The schedule of a seed on a cloud. */
export function shapedPlanOf(seed: number, shape: Shape, named?: Scenario): Plan {
  const known = scenariosOn(shape);
  const scenario = named ?? known[seed % known.length];
  if (scenario === undefined) throw new Error(`there are no scenarios for ${shape.name}`);
  return { ...planOf(seed, scenario), one: false, shape };
}

/** A calm run of a scenario, to count its calls, and to crash at each of them. */
export const calmPlan = (scenario: Scenario): Plan => ({
  ...{ seed: 8, scenario },
  one: scenario.one === true,
  faults: noFaults,
});
