import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { reading } from '../machine/faults.ts';
import { groupCommit } from '../machine/group-commit.ts';
import type { Pair, Point } from './fields.ts';
import { Refused, wrong } from './refused.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS mlflow_items (
    kind TEXT NOT NULL, id TEXT NOT NULL, parent TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (kind, id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS mlflow_items_parent ON mlflow_items (kind, parent, at);
  CREATE INDEX IF NOT EXISTS mlflow_items_name ON mlflow_items (kind, name);
  CREATE TABLE IF NOT EXISTS mlflow_texts (
    kind TEXT NOT NULL, owner TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (kind, owner, scope, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS mlflow_metrics (
    run TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, step INTEGER NOT NULL, timestamp INTEGER NOT NULL,
    value NOT NULL, PRIMARY KEY (run, scope, key, step, timestamp, value)
  ) WITHOUT ROWID;
`;

/** What clients made: Serin's own models, runs and versions are not among them. */
export interface Bodies {
  readonly experiment: { readonly isDeleted?: true; readonly updatedAt: number };
  readonly run: RunBody;
  /** A logged model: files of a run that make a model. */
  readonly model: LoggedBody;
  readonly registered: { readonly description: string; readonly updatedAt: number; readonly last: number };
  readonly version: VersionBody;
}
export type Kind = keyof Bodies;

export interface RunBody {
  readonly user: string;
  readonly status: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly isDeleted?: true;
  /** The run of Serin whose job made it. */
  readonly owner?: string;
}

export interface LoggedBody {
  readonly run: string;
  readonly experiment: string;
  /** Which job of a run of Serin logged it. */
  readonly scope: string;
  /** Where its files are below the folder of artifacts. */
  readonly root: string;
  readonly status: string;
  readonly type: string;
  readonly params: readonly Pair[];
  readonly updatedAt: number;
}

export interface VersionBody {
  readonly number: number;
  readonly source: string;
  readonly run: string;
  readonly description: string;
  readonly stage: string;
  readonly updatedAt: number;
}

export interface Item<Of extends Kind> {
  readonly id: string;
  readonly parent: string;
  readonly name: string;
  readonly at: number;
  readonly body: Bodies[Of];
}

/** An `input` is a dataset, as JSON. The owner of a text is `<kind>/<id>`. */
export type TextKind = 'param' | 'tag' | 'alias' | 'input';

export type Store = ReturnType<typeof openStore>;

/**
 * What clients of MLflow logged, in tables of the server's database.
 *
 * Methods that write run inside a `commit`, and writing the same twice is writing it once: a client that got no answer
 * sends a request again. The `scope` of what a job of a run of Serin logged is `<step>/<attempt>`, else it is empty.
 */
export function openStore(database: DatabaseSync) {
  database.exec(tables);
  const statement = (sql: string) => {
    const prepared = database.prepare(sql);
    return {
      all: (...values: SQLInputValue[]) => reading(() => prepared.all(...values)),
      get: (...values: SQLInputValue[]) => reading(() => prepared.get(...values)),
      run: (...values: SQLInputValue[]) => void prepared.run(...values),
    };
  };
  const putItem = statement('INSERT OR REPLACE INTO mlflow_items VALUES (?, ?, ?, ?, ?, ?)');
  const dropItem = statement('DELETE FROM mlflow_items WHERE kind = ? AND id = ?');
  const item = statement('SELECT * FROM mlflow_items WHERE kind = ? AND id = ?');
  const named = statement('SELECT * FROM mlflow_items WHERE kind = ? AND name = ? ORDER BY at DESC');
  const below = statement('SELECT * FROM mlflow_items WHERE kind = ? AND parent = ? ORDER BY at DESC, id');
  const every = statement('SELECT * FROM mlflow_items WHERE kind = ? ORDER BY at DESC, id');
  const newest = statement("SELECT max(CAST(id AS INTEGER)) AS id FROM mlflow_items WHERE kind = 'experiment'");
  const putText = statement('INSERT OR REPLACE INTO mlflow_texts VALUES (?, ?, ?, ?, ?)');
  const dropText = statement('DELETE FROM mlflow_texts WHERE kind = ? AND owner = ? AND key = ?');
  const dropTexts = statement('DELETE FROM mlflow_texts WHERE owner = ?');
  const moveTexts = statement('UPDATE OR REPLACE mlflow_texts SET owner = ? WHERE owner = ?');
  const text = statement('SELECT value FROM mlflow_texts WHERE kind = ? AND owner = ? AND scope = ? AND key = ?');
  const texts = statement(
    'SELECT scope, key, value FROM mlflow_texts WHERE kind = ? AND owner = ? ORDER BY scope, key',
  );
  const putPoint = statement('INSERT OR IGNORE INTO mlflow_metrics VALUES (?, ?, ?, ?, ?, ?)');
  const scopes = statement('SELECT DISTINCT scope FROM mlflow_metrics WHERE run = ? ORDER BY scope');
  const nextKey = statement('SELECT min(key) AS key FROM mlflow_metrics WHERE run = ? AND scope = ? AND key > ?');
  const lastPoint = statement(
    `SELECT key, value, timestamp, step FROM mlflow_metrics WHERE run = ? AND scope = ? AND key = ?
     ORDER BY step DESC, timestamp DESC, value DESC LIMIT 1`,
  );
  const history = statement(
    `SELECT key, value, timestamp, step FROM mlflow_metrics WHERE run = ? AND scope = ? AND key = ?
     ORDER BY step, timestamp, value`,
  );
  const forgetTexts = statement('DELETE FROM mlflow_texts WHERE owner = ? AND scope = ?');
  const forgetPoints = statement('DELETE FROM mlflow_metrics WHERE run = ? AND scope = ?');

  const itemOf = <Of extends Kind>(row: Record<string, unknown> | undefined): Item<Of> | undefined =>
    row === undefined ? undefined : ({ ...row, body: JSON.parse(String(row.body)) } as unknown as Item<Of>); // of `put`
  const itemsOf = <Of extends Kind>(rows: Record<string, unknown>[]): readonly Item<Of>[] =>
    rows.flatMap((row) => itemOf<Of>(row) ?? []);

  return {
    commit: groupCommit(database),

    put: <Of extends Kind>(kind: Of, { id, parent, name, at, body }: Item<Of>): void =>
      putItem.run(kind, id, parent, name, at, JSON.stringify(body)),
    drop: (kind: Kind, id: string): void => dropItem.run(kind, id),
    item: <Of extends Kind>(kind: Of, id: string) => itemOf<Of>(item.get(kind, id)),
    /** The newest first. */
    named: <Of extends Kind>(kind: Of, name: string) => itemsOf<Of>(named.all(kind, name)),
    below: <Of extends Kind>(kind: Of, parent: string) => itemsOf<Of>(below.all(kind, parent)),
    every: <Of extends Kind>(kind: Of) => itemsOf<Of>(every.all(kind)),
    nextExperiment: (): string => String(Number(newest.get()?.id ?? -1) + 1),

    setText: (kind: TextKind, owner: string, { key, value }: Pair, scope = ''): void =>
      putText.run(kind, owner, scope, key, value),
    /** From every scope. */
    removeText: (kind: TextKind, owner: string, key: string): void => dropText.run(kind, owner, key),
    removeTexts: (owner: string): void => dropTexts.run(owner),
    moveTexts: (from: string, to: string): void => moveTexts.run(to, from),
    texts: (kind: TextKind, owner: string) =>
      texts.all(kind, owner) as unknown as readonly (Pair & { readonly scope: string })[], // the columns of the query
    /** A param keeps its first value: `invalid` for another one, and nothing is written then. */
    checkParams(owner: string, params: readonly Pair[], scope: string): void {
      const given = new Map<string, string>();
      for (const { key, value } of params) {
        const known = given.get(key) ?? text.get('param', owner, scope, key)?.value;
        if (known !== undefined && known !== value)
          throw wrong(
            `changing the value of a param is not allowed: '${key}' was '${String(known).slice(0, 100)}' and cannot become '${value.slice(0, 100)}'; use another key or another run`,
          );
        given.set(key, value);
      }
    },

    addPoint: (run: string, { key, value, timestamp, step }: Point, scope: string): void =>
      putPoint.run(run, scope, key, step, timestamp, value),
    scopes: (run: string): readonly string[] => scopes.all(run).map(({ scope }) => String(scope)),
    /** The last value of each metric. */
    lastPoints(run: string, scope: string): readonly Point[] {
      const points: Point[] = [];
      let key = '';
      for (;;) {
        const next = nextKey.get(run, scope, key)?.key;
        if (typeof next !== 'string') return points;
        key = next;
        points.push(lastPoint.get(run, scope, key) as unknown as Point); // the columns of the query
      }
    },
    history: (run: string, scope: string, key: string) => history.all(run, scope, key) as unknown as readonly Point[], // the columns of the query
    /** A job is tried once more: what the attempt before logged is not part of the run any more. */
    forget(run: string, scope: string): void {
      forgetTexts.run(`run/${run}`, scope);
      forgetPoints.run(run, scope);
    },
  };
}

/** A name that is free among the items of a kind, deleted ones included, as MLflow has it. */
export function checkFree(store: Store, kind: Kind, name: string): void {
  if (store.named(kind, name).length > 0)
    throw new Refused('RESOURCE_ALREADY_EXISTS', `'${name}' already exists; use it, or choose another name`);
}
