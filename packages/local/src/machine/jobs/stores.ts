import { Fault } from '@serin/core/fault';
import type { ObjectContent } from '@serin/core/ports';

/** Where the files of a job come from. */
export interface Stores {
  /** As `Bucket.read`. */
  readonly readObject: (bucket: string, key: string, maxBytes: number) => Promise<ObjectContent | undefined>;
  /** Copies one version of an object into a file; `invalid` when it is not there unchanged. */
  readonly materialise: (bucket: string, key: string, version: string, targetFile: string) => Promise<void>;
  /** Artifacts outside of it are refused. */
  readonly artifacts: string;
}

const maxManifestBytes = 64 * 1024 * 1024;

/** A JSON object of a bucket; `invalid` when it is missing, larger than 64 MB, or not JSON. */
export async function readManifest(bucket: string, key: string, stores: Pick<Stores, 'readObject'>): Promise<unknown> {
  const object = await stores.readObject(bucket, key, maxManifestBytes);
  if (object === undefined)
    throw new Fault('invalid', `${key} is not in the bucket ${bucket}; the job cannot be given its files`);
  if (object.truncated)
    throw new Fault('invalid', `${key} in the bucket ${bucket} is larger than ${maxManifestBytes} bytes`);
  try {
    return JSON.parse(new TextDecoder().decode(object.content));
  } catch (error) {
    throw new Fault('invalid', `${key} in the bucket ${bucket} is not JSON`, { cause: error });
  }
}

/** A relative path that stays in its directory on every system. */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || Buffer.byteLength(path) > 1024 || /[\\\0:]/.test(path)) return false;
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 200);
}
