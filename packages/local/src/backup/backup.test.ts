import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { nextEntry } from '@serin/core/ports/entry';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../machine/database.ts';
import { hasEnded } from '../machine/jobs/record.ts';
import { takeBack } from '../machine/model-server.ts';
import { killLeftovers, processStart } from '../machine/runner.ts';
import { launch } from '../machine/server-process.ts';
import { serverRecords } from '../machine/server-records.ts';
import { sqliteJournal } from '../ports/journal.ts';
import { backUp, restore } from './backup.ts';
import { checkReadable } from './readable.ts';

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'serin-backup-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A data directory with two entries and some files, which a server has open. */
async function dataDirectory(state: object = { schema: 3 }) {
  const root = folder();
  const directory = join(root, 'data');
  const { database, close } = openDatabase(directory);
  onTestFinished(close);
  const journal = sqliteJournal({ database });
  const append = async (more: object) => {
    const head = await journal.head('model/fraud');
    const given = {
      stream: 'model/fraud',
      at: 1,
      actor: { subject: 'a', issuer: 'test', role: 'admin' as const },
      signal: {},
      state: { ...state, ...more },
    };
    const entry = nextEntry(head, given);
    await journal.append(head?.seq ?? 0, {
      entry,
      state: given.state,
      name: { key: 'model/fraud', summary: { model: 'fraud' } },
    });
  };
  await append({ count: 1 });
  await append({ count: 2 });
  const put = (path: string, text: string) => {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), text, { mode: 0o640 });
  };
  put('buckets/drops/fraud/a.csv', 'day,amount\n');
  put(`jobs/${'a'.repeat(32)}/tree/model/weights`, 'weights');
  put(`jobs/${'a'.repeat(32)}/tree/input/data/train/a.csv`, 'a copy');
  put('secrets/api-key', 'hunter2');
  put('server.json', '{}');
  put('captures.sqlite', 'of a person');
  put('captures.sqlite-wal', 'of a person');
  put('serving/fraud/log-0.txt', 'log');
  const made = (target = join(root, 'backup')) => backUp({ directory, target, version: '1.2.3', now: () => 0 });
  return { root, directory, append, put, made, restored: join(root, 'restored') };
}

const pathsIn = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1))
    .sort();

test('a backup holds the history as it is, and every file that a start does not make anew, while a server runs', async () => {
  const { directory, made, restored, root } = await dataDirectory();
  symlinkSync('/etc/passwd', join(directory, 'buckets', 'drops', 'link'));

  const backup = await made();
  const found = await restore({ source: join(root, 'backup'), directory: restored });

  expect(backup).toMatchObject({ serin: '1.2.3', at: '1970-01-01T00:00:00.000Z', entries: 2, root: found.root });
  expect(pathsIn(restored)).toEqual([
    'buckets/drops/fraud/a.csv',
    `jobs/${'a'.repeat(32)}/tree/model/weights`,
    'secrets/api-key',
    'serin.sqlite',
  ]);
  expect(statSync(join(restored, 'secrets', 'api-key')).mode & 0o777).toBe(0o640);
  expect([restored, join(root, 'backup')].map((each) => statSync(each).mode & 0o777)).toEqual([0o700, 0o700]);
});

test('a backup holds what people named like the drafts of a server, and not those', async () => {
  const { put, made, root } = await dataDirectory();
  const kept = [
    'buckets/drops/fraud/b.new',
    `jobs/${'a'.repeat(32)}/tree/model/weights.new`,
    `jobs/${'a'.repeat(32)}/tree/model/code/serve.py`,
    'mlflow/artifacts/runs/r/artifacts/m.new',
    'serving.txt',
  ];
  const drafts = [
    'admin.token.1.new',
    'buckets/drops/.serin-objects/s.u.new',
    `jobs/${'a'.repeat(32)}/record.1.new`,
    'mlflow/artifacts/incoming/u',
  ];
  for (const path of [...kept, ...drafts]) put(path, path);

  await made();

  const found = pathsIn(join(root, 'backup'));
  expect(found).toEqual(expect.arrayContaining(kept));
  expect(found.filter((path) => drafts.includes(path))).toEqual([]);
});

test('a folder that is filled while a backup is restored keeps what is in it', async () => {
  const { made, restored, root } = await dataDirectory();
  const { path } = (await made()).files.at(-1) ?? { path: '' };
  const source = join(root, 'backup');
  // Whoever reads the last file of the backup waits until the folder is filled.
  const bytes = readFileSync(join(source, path));
  rmSync(join(source, path));
  execFileSync('mkfifo', [join(source, path)]);

  const restoring = restore({ source, directory: restored });
  await expect.poll(() => existsSync(`${restored}.partial`)).toBe(true);
  mkdirSync(restored);
  writeFileSync(join(restored, 'of somebody else'), 'x');
  await writeFile(join(source, path), bytes);

  await expect(restoring).rejects.toThrow(/exists and is not empty/);
  expect(readFileSync(join(restored, 'of somebody else'), 'utf8')).toBe('x');
  expect(existsSync(`${restored}.partial`)).toBe(false);
});

test('what was restored goes on: it can be opened, and its history is the same', async () => {
  const { made, restored, root } = await dataDirectory();
  await made();
  await restore({ source: join(root, 'backup'), directory: restored });

  const { database, close } = openDatabase(restored);
  onTestFinished(close);

  expect((await sqliteJournal({ database }).head('model/fraud'))?.state).toEqual({ schema: 3, count: 2 });
});

