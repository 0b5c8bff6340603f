import { staleAppend } from '@serin/platform/journal-rows';
import type { JournalStore, StoredRows } from '@serin/platform/sharded-journal';

/** A database in memory, with what each stream wrote. */
export function memoryStore() {
  const streams = new Map<string, StoredRows[]>();
  let reads = 0;
  const heads = (shard: number) =>
    [...streams.values()].flatMap((rows) => rows.at(-1) ?? []).filter((row) => row.shard === shard);
  const store: JournalStore = {
    async head(stream) {
      reads += 1;
      return streams.get(stream)?.at(-1);
    },
    async append(rows, before) {
      const known = streams.get(rows.stream) ?? [];
      if (known.length !== before.seq) throw staleAppend(rows.stream, 'it moved on');
      streams.set(rows.stream, [...known, rows]);
    },
    entries: async (stream, before, limit) =>
      (streams.get(stream) ?? [])
        .filter(({ seq }) => seq < before)
        .reverse()
        .slice(0, limit),
    due: async (now, { shard, after = '', limit }) =>
      heads(shard)
        .flatMap(({ stream, due, place }) => (due === undefined ? [] : [{ stream, due, at: place.due ?? '' }]))
        .filter(({ due, at }) => due <= now && at > after)
        .sort((a, b) => (a.at < b.at ? -1 : 1))
        .slice(0, limit),
    names: async (prefix, { shard, after = '', limit }) =>
      heads(shard)
        .flatMap(({ stream, seq, name, place }) => (name ? [{ stream, seq, ...name, at: place.name ?? '' }] : []))
        .filter(({ key, at }) => key.startsWith(prefix) && Buffer.compare(Buffer.from(at), Buffer.from(after)) > 0)
        .sort((a, b) => Buffer.compare(Buffer.from(a.at), Buffer.from(b.at)))
        .slice(0, limit),
  };
  return { store, streams, reads: () => reads };
}
