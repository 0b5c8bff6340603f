import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '@serin/core/base/fault';
import { syncDirectory, syncTree } from '../machine/durable.ts';
import { fileFault } from '../machine/faults.ts';
import { forgetRunners } from '../machine/jobs/record.ts';
import { forgetServers } from '../machine/server-records.ts';
import { type BackedUpFile, copyFile, filesToKeep, isInside } from './files.ts';
import { auditDatabase, databaseFile, snapshotDatabase } from './snapshot.ts';

/** What a backup says of itself, in `backup.json`. */
export interface Backup {
  readonly format: 1;
  /** The version of serin that wrote it. */
  readonly serin: string;
  /** RFC 3339. */
  readonly at: string;
  /** One hash over the whole history, which `restore` compares. */
  readonly root: string;
  readonly streams: number;
  readonly entries: number;
  /** What `serin audit verify --against` holds a later history to; backups of before have none. */
  readonly heads?: readonly (readonly [string, number, string])[];
  readonly files: readonly BackedUpFile[];
}

const manifestFile = 'backup.json';
/** A job that is pruned while it is copied makes the copy begin again. */
const tries = 5;

/**
 * Writes a backup of a data directory into a new folder, also while a server runs there.
 *
 * First the history as it is at one moment, then the files. Files only grow, and what the history names is written
 * before the history names it, so the files hold all of it. The folder appears whole, or not at all. It holds the tokens
 * and secrets of the directory: only its owner can read it.
 */
export async function backUp(given: {
  readonly directory: string;
  readonly target: string;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}): Promise<Backup> {
  const directory = resolve(given.directory);
  const target = resolve(given.target);
  refuseExisting(target);
  if (`${target}/`.startsWith(`${directory}/`))
    throw new Fault(
      'invalid',
      `the backup ${target} would be in the data directory itself; choose a folder outside of it`,
    );
  const draft = `${target}.partial`;
  try {
    for (let attempt = 1; ; attempt += 1) {
      await rm(draft, { recursive: true, force: true });
      await mkdir(draft, { recursive: true, mode: 0o700 });
      const files = await copied(directory, draft);
      if (files === undefined && attempt < tries) continue;
      if (files === undefined)
        throw new Fault('unavailable', `files of ${directory} went away while they were copied; try again`);
      const { problems, ...audit } = await auditDatabase(draft);
      if (problems.length > 0)
        throw new Fault(
          'invalid',
          `the history of ${directory} is damaged, so it is not backed up: ${problems[0]}; keep the last backup, and see 'serin audit verify'`,
        );
      const database = await measured(draft);
      const made: Backup = {
        format: 1,
        serin: given.version,
        at: new Date(given.now()).toISOString(),
        ...audit,
        files: [database, ...files],
      };
      await writeFile(join(draft, manifestFile), `${JSON.stringify(made, null, 1)}\n`, { mode: 0o600 });
      await syncTree(draft);
      await rename(draft, target);
      syncDirectory(dirname(target));
      return made;
    }
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw fileFault(error, `writing the backup ${target}`);
  }
}

/** The files beside the database; `undefined` when one went away. */
async function copied(directory: string, draft: string): Promise<readonly BackedUpFile[] | undefined> {
  await snapshotDatabase(directory, join(draft, databaseFile));
  const files: BackedUpFile[] = [];
  for (const path of await filesToKeep(directory)) {
    const file = await copyFile(directory, draft, path);
    if (file === undefined) return undefined;
    files.push(file);
  }
  return files;
}

/** The database of a draft, as one of the files of the backup. */
async function measured(draft: string): Promise<BackedUpFile> {
  const aside = `${draft}.database`;
  try {
    const file = await copyFile(draft, aside, databaseFile);
    if (file === undefined) throw new Fault('unavailable', `${draft} went away while it was written; try again`);
    return file;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/**
 * Lays a backup out as a data directory, which must not be there yet. Every file is compared with its digest, and the
 * history with its root; what differs is refused, and nothing is left.
 */
export async function restore(given: { readonly source: string; readonly directory: string }): Promise<Backup> {
  const source = resolve(given.source);
  const directory = resolve(given.directory);
  const backup = await readManifest(source);
  refuseExisting(directory);
  const draft = `${directory}.partial`;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true, mode: 0o700 });
    for (const file of backup.files) await restoreFile(source, draft, file);
    const { root, problems } = await auditDatabase(draft);
    if (problems.length > 0 || root !== backup.root)
      throw damaged(source, problems[0] ?? `its history comes to the root ${root}, not to ${backup.root}`);
    forgetProcesses(draft);
    await syncTree(draft);
    // An empty folder may stand there; what came meanwhile is somebody's.
    refuseExisting(directory);
    if (existsSync(directory)) await rmdir(directory);
    await rename(draft, directory);
    syncDirectory(dirname(directory));
    return backup;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw fileFault(error, `restoring ${source}`);
  }
}

/** The server that the backup came from may run on this machine: its processes are neither taken over nor ended. */
function forgetProcesses(draft: string): void {
  const database = new DatabaseSync(join(draft, databaseFile));
  try {
    forgetServers(database);
  } finally {
    database.close();
  }
  forgetRunners(join(draft, 'jobs'));
}

async function restoreFile(source: string, draft: string, file: BackedUpFile): Promise<void> {
  if (!isInside(file.path)) throw damaged(source, `it names a file outside of itself: ${file.path}`);
  const copy = await copyFile(source, draft, file.path);
  if (copy === undefined) throw damaged(source, `${file.path} is missing`);
  if (copy.sha256 !== file.sha256) throw damaged(source, `${file.path} was changed after it was written`);
}

async function readManifest(source: string): Promise<Backup> {
  let read: Partial<Backup>;
  try {
    read = JSON.parse(await readFile(join(source, manifestFile), 'utf8')) as Partial<Backup>;
  } catch (error) {
    throw new Fault(
      'notFound',
      `${source} is not a backup: it has no ${manifestFile} that can be read; name a folder that 'serin backup' wrote`,
      { cause: error },
    );
  }
  if (read.format !== 1 || !Array.isArray(read.files))
    throw new Fault(
      'invalid',
      `${source} was written by another version of serin (${read.serin ?? 'unknown'}); restore it with that one`,
    );
  return read as Backup; // written by `backUp`
}

const damaged = (source: string, why: string): Fault =>
  new Fault('invalid', `the backup ${source} is damaged: ${why}; use another backup; nothing was restored`);

function refuseExisting(folder: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  throw new Fault('invalid', `${folder} exists and is not empty; choose another folder, or move it away first`);
}
