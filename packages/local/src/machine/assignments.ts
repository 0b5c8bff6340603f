import type { DatabaseSync } from 'node:sqlite';
import type { LabelledRequest } from '@serin/platform/label-outcomes';
import type { Prediction } from '@serin/platform/prediction';
import type { Counters } from './counters.ts';
import { reading } from './faults.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS gateway_assignments (
    endpoint TEXT NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL,
    deployment TEXT NOT NULL, weight INTEGER NOT NULL, prediction TEXT, errored INTEGER NOT NULL,
    mirror TEXT, mirror_prediction TEXT, mirror_failed INTEGER,
    PRIMARY KEY (endpoint, at, id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS gateway_assignments_id ON gateway_assignments (id);
`;

const keepMs = 35 * 24 * 3600 * 1000;
/** Old rows that are forgotten for each row that is written: in step, so that no flush is long. */
const forgetRatio = 2;
/** And of each endpoint in an hour, also of one that has no requests any more. */
const forgetHourly = 10_000;

/** Who answered a request, and what. Of one whose caller went away there is no mirror. */
export interface Assignment extends LabelledRequest {
  readonly requestId: string;
  readonly endpoint: string;
  /** Percent of that deployment in the route that was used. */
  readonly weight: number;
  /** Milliseconds since the epoch: when it was routed. */
  readonly at: number;
}

/**
 * Who answered which request, for 35 days.
 *
 * A request is known from when it is routed; its prediction, its error and its mirror come later, until `finalUntil` has
 * passed it. So who compares it with a label does that when the tick is final, not when the label comes.
 */
export interface Assignments {
  /**
   * Durable with the flush that makes its second final: a kill loses whole seconds of all deployments, never the slow
   * requests of one. Twice: the last one holds.
   */
  record(assignment: Assignment): void;
  /**
   * Writes those that are not durable yet, inside the transaction of what refers to them. They may still change, and what
   * a kill leaves of a second that was never final is known, and no evidence.
   */
  keep(ids: readonly string[]): void;
  flush(): Promise<void>;
  /** Those that are known, durable or not. */
  of(ids: readonly string[]): ReadonlyMap<string, Assignment>;
  /** Durable ones with `from <= at < to` in routed order. */
  between(endpoint: string, from: number, to: number): readonly Assignment[];
  /** Milliseconds: no assignment routed before it can still come or change. */
  finalUntil(): number;
  /** Durable ones that are evidence: of seconds in which all of the endpoint were counted (`Counters.covered`). */
  evidence(endpoint: string, from: number, to: number): readonly Assignment[];
}

/** Assignments that are written with the counts of their second, in one transaction. */
export function gatewayAssignments(options: {
  readonly database: DatabaseSync;
  readonly counters: Counters;
}): Assignments {
  const { counters } = options;
  const store = openStore(options.database);
  const pending = new Map<string, Assignment>();
  const before = (second: number) => [...pending.values()].filter(({ at }) => at < second * 1000);

  counters.add({
    firstOpen: () => undefined,
    write: (until) => store.write(before(until), until * 1000 - keepMs),
    written(until) {
      for (const { requestId } of before(until)) pending.delete(requestId);
    },
    prune: (second) => store.prune(second * 1000 - keepMs),
  });

  return {
    record: (assignment) => void pending.set(assignment.requestId, assignment),
    keep(ids) {
      const known = ids.flatMap((id) => pending.get(id) ?? []);
      store.write(known, counters.time() - keepMs);
    },
    flush: counters.flush,
    of(ids) {
      const found = ids.flatMap((id) => {
        const assignment = pending.get(id) ?? store.get(id);
        return assignment === undefined ? [] : ([[id, assignment]] as const);
      });
      return new Map(found);
    },
    between: store.between,
    finalUntil: () => counters.finalUntil() * 1000,
    evidence(endpoint, from, to) {
      const seconds = new Map<number, boolean>();
      return store.between(endpoint, from, to).filter(({ at }) => {
        const second = Math.floor(at / 1000);
        const isWhole = seconds.get(second) ?? counters.covered(endpoint, second, second + 1);
        seconds.set(second, isWhole);
        return isWhole;
      });
    },
  };
}

function openStore(database: DatabaseSync) {
  database.exec(tables);
  const columns = 'endpoint, at, id, deployment, weight, prediction, errored, mirror, mirror_prediction, mirror_failed';
  const insert = database.prepare(
    `INSERT OR REPLACE INTO gateway_assignments (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const byId = database.prepare(`SELECT ${columns} FROM gateway_assignments WHERE id = ?`);
  // Ids of one run of the server ascend, so they put the requests of one millisecond into their order.
  const byTime = database.prepare(
    `SELECT ${columns} FROM gateway_assignments WHERE endpoint = ? AND at >= ? AND at < ? ORDER BY at, id`,
  );
  const forget = database.prepare(
    `DELETE FROM gateway_assignments WHERE (endpoint, at, id) IN
     (SELECT endpoint, at, id FROM gateway_assignments WHERE endpoint = ? AND at < ? LIMIT ?)`,
  );
  // One step in the primary key for each endpoint; `SELECT DISTINCT` would read all rows.
  const endpoints = database.prepare(
    `WITH RECURSIVE names (name) AS (
       SELECT min(endpoint) FROM gateway_assignments UNION ALL
       SELECT (SELECT min(endpoint) FROM gateway_assignments WHERE endpoint > name) FROM names WHERE name IS NOT NULL
     ) SELECT name FROM names WHERE name IS NOT NULL`,
  );

  return {
    /** Runs inside a transaction. */
    write(assignments: readonly Assignment[], forgetBefore: number): void {
      for (const assignment of assignments) insert.run(...valuesOf(assignment));
      const limit = assignments.length * forgetRatio;
      for (const endpoint of new Set(assignments.map((it) => it.endpoint))) forget.run(endpoint, forgetBefore, limit);
    },
    /** Runs inside a transaction. */
    prune(before: number): void {
      for (const { name } of endpoints.all()) forget.run(String(name), before, forgetHourly);
    },
    get(id: string): Assignment | undefined {
      const row = reading(() => byId.get(id));
      return row && assignmentOf(row);
    },
    between: (endpoint: string, from: number, to: number): readonly Assignment[] =>
      reading(() => byTime.all(endpoint, from, to)).map(assignmentOf),
  };
}

const textOf = (prediction: Prediction | undefined): string | null =>
  prediction === undefined ? null : JSON.stringify(prediction);

const valuesOf = ({ requestId, endpoint, deployment, weight, at, prediction, errored, mirror }: Assignment) =>
  [
    endpoint,
    at,
    requestId,
    deployment,
    weight,
    textOf(prediction),
    Number(errored),
    mirror?.deployment ?? null,
    textOf(mirror?.prediction),
    mirror === undefined ? null : Number(mirror.failed),
  ] as const;

function assignmentOf(row: Record<string, unknown>): Assignment {
  return {
    requestId: String(row.id),
    endpoint: String(row.endpoint),
    deployment: String(row.deployment),
    weight: Number(row.weight),
    at: Number(row.at),
    ...predictionOf(row.prediction),
    errored: row.errored === 1,
    ...(row.mirror === null
      ? {}
      : {
          mirror: {
            deployment: String(row.mirror),
            ...predictionOf(row.mirror_prediction),
            failed: row.mirror_failed === 1,
          },
        }),
  };
}

function predictionOf(text: unknown): { readonly prediction?: Prediction } {
  // Written by `textOf`.
  return typeof text === 'string' ? { prediction: JSON.parse(text) as Prediction } : {};
}
