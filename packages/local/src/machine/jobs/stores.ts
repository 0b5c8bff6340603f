import type { ReadOwn } from '@serin/core/engine/stored';
import { type ObjectContent, ownBucket } from '@serin/core/ports/bucket';

/** Where the files of a job come from. */
export interface Stores {
  /** As `Bucket.read`. */
  readonly readObject: (bucket: string, key: string, maxBytes: number) => Promise<ObjectContent | undefined>;
  /** Copies one version of an object into a file; `invalid` when it is not there unchanged. */
  readonly materialise: (bucket: string, key: string, version: string, targetFile: string) => Promise<void>;
  /** Artifacts outside of it are refused. */
  readonly artifacts: string;
}

export const ownObjects =
  ({ readObject }: Pick<Stores, 'readObject'>): ReadOwn =>
  (key, maxBytes) =>
    readObject(ownBucket, key, maxBytes);
