import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Json } from '@serin/core/base/json';
import type { CapturedPage, CapturedQuery, CapturedRequest } from '@serin/core/ports/captured';
import type { CaptureEntry } from './capture-store.ts';
import { rowsOf } from './captured-text.ts';
import { resultCode, sqlite } from './faults.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS captures (
    endpoint TEXT NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL, deployment TEXT NOT NULL,
    rows TEXT, answers TEXT, unread TEXT, bytes INTEGER NOT NULL,
    PRIMARY KEY (endpoint, at, id)
  );
  CREATE TABLE IF NOT EXISTS capture_endpoints (
    endpoint TEXT PRIMARY KEY, bytes INTEGER NOT NULL, keep_ms INTEGER NOT NULL, at_most INTEGER NOT NULL
  ) WITHOUT ROWID;
`;

/** A step of forgetting: a few milliseconds of the event loop. */
const stepRows = 200;
const stepBytes = 2 * 1024 * 1024;
const stepPages = 500;
/** Of a page, which is read in one turn; less than the port allows. */
const maxPageRequests = 1000;
const maxPageBytes = 1024 * 1024;

export type CaptureFile = ReturnType<typeof openCaptureFile>;

/** What is forgotten is overwritten. A damaged file begins empty again: it holds nothing that must not be lost. */
export function openCaptureFile(file: string, warn: (line: string) => void) {
  try {
    return openTables(file);
  } catch (error) {
    const code = resultCode(error);
    if (code !== sqlite.corrupt && code !== sqlite.notDatabase) throw error;
    warn(`${file} was damaged, so the captured requests in it are lost; capturing begins again`);
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    return openTables(file);
  }
}

function openTables(file: string) {
  const database = new DatabaseSync(file, { timeout: 1000 });
  // `auto_vacuum` has to come first: it is for files without a table.
  database.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 4194304; ${tables}`);
  const insertEntry = database.prepare('INSERT OR IGNORE INTO captures VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const oldest = database.prepare(
    'SELECT at, id, bytes FROM captures WHERE endpoint = ? AND at < ? ORDER BY at, id LIMIT ?',
  );
  const forgetUpTo = database.prepare('DELETE FROM captures WHERE endpoint = ? AND (at, id) <= (?, ?)');
  const between = database.prepare(
    'SELECT * FROM captures WHERE endpoint = ? AND (at, id) > (?, ?) AND at < ? ORDER BY at, id LIMIT ?',
  );
  const add = database.prepare('UPDATE capture_endpoints SET bytes = bytes + ? WHERE endpoint = ?');
  const bytesOf = database.prepare('SELECT bytes FROM capture_endpoints WHERE endpoint = ?');
  const upsert = database.prepare(
    `INSERT INTO capture_endpoints VALUES (?, 0, ?, ?) ON CONFLICT (endpoint)
     DO UPDATE SET keep_ms = excluded.keep_ms, at_most = excluded.at_most`,
  );
  const known = database.prepare('SELECT * FROM capture_endpoints');
  const leaveOne = database.prepare('DELETE FROM capture_endpoints WHERE endpoint = ?');

  /** The oldest requests: of at most so many bytes or rows, one at least. Answers how many; inside a transaction. */
  function forget(endpoint: string, { before = Number.MAX_SAFE_INTEGER }: { readonly before?: number }): number {
    let [rows, bytes] = [0, 0];
    let last: readonly [number, string] | undefined;
    for (const row of oldest.iterate(endpoint, before, stepRows)) {
      rows += 1;
      bytes += Number(row.bytes);
      last = [Number(row.at), String(row.id)];
      if (bytes >= stepBytes) break;
    }
    if (last === undefined) return 0;
    forgetUpTo.run(endpoint, ...last);
    add.run(-bytes, endpoint);
    return rows;
  }

  return {
    transact<Answer>(work: () => Answer): Answer {
      database.exec('BEGIN IMMEDIATE');
      try {
        const answer = work();
        database.exec('COMMIT');
        return answer;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    },
    promise: ({ endpoint, keepMs, atMostBytes }: CaptureEntry) => void upsert.run(endpoint, keepMs, atMostBytes),
    insert({ endpoint, at, id, deployment, rows, answers, unread, bytes }: CaptureEntry): void {
      const texts = [rows ?? null, answers ?? null, unread ?? null];
      const { changes } = insertEntry.run(endpoint, at, id, deployment, ...texts, bytes);
      if (changes === 1) add.run(bytes, endpoint);
    },
    forget,
    bytes: (endpoint: string): number => Number(bytesOf.get(endpoint)?.bytes ?? 0),
    endpoints: () =>
      known.all().map(({ endpoint, keep_ms, at_most }) => ({
        endpoint: String(endpoint),
        keepMs: Number(keep_ms),
        atMostBytes: Number(at_most),
      })),
    leave: (endpoint: string) => void leaveOne.run(endpoint),
    page({ endpoint, from, to, fields, cursor = `${Math.max(0, Math.ceil(from))} ` }: CapturedQuery): CapturedPage {
      const [at = '', id = ''] = cursor.split(' ');
      const found: Record<string, unknown>[] = [];
      let bytes = 0;
      for (const row of between.iterate(endpoint, Number(at), id, to, maxPageRequests + 1)) {
        if (found.length === maxPageRequests || bytes > maxPageBytes)
          return { ...pageOf(found, fields), next: placeOf(found) };
        found.push(row);
        bytes += Number(row.bytes);
      }
      return pageOf(found, fields);
    },
    /** Gives a step of free pages back to the disk; whether there may be more. */
    shrink(): boolean {
      const free = Number(Object.values(database.prepare('PRAGMA freelist_count').get() ?? {})[0]);
      if (free > 0) database.exec(`PRAGMA incremental_vacuum(${stepPages})`);
      return free > stepPages;
    },
    /** What was written before it was overwritten is in no log any more. */
    truncateLog: () => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'),
    close: () => database.close(),
  };
}

const placeOf = (found: readonly Record<string, unknown>[]): string => {
  const { at, id } = found.at(-1) ?? {};
  return `${at} ${id}`;
};

function pageOf(found: readonly Record<string, unknown>[], fields: readonly string[]): CapturedPage {
  const unread = found.flatMap(({ unread }) => (unread === null ? [] : [String(unread)]));
  const [first] = unread;
  const allowed = new Set(fields);
  return {
    items: found.filter(({ unread }) => unread === null).map((row) => requestOf(row, allowed)),
    ...(first === undefined ? {} : { unread: { requests: unread.length, first } }),
  };
}

const requestOf = (row: Record<string, unknown>, allowed: ReadonlySet<string>): CapturedRequest => ({
  requestId: String(row.id),
  at: Number(row.at),
  deployment: String(row.deployment),
  rows: rowsOf(String(row.rows), allowed),
  answers: JSON.parse(String(row.answers)) as readonly Json[], // written by the gateway
});
