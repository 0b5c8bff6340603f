import type { DatabaseSync } from 'node:sqlite';
import type { Prediction } from '@serin/platform/prediction';
import type { Counters } from './counters.ts';
import { reading } from './faults.ts';
import { bucketOf } from './latency.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS gateway_pairs (
    endpoint TEXT NOT NULL, second INTEGER NOT NULL, mirror TEXT NOT NULL,
    pairs INTEGER NOT NULL, dropped INTEGER NOT NULL, mirror_errors INTEGER NOT NULL, served_errors INTEGER NOT NULL,
    higher INTEGER NOT NULL, lower INTEGER NOT NULL, equal INTEGER NOT NULL, latencies TEXT NOT NULL,
    PRIMARY KEY (endpoint, second, mirror)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS gateway_pairs_second ON gateway_pairs (second);
`;

const keepSeconds = 35 * 24 * 3600;

/** How one side of a pair ended. */
export interface Side {
  /** `dropped`: the copy was never sent, for its queue was full. That says nothing of the mirror, so it is no pair. */
  readonly outcome: 'answered' | 'failed' | 'dropped';
  /** From the end of the request's body to the end of the answer; absent when that was not waited for. */
  readonly latencyMs?: number;
  readonly prediction?: Prediction;
}

/** A request that was mirrored and of which one side has not ended. */
export interface Pair {
  ended(served: Side, mirror: Side): void;
  /** Its caller went away or never sent the whole request: it counts nowhere. */
  abandoned(): void;
}

export interface PairRow {
  readonly second: number;
  readonly mirror: string;
  readonly pairs: number;
  readonly dropped: number;
  /** Pairs in which only this side is an error. */
  readonly mirrorErrors: number;
  readonly servedErrors: number;
  readonly higher: number;
  readonly lower: number;
  readonly equal: number;
  /** See `latencyPairs`. */
  readonly latencies: string;
}

/** What the gateway counted of mirrored requests, by endpoint, mirror and second, for 35 days; final with the counts. */
export interface Pairs {
  /** Exactly one call of one method of it follows, or its second is never final. */
  open(endpoint: string, mirror: string, second: number): Pair;
  /** Durable rows with `from <= second < to`, ascending by second. */
  rows(endpoint: string, from: number, to: number): readonly PairRow[];
}

export function gatewayPairs({ database, counters }: { database: DatabaseSync; counters: Counters }): Pairs {
  const store = openStore(database);
  const pending = new Map<string, PairSecond>();
  const before = (until: number) => [...pending].filter(([, { second }]) => second < until);

  counters.add({
    firstOpen: () =>
      [...pending.values()].reduce<number | undefined>(
        (first, { open, second }) => (open > 0 ? Math.min(first ?? second, second) : first),
        undefined,
      ),
    write(until) {
      for (const [, second] of before(until)) second.write(store.insert);
    },
    written(until) {
      for (const [key] of before(until)) pending.delete(key);
    },
    prune: (second) => store.prune(second - keepSeconds),
  });

  return {
    open(endpoint, mirror, second) {
      const key = JSON.stringify([endpoint, second, mirror]);
      const counted = pending.get(key) ?? newPairSecond(endpoint, second, mirror);
      pending.set(key, counted);
      counted.open += 1;
      return counted;
    },
    rows: store.rows,
  };
}

type Row = readonly [string, number, string, number, number, number, number, number, number, number, string];

interface PairSecond extends Pair {
  readonly second: number;
  open: number;
  write(insert: (row: Row) => void): void;
}

function newPairSecond(endpoint: string, second: number, mirror: string): PairSecond {
  const latencies = new Map<string, number>();
  const count = { pairs: 0, dropped: 0, mirrorErrors: 0, servedErrors: 0, higher: 0, lower: 0, equal: 0 };
  return {
    second,
    open: 0,
    ended(served, copy) {
      this.open -= 1;
      if (copy.outcome === 'dropped') {
        count.dropped += 1;
        return;
      }
      count.pairs += 1;
      const isServedBad = served.outcome !== 'answered';
      const isMirrorBad = copy.outcome !== 'answered';
      if (isMirrorBad && !isServedBad) count.mirrorErrors += 1;
      if (isServedBad && !isMirrorBad) count.servedErrors += 1;
      if (isServedBad || isMirrorBad) return;
      const order = compared(served.prediction, copy.prediction);
      if (order !== undefined) count[order] += 1;
      if (served.latencyMs === undefined || copy.latencyMs === undefined) return;
      const cell = `${bucketOf(served.latencyMs)}:${bucketOf(copy.latencyMs)}`;
      latencies.set(cell, (latencies.get(cell) ?? 0) + 1);
    },
    abandoned() {
      this.open -= 1;
    },
    write(insert) {
      const { pairs, dropped, mirrorErrors, servedErrors, higher, lower, equal } = count;
      if (pairs + dropped === 0) return;
      const text = [...latencies].map(([cell, times]) => `${cell}:${times}`).join(',');
      const numbers = [pairs, dropped, mirrorErrors, servedErrors, higher, lower, equal] as const;
      insert([endpoint, second, mirror, ...numbers, text]);
    },
  };
}

/** Whether the mirror's is higher: as numbers or as texts, when both are of one kind. */
function compared(
  served: Prediction | undefined,
  mirror: Prediction | undefined,
): 'higher' | 'lower' | 'equal' | undefined {
  const areNumbers = typeof served === 'number' && typeof mirror === 'number';
  const areTexts = typeof served === 'string' && typeof mirror === 'string';
  if (!areNumbers && !areTexts) return undefined;
  if (mirror === served) return 'equal';
  return mirror > served ? 'higher' : 'lower';
}

/** How often the served answer fell into one latency bucket and the mirror's into another: of pairs without an error. */
export function latencyPairs(
  text: string,
): readonly { readonly served: number; readonly mirror: number; readonly pairs: number }[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const [served, mirror, pairs] = part.split(':').map(Number);
    return { served: served ?? 0, mirror: mirror ?? 0, pairs: pairs ?? 0 };
  });
}

function openStore(database: DatabaseSync) {
  database.exec(tables);
  const insert = database.prepare('INSERT OR REPLACE INTO gateway_pairs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const select = database.prepare(
    'SELECT * FROM gateway_pairs WHERE endpoint = ? AND second >= ? AND second < ? ORDER BY second',
  );
  const forget = database.prepare('DELETE FROM gateway_pairs WHERE second < ?');
  return {
    insert: (row: Row) => void insert.run(...row),
    prune: (before: number) => void forget.run(before),
    rows: (endpoint: string, from: number, to: number): readonly PairRow[] =>
      reading(() => select.all(endpoint, from, to)).map((row) => ({
        second: Number(row.second),
        mirror: String(row.mirror),
        pairs: Number(row.pairs),
        dropped: Number(row.dropped),
        mirrorErrors: Number(row.mirror_errors),
        servedErrors: Number(row.served_errors),
        higher: Number(row.higher),
        lower: Number(row.lower),
        equal: Number(row.equal),
        latencies: String(row.latencies),
      })),
  };
}
