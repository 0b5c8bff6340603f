import { createHash } from 'node:crypto';
import { Fault } from '@serin/core/base/fault';
import type { ObjectInfo } from '@serin/core/ports/bucket';
import type { Artifact } from '@serin/core/ports/jobs';
import { type Buckets, s3Place } from './settings.ts';

/**
 * What lies at an S3 URI: one object, or with a slash at its end all objects under it. `undefined`: nothing.
 *
 * `digest` is the SHA-256 over (name, version, bytes) of each object in key order, where the version is S3's ETag, so
 * nothing is downloaded. It changes whenever a byte does. Equal content that was uploaded again may have another digest:
 * an archive holds times, and an ETag depends on the parts of the upload and on the encryption.
 */
export async function artifactAt(uri: string, buckets: Buckets): Promise<Artifact | undefined> {
  const place = s3Place(uri);
  if (place === undefined)
    throw new Fault('invalid', `the artifact ${uri} is not in S3; use one that a job on AWS made`);
  const folder = place.key.endsWith('/');
  const base = folder ? place.key.length : place.key.lastIndexOf('/') + 1;
  const hash = createHash('sha256');
  let bytes = 0;
  let objects = 0;
  for await (const object of objectsUnder(place, buckets)) {
    if (!folder && object.key !== place.key) break;
    hash.update(`${JSON.stringify([object.key.slice(base), object.version, object.bytes])}\n`);
    bytes += object.bytes;
    objects += 1;
    if (!folder) break;
  }
  return objects === 0 ? undefined : { uri, digest: hash.digest('hex'), bytes };
}

/** An artifact that is still what it was when its job ended; else `invalid`. */
export async function unchangedArtifact(channel: string, artifact: Artifact, buckets: Buckets): Promise<Artifact> {
  const found = await artifactAt(artifact.uri, buckets);
  if (found?.digest === artifact.digest) return found;
  const why =
    found === undefined ? 'is gone' : `was changed since it was made (digest ${found.digest}, not ${artifact.digest})`;
  throw new Fault(
    'invalid',
    `the artifact of the channel '${channel}' (${artifact.uri}) ${why}; run the job that made it again`,
  );
}

async function* objectsUnder(
  { bucket, key }: { readonly bucket: string; readonly key: string },
  buckets: Buckets,
): AsyncGenerator<ObjectInfo> {
  let cursor: string | undefined;
  do {
    const page = await buckets(bucket).list(key, cursor);
    yield* page.items;
    cursor = page.next;
  } while (cursor !== undefined);
}
