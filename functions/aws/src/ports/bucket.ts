import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { cursorAfter, keyIn } from '@serin/core/base/cursor';
import type { Bucket, ObjectContent, ObjectInfo } from '@serin/core/ports/bucket';
import { checkKey, extentOf, rangeOf } from '@serin/platform/buckets';
import { notYet } from '@serin/platform/faults';
import { awsFault, guarded, nameOfError } from '../faults.ts';

interface Options {
  readonly client: S3Client;
  /** The real name of the bucket. */
  readonly bucket: string;
  /** Account that must own it, so that nobody else's bucket of that name is read or written. */
  readonly owner?: string;
}

const maxKeyBytes = 1024;

/**
 * A bucket of S3. `version` is the ETag: what a listing tells of an object, whether the bucket keeps versions or not.
 *
 * The ETag changes with the content; under KMS also when the same content is written again. An older version of an
 * object is not read any more once it was overwritten, also where the bucket keeps it.
 */
export function s3Bucket({ client, bucket, owner }: Options): Bucket {
  const place = { Bucket: bucket, ...(owner === undefined ? {} : { ExpectedBucketOwner: owner }) };

  const port: Bucket = {
    async list(prefix, cursor) {
      if (!prefix.isWellFormed()) return { items: [] };
      const command = new ListObjectsV2Command({
        ...place,
        Prefix: prefix,
        ...(cursor === undefined ? {} : { StartAfter: keyIn(cursor) }),
        // XML 1.0 cannot hold every character of a key.
        EncodingType: 'url',
      });
      const doing = `listing the bucket ${bucket}`;
      const { Contents = [], IsTruncated } = await guarded(doing, () => client.send(command));
      const items = Contents.map(
        ({ Key = '', ETag, Size = 0, LastModified }): ObjectInfo => ({
          key: decoded(Key),
          version: versionOf(ETag),
          bytes: Size,
          ...(LastModified === undefined ? {} : { written: LastModified.toISOString() }),
        }),
      );
      const last = items.at(-1);
      return { items, ...(IsTruncated && last !== undefined ? { next: cursorAfter(last.key) } : {}) };
    },

    async read(what) {
      const { key, version } = what;
      checkKey(key, maxKeyBytes);
      const wanted = {
        ...place,
        Key: key,
        ...(version === undefined ? {} : { IfMatch: `"${version}"` }),
      };
      const extent = extentOf(what);
      const { from, limit } = extent;
      try {
        const found = await client.send(new GetObjectCommand({ ...wanted, Range: rangeOf(extent) }));
        const content = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
        const bytes = Number(/\/(\d+)$/.exec(found.ContentRange ?? '')?.[1] ?? found.ContentLength ?? content.length);
        const kept = Uint8Array.from(content.subarray(0, limit));
        return { key, version: versionOf(found.ETag), bytes, content: kept, truncated: bytes > from + kept.length };
      } catch (error) {
        const name = nameOfError(error);
        if (name === 'NoSuchKey' || name === 'PreconditionFailed') return undefined;
        if (name === 'InvalidRange') return from > 0 ? behindTheEnd(what, from) : emptyObject(wanted);
        throw awsFault(error, `reading ${JSON.stringify(key)} of the bucket ${bucket}`);
      }
    },

    async write(key, content, condition) {
      checkKey(key, maxKeyBytes);
      const command = new PutObjectCommand({
        ...place,
        Key: key,
        Body: content,
        ...(condition?.ifAbsent ? { IfNoneMatch: '*' } : {}),
      });
      try {
        await client.send(command);
        return 'written';
      } catch (error) {
        if (condition?.ifAbsent && nameOfError(error) === 'PreconditionFailed') return 'exists';
        // Another conditional write of the same key is under way: whether it succeeds is not known yet.
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        if (nameOfError(error) === 'ConditionalRequestConflict')
          throw notYet(`${JSON.stringify(key)} is being written by another call`, error);
        throw awsFault(error, `writing ${JSON.stringify(key)} of the bucket ${bucket}`);
      }
    },
  };
  return port;

  /** S3 refuses each range that begins at the end of an object, or behind it. How long it is, its beginning says. */
  async function behindTheEnd(what: Parameters<Bucket['read']>[0], from: number): Promise<ObjectContent | undefined> {
    const found = await port.read({ ...what, from: 0, maxBytes: 0 });
    return found && { ...found, truncated: found.bytes > from };
  }

  /** Of an object without a byte no range can be read. */
  async function emptyObject(wanted: { readonly Bucket: string; readonly Key: string }) {
    try {
      const found = await client.send(new GetObjectCommand(wanted));
      const content = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
      return {
        key: wanted.Key,
        version: versionOf(found.ETag),
        bytes: content.length,
        content: new Uint8Array(),
        truncated: content.length > 0,
      };
    } catch (error) {
      throw awsFault(error, `reading ${JSON.stringify(wanted.Key)} of the bucket ${bucket}`);
    }
  }
}

const versionOf = (etag: string | undefined): string => (etag ?? '').replaceAll('"', '');
const decoded = (key: string): string => decodeURIComponent(key.replaceAll('+', ' '));
