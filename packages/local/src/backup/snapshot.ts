import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { type Audit, auditJournal } from '@serin/api/audit';
import { Fault } from '@serin/core/base/fault';
import { textOf } from '../machine/faults.ts';
import { sqliteJournal } from '../ports/journal.ts';

export const databaseFile = 'serin.sqlite';
/** More pages than a database has: one step, so that nothing that is written meanwhile makes it begin again. */
const allPages = 2 ** 30;

/** Copies the database of a data directory as it is at one moment, also while a server writes into it. */
export async function snapshotDatabase(directory: string, target: string): Promise<void> {
  const file = join(directory, databaseFile);
  let source: DatabaseSync;
  try {
    source = new DatabaseSync(file, { readOnly: true });
  } catch (error) {
    const mend = 'name the data directory of a server with --directory (serin dev keeps it in .serin)';
    throw new Fault('notFound', `there is no database ${file}; ${mend}: ${textOf(error)}`, { cause: error });
  }
  try {
    await backup(source, target, { rate: allPages });
  } finally {
    source.close();
  }
}

/** Reads every entry of the database in a directory of its own, which no server has. */
export async function auditDatabase(directory: string): Promise<Audit> {
  const database = new DatabaseSync(join(directory, databaseFile));
  try {
    return await auditJournal(sqliteJournal({ database }));
  } finally {
    // Leaves one file: no log beside it.
    database.exec('PRAGMA journal_mode = DELETE');
    database.close();
  }
}
