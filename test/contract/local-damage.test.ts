import {
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { canonical, sha256Hex } from '@serin/core/base/json';
import { nextEntry } from '@serin/core/ports/entry';
import type { Entry } from '@serin/core/ports/journal';
import type { Server } from '@serin/local/compose';
import { openDatabase } from '@serin/local/machine/database';
import { sqliteJournal } from '@serin/local/ports/journal';
import { describe, expect, test } from 'vitest';
import { serin } from '../cli/command.ts';
import { newDirectory } from './serving-machine.ts';
import { predicted, read, startIn, trained } from './trained-project.ts';

const actor = { subject: 'ann', issuer: 'token', role: 'admin' } as const;

/** A database as `kill -9` leaves it: 100 appends, each a transaction of its own, all of them in the log alone. */
async function killed(): Promise<string> {
  const directory = newDirectory();
  const { database, close } = openDatabase(join(directory, 'live'));
  const journal = sqliteJournal({ database });
  for (let seq = 1; seq <= 100; seq += 1) {
    const head = await journal.head('s');
    const state = { text: String(seq).repeat(1500) };
    const entry = nextEntry(head, { stream: 's', at: seq, actor, signal: {}, state });
    await journal.append(seq - 1, { entry, state });
  }
  cpSync(join(directory, 'live'), join(directory, 'data'), { recursive: true });
  close();
  return join(directory, 'data');
}

const logOf = (data: string): string => join(data, 'serin.sqlite-wal');

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Buffer.from([(bytes[at] ?? 0) ^ 4]), 0, 1, at);
}

/** Where the frames of the last transaction begin; a frame that ends one says how large the database is then. */
function lastTransaction(log: string): readonly number[] {
  const bytes = readFileSync(log);
  const frameBytes = bytes.readUInt32BE(8) + 24;
  let frames: number[] = [];
  for (let at = 32; at < bytes.length; at += frameBytes) {
    if (bytes.readUInt32BE(Math.max(32, at - frameBytes) + 4) !== 0) frames = [];
    frames.push(at);
  }
  return frames;
}

async function entriesIn(data: string): Promise<number> {
  const { database, close } = openDatabase(data);
  const entries = await sqliteJournal({ database }).history('s', undefined, 1000);
  close();
  return entries.length;
}

describe('the log of the database', () => {
  test.each([
    ['its beginning', 0.02],
    ['its first quarter', 0.25],
    ['its middle', 0.5],
    ['its last quarter', 0.75],
    ['near its end', 0.95],
  ])('with one bit changed at %s is refused, and nothing is changed', async (_, part) => {
    const data = await killed();
    const log = logOf(data);
    const { length } = readFileSync(log);
    flip(log, Math.round(length * part));
    const before = sha256Hex(readFileSync(log));

    expect(() => openDatabase(data)).toThrow(/log is bad, and committed ones stand behind it.*restore the directory/);
    expect(sha256Hex(readFileSync(log))).toBe(before);
  });

  test('with a header that is not one is refused', async () => {
    const data = await killed();
    flip(logOf(data), 17);

    expect(() => openDatabase(data)).toThrow(/does not begin like a log/);
  });

  test.each([
    ['cut in its last frame', (log: string, last: readonly number[]) => truncateSync(log, (last.at(-1) ?? 0) + 100)],
    // Of the transaction that was being written, any part may have reached the disk before the power went.
    ['with a hole in its last transaction', (log: string, last: readonly number[]) => flip(log, (last[0] ?? 0) + 100)],
    [
      'without the end of its last transaction',
      (log: string, last: readonly number[]) => flip(log, (last.at(-1) ?? 0) + 5),
    ],
  ])('%s is what a power cut leaves: all but the last transaction is there', async (_, damage) => {
    const data = await killed();
    const last = lastTransaction(logOf(data));
    damage(logOf(data), last);

    expect(last.length).toBeGreaterThan(2);
    expect(await entriesIn(data)).toBe(99);
  });

  test('that is whole gives everything back', async () => {
    expect(await entriesIn(await killed())).toBe(100);
  });
});

/** A server that has trained, and its data directory as `kill -9` would leave it now. */
async function killedServer(): Promise<string> {
  const live = newDirectory();
  const server = await startIn(live);
  await trained(server, live);
  const database = new DatabaseSync(join(live, 'data/serin.sqlite'), { readOnly: true });
  const entries = () => Number(database.prepare('SELECT total(seq) AS entries FROM heads').get()?.entries);
  const seen = () => JSON.parse(readFileSync(join(live, 'data/journal.seen'), 'utf8')).entries;
  // What was seen is written down once a second: half of the log must hold less.
  await expect.poll(() => entries() - seen(), { interval: 50, timeout: 10_000 }).toBe(0);
  database.close();
  const directory = newDirectory();
  cpSync(join(live, 'data'), join(directory, 'data'), { recursive: true });
  return directory;
}

test.each([
  ['removed', (log: string) => rmSync(log)],
  ['cut in half', (log: string) => truncateSync(log, Math.floor(readFileSync(log).length / 2))],
])('a start on a log that was %s is refused, and says how much is missing', async (_, damage) => {
  const directory = await killedServer();
  damage(logOf(join(directory, 'data')));

  await expect(startIn(directory)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringMatching(/the journal has lost its last [1-9]\d* entries; restore .*journal\.seen/),
  });
});

