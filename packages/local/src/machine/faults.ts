import { Fault } from '@serin/core/base/fault';

/** https://sqlite.org/rescode.html; the low byte of an extended code. */
export const sqlite = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notDatabase: 26,
};
const passing: readonly number[] = [sqlite.busy, sqlite.locked, sqlite.readOnly, sqlite.ioError, sqlite.cannotOpen];

export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** What SQLite threw, as a `Fault`: a full or failing disk may be mended (`unavailable`), the rest is a `defect`. */
export function sqliteFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const code = resultCode(error);
  const cause = { cause: error };
  if (code === sqlite.full) return new Fault('unavailable', 'the disk of the database is full; free some space', cause);
  if (code !== undefined && passing.includes(code)) {
    return new Fault('unavailable', `the database cannot be written; check its disk: ${textOf(error)}`, cause);
  }
  if (error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE') {
    return new Fault('unavailable', 'the database is closed; start the server again', cause);
  }
  return new Fault('defect', `the database failed; report this as a defect of Serin: ${textOf(error)}`, cause);
}

/** Reads, with what SQLite throws as a `Fault`. */
export function reading<Answer>(work: () => Answer): Answer {
  try {
    return work();
  } catch (error) {
    throw sqliteFault(error);
  }
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
  const mend = mends ? 'check the space and permissions of the disk' : 'report it as a defect of Serin';
  return new Fault(mends ? 'unavailable' : 'defect', `${doing} failed; ${mend}: ${textOf(error)}`, { cause: error });
}

/** The name `ENOENT`, `EEXIST` ... of a system error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** There is no such file, or a part of its path is not a directory. */
export const isMissing = (error: unknown): boolean => missing.includes(systemCode(error));

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
