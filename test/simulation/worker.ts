import { parentPort } from 'node:worker_threads';
import { shareOf } from '../bench-judge/claims.ts';
import { newTally } from '../bench-judge/tally.ts';
import { hunt, plantedBugs } from './bugs.ts';
import { type Shape, shapes } from './fakes/shapes.ts';
import { calmPlan, planOf, shapedPlanOf } from './plans.ts';
import { type Plan, runPlan } from './run.ts';
import { scenarios } from './scenarios.ts';
import { scenariosOn } from './shaped-scenarios.ts';

export type Task =
  | {
      readonly kind: 'seeds';
      readonly from: number;
      readonly to: number;
      readonly scenario?: string;
      readonly shape?: Shape['name'];
    }
  /** `each`: before every call and after it; else every call once, in turns before and after. */
  | { readonly kind: 'crashes'; readonly scenario: string; readonly each: boolean }
  /** A healthy candidate, calmly, once for each seed. */
  | { readonly kind: 'healthy'; readonly scenario: string; readonly runs: number }
  | { readonly kind: 'bug'; readonly bug: string; readonly most: number };

export interface Failure {
  readonly what: string;
  readonly problem: string;
  /** The last 40 lines. */
  readonly trace: readonly string[];
}

export interface TaskResult {
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly said?: string;
}

// A fault is an everyday answer here: its stack costs more than the call.
Error.stackTraceLimit = 3;

const scenarioOf = (name: string | undefined) => scenarios.find((scenario) => scenario.name === name);

async function perform(task: Task): Promise<TaskResult> {
  switch (task.kind) {
    case 'seeds':
      return runSeeds(task);
    case 'crashes':
      return crashEverywhere(task);
    case 'healthy':
      return runHealthy(task.scenario, task.runs);
    case 'bug':
      return findBug(task.bug, task.most);
  }
}

async function attempt(plan: Plan, what: string): Promise<Failure | undefined> {
  const { problem, trace } = await runPlan(plan);
  return problem === undefined ? undefined : { what, problem: problem.message, trace: trace.slice(-40) };
}

async function runSeeds({ from, to, scenario, shape: name }: Extract<Task, { kind: 'seeds' }>): Promise<TaskResult> {
  const failures: Failure[] = [];
  const shape = name === undefined ? undefined : shapes[name];
  for (let seed = from; seed < to; seed += 1) {
    const plan =
      shape === undefined
        ? planOf(seed, scenarioOf(scenario))
        : shapedPlanOf(
            seed,
            shape,
            scenariosOn(shape).find((one) => one.name === scenario),
          );
    const where = shape === undefined ? '' : ` on ${shape.name}`;
    const failure = await attempt(plan, `seed ${seed}${where}: ${plan.scenario.name}`);
    if (failure !== undefined) failures.push(failure);
  }
  return { passed: to - from - failures.length, failures };
}

/**
 * The scenario once for each of its calls, dying at it. To die before a call leaves what dying after the call before
 * leaves, save where calls overlap; so the short form does not do both.
 */
async function crashEverywhere({ scenario: name, each }: Extract<Task, { kind: 'crashes' }>): Promise<TaskResult> {
  const scenario = scenarioOf(name);
  if (scenario === undefined)
    return { passed: 0, failures: [{ what: name, problem: 'there is no such scenario', trace: [] }] };
  const plan = calmPlan(scenario);
  const { calls } = await runPlan(plan);
  const failures: Failure[] = [];
  let runs = 0;
  for (let call = 0; call < calls; call += 1) {
    for (const when of ['before', 'after'] as const) {
      if (!each && (call % 2 === 0) === (when === 'after')) continue;
      runs += 1;
      const failure = await attempt({ ...plan, crashAt: { call, when } }, `${name}: dies ${when} call ${call}`);
      if (failure !== undefined) failures.push(failure);
    }
  }
  return { passed: runs - failures.length, failures, said: `crashed at each of the ${calls} calls of '${name}'` };
}

/** By the evidence a healthy candidate may be taken back, but not more often than the config allows. */
async function runHealthy(name: string, runs: number): Promise<TaskResult> {
  const scenario = scenarioOf(name);
  const failures: Failure[] = [];
  let found = 0;
  for (let seed = 1; scenario !== undefined && seed <= runs; seed += 1) {
    const { problem, rollout, trace } = await runPlan({ ...calmPlan(scenario), seed });
    const isUnlucky = rollout?.status === 'rolledBack' && rollout.because.kind === 'evidence';
    if (isUnlucky) found += 1;
    else if (problem !== undefined)
      failures.push({ what: `seed ${seed}: ${name}`, problem: problem.message, trace: trace.slice(-40) });
  }
  const { low, high } = shareOf({ ...newTally(), runs, found });
  const said = `taken back by evidence: ${found} of ${runs}, at most ${(100 * high).toFixed(2)} %: ${name}`;
  if (low > alpha) failures.push({ what: name, problem: `${said}, which is more than alpha`, trace: [] });
  return { passed: runs - failures.length, failures, said };
}

const alpha = 0.01;

async function findBug(name: string, most: number): Promise<TaskResult> {
  const bug = plantedBugs.find((planted) => planted.name === name);
  const { seed, invariant = '' } = bug === undefined ? {} : await hunt(bug, most);
  if (seed !== undefined)
    return { passed: 1, failures: [], said: `found '${name}' with seed ${seed}: ${invariant.split('\n')[0]}` };
  return {
    passed: 0,
    failures: [
      {
        what: `planted bug '${name}'`,
        problem: `not found within ${most} seeds: the simulator is too blunt`,
        trace: [],
      },
    ],
  };
}

/** No task: the end, with all that is done when a thread ends. */
parentPort?.on('message', async (task: Task | undefined) => {
  if (task === undefined) return parentPort?.close();
  try {
    parentPort?.postMessage(await perform(task));
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    parentPort?.postMessage({
      passed: 0,
      failures: [{ what: JSON.stringify(task), problem, trace: [] }],
    } satisfies TaskResult);
  }
});
