import { randomUUID } from 'node:crypto';
import { cursorAfter, keyIn } from '@serin/core/base/cursor';
import { Fault } from '@serin/core/base/fault';
import type { Bucket, ObjectContent, ObjectInfo } from '@serin/core/ports/bucket';
import { checkKey, contentUpTo, damaged, type Extent, extentOf, rangeOf } from '@serin/platform/buckets';
import { notYet } from '@serin/platform/faults';
import type { Answer } from '@serin/platform/rest';
import { crc32cText } from '../calls/crc32c.ts';
import { type Call, type Google, GoogleError } from '../calls/google.ts';
import { gcpFault, guarded, ifThere } from '../faults.ts';

interface Options {
  readonly google: Google;
  /** As Google knows it: names of buckets are unique in all of Cloud Storage. */
  readonly bucket: string;
}

/** Numbers of 64 bits are texts. https://docs.cloud.google.com/storage/docs/json_api/v1/objects#resource */
interface Stored {
  readonly name: string;
  readonly generation: string;
  readonly size: string;
  readonly crc32c: string;
}

interface Listing {
  readonly items?: readonly Stored[];
  readonly nextPageToken?: string;
}

const perPage = 1000;

/**
 * A bucket of Cloud Storage. `version` is the generation, which every write changes; an older one is read where the
 * bucket keeps it.
 *
 * The checksum that Cloud Storage keeps is compared for what is written, and for what is read whole. Objects come as
 * they are stored, also those with `Content-Encoding: gzip`: so do they reach a job through Cloud Storage FUSE.
 */
export function storageBucket({ google, bucket }: Options): Bucket {
  const objects = `storage/v1/b/${encodeURIComponent(bucket)}/o`;
  const get = (path: string, query: Call['query'] = {}): Call => ({ service: 'storage', method: 'GET', path, query });
  const object = (key: string) => `${objects}/${encodeURIComponent(key)}`;
  const named = (key: string) => `${JSON.stringify(key)} of the bucket ${bucket}`;

  const page = (query: Call['query']): Promise<Listing> =>
    guarded(`listing the bucket ${bucket}`, () =>
      google.json(get(objects, { ...query, fields: 'nextPageToken,items(name,generation,size)' })),
    );

  const describe = (key: string, version: string | undefined): Promise<Stored | undefined> =>
    ifThere(`describing ${named(key)}`, () =>
      google.json(get(object(key), { generation: version, fields: 'name,generation,size,crc32c' })),
    );

  /** There is no such object. The answer for a bucket that is not there has the same status, and a listing fails. */
  async function missing({ message }: GoogleError): Promise<undefined> {
    if (!message.includes('No such object')) await page({ maxResults: 1 });
  }

  /**
   * An object that must not be there is. To write over one takes the right to delete it, and no document says which
   * refusal comes first. A policy of the organization is refused with the same status as the condition.
   *
   * https://docs.cloud.google.com/storage/docs/access-control/iam-json
   * https://docs.cloud.google.com/storage/docs/json_api/v1/status-codes
   */
  async function isKept({ status, reason }: GoogleError, key: string): Promise<boolean> {
    if (status === 412 && reason === 'conditionNotMet') return true;
    if (status !== 412 && status !== 403) return false;
    const { items = [] } = await page({ prefix: key, maxResults: 1 });
    return items[0]?.name === key;
  }

  /** Cloud Storage refuses each range that begins at the end of an object, or behind it. */
  async function withoutBytes(
    key: string,
    version: string | undefined,
    { from }: Extent,
  ): Promise<ObjectContent | undefined> {
    const found = await describe(key, version);
    if (found === undefined) return undefined;
    if (Number(found.size) > from) throw notYet(`${named(key)} is being written`);
    return { ...infoOf(found), content: new Uint8Array(), truncated: false };
  }

  async function contentOf({ headers, content }: Answer, key: string, extent: Extent): Promise<ObjectContent> {
    const version = headers.get('x-goog-generation') ?? '';
    const stored = headers.get('x-goog-stored-content-length') ?? content.length;
    const bytes = Number(/\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] ?? stored);
    if (content.length === bytes) {
      const [, said] = /crc32c=([\w+/=]+)/.exec(headers.get('x-goog-hash') ?? '') ?? [];
      const checksum = said ?? (await describe(key, version))?.crc32c;
      if (checksum !== crc32cText(content)) throw damaged(named(key));
    }
    return contentUpTo(extent, { key, version, bytes, content }, named(key));
  }

  return {
    async list(prefix, cursor) {
      if (!prefix.isWellFormed()) return { items: [] };
      const startOffset = cursor === undefined ? undefined : keyIn(cursor);
      let pageToken: string | undefined;
      for (;;) {
        const found = await page({ ...(prefix === '' ? {} : { prefix }), maxResults: perPage, startOffset, pageToken });
        // The list begins with the key of the cursor itself, if there still is one.
        const items = (found.items ?? []).filter(({ name }) => name !== startOffset).map(infoOf);
        const last = items.at(-1);
        pageToken = found.nextPageToken;
        if (pageToken === undefined) return { items };
        if (last !== undefined) return { items, next: cursorAfter(last.key) };
      }
    },

    async read({ key, version, ...part }) {
      checkName(key);
      if (version !== undefined && !isGeneration(version)) return undefined;
      const extent = extentOf(part);
      try {
        const answer = await google.bytes({
          ...get(object(key), { alt: 'media', generation: version }),
          headers: { range: rangeOf(extent), 'accept-encoding': 'gzip' },
        });
        return await contentOf(answer, key, extent);
      } catch (error) {
        if (error instanceof GoogleError && error.status === 404) return missing(error);
        if (error instanceof GoogleError && error.status === 416) return withoutBytes(key, version, extent);
        throw gcpFault(error, `reading ${named(key)}`);
      }
    },

    async write(key, content, condition) {
      checkName(key);
      const crc32c = crc32cText(content);
      const ifAbsent = condition?.ifAbsent ? { ifGenerationMatch: 0 } : {};
      try {
        const stored = await google.json<Pick<Stored, 'crc32c'>>({
          service: 'storage',
          method: 'POST',
          path: `upload/${objects}`,
          query: { uploadType: 'multipart', ...ifAbsent, fields: 'crc32c' },
          bytes: multipart({ name: key, crc32c }, content),
          // A conditional write whose answer was lost finds itself, and says that the object exists.
          repeatable: true,
        });
        if (stored.crc32c !== crc32c) throw notYet(`other bytes were stored than were written to ${named(key)}`);
        return 'written';
      } catch (error) {
        if (condition?.ifAbsent && error instanceof GoogleError && (await isKept(error, key))) return 'exists';
        if (error instanceof GoogleError && error.status === 409)
          throw notYet(`${named(key)} is being changed by another call`, error);
        throw gcpFault(error, `writing ${named(key)}`);
      }
    },
  };
}

