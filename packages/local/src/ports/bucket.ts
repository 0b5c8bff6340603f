import { createHash, randomUUID } from 'node:crypto';
import { type BigIntStats, constants, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { copyFile, type FileHandle, link, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '@serin/core/fault';
import { sha256Hex } from '@serin/core/json';
import type { Bucket, ObjectContent, ObjectInfo, Page } from '@serin/core/ports';
import { fileFault, groupCommit, isMissing, syncDirectory, systemCode } from '../machine/database.ts';

const hiddenFolder = '.serin-objects';
const pageSize = 1000;
const maxKeyBytes = 1024;
const maxSegmentBytes = 200;
/** A listing that is paged through reads the folders again when nobody asked for a page for so long. */
const walkKeptMs = 10_000;
/** Files up to this size are hashed in one go, which is three times quicker than a stream. */
const smallFileBytes = 64 * 1024;
/** System calls in a row before the event loop has its turn: about 2 ms. */
const sliceLength = 200;
/** Begins the names of this process's drafts. */
const session = randomUUID();
/** How much hashing a crash may cost. */
const rememberEveryBytes = 256 * 1024 * 1024;

const table = `
  CREATE TABLE IF NOT EXISTS object_versions (
    bucket TEXT NOT NULL, place TEXT NOT NULL, identity TEXT NOT NULL, version TEXT NOT NULL,
    PRIMARY KEY (bucket, place)
  ) WITHOUT ROWID;
`;

export interface FolderBuckets {
  /** The bucket of a name; its methods throw `notFound` until the folder is there. */
  (name: string): Bucket;
  /** Creates the folder of a bucket. Twice: the same as once. A name that is not safe as a folder's is `invalid`. */
  createBucket(name: string): Promise<void>;
  /**
   * Copies one version of an object into a file (its folders are created, an older file is replaced), as a clone where
   * the file system can, and verifies the copy. `invalid` when the object is gone or no longer that version; there is
   * no file then.
   */
  materialise(bucket: string, key: string, version: string, targetFile: string): Promise<void>;
}

interface Options {
  /** Holds one folder per bucket. */
  readonly directory: string;
  readonly database: DatabaseSync;
  /** How long a file that somebody else writes must have been left alone before it counts as whole. */
  readonly settleMs?: number;
  /** Milliseconds since the epoch, on the clock of the file system. */
  readonly now?: () => number;
}

/**
 * Buckets that are folders: `<directory>/<bucket>/`, into which a person may copy files.
 *
 * A file's key is its path in the folder. What `write` gets under a key that is no safe path, or whose path is taken
 * by a folder or a link, lies in a hidden folder under the key's digest. Files and folders that begin with a dot, and
 * symbolic links below the bucket, are not objects. `version` is the SHA-256 of the content; it is remembered for a
 * file with the same size, times and inode. A file that somebody else wrote is `unavailable` until it has not changed
 * for `settleMs`; what `write` answered is whole at once.
 */
export function folderBuckets({ directory, database, settleMs = 2000, now = Date.now }: Options): FolderBuckets {
  database.exec(table);
  const versions = versionTable(database);
  const folders = new Map<string, Folder>();

  function folderOf(name: string): Folder {
    const known = folders.get(name) ?? newFolder(name, join(directory, name));
    folders.set(name, known);
    return known;
  }

  async function existing(name: string): Promise<Folder> {
    const folder = isBucketName(name) ? folderOf(name) : undefined;
    const found = folder === undefined ? undefined : await stat(folder.root).catch(() => undefined);
    if (folder !== undefined && found?.isDirectory()) return folder;
    throw new Fault('notFound', `there is no bucket ${JSON.stringify(name)} in ${directory}; create it first`);
  }

  const store: Store = { versions, settleMs, now };
  const bucketOf = (name: string): Bucket => ({
    list: async (prefix, cursor) => list(store, await existing(name), prefix, cursor),
    async read(what) {
      checkKey(what.key);
      const folder = await existing(name);
      return guarded(`reading ${JSON.stringify(what.key)} of the bucket ${name}`, () => read(store, folder, what));
    },
    write: async (key, content, condition) => {
      checkKey(key);
      return write(store, await existing(name), key, content, condition?.ifAbsent === true);
    },
  });

  return Object.assign(bucketOf, {
    async createBucket(name: string): Promise<void> {
      if (!isBucketName(name)) {
        const allowed = '1 to 63 of a-z, 0-9, ".", "_", "-", beginning with a letter or digit';
        throw new Fault('invalid', `${JSON.stringify(name)} cannot name a bucket; use ${allowed}`);
      }
      await guarded(`creating the bucket ${name}`, async () => {
        await mkdir(join(directory, name), { recursive: true });
        syncDirectory(directory);
      });
    },
    async materialise(bucket: string, key: string, version: string, targetFile: string): Promise<void> {
      checkKey(key);
      await materialise(await existing(bucket), key, version, targetFile);
    },
  });
}

interface Store {
  readonly versions: ReturnType<typeof versionTable>;
  readonly settleMs: number;
  readonly now: () => number;
}

interface Folder {
  readonly name: string;
  readonly root: string;
  /** Digest -> key of the hidden objects: they never change. */
  readonly hiddenKeys: Map<string, string>;
  walk?: Walk;
  /** Versions of files that `write` has not answered yet, by what a rename does not change. */
  readonly inFlight: Map<string, string>;
  /** How many objects came or moved; a walk from before that is not used again. */
  moves: number;
  /** What a crash left of unfinished writes is gone. */
  swept: boolean;
}

const newFolder = (name: string, root: string): Folder => ({
  name,
  root,
  hiddenKeys: new Map(),
  inFlight: new Map(),
  moves: 0,
  swept: false,
});

interface Walk {
  readonly prefix: string;
  readonly moves: number;
  readonly items: readonly Item[];
  usedAt: number;
}

/** `place`: the file of an object, relative to the bucket. */
interface Item {
  readonly key: string;
  readonly place: string;
}

// Keys

const isBucketName = (name: string): boolean => /^[a-z0-9][a-z0-9._-]{0,62}$/.test(name);

function checkKey(key: string): void {
  if (key !== '' && key.isWellFormed() && Buffer.byteLength(key) <= maxKeyBytes) return;
  const shown = JSON.stringify(key.slice(0, 100));
  throw new Fault('invalid', `the key ${shown} is not 1 to ${maxKeyBytes} bytes of valid Unicode; choose another one`);
}

/** A path that a person may give a file: it is listed, read and replaced where it is. */
const isPath = (key: string): boolean => key.split('/').every((segment) => /^[^.\0\\][^\0\\]*$/.test(segment));

/** A path that `write` may create: one that names the same file on every file system. */
function isSafePath(key: string): boolean {
  const ends = /^[\w=+@,()-](?:[\w .=+@,()-]*[\w=+@,()-])?$/;
  const device = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
  return key.split('/').every((part) => part.length <= maxSegmentBytes && ends.test(part) && !device.test(part));
}

const hiddenPlace = (key: string): string => `${hiddenFolder}/${sha256Hex(key)}`;

/** By UTF-8 bytes: as by UTF-16 units, but surrogates (U+10000 and more) come after U+E000 to U+FFFF. */
function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

// Listing

async function list(
  store: Store,
  folder: Folder,
  prefix: string,
  cursor: string | undefined,
): Promise<Page<ObjectInfo>> {
  const after = cursor === undefined ? '' : keyOfCursor(cursor);
  const items = await guarded(`listing the bucket ${folder.name}`, () => walked(store, folder, prefix, cursor));
  const from = firstAfter(items, after);
  const chosen = items.slice(from, from + pageSize);
  const last = chosen.at(-1);
  const infos = await guarded(`listing the bucket ${folder.name}`, () => describeAll(store, folder, chosen));
  if (last === undefined || from + pageSize >= items.length) return { items: infos };
  return { items: infos, next: Buffer.from(last.key).toString('base64url') };
}

function keyOfCursor(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString();
  if (Buffer.from(key).toString('base64url') === cursor && key !== '') return key;
  const shown = JSON.stringify(cursor.slice(0, 100));
  throw new Fault('invalid', `the cursor ${shown} is not one of this list; begin without it`);
}

function firstAfter(items: readonly Item[], key: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(items[middle]?.key ?? '', key) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** All objects in order: from the folders for a first page, remembered for the pages after it. */
async function walked(
  store: Store,
  folder: Folder,
  prefix: string,
  cursor: string | undefined,
): Promise<readonly Item[]> {
  const kept = folder.walk;
  const fits = kept !== undefined && kept.prefix === prefix && kept.moves === folder.moves;
  if (cursor !== undefined && fits && performance.now() - kept.usedAt < walkKeptMs) {
    kept.usedAt = performance.now();
    return kept.items;
  }
  const { moves } = folder;
  const items = await walk(folder, prefix);
  folder.walk = { prefix, moves, items, usedAt: performance.now() };
  await store.versions.forgetGone(folder.name, prefix, items);
  return items;
}

async function walk(folder: Folder, prefix: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  const base = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const pending = base === '' || (isPath(base.slice(0, -1)) && (await isOwn(folder, base))) ? [base] : [];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of await readdir(join(folder.root, path), { withFileTypes: true }).catch(none)) {
      if (entry.name.startsWith('.')) continue;
      const key = path + entry.name;
      if (!entry.isFile() && !entry.isDirectory()) continue;
      if (key.startsWith(prefix)) refuseUnlistable(folder, key);
      if (entry.isDirectory() && (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)))
        pending.push(`${key}/`);
      if (entry.isFile() && key.startsWith(prefix)) items.push({ key, place: key });
    }
  }
  for (const item of await hiddenItems(folder)) if (item.key.startsWith(prefix)) items.push(item);
  items.sort((a, b) => compareKeys(a.key, b.key) || (isHidden(a) ? 1 : -1));
  return items.filter((item, at) => item.key !== items[at - 1]?.key);
}

