import { parentPort, workerData } from 'node:worker_threads';
import { numberOf } from './names.ts';
import { random } from './random.ts';
import type { Case, Context, Tallies } from './tally.ts';

export interface Task {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}
export interface Setting {
  readonly seed: number;
  readonly context: Context;
}
/** What the runs of a task found, and the processor time that they took. */
export interface Performed {
  readonly tallies: Tallies;
  /** Before the first run, such as to draw the week before. */
  readonly beginMs: number;
  readonly runMs: number;
}

const processorMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** A run's numbers depend on the seed, its case and its own number, so it does not matter who performs it. */
export function perform({ begin }: Case, { name, from, to }: Task, { seed, context }: Setting): Performed {
  const tallies: Tallies = {};
  const begun = processorMs();
  const run = begin(context);
  const ready = processorMs();
  const own = numberOf(name);
  for (let number = from; number < to; number += 1) run(random(seed, own, number), tallies);
  return { tallies, beginMs: ready - begun, runMs: processorMs() - ready };
}

/** What a worker of a pool does. What starts it has sent the setting with it. */
export function performTasks(caseNamed: (name: string) => Case): void {
  const setting = workerData as Setting;
  parentPort?.on('message', (task: Task) => {
    parentPort?.postMessage(perform(caseNamed(task.name), task, setting));
  });
}
