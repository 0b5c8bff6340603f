import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '@serin/core/base/fault';
import { isFull, syncDirectory } from './durable.ts';
import { resultCode, sqlite, textOf } from './faults.ts';
import { flushCommits } from './group-commit.ts';
import { walDamage } from './wal.ts';

/** "SERN" in the header of the file: tells our database from another program's. */
const applicationId = 0x5345524e;
/** Of the file as a whole; each adapter keeps its own tables. */
const schema = 1;

/** 16 MB of log: heads that change again and again are copied into the database once. */
const checkpointPages = 4000;

export interface OpenDatabase {
  readonly database: DatabaseSync;
  /** Commits what still waits in `groupCommit`, then gives the directory free. Twice: the same as once. */
  close(): void;
}

/** Referenced here so that the lock lives as long as the process, whoever forgets the handle. */
const locks = new Set<DatabaseSync>();

/**
 * Opens `serin.sqlite` in a data directory, which is created when missing, for this process alone.
 *
 * A directory that another process holds is `unavailable`; one that cannot be written, or whose database is damaged,
 * foreign or newer, is `invalid`. Nothing that exists is overwritten then, and it never starts silently empty.
 * The lock is the operating system's: it ends with the process, also by `kill -9`.
 */
export function openDatabase(directory: string): OpenDatabase {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Fault('invalid', `cannot create the data directory ${directory}; choose another one: ${textOf(error)}`, {
      cause: error,
    });
  }
  const lock = takeLock(join(directory, 'lock.sqlite'), directory);
  try {
    const database = openChecked(join(directory, 'serin.sqlite'));
    return { database, close: () => closeBoth(database, lock) };
  } catch (error) {
    release(lock);
    throw error;
  }
}

// POSIX drops a process's locks on a file when any descriptor of it closes: nothing else may ever open this file.
function takeLock(file: string, directory: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file);
    lock.exec('BEGIN EXCLUSIVE');
    locks.add(lock);
    return lock;
  } catch (error) {
    lock?.close();
    if (resultCode(error) === sqlite.busy) {
      throw new Fault(
        'unavailable',
        `the data directory ${directory} is in use by another process; stop it, or choose another directory`,
        { cause: error },
      );
    }
    throw openFault(error, file);
  }
}

function release(lock: DatabaseSync): void {
  locks.delete(lock);
  if (lock.isOpen) lock.close();
}

function closeBoth(database: DatabaseSync, lock: DatabaseSync): void {
  if (database.isOpen) {
    flushCommits(database);
    database.close();
  }
  release(lock);
}

function openChecked(file: string): DatabaseSync {
  try {
    if (existsSync(file)) refuseForeign(file);
    else createDatabase(file);
    const damage = walDamage(`${file}-wal`);
    if (damage !== undefined) throw damaged(file, damage);
    checkIntegrity(file);
    const database = new DatabaseSync(file, { timeout: 1000 });
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;
      PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    return database;
  } catch (error) {
    throw error instanceof Fault ? error : openFault(error, file);
  }
}

/** The file appears whole under its name, so that an empty one is always damage and never a new beginning. */
function createDatabase(file: string): void {
  if (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size)
    throw damaged(file, `it is missing, but ${file}-wal is there`);
  const draft = `${file}.new`;
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(draft + suffix, { force: true });
  const database = new DatabaseSync(draft);
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schema}; PRAGMA journal_mode = WAL`);
  database.close();
  renameSync(draft, file);
  syncDirectory(join(file, '..'));
}

function refuseForeign(file: string): void {
  const header = Buffer.alloc(100);
  const descriptor = openSync(file, 'r');
  const bytes = readSync(descriptor, header);
  closeSync(descriptor);
  if (bytes < header.length || header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw damaged(file, 'it does not begin like a database');
  }
  // Offsets of the SQLite file format: 68 application id, 60 user version.
  if (header.readUInt32BE(68) !== applicationId) {
    throw new Fault('invalid', `${file} is the database of another program; choose another data directory`);
  }
  if (header.readUInt32BE(60) > schema) {
    throw new Fault('invalid', `${file} was written by a newer version of serin; install that version or a later one`);
  }
}

/** Read-only, because closing a writing connection would copy the log into a file that is damaged already. */
function checkIntegrity(file: string): void {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const verdict = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
    if (verdict !== 'ok') throw damaged(file, String(verdict));
  } finally {
    database.close();
  }
}

function damaged(file: string, why: string, cause?: unknown): Fault {
  // Registered versions, jobs and deployments belong to the journal that is lost: a new one would contradict them.
  const empty = `move everything in ${dirname(file)} but the folder buckets away to start empty`;
  const mend = `restore the directory from a backup, or ${empty}; nothing was changed`;
  return new Fault('invalid', `the database ${file} is damaged (${why}); ${mend}`, { cause });
}

function openFault(error: unknown, file: string): Fault {
  const code = resultCode(error);
  if (code === sqlite.corrupt || code === sqlite.notDatabase) return damaged(file, textOf(error), error);
  if (code === sqlite.full || isFull(dirname(file)))
    return new Fault('unavailable', `the disk of ${file} is full; free some space`, { cause: error });
  const mend = 'check its owner, its permissions and the disk, or choose another data directory';
  return new Fault('invalid', `cannot open ${file} for writing; ${mend}: ${textOf(error)}`, { cause: error });
}
