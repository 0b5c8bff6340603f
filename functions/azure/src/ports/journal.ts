import { randomUUID } from 'node:crypto';
import { Fault } from '@serin/core/base/fault';
import { sha256Hex } from '@serin/core/base/json';
import type { Journal } from '@serin/core/ports/journal';
import { indexKeys, type Place, parsed, shardOf, sortable, staleAppend } from '@serin/platform/journal-rows';
import {
  type JournalStore,
  type ShardRange,
  type StoredRows,
  shardedJournal,
  shards,
} from '@serin/platform/sharded-journal';
import { type Azure, AzureError } from '../calls/azure.ts';
import { isNoEntity, TransactionError, tableOf, type Write } from '../calls/table.ts';
import {
  endOfPrefix,
  fromParts,
  inAscii,
  inParts,
  mostInParts,
  type Properties,
  type Row,
  sortedKey,
} from '../calls/table-values.ts';
import { azureFault } from '../faults.ts';

interface Options {
  readonly azure: Azure;
  readonly account: string;
  /** Its keys say all that is asked of it. */
  readonly table: string;
}

const stored = { bytes: mostInParts, of: 'an entity' };
const between = { due: ':', name: '\0' };

/**
 * A journal in one table of Table Storage: the rows of a stream lie in the partition of its shard, its head, its entries
 * and its rows in both indexes, told apart by their keys.
 *
 * `append` is one entity group transaction: it inserts the entry, which must not be there yet, and puts the head and the
 * index rows in the place of those before. Whoever finds the entry there reads whose it is, so a lost answer is no
 * conflict. A state or an entry over 8 MB as text, or over 704 KiB gzipped, is `invalid`. Reads are strongly consistent:
 * they are of the primary region.
 */
export const tableJournal = (options: Options): Journal => shardedJournal(tableStore(options), { stored, between });

function tableStore({ azure, account, table }: Options): JournalStore {
  const rows = tableOf({ azure, account, table });
  const where = `table ${table} of ${account}`;

  async function asked<Answer>(doing: string, work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      throw mendable(error, doing) ?? azureFault(error, doing);
    }
  }

  const indexed = (index: 'due' | 'name', { shard, limit }: ShardRange, after: string, below: string) =>
    asked(`reading the index ${index} in the journal (${where})`, () =>
      rows.rows({
        partition: partitionOf(shard),
        after: `${index}:${after}`,
        below: `${index}:${below}`,
        limit,
        select: ['RowKey', 'stream', 'seq', 'name', 'summary'],
      }),
    );

  /** Whether the entry that stands in the way is the one of this very append: an answer of it may have been lost. */
  async function isMine({ stream, seq, shard }: StoredRows, append: string): Promise<boolean> {
    const found = await rows.row(partitionOf(shard), entryKey(stream, seq), ['append']);
    return found?.append === append;
  }

  /** A row of an index that somebody took away by hand is gone as it should be. */
  async function transact(partition: string, writes: readonly Write[]): Promise<void> {
    try {
      await rows.transact(partition, writes);
    } catch (error) {
      const gone = isNoEntity(error) && error instanceof TransactionError ? writes[error.at] : undefined;
      if (gone?.kind !== 'delete') throw error;
      await transact(
        partition,
        writes.filter((write) => write !== gone),
      );
    }
  }

  return {
    async head(stream) {
      const doing = `reading ${stream} in the journal (${where})`;
      const row = await asked(doing, () => rows.row(partitionOf(shardOf(stream, shards)), headKey(stream)));
      return row && { place: placeOf(stream, row), hash: row.hash ?? '', state: fromParts('state', row) };
    },

    append: (all, before) =>
      asked(`appending to ${all.stream} (${where})`, async () => {
        const append = randomUUID();
        try {
          await transact(partitionOf(all.shard), writesOf(all, before, append));
        } catch (error) {
          if (!(error instanceof AzureError) || error.code !== 'EntityAlreadyExists') throw error;
          if (await isMine(all, append)) return;
          throw staleAppend(all.stream, `it is not at ${all.seq - 1} any more`, error);
        }
      }),

    async entries(stream, before, limit) {
      const range = { after: entryKey(stream, before), below: `${entryKey(stream)};`, limit }; // ';' follows ':'
      const partition = partitionOf(shardOf(stream, shards));
      const found = await asked(`reading ${stream} in the journal (${where})`, () =>
        rows.rows({ partition, ...range }),
      );
      return found.map((row) => ({ seq: Number(row.seq), entry: fromParts('entry', row) }));
    },

    async due(now, range) {
      const found = await indexed('due', range, range.after ?? '', `${sortable(now)};`);
      return found.map(({ RowKey = '', stream }) => {
        const at = RowKey.slice('due:'.length);
        return { at, stream: textIn(stream), due: Number.parseInt(at, 10) };
      });
    },

    async names(prefix, range) {
      const [, after = ''] = [sortedKey(prefix), sortedKey(range.after ?? '')].sort();
      const found = await indexed('name', range, after, endOfPrefix(prefix));
      return found.map((row) => {
        const [stream, key] = [textIn(row.stream), textIn(row.name)];
        return { at: nameAt(stream, key), stream, key, seq: Number(row.seq), summary: row.summary ?? '' };
      });
    },
  };
}

