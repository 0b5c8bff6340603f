import { Fault } from '@serin/core/base/fault';
import { expect, test } from 'vitest';
import { appendOf, journalContract } from '../../../test/contract/journal.contract.ts';
import { staleAppend } from './journal-rows.ts';
import { type JournalStore, type StoredRows, shardedJournal } from './sharded-journal.ts';

const limits = { stream: 1024, nameKey: 512, summary: 1024, text: 8 * 1024 * 1024 };
const stored = { bytes: 390_000, of: 'a row' };
const between = { due: '#', name: '\0' };

/** A database in memory, with what each stream wrote. */
function memory() {
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

const opened = (store = memory().store) => shardedJournal(store, { limits, stored, between });

journalContract('a sharded journal', async () => ({ port: opened(), close: async () => {} }));

test('an append after one of its own reads nothing; after one that failed it looks again', async () => {
  const { store, reads } = memory();
  const [mine, other] = [opened(store), opened(store)];
  await mine.append(0, appendOf('fraud', 1));
  await mine.append(1, appendOf('fraud', 2));
  const unread = reads();
  await other.append(2, appendOf('fraud', 3));

  await expect(mine.append(2, appendOf('fraud', 3))).rejects.toMatchObject({ code: 'conflict' });
  await mine.append(3, appendOf('fraud', 4));

  expect(unread).toBe(0);
  expect(await mine.head('fraud')).toMatchObject({ seq: 4 });
});

test('what is damaged is named', async () => {
  const { store, streams } = memory();
  const journal = opened(store);
  await journal.append(0, appendOf('fraud', 1));
  const [first] = streams.get('fraud') ?? [];
  const damaged = new Uint8Array([1]);
  if (first !== undefined) streams.set('fraud', [{ ...first, entry: damaged, state: damaged }]);

  await expect(journal.head('fraud')).rejects.toThrow('the state of fraud in the journal is damaged');
  await expect(journal.history('fraud', undefined, 1)).rejects.toThrow('entry 1 of fraud in the journal is damaged');
});

test('a state that does not fit when it is packed is refused, and nothing is written', async () => {
  const { store, streams } = memory();
  const small = shardedJournal(store, { limits, stored: { bytes: 20, of: 'a row' }, between });

  await expect(small.append(0, appendOf('fraud', 1))).rejects.toBeInstanceOf(Fault);
  expect(streams.size).toBe(0);
});