// A folder that went away while it was walked has no objects.
function none(error: unknown): [] {
  if (isMissing(error)) return [];
  throw error;
}

const isHidden = (item: Item): boolean => item.place.startsWith(`${hiddenFolder}/`);

/** A file that no key can name would be missing from the data, if it were left out in silence. */
function refuseUnlistable(folder: Folder, path: string): void {
  // A name that is not UTF-8 comes with U+FFFD in it, and is not found under that name.
  const misread =
    path.includes('\uFFFD') && lstatSync(join(folder.root, path), { throwIfNoEntry: false }) === undefined;
  if (!misread && isPath(path) && Buffer.byteLength(path) <= maxKeyBytes) return;
  const why = `it is not UTF-8, contains a backslash, or is over ${maxKeyBytes} bytes`;
  throw new Fault(
    'invalid',
    `the file ${JSON.stringify(path)} in the bucket ${folder.name} has no usable name (${why}); rename it`,
  );
}

async function hiddenItems(folder: Folder): Promise<readonly Item[]> {
  const names = await readdir(join(folder.root, hiddenFolder)).catch(none);
  const items: Item[] = [];
  for (const [at, digest] of names.filter((name) => /^[0-9a-f]{64}$/.test(name)).entries()) {
    if (at % sliceLength === sliceLength - 1) await nextTurn();
    items.push({ key: hiddenKey(folder, digest), place: `${hiddenFolder}/${digest}` });
  }
  return items;
}

