import { randomUUID } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { TableClient } from '@azure/data-tables';
import { tableOf } from '@serin/azure/calls/table';
import { inParts } from '@serin/azure/calls/table-values';
import { managedIdentity } from '@serin/azure/calls/token';
import { tableJournal } from '@serin/azure/ports/journal';
import { cursorAfter } from '@serin/core/base/cursor';
import type { Journal } from '@serin/core/ports/journal';
import type { Received } from '@serin/platform/wire';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { appendOf, journalContract } from '../../contract/journal.contract.ts';
import { raceAppends } from '../../contract/journal-races.ts';
import { emulatedAzure } from '../emulated.ts';
import { accounts, type Mood, type ServedStorage, startStorage } from './storage.ts';
import { StorageRefusal } from './storage-rules.ts';

const account = accounts.own;
const append = 'table:EntityGroupTransaction';
const reading = 'table:QueryEntities';

emulatedAzure('the journal on Table Storage', () => {
  let storage: ServedStorage;
  let made = 0;
  beforeAll(async () => {
    storage = await startStorage('azure-journal');
  });
  afterAll(() => storage.stop());
  async function newTable(): Promise<string> {
    made += 1;
    await storage.createTable(account, `serin${made}`);
    return `serin${made}`;
  }
  const opened = (table: string): Journal => tableJournal({ azure: storage.azure, account, table });

  journalContract('Table Storage (Azurite)', async () => ({
    port: opened(await newTable()),
    close: async () => storage.check(),
  }));

  describe('the journal on Table Storage', () => {
    let table: string;
    let journal: Journal;
    let before: number;
    beforeEach(async () => {
      table = await newTable();
      journal = opened(table);
      before = storage.calls.length;
    });
    afterEach(() => storage.check());
    const calls = (): readonly string[] =>
      storage.calls.slice(before).map(({ id, status }) => `${id.split(':')[1]} ${status}`);
    const named = (key: string) => ({ name: { key, summary: { at: key } } });
    const rows = () => tableOf({ azure: storage.azure, account, table });
    /** All rows, by Microsoft's own client. */
    async function read() {
      const { IDENTITY_ENDPOINT: endpoint = '', IDENTITY_HEADER: header = '' } = storage.variables;
      const { AZURE_CLIENT_ID: clientId = '', SERIN_ENDPOINT_TABLE: url = '' } = storage.variables;
      const token = await managedIdentity({ endpoint, header, clientId, now: Date.now })(
        'https://storage.azure.com/',
      )();
      const policy = {
        name: 'token',
        sendRequest: (
          request: { headers: { set(name: string, value: string): void } },
          next: (sent: never) => never,
        ) => {
          request.headers.set('authorization', `Bearer ${token}`);
          request.headers.set('x-ms-version', '2020-12-06');
          return next(request as never);
        },
      };
      const client = new TableClient(url.replace('{name}', account), table, {
        allowInsecureConnection: true,
        additionalPolicies: [{ policy, position: 'perRetry' }],
      });
      const found: Readonly<Record<string, unknown>>[] = [];
      for await (const row of client.listEntities()) found.push(row);
      return found;
    }

    test('refuses a state that does not fit into an entity even when it is gzipped, and nothing of it is seen', async () => {
      await journal.append(0, appendOf('fraud', 1));
      const noise = Array.from({ length: 50_000 }, () => randomUUID());

      const appending = journal.append(1, appendOf('fraud', 2, { noise }));

      await expect(appending).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(/bytes gzipped, more than the 720896 of an entity/),
      });
      expect(await journal.head('fraud')).toMatchObject({ seq: 1 });
    });

    test('keeps the largest state, entry, key and summary in entities and a request that are small enough', async () => {
      const noise = Array.from({ length: 35_500 }, () => randomUUID()).join('');
      const stream = '\u0001'.repeat(1024);
      const more = { due: 1, name: { key: '\uffff'.repeat(170), summary: '\u007f'.repeat(1000) } };

      await journal.append(0, appendOf(stream, 1, { noise }, more));

      expect((await journal.head(stream))?.state).toEqual({ noise });
      expect((await journal.history(stream, undefined, 1))[0]?.patch).toEqual({ noise });
      expect((await journal.names('\uffff')).items).toEqual([{ stream, seq: 1, ...more.name }]);
      const sent = Math.max(...storage.calls.slice(before).map(({ bytes }) => bytes.length));
      expect(sent).toBeGreaterThan(1.8 * 1024 * 1024);
      expect(sent).toBeLessThan(4 * 1024 * 1024);
    });

    test('takes streams and names that no key of a table could have', async () => {
      const odd = [
        '.',
        '..',
        '/',
        '\\',
        '#',
        '?',
        "'",
        '"',
        '%',
        '%2F',
        '+',
        ' ',
        '\t',
        '\n',
        '\u0085',
        '😀',
        '\uffff',
      ];
      const texts = [...new Set(odd.flatMap((text) => [text, `${text}${text}`, `a${text}b`]))];

      for (const text of texts) await journal.append(0, appendOf(text, 1, { text }, named(text)));

      for (const text of texts) expect((await journal.head(text))?.state).toEqual({ text });
      for (const text of texts)
        expect((await journal.names(text)).items.map(({ stream }) => stream).sort()).toEqual(
          texts.filter((other) => other.startsWith(text)).sort(),
        );
    });

    test('lists nothing that the prefix does not have, wherever a cursor says that the list goes on', async () => {
      for (const key of ['dead/1', 'model/a', 'run/1']) await journal.append(0, appendOf(key, 1, {}, named(key)));
      const listed = async (after: string) =>
        (await journal.names('model/', cursorAfter(after))).items.map(({ key }) => key);

      expect(await listed('a')).toEqual(['model/a']);
      expect(await listed('model/a')).toEqual(['model/a']);
      expect(await listed('model/b')).toEqual([]);
      expect(await listed('z')).toEqual([]);
    });

    test('moves both index rows of a stream, also when another process wrote the head before', async () => {
      const other = opened(table);

      await journal.append(0, appendOf('fraud', 1, {}, { due: 5, ...named('model/a') }));
      await other.append(1, appendOf('fraud', 2, {}, { due: 9, ...named('model/b') }));
      await journal.append(2, appendOf('fraud', 3, {}, named('model/c')));

      expect((await journal.due(10)).items).toEqual([]);
      expect((await journal.names('model/')).items.map(({ key, seq }) => [key, seq])).toEqual([['model/c', 3]]);
      const kinds = (await read()).map(({ rowKey }) => String(rowKey).split(':')[0]);
      expect(kinds.toSorted()).toEqual(['entry', 'entry', 'entry', 'head', 'name']);
    });

    test('of 20 processes that append at the same time exactly one succeeds, and all others have a conflict', async () => {
      const rivals = Array.from({ length: 20 }, () => opened(table));

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

    test('takes an append whose answer was lost for its own, and nothing is there twice', async () => {
      storage.mood(append, 'lost');

      await journal.append(0, appendOf('fraud', 1));

      expect(calls()).toEqual(['EntityGroupTransaction 0', 'EntityGroupTransaction 202', 'QueryEntities 200']);
      expect(await journal.history('fraud', undefined, 10)).toHaveLength(1);
      await journal.append(1, appendOf('fraud', 2));
    });

    test('takes an append of another process for that one, also when it has the same content', async () => {
      const busy = new StorageRefusal(503, 'ServerBusy', 'The server is busy.');
      const other = opened(table);
      await other.append(0, appendOf('fraud', 1));
      storage.mood(append, busy);

      await expect(journal.append(0, appendOf('fraud', 1))).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('load it and decide again'),
      });
    });

    test('does not say whose an append is as long as it cannot look', async () => {
      await opened(table).append(0, appendOf('fraud', 1));
      storage.mood(reading, ...Array(3).fill(new StorageRefusal(503, 'ServerBusy', 'The server is busy.')));

      await expect(journal.append(0, appendOf('fraud', 1))).rejects.toMatchObject({ code: 'throttled' });
    });

    test('loses and doubles nothing while processes race and answers, places and time are short', async () => {
      const inside =
        (status: number, code: string) =>
        (answer: Received): Received => ({
          ...answer,
          content: Buffer.from(
            `--x\r\n\r\nHTTP/1.1 ${status} No\r\n\r\n{"odata.error":{"code":"${code}","message":{"value":"0:${code}"}}}\r\n--x--`,
          ),
        });
      const moods: readonly Mood[] = [
        'lost',
        new StorageRefusal(503, 'ServerBusy', 'The server is busy.'),
        // Written, although its answer says that there was no time for it.
        inside(500, 'OperationTimedOut'),
        new StorageRefusal(429, 'TooManyRequests', 'Too many requests.'),
      ];

      await raceAppends(
        () => opened(table),
        (process, at) => {
          const mood = moods[(process + at) % 7];
          if (mood !== undefined) storage.mood(append, mood);
        },
      );
    }, 60_000);

    test('goes on with a new token when the old one is refused', async () => {
      storage.mood(append, 'token');

      await journal.append(0, appendOf('fraud', 1));

      expect(calls()).toEqual(['EntityGroupTransaction 401', 'EntityGroupTransaction 202']);
    });

    test('says that it is throttled or not available when that lasts, so that the work is done later', async () => {
      for (const [status, said, code] of [
        [503, 'ServerBusy', 'throttled'],
        [500, 'InternalError', 'unavailable'],
      ] as const) {
        storage.mood(append, ...Array(3).fill(new StorageRefusal(status, said, 'Try again.')));
        await expect(journal.append(0, appendOf('fraud', 1))).rejects.toMatchObject({ code });
      }

      expect(await journal.head('fraud')).toBeUndefined();
    });

    test('goes on where an index row was taken away by hand', async () => {
      await journal.append(0, appendOf('fraud', 1, {}, { due: 5, ...named('model/a') }));
      const index = (await read()).filter(({ rowKey }) => /^(due|name):/.test(String(rowKey)));
      for (const { partitionKey, rowKey } of index)
        await rows().transact(String(partitionKey), [{ kind: 'delete', row: String(rowKey) }]);

      await journal.append(1, appendOf('fraud', 2, {}, { due: 6, ...named('model/b') }));

      expect(index).toHaveLength(2);
      expect((await journal.due(10)).items).toEqual([{ stream: 'fraud', due: 6 }]);
      expect((await journal.names('')).items.map(({ key }) => key)).toEqual(['model/b']);
    });

    test('reads a stream of 10,000 entries over pages, the newest first, and goes on with it', async () => {
      await journal.append(0, appendOf('fraud', 1));
      const [first] = (await read()).filter(({ rowKey }) => String(rowKey).startsWith('entry:'));
      const [partition, key] = [String(first?.partitionKey), String(first?.rowKey).replace(/\d+$/, '')];
      const { entry } = appendOf('fraud', 1);
      const rest = Array.from({ length: 9999 }, (_, at) => ({
        kind: 'insert' as const,
        row: `${key}${Number.MAX_SAFE_INTEGER - (at + 2)}`,
        properties: { seq: BigInt(at + 2), ...inParts('entry', gzipSync(JSON.stringify({ ...entry, seq: at + 2 }))) },
      }));
      for (let at = 0; at < rest.length; at += 100) await rows().transact(partition, rest.slice(at, at + 100));
      const [head] = (await read()).filter(({ rowKey }) => String(rowKey).startsWith('head:'));
      const properties = {
        ...{ stream: '"fraud"', seq: 10_000n, hash: String(head?.hash) },
        ...inParts('state', head?.state0 as Uint8Array),
      };
      await rows().transact(partition, [{ kind: 'put', row: String(head?.rowKey), properties }]);

      const all = await opened(table).history('fraud', undefined, 20_000);
      const some = await opened(table).history('fraud', 5001, 1500);
      await opened(table).append(10_000, appendOf('fraud', 10_001));

      expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: 10_000 }, (_, at) => 10_000 - at));
      expect(some.map(({ seq }) => seq)).toEqual(Array.from({ length: 1500 }, (_, at) => 5000 - at));
      expect(await opened(table).head('fraud')).toMatchObject({ seq: 10_001 });
    }, 60_000);

    test('uses as many requests and rows as infra reckons with', async () => {
      const used = async (work: () => Promise<unknown>) => {
        before = storage.calls.length;
        await work();
        const writes = storage.calls
          .slice(before)
          .flatMap(({ bytes }) => bytes.toString().match(/ HTTP\/1\.1\r$/gm) ?? []);
        return { requests: calls().length, writes: writes.length };
      };
      const fresh = opened(table);
      await journal.append(0, appendOf('fraud', 1, {}, { due: 5, ...named('a') }));

      expect({
        head: await used(() => fresh.head('fraud')),
        append: await used(() => fresh.append(1, appendOf('fraud', 2, {}, { due: 6, ...named('b') }))),
        history: await used(() => fresh.history('fraud', undefined, 1)),
        due: await used(() => fresh.due(1)),
        names: await used(() => fresh.names('x')),
      }).toEqual({
        head: { requests: 1, writes: 0 },
        append: { requests: 1, writes: 6 },
        history: { requests: 1, writes: 0 },
        due: { requests: 16, writes: 0 },
        names: { requests: 16, writes: 0 },
      });
      // One that is not known is read first, and names stay where they are.
      const unknown = () => opened(table).append(2, appendOf('fraud', 3, {}, { due: 7, ...named('b') }));
      expect(await used(unknown)).toEqual({ requests: 2, writes: 5 });
    });

    test('can be read by others', async () => {
      const state = { run: { status: 'training', note: 'ü' } };
      await journal.append(0, appendOf('run/ü', 1, state, { due: 1_764_417_600_000, ...named('runs/ü') }));

      const all = await read();
      const found = Object.fromEntries(all.map((row) => [String(row.rowKey).split(':')[0], row] as const));

      expect(found).toMatchObject({
        head: { seq: 1n, due: 1_764_417_600_000n },
        entry: { seq: 1n },
        due: { rowKey: expect.stringMatching(/^due:0001764417600000:[\da-f]{16}$/), seq: 1n },
        name: { seq: 1n },
      });
      expect(JSON.parse(String(found.head?.stream))).toBe('run/ü');
      expect(JSON.parse(String(found.name?.name))).toBe('runs/ü');
      expect(JSON.parse(String(found.name?.summary))).toEqual({ at: 'runs/ü' });
      expect(JSON.parse(gunzipSync(found.head?.state0 as Uint8Array).toString())).toEqual(state);
      expect(JSON.parse(gunzipSync(found.entry?.entry0 as Uint8Array).toString())).toMatchObject({ seq: 1 });
      expect(new Set(all.map(({ partitionKey }) => partitionKey)).size).toBe(1);
    });

    test('names damage of what is stored', async () => {
      await journal.append(0, appendOf('fraud', 1));
      for (const { partitionKey, rowKey } of await read())
        await rows().transact(String(partitionKey), [
          { kind: 'put', row: String(rowKey), properties: { seq: 1n, ...inParts('state', Buffer.from('x')) } },
        ]);

      await expect(journal.head('fraud')).rejects.toMatchObject({
        code: 'defect',
        message: expect.stringContaining('the state of fraud in the journal is damaged'),
      });
      await expect(journal.history('fraud', undefined, 1)).rejects.toThrow(
        'entry 1 of fraud in the journal is damaged',
      );
    });

    test('says how to mend a table that is gone and a role that is not given', async () => {
      const gone = opened('nothere');
      for (const work of [() => gone.head('fraud'), () => gone.append(0, appendOf('fraud', 1)), () => gone.due(1)])
        await expect(work()).rejects.toMatchObject({
          code: 'unavailable',
          message: expect.stringMatching(/table nothere of serinown.*serin deploy.*does not exist/s),
        });

      storage.mood(append, new StorageRefusal(409, 'TableBeingDeleted', 'The table is being deleted.'));
      await expect(journal.append(0, appendOf('fraud', 1))).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/serin deploy.*creates the table.*being deleted/),
      });

      const denied = new StorageRefusal(403, 'AuthorizationPermissionMismatch', 'This request is not authorized.');
      storage.mood(append, denied);
      await expect(journal.append(0, appendOf('fraud', 1))).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/serin deploy.*managed identity.*not authorized/),
      });
    });
  });
}, ['azurite']);
