import { randomUUID } from 'node:crypto';
import { journalFields, journalUses } from '@serin/clouds/gcp/journal';
import type { Journal } from '@serin/core/ports/journal';
import { googleClient } from '@serin/gcp/calls/google';
import { firestoreJournal } from '@serin/gcp/ports/journal';
import { beforeEach, describe, expect, test } from 'vitest';
import { appendOf, journalContract } from '../../contract/journal.contract.ts';
import { raceAppends } from '../../contract/journal-races.ts';
import { emulatedGcp } from '../emulated.ts';
import { LostAnswer, Refusal, type Served, serveGoogle } from './discovery.ts';
import { fakeFirestore } from './fake-firestore.ts';
import { type FirestoreStore, firestoreStore } from './firestore-store.ts';

const database = 'projects/acme/databases/serin';

interface World {
  readonly store: FirestoreStore;
  readonly served: Served;
  readonly next: ReturnType<typeof fakeFirestore>['next'];
  readonly journal: Journal;
}

async function openWorld(databases: readonly string[] = [database], fields = journalFields): Promise<World> {
  const store = firestoreStore({ databases, fields });
  const { handlers, next } = fakeFirestore(store);
  const served = await serveGoogle('gcp-journal', handlers);
  return { store, served, next, journal: firestoreJournal({ google: served.google, database }) };
}

