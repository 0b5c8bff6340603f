import type { DatabaseSync } from 'node:sqlite';
import { asFault, type Fault } from '@serin/core/fault';
import { sqliteFault } from './faults.ts';
import { groupCommit } from './group-commit.ts';
import { bucketCount, bucketOf, textOf } from './latency.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS gateway_counts (
    endpoint TEXT NOT NULL, second INTEGER NOT NULL, deployment TEXT NOT NULL,
    requests INTEGER NOT NULL, errors INTEGER NOT NULL, latencies TEXT NOT NULL,
    PRIMARY KEY (endpoint, second, deployment)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS gateway_counts_second ON gateway_counts (second);
  CREATE TABLE IF NOT EXISTS gateway_up (since INTEGER PRIMARY KEY, until INTEGER NOT NULL);
`;

const flushMs = 1000;
const idleFlushes = 10;
const pruneFlushes = 3600;
const keepSeconds = 35 * 24 * 3600;

/** One request that was routed and has no outcome yet. */
export interface Routed {
  /** Its outcome: exactly once, at the latest when the request timeout is over. */
  settled(latencyMs: number, isError: boolean): void;
}

/** The counts of one deployment of one endpoint. */
export interface Arm {
  /** Counts a request in the second that runs now. */
  routed(): Routed;
}

/** Counts of one second of one deployment. */
export interface SecondRow {
  readonly second: number;
  readonly deployment: string;
  readonly requests: number;
  readonly errors: number;
  /** See `addText` in latency.ts. */
  readonly latencies: string;
}

/** What the gateway counted, by endpoint, deployment and second, for 35 days. */
export interface Counters {
  arm(endpoint: string, deployment: string): Arm;
  /** Makes durable what is final; afterwards `finalUntil` is as late as it can be. Concurrently: one after the other. */
  flush(): Promise<void>;
  /** The second (exclusive) up to which counts are durable and can not change any more, whatever comes. */
  finalUntil(): number;
  /** The gateway was up and kept its counts in all seconds `from <= second < to`. */
  covered(from: number, to: number): boolean;
  /** Durable rows with `from <= second < to`, ascending by second. */
  rows(endpoint: string, from: number, to: number): Iterable<SecondRow>;
  /** Flushes a last time. Counts of requests that are still without an outcome are lost, and their seconds not covered. */
  close(): Promise<void>;
}

interface Second extends Routed {
  readonly second: number;
  open: number;
  requests: number;
  row(): readonly [string, number, string, number, number, string];
}

interface Options {
  readonly database: DatabaseSync;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A flush by the clock failed; its counts are kept and written with the next one. */
  readonly onFault?: (fault: Fault) => void;
}

/**
 * Counts in memory, written once a second in one transaction.
 *
 * A second is final when it is over and all requests that were routed in it have an outcome; a second is written once,
 * when it is final, and with it all before it. So a kill loses whole seconds, never a part of one, and `covered` says
 * which. A clock that is put back stands still until it has caught up.
 */
export function gatewayCounters({ database, now, onFault }: Options): Counters {
  const store = openStore(database);
  const arms = new Map<string, Arm>();
  /** Ascending by second. */
  let pending: readonly Second[] = [];
  const upSince = Math.max(Math.ceil(now() / 1000), store.lastUntil());
  let final = store.lastUntil();
  let newest = final;
  let flushing: Promise<void> = Promise.resolve();
  let idle = 0;
  let flushes = 0;

  function secondNow(): number {
    newest = Math.max(newest, Math.floor(now() / 1000));
    return newest;
  }

  async function flushOnce(): Promise<void> {
    const over = secondNow();
    const until = Math.min(over, pending.find(({ open }) => open > 0)?.second ?? over);
    const done = pending.filter(({ second }) => second < until);
    if (until === final && done.length === 0) return;
    await store.write(
      done.map((second) => second.row()),
      { since: upSince, until },
    );
    pending = pending.filter(({ second }) => second >= until);
    final = until;
  }

  function flush(): Promise<void> {
    const next = flushing.then(flushOnce);
    flushing = next.catch(() => undefined);
    return next;
  }

  async function onTimer(): Promise<void> {
    // Seconds without a request need no row, and who reads flushes first: an idle gateway leaves the disk alone.
    idle = pending.length > 0 ? 0 : idle + 1;
    flushes += 1;
    try {
      if (idle % idleFlushes === 0) await flush();
      if (flushes % pruneFlushes === 1) await store.prune(newest - keepSeconds);
    } catch (error) {
      onFault?.(asFault(error));
    }
  }

  const timer = setInterval(onTimer, flushMs).unref();

  function newArm(endpoint: string, deployment: string): Arm {
    let current: Second | undefined;
    return {
      routed() {
        const second = secondNow();
        if (current?.second !== second) {
          current = newSecond(endpoint, second, deployment);
          pending = [...pending, current];
        }
        current.requests += 1;
        current.open += 1;
        return current;
      },
    };
  }

  return {
    arm(endpoint, deployment) {
      const key = `${endpoint}\n${deployment}`;
      const arm = arms.get(key) ?? newArm(endpoint, deployment);
      arms.set(key, arm);
      return arm;
    },
    flush,
    finalUntil: () => final,
    covered: store.covered,
    rows: store.rows,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}

function newSecond(endpoint: string, second: number, deployment: string): Second {
  const histogram = new Uint32Array(bucketCount);
  let errors = 0;
  return {
    second,
    open: 0,
    requests: 0,
    settled(latencyMs, isError) {
      const bucket = bucketOf(latencyMs);
      histogram[bucket] = (histogram[bucket] ?? 0) + 1;
      if (isError) errors += 1;
      this.open -= 1;
    },
    row() {
      return [endpoint, second, deployment, this.requests, errors, textOf(histogram)];
    },
  };
}

function openStore(database: DatabaseSync) {
  database.exec(tables);
  const commit = groupCommit(database);
  const insert = database.prepare('INSERT OR REPLACE INTO gateway_counts VALUES (?, ?, ?, ?, ?, ?)');
  const up = database.prepare(
    'INSERT INTO gateway_up VALUES (?, ?) ON CONFLICT (since) DO UPDATE SET until = excluded.until',
  );
  const last = database.prepare('SELECT max(until) AS until FROM gateway_up');
  const covering = database.prepare('SELECT 1 FROM gateway_up WHERE since <= ? AND until >= ? LIMIT 1');
  const select = database.prepare(
    `SELECT second, deployment, requests, errors, latencies FROM gateway_counts
     WHERE endpoint = ? AND second >= ? AND second < ? ORDER BY second`,
  );
  const forget = database.prepare('DELETE FROM gateway_counts WHERE second < ?');
  const forgetUp = database.prepare('DELETE FROM gateway_up WHERE until < ?');

  return {
    lastUntil: () => Number(last.get()?.until ?? 0),
    covered: (from: number, to: number) => reading(() => covering.get(from, to) !== undefined),
    rows: (endpoint: string, from: number, to: number): readonly SecondRow[] =>
      reading(() => select.all(endpoint, from, to)).map(rowOf),
    write: (rows: readonly ReturnType<Second['row']>[], { since, until }: { since: number; until: number }) =>
      commit(() => {
        for (const row of rows) insert.run(...row);
        if (until > since) up.run(since, until);
      }),
    prune: (before: number) =>
      commit(() => {
        forget.run(before);
        forgetUp.run(before);
      }),
  };
}

const rowOf = (row: Record<string, unknown>): SecondRow => ({
  second: Number(row.second),
  deployment: String(row.deployment),
  requests: Number(row.requests),
  errors: Number(row.errors),
  latencies: String(row.latencies),
});

function reading<Answer>(work: () => Answer): Answer {
  try {
    return work();
  } catch (error) {
    throw sqliteFault(error);
  }
}
