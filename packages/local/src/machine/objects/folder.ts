import { type BigIntStats, lstatSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LeftOut } from '@serin/core/ports/bucket';
import { fileFault, isMissing, systemCode } from '../faults.ts';
import { hiddenFolder, hiddenPlace, isPath } from './keys.ts';

export interface Folder {
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

export const newFolder = (name: string, root: string): Folder => ({
  name,
  root,
  hiddenKeys: new Map(),
  inFlight: new Map(),
  moves: 0,
  swept: false,
});

export interface Walk {
  readonly prefix: string;
  readonly moves: number;
  readonly items: readonly Item[];
  readonly leftOut: readonly LeftOut[];
  usedAt: number;
}

/** `place`: the file of an object, relative to the bucket. */
export interface Item {
  readonly key: string;
  readonly place: string;
}

export const isHidden = (item: Item): boolean => item.place.startsWith(`${hiddenFolder}/`);

export function statOf(folder: Folder, place: string): BigIntStats | undefined {
  try {
    const stats = lstatSync(join(folder.root, place), { bigint: true, throwIfNoEntry: false });
    return stats?.isFile() ? stats : undefined;
  } catch (error) {
    if (isMissing(error) || systemCode(error) === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

/** A file in the bucket wins over the hidden object of the same key: `write` hides only what has no place of its own. */
export async function locate(folder: Folder, key: string): Promise<Item | undefined> {
  if (isPath(key) && (await isOwn(folder, dirname(key))) && statOf(folder, key) !== undefined)
    return { key, place: key };
  const place = hiddenPlace(key);
  return statOf(folder, place) === undefined ? undefined : { key, place };
}

/** A folder of the bucket that is reached without a link. */
export async function isOwn(folder: Folder, path: string): Promise<boolean> {
  try {
    const found = await realpath(join(folder.root, path));
    return found === join(await realpath(folder.root), path, '.');
  } catch (error) {
    if (isNoPlace(error)) return false;
    throw error;
  }
}

const isNoPlace = (error: unknown): boolean =>
  isMissing(error) || ['ELOOP', 'ENAMETOOLONG'].includes(systemCode(error) ?? '');

/** The first symbolic link on the way to a folder of the bucket. */
export function linkOn(folder: Folder, path: string): string | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  try {
    return parts
      .map((_, index) => parts.slice(0, index + 1).join('/'))
      .find((each) => lstatSync(join(folder.root, each)).isSymbolicLink());
  } catch (error) {
    if (isNoPlace(error)) return undefined;
    throw error;
  }
}

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export async function guarded<Answer>(doing: string, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    throw fileFault(error, doing);
  }
}