emulatedGcp('the journal on Firestore', () => {
  journalContract('Firestore', async () => {
    const { served, journal } = await openWorld();
    return { port: journal, close: () => served.stop() };
  });

  describe('the journal on Firestore', () => {
    let world: World;
    let journal: Journal;
    beforeEach(async () => {
      world = await openWorld();
      journal = world.journal;
      return () => world.served.stop();
    });
    const calls = (): readonly string[] =>
      world.served.calls.map(({ id, status }) => `${id.split('.').at(-1)} ${status}`);
    const named = (key: string) => ({ name: { key, summary: { at: key } } });

    test('refuses a state that does not fit into a document even when it is gzipped, and nothing of it is seen', async () => {
      await journal.append(0, appendOf('fraud', 1));
      const noise = Array.from({ length: 50_000 }, () => randomUUID());

      const appending = journal.append(1, appendOf('fraud', 2, { noise }));

      await expect(appending).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('gzipped') });
      expect(await journal.head('fraud')).toMatchObject({ seq: 1 });
    });

    test('keeps the largest state, entry, key and summary in documents that are small enough', async () => {
      const noise = Array.from({ length: 44_500 }, () => randomUUID()).join('');
      const stream = 's'.repeat(1024);

      await journal.append(
        0,
        appendOf(stream, 1, { noise }, { due: 1, name: { key: 'k'.repeat(512), summary: 'x'.repeat(1000) } }),
      );

      expect((await journal.head(stream))?.state).toEqual({ noise });
      expect((await journal.names('k')).items).toHaveLength(1);
    });

    test('takes streams whose names no document could have', async () => {
      const streams = ['.', '..', '__name__', 'a/../b', '😀'.repeat(250)];

      for (const stream of streams) await journal.append(0, appendOf(stream, 1, { stream }));

      for (const stream of streams) expect((await journal.head(stream))?.state).toEqual({ stream });
    });

    test('moves both index rows of a stream, also when another process wrote the head before', async () => {
      const other = firestoreJournal({ google: world.served.google, database });

      await journal.append(0, appendOf('fraud', 1, {}, { due: 5, ...named('model/a') }));
      await other.append(1, appendOf('fraud', 2, {}, { due: 9, ...named('model/b') }));
      await journal.append(2, appendOf('fraud', 3, {}, named('model/c')));

      expect((await journal.due(10)).items).toEqual([]);
      expect((await journal.names('model/')).items.map(({ key, seq }) => [key, seq])).toEqual([['model/c', 3]]);
    });

    test('of 20 processes that append at the same time exactly one succeeds, and all others have a conflict', async () => {
      const rivals = Array.from({ length: 20 }, () => firestoreJournal({ google: world.served.google, database }));

      const outcomes = await Promise.allSettled(
        rivals.map((rival, at) => rival.append(0, appendOf('fraud', 1, { at }, { due: at, ...named(`model/${at}`) }))),
      );

      const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual(
        Array(19).fill({ status: 'rejected', reason: expect.objectContaining({ code: 'conflict' }) }),
      );
      expect((await journal.head('fraud'))?.state).toEqual({ at: winner });
      expect((await journal.due(20)).items).toEqual([{ stream: 'fraud', due: winner }]);
      expect((await journal.names('')).items.map(({ key }) => key)).toEqual([`model/${winner}`]);
    });

    test('takes an append whose answer was lost for one that another made, and nothing is there twice', async () => {
      world.next({ method: 'commit', when: 'after', error: new LostAnswer() });

      await expect(journal.append(0, appendOf('fraud', 1))).rejects.toMatchObject({ code: 'conflict' });

      expect(calls()).toEqual(['commit 0', 'commit 409']);
      expect(await journal.history('fraud', undefined, 10)).toHaveLength(1);
      await journal.append(1, appendOf('fraud', 2));
    });

    test('loses and doubles nothing while processes race and answers, places and time are short', async () => {
      const troubles = [
        { when: 'after', error: new LostAnswer() },
        { when: 'after', error: new Refusal('UNAVAILABLE', 'The service is temporarily unavailable.') },
        { when: 'before', error: new Refusal('ABORTED', 'Too much contention on these documents.') },
        { when: 'before', error: new Refusal('RESOURCE_EXHAUSTED', 'Quota exceeded.') },
      ] as const;
      const patience = { wholeMs: 20_000, onceMs: 8000, pausesMs: [1, 1] };
      const google = googleClient({ hosts: world.served.hosts, tokens: async () => 'a-token', patience });

      await raceAppends(
        () => firestoreJournal({ google, database }),
        (process, at) => {
          const trouble = troubles[(process + at) % 7];
          if (trouble !== undefined) world.next({ method: 'commit', ...trouble });
        },
      );
    }, 60_000);

    test('is a conflict while another append to the stream is being made', async () => {
      world.next({
        method: 'commit',
        when: 'before',
        error: new Refusal('ABORTED', 'Too much contention on these documents. Please try again.'),
      });

      await expect(journal.append(0, appendOf('fraud', 1))).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('load it and decide again'),
      });
      expect(await journal.head('fraud')).toBeUndefined();
    });

    test('waits out a database that has no time for a moment', async () => {
      world.next({
        method: 'commit',
        when: 'before',
        error: new Refusal('UNAVAILABLE', 'The service is temporarily unavailable.'),
      });
      world.next({ method: 'commit', when: 'before', error: new Refusal('RESOURCE_EXHAUSTED', 'Quota exceeded.') });

      await journal.append(0, appendOf('fraud', 1));

      expect(calls()).toEqual(['commit 503', 'commit 429', 'commit 200']);
    });

    test('goes on with a new token when the old one is refused', async () => {
      const error = new Refusal('UNAUTHENTICATED', 'Request had invalid authentication credentials.');
      world.next({ method: 'commit', when: 'before', error });

      await journal.append(0, appendOf('fraud', 1));

      expect(calls()).toEqual(['commit 401', 'commit 200']);
    });

    test('says that it is throttled or not available when that lasts, so that the work is done later', async () => {
      const errors = [new Refusal('RESOURCE_EXHAUSTED', 'Quota exceeded.'), new Refusal('UNAVAILABLE', 'Try later.')];

      for (const [error, code] of [
        [errors[0], 'throttled'],
        [errors[1], 'unavailable'],
      ] as const) {
        for (let at = 0; at < 3; at += 1)
          world.next({ method: 'commit', when: 'before', error: error ?? new LostAnswer() });
        await expect(journal.append(0, appendOf('fraud', 1))).rejects.toMatchObject({ code });
      }

      expect(await journal.head('fraud')).toBeUndefined();
    });

    test('uses as many requests, reads and writes as infra reckons with', async () => {
      const used = async (work: () => Promise<unknown>) => {
        const before = world.served.calls.length;
        await work();
        const made = world.served.calls.slice(before);
        const writes = made.flatMap(({ body }) => body.writes ?? []).length;
        return { requests: made.length, writes };
      };
      const fresh = firestoreJournal({ google: world.served.google, database });
      await journal.append(0, appendOf('fraud', 1, {}, { due: 5, ...named('a') }));

      const measured = {
        head: await used(() => fresh.head('fraud')),
        append: await used(() => fresh.append(1, appendOf('fraud', 2, {}, { due: 6, ...named('b') }))),
        history: await used(() => fresh.history('fraud', undefined, 1)),
        due: await used(() => fresh.due(1)),
        names: await used(() => fresh.names('x')),
      };

      const reckoned = Object.entries(journalUses).map(([call, { requests, writes }]) => [call, { requests, writes }]);
      expect(measured).toEqual(Object.fromEntries(reckoned));
      // One that is not known is read first.
      expect(
        await used(() => firestoreJournal({ google: world.served.google, database }).append(2, appendOf('fraud', 3))),
      ).toEqual({ requests: 2, writes: 2 });
    });

    test('asks each index for its rows only, not for the states', async () => {
      await journal.append(0, appendOf('fraud', 1, { secret: 'x' }, { due: 5, ...named('model/a') }));

      await journal.due(10);
      await journal.names('');

      const queries = world.served.calls.flatMap(({ body }) =>
        body.structuredQuery === undefined ? [] : [body.structuredQuery],
      );
      expect(queries).toHaveLength(32);
      for (const { select } of queries)
        expect(select.fields.map(({ fieldPath }: { fieldPath: string }) => fieldPath)).not.toContain('kept.state');
    });

    test('takes a query that breaks off in the middle for one that was not answered', async () => {
      const part = { document: { name: 'x', fields: { seq: { integerValue: '1' }, entry: { bytesValue: '' } } } };
      const error = { code: 503, status: 'UNAVAILABLE', message: 'The service is temporarily unavailable.' };
      // A part that is an error is in no document of Google's, only on the wire.
      const broken = { ...world.served.google, json: async () => [part, { error }] as never };

      const reading = firestoreJournal({ google: broken, database }).history('fraud', undefined, 10);

      await expect(reading).rejects.toMatchObject({ code: 'unavailable' });
    });

    test.each([
      ['that breaks off', [{ error: { code: 503, status: 'UNAVAILABLE', message: 'The service is unavailable.' } }]],
      ['that says nothing of the stream', []],
      ['that only says when it was read', [{ readTime: '2026-11-20T14:00:00Z' }]],
    ])('takes no answer %s for one that there is no such stream', async (_, answer) => {
      const broken = { ...world.served.google, json: async () => answer as never };

      const reading = firestoreJournal({ google: broken, database }).head('fraud');

      await expect(reading).rejects.toMatchObject({ code: 'unavailable' });
    });

    test('names damage of what is stored', async () => {
      await journal.append(0, appendOf('fraud', 1));
      const [head] = [...world.store.documents.values()].filter(({ name }) => !name.includes('/entries/'));
      if (head !== undefined)
        world.store.documents.set(head.name, { ...head, fields: { kept: { mapValue: { fields: {} } } } });

      await expect(journal.head('fraud')).rejects.toMatchObject({
        code: 'defect',
        message: expect.stringContaining('state of fraud'),
      });
    });
  });

  test('says how to mend a database that is gone, an index that is missing and a role that is not given', async () => {
    const gone = await openWorld([]);
    await expect(gone.journal.head('fraud')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /projects\/acme\/databases\/serin.*gcloud firestore databases restore.*does not exist/,
      ),
    });
    await gone.served.stop();

    const bare = await openWorld(undefined, [{ collectionGroup: 'streams', field: 'due', order: 'none' }]);
    await expect(bare.journal.due(1)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/index due.*serin deploy.*requires an index/),
    });
    const denied = (message: string, reason?: string) =>
      new Refusal('PERMISSION_DENIED', message, reason === undefined ? {} : { reason });
    bare.next({ method: 'commit', when: 'before', error: denied('Missing or insufficient permissions.') });
    await expect(bare.journal.append(0, appendOf('fraud', 1))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/serin deploy.*service account.*insufficient permissions/),
    });
    const disabled =
      'Cloud Firestore API has not been used in project 123 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/firestore.googleapis.com/overview?project=123 then retry.';
    bare.next({ method: 'commit', when: 'before', error: denied(disabled, 'SERVICE_DISABLED') });
    await expect(bare.journal.append(0, appendOf('fraud', 1))).rejects.toMatchObject({
      message: expect.stringContaining('gcloud services enable firestore.googleapis.com'),
    });
    await bare.served.stop();
  });
});
