import { parentPort, workerData } from 'node:worker_threads';
import { caseNamed } from './cases.ts';
import { numberOf } from './names.ts';
import { random } from './random.ts';
import type { Context, Tallies } from './tally.ts';

export interface Task {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}
export interface Setting {
  readonly seed: number;
  readonly context: Context;
}

/** A run's numbers depend on the seed, its case and its own number, so it does not matter who performs it. */
export function perform({ name, from, to }: Task, { seed, context }: Setting): Tallies {
  const tallies: Tallies = {};
  const run = caseNamed(name).begin(context);
  const own = numberOf(name);
  for (let number = from; number < to; number += 1) run(random(seed, own, number), tallies);
  return tallies;
}

// What starts it as a worker has sent the setting with it.
const setting = workerData as Setting;
parentPort?.on('message', (task: Task) => {
  parentPort?.postMessage(perform(task, setting));
});
