import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { sha256Hex } from '@serin/core/base/json';
import { openDatabase } from '@serin/local/machine/database';
import { groupCommit } from '@serin/local/machine/group-commit';
import { folderBuckets } from '@serin/local/ports/bucket';
import { sqliteBus } from '@serin/local/ports/bus';
import { sqliteJournal } from '@serin/local/ports/journal';
import { fileRegistry } from '@serin/local/ports/registry';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { bucketContract } from './bucket.contract.ts';
import { busContract, eventOf } from './bus.contract.ts';
import { appendOf, journalContract } from './journal.contract.ts';
import { registryContract, versionOf } from './registry.contract.ts';

/** A data directory of its own, with its database. */
async function openStore() {
  const directory = await mkdtemp(join(tmpdir(), 'serin-store-'));
  const { database, close } = openDatabase(directory);
  return {
    directory,
    database,
    async close() {
      close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

journalContract('sqlite', async () => {
  const { database, close } = await openStore();
  return { port: sqliteJournal({ database }), close };
});

registryContract('files', async () => {
  const { directory, close } = await openStore();
  return { port: fileRegistry({ directory: join(directory, 'registry') }), close };
});

busContract('sqlite', async () => {
  const { database, close } = await openStore();
  const port = sqliteBus({ database });
  return { port, received: async () => port.read(0, 1000).map(({ event }) => event), close };
});

bucketContract('folder', async () => {
  const { directory, database, close } = await openStore();
  const buckets = folderBuckets({ directory: join(directory, 'buckets'), database });
  await buckets.createBucket('drops');
  await buckets.createBucket('other');
  return { port: buckets('drops'), other: buckets('other'), absent: buckets('absent'), close };
});

const fault = (code: string, words = /./) =>
  expect.objectContaining({ name: 'Fault', code, message: expect.stringMatching(words) });
const bytes = (text: string) => new TextEncoder().encode(text);
const repository = fileURLToPath(new URL('../..', import.meta.url));

/** A process of its own that runs a program over the store. */
function child(program: string, ...args: readonly string[]): ChildProcess & { readonly stdout: NodeJS.ReadableStream } {
  const started = spawn(process.execPath, ['--input-type=module', '--eval', program, ...args], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void started.kill('SIGKILL'));
  return Object.assign(started, { stdout: started.stdout });
}

describe('the data directory', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'serin-store-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  const file = () => join(directory, 'serin.sqlite');

  async function filled(): Promise<void> {
    const { database, close } = openDatabase(directory);
    const journal = sqliteJournal({ database });
    for (let seq = 1; seq <= 200; seq++) {
      await journal.append(seq - 1, appendOf('fraud', seq, { text: String(seq).repeat(500) }));
    }
    close();
  }

  /** It refuses, twice, and no byte of the database or its log has changed. */
  function expectRefused(code: string, words: RegExp): void {
    const digests = () =>
      [file(), `${file()}-wal`].map((path) => (existsSync(path) ? sha256Hex(readFileSync(path)) : sha256Hex('')));
    const before = digests();
    for (let turn = 0; turn < 2; turn++) expect(() => openDatabase(directory)).toThrow(fault(code, words));
    expect(digests()).toEqual(before);
  }

  test('a restart keeps everything', async () => {
    const later = { due: 5, name: { key: 'model/fraud', summary: { champion: 3 } } };
    const first = openDatabase(directory);
    const buckets = folderBuckets({ directory: join(directory, 'buckets'), database: first.database });
    await buckets.createBucket('drops');
    await sqliteJournal(first).append(0, appendOf('fraud', 1, { champion: 3 }, later));
    await sqliteBus(first).publish([eventOf(1), eventOf(2)]);
    await buckets('drops').write('day.csv', bytes('one'));
    await buckets('drops').write('../day.csv', bytes('two'));
    await fileRegistry({ directory: join(directory, 'registry') }).register(versionOf('fraud', 1));
    const listed = await buckets('drops').list('');
    first.close();

    const second = openDatabase(directory);
    const journal = sqliteJournal(second);
    const drops = folderBuckets({ directory: join(directory, 'buckets'), database: second.database })('drops');

    expect(await journal.head('fraud')).toMatchObject({ seq: 1, state: { champion: 3 } });
    expect((await journal.history('fraud', undefined, 5)).length).toBe(1);
    expect((await journal.due(5)).items).toEqual([{ stream: 'fraud', due: 5 }]);
    expect((await journal.names('model/')).items.map((row) => row.stream)).toEqual(['fraud']);
    expect(sqliteBus(second).read(1, 10)).toEqual([{ position: 2, event: eventOf(2) }]);
    expect(await drops.list('')).toEqual(listed);
    expect(await fileRegistry({ directory: join(directory, 'registry') }).get('fraud', 1)).toEqual(
      versionOf('fraud', 1),
    );
    second.close();
  });

  test('what was handed over before close is committed by it', async () => {
    const first = openDatabase(directory);
    const appended = sqliteJournal(first).append(0, appendOf('fraud', 1));
    first.close();
    await appended;

    const second = openDatabase(directory);
    const journal = sqliteJournal(second);
    expect(await journal.head('fraud')).toMatchObject({ seq: 1 });
    second.close();
    second.close();
    await expect(journal.append(1, appendOf('fraud', 2))).rejects.toEqual(fault('unavailable', /closed/));
  });

  test('a second server on one directory is refused, and let in once the first was killed', async () => {
    const program = `
      import { openDatabase } from '@serin/local/machine/database';
      const held = openDatabase(process.argv[1]);
      console.log('open');
      setInterval(() => held, 1000);`;
    const first = child(program, directory);
    await once(first.stdout, 'data');

    expect(() => openDatabase(directory)).toThrow(fault('unavailable', /in use by another process/));

    first.kill('SIGKILL');
    await once(first, 'exit');
    openDatabase(directory).close();
  });

  test('a second opening within one process is refused', () => {
    const first = openDatabase(directory);

    expect(() => openDatabase(directory)).toThrow(fault('unavailable', /in use/));

    first.close();
    openDatabase(directory).close();
  });

  test('a file that is no database is refused', async () => {
    await writeFile(file(), 'day,births\n'.repeat(1000));

    expectRefused('invalid', /serin\.sqlite is damaged.*backup/);
  });

  test('a database that was cut to nothing is refused: it does not start empty', async () => {
    await filled();
    await truncate(file(), 0);

    expectRefused('invalid', /damaged/);
  });

  test('a database that lost its end is refused', async () => {
    await filled();
    await truncate(file(), Math.floor(statSync(file()).size / 2 / 4096) * 4096);

    expectRefused('invalid', /damaged/);
  });

  test('a database with a page of noise is refused', async () => {
    await filled();
    const content = readFileSync(file());
    content.fill(0x5a, 4096 * 2, 4096 * 6);
    await writeFile(file(), content);

    expectRefused('invalid', /damaged/);
  });

  test('a database that was taken away from beside its log is refused', async () => {
    await writeFile(`${file()}-wal`, 'the last commits');

    expectRefused('invalid', /missing/);
  });

  test('the database of another program is refused', () => {
    const other = new DatabaseSync(file());
    other.exec('CREATE TABLE heads (a)');
    other.close();

    expectRefused('invalid', /another program/);
  });

  test('a database of a newer version is refused', async () => {
    await filled();
    const newer = new DatabaseSync(file());
    newer.exec('PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)');
    newer.close();

    expectRefused('invalid', /newer version/);
  });

  test('a directory that cannot be made is refused', async () => {
    await writeFile(join(directory, 'file'), '');

    expect(() => openDatabase(join(directory, 'file', 'data'))).toThrow(
      fault('invalid', /cannot create the data directory/),
    );
  });

  test('a creation that was cut off is begun again', async () => {
    await writeFile(`${file()}.new`, 'half');

    const { database, close } = openDatabase(directory);
    expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    close();
  });

  test('on a full disk appends are refused whole, and go on when there is room', async () => {
    const { database, close } = openDatabase(directory);
    const journal = sqliteJournal({ database });
    await journal.append(0, appendOf('fraud', 1, {}, { due: 7 }));
    const pages = Number(database.prepare('PRAGMA page_count').get()?.page_count);
    database.exec(`PRAGMA max_page_count = ${pages + 40}`);

    const big = (stream: string) => appendOf(stream, 1, { text: 'x'.repeat(100_000) }, { due: 1 });
    const outcomes = await Promise.allSettled([
      journal.append(0, big('a')),
      journal.append(1, appendOf('fraud', 2)),
      journal.append(1, appendOf('fraud', 2, { second: true })),
    ]);

    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: fault('unavailable', /full/) },
      { status: 'fulfilled' },
      { status: 'rejected', reason: fault('conflict') },
    ]);
    expect(await journal.head('a')).toBeUndefined();
    expect(await journal.due(10)).toEqual({ items: [] });
    expect(await journal.head('fraud')).toMatchObject({ seq: 2 });

    database.exec('PRAGMA max_page_count = 1000000');
    await journal.append(0, big('a'));
    expect(await journal.head('a')).toMatchObject({ seq: 1 });
    close();
  });

  test('what fails only at the commit is refused alone, and what shared its turn is kept', async () => {
    const { database, close } = openDatabase(directory);
    const journal = sqliteJournal({ database });
    database.exec(`CREATE TABLE parent (id INTEGER PRIMARY KEY);
      CREATE TABLE child (parent INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)`);

    const outcomes = await Promise.allSettled([
      journal.append(0, appendOf('fraud', 1)),
      groupCommit(database)(() => database.exec('INSERT INTO child VALUES (7)')),
    ]);

    expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: fault('defect') }]);
    expect(await journal.head('fraud')).toMatchObject({ seq: 1 });
    expect(database.prepare('SELECT count(*) AS rows FROM child').get()).toEqual({ rows: 0 });
    close();
  });

  test('appends of one turn share a commit, with the events that are published beside them', async () => {
    const { database, close } = openDatabase(directory);
    const journal = sqliteJournal({ database });
    const bus = sqliteBus({ database });
    const before = commits();

    await Promise.all([
      ...Array.from({ length: 50 }, (_, at) => journal.append(0, appendOf(`model ${at}`, 1))),
      bus.publish([eventOf(1)]),
    ]);

    expect(commits() - before).toBe(1);
    close();

    /** https://sqlite.org/walformat.html: a frame whose bytes 4 to 7 are not 0 ends a commit. */
    function commits(): number {
      const log = readFileSync(`${file()}-wal`);
      let count = 0;
      for (let frame = 32; frame + 8 <= log.length; frame += 24 + 4096) if (log.readUInt32BE(frame + 4) > 0) count++;
      return count;
    }
  });

  test('kill -9 amid appends, 20 times: every append that was acknowledged is there', async () => {
    const program = `
      import { writeSync } from 'node:fs';
      import { openDatabase } from '@serin/local/machine/database';
      import { sqliteJournal } from '@serin/local/ports/journal';
      const journal = sqliteJournal(openDatabase(process.argv[1]));
      const actor = { subject: 'ana', issuer: 'token', role: 'operator' };
      async function loop(stream) {
        for (let seq = (await journal.head(stream))?.seq ?? 0; ; seq++) {
          const entry = { stream, seq: seq + 1, at: seq, actor, signal: {}, patch: { seq: seq + 1 }, events: [], previousHash: '', hash: 'h' };
          await journal.append(seq, { entry, state: { seq: seq + 1, text: 'x'.repeat(2000) } });
          writeSync(1, stream + ' ' + (seq + 1) + '\\n');
        }
      }
      for (let at = 0; at < 8; at++) void loop('model' + at);`;
    const acknowledged = new Map<string, number>();

    for (let round = 0; round < 20; round++) {
      const writer = child(program, directory);
      const exited = once(writer, 'exit');
      let lines = 0;
      for await (const line of createInterface(writer.stdout)) {
        const [stream = '', seq = ''] = line.split(' ');
        acknowledged.set(stream, Math.max(acknowledged.get(stream) ?? 0, Number(seq)));
        if (++lines === 1 + ((round * 37) % 150)) writer.kill('SIGKILL');
      }
      expect((await exited)[1]).toBe('SIGKILL');

      const { database, close } = openDatabase(directory);
      const journal = sqliteJournal({ database });
      for (const [stream, seq] of acknowledged) {
        const head = await journal.head(stream);
        expect(head?.seq).toBeGreaterThanOrEqual(seq);
        expect(head?.state).toMatchObject({ seq: head?.seq });
        const seqs = (await journal.history(stream, undefined, 100_000)).map((entry) => entry.seq);
        expect(seqs).toEqual(Array.from({ length: head?.seq ?? 0 }, (_, at) => seqs.length - at));
      }
      close();
    }

    expect(acknowledged.size).toBe(8);
  }, 60_000);
});

