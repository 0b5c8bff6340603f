import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { plantedBugs } from './bugs.ts';
import { healthyCrowds } from './crowd-scenarios.ts';
import { shapes } from './fakes/shapes.ts';
import { planOf, shapedPlanOf } from './plans.ts';
import { seedsFrom } from './planted.ts';
import { runPlan } from './run.ts';
import { scenarios } from './scenarios.ts';
import { scenariosOn } from './shaped-scenarios.ts';
import type { Failure, Task, TaskResult } from './worker.ts';

const usage =
  'node test/simulation/main.ts [--seed N] [--runs N] [--shape aws|vertex|azure] [--scenario name] [--crash-every-call] [--healthy N] [--bugs] [--bug name]';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string' },
    shape: { type: 'string' },
    scenario: { type: 'string' },
    'crash-every-call': { type: 'boolean' },
    healthy: { type: 'string' },
    bugs: { type: 'boolean' },
    bug: { type: 'string' },
    'until-failure': { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

const shape = Object.values(shapes).find(({ name }) => name === values.shape);
const known = shape === undefined ? scenarios : scenariosOn(shape);
const named = known.find(({ name }) => values.scenario !== undefined && name.includes(values.scenario));
const isUnknown =
  (values.scenario !== undefined && named === undefined) || (values.shape !== undefined && shape === undefined);
if (values.help || isUnknown) {
  console.log([usage, ...known.map(({ name }) => `  ${name}`)].join('\n'));
  process.exit(values.help ? 0 : 2);
}

/** Schedules, crash points and planted bugs of the default run: two and a half minutes on two cores. */
const defaultRuns = 2000;
const runsPerShape = 60;
const seedsPerBug = 2000;
const seedsPerTask = 50;

if (values['until-failure']) await untilFailure(Number(values.runs ?? seedsPerBug));
else await runTasks(tasks());

/** For a copy of this program with a planted bug. */
async function untilFailure(runs: number): Promise<void> {
  const likely = values.seed === undefined ? undefined : Number(values.seed);
  for (const seed of seedsFrom(likely, runs)) {
    const { problem } = await runPlan(shape === undefined ? planOf(seed, named) : shapedPlanOf(seed, shape, named));
    if (problem !== undefined) return console.log(`found by seed ${seed}: ${problem.message.split('\n')[0]}`);
  }
  console.log('nothing found');
}

function tasks(): Task[] {
  if (values.healthy !== undefined) return healthyTasks(Number(values.healthy));
  const chosen = values.seed !== undefined || values.runs !== undefined;
  const only = values['crash-every-call'] || values.bugs || values.bug;
  const seeds: Task[] = [];
  const from = Number(values.seed ?? 1);
  const end = from + Number(values.runs ?? (values.seed === undefined ? defaultRuns : 1));
  const scenario = {
    ...(named === undefined ? {} : { scenario: named.name }),
    ...(shape === undefined ? {} : { shape: shape.name }),
  };
  if (chosen || !only) {
    for (let seed = from; seed < end; seed += seedsPerTask)
      seeds.push({ kind: 'seeds', from: seed, to: Math.min(end, seed + seedsPerTask), ...scenario });
  }
  if (chosen && !only) return seeds;
  if (!only) seeds.push(...shapedTasks());
  const crashes = (values.bugs || values.bug) && !values['crash-every-call'] ? [] : crashTasks();
  const bugs =
    only && !values.bugs && !values.bug
      ? []
      : plantedBugs
          .filter(({ name }) => name.includes(values.bug ?? ''))
          .map(({ name }): Task => ({ kind: 'bug', bug: name, most: seedsPerBug }));
  return [...bugs, ...crashes, ...seeds];
}

/** Candidates that are healthy, of requests that are drawn: how often the evidence takes them back. */
function healthyTasks(runs: number): Task[] {
  const chosen = healthyCrowds.filter(({ name }) => named === undefined || name === named.name);
  return chosen.map(({ name }): Task => ({ kind: 'healthy', scenario: name, runs }));
}

/** Each cloud with the same seeds. */
function shapedTasks(): readonly Task[] {
  const half = runsPerShape / 2;
  return Object.values(shapes)
    .filter(({ name }) => shape === undefined || shape.name === name)
    .flatMap(({ name }) => [1, 1 + half].map((from): Task => ({ kind: 'seeds', from, to: from + half, shape: name })));
}

/** By default the scenarios that are brief; when asked for, every scenario, or the one that is named. */
function crashTasks(): Task[] {
  const each = values['crash-every-call'] === true;
  const chosen = scenarios.filter(({ name, brief }) => (named === undefined ? each || brief : name === named.name));
  return chosen.map(({ name }): Task => ({ kind: 'crashes', scenario: name, each }));
}

/** Gives the tasks to as many workers as there are cores; a failure is told with its trace at once. */
async function runTasks(waiting: Task[]): Promise<void> {
  const before = performance.now();
  const size = Math.max(1, Math.min(availableParallelism(), 8, waiting.length));
  const totals = { passed: 0, failed: 0 };
  const tell = (failure: Failure): void =>
    console.log(`\n${failure.trace.join('\n')}\n\nFAILED ${failure.what}\n${failure.problem}\n`);

  await Promise.all(
    Array.from({ length: size }, async () => {
      const worker = new Worker(new URL('./worker.ts', import.meta.url));
      for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
        const answered = new Promise<TaskResult>((resolve, reject) =>
          worker.once('message', resolve).once('error', reject),
        );
        worker.postMessage(task);
        const { passed, failures, said } = await answered;
        worker.removeAllListeners('error');
        totals.passed += passed;
        totals.failed += failures.length;
        if (said !== undefined) console.log(said);
        for (const failure of failures.slice(0, 1)) tell(failure);
        for (const { what, problem } of failures.slice(1)) console.log(`FAILED ${what}: ${problem.split('\n')[0]}`);
      }
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      worker.postMessage(undefined);
      await ended;
    }),
  );
  console.log(`${Math.round((performance.now() - before) / 1000)} s`);
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  process.exitCode = totals.failed === 0 ? 0 : 1;
}
