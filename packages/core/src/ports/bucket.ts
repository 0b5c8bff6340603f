import type { Page } from './page.ts';

/** The bucket that Serin writes to: code, manifests, compiled configs. It never triggers a run. */
export const ownBucket = 'serin';

export interface ObjectInfo {
  /** Opaque: any string of 1 to 1,024 UTF-8 bytes. Never a path. */
  readonly key: string;
  /** The store's version id, etag or checksum: changes whenever the content does. */
  readonly version: string;
  readonly bytes: number;
  /** In a listing: differs between two writes of the key, also of equal content. Absent where `version` does so. */
  readonly written?: string;
}

/** What lies under a prefix and cannot be an object, such as a symbolic link: how many of a kind, and the first. */
export interface LeftOut {
  readonly what: string;
  readonly objects: number;
  readonly first: string;
}

/** One bucket of objects. */
export interface Bucket {
  /**
   * Objects whose key starts with `prefix`, ascending by key (UTF-8 bytes), up to 1,000 a page; complete and
   * consistent with every write that was answered before. An object that is still being written throws `unavailable`.
   * The first page says what had to be left out.
   */
  list(prefix: string, cursor?: string): Promise<Page<ObjectInfo> & { readonly leftOut?: readonly LeftOut[] }>;
  /**
   * The object, or `undefined` when there is none (or none of that version): its bytes from `from` on (absent: 0), at
   * most `maxBytes` of them. `truncated`: there is more behind them. At the end of the object, or beyond it, there are none.
   */
  read(what: {
    readonly key: string;
    readonly version?: string;
    readonly from?: number;
    readonly maxBytes: number;
  }): Promise<ObjectContent | undefined>;
  /**
   * Writes an object whole; readers see the old content or the new, never a part. Twice: the same.
   * With `ifAbsent` an existing object is kept and the answer is `exists`.
   */
  write(key: string, content: Uint8Array, condition?: { readonly ifAbsent: boolean }): Promise<'written' | 'exists'>;
}

export interface ObjectContent extends ObjectInfo {
  readonly content: Uint8Array;
  readonly truncated: boolean;
}