describe('the log of the bus', () => {
  let store: Awaited<ReturnType<typeof openStore>>;
  beforeEach(async () => {
    store = await openStore();
  });
  afterEach(() => store.close());
  const positions = (events: readonly { readonly position: number }[]) => events.map(({ position }) => position);

  test('is read on from any position', async () => {
    const bus = sqliteBus(store);
    await bus.publish([1, 2, 3, 4].map((seq) => eventOf(seq)));

    expect(bus.read(2, 1)).toEqual([{ position: 3, event: eventOf(3) }]);
    expect(positions(bus.read(0, 3))).toEqual([1, 2, 3]);
    expect(bus.read(4, 10)).toEqual([]);
    expect(bus.last()).toBe(4);
  });

  test('tells its listeners what is new, once it can be read', async () => {
    const bus = sqliteBus(store);
    const seen: (readonly number[])[] = [];
    const unsubscribe = bus.subscribe((news) => {
      seen.push(news);
      expect(positions(bus.read((news[0] ?? 0) - 1, news.length))).toEqual(news);
    });

    await bus.publish([eventOf(1), eventOf(2)]);
    await bus.publish([eventOf(2)]);
    await bus.publish([eventOf(1), eventOf(3)]);
    await Promise.resolve();
    unsubscribe();
    await bus.publish([eventOf(4)]);
    await Promise.resolve();

    expect(seen.map((news) => news.length)).toEqual([2, 1]);
  });

  test('forgets what was pruned, and gives no position twice', async () => {
    const bus = sqliteBus(store);
    await bus.publish([1, 2, 3].map((seq) => eventOf(seq)));

    expect(await bus.prune(1)).toBe(2);
    expect(positions(bus.read(0, 10))).toEqual([3]);
    expect(await bus.prune(0)).toBe(1);
    await bus.publish([eventOf(4)]);

    expect(positions(bus.read(0, 10))[0]).toBeGreaterThan(3);
  });

  test('takes no event over 1 MB, nor the others of its call', async () => {
    const bus = sqliteBus(store);

    const huge = eventOf(2, { data: 'x'.repeat(1024 * 1024) });
    await expect(bus.publish([eventOf(1), huge])).rejects.toEqual(fault('invalid'));

    expect(bus.read(0, 10)).toEqual([]);
  });
});

