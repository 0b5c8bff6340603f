import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Label, LabelAnswer, Labels, LabelTick } from '@serin/core/ports/telemetry';
import { openLabelTick, outcomeOf, outcomeText, type StoredOutcome } from '@serin/platform/label-outcomes';
import { checkLabelled, checkLabels } from '@serin/platform/telemetry';
import type { Assignment, Assignments } from './assignments.ts';
import { reading } from './faults.ts';
import { groupCommit } from './group-commit.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS labels (
    endpoint TEXT NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL,
    received INTEGER NOT NULL, time INTEGER NOT NULL, outcome TEXT NOT NULL,
    PRIMARY KEY (endpoint, at, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS label_totals (
    endpoint TEXT NOT NULL, answer TEXT NOT NULL, count INTEGER NOT NULL, received INTEGER NOT NULL,
    PRIMARY KEY (endpoint, answer)
  ) WITHOUT ROWID;
`;

/** As long as their requests are known. */
const keepMs = 35 * 24 * 3600 * 1000;
const maxTicks = 50_000;
/** Labels that are recorded in one piece: a few milliseconds of the event loop. */
const sliceLength = 500;
/** Old labels that are forgotten for each that comes, and of each endpoint when the store is opened. */
const forgetRatio = 2;
const forgetAtOpen = 100_000;
/** The row of totals for labels that belong to no endpoint. */
const nowhere = '';

interface Options {
  readonly database: DatabaseSync;
  readonly assignments: Assignments;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** What decides whether a label of an endpoint is `late`; `undefined`: none is. `labels` goes by its query alone. */
  readonly windowOf?: (endpoint: string) => { readonly tickMs: number; readonly maturityMs: number } | undefined;
  /** An answer ends with the tick in which it has so many: losses are told one by one. */
  readonly mostLosses?: number;
}

export type LabelStore = Labels;
type Query = Parameters<Labels['labels']>[0];

/**
 * Outcomes of requests, joined to who answered them; what is wrong is said in label-outcomes.ts of the platform.
 *
 * A label is in time when it is received before its tick closes, by a clock that never goes back. A late label is kept,
 * and is in no tick.
 */
export function labelStore(options: Options): LabelStore {
  const { database, assignments, now, windowOf = () => undefined, mostLosses = 200_000 } = options;
  const store = openStore(database);
  const commit = groupCommit(database);
  let newest = store.lastReceived();
  const clock = (): number => {
    newest = Math.max(newest, Math.floor(now()));
    return newest;
  };
  store.forget(clock() - keepMs);

  function isLate({ endpoint, at }: Assignment, received: number): boolean {
    const window = windowOf(endpoint);
    if (window === undefined) return false;
    return received >= (Math.floor(at / window.tickMs) + 1) * window.tickMs + window.maturityMs;
  }

  function take(
    { requestId, time, outcome }: Label,
    assignment: Assignment | undefined,
    received: number,
  ): LabelAnswer {
    if (assignment === undefined) return 'unknown';
    const { endpoint, at } = assignment;
    const text = outcomeText(outcome);
    const known = store.outcomeOf(endpoint, at, requestId);
    if (known !== undefined) return known === text ? 'duplicate' : 'conflict';
    store.insert(endpoint, at, requestId, received, time, text);
    return isLate(assignment, received) ? 'late' : 'recorded';
  }

  /** Runs inside a transaction, in which the time is taken: who read a closed tick before it makes it late. */
  function takeAll(labels: readonly Label[]): readonly LabelAnswer[] {
    const received = clock();
    const known = assignments.of(labels.map(({ requestId }) => requestId));
    const totals = new Map<string, Map<LabelAnswer, number>>();
    const answers = labels.map((label) => {
      const assignment = known.get(label.requestId);
      const answer = take(label, assignment, received);
      const counts = totals.get(assignment?.endpoint ?? nowhere) ?? new Map<LabelAnswer, number>();
      totals.set(assignment?.endpoint ?? nowhere, counts.set(answer, (counts.get(answer) ?? 0) + 1));
      return answer;
    });
    assignments.keep(labels.flatMap(({ requestId }, index) => (isTaken(answers[index]) ? [requestId] : [])));
    for (const [endpoint, counts] of totals) {
      store.count(endpoint, counts, received);
      store.forgetOf(endpoint, received - keepMs, labels.length * forgetRatio);
    }
    return answers;
  }

  function tickOf({ endpoint, tickMs, maturityMs, truths }: Query, start: number): LabelTick {
    const end = start + tickMs;
    const outcomes = store.outcomes(endpoint, start, end, end + maturityMs);
    const tick = openLabelTick(start, truths);
    for (const assignment of assignments.evidence(endpoint, start, end))
      tick.add(assignment, outcomes.get(assignment.requestId));
    return tick.close();
  }

  return {
    async label(labels) {
      checkLabels(labels);
      const answers: LabelAnswer[] = [];
      for (let from = 0; from < labels.length; from += sliceLength)
        answers.push(...(await commit(() => takeAll(labels.slice(from, from + sliceLength)))));
      return answers;
    },
    async labels(query) {
      checkLabelled(query, maxTicks);
      const { from, to, tickMs, maturityMs } = query;
      await assignments.flush();
      const closed = Math.min(to, assignments.finalUntil(), clock() - maturityMs);
      const ticks: LabelTick[] = [];
      let losses = 0;
      for (let start = Math.ceil(from / tickMs) * tickMs; start + tickMs <= closed; start += tickMs) {
        const tick = tickOf(query, start);
        ticks.push(tick);
        losses += tick.losses.length;
        if (losses >= mostLosses) break;
        await nextTurn();
      }
      return ticks;
    },
    labelTotals: async (endpoint) => store.totals(endpoint),
  };
}

const isTaken = (answer: LabelAnswer | undefined): boolean => answer === 'recorded' || answer === 'late';

/** When the newest label came, as this store has it: milliseconds, 0 before the first. */
export const lastLabel = (database: DatabaseSync): number => openStore(database).lastReceived();

function openStore(database: DatabaseSync) {
  database.exec(tables);
  const find = database.prepare('SELECT outcome FROM labels WHERE endpoint = ? AND at = ? AND id = ?');
  const insert = database.prepare('INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?)');
  const inTime = database.prepare(
    'SELECT id, outcome FROM labels WHERE endpoint = ? AND at >= ? AND at < ? AND received < ?',
  );
  const forget = database.prepare(
    `DELETE FROM labels WHERE (endpoint, at, id) IN
     (SELECT endpoint, at, id FROM labels WHERE endpoint = ? AND at < ? LIMIT ?)`,
  );
  const add = database.prepare(
    `INSERT INTO label_totals VALUES (?, ?, ?, ?) ON CONFLICT (endpoint, answer)
     DO UPDATE SET count = count + excluded.count, received = excluded.received`,
  );
  const totals = database.prepare(
    `SELECT answer, count FROM label_totals WHERE endpoint = ? OR (endpoint = '${nowhere}' AND answer = 'unknown')`,
  );
  const last = database.prepare('SELECT max(received) AS received FROM label_totals');
  const endpoints = database.prepare('SELECT DISTINCT endpoint FROM label_totals');
  const forgetOf = (endpoint: string, before: number, limit: number): void => void forget.run(endpoint, before, limit);

  return {
    lastReceived: () => Number(last.get()?.received ?? 0),
    insert: (...row: [string, number, string, number, number, string]) => void insert.run(...row),
    count(endpoint: string, counts: ReadonlyMap<LabelAnswer, number>, received: number): void {
      for (const [answer, count] of counts) add.run(endpoint, answer, count, received);
    },
    forgetOf,
    forget(before: number): void {
      for (const { endpoint } of endpoints.all()) forgetOf(String(endpoint), before, forgetAtOpen);
    },
    outcomeOf(endpoint: string, at: number, id: string): string | undefined {
      const row = find.get(endpoint, at, id);
      return row === undefined ? undefined : String(row.outcome);
    },
    outcomes: (endpoint: string, from: number, to: number, before: number): ReadonlyMap<string, StoredOutcome> =>
      new Map(
        reading(() => inTime.all(endpoint, from, to, before)).map(({ id, outcome }) => [
          String(id),
          outcomeOf(String(outcome)),
        ]),
      ),
    totals(endpoint: string): Readonly<Record<LabelAnswer, number>> {
      const rows = reading(() => totals.all(endpoint)).map(({ answer, count }) => [answer, Number(count)]);
      return { recorded: 0, duplicate: 0, conflict: 0, unknown: 0, late: 0, ...Object.fromEntries(rows) };
    },
  };
}
