import type { DatabaseSync } from 'node:sqlite';
import { ownTurn } from '@serin/api/own-turn';
import { badCursor, cursorOf, placeIn } from '@serin/core/base/cursor';
import type { Json } from '@serin/core/base/json';
import type { Entry, Journal, NameRow } from '@serin/core/ports/journal';
import type { Page } from '@serin/core/ports/page';
import { journalPageSize, parsed, refuseGap, rowsOf, staleAppend } from '@serin/platform/journal-rows';
import { reading } from '../machine/faults.ts';
import { groupCommit } from '../machine/group-commit.ts';
import { headCache } from '../machine/head-cache.ts';

/** Characters of state text whose parsed heads are remembered. */
const cacheCharacters = 8 * 1024 * 1024;

// `state` stands last, so that the indexes' columns are read without walking through its overflow pages.
// Text compares as UTF-8 bytes: BINARY is the default collation.
const tables = `
  CREATE TABLE IF NOT EXISTS heads (
    stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL, due INTEGER, name_key TEXT, summary TEXT,
    state TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS heads_due ON heads (due, stream) WHERE due IS NOT NULL;
  CREATE INDEX IF NOT EXISTS heads_name ON heads (name_key, stream) WHERE name_key IS NOT NULL;
  CREATE TABLE IF NOT EXISTS entries (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (stream, seq)
  ) WITHOUT ROWID;
`;

interface Options {
  readonly database: DatabaseSync;
  /** Called with each entry once it is durable. */
  readonly onAppended?: (entry: Entry) => void;
}

/**
 * A journal in two SQLite tables.
 *
 * Appends of one turn of the event loop share a commit, each judged by itself in the order of the calls. A head is
 * frozen and may be the same object twice. One process owns the database (`openDatabase` sees to it), so that heads
 * may be remembered. A state or an entry over 8 MB of JSON is `invalid`, and so is a name that is not valid Unicode.
 */
export function sqliteJournal({ database, onAppended }: Options): Journal {
  database.exec(tables);
  const commit = groupCommit(database);
  const statements = prepare(database);
  const heads = headCache(cacheCharacters);

  return {
    async head(stream) {
      const known = heads.get(stream);
      if (known !== undefined) return known;
      const row = reading(() => readHead(statements, stream));
      if (row === undefined) return undefined;
      const stored = parsed(row.state, () => `the state of ${stream}`);
      const head = { ...row, state: heads.ownCopy(stored) ?? null };
      heads.put(head, row.state.length);
      return head;
    },

    async append(basedOn, write) {
      const rows = rowsOf(write);
      const state = heads.ownCopy(write.state);
      await commit(() => {
        const at = Number(statements.seq.get(rows.stream)?.seq ?? 0);
        if (at !== basedOn) throw staleAppend(rows.stream, `it is at ${at}, not at ${basedOn}`);
        refuseGap(basedOn, rows);
        heads.drop(rows.stream);
        statements.insertEntry.run(rows.stream, rows.seq, rows.entry);
        const { stream, seq, hash, due = null, name, state } = rows;
        statements.putHead.run(stream, seq, hash, due, name?.key ?? null, name?.summary ?? null, state);
      });
      const { stream, seq, hash } = rows;
      if (state !== undefined) heads.put({ stream, seq, hash, state }, rows.state.length);
      onAppended?.(write.entry);
    },

    async history(stream, before = Number.MAX_SAFE_INTEGER, limit) {
      // A history is long, and is read part after part: predictions come in between.
      await ownTurn();
      if (!stream.isWellFormed()) return [];
      const rows = reading(() => statements.history.all(stream, before, Math.max(0, Math.trunc(limit))));
      // Written by `append`.
      return rows.map((row) => parsed(row.entry, () => `entry ${row.seq} of ${stream}`) as Entry);
    },

    async due(now, cursor) {
      const [due, stream] = cursor === undefined ? [Number.MIN_SAFE_INTEGER, ''] : dueCursor(cursor);
      const rows = reading(() => statements.due.all(now, due, stream, journalPageSize + 1));
      return pageOf(
        rows.map((row) => ({ stream: String(row.stream), due: Number(row.due) })),
        (last) => [last.due, last.stream],
      );
    },

    async names(prefix, cursor) {
      if (!prefix.isWellFormed()) return { items: [] };
      const [key, stream] = cursor === undefined ? [prefix, ''] : nameCursor(cursor);
      const rows = reading(() => statements.names.all(afterPrefix(prefix), key, stream, journalPageSize + 1));
      return pageOf(rows.map(nameRow), (last) => [last.key, last.stream]);
    },
  };
}

function prepare(database: DatabaseSync) {
  return {
    seq: database.prepare('SELECT seq FROM heads WHERE stream = ?'),
    head: database.prepare('SELECT stream, seq, hash, state FROM heads WHERE stream = ?'),
    insertEntry: database.prepare('INSERT INTO entries (stream, seq, entry) VALUES (?, ?, ?)'),
    putHead: database.prepare(
      'INSERT OR REPLACE INTO heads (stream, seq, hash, due, name_key, summary, state) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    history: database.prepare('SELECT seq, entry FROM entries WHERE stream = ? AND seq < ? ORDER BY seq DESC LIMIT ?'),
    due: database.prepare(
      'SELECT stream, due FROM heads WHERE due <= ? AND (due, stream) > (?, ?) ORDER BY due, stream LIMIT ?',
    ),
    names: database.prepare(
      `SELECT name_key, stream, seq, summary FROM heads WHERE name_key < ? AND (name_key, stream) > (?, ?)
       ORDER BY name_key, stream LIMIT ?`,
    ),
  };
}

function readHead(statements: ReturnType<typeof prepare>, stream: string) {
  const row = stream.isWellFormed() ? statements.head.get(stream) : undefined;
  return row && { stream, seq: Number(row.seq), hash: String(row.hash), state: String(row.state) };
}

function nameRow(row: Record<string, unknown>): NameRow {
  return {
    key: String(row.name_key),
    stream: String(row.stream),
    seq: Number(row.seq),
    summary: parsed(row.summary, () => `the row that lists ${row.stream}`) as Json,
  };
}

/** The smallest text after all texts that begin with `prefix`, by UTF-8 bytes. */
function afterPrefix(prefix: string): string | Uint8Array {
  const points = [...prefix];
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) ?? 0;
    // U+D800 to U+DFFF are no characters of their own.
    if (point < 0x10ffff) return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  return new Uint8Array(0); // In SQLite every blob sorts after every text.
}

function pageOf<Item>(rows: readonly Item[], place: (last: Item) => Json): Page<Item> {
  const items = rows.slice(0, journalPageSize);
  const last = items.at(-1);
  if (rows.length <= journalPageSize || last === undefined) return { items };
  return { items, next: cursorOf(place(last)) };
}

function dueCursor(cursor: string): [number, string] {
  const [due, stream] = pairIn(cursor);
  if (typeof due !== 'number' || typeof stream !== 'string') throw badCursor(cursor);
  return [due, stream];
}

function nameCursor(cursor: string): [string, string] {
  const [key, stream] = pairIn(cursor);
  if (typeof key !== 'string' || typeof stream !== 'string') throw badCursor(cursor);
  return [key, stream];
}

function pairIn(cursor: string): readonly unknown[] {
  const place = placeIn(cursor);
  return Array.isArray(place) ? place : [];
}