function writesOf(rows: StoredRows, before: Place, append: string): readonly Write[] {
  const { stream, seq, hash, due, name, place } = rows;
  const listed = { stream: inAscii(JSON.stringify(stream)), seq: BigInt(seq) };
  const named = name === undefined ? {} : { name: inAscii(JSON.stringify(name.key)) };
  const head = { ...listed, ...named, ...(due === undefined ? {} : { due: BigInt(due) }), hash };
  return [
    {
      kind: 'insert',
      row: entryKey(stream, seq),
      properties: { ...listed, append, ...inParts('entry', rows.entry) },
    },
    { kind: 'put', row: headKey(stream), properties: { ...head, ...inParts('state', rows.state) } },
    ...moved(dueKey(before), dueKey(place), listed),
    ...moved(nameKey(before), nameKey(place), { ...listed, ...named, summary: inAscii(name?.summary ?? '') }),
  ];
}

/** The row of an index at its new place, and away from its old one. */
const moved = (before: string | undefined, now: string | undefined, properties: Properties): readonly Write[] => [
  ...(now === undefined ? [] : [{ kind: 'put', row: now, properties } as const]),
  ...(before === undefined || before === now ? [] : [{ kind: 'delete', row: before } as const]),
];

const partitionOf = (shard: number): string => String(shard).padStart(2, '0');

const headKey = (stream: string): string => `head:${sha256Hex(stream)}`;

/** The newest entry comes first: a table can be read in one direction only. */
const entryKey = (stream: string, seq?: number): string =>
  `entry:${sha256Hex(stream)}${seq === undefined ? '' : `:${sortable(Number.MAX_SAFE_INTEGER - seq)}`}`;

const dueKey = ({ due }: Place): string | undefined => (due === undefined ? undefined : `due:${due}`);

const nameKey = ({ name }: Place): string | undefined => (name === undefined ? undefined : `name:${sortedKey(name)}`);

function placeOf(stream: string, { seq, due, name }: Row): Place {
  const named = name === undefined ? undefined : { key: textIn(name), summary: '' };
  const indexed = { stream, due: due === undefined ? undefined : Number(due), name: named };
  return { seq: Number(seq), ...indexKeys(indexed, between) };
}

const nameAt = (stream: string, key: string): string =>
  indexKeys({ stream, due: undefined, name: { key, summary: '' } }, between).name ?? '';

const textIn = (json: string | undefined): string => String(parsed(json, () => 'a row'));

/** What somebody must mend at the account; until then nothing is given up. */
function mendable(error: unknown, doing: string): Fault | undefined {
  if (!(error instanceof AzureError)) return undefined;
  const fault = (mend: string) =>
    new Fault('unavailable', `${doing} failed; ${mend}: ${error.message}`, { cause: error });
  if (error.status === 403)
    return fault('run `serin deploy`, which gives the managed identity a role for the table; a new role takes minutes');
  if (error.code === 'TableNotFound' || error.code === 'TableBeingDeleted')
    return fault('run `serin deploy`, which creates the table, and restore its rows from your own copy of them');
  return undefined;
}
