import { constants } from 'node:fs';
import { copyFile, type FileHandle, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import type { Bucket, ObjectContent } from '@serin/core/ports/bucket';
import { openPlain } from '../plain-file.ts';
import { type Folder, guarded, type Item, locate } from './folder.ts';
import {
  beingWritten,
  contentStamp,
  hashFile,
  hashHandle,
  identityOf,
  knownVersion,
  refuseFresh,
  type Store,
} from './versions.ts';

type Wanted = Parameters<Bucket['read']>[0];

export async function read(store: Store, folder: Folder, wanted: Wanted): Promise<ObjectContent | undefined> {
  // Another turn when the object was replaced between two steps; one that never rests is being written.
  for (let turn = 0; turn < 10; turn++) {
    const item = await locate(folder, wanted.key);
    if (item === undefined) return undefined;
    const handle = await openPlain(join(folder.root, item.place));
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
  { version: asked, from = 0, maxBytes }: Wanted,
): Promise<ObjectContent | 'moved' | undefined> {
  const stats = await handle.stat({ bigint: true });
  const known = knownVersion(store, folder, item.place, stats);
  if (known === undefined && stats.nlink === 0n) return 'moved';
  if (known === undefined) refuseFresh(store, folder, item.key, stats);
  const version = known ?? (await hashHandle(handle));
  const bytes = Number(stats.size);
  const content = Buffer.alloc(Math.max(0, Math.min(bytes - from, maxBytes)));
  const filled = await fill(handle, content, from);
  if (!filled || contentStamp(await handle.stat({ bigint: true })) !== contentStamp(stats)) return 'moved';
  if (known === undefined) await store.versions.remember([[folder.name, item.place, identityOf(stats), version]]);
  if (asked !== undefined && asked !== version) return undefined;
  return { key: item.key, version, bytes, content, truncated: from + content.length < bytes };
}

async function fill(handle: FileHandle, buffer: Buffer, from: number): Promise<boolean> {
  for (let position = 0; position < buffer.length; ) {
    const { bytesRead } = await handle.read(buffer, position, buffer.length - position, from + position);
    if (bytesRead === 0) return false;
    position += bytesRead;
  }
  return true;
}

export async function materialise(folder: Folder, key: string, version: string, targetFile: string): Promise<void> {
  await guarded(`copying ${JSON.stringify(key)} of the bucket ${folder.name} to ${targetFile}`, async () => {
    const item = await locate(folder, key);
    await mkdir(dirname(targetFile), { recursive: true });
    await rm(targetFile, { force: true });
    if (item !== undefined) await copyFile(join(folder.root, item.place), targetFile, constants.COPYFILE_FICLONE);
    if ((await hashFile(targetFile)) === version) return;
    await rm(targetFile, { force: true });
    const what = `${JSON.stringify(key)} in the bucket ${folder.name}`;
    throw new Fault('invalid', `${what} has changed since the manifest was written; start a new run`);
  });
}
