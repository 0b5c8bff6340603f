import { Fault } from '@serin/core/base/fault';
import { sha256Hex } from '@serin/core/base/json';
import type { Journal } from '@serin/core/ports/journal';
import { shardOf, sortable, staleAppend } from '@serin/platform/journal-rows';
import {
  type JournalStore,
  type ShardRange,
  type StoredRows,
  shardedJournal,
  shards,
} from '@serin/platform/sharded-journal';
import { type Google, GoogleError } from '../calls/google.ts';
import { bytes, bytesIn, type Fields, numberIn, text, textIn, type Value, whole } from '../calls/values.ts';
import { gcpFault } from '../faults.ts';

interface Options {
  readonly google: Google;
  /** `projects/P/databases/D`, in native mode; its indexes are `journalFields` of packages/clouds. */
  readonly database: string;
}

// A document holds 1,048,576 bytes, its name and the names of its fields included, and a request 10 MiB.
// https://docs.cloud.google.com/firestore/quotas
const stored = { bytes: 1_000_000, of: 'a document' };
const between = { due: '#', name: '\0' };

/**
 * A journal in one Firestore database: a document per stream, which is its head and its row in both indexes, and below it a
 * document per entry.
 *
 * `append` is one request, an atomic commit of the two. Its condition is that the next entry is not there: entries have no
 * gap and are never deleted, so a head that was once seen at a seq is there as long as that holds. A state or an entry
 * that is over 8 MB as text or over 1 MB gzipped is `invalid`. Reads and queries are strongly consistent.
 */
export const firestoreJournal = (options: Options): Journal =>
  shardedJournal(firestoreStore(options), { stored, between });

function firestoreStore({ google, database }: Options): JournalStore {
  const documents = `${database}/documents`;
  const shardName = (shard: number): string => `${documents}/shards/${shard}`;
  // Any text is the name of a stream, but no id of a document has a `/` or is `..`.
  const headName = (stream: string, shard = shardOf(stream, shards)): string =>
    `${shardName(shard)}/streams/${sha256Hex(stream)}`;

  async function post<Answer>(path: string, body: object, doing: string): Promise<Answer> {
    try {
      // Made twice, a commit is refused the second time: its entry is there.
      return await google.json<Answer>({
        service: 'firestore',
        method: 'POST',
        path: `v1/${path}`,
        body,
        repeatable: true,
      });
    } catch (error) {
      throw mendable(error, doing, database) ?? gcpFault(error, doing);
    }
  }

  /** The status of HTTP went out before the first part of an answer did. */
  const cutOff = (error: Streamed['error'], doing: string): Fault =>
    gcpFault(new GoogleError(error?.message ?? 'no answer', { status: 503, rpc: error?.status ?? '' }), doing);

  async function query(parent: string, structuredQuery: object, what: string): Promise<readonly Found[]> {
    const doing = `reading ${what} in the journal (${database})`;
    const answers = await post<readonly Streamed[]>(`${parent}:runQuery`, { structuredQuery }, doing);
    return answers.flatMap(({ document, error }) => {
      if (error !== undefined) throw cutOff(error, doing);
      return document === undefined ? [] : [document];
    });
  }

  async function indexed(field: 'due' | 'name', { shard, after, limit }: ShardRange, where: object | undefined) {
    const kind = field === 'due' ? text : bytes;
    const found = await query(
      shardName(shard),
      {
        from: [{ collectionId: 'streams' }],
        select: { fields: [field, ...listed].map((fieldPath) => ({ fieldPath })) },
        ...(where === undefined ? {} : { where }),
        orderBy: [{ field: { fieldPath: field }, direction: 'ASCENDING' }],
        ...(after === undefined ? {} : { startAt: { values: [kind(after)], before: false } }),
        limit,
      },
      `the index ${field}`,
    );
    return found.map(({ fields }) => ({ kept: keptIn(fields), at: textIn(fields[field]) }));
  }

  return {
    async head(stream) {
      const name = headName(stream);
      const doing = `reading ${stream} in the journal (${database})`;
      const [answer] = await post<readonly Streamed[]>(`${documents}:batchGet`, { documents: [name] }, doing);
      if (answer?.missing !== undefined) return undefined;
      if (answer?.found === undefined) throw cutOff(answer?.error, doing);
      const { seq, hash, state } = keptIn(answer.found.fields);
      return { place: { seq: numberIn(seq) }, hash: textIn(hash), state: bytesIn(state) };
    },

    async append(rows) {
      const { stream, seq } = rows;
      const writes = writesOf(headName(stream, rows.shard), rows);
      try {
        await post(`${documents}:commit`, { writes }, `appending to ${stream} (${database})`);
      } catch (error) {
        // ALREADY_EXISTS, and ABORTED while another append to the stream is being made.
        if (error instanceof Fault && error.code === 'conflict')
          throw staleAppend(stream, `it is not at ${seq - 1} any more`, error);
        throw error;
      }
    },

    async entries(stream, before, limit) {
      const found = await query(
        headName(stream),
        {
          from: [{ collectionId: 'entries' }],
          where: compared('seq', 'LESS_THAN', whole(before)),
          orderBy: [{ field: { fieldPath: 'seq' }, direction: 'DESCENDING' }],
          limit,
        },
        stream,
      );
      return found.map(({ fields }) => ({ seq: numberIn(fields.seq), entry: bytesIn(fields.entry) }));
    },

    async due(now, range) {
      const rows = await indexed('due', range, compared('due', 'LESS_THAN', text(`${sortable(now)}$`))); // '$' follows '#'
      return rows.map(({ kept, at }) => ({ at, stream: textIn(kept.stream), due: Number.parseInt(at, 10) }));
    },

    async names(prefix, range) {
      const rows = await indexed('name', range, prefix === '' ? undefined : startsWith('name', prefix));
      return rows.map(({ kept, at }) => ({
        ...{ at, stream: textIn(kept.stream), seq: numberIn(kept.seq), summary: textIn(kept.summary) },
        key: at.slice(0, at.lastIndexOf(between.name)),
      }));
    },
  };
}

