import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '@serin/core/fault';

/** "SERN" in the header of the file: tells our database from another program's. */
const applicationId = 0x5345524e;
/** Of the file as a whole; each adapter keeps its own tables. */
const schema = 1;

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
    throw new Fault('invalid', `cannot create the data directory ${directory}: ${textOf(error)}; choose another one`, {
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
    groups.get(database)?.flush();
    database.close();
  }
  release(lock);
}

function openChecked(file: string): DatabaseSync {
  try {
    if (existsSync(file)) refuseForeign(file);
    else createDatabase(file);
    checkIntegrity(file);
    const database = new DatabaseSync(file, { timeout: 1000 });
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;
      PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = 67108864`);
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
  const mend = 'restore it from a backup, or move it away to start empty; nothing was changed';
  return new Fault('invalid', `the database ${file} is damaged (${why}); ${mend}`, { cause });
}

function openFault(error: unknown, file: string): Fault {
  const code = resultCode(error);
  if (code === sqlite.corrupt || code === sqlite.notDatabase) return damaged(file, textOf(error), error);
  if (code === sqlite.full) return new Fault('unavailable', `the disk of ${file} is full; make room`, { cause: error });
  const mend = 'check its owner, its permissions and the disk, or choose another data directory';
  return new Fault('invalid', `cannot open ${file} for writing: ${textOf(error)}; ${mend}`, { cause: error });
}

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

/** Makes the names in a directory durable: a rename or link is only on disk once its directory is. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** https://sqlite.org/rescode.html; the low byte of an extended code. */
const sqlite = { busy: 5, locked: 6, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notDatabase: 26 };
const passing: readonly number[] = [sqlite.busy, sqlite.locked, sqlite.readOnly, sqlite.ioError, sqlite.cannotOpen];

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** What SQLite threw, as a `Fault`: a full or failing disk may be mended (`unavailable`), the rest is a `defect`. */
export function sqliteFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const code = resultCode(error);
  const cause = { cause: error };
  if (code === sqlite.full) return new Fault('unavailable', 'the disk of the database is full; make room', cause);
  if (code !== undefined && passing.includes(code)) {
    return new Fault('unavailable', `the database cannot be written: ${textOf(error)}; check its disk`, cause);
  }
  if (error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE') {
    return new Fault('unavailable', 'the database is closed; start the server again', cause);
  }
  return new Fault('defect', `the database failed: ${textOf(error)}`, cause);
}

const missing: readonly unknown[] = ['ENOENT', 'ENOTDIR'];
const mendable: readonly unknown[] = [
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'ENFILE',
  'EIO',
  'EROFS',
  'EACCES',
  'EPERM',
  'EBUSY',
];

/** What the file system, or SQLite, threw while `doing`, as a `Fault`: what a person or time can mend is `unavailable`. */
export function fileFault(error: unknown, doing: string): Fault {
  if (error instanceof Fault || resultCode(error) !== undefined) return sqliteFault(error);
  const mends = mendable.includes(systemCode(error));
  const mend = mends ? '; check the space and permissions of the disk' : '';
  return new Fault(mends ? 'unavailable' : 'defect', `${doing} failed: ${textOf(error)}${mend}`, { cause: error });
}

/** The name `ENOENT`, `EEXIST` ... of a system error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** There is no such file, or a part of its path is not a directory. */
export const isMissing = (error: unknown): boolean => missing.includes(systemCode(error));

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