function hiddenKey(folder: Folder, digest: string): string {
  const known = folder.hiddenKeys.get(digest);
  if (known !== undefined) return known;
  const file = join(folder.root, hiddenFolder, `${digest}.key`);
  const key = readFileSync(file, 'utf8');
  if (sha256Hex(key) !== digest)
    throw new Fault('defect', `${file} is damaged; restore it, or remove the object beside it`);
  folder.hiddenKeys.set(digest, key);
  return key;
}

/** What objects are now; those that are gone since the walk are left out. */
async function describeAll(store: Store, folder: Folder, items: readonly Item[]): Promise<readonly ObjectInfo[]> {
  const infos: ObjectInfo[] = [];
  const learnt: VersionRow[] = [];
  let hashedBytes = 0;
  try {
    for (const [at, item] of items.entries()) {
      if (at % sliceLength === sliceLength - 1) await nextTurn();
      const stats = statOf(folder, item.place);
      const known = stats && knownVersion(store, folder, item.place, stats);
      const version = known ?? (stats && (await fingerprint(store, folder, item, stats)));
      if (stats === undefined || version === undefined) continue;
      infos.push({ key: item.key, version, bytes: Number(stats.size) });
      if (known !== undefined) continue;
      learnt.push([folder.name, item.place, identityOf(stats), version]);
      hashedBytes += Number(stats.size);
      if (hashedBytes > rememberEveryBytes) await store.versions.remember(learnt.splice(0));
      hashedBytes %= rememberEveryBytes;
    }
  } finally {
    await store.versions.remember(learnt);
  }
  return infos;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

// Versions

function statOf(folder: Folder, place: string): BigIntStats | undefined {
  try {
    const stats = lstatSync(join(folder.root, place), { bigint: true, throwIfNoEntry: false });
    return stats?.isFile() ? stats : undefined;
  } catch (error) {
    if (isMissing(error) || systemCode(error) === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

// The change time cannot be set by hand, so a file that was replaced with its old times is seen.
const identityOf = ({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string => `${size}:${mtimeNs}:${ctimeNs}:${ino}`;

/** What a rename, a link and an unlink leave as it was. */
const contentStamp = ({ size, mtimeNs, ino }: BigIntStats): string => `${size}:${mtimeNs}:${ino}`;

const knownVersion = (store: Store, folder: Folder, place: string, stats: BigIntStats): string | undefined =>
  folder.inFlight.get(contentStamp(stats)) ?? store.versions.find(folder.name, place, identityOf(stats));

/** The SHA-256 of a file that nobody else touches; `undefined` when it is gone. */
async function fingerprint(store: Store, folder: Folder, item: Item, stats: BigIntStats): Promise<string | undefined> {
  refuseFresh(store, folder, item.key, stats);
  const file = join(folder.root, item.place);
  const version = stats.size <= smallFileBytes ? hashSmall(file) : await hashFile(file);
  const after = statOf(folder, item.place);
  if (version === undefined || after === undefined) return undefined;
  if (identityOf(after) !== identityOf(stats)) throw beingWritten(folder, item.key);
  return version;
}

function refuseFresh({ settleMs, now }: Store, folder: Folder, key: string, stats: BigIntStats): void {
  // Absolute, so that a clock that was set back does not hold up an old file.
  if (Math.abs(now() - Number(stats.ctimeMs)) < settleMs) throw beingWritten(folder, key);
}

const beingWritten = (folder: Folder, key: string): Fault =>
  new Fault(
    'unavailable',
    `${JSON.stringify(key)} in the bucket ${folder.name} is still being written; try again later`,
  );

const sha256Of = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

function hashSmall(file: string): string | undefined {
  try {
    return sha256Of(readFileSync(file));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function hashFile(file: string): Promise<string | undefined> {
  const handle = await openOwn(file);
  if (handle === undefined) return undefined;
  try {
    return await hashHandle(handle);
  } finally {
    await handle.close();
  }
}

async function hashHandle(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** `undefined` for what is not there or is a link. */
async function openOwn(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (isMissing(error) || systemCode(error) === 'ELOOP') return undefined;
    throw error;
  }
}

/** Bucket, place, identity, version. */
type VersionRow = readonly [string, string, string, string];

/** Versions by place, valid for a file with the same identity. To lose a row costs time, nothing else. */
function versionTable(database: DatabaseSync) {
  const find = database.prepare('SELECT version FROM object_versions WHERE bucket = ? AND place = ? AND identity = ?');
  const put = database.prepare('INSERT OR REPLACE INTO object_versions VALUES (?, ?, ?, ?)');
  const under = `FROM object_versions WHERE bucket = ? AND place >= ? AND place < ? AND place NOT GLOB '${hiddenFolder}/*'`;
  const count = database.prepare(`SELECT count(*) AS total ${under}`);
  const places = database.prepare(`SELECT place ${under}`);
  const forget = database.prepare('DELETE FROM object_versions WHERE bucket = ? AND place = ?');
  const commit = groupCommit(database);

  return {
    find(bucket: string, place: string, identity: string): string | undefined {
      const row = find.get(bucket, place, identity);
      return row === undefined ? undefined : String(row.version);
    },
    async remember(rows: readonly VersionRow[]): Promise<void> {
      if (rows.length === 0) return;
      await commit(() => {
        for (const row of rows) put.run(...row);
      });
    },
    /** Drops the rows of files that are gone, once they are the greater part. */
    async forgetGone(bucket: string, prefix: string, items: readonly Item[]): Promise<void> {
      const range = [bucket, prefix, `${prefix}\u{10ffff}`];
      if (Number(count.get(...range)?.total) <= 2 * items.length + 1000) return;
      const there = new Set(items.map((item) => item.place));
      const gone = places.all(...range).filter((row) => !there.has(String(row.place)));
      await commit(() => {
        for (const row of gone) forget.run(bucket, String(row.place));
      });
    },
  };
}

// Reading

/** A file in the bucket wins over the hidden object of the same key: `write` hides only what has no place of its own. */
async function locate(folder: Folder, key: string): Promise<Item | undefined> {
  if (isPath(key) && (await isOwn(folder, dirname(key))) && statOf(folder, key) !== undefined)
    return { key, place: key };
  const place = hiddenPlace(key);
  return statOf(folder, place) === undefined ? undefined : { key, place };
}

/** A folder of the bucket that is reached without a link. */
async function isOwn(folder: Folder, path: string): Promise<boolean> {
  try {
    const found = await realpath(join(folder.root, path));
    return found === join(await realpath(folder.root), path, '.');
  } catch (error) {
    if (isMissing(error) || systemCode(error) === 'ELOOP' || systemCode(error) === 'ENAMETOOLONG') return false;
    throw error;
  }
}

type Wanted = Parameters<Bucket['read']>[0];

async function read(store: Store, folder: Folder, wanted: Wanted): Promise<ObjectContent | undefined> {
  // Another turn when the object was replaced between two steps; one that never rests is being written.
  for (let turn = 0; turn < 10; turn++) {
    const item = await locate(folder, wanted.key);
    if (item === undefined) return undefined;
    const handle = await openOwn(join(folder.root, item.place));
    if (handle === undefined) continue;
    try {
      const content = await readHandle(store, folder, item, handle, wanted);
      if (content !== 'moved') return content;
    } finally {
      await handle.close();
    }
  }
  throw beingWritten(folder, wanted.key);
}

async function readHandle(
  store: Store,
  folder: Folder,
  item: Item,
  handle: FileHandle,
  { version: asked, maxBytes }: Wanted,
): Promise<ObjectContent | 'moved' | undefined> {
  const stats = await handle.stat({ bigint: true });
  const known = knownVersion(store, folder, item.place, stats);
  if (known === undefined && stats.nlink === 0n) return 'moved';
  if (known === undefined) refuseFresh(store, folder, item.key, stats);
  const version = known ?? (await hashHandle(handle));
  const content = Buffer.alloc(Math.min(Number(stats.size), Math.max(0, maxBytes)));
  const filled = await fill(handle, content);
  if (!filled || contentStamp(await handle.stat({ bigint: true })) !== contentStamp(stats)) return 'moved';
  if (known === undefined) await store.versions.remember([[folder.name, item.place, identityOf(stats), version]]);
  if (asked !== undefined && asked !== version) return undefined;
  const bytes = Number(stats.size);
  return { key: item.key, version, bytes, content, truncated: content.length < bytes };
}

async function fill(handle: FileHandle, buffer: Buffer): Promise<boolean> {
  for (let position = 0; position < buffer.length; ) {
    const { bytesRead } = await handle.read(buffer, position, buffer.length - position, position);
    if (bytesRead === 0) return false;
    position += bytesRead;
  }
  return true;
}

async function materialise(folder: Folder, key: string, version: string, targetFile: string): Promise<void> {
  await guarded(`copying ${JSON.stringify(key)} of the bucket ${folder.name} to ${targetFile}`, async () => {
    const item = await locate(folder, key);
    await mkdir(dirname(targetFile), { recursive: true });
    await rm(targetFile, { force: true });
    if (item !== undefined) await copyFile(join(folder.root, item.place), targetFile, constants.COPYFILE_FICLONE);
    if ((await hashFile(targetFile)) === version) return;
    await rm(targetFile, { force: true });
    const what = `${JSON.stringify(key)} in the bucket ${folder.name}`;
    throw new Fault('invalid', `${what} changed since the manifest was written; start a run on the data of now`);
  });
}

// Writing

interface Draft {
  readonly file: string;
  readonly stamp: string;
}

interface Target {
  readonly item: Item;
  readonly ifAbsent: boolean;
}

async function write(
  store: Store,
  folder: Folder,
  key: string,
  content: Uint8Array,
  ifAbsent: boolean,
): Promise<'written' | 'exists'> {
  return guarded(`writing ${JSON.stringify(key)} to the bucket ${folder.name}`, async () => {
    const current = await locate(folder, key);
    if (current !== undefined && ifAbsent) return 'exists';
    const draft = await writeDraft(folder, content);
    const version = sha256Of(content);
    folder.inFlight.set(draft.stamp, version);
    try {
      const item = await placeSomewhere(folder, draft, { key, current, ifAbsent });
      if (item === 'exists') return 'exists';
      if (item.place !== current?.place) folder.moves += 1;
      await rm(draft.file, { force: true });
      const stats = statOf(folder, item.place);
      if (stats !== undefined && contentStamp(stats) === draft.stamp) {
        await store.versions.remember([[folder.name, item.place, identityOf(stats), version]]);
      }
      return 'written';
    } finally {
      folder.inFlight.delete(draft.stamp);
      await rm(draft.file, { force: true });
    }
  });
}

/** A file on the bucket's own file system, so that it can take its place in one step. */
async function writeDraft(folder: Folder, content: Uint8Array): Promise<Draft> {
  await sweep(folder);
  const file = join(folder.root, hiddenFolder, `${session}.${randomUUID()}.new`);
  const handle = await open(file, 'wx', 0o644);
  try {
    await handle.writeFile(content);
    await handle.sync();
    return { file, stamp: contentStamp(await handle.stat({ bigint: true })) };
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** Removes what a process that crashed left; this one is now the only one. */
async function sweep(folder: Folder): Promise<void> {
  if (folder.swept) return;
  folder.swept = true;
  const hidden = join(folder.root, hiddenFolder);
  mkdirSync(hidden, { recursive: true });
  syncDirectory(folder.root);
  const left = readdirSync(hidden).filter((name) => name.endsWith('.new') && !name.startsWith(session));
  for (const name of left) rmSync(join(hidden, name), { force: true });
}

async function placeSomewhere(
  folder: Folder,
  draft: Draft,
  { key, current, ifAbsent }: { readonly key: string; readonly current: Item | undefined; readonly ifAbsent: boolean },
): Promise<Item | 'exists'> {
  const open = { key, place: key };
  if (current?.place === key || isSafePath(key)) {
    const outcome = await place(folder, draft, { item: open, ifAbsent });
    if (outcome === 'exists') return 'exists';
    if (outcome === 'placed') {
      if (current !== undefined && isHidden(current)) await rm(join(folder.root, current.place), { force: true });
      return open;
    }
  }
  const hidden = { key, place: hiddenPlace(key) };
  await writeHiddenKey(folder, key);
  const outcome = await place(folder, draft, { item: hidden, ifAbsent });
  if (outcome === 'blocked') throw new Fault('defect', `${join(folder.root, hidden.place)} is not a file; remove it`);
  return outcome === 'exists' ? 'exists' : hidden;
}

/** What a path says that has no room for a file: a folder or link is in its way, or another file system begins. */
const blocking: readonly unknown[] = [
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
  'ENOTEMPTY',
  'EXDEV',
  'ELOOP',
  'ENOENT',
  'ENAMETOOLONG',
];

async function place(
  folder: Folder,
  draft: Draft,
  { item, ifAbsent }: Target,
): Promise<'placed' | 'exists' | 'blocked'> {
  const target = join(folder.root, item.place);
  try {
    if (!makeParents(folder, item.place)) return 'blocked';
    const there = lstatSync(target, { throwIfNoEntry: false });
    if (there !== undefined && !there.isFile()) return 'blocked';
    await (ifAbsent ? link(draft.file, target) : rename(draft.file, target));
    await syncFolder(dirname(target));
    return 'placed';
  } catch (error) {
    if (ifAbsent && systemCode(error) === 'EEXIST' && statOf(folder, item.place) !== undefined) return 'exists';
    if (blocking.includes(systemCode(error))) return 'blocked';
    throw error;
  }
}

/** Folder by folder, so that none is made behind a link. */
function makeParents(folder: Folder, place: string): boolean {
  let path = folder.root;
  for (const name of place.split('/').slice(0, -1)) {
    const parent = path;
    path = join(parent, name);
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there !== undefined && !there.isDirectory()) return false;
    if (there !== undefined) continue;
    mkdirSync(path, { recursive: true });
    syncDirectory(parent);
  }
  return true;
}

/** Before the object itself: an object without its key could not be listed. */
async function writeHiddenKey(folder: Folder, key: string): Promise<void> {
  const digest = sha256Hex(key);
  if (folder.hiddenKeys.has(digest)) return;
  const draft = await writeDraft(folder, Buffer.from(key));
  await rename(draft.file, join(folder.root, hiddenFolder, `${digest}.key`));
  folder.hiddenKeys.set(digest, key);
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function guarded<Answer>(doing: string, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    throw fileFault(error, doing);
  }
}