const infoOf = ({ name, generation, size }: Stored): ObjectInfo => ({
  key: name,
  version: generation,
  bytes: Number(size),
});

/** A generation is a number of 64 bits with a sign; for any other text Cloud Storage refuses the request. */
const isGeneration = (version: string): boolean =>
  /^[1-9]\d{0,18}$/.test(version) && BigInt(version) <= 0x7fff_ffff_ffff_ffffn;

const maxKeyBytes = 1024;

/** https://docs.cloud.google.com/storage/docs/objects#naming */
function checkName(key: string): void {
  checkKey(key, maxKeyBytes);
  if (!/[\r\n]|^\.\.?$|^\.well-known\/acme-challenge\//.test(key)) return;
  const shown = JSON.stringify(key.slice(0, 100));
  throw new Fault(
    'invalid',
    `Cloud Storage does not take ${shown} as a key; use one without line breaks that is not '.', '..' or below .well-known/acme-challenge/`,
  );
}

/** An object and what is said of it. https://docs.cloud.google.com/storage/docs/uploading-objects#rest-upload-objects */
function multipart(described: object, content: Uint8Array): NonNullable<Call['bytes']> {
  const boundary = randomUUID();
  const part = (type: string) => `--${boundary}\r\ncontent-type: ${type}\r\n\r\n`;
  return {
    type: `multipart/related; boundary=${boundary}`,
    content: Buffer.concat([
      Buffer.from(`${part('application/json; charset=UTF-8')}${JSON.stringify(described)}\r\n`),
      Buffer.from(part('application/octet-stream')),
      content,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  };
}
