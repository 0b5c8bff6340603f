import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '@serin/core/base/fault';
import type { Bus, CloudEvent } from '@serin/core/ports/bus';
import { reading } from '../machine/faults.ts';
import { groupCommit } from '../machine/group-commit.ts';

const maxEventBytes = 1024 * 1024;
/** In one commit: a few milliseconds. */
const prunedAtOnce = 2000;

const table = `
  CREATE TABLE IF NOT EXISTS bus_log (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, event TEXT NOT NULL
  );
`;

export interface LoggedEvent {
  readonly position: number;
  readonly event: CloudEvent;
}

/** A bus whose log can be read again from any position. Positions grow, may have gaps, and are never reused. */
export interface LocalBus extends Bus {
  /** Events after a position, oldest first, at most `limit`; those that were pruned are passed over. */
  read(afterPosition: number, limit: number): readonly LoggedEvent[];
  /** The newest position that was ever given; 0 before the first event. */
  last(): number;
  /** Calls the listener after each commit that added events, with their positions ascending; it must not throw. */
  subscribe(listener: (positions: readonly number[]) => void): () => void;
  /** Forgets all but the newest `keep` positions, also their ids; answers how many events went. */
  prune(keep: number): Promise<number>;
}

/**
 * A bus that is a table.
 *
 * `publish` resolves when all its events are durable, together. An id that is in the log already is dropped, with
 * whatever came under it. An event over 1 MB of JSON is `invalid` and none of its call is published.
 */
export function sqliteBus({ database }: { readonly database: DatabaseSync }): LocalBus {
  database.exec(table);
  const commit = groupCommit(database);
  const insert = database.prepare('INSERT OR IGNORE INTO bus_log (id, event) VALUES (?, ?)');
  const after = database.prepare('SELECT position, event FROM bus_log WHERE position > ? ORDER BY position LIMIT ?');
  const newest = database.prepare("SELECT seq AS position FROM sqlite_sequence WHERE name = 'bus_log'");
  const remove = database.prepare(
    'DELETE FROM bus_log WHERE position IN (SELECT position FROM bus_log WHERE position <= ? ORDER BY position LIMIT ?)',
  );
  const listeners = new Set<(positions: readonly number[]) => void>();
  const last = () => Number(newest.get()?.position ?? 0);

  return {
    async publish(events) {
      const rows = events.map((event) => ({ id: event.id, text: textOf(event) }));
      const positions = await commit(() => rows.flatMap(({ id, text }) => added(insert.run(id, text))));
      if (positions.length === 0) return;
      // A microtask of its own: a listener that throws is nobody's failed publish.
      for (const listener of listeners) queueMicrotask(() => listener(positions));
    },

    read: (afterPosition, limit) =>
      reading(() => after.all(afterPosition, Math.max(0, Math.trunc(limit)))).map((row) => ({
        position: Number(row.position),
        event: JSON.parse(String(row.event)) as CloudEvent, // written by `publish`
      })),

    last: () => reading(last),

    subscribe(listener) {
      const own = (positions: readonly number[]) => listener(positions);
      listeners.add(own);
      return () => listeners.delete(own);
    },

    async prune(keep) {
      const until = last() - Math.max(0, keep);
      for (let gone = 0; ; ) {
        const some = await commit(() => Number(remove.run(until, prunedAtOnce).changes));
        gone += some;
        if (some < prunedAtOnce) return gone;
      }
    },
  };
}

const added = (result: { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint }): number[] =>
  Number(result.changes) === 1 ? [Number(result.lastInsertRowid)] : [];

function textOf(event: CloudEvent): string {
  const text = JSON.stringify(event);
  if (event.id === '' || !event.id.isWellFormed()) {
    throw new Fault(
      'invalid',
      `cannot publish an event of type ${event.type}: its id is empty or not valid Unicode; give it another id`,
    );
  }
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxEventBytes) return text;
  throw new Fault(
    'invalid',
    `cannot publish the event ${event.id}: it has ${bytes} bytes, more than ${maxEventBytes}; make it smaller`,
  );
}
