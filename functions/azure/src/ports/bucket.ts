import { createHash } from 'node:crypto';
import { badCursor, cursorOf, placeIn } from '@serin/core/base/cursor';
import { Fault } from '@serin/core/base/fault';
import type { Bucket, ObjectContent } from '@serin/core/ports/bucket';
import { checkKey, contentUpTo, damaged, type Extent, extentOf, rangeOf } from '@serin/platform/buckets';
import { notYet } from '@serin/platform/faults';
import type { Answer } from '@serin/platform/rest';
import { type Azure, AzureError } from '../calls/azure.ts';
import { blobCall, type Container, type Listed, readListing, withoutQuotes } from '../calls/blob.ts';
import { azureFault, guarded } from '../faults.ts';

interface Options extends Container {
  readonly azure: Azure;
}

const perPage = 1000;

/**
 * A bucket that is a container of Blob Storage. `version` is the ETag, which every write changes: versions of blobs are
 * not kept by each account, and not at all where the namespace is hierarchical. Of another ETag there is no object.
 *
 * The MD5 that Blob Storage keeps is compared for what is written, and for what is read whole; blobs that others wrote
 * in blocks may have none. Nothing is unpacked that was stored with `Content-Encoding`. Directories of a hierarchical
 * namespace are no objects.
 */
