import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { asFault } from '@serin/core/base/fault';
import { machines } from '@serin/core/model/machines';
import { schema, upgrade, upgradeRecord } from '@serin/core/model/upgrade';
import type { Journal } from '@serin/core/ports/journal';
import { sqliteJournal } from '../ports/journal.ts';
import { databaseFile, snapshotDatabase } from './snapshot.ts';

/** Whether this version can take a data directory over. */
export interface Readable {
  readonly streams: number;
  /** States that an older version wrote: each is written in today's form with its next entry. */
  readonly older: number;
  readonly problems: readonly string[];
}

/** Reads every state of a data directory as a start would, in a copy: a server may run there, and nothing is changed. */
export async function checkReadable(directory: string): Promise<Readable> {
  const copy = await mkdtemp(join(tmpdir(), 'serin-upgrade-'));
  try {
    await snapshotDatabase(directory, join(copy, databaseFile));
    const database = new DatabaseSync(join(copy, databaseFile));
    try {
      return await readStates(sqliteJournal({ database }));
    } finally {
      database.close();
    }
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function readStates(journal: Journal): Promise<Readable> {
  const problems: string[] = [];
  let [streams, older] = [0, 0];
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await journal.names('', cursor);
    for (const { stream } of items) {
      streams += 1;
      try {
        const head = await journal.head(stream);
        if (isOlder(stream, head?.state)) older += 1;
        problems.push(...unknownStates(stream, head?.state));
      } catch (error) {
        problems.push(`${stream}: ${asFault(error).message}`);
      }
    }
    if (next === undefined) return { streams, older, problems };
    cursor = next;
  }
}

const isOlder = (stream: string, state: unknown): boolean =>
  stream.startsWith('model/') && Object(state).schema !== schema;

/** Statuses that no machine of this version has. */
function unknownStates(stream: string, state: unknown): readonly string[] {
  const [kind = ''] = stream.split('/');
  if (kind === 'run' || kind === 'rollout') {
    upgradeRecord(kind, state);
    return [];
  }
  if (kind !== 'model') return [];
  const model = Object(upgrade(state)) as Readonly<Record<string, { readonly status?: unknown } | undefined>>;
  return Object.entries(machines).flatMap(([name, { table }]) => {
    const status = model[name]?.status;
    return status === undefined || Object.hasOwn(table, String(status))
      ? []
      : [`${stream}: its ${name} is '${String(status)}', which this version does not know`];
  });
}
