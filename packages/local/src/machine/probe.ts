import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '@serin/core/base/fault';
import { groupCommit } from './group-commit.ts';

const table = 'CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, count INTEGER NOT NULL)';
/** A health check that asks more often is answered from the one before. */
const freshMs = 2000;

/** Rejects when nothing can be written durably, or when the file of the database is not the one that was opened. */
export function storeProbe(database: DatabaseSync, onFault: (error: unknown) => void): () => Promise<void> {
  database.exec(table);
  const file = database.location() ?? '';
  const { ino, dev } = statSync(file);
  const write = database.prepare('INSERT INTO probe VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1');
  const commit = groupCommit(database);
  let last: { readonly at: number; readonly outcome: Promise<void> } | undefined;

  async function look(): Promise<void> {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.ino !== ino || found.dev !== dev)
      throw new Fault(
        'unavailable',
        `${file} was moved or deleted while the server was running; put it back and start the server again`,
      );
    await commit(() => void write.run());
  }

  return () => {
    if (last !== undefined && performance.now() - last.at < freshMs) return last.outcome;
    const outcome = look();
    outcome.catch(onFault);
    last = { at: performance.now(), outcome };
    return outcome;
  };
}