export function blobBucket({ azure, account, container }: Options): Bucket {
  const place = { account, container };
  const named = (key: string) => `${JSON.stringify(key)} of the container ${container} in ${account}`;

  async function page(prefix: string, marker: string): Promise<ReturnType<typeof readListing>> {
    const query = {
      ...{ restype: 'container', comp: 'list', maxresults: perPage, include: 'metadata' },
      prefix: prefix === '' ? undefined : prefix,
      marker: marker === '' ? undefined : marker,
    };
    const { content } = await guarded(`listing the container ${container} in ${account}`, () =>
      azure.bytes(blobCall(place, { method: 'GET', query })),
    );
    return readListing(new TextDecoder().decode(content));
  }

  const describe = (key: string): Promise<Headers | undefined> =>
    guarded(`describing ${named(key)}`, async () => {
      try {
        return (await azure.bytes(blobCall(place, { method: 'HEAD', key }))).headers;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });

  /** Blob Storage refuses each range that begins at the end of a blob, or behind it. */
  async function withoutBytes(
    key: string,
    version: string | undefined,
    { from }: Extent,
  ): Promise<ObjectContent | undefined> {
    const headers = await describe(key);
    if (headers === undefined || isDirectory(headers)) return undefined;
    if (version !== undefined && version !== versionIn(headers)) return undefined;
    const bytes = Number(headers.get('content-length'));
    if (bytes > from) throw notYet(`${named(key)} is being written`);
    return { key, version: versionIn(headers), bytes, content: new Uint8Array(), truncated: false };
  }

  function contentOf({ headers, content }: Answer, key: string, extent: Extent): ObjectContent | undefined {
    if (isDirectory(headers)) return undefined;
    const bytes = Number(/\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] ?? content.length);
    const md5 = headers.get('x-ms-blob-content-md5') ?? headers.get('content-md5');
    if (content.length === bytes && md5 !== null && md5 !== md5Of(content)) throw damaged(named(key));
    return contentUpTo(extent, { key, version: versionIn(headers), bytes, content }, named(key));
  }

  /** Whether a conditional write found an object. A lease, a policy or a missing right may refuse it before the condition does. */
  const isKept = async (error: unknown, key: string): Promise<boolean> =>
    (error instanceof AzureError && error.code === 'BlobAlreadyExists') ||
    (hasStatus(error, 403, 409, 412) && (await describe(key)) !== undefined);

  return {
    async list(prefix, cursor) {
      if (!prefix.isWellFormed()) return { items: [] };
      const [first, after] = cursor === undefined ? ['', ''] : placeOf(cursor);
      const found: Listed[] = [];
      let marker = first;
      do {
        const { blobs, marker: next } = await page(prefix, marker);
        found.push(...blobs.filter(({ key, isDirectory }) => !isDirectory && byBytes(key, after) > 0));
        marker = next;
      } while (marker !== '' && !isSettled(found.at(-1)?.key.slice(prefix.length)));
      const items = found
        .toSorted((a, b) => byBytes(a.key, b.key))
        .slice(0, perPage)
        .map(({ key, etag, bytes }) => ({ key, version: etag, bytes }));
      const last = items.at(-1)?.key ?? after;
      // More came than a page holds: the next one reads the same once more, and goes on behind the last key.
      if (items.length < found.length) return { items, next: cursorOf([first, last]) };
      return marker === '' ? { items } : { items, next: cursorOf([marker, last]) };
    },

    async read({ key, version, ...part }) {
      checkName(key);
      if (version !== undefined && !isEtag(version)) return undefined;
      const extent = extentOf(part);
      const headers = { ...ifMatch(version), 'x-ms-range': rangeOf(extent) };
      try {
        return contentOf(await azure.bytes(blobCall(place, { method: 'GET', key, headers })), key, extent);
      } catch (error) {
        if (isMissing(error) || hasStatus(error, 412)) return undefined;
        if (hasStatus(error, 416)) return withoutBytes(key, version, extent);
        throw archived(error, named(key)) ?? azureFault(error, `reading ${named(key)}`);
      }
    },

    async write(key, content, condition) {
      checkName(key);
      const headers = {
        'x-ms-blob-type': 'BlockBlob',
        'content-md5': md5Of(content),
        ...(condition?.ifAbsent ? { 'if-none-match': '*' } : {}),
      };
      const bytes = { content, type: 'application/octet-stream' };
      try {
        // Made once more, a conditional write may find what it wrote the first time: that answer is `exists`.
        await azure.bytes(blobCall(place, { method: 'PUT', key, headers, bytes, repeatable: true }));
        return 'written';
      } catch (error) {
        if (condition?.ifAbsent && (await isKept(error, key))) return 'exists';
        throw azureFault(error, `writing ${named(key)}`);
      }
    },
  };
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * Whether all keys behind this one are greater by their bytes. Blob Storage promises an order of letters, and does not
 * say of which units; by those of UTF-16 what has two of them is before U+E000, by bytes it is behind.
 */
const isSettled = (rest: string | undefined): boolean => rest !== undefined && !/[\ud800-\uffff]/.test(rest);

/** Where a list goes on for Blob Storage, and the last key that was answered. */
function placeOf(cursor: string): readonly [marker: string, after: string] {
  const place = placeIn(cursor);
  if (!Array.isArray(place) || place.length !== 2) throw badCursor(cursor);
  const [marker, after] = place;
  if (typeof marker !== 'string' || typeof after !== 'string') throw badCursor(cursor);
  return [marker, after];
}

const md5Of = (content: Uint8Array): string => createHash('md5').update(content).digest('base64');
const versionIn = (headers: Headers): string => withoutQuotes(headers.get('etag') ?? '');
const ifMatch = (version: string | undefined) => (version === undefined ? {} : { 'if-match': `"${version}"` });

/** `*` would be any. */
const isEtag = (version: string): boolean => /^[\x21\x23-\x29\x2b-\x7e]+$/.test(version);

const isDirectory = (headers: Headers): boolean =>
  headers.get('x-ms-resource-type') === 'directory' || headers.get('x-ms-meta-hdi_isfolder') === 'true';

const hasStatus = (error: unknown, ...statuses: readonly number[]): boolean =>
  error instanceof AzureError && statuses.includes(error.status);

/** There is no such blob. A container that is not there is another matter. */
const isMissing = (error: unknown): boolean =>
  error instanceof AzureError && error.status === 404 && error.code === 'BlobNotFound';

/** https://learn.microsoft.com/azure/storage/blobs/archive-rehydrate-overview */
function archived(error: unknown, what: string): Fault | undefined {
  if (!(error instanceof AzureError)) return undefined;
  if (error.code === 'BlobBeingRehydrated') return notYet(`${what} is being brought back from the archive`, error);
  if (error.code !== 'BlobArchived') return undefined;
  const mend = 'bring it back with `az storage blob set-tier --tier Hot`, which takes hours';
  return new Fault('invalid', `${what} is in the archive; ${mend}`, { cause: error });
}

const maxKeyBytes = 1024;
const maxParts = 254;

/** https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#blob-names */
function checkName(key: string): void {
  checkKey(key, maxKeyBytes);
  if (!/\\|^\.\.?$/.test(key) && key.split('/').length <= maxParts) return;
  const shown = JSON.stringify(key.slice(0, 100));
  throw new Fault(
    'invalid',
    `Blob Storage does not take ${shown} as a key; use one without backslashes and with at most ${maxParts} parts that is not '.' or '..'`,
  );
}
