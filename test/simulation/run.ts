import type { Rollout } from '@serin/core/model/rollout/state';
import type { Shape } from './fakes/shapes.ts';
import { checkAtRest, unrest } from './rest.ts';
import type { Scenario } from './script.ts';
import { type Bugs, createUniverse, type Universe } from './universe.ts';
import { type CrashPoint, createSim, type Faults, noFaults, type Sim, Violation } from './world.ts';

export interface Plan {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly faults: Faults;
  readonly crashAt?: CrashPoint;
  /** One engine for everything, as on one machine. */
  readonly one: boolean;
  /** The cloud that the ports are like; absent: a machine. */
  readonly shape?: Shape;
  readonly bugs?: Bugs;
}

export interface Result {
  readonly calls: number;
  readonly trace: readonly string[];
  readonly problem?: Error;
  /** The newest, as it is at the end. */
  readonly rollout?: Rollout | undefined;
}

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

/** Runs one scenario under one schedule: what the users do, then rest without faults, then the promises of rest. */
export async function runPlan(plan: Plan): Promise<Result> {
  const sim = createSim(plan.seed, plan.faults, plan.crashAt);
  const { one, shape, bugs, scenario } = plan;
  const universe = createUniverse(sim, { outside: scenario.outside ?? {}, one, shape, bugs });
  try {
    await play(plan, sim, universe);
    return { calls: sim.calls, trace: sim.trace, rollout: universe.model()?.rollout };
  } catch (error) {
    const problem = error instanceof Error ? error : new Error(String(error));
    return { calls: sim.calls, trace: sim.trace, problem, rollout: universe.model()?.rollout };
  }
}

async function play({ scenario, faults, crashAt }: Plan, sim: Sim, universe: Universe): Promise<void> {
  const script = { done: false };
  scenario.act(universe).then(
    () => {
      script.done = true;
    },
    (error: unknown) =>
      sim.fail('scenario', error instanceof Error ? `${error.message}\n${error.stack}` : String(error)),
  );
  const run = (forMs: number, done: () => boolean): Promise<boolean> =>
    sim.run(
      sim.now + forMs,
      () => {
        universe.look();
        return done();
      },
      () => universe.platform.nextTick(universe.journal.earliestDue()),
    );

  const quiet = (): boolean => unrest(universe) === undefined;
  const hostile = faults !== noFaults;
  if (hostile) await run(sim.random.between(5, 240) * minute, () => script.done && quiet());
  if (hostile) await run(sim.random.between(5, 240) * minute, () => script.done && quiet());
  sim.calm();
  if (!(await run(5 * day, () => script.done && quiet())))
    throw new Violation('18', script.done ? `does not come to rest: ${unrest(universe)}` : 'the users wait for ever');
  // A write that landed late is found by the looks that follow the last write, an hour apart at most.
  await run(hostile ? 2 * hour : 10 * minute, () => false);
  await run(2 * day, quiet);
  // Deaths at each call are thousands of runs of a few rollouts.
  checkAtRest(universe, { chains: (crashAt?.call ?? sim.seed) % 8 === 0, rollouts: crashAt === undefined });
  scenario.expect(universe, !hostile);
}