test('what the old server still runs is neither taken over nor ended by one on the restored directory', async () => {
  const { directory, put, made, restored, root } = await dataDirectory();
  const log = join(root, 'log');
  const running = await launch({ command: ['sleep', '600'], folder: root, environment: { SERIN_SERVER: 'm1' }, log });
  onTestFinished(() => running.end(0));
  const mark = { pid: running.pid, start: processStart(running.pid) ?? '' };
  const slot = { endpoint: 'fraud', deployment: 'v1', instance: 0 };
  const begun = { ...slot, instance: 1 };
  const database = new DatabaseSync(join(directory, 'serin.sqlite'));
  const { pid, born } = running;
  serverRecords(database).put(slot, { mark: 'm1', port: 1, wasReady: true, process: { pid, born } });
  serverRecords(database).put(begun, { mark: 'm1', port: 1, wasReady: false });
  database.close();
  const job = `jobs/${'b'.repeat(32)}`;
  put(`${job}/job.json`, '{}');
  put(`${job}/started.json`, JSON.stringify({ ...mark, at: 1 }));
  put(`${job}/child.json`, JSON.stringify(mark));
  await made();

  await restore({ source: join(root, 'backup'), directory: restored });

  const copy = openDatabase(restored);
  onTestFinished(copy.close);
  const records = serverRecords(copy.database);
  expect([takeBack(records.get(slot)), takeBack(records.get(begun))]).toEqual([undefined, undefined]);
  expect(records.get(slot)).toMatchObject({ wasReady: true });
  expect([hasEnded(join(directory, job)), hasEnded(join(restored, job))]).toEqual([false, true]);
  killLeftovers(join(restored, job));
  expect(processStart(running.pid)).toBe(mark.start);
});

test('a later backup has another root, and an earlier one keeps its own', async () => {
  const { append, made, root } = await dataDirectory();
  const first = await made(join(root, 'first'));
  await append({ count: 3 });

  const second = await made(join(root, 'second'));

  expect(second.root).not.toBe(first.root);
  expect(JSON.parse(readFileSync(join(root, 'first', 'backup.json'), 'utf8')).root).toBe(first.root);
});

test.each([
  [
    'a file was changed',
    (backup: string) => writeFileSync(join(backup, 'secrets', 'api-key'), 'other'),
    /api-key was changed/,
  ],
  ['a file is missing', (backup: string) => rmSync(join(backup, 'secrets', 'api-key')), /api-key is missing/],
  [
    'it names a file outside of itself',
    (backup: string) => {
      const file = join(backup, 'backup.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace('secrets/api-key', 'secrets/../../x'));
    },
    /a file outside of itself/,
  ],
  [
    'its root is another one',
    (backup: string) => {
      const file = join(backup, 'backup.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace(/"root": "../, '"root": "zz'));
    },
    /its history comes to the root/,
  ],
  [
    'it is of a later format',
    (backup: string) => {
      const file = join(backup, 'backup.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace('"format": 1', '"format": 2'));
    },
    /another version of serin \(1\.2\.3\)/,
  ],
  ['it is not a backup', (backup: string) => rmSync(join(backup, 'backup.json')), /is not a backup/],
])('a backup is not restored when %s, and nothing is left', async (_, spoil, why) => {
  const { made, restored, root } = await dataDirectory();
  await made();
  spoil(join(root, 'backup'));

  await expect(restore({ source: join(root, 'backup'), directory: restored })).rejects.toThrow(why);

  expect([existsSync(restored), existsSync(`${restored}.partial`)]).toEqual([false, false]);
});

test('neither a backup nor a restore writes into a folder that holds something', async () => {
  const { directory, made, root } = await dataDirectory();
  await made();

  await expect(made()).rejects.toThrow(/exists and is not empty/);
  await expect(restore({ source: join(root, 'backup'), directory })).rejects.toThrow(/exists and is not empty/);
  await expect(made(join(directory, 'backup'))).rejects.toThrow(/in the data directory itself/);
});

test('a folder without a database is not backed up as an empty one', async () => {
  const root = folder();

  const made = backUp({ directory: root, target: join(root, '..', `${Date.now()}-none`), version: '1', now: () => 0 });

  await expect(made).rejects.toThrow(/there is no database .*serin\.sqlite; name the data directory/);
});

test('a damaged history is not taken for a backup', async () => {
  const { directory, made, root } = await dataDirectory();
  const { DatabaseSync } = await import('node:sqlite');
  const other = new DatabaseSync(join(directory, 'serin.sqlite'));
  other.exec(`UPDATE entries SET entry = replace(entry, '"count":1', '"count":9')`);
  other.close();

  await expect(made()).rejects.toThrow(/is damaged, so it is not backed up: model\/fraud: entry 1 was changed/);
  expect(existsSync(join(root, 'backup'))).toBe(false);
});

test('an upgrade is ready when every state can be read, and says which are older', async () => {
  const current = await dataDirectory();
  const older = await dataDirectory({ schema: 2 });

  expect(await checkReadable(current.directory)).toEqual({ streams: 1, older: 0, problems: [] });
  expect(await checkReadable(older.directory)).toEqual({ streams: 1, older: 1, problems: [] });
});

test('an upgrade is not ready when a newer version wrote a state, or one has a status that is not known', async () => {
  const newer = await dataDirectory({ schema: 99 });
  const unknown = await dataDirectory({ schema: 3, run: { status: 'dreaming' } });

  expect((await checkReadable(newer.directory)).problems).toEqual([expect.stringContaining('model/fraud')]);
  expect((await checkReadable(unknown.directory)).problems).toEqual([
    "model/fraud: its run is 'dreaming', which this version does not know",
  ]);
});
