import type { DatabaseSync } from 'node:sqlite';
import { byMeasure, errors } from '@serin/core/base/measures';
import { reading } from './faults.ts';
import { groupCommit } from './group-commit.ts';

/** The measures that the gateway counts beside latencies, each in a column of its own. */
export const counted: readonly string[] = [errors];

const tables = `
  CREATE TABLE IF NOT EXISTS gateway_counts (
    endpoint TEXT NOT NULL, second INTEGER NOT NULL, deployment TEXT NOT NULL,
    requests INTEGER NOT NULL, errors INTEGER NOT NULL, latencies TEXT NOT NULL,
    PRIMARY KEY (endpoint, second, deployment)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS gateway_counts_second ON gateway_counts (second);
  CREATE TABLE IF NOT EXISTS gateway_segments (
    endpoint TEXT NOT NULL, second INTEGER NOT NULL, deployment TEXT NOT NULL, segment TEXT NOT NULL,
    requests INTEGER NOT NULL, errors INTEGER NOT NULL, latencies TEXT NOT NULL,
    PRIMARY KEY (endpoint, second, deployment, segment)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS gateway_segments_second ON gateway_segments (second);
  CREATE TABLE IF NOT EXISTS gateway_up (since INTEGER PRIMARY KEY, until INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS gateway_returns (
    endpoint TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (endpoint, since)
  ) WITHOUT ROWID;
`;

/** Counts of one deployment in one second, or in several that begin with it. */
export interface SecondRow {
  readonly second: number;
  readonly deployment: string;
  readonly requests: number;
  /** By measure, each of `counted`. */
  readonly bad: Readonly<Record<string, number>>;
  /** See `addText` in latency.ts. */
  readonly latencies: string;
}

/** Those of one segment of its requests. */
export interface SegmentRow extends SecondRow {
  readonly segment: string;
}

interface InsertedRow extends SecondRow {
  readonly endpoint: string;
  readonly segment: string | undefined;
}

const columns = counted.map((measure) => `"${measure}"`).join(', ');

/** Sums of so many seconds at once: SQLite makes them ten times as fast as rows of seconds are read. */
const sumsOf = (table: string, keys: string): string =>
  `SELECT second / :perTick * :perTick AS first, ${keys}, sum(requests) AS requests, group_concat(latencies) AS latencies,
     ${counted.map((measure) => `sum("${measure}") AS "${measure}"`).join(', ')}
   FROM ${table} WHERE endpoint = :endpoint AND second >= :from AND second < :to GROUP BY first, ${keys} ORDER BY first`;

/** A database that older code made has no columns for measures that came later. */
function addColumns(database: DatabaseSync, table: string): void {
  const known = database
    .prepare(`PRAGMA table_info(${table})`)
    .all()
    .map(({ name }) => name);
  for (const measure of counted)
    if (!known.includes(measure))
      database.exec(`ALTER TABLE ${table} ADD COLUMN "${measure}" INTEGER NOT NULL DEFAULT 0`);
}

export type CounterStore = ReturnType<typeof openCounterStore>;

/**
 * The durable counts of the gateway: rows of whole seconds, and in which seconds it was up.
 *
 * Methods that write run inside a `commit`.
 */
export function openCounterStore(database: DatabaseSync) {
  database.exec(tables);
  for (const table of ['gateway_counts', 'gateway_segments']) addColumns(database, table);
  const insertInto = (table: string, keys: string) =>
    database.prepare(
      `INSERT OR REPLACE INTO ${table} (${keys}, requests, latencies, ${columns}) VALUES (${'?, '.repeat(keys.split(',').length + 2)}${counted.map(() => '?')})`,
    );
  const insert = insertInto('gateway_counts', 'endpoint, second, deployment');
  const insertSegment = insertInto('gateway_segments', 'endpoint, second, deployment, segment');
  const up = database.prepare(
    'INSERT INTO gateway_up VALUES (?, ?) ON CONFLICT (since) DO UPDATE SET until = excluded.until',
  );
  const last = database.prepare('SELECT max(until) AS until FROM gateway_up');
  const covering = database.prepare('SELECT 1 FROM gateway_up WHERE since <= ? AND until >= ? LIMIT 1');
  const returns = database.prepare('INSERT OR REPLACE INTO gateway_returns VALUES (?, ?, ?)');
  const closeReturns = database.prepare('UPDATE gateway_returns SET until = ? WHERE until > ?');
  const returning = database.prepare(
    'SELECT 1 FROM gateway_returns WHERE endpoint = ? AND since < ? AND until > ? LIMIT 1',
  );
  const select = database.prepare(sumsOf('gateway_counts', 'deployment'));
  const selectSegments = database.prepare(sumsOf('gateway_segments', 'deployment, segment'));
  const forget = [
    'gateway_counts WHERE second',
    'gateway_segments WHERE second',
    'gateway_up WHERE until',
    'gateway_returns WHERE until',
  ].map((rows) => database.prepare(`DELETE FROM ${rows} < ?`));

  return {
    commit: groupCommit(database),
    lastUntil: () => Number(last.get()?.until ?? 0),
    covered: (from: number, to: number) => reading(() => covering.get(from, to) !== undefined),
    /** In `since <= second < until` a deployment of the endpoint was on its way back. Durable when it returns. */
    returns: (endpoint: string, since: number, until: number) => void returns.run(endpoint, since, until),
    /** A run of the server that was killed left open when they end. */
    closeReturns: (until: number) => void closeReturns.run(until, until),
    wasReturning: (endpoint: string, from: number, to: number) =>
      reading(() => returning.get(endpoint, to, from) !== undefined),
    rows: (endpoint: string, from: number, to: number, perTick = 1): readonly SecondRow[] =>
      reading(() => select.all(windowOf(endpoint, from, to, perTick))).map(rowOf),
    segmentRows: (endpoint: string, from: number, to: number, perTick = 1): readonly SegmentRow[] =>
      reading(() => selectSegments.all(windowOf(endpoint, from, to, perTick))).map((row) => ({
        ...rowOf(row),
        segment: String(row.segment),
      })),
    insert({ endpoint, second, deployment, segment, requests, latencies, bad }: InsertedRow): void {
      const counts = [requests, latencies, ...counted.map((measure) => bad[measure] ?? 0)];
      if (segment === undefined) insert.run(endpoint, second, deployment, ...counts);
      else insertSegment.run(endpoint, second, deployment, segment, ...counts);
    },
    up(since: number, until: number): void {
      if (until > since) up.run(since, until);
    },
    prune(before: number): void {
      for (const statement of forget) statement.run(before);
    },
  };
}

/** Of a `BigInt` SQLite makes an integer, and of a number none: a tick is the whole part of a quotient. */
const windowOf = (endpoint: string, from: number, to: number, perTick: number) => ({
  endpoint,
  from,
  to,
  perTick: BigInt(perTick),
});

const rowOf = (row: Record<string, unknown>): SecondRow => ({
  second: Number(row.first),
  deployment: String(row.deployment),
  requests: Number(row.requests),
  bad: byMeasure(counted, (measure) => Number(row[measure])),
  latencies: String(row.latencies),
});
