import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Performed, Setting, Task } from './perform.ts';
import { type Case, merge, type Tallies } from './tally.ts';

export const chunk = 250;

/** The processor time of a case, as far as it was run. */
export interface Spent {
  beginMs: number;
  runMs: number;
  chunks: number;
  runs: number;
}
export interface Measuring {
  readonly form: 'short' | 'full';
  /** No chunk begins when this many milliseconds are over. What is left of each case is then the same share. */
  readonly withinMs: number;
  /** Runs of a case that one worker does in a row; another module that performs them (`performTasks`). */
  readonly chunk?: number;
  readonly worker?: URL;
  /** Hears of every case that is done. */
  tell(name: string, done: number, of: number): void;
}
export interface Measured {
  readonly results: Record<string, Tallies>;
  readonly spent: Readonly<Record<string, Spent>>;
  /** Runs that were left out, for the time was over. */
  readonly left: number;
}

/** Runs the cases on all cores. The order of work changes no figure. */
export async function measure(
  cases: readonly Case[],
  setting: Setting,
  { form, withinMs, tell, chunk: inRow = chunk, worker: by = new URL('./worker.ts', import.meta.url) }: Measuring,
): Promise<Measured> {
  const results: Record<string, Tallies> = {};
  const spent: Record<string, Spent> = {};
  const until = performance.now() + withinMs;
  const tasks = cases
    .flatMap(({ name, runs }) => chunksOf(name, runs[form], inRow))
    .toSorted((a, b) => a.at - b.at)
    .map(({ task }) => task);
  const waiting = new Map<string, number>();
  for (const { name } of tasks) waiting.set(name, (waiting.get(name) ?? 0) + 1);
  const all = waiting.size;
  let next = 0;
  const take = (): Task | undefined => {
    const task = performance.now() < until ? tasks[next] : undefined;
    if (task !== undefined) next += 1;
    return task;
  };
  const workOff = async (worker: Worker): Promise<void> => {
    for (let task = take(); task !== undefined; task = take()) {
      const performed = await answer(worker, task);
      const { name } = task;
      const [known, time] = [results[name] ?? {}, spent[name] ?? { beginMs: 0, runMs: 0, chunks: 0, runs: 0 }];
      results[name] = known;
      spent[name] = time;
      merge(known, performed.tallies);
      time.beginMs += performed.beginMs;
      time.runMs += performed.runMs;
      time.chunks += 1;
      time.runs += task.to - task.from;
      const still = (waiting.get(name) ?? 0) - 1;
      waiting.set(name, still);
      if (still > 0) continue;
      waiting.delete(name);
      tell(name, all - waiting.size, all);
    }
  };
  const workers = Array.from(
    { length: Math.min(availableParallelism(), tasks.length) },
    () => new Worker(by, { workerData: setting }),
  );
  try {
    await Promise.all(workers.map(workOff));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return { results, spent, left: tasks.slice(next).reduce((sum, { from, to }) => sum + to - from, 0) };
}

/** `at`: how far through its case a chunk is, so that all cases advance side by side. */
function chunksOf(name: string, runs: number, chunk: number): readonly { readonly at: number; readonly task: Task }[] {
  const chunks = Math.ceil(runs / chunk);
  return Array.from({ length: chunks }, (_, index) => ({
    at: index / chunks,
    task: { name, from: index * chunk, to: Math.min(runs, (index + 1) * chunk) },
  }));
}

function answer(worker: Worker, task: Task): Promise<Performed> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      worker.off('message', taken);
      worker.off('error', failed);
      settle();
    };
    const taken = (performed: Performed) => done(() => resolve(performed));
    const failed = (error: unknown) => done(() => reject(new Error(`${task.name} failed`, { cause: error })));
    worker.on('message', taken);
    worker.on('error', failed);
    worker.postMessage(task);
  });
}