describe('a bucket that is a folder', () => {
  let store: Awaited<ReturnType<typeof openStore>>;
  let folder: string;
  let buckets: ReturnType<typeof opened>;
  let later = 0;
  /** What happens at the moment before a file is read. */
  let meanwhile: () => void = () => undefined;
  beforeEach(async () => {
    store = await openStore();
    later = 0;
    meanwhile = () => undefined;
    folder = join(store.directory, 'buckets', 'drops');
    buckets = opened();
    await buckets.createBucket('drops');
  });
  afterEach(() => store.close());

  function opened() {
    const now = () => {
      meanwhile();
      return Date.now() + later;
    };
    return folderBuckets({ directory: join(store.directory, 'buckets'), database: store.database, now });
  }
  const drops = () => buckets('drops');
  const keys = async (prefix = '') => (await drops().list(prefix)).items.map((info) => info.key);
  const settled = () => {
    later = 10_000;
  };
  const textOf = async (key: string) => {
    const found = await drops().read({ key, maxBytes: 1e6 });
    return found === undefined ? undefined : Buffer.from(found.content).toString();
  };

  test('files that a person copied in are objects under their paths', async () => {
    await mkdir(join(folder, 'fraud', 'Januar 2024'), { recursive: true });
    await writeFile(join(folder, 'fraud', 'Januar 2024', 'tägliche (1).csv'), 'day\n');
    await writeFile(join(folder, 'a'), 'x');
    settled();

    expect(await keys()).toEqual(['a', 'fraud/Januar 2024/tägliche (1).csv']);
    expect(await keys('fraud/Jan')).toEqual(['fraud/Januar 2024/tägliche (1).csv']);
    expect(await textOf('fraud/Januar 2024/tägliche (1).csv')).toBe('day\n');
  });

  test('a safe key is written as a file that a person finds', async () => {
    await drops().write('fraud/2024/day.csv', bytes('day\n'));

    expect(readFileSync(join(folder, 'fraud/2024/day.csv'), 'utf8')).toBe('day\n');
  });

  test('nothing is ever written outside the folder', async () => {
    for (const key of ['../escaped', '/tmp/serin-escaped', 'a/../../escaped', '..\\escaped']) {
      await drops().write(key, bytes('x'));
    }

    expect(readdirSync(join(store.directory, 'buckets'))).toEqual(['drops']);
    expect(readdirSync(folder)).toEqual(['.serin-objects']);
    expect(existsSync('/tmp/serin-escaped')).toBe(false);
  });

  test('a file that was just copied is still being written, and is listed once it rests', async () => {
    await drops().write('done.csv', bytes('x'));
    await writeFile(join(folder, 'day.csv'), 'x');

    await expect(drops().list('')).rejects.toEqual(fault('unavailable', /"day\.csv".*still being written/));
    await expect(drops().read({ key: 'day.csv', maxBytes: 1 })).rejects.toEqual(fault('unavailable', /still being/));
    expect(await keys('done')).toEqual(['done.csv']);

    settled();
    expect(await keys()).toEqual(['day.csv', 'done.csv']);
  });

  test('a file that grows while it is read is still being written', async () => {
    await writeFile(join(folder, 'day.csv'), 'x');
    settled();
    meanwhile = () => appendFileSync(join(folder, 'day.csv'), 'more');

    await expect(drops().list('')).rejects.toEqual(fault('unavailable', /still being written/));

    meanwhile = () => undefined;
    expect((await drops().list('')).items).toMatchObject([{ key: 'day.csv', bytes: 5 }]);
  });

  test('a file that was changed by hand is another version, also with its old size and time', async () => {
    const file = join(folder, 'day.csv');
    const restoreTimes = () => utimesSync(file, 1_700_000_000, 1_700_000_000);
    await drops().write('day.csv', bytes('one'));
    restoreTimes();
    settled();
    const [before] = (await drops().list('')).items;

    await writeFile(file, 'two');
    restoreTimes();

    const [after] = (await drops().list('')).items;
    expect(after?.version).not.toBe(before?.version);
    expect(await drops().read({ key: 'day.csv', version: before?.version ?? '', maxBytes: 9 })).toBeUndefined();
    expect(await textOf('day.csv')).toBe('two');
  });

  test('a file that was moved in or away is there or gone in the next listing', async () => {
    await drops().write('day.csv', bytes('one'));
    await rename(join(folder, 'day.csv'), join(folder, 'other.csv'));
    settled();
    expect(await keys()).toEqual(['other.csv']);

    await rm(join(folder, 'other.csv'));
    expect(await keys()).toEqual([]);
    expect(await textOf('other.csv')).toBeUndefined();
  });

  test('links are not followed, neither to read nor to write', async () => {
    const outside = join(store.directory, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(outside, join(folder, 'linked'));
    await symlink(join(outside, 'secret'), join(folder, 'file'));
    settled();

    expect(await keys()).toEqual([]);
    expect(await textOf('file')).toBeUndefined();
    expect(await textOf('linked/secret')).toBeUndefined();
    expect(await keys('linked/')).toEqual([]);
    expect(await drops().list('')).toMatchObject({
      leftOut: [{ what: 'behind a symbolic link', objects: 2, first: 'file' }],
    });
    expect(await drops().list('linked/deep/')).toMatchObject({
      leftOut: [{ what: 'behind a symbolic link', objects: 1, first: 'linked' }],
    });

    for (const key of ['file', 'linked', 'linked/secret', 'linked/new/x']) await drops().write(key, bytes(key));
    for (const key of ['file', 'linked', 'linked/secret', 'linked/new/x']) expect(await textOf(key)).toBe(key);
    expect(await keys()).toEqual(['file', 'linked', 'linked/new/x', 'linked/secret']);
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  test('a pipe is neither read nor waited for, and is told', async () => {
    execFileSync('mkfifo', [join(folder, 'day.csv')]);
    await writeFile(join(folder, 'other.csv'), 'x');
    settled();

    expect(await drops().list('')).toMatchObject({
      items: [{ key: 'other.csv' }],
      leftOut: [{ what: 'not a regular file', objects: 1, first: 'day.csv' }],
    });
  });

  test('each write of a file can be told from the one before, also of equal content and by whichever hand', async () => {
    const writes = new Set<string | undefined>();
    const look = async () => writes.add((await drops().list('')).items[0]?.written);
    await drops().write('_DONE', bytes(''));
    await look();
    await drops().write('_DONE', bytes(''));
    await look();
    await writeFile(join(folder, '_DONE'), '');
    settled();
    await look();
    await look();

    expect(writes.size).toBe(3);
    expect(writes.has(undefined)).toBe(false);
  });

  test('what begins with a dot is not an object: editors and copy programs leave such files', async () => {
    await writeFile(join(folder, '.day.csv.swp'), 'x');
    await mkdir(join(folder, '.git'));
    await writeFile(join(folder, '.git', 'config'), 'x');

    expect(await keys()).toEqual([]);
  });

  test('a file whose name no key can hold is refused by name, not left out', async () => {
    await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]), 'x');

    await expect(drops().list('')).rejects.toEqual(fault('invalid', /rename it/));
  });

  test('a file copied to where a key is hidden wins, and later writes replace it', async () => {
    await drops().write('ä', bytes('hidden'));
    await writeFile(join(folder, 'ä'), 'by hand');
    settled();
    expect(await textOf('ä')).toBe('by hand');
    expect((await drops().list('')).items).toMatchObject([{ key: 'ä', bytes: 7 }]);

    await drops().write('ä', bytes('again'));
    expect(readFileSync(join(folder, 'ä'), 'utf8')).toBe('again');
  });

  test('a key that was hidden while a file was in its way moves to its path with the next write', async () => {
    await drops().write('a', bytes('in the way'));
    await drops().write('a/b', bytes('hidden'));
    await rm(join(folder, 'a'));
    expect(await textOf('a/b')).toBe('hidden');

    await drops().write('a/b', bytes('in place'));
    expect(readFileSync(join(folder, 'a', 'b'), 'utf8')).toBe('in place');

    await rm(join(folder, 'a', 'b'));
    expect(await textOf('a/b')).toBeUndefined();
    expect(await keys()).toEqual([]);
  });

  test('what a crash left of a write is never listed, and goes with the next one', async () => {
    await drops().write('a', bytes('x'));
    await writeFile(join(folder, '.serin-objects', 'left.new'), 'half');

    expect(await keys()).toEqual(['a']);
    buckets = opened();
    await drops().write('b', bytes('x'));

    expect(readdirSync(join(folder, '.serin-objects'))).toEqual([]);
  });

  test('a file of several megabytes, copied in, has the version that writing it gives', async () => {
    const content = Buffer.alloc(3_500_000, 'day,births\n');
    await drops().write('written.bin', content);
    await cp(join(folder, 'written.bin'), join(folder, 'copied.bin'));
    settled();

    const [copied, written] = (await drops().list('')).items;
    expect(copied?.version).toBe(written?.version);
    expect(copied?.version).toMatch(/^[0-9a-f]{64}$/);
  });

  test('a name that is no safe folder cannot be a bucket', async () => {
    for (const name of ['', '..', 'a/b', 'Ä', '.x', 'x'.repeat(64)]) {
      await expect(buckets.createBucket(name)).rejects.toEqual(fault('invalid'));
      await expect(buckets(name).list('')).rejects.toEqual(fault('notFound'));
    }
    await buckets.createBucket('drops');
    expect(await keys()).toEqual([]);
  });

  test.each(['fraud/day.csv', '../day.csv'])(
    '%j is copied for a job as the version that the manifest names',
    async (key) => {
      await drops().write(key, bytes('one'));
      const [info] = (await drops().list('')).items;
      const target = join(store.directory, 'jobs', 'x', 'day.csv');

      await buckets.materialise('drops', key, info?.version ?? '', target);
      await buckets.materialise('drops', key, info?.version ?? '', target);

      expect(readFileSync(target, 'utf8')).toBe('one');
    },
  );

  test('an object that changed or went since the manifest is not copied', async () => {
    await drops().write('day.csv', bytes('one'));
    const [info] = (await drops().list('')).items;
    const target = join(store.directory, 'day.csv');
    const copied = () => buckets.materialise('drops', 'day.csv', info?.version ?? '', target);

    await drops().write('day.csv', bytes('two'));
    await expect(copied()).rejects.toEqual(fault('invalid', /changed since the manifest was written/));
    await rm(join(folder, 'day.csv'));
    await expect(copied()).rejects.toEqual(fault('invalid', /changed since the manifest was written/));

    expect(existsSync(target)).toBe(false);
  });

  test('10,000 files are listed whole, and are not read again for the next list', async () => {
    for (let day = 0; day < 20; day++) {
      await mkdir(join(folder, `day ${day}`));
      for (let at = 0; at < 500; at++)
        writeFileSync(join(folder, `day ${day}`, `${at}.csv`), `${day},${at}\n`.repeat(200));
    }
    settled();
    /** With the microseconds that processors worked for it: how long it lasts depends on who else works. */
    async function listing(): Promise<{ readonly versions: ReadonlySet<string>; readonly worked: number }> {
      const start = process.cpuUsage();
      const versions = new Set<string>();
      for (let page = await drops().list('day'); ; page = await drops().list('day', page.next)) {
        for (const info of page.items) versions.add(info.version);
        if (page.next !== undefined) continue;
        const { user, system } = process.cpuUsage(start);
        return { versions, worked: user + system };
      }
    }

    const first = await listing();
    const second = await listing();

    expect(first.versions.size).toBe(10_000);
    expect(second.versions).toEqual(first.versions);
    expect(first.worked).toBeLessThan(2_000_000);
    expect(second.worked).toBeLessThan(first.worked / 2);
  }, 30_000);

  test('versions of files that are gone are forgotten in time', async () => {
    for (let at = 0; at < 1100; at += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, n) => drops().write(`old/${at + n}`, bytes('x'))));
    }
    await drops().write('kept', bytes('x'));
    const remembered = () => Number(store.database.prepare('SELECT count(*) AS n FROM object_versions').get()?.n);
    expect(remembered()).toBe(1101);

    await rm(join(folder, 'old'), { recursive: true });
    expect(await keys()).toEqual(['kept']);

    expect(remembered()).toBe(1);
  }, 30_000);
});

