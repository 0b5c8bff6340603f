import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Case, merge, type Tallies } from './tally.ts';
import type { Setting, Task } from './worker.ts';

const chunk = 250;

/** Runs the cases on all cores; `tell` hears of every case that is done. The order of work changes no figure. */
export async function measure(
  cases: readonly Case[],
  form: 'short' | 'full',
  setting: Setting,
  tell: (name: string, done: number, of: number) => void,
): Promise<Record<string, Tallies>> {
  const results: Record<string, Tallies> = {};
  const tasks = cases.flatMap(({ name, runs }) => chunksOf(name, runs[form]));
  const left = new Map<string, number>();
  for (const { name } of tasks) left.set(name, (left.get(name) ?? 0) + 1);
  const all = left.size;
  let next = 0;
  const workOff = async (worker: Worker): Promise<void> => {
    for (;;) {
      const task = tasks[next];
      next += 1;
      if (task === undefined) return;
      const tallies = await answer(worker, task);
      const known = results[task.name] ?? {};
      results[task.name] = known;
      merge(known, tallies);
      const still = (left.get(task.name) ?? 0) - 1;
      left.set(task.name, still);
      if (still === 0) {
        left.delete(task.name);
        tell(task.name, all - left.size, all);
      }
    }
  };
  const workers = Array.from(
    { length: Math.min(availableParallelism(), tasks.length) },
    () => new Worker(new URL('./worker.ts', import.meta.url), { workerData: setting }),
  );
  try {
    await Promise.all(workers.map(workOff));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return results;
}

function chunksOf(name: string, runs: number): readonly Task[] {
  return Array.from({ length: Math.ceil(runs / chunk) }, (_, index) => ({
    name,
    from: index * chunk,
    to: Math.min(runs, (index + 1) * chunk),
  }));
}

function answer(worker: Worker, task: Task): Promise<Tallies> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      worker.off('message', taken);
      worker.off('error', failed);
      settle();
    };
    const taken = (tallies: Tallies) => done(() => resolve(tallies));
    const failed = (error: unknown) => done(() => reject(new Error(`${task.name} failed`, { cause: error })));
    worker.on('message', taken);
    worker.on('error', failed);
    worker.postMessage(task);
  });
}
