import type { DatabaseSync } from 'node:sqlite';
import { sqliteFault } from './faults.ts';
import type { ServerRecord } from './model-server.ts';

const table = `
  CREATE TABLE IF NOT EXISTS model_servers (
    endpoint TEXT NOT NULL, deployment TEXT NOT NULL, instance INTEGER NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (endpoint, deployment, instance)
  ) WITHOUT ROWID;
`;

export interface Slot {
  readonly endpoint: string;
  readonly deployment: string;
  readonly instance: number;
}

/** Which processes run, so that the next run of the server finds them. Durable when a method returns. */
export interface ServerRecords {
  all(): readonly { readonly slot: Slot; readonly record: ServerRecord }[];
  get(slot: Slot): ServerRecord | undefined;
  put(slot: Slot, record: ServerRecord): void;
  /** Adds to a record; of a slot that has none: one without a process. */
  change(slot: Slot, change: { readonly wasReady: true } | { readonly failed: string }): void;
  /** Forgets all instances of a deployment, and answers what it forgot. */
  remove(endpoint: string, deployment: string): readonly ServerRecord[];
}

export function serverRecords(database: DatabaseSync): ServerRecords {
  database.exec(table);
  const select = database.prepare('SELECT endpoint, deployment, instance, record FROM model_servers');
  const one = database.prepare(
    'SELECT record FROM model_servers WHERE endpoint = ? AND deployment = ? AND instance = ?',
  );
  const insert = database.prepare('INSERT OR REPLACE INTO model_servers VALUES (?, ?, ?, ?)');
  const remove = database.prepare('DELETE FROM model_servers WHERE endpoint = ? AND deployment = ? RETURNING record');

  const records: ServerRecords = {
    all: () =>
      guarded(() => select.all()).map((row) => ({
        slot: { endpoint: String(row.endpoint), deployment: String(row.deployment), instance: Number(row.instance) },
        record: parsed(row.record),
      })),
    get({ endpoint, deployment, instance }) {
      const row = guarded(() => one.get(endpoint, deployment, instance));
      return row && parsed(row.record);
    },
    put({ endpoint, deployment, instance }, record) {
      guarded(() => insert.run(endpoint, deployment, instance, JSON.stringify(record)));
    },
    change(slot, change) {
      const record = records.get(slot) ?? { mark: '', port: 0, wasReady: false };
      records.put(slot, { ...record, ...change });
    },
    remove: (endpoint, deployment) => guarded(() => remove.all(endpoint, deployment)).map((row) => parsed(row.record)),
  };
  return records;
}

/** Of a restored history: what ran when it was written belongs to the server that it came from. */
export function forgetServers(database: DatabaseSync): void {
  const records = serverRecords(database);
  for (const { slot, record } of records.all()) {
    const { process: _, ...kept } = record;
    records.put(slot, { ...kept, mark: '' });
  }
}

const parsed = (text: unknown): ServerRecord => JSON.parse(String(text)) as ServerRecord; // written by `put`

function guarded<Answer>(work: () => Answer): Answer {
  try {
    return work();
  } catch (error) {
    throw sqliteFault(error);
  }
}