interface Found {
  readonly fields: Fields;
}
/** An answer of `batchGet` or `runQuery` is a list of these; one may report that nothing was found so far. */
interface Streamed {
  readonly found?: Found;
  readonly missing?: string;
  readonly document?: Found;
  readonly error?: { readonly status?: string; readonly message?: string };
}

function writesOf(head: string, rows: StoredRows): readonly object[] {
  const { seq, place, entry, stream, hash, state, name } = rows;
  const kept = { stream: text(stream), seq: whole(seq), hash: text(hash), state: bytes(state) };
  const fields = {
    ...(place.due === undefined ? {} : { due: text(place.due) }),
    // Bytes have an exact end of a prefix, and an order of their own in every language.
    ...(place.name === undefined ? {} : { name: bytes(place.name) }),
    kept: { mapValue: { fields: name === undefined ? kept : { ...kept, summary: text(name.summary) } } },
  };
  return [
    {
      update: { name: `${head}/entries/${sortable(seq)}`, fields: { seq: whole(seq), entry: bytes(entry) } },
      currentDocument: { exists: false },
    },
    { update: { name: head, fields } },
  ];
}

/** What a row of an index says of its stream: not its state. */
const listed = ['kept.stream', 'kept.seq', 'kept.summary'];

const keptIn = ({ kept }: Fields): Fields => kept?.mapValue?.fields ?? {};

const compared = (fieldPath: string, op: string, value: Value) => ({
  fieldFilter: { field: { fieldPath }, op, value },
});

/** From the prefix to the first bytes after all that begin with it: no byte of UTF-8 is 255. */
function startsWith(field: string, prefix: string) {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  const filters = [compared(field, 'GREATER_THAN_OR_EQUAL', bytes(prefix)), compared(field, 'LESS_THAN', bytes(end))];
  return { compositeFilter: { op: 'AND', filters } };
}

/** Firestore says of what it lacks neither which it is nor what to do. All of it can be mended, so nothing is given up. */
function mendable(error: unknown, doing: string, database: string): Fault | undefined {
  if (!(error instanceof GoogleError)) return undefined;
  const { rpc, message } = error;
  const fault = (mend: string, code: 'unavailable' | 'throttled' = 'unavailable') =>
    new Fault(code, `${doing} failed; ${mend}: ${message}`, { cause: error });
  // "Missing or insufficient permissions."
  if (rpc === 'PERMISSION_DENIED' && /^missing or insufficient/i.test(message))
    return fault("run `serin deploy`, which gives the function's service account a role for this database");
  // "The database (default) does not exist for project acme ..."
  if (rpc === 'NOT_FOUND' && /database/.test(message))
    return fault(
      `create ${database} again by \`serin deploy\`, or restore it by \`gcloud firestore databases restore\``,
    );
  if (rpc === 'FAILED_PRECONDITION' && /index/.test(message))
    return fault('run `serin deploy`, which makes the indexes, and wait some minutes');
  // "Quota exceeded.": a rate, or what a day has without billing.
  if (rpc === 'RESOURCE_EXHAUSTED')
    return fault('wait, it is tried again; if it stays so, look whether the project has billing', 'throttled');
  return undefined;
}
