import { createHash } from 'node:crypto';
import { type BigIntStats, readFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '@serin/core/base/fault';
import { isMissing } from '../faults.ts';
import { groupCommit } from '../group-commit.ts';
import { openPlain } from '../plain-file.ts';
import { type Folder, type Item, statOf } from './folder.ts';
import { hiddenFolder } from './keys.ts';

/** Files up to this size are hashed in one go, which is three times quicker than a stream. */
const smallFileBytes = 64 * 1024;

const table = `
  CREATE TABLE IF NOT EXISTS object_versions (
    bucket TEXT NOT NULL, place TEXT NOT NULL, identity TEXT NOT NULL, version TEXT NOT NULL,
    PRIMARY KEY (bucket, place)
  ) WITHOUT ROWID;
`;

export interface Store {
  readonly versions: ReturnType<typeof versionTable>;
  readonly settleMs: number;
  readonly now: () => number;
}

// The change time cannot be set by hand, so a file that was replaced with its old times is seen.
export const identityOf = ({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string =>
  `${size}:${mtimeNs}:${ctimeNs}:${ino}`;

/** What a rename, a link and an unlink leave as it was. */
export const contentStamp = ({ size, mtimeNs, ino }: BigIntStats): string => `${size}:${mtimeNs}:${ino}`;

export const knownVersion = (store: Store, folder: Folder, place: string, stats: BigIntStats): string | undefined =>
  folder.inFlight.get(contentStamp(stats)) ?? store.versions.find(folder.name, place, identityOf(stats));

/** The SHA-256 of a file that nobody else touches; `undefined` when it is gone. */
export async function fingerprint(
  store: Store,
  folder: Folder,
  item: Item,
  stats: BigIntStats,
): Promise<string | undefined> {
  refuseFresh(store, folder, item.key, stats);
  const file = join(folder.root, item.place);
  const version = stats.size <= smallFileBytes ? hashSmall(file) : await hashFile(file);
  const after = statOf(folder, item.place);
  if (version === undefined || after === undefined) return undefined;
  if (identityOf(after) !== identityOf(stats)) throw beingWritten(folder, item.key);
  return version;
}

export function refuseFresh({ settleMs, now }: Store, folder: Folder, key: string, stats: BigIntStats): void {
  // Absolute, so that a clock that was set back does not hold up an old file.
  if (Math.abs(now() - Number(stats.ctimeMs)) < settleMs) throw beingWritten(folder, key);
}

export const beingWritten = (folder: Folder, key: string): Fault =>
  new Fault(
    'unavailable',
    `${JSON.stringify(key)} in the bucket ${folder.name} is still being written; try again later`,
  );

export const sha256Of = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

function hashSmall(file: string): string | undefined {
  try {
    return sha256Of(readFileSync(file));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export async function hashFile(file: string): Promise<string | undefined> {
  const handle = await openPlain(file);
  if (handle === undefined) return undefined;
  try {
    return await hashHandle(handle);
  } finally {
    await handle.close();
  }
}

export async function hashHandle(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** Bucket, place, identity, version. */
export type VersionRow = readonly [string, string, string, string];

/** Versions by place, valid for a file with the same identity. To lose a row costs time, nothing else. */
export function versionTable(database: DatabaseSync) {
  database.exec(table);
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
