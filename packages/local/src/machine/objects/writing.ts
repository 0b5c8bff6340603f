import { randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import { sha256Hex } from '@serin/core/base/json';
import { syncDirectory } from '../durable.ts';
import { systemCode } from '../faults.ts';
import { type Folder, guarded, type Item, isHidden, locate, statOf } from './folder.ts';
import { hiddenFolder, hiddenPlace, isSafePath } from './keys.ts';
import { contentStamp, identityOf, type Store, sha256Of } from './versions.ts';

/** Begins the names of this process's drafts. */
const session = randomUUID();

interface Draft {
  readonly file: string;
  readonly stamp: string;
}

interface Target {
  readonly item: Item;
  readonly ifAbsent: boolean;
}

export async function write(
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
