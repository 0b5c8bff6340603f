import { Fault } from '@serin/core/base/fault';
import { expect, test } from 'vitest';
import { appendOf } from '../../../test/contract/journal.contract.ts';
import { memoryStore } from '../../../test/simulation/fakes/journal-store.ts';
import { type JournalStore, shardedJournal } from './sharded-journal.ts';

const stored = { bytes: 390_000, of: 'a row' };
const between = { due: '#', name: '\0' };

const opened = (store: JournalStore) => shardedJournal(store, { stored, between });

test('an append after one of its own reads nothing; after one that failed it looks again', async () => {
  const { store, reads } = memoryStore();
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
  const { store, streams } = memoryStore();
  const journal = opened(store);
  await journal.append(0, appendOf('fraud', 1));
  const [first] = streams.get('fraud') ?? [];
  const damaged = new Uint8Array([1]);
  if (first !== undefined) streams.set('fraud', [{ ...first, entry: damaged, state: damaged }]);

  await expect(journal.head('fraud')).rejects.toThrow('the state of fraud in the journal is damaged');
  await expect(journal.history('fraud', undefined, 1)).rejects.toThrow('entry 1 of fraud in the journal is damaged');
});

test('a state that does not fit when it is packed is refused, and nothing is written', async () => {
  const { store, streams } = memoryStore();
  const small = shardedJournal(store, { stored: { bytes: 20, of: 'a row' }, between });

  await expect(small.append(0, appendOf('fraud', 1))).rejects.toBeInstanceOf(Fault);
  expect(streams.size).toBe(0);
});