test('an older database under a newer record of it is refused, also when it has as many entries', async () => {
  const directory = newDirectory();
  const server = await startIn(directory);
  await trained(server, directory);
  await server.close();
  const file = join(directory, 'data/journal.seen');
  const seen = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...seen, hash: sha256Hex('another') }));

  await expect(startIn(directory)).rejects.toThrow(/in the journal was changed/);
  writeFileSync(file, '');
  await startIn(directory);
});

/** Changes the database of a server that has trained and was stopped, and starts it again. */
async function tampered(change: (database: DatabaseSync) => void): Promise<{ server: Server; directory: string }> {
  const directory = newDirectory();
  const before = await startIn(directory);
  await trained(before, directory);
  await before.close();
  const database = new DatabaseSync(join(directory, 'data/serin.sqlite'));
  change(database);
  database.close();
  return { directory, server: await startIn(directory) };
}

const verified = (server: Server, cwd: string, ...options: readonly string[]) =>
  serin(['audit', 'verify', ...options], { cwd, env: { SERIN_URL: server.url, SERIN_TOKEN: server.token } });

test('audit verify finds a state that is not what its entries come to', async () => {
  const { server } = await tampered((database) => {
    database.exec(`UPDATE heads SET state = json_set(state, '$.nextNumber', 7) WHERE stream = 'model/judged'`);
  });

  expect(await read(server, '/v1/audit/verify')).toMatchObject({
    ok: false,
    problems: [
      {
        stream: 'model/judged',
        problem: expect.stringMatching(
          /the state that acts is not what its \d+ entries come to; it differs in nextNumber/,
        ),
      },
    ],
  });
});

test('audit verify names a row that is not JSON, and checks the others', async () => {
  const { server, directory } = await tampered((database) => {
    database.exec(`UPDATE entries SET entry = '{"seq' WHERE stream = 'model/approved' AND seq = 1`);
  });

  const { exit, stdout } = await verified(server, directory);

  expect(exit).toBe(1);
  expect(stdout).toMatch(/1 broken[\s\S]*entry 1 of model\/approved in the journal is damaged: it is not JSON/);
});

/** Gives the first entry of a stream to somebody else, and chains all that follow anew. */
function rewrite(database: DatabaseSync, stream: string): void {
  const rows = database.prepare('SELECT seq, entry FROM entries WHERE stream = ? ORDER BY seq').all(stream);
  let previousHash = '';
  for (const { seq, entry } of rows) {
    const { hash: _, ...body } = JSON.parse(String(entry)) as Entry;
    const actor = previousHash === '' ? { ...body.actor, subject: 'mallory' } : body.actor;
    const forged = { ...body, actor, previousHash };
    previousHash = sha256Hex(canonical(forged));
    database
      .prepare('UPDATE entries SET entry = ? WHERE stream = ? AND seq = ?')
      .run(JSON.stringify({ ...forged, hash: previousHash }), stream, seq ?? 0);
  }
  database.prepare('UPDATE heads SET hash = ? WHERE stream = ?').run(previousHash, stream);
}

test('a chain that was rewritten as a whole is found by whoever kept its root', async () => {
  const { server, directory } = await tampered(() => {});
  const kept = await verified(server, directory, '--json');
  writeFileSync(join(directory, 'root.json'), kept.stdout);
  const same = await verified(server, directory, '--against', 'root.json');
  await server.close();
  const database = new DatabaseSync(join(directory, 'data/serin.sqlite'));
  rewrite(database, 'model/approved');
  database.close();
  rmSync(join(directory, 'data/journal.seen'));
  const later = await startIn(directory);

  const alone = await verified(later, directory);
  const against = await verified(later, directory, '--against', 'root.json');

  expect(JSON.parse(kept.stdout)).toMatchObject({ ok: true, root: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect([same.exit, same.stdout]).toEqual([0, expect.stringMatching(/whole\nroot [0-9a-f]{64}/)]);
  expect(alone.exit).toBe(0);
  expect([against.exit, against.stdout]).toEqual([1, expect.stringContaining('its history was rewritten')]);
});

test('an export is checked without the server', async () => {
  const { server, directory } = await tampered(() => {});
  const env = { SERIN_URL: server.url, SERIN_TOKEN: server.token };
  const { stdout } = await serin(['audit', 'export', 'model/approved'], { cwd: directory, env });
  writeFileSync(join(directory, 'whole.ndjson'), stdout);
  writeFileSync(join(directory, 'changed.ndjson'), stdout.replace('"admin"', '"nimda"'));

  const whole = await serin(['audit', 'verify', '--file', 'whole.ndjson'], { cwd: directory });
  const changed = await serin(['audit', 'verify', '--file', 'changed.ndjson'], { cwd: directory });

  expect([whole.exit, whole.stdout]).toEqual([
    0,
    expect.stringMatching(/of 1 streams checked: whole\nroot [0-9a-f]{64}/),
  ]);
  expect([changed.exit, changed.stdout]).toEqual([1, expect.stringContaining('was changed after it was written')]);
});

test('the way back from a damaged database, as its error tells it, ends in a champion', async () => {
  const directory = newDirectory();
  const before = await startIn(directory);
  await trained(before, directory);
  await before.close();
  const data = join(directory, 'data');
  writeFileSync(join(data, 'serin.sqlite'), 'damaged');
  const refused = await startIn(directory).catch((error: Error) => error);

  for (const name of readdirSync(data)) if (name !== 'buckets') rmSync(join(data, name), { recursive: true });
  const server = await startIn(directory);
  await trained(server, directory);

  expect(String(refused)).toContain(`move everything in ${data} but the folder buckets away to start empty`);
  expect(existsSync(join(data, 'registry'))).toBe(true);
  expect(await predicted(server)).toBe(200);
});
