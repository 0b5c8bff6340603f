import { built } from './built.ts';

/** A file that the page needs. */
export interface Asset {
  readonly type: string;
  readonly text: string;
}

export const isAssetPath = (path: string): boolean => path.startsWith('/page/');

let made: Promise<ReadonlyMap<string, Asset>> | undefined;

/** All files, by the path under which a browser asks for them; each name holds a hash of the content. */
export function assets(): Promise<ReadonlyMap<string, Asset>> {
  made ??= built().then((files) => new Map(Object.entries(files)));
  return made;
}
