import { createHash } from 'node:crypto';
import { Fault } from '@serin/core/base/fault';
import type { Bucket, ObjectInfo } from '@serin/core/ports/bucket';
import type { Artifact } from '@serin/core/ports/jobs';

export interface Place {
  readonly bucket: string;
  readonly key: string;
}

/** Reads bucket and key of `<scheme>://bucket/key`; `undefined` for any other text. */
export function placeBy(scheme: string): (uri: string) => Place | undefined {
  const begin = `${scheme}://`;
  return (uri) => {
    const [, bucket, key] = uri.startsWith(begin) ? (/^([^/]+)\/(.+)$/s.exec(uri.slice(begin.length)) ?? []) : [];
    return bucket === undefined || key === undefined ? undefined : { bucket, key };
  };
}

/** The objects of a cloud, also by their URIs. */
export interface Objects {
  readonly buckets: (name: string) => Bucket;
  /** `undefined`: not a URI of this cloud. */
  readonly placeOf: (uri: string) => Place | undefined;
}

/**
 * The artifact at a URI: one object or, if the URI ends with a slash, all objects under it. `undefined`: nothing.
 *
 * `digest` is the SHA-256 over (name, version, bytes) of each object in key order, where the version is the bucket's
 * own, so nothing is downloaded. The marker of a folder is not a file. The digest changes whenever a byte does. Equal
 * content that was uploaded again may have another digest: an archive holds times, and a version may depend on the parts
 * of the upload and on the encryption.
 */
export async function artifactAt(uri: string, { buckets, placeOf }: Objects): Promise<Artifact | undefined> {
  const place = placeOf(uri);
  if (place === undefined)
    throw new Fault('invalid', `the artifact ${uri} is not an object of this cloud; use one that a job here made`);
  const folder = place.key.endsWith('/');
  const base = folder ? place.key.length : place.key.lastIndexOf('/') + 1;
  const hash = createHash('sha256');
  let bytes = 0;
  let objects = 0;
  for await (const object of objectsUnder(place, buckets(place.bucket))) {
    if (!folder && object.key !== place.key) break;
    if (object.bytes === 0 && object.key.endsWith('/')) continue;
    hash.update(`${JSON.stringify([object.key.slice(base), object.version, object.bytes])}\n`);
    bytes += object.bytes;
    objects += 1;
  }
  return objects === 0 ? undefined : { uri, digest: hash.digest('hex'), bytes };
}

/** The digest that the artifact at a URI has now; `notFound` if there is nothing. */
export async function digestAt(uri: string, objects: Objects): Promise<string> {
  const found = await artifactAt(uri, objects);
  if (found !== undefined) return found.digest;
  throw new Fault('notFound', `${uri} does not exist any more; run the job that made it again`);
}

/** How an error names an artifact that a job is given. */
export const artifactName = (channel: string, uri: string): string =>
  `the artifact of the channel '${channel}' (${uri})`;

/** Checks that an artifact is still what it was when its job ended; else `invalid`. */
export async function unchangedArtifact(channel: string, artifact: Artifact, objects: Objects): Promise<Artifact> {
  const found = await artifactAt(artifact.uri, objects);
  if (found?.digest === artifact.digest) return found;
  const why =
    found === undefined
      ? 'does not exist any more'
      : `was changed since it was made (digest ${found.digest}, not ${artifact.digest})`;
  throw new Fault('invalid', `${artifactName(channel, artifact.uri)} ${why}; run the job that made it again`);
}

async function* objectsUnder({ key }: Place, bucket: Bucket): AsyncGenerator<ObjectInfo> {
  let cursor: string | undefined;
  do {
    const page = await bucket.list(key, cursor);
    yield* page.items;
    cursor = page.next;
  } while (cursor !== undefined);
}
