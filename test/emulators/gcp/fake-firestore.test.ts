import process from 'node:process';
import { Firestore } from '@google-cloud/firestore';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { emulatedGcp } from '../emulated.ts';
import { serveFirestoreGrpc } from './firestore-grpc.ts';
import type { Query } from './firestore-queries.ts';
import { type FirestoreStore, firestoreStore } from './firestore-store.ts';

const database = 'projects/acme/databases/serin';

emulatedGcp('the Firestore of the suites, asked by the official client over gRPC', () => {
  let store: FirestoreStore;
  let server: Awaited<ReturnType<typeof serveFirestoreGrpc>>;
  let client: Firestore;
  beforeEach(async () => {
    store = firestoreStore({ databases: [database] });
    server = await serveFirestoreGrpc(store);
    // The client looks for these itself; no account, and no metadata server, is asked.
    vi.stubEnv('FIRESTORE_EMULATOR_HOST', server.host);
    vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
    client = new Firestore({ projectId: 'acme', databaseId: 'serin' });
  });
  afterEach(async () => {
    await client.terminate();
    server.stop();
    vi.unstubAllEnvs();
  });

  const code = (of: number) => expect.objectContaining({ code: of });
  const [invalid, missing, exists, precondition] = [3, 5, 6, 9];

  test('a document comes back as it was set, of every kind of value', async () => {
    const fields = {
      ...{ text: 'a\u0000ü😀', whole: 7, half: 0.5, yes: true, none: null, list: [1, 'b', { c: [] }] },
      ...{ bytes: Buffer.from([0, 255]), map: { of: { a: 1 } }, at: new Date(1_700_000_000_123) },
    };

    await client.doc('things/a').set(fields);

    const read = (await client.doc('things/a').get()).data();
    expect({ ...read, at: read?.at.toDate(), bytes: Buffer.from(read?.bytes) }).toEqual(fields);
  });

  test('conditions hold: what must not be there, must be there, or must not have changed', async () => {
    const thing = client.doc('things/a');
    const { writeTime } = await thing.create({ v: 1 });

    await expect(thing.create({ v: 2 })).rejects.toEqual(code(exists));
    await expect(client.doc('things/b').update({ v: 2 })).rejects.toEqual(code(missing));
    await thing.update({ v: 2 }, { lastUpdateTime: writeTime });
    await expect(thing.update({ v: 3 }, { lastUpdateTime: writeTime })).rejects.toEqual(code(precondition));
    await expect(thing.delete({ lastUpdateTime: writeTime })).rejects.toEqual(code(precondition));

    expect((await thing.get()).data()).toEqual({ v: 2 });
  });

  test('a batch of which one write is refused leaves nothing', async () => {
    await client.doc('things/there').create({ v: 1 });

    const batch = client.batch().set(client.doc('things/new'), { v: 1 }).create(client.doc('things/there'), { v: 2 });
    await expect(batch.commit()).rejects.toEqual(code(exists));

    expect((await client.doc('things/new').get()).exists).toBe(false);
    expect((await client.doc('things/there').get()).data()).toEqual({ v: 1 });
  });

  test('of 20 batches that create one document at the same time exactly one is kept', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, rival) =>
        client
          .batch()
          .create(client.doc('things/a/entries/2'), { rival })
          .set(client.doc('things/a'), { rival })
          .commit(),
      ),
    );

    const winners = outcomes.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []));
    expect(winners).toHaveLength(1);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual(
      Array(19).fill({ status: 'rejected', reason: code(exists) }),
    );
    for (const path of ['things/a', 'things/a/entries/2'])
      expect((await client.doc(path).get()).data()).toEqual({ rival: winners[0] });
  });

  test('transactions at the same time lose no update, and one that read what changed begins again', async () => {
    const counter = client.doc('things/counter');
    await counter.set({ v: 0 });

    let runs = 0;
    await Promise.all(
      Array.from({ length: 5 }, () =>
        client.runTransaction(
          async (transaction) => {
            runs += 1;
            const { v } = (await transaction.get(counter)).data() ?? {};
            transaction.update(counter, { v: v + 1 });
          },
          { maxAttempts: 20 },
        ),
      ),
    );

    expect((await counter.get()).data()).toEqual({ v: 5 });
    expect(runs).toBeGreaterThan(5);
  }, 60_000);

  test('a transaction that read what a query found is refused when the query would find more', async () => {
    const all = client.collection('things');
    let runs = 0;

    await client.runTransaction(async (transaction) => {
      const found = await transaction.get(all.where('v', '>', 0));
      runs += 1;
      if (runs === 1) await all.doc('late').set({ v: 1 });
      transaction.set(client.doc('sums/all'), { found: found.size });
    });

    expect((await client.doc('sums/all').get()).data()).toEqual({ found: 1 });
    expect(runs).toBe(2);
  });

  test('a query finds by order of bytes, after a cursor, at most so many, and only what is selected', async () => {
    const names = ['b', 'a', 'ä', '\uffff', '\u{10000}', 'B', 'a\u0000'];
    await Promise.all(names.map((name, at) => client.collection('things').add({ name, at })));

    const query = client.collection('things').orderBy('name');
    const inOrder = (await query.get()).docs.map((found) => found.get('name'));
    const page = await query.startAfter('a').endBefore('\uffff').limit(3).select('name').get();

    expect(inOrder).toEqual(names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(page.docs.map((found) => found.data())).toEqual([{ name: 'a\u0000' }, { name: 'b' }, { name: 'ä' }]);
    const down = await client.collection('things').where('at', '<', 3).orderBy('at', 'desc').get();
    expect(down.docs.map((found) => found.get('at'))).toEqual([2, 1, 0]);
  });

  test('a query sees its own collection only, not what lies below another document', async () => {
    await client.doc('shards/1/streams/a').set({ due: 1 });
    await client.doc('shards/2/streams/b').set({ due: 1 });
    await client.doc('shards/1/streams/a/entries/1').set({ due: 1 });

    const found = await client.doc('shards/1').collection('streams').where('due', '<', 5).get();

    expect(found.docs.map(({ ref }) => ref.path)).toEqual(['shards/1/streams/a']);
  });

  test('text is compared by its first 1,500 bytes', async () => {
    const long = 'x'.repeat(1500);
    await client.doc('things/a').set({ text: `${long}b` });

    expect((await client.collection('things').where('text', '==', `${long}c`).get()).size).toBe(1);
    expect(
      (
        await client
          .collection('things')
          .where('text', '==', `${long.slice(1)}c`)
          .get()
      ).size,
    ).toBe(0);
  });

  test('a document of exactly 1 MiB is taken, and one byte more is not', async () => {
    // By the name things/a 7 + 2 + 16 bytes, by the names of the two fields 2 + 2, and 32 by themselves.
    const rest = 1_048_576 - 25 - 4 - 32 - 1_000_000;
    const filled = (bytes: number) => ({ a: Buffer.alloc(1_000_000), b: Buffer.alloc(bytes) });

    await client.doc('things/a').set(filled(rest));
    await expect(client.doc('things/a').set(filled(rest + 1))).rejects.toEqual(code(invalid));
  });

  test.each([
    ['..', '..'],
    ['__x__', '__x__'],
    ['of 1,501 bytes', 'x'.repeat(1501)],
  ])('no document has the id %s', async (_, id) => {
    const collection = client.collection('things');

    await expect(collection.doc(id).set({ v: 1 })).rejects.toEqual(code(invalid));
  });

  // The client repeats what it asks for a query for many seconds.
  test('a query without its index is refused, and so is one over the names of documents downwards', () => {
    const from = [{ collectionId: 'things' }];
    const orderBy = (...fields: readonly string[]) => fields.map((fieldPath) => ({ field: { fieldPath } }));
    const down = [{ field: { fieldPath: '__name__' }, direction: 'DESCENDING' }];
    const ask = (query: Omit<Query, 'from'>) => () => store.runQuery(`${database}/documents`, { from, ...query });

    expect(ask({ orderBy: orderBy('a', 'b') })).toThrow(/requires an index \(composite, over a, b\)/);
    expect(ask({ orderBy: down })).toThrow(/requires an index \(__name__ DESCENDING\)/);
    expect(ask({ orderBy: orderBy('__name__') })()).toEqual([{ readTime: expect.any(String) }]);
  });

  test('a database that is not there is said to be missing', async () => {
    const other = new Firestore({ projectId: 'acme', databaseId: 'other' });

    await expect(other.doc('things/a').set({ v: 1 })).rejects.toEqual(code(missing));

    await other.terminate();
    expect(process.env.FIRESTORE_EMULATOR_HOST).toBe(server.host);
  });
});