describe('the files of the registry', () => {
  test('a damaged version is a defect that names its file', async () => {
    const store = await openStore();
    const registry = fileRegistry({ directory: store.directory });
    await registry.register(versionOf('fraud', 1));
    const [folder = ''] = readdirSync(store.directory).filter((name) => /^[0-9a-f]{64}$/.test(name));
    expect(readdirSync(join(store.directory, folder))).toEqual(['1.json']);
    await writeFile(join(store.directory, folder, '1.json'), '{"model":');

    await expect(registry.get('fraud', 1)).rejects.toEqual(fault('defect', /1\.json is damaged/));
    await expect(registry.register(versionOf('fraud', 0))).rejects.toEqual(fault('invalid'));
    await store.close();
  });
});

test('histories that many read at once leave a turn of the event loop between any two parts', async () => {
  const { database, close } = await openStore();
  onTestFinished(close);
  const journal = sqliteJournal({ database });
  for (let seq = 1; seq <= 20; seq += 1) await journal.append(seq - 1, appendOf('run/a', seq));
  let [parts, turns, isOver] = [0, 0, false];
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  const read = async (): Promise<void> => {
    for (let before = 21; before > 1; before -= 1) {
      await journal.history('run/a', before, 1);
      parts += 1;
    }
  };

  setImmediate(turn);
  await Promise.all(Array.from({ length: 10 }, read));
  isOver = true;

  expect(parts).toBe(200);
  expect(turns).toBeGreaterThan(190);
});
