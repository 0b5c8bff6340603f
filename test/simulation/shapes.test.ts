import { Fault } from '@serin/core/base/fault';
import type { Ports } from '@serin/core/ports/ports';
import { describe, expect, test } from 'vitest';
import { hunt, plantedBugs } from './bugs.ts';
import { type Shape, shapes } from './fakes/shapes.ts';
import { shapedPlanOf } from './plans.ts';
import { replacedServing } from './planted.ts';
import { type Result, runPlan } from './run.ts';
import { champion, configOf, ended, first, given, minute, must, type Scenario, second } from './script.ts';
import type { Bugs } from './universe.ts';
import { noFaults } from './world.ts';

const play = (scenario: Scenario, shape: Shape, bugs?: Bugs): Promise<Result> =>
  runPlan({ ...shapedPlanOf(8, shape, scenario), faults: noFaults, ...(bugs === undefined ? {} : { bugs }) });

describe('the simulator, shaped like a cloud', () => {
  test.each(Object.values(shapes))(
    'keeps every promise under thirty hostile schedules on $name',
    { timeout: 60_000 },
    async (shape) => {
      const broken: string[] = [];
      for (let seed = 1; seed <= 30; seed += 1) {
        const plan = shapedPlanOf(seed, shape);
        const { problem } = await runPlan(plan);
        if (problem !== undefined) broken.push(`seed ${seed}, ${plan.scenario.name}: ${problem.message}`);
      }

      expect(broken).toEqual([]);
    },
  );

  test.each(plantedBugs.filter(({ shape, change }) => shape !== undefined && change === undefined))(
    'finds a planted bug that only $shape shows: $name',
    { timeout: 60_000 },
    async (bug) => {
      const { seed } = await hunt(bug, 300);

      expect(seed).toBeDefined();
    },
  );
});

/** Deployments that take so long, on a cloud that is otherwise as it is. */
const deploying = (shape: Shape, minutes: number): Shape => {
  const ms = minutes * minute;
  return { ...shape, serving: { ...shape.serving, firstSteps: 0, deployMs: [ms, ms] } };
};

/** Every deploy is cut off at its caller, and lands a quarter of an hour later. */
function deploysLandLate(ports: Ports, { sim, serving }: Parameters<NonNullable<Bugs['ports']>>[2]): Ports {
  return replacedServing(ports, {
    async change(endpoint, operation) {
      if (operation.kind !== 'deploy') return ports.serving('endpoint').change(endpoint, operation);
      sim.after(15 * minute, () => serving.change(endpoint, operation));
      throw new Fault('unavailable', 'the deploy timed out');
    },
  });
}

/** For three hours the provider takes back each try to retire v1; its report stands until the next change. */
function retiringFails(): NonNullable<Bugs['ports']> {
  let isTold = false;
  let begun = Number.POSITIVE_INFINITY;
  return (ports, _, { sim }) =>
    replacedServing(ports, {
      async change(endpoint, operation) {
        const isRetiring = operation.kind === 'retire' && operation.deployment === 'v1';
        if (isRetiring) begun = Math.min(begun, sim.now);
        isTold = isRetiring && sim.now < begun + 180 * minute;
        return isTold ? 'accepted' : ports.serving('endpoint').change(endpoint, operation);
      },
      async observe(endpoint) {
        const seen = await ports.serving('endpoint').observe(endpoint);
        const revertedByProvider = 'the instances of v1 could not be taken away';
        return seen === 'absent' || !isTold ? seen : { ...seen, revertedByProvider };
      },
    });
}

describe('what the shapes found in the core', () => {
  test('a deployment that is ready after 17 minutes is seen before half an hour is over', async () => {
    const rollout = { ...given.rollout, readyWithin: '25m' } as const;
    const scenario: Scenario = {
      name: 'a deployment takes 17 minutes',
      act: (universe) => first(universe, configOf({ rollout }), (model) => ended(model.rollout)),
      expect: (universe) => must(universe.model()?.champion === 1, 'it was taken back although it was ready'),
    };

    const { problem } = await play(scenario, deploying(shapes.vertex, 17));

    expect(problem).toBeUndefined();
  });

  test('a deploy that lands after its rollout was aborted is taken away again', async () => {
    const scenario: Scenario = {
      name: 'a deploy lands after the abort',
      async act(universe) {
        await universe.release(configOf());
        await universe.when(() => true);
        universe.drop('fraud/1.csv');
        await universe.when((model) => model.rollout?.status === 'deploying');
        await universe.sleep(minute);
        await universe.ask({ type: 'abortRequested' });
        await universe.when((model) => ended(model.rollout));
        await universe.sleep(60 * minute);
      },
      expect: () => {},
    };

    const { problem } = await play(scenario, shapes.aws, { ports: (ports, _, fakes) => deploysLandLate(ports, fakes) });

    expect(problem).toBeUndefined();
  });

  test('a candidate is not to blame for what the provider took back before its rollout', async () => {
    const scenario: Scenario = {
      name: 'a retired deployment does not go',
      async act(universe) {
        await second(universe);
        await universe.when((model) => model.champion === 2 && ended(model.rollout));
        await universe.sleep(30 * minute);
        universe.drop('fraud/3.csv');
        await universe.when((model) => model.rollout?.candidate === 3 && ended(model.rollout));
      },
      expect: (universe) => champion(universe, 3),
    };

    const { problem } = await play(scenario, shapes.aws, { ports: retiringFails() });

    expect(problem).toBeUndefined();
  });
});
