import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '@serin/core/base/fault';
import { type Bucket, ownBucket } from '@serin/core/ports/bucket';
import { syncDirectory } from '../machine/durable.ts';
import { type Folder, guarded, newFolder } from '../machine/objects/folder.ts';
import { checkKey, isBucketName } from '../machine/objects/keys.ts';
import { list } from '../machine/objects/listing.ts';
import { materialise, read } from '../machine/objects/reading.ts';
import { type Store, versionTable } from '../machine/objects/versions.ts';
import { write } from '../machine/objects/writing.ts';

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
 * symbolic links below the bucket, are not objects; a listing tells of links, pipes and devices. `version` is the
 * SHA-256 of the content; it is remembered for a file with the same size, times and inode. A file that somebody else
 * wrote is `unavailable` until it has not changed for `settleMs`, in every bucket but the project's own; what `write` answered is whole at once.
 */
export function folderBuckets({ directory, database, settleMs = 2000, now = Date.now }: Options): FolderBuckets {
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

  // Nobody else writes into the own bucket, and what a backup brought back is known by its digest, not by its age.
  const own: Store = { versions, settleMs: 0, now };
  const others: Store = { versions, settleMs, now };
  const storeOf = (name: string): Store => (name === ownBucket ? own : others);
  const bucketOf = (name: string): Bucket => ({
    list: async (prefix, cursor) => list(storeOf(name), await existing(name), prefix, cursor),
    async read(what) {
      checkKey(what.key);
      const folder = await existing(name);
      const doing = `reading ${JSON.stringify(what.key)} of the bucket ${name}`;
      return guarded(doing, () => read(storeOf(name), folder, what));
    },
    write: async (key, content, condition) => {
      checkKey(key);
      return write(storeOf(name), await existing(name), key, content, condition?.ifAbsent === true);
    },
  });

  return Object.assign(bucketOf, {
    async createBucket(name: string): Promise<void> {
      if (!isBucketName(name)) {
        const allowed = '1 to 63 of a-z, 0-9, ".", "_", "-", beginning with a letter or digit';
        throw new Fault('invalid', `a bucket cannot be named ${JSON.stringify(name)}; use ${allowed}`);
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
