import { keyIn } from '@serin/core/base/cursor';
import type { Append, Entry, Head, Journal, NameRow } from '@serin/core/ports/journal';
import {
  indexKeys,
  journalPageSize,
  mergedPage,
  type Place,
  parsed,
  recentPlaces,
  refuseGap,
  rowsOf,
  shardOf,
  staleAppend,
} from './journal-rows.ts';
import { type PackedLimit, packed, unpacked } from './packed.ts';

/** What one append writes. */
export interface StoredRows {
  readonly stream: string;
  readonly seq: number;
  readonly hash: string;
  /** Where the head stands from then on. */
  readonly place: Place;
  /** Where the index rows of the stream lie. */
  readonly shard: number;
  readonly entry: Uint8Array;
  readonly state: Uint8Array;
  readonly due: number | undefined;
  /** The summary is JSON. */
  readonly name: { readonly key: string; readonly summary: string } | undefined;
}

export interface StoredHead {
  readonly place: Place;
  readonly hash: string;
  readonly state: Uint8Array | undefined;
}

/** Rows of one shard of an index, in the order of their keys. */
export interface ShardRange {
  readonly shard: number;
  /** The key after which they begin; it need not be there. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** A row of an index, under the key by which it is sorted. */
interface Keyed {
  readonly at: string;
  readonly stream: string;
}

/** A database of a cloud, as far as a journal needs it: all reads are consistent; it throws `Fault`s. */
export interface JournalStore {
  head(stream: string): Promise<StoredHead | undefined>;
  /**
   * One atomic write of entry, head and index rows on condition that the head stands at `before` (seq 0: there is none)
   * and the entry is not there. Another append that came first, or is being made, is `staleAppend`.
   */
  append(rows: StoredRows, before: Place): Promise<void>;
  /** Those with `seq < before`, newest first, at most `limit`. */
  entries(
    stream: string,
    before: number,
    limit: number,
  ): Promise<readonly { readonly seq: number; readonly entry: Uint8Array | undefined }[]>;
  due(now: number, range: ShardRange): Promise<readonly (Keyed & { readonly due: number })[]>;
  names(
    prefix: string,
    range: ShardRange,
  ): Promise<readonly (Keyed & Omit<NameRow, 'summary'> & { summary: string })[]>;
}

interface Options {
  readonly stored: PackedLimit;
  /** What stands in an index key between what is sorted by and the mark of the stream. */
  readonly between: { readonly due: string; readonly name: string };
}

/** The index rows lie in this many partitions, so that no single one is hot. */
export const shards = 16;

/**
 * A journal over a database that has partitions and small rows: a head and entries per stream, gzipped, and two indexes of
 * rows in shards. What does not fit is `invalid`, and nothing is written. A page of an index reads every shard.
 */
export function shardedJournal(store: JournalStore, { stored, between }: Options): Journal {
  const places = recentPlaces();

  async function headOf(stream: string): Promise<StoredHead | undefined> {
    if (!canBe(stream)) return undefined;
    const head = await store.head(stream);
    if (head !== undefined) places.remember(stream, head.place);
    return head;
  }

  /** `undefined`: the stream is not at this seq. */
  async function placeAt(stream: string, seq: number): Promise<Place | undefined> {
    if (seq === 0) return { seq };
    const place = places.at(stream, seq) ?? (await headOf(stream))?.place;
    return place?.seq === seq ? place : undefined;
  }

  async function storedRows(write: Append): Promise<StoredRows> {
    const { entry, state, ...rows } = rowsOf(write);
    const place = { seq: rows.seq, ...indexKeys(rows, between) };
    const [packedEntry, packedState] = await Promise.all([
      packed(entry, rows.stream, 'entry', stored),
      packed(state, rows.stream, 'state', stored),
    ]);
    return { ...rows, place, shard: shardOf(rows.stream, shards), entry: packedEntry, state: packedState };
  }

  /** One page of an index: of each shard as much as the page holds. */
  async function indexed<Row extends Keyed>(
    cursor: string | undefined,
    read: (range: ShardRange) => Promise<readonly Row[]>,
  ) {
    const after = cursor === undefined ? undefined : keyIn(cursor);
    const each = Array.from({ length: shards }, (_, shard) => read({ shard, after, limit: journalPageSize + 1 }));
    return mergedPage(await Promise.all(each), ({ at }) => at);
  }

  return {
    async head(stream) {
      const head = await headOf(stream);
      if (head === undefined) return undefined;
      const { place, hash, state } = head;
      // Written by `append`.
      const read = (await unpacked(state, () => `the state of ${stream}`)) as Head['state'];
      return { stream, seq: place.seq, hash, state: read };
    },

    async append(basedOn, write) {
      const rows = await storedRows(write);
      const { stream } = rows;
      refuseGap(basedOn, rows);
      const before = await placeAt(stream, basedOn);
      if (before === undefined) throw staleAppend(stream, `it is not at ${basedOn}`);
      try {
        await store.append(rows, before);
      } catch (error) {
        places.forget(stream);
        throw error;
      }
      places.remember(stream, rows.place);
    },

    async history(stream, before = Number.MAX_SAFE_INTEGER, limit) {
      if (!canBe(stream) || limit < 1 || before < 2) return [];
      const found = await store.entries(stream, before, Math.trunc(limit));
      // Written by `append`.
      const read = found.map(({ entry, seq }) => unpacked(entry, () => `entry ${seq} of ${stream}`) as Promise<Entry>);
      return Promise.all(read);
    },

    async due(now, cursor) {
      const { items, ...rest } = await indexed(cursor, (range) => store.due(now, range));
      return { items: items.map(({ stream, due }) => ({ stream, due })), ...rest };
    },

    async names(prefix, cursor) {
      if (!prefix.isWellFormed()) return { items: [] };
      const { items, ...rest } = await indexed(cursor, (range) => store.names(prefix, range));
      return { items: items.map(nameRow), ...rest };
    },
  };
}

const canBe = (stream: string): boolean => stream.isWellFormed() && stream !== '';

const nameRow = ({ key, stream, seq, summary }: Omit<NameRow, 'summary'> & { readonly summary: string }): NameRow => ({
  ...{ key, stream, seq },
  summary: parsed(summary, () => `the row that lists ${stream}`) as NameRow['summary'], // written by `append`
});
