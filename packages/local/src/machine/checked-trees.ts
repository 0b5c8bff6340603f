import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { forEach } from './durable.ts';
import { reading } from './faults.ts';
import { digestOfDirectory, filesUnder } from './jobs/digest.ts';
import { identityOf } from './objects/versions.ts';

const table = `
  CREATE TABLE IF NOT EXISTS checked_trees (directory TEXT PRIMARY KEY, stamp TEXT NOT NULL, digest TEXT NOT NULL)
    WITHOUT ROWID;
`;

/**
 * The digest of a directory, as `digestOfDirectory` reads it.
 *
 * It is remembered for as long as no file of it has another size, time or inode, also across restarts: to look at a
 * model again costs a look at its folder, not at its bytes. `fresh` reads the bytes whatever is remembered.
 */
export type TreeDigest = (directory: string, how?: 'fresh') => Promise<string>;

export function treeDigests(database: DatabaseSync): TreeDigest {
  database.exec(table);
  const find = database.prepare('SELECT digest FROM checked_trees WHERE directory = ? AND stamp = ?');
  const put = database.prepare('INSERT OR REPLACE INTO checked_trees VALUES (?, ?, ?)');
  return async (directory, how) => {
    const stamp = await stampOf(directory);
    const known = how === 'fresh' ? undefined : reading(() => find.get(directory, stamp));
    if (known !== undefined) return String(known.digest);
    const { digest } = await digestOfDirectory(directory);
    // What changed while it was read is read again the next time.
    if ((await stampOf(directory)) === stamp) reading(() => put.run(directory, stamp, digest));
    return digest;
  };
}

async function stampOf(directory: string): Promise<string> {
  const files = await filesUnder(directory);
  const identities = new Map<string, string>();
  await forEach(files, async ({ path, file }) => identities.set(path, identityOf(await lstat(file, { bigint: true }))));
  const stamp = createHash('sha256');
  for (const { path } of files) stamp.update(`${JSON.stringify([path, identities.get(path)])}\n`);
  return stamp.digest('hex');
}
