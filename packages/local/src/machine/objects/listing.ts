import { lstatSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { badCursor } from '@serin/core/base/cursor';
import { Fault } from '@serin/core/base/fault';
import { sha256Hex } from '@serin/core/base/json';
import { byBytes } from '@serin/core/base/order';
import type { Bucket, LeftOut, ObjectInfo } from '@serin/core/ports/bucket';
import { isMissing } from '../faults.ts';
import { type Folder, guarded, type Item, isHidden, isOwn, linkOn, nextTurn, statOf, type Walk } from './folder.ts';
import { hiddenFolder, isPath, maxKeyBytes } from './keys.ts';
import { fingerprint, identityOf, knownVersion, type Store, type VersionRow } from './versions.ts';

const pageSize = 1000;
/** A listing that is paged through reads the folders again when nobody asked for a page for so long. */
const walkKeptMs = 10_000;
/** System calls in a row before the event loop has its turn: about 2 ms. */
const sliceLength = 200;
/** How much hashing a crash may cost. */
const rememberEveryBytes = 256 * 1024 * 1024;

export async function list(
  store: Store,
  folder: Folder,
  prefix: string,
  cursor: string | undefined,
): ReturnType<Bucket['list']> {
  const after = cursor === undefined ? '' : keyOfCursor(cursor);
  const { items, leftOut } = await guarded(`listing the bucket ${folder.name}`, () =>
    walked(store, folder, prefix, cursor),
  );
  const from = firstAfter(items, after);
  const chosen = items.slice(from, from + pageSize);
  const last = chosen.at(-1);
  const infos = await guarded(`listing the bucket ${folder.name}`, () => describeAll(store, folder, chosen));
  return {
    items: infos,
    ...(cursor === undefined && leftOut.length > 0 ? { leftOut } : {}),
    ...(last === undefined || from + pageSize >= items.length
      ? {}
      : { next: Buffer.from(last.key).toString('base64url') }),
  };
}

/** The key itself in base64url: listings that are under way have it in their states. */
function keyOfCursor(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString();
  if (Buffer.from(key).toString('base64url') === cursor && key !== '') return key;
  throw badCursor(cursor);
}

function firstAfter(items: readonly Item[], key: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (byBytes(items[middle]?.key ?? '', key) > 0) high = middle;
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
): Promise<Pick<Walk, 'items' | 'leftOut'>> {
  const kept = folder.walk;
  const fits = kept !== undefined && kept.prefix === prefix && kept.moves === folder.moves;
  if (cursor !== undefined && fits && performance.now() - kept.usedAt < walkKeptMs) {
    kept.usedAt = performance.now();
    return kept;
  }
  const { moves } = folder;
  const found = await walk(folder, prefix);
  folder.walk = { prefix, moves, ...found, usedAt: performance.now() };
  await store.versions.forgetGone(folder.name, prefix, found.items);
  return found;
}

async function walk(folder: Folder, prefix: string): Promise<Pick<Walk, 'items' | 'leftOut'>> {
  const items: Item[] = [];
  const unlisted = new Map<string, string[]>();
  const leaveOut = (what: string, key: string) => unlisted.set(what, [...(unlisted.get(what) ?? []), key].sort());
  const base = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const isPlace = base === '' || (isPath(base.slice(0, -1)) && (await isOwn(folder, base)));
  const link = isPlace ? undefined : linkOn(folder, base);
  if (link !== undefined) leaveOut(aLink, link);
  const pending = isPlace ? [base] : [];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of await readdir(join(folder.root, path), { withFileTypes: true }).catch(none)) {
      if (entry.name.startsWith('.')) continue;
      const key = path + entry.name;
      if (!entry.isFile() && !entry.isDirectory()) {
        if (key.startsWith(prefix)) leaveOut(entry.isSymbolicLink() ? aLink : 'not a regular file', key);
        continue;
      }
      if (key.startsWith(prefix)) refuseUnlistable(folder, key);
      if (entry.isDirectory() && (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)))
        pending.push(`${key}/`);
      if (entry.isFile() && key.startsWith(prefix)) items.push({ key, place: key });
    }
  }
  for (const item of await hiddenItems(folder)) if (item.key.startsWith(prefix)) items.push(item);
  items.sort((a, b) => byBytes(a.key, b.key) || (isHidden(a) ? 1 : -1));
  return {
    items: items.filter((item, at) => item.key !== items[at - 1]?.key),
    leftOut: [...unlisted].map(([what, keys]): LeftOut => ({ what, objects: keys.length, first: keys[0] ?? '' })),
  };
}

// A link may lead out of the bucket, and what it leads to may change unseen: no version holds it.
const aLink = 'behind a symbolic link';

// A folder that went away while it was walked has no objects.
function none(error: unknown): [] {
  if (isMissing(error)) return [];
  throw error;
}

/** A file that no key can name would be missing from the data, if it were left out in silence. */
function refuseUnlistable(folder: Folder, path: string): void {
  // A name that is not UTF-8 comes with U+FFFD in it, and is not found under that name.
  const misread =
    path.includes('\uFFFD') && lstatSync(join(folder.root, path), { throwIfNoEntry: false }) === undefined;
  if (!misread && isPath(path) && Buffer.byteLength(path) <= maxKeyBytes) return;
  const why = `it is not UTF-8, contains a backslash, or is over ${maxKeyBytes} bytes`;
  throw new Fault(
    'invalid',
    `the file ${JSON.stringify(path)} in the bucket ${folder.name} has a name that cannot be used (${why}); rename it`,
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
    throw new Fault('defect', `${file} is damaged; restore it, or delete the object beside it`);
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
      infos.push({ key: item.key, version, bytes: Number(stats.size), written: identityOf(stats) });
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
