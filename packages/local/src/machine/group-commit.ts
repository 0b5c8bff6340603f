import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '@serin/core/base/fault';
import { sqliteFault } from './faults.ts';

interface Task {
  /** Does the work inside the transaction; the answer is given after its commit. */
  run(): () => void;
  reject(error: Fault): void;
}

interface Group {
  readonly commit: <Answer>(work: () => Answer) => Promise<Answer>;
  flush(): void;
}

const groups = new WeakMap<DatabaseSync, Group>();

/**
 * One transaction for all the work that is handed over in one turn of the event loop, by whichever adapter.
 *
 * A promise settles only after the commit. Work is synchronous, runs in the order it came, and sees what came before
 * it; a `Fault` that it throws, before it has written anything, is its own answer alone. Any other error undoes the
 * whole group, and each piece of work is then run once more by itself: it must not mind being run twice.
 */
export function groupCommit(database: DatabaseSync): Group['commit'] {
  const group = groups.get(database) ?? newGroup(database);
  groups.set(database, group);
  return group.commit;
}

function newGroup(database: DatabaseSync): Group {
  let waiting: Task[] = [];
  function flush(): void {
    const tasks = waiting;
    waiting = [];
    try {
      if (tasks.length > 0) transact(database, tasks);
    } catch {
      for (const task of tasks) alone(database, task);
    }
  }
  function commit<Answer>(work: () => Answer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ reject, run: () => attempt(work, resolve, reject) });
    });
  }
  return { commit, flush };
}

function alone(database: DatabaseSync, task: Task): void {
  try {
    transact(database, [task]);
  } catch (error) {
    task.reject(sqliteFault(error));
  }
}

function transact(database: DatabaseSync, tasks: readonly Task[]): void {
  let answers: readonly (() => void)[];
  database.exec('BEGIN IMMEDIATE');
  try {
    answers = tasks.map((task) => task.run());
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
  for (const answer of answers) answer();
}

function attempt<Answer>(
  work: () => Answer,
  resolve: (answer: Answer) => void,
  reject: (error: Fault) => void,
): () => void {
  try {
    const answer = work();
    return () => resolve(answer);
  } catch (error) {
    if (error instanceof Fault) return () => reject(error);
    throw error;
  }
}

/** Commits at once what still waits; of a database that nobody commits to: nothing. */
export const flushCommits = (database: DatabaseSync): void => groups.get(database)?.flush();
