import { createHash, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Call } from '@serin/azure/calls/azure';
import type { Container } from '@serin/azure/calls/blob';
import { blobBucket } from '@serin/azure/ports/bucket';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Received } from '@serin/platform/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bucketContract } from '../../contract/bucket.contract.ts';
import { emulatedAzure } from '../emulated.ts';
import { accounts, type ServedStorage, startStorage } from './storage.ts';
import { StorageRefusal } from './storage-rules.ts';

const text = (found: { readonly content: Uint8Array } | undefined): string | undefined =>
  found && Buffer.from(found.content).toString();
const bytes = (content: string): Uint8Array => Buffer.from(content);

emulatedAzure('the bucket in Blob Storage', () => {
  let storage: ServedStorage;
  beforeAll(async () => {
    storage = await startStorage('azure-bucket');
  });
  afterAll(() => storage?.stop());

  /** A container of its own for each case. */
  async function create(): Promise<{ readonly place: Container; readonly bucket: Bucket }> {
    const place = { account: accounts.data, container: `c-${randomUUID()}` };
    await storage.createContainer(place.account, place.container);
    return { place, bucket: blobBucket({ azure: storage.azure, ...place }) };
  }

  bucketContract('Blob Storage (Azurite)', async () => ({
    port: (await create()).bucket,
    other: (await create()).bucket,
    absent: blobBucket({ azure: storage.azure, account: accounts.data, container: 'absent' }),
    close: async () => storage.check(),
  }));

  /** A blob as others write it. */
  const put = ({ account, container }: Container, key: string, content: Uint8Array, headers: Call['headers'] = {}) =>
    storage.azure.bytes({
      ...{ service: 'blob', name: account, method: 'PUT', path: `${container}/${encodeURIComponent(key)}` },
      headers: { 'x-ms-version': '2023-11-03', 'x-ms-blob-type': 'BlockBlob', ...headers },
      bytes: { content, type: 'application/octet-stream' },
    });
  const withHeaders =
    (more: Readonly<Record<string, string | null>>) =>
    (answer: Received): Received => {
      const headers = new Headers(answer.headers);
      for (const [name, value] of Object.entries(more)) {
        if (value === null) headers.delete(name);
        else headers.set(name, value);
      }
      return { ...answer, headers };
    };
  const statuses = (id: string, from: number) =>
    storage.calls
      .slice(from)
      .filter((call) => call.id === id)
      .map(({ status }) => status);

  describe('a read', () => {
    test('of another version finds nothing, nor by a version that would be any', async () => {
      const { bucket } = await create();
      await bucket.write('a', bytes('one'));
      const [first] = (await bucket.list('')).items;
      await bucket.write('a', bytes('two'));

      for (const version of [first?.version ?? '', '*', '"x", *', 'ü'])
        expect(await bucket.read({ key: 'a', version, maxBytes: 9 })).toBeUndefined();
      expect(text(await bucket.read({ key: 'a', maxBytes: 9 }))).toBe('two');
    });

    test('of an empty blob by its version finds it, and by another one nothing', async () => {
      const { bucket } = await create();
      await bucket.write('empty', new Uint8Array());
      const [{ version } = { version: '' }] = (await bucket.list('')).items;

      expect(await bucket.read({ key: 'empty', version, maxBytes: 9 })).toMatchObject({ bytes: 0, version });
      expect(await bucket.read({ key: 'empty', version: '0x1', maxBytes: 9 })).toBeUndefined();
      storage.mood('blob:GetBlobProperties', withHeaders({ etag: '"0x1"' }));
      expect(await bucket.read({ key: 'empty', version, maxBytes: 9 })).toBeUndefined();
    });

    test('gives a blob that is gzipped as it is stored', async () => {
      const { place, bucket } = await create();
      const packed = gzipSync('hello');
      await put(place, 'packed.gz', packed, { 'x-ms-blob-content-encoding': 'gzip' });

      const found = await bucket.read({ key: 'packed.gz', maxBytes: 1000 });

      expect(Buffer.compare(Buffer.from(found?.content ?? []), packed)).toBe(0);
    });

    test('compares the whole with its MD5, and a part with nothing', async () => {
      const { bucket } = await create();
      await bucket.write('a', bytes('hello'));
      const damaged = (answer: Received): Received => ({ ...answer, content: answer.content.map((byte) => byte ^ 1) });
      storage.mood('blob:GetBlob', damaged, damaged);

      await expect(bucket.read({ key: 'a', maxBytes: 9 })).rejects.toMatchObject({ code: 'unavailable' });
      expect(await bucket.read({ key: 'a', maxBytes: 2 })).toMatchObject({ truncated: true });
    });

    test('takes a blob that was written in blocks, and has no MD5', async () => {
      const { bucket } = await create();
      await bucket.write('a', bytes('hello'));
      storage.mood('blob:GetBlob', withHeaders({ 'x-ms-blob-content-md5': null, 'content-md5': null }));

      expect(text(await bucket.read({ key: 'a', maxBytes: 9 }))).toBe('hello');
    });

    test('of which only a part comes is tried again later', async () => {
      const { bucket } = await create();
      await bucket.write('a', bytes('hello'));
      storage.mood('blob:GetBlob', (answer) => ({ ...answer, content: answer.content.subarray(0, 2) }));

      await expect(bucket.read({ key: 'a', maxBytes: 9 })).rejects.toMatchObject({ code: 'unavailable' });
    });

    test('of a blob that had no byte, and has some by now, is tried again later', async () => {
      const { place, bucket } = await create();
      await put(place, 'a', new Uint8Array());
      const written = (answer: Received): Received => withHeaders({ 'content-length': '5' })(answer);
      storage.mood('blob:GetBlobProperties', written);

      await expect(bucket.read({ key: 'a', maxBytes: 9 })).rejects.toMatchObject({ code: 'unavailable' });
    });

    test.each([
      ['BlobArchived', 'invalid', /is in the archive; bring it back with `az storage blob set-tier --tier Hot`/],
      ['BlobBeingRehydrated', 'unavailable', /is being brought back/],
    ])('of a blob in the archive says so: %s', async (refused, code, message) => {
      const { bucket } = await create();
      storage.mood('blob:GetBlob', new StorageRefusal(409, refused, 'This operation is not permitted.'));

      await expect(bucket.read({ key: 'a', maxBytes: 9 })).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
    });

    test('without the right is refused, with what to do', async () => {
      const { bucket } = await create();
      const denied = 'This request is not authorized to perform this operation using this permission.';
      storage.mood('blob:GetBlob', new StorageRefusal(403, 'AuthorizationPermissionMismatch', denied));

      await expect(bucket.read({ key: 'a', maxBytes: 9 })).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(
          /^reading "a" of the container c-.* in serindata failed; .*serin plan --cloud azure/,
        ),
      });
    });
  });

  describe('a write', () => {
    test('of which the answer was lost is made once more, and is the same', async () => {
      const { bucket } = await create();
      const from = storage.calls.length;
      storage.mood('blob:PutBlob', 'lost');

      expect(await bucket.write('a', bytes('one'))).toBe('written');
      expect(statuses('blob:PutBlob', from)).toEqual([0, 201]);
    });

    test('with ifAbsent of which the answer was lost finds itself, and its content is the one that is kept', async () => {
      const { bucket } = await create();
      storage.mood('blob:PutBlob', 'lost');

      expect(await bucket.write('a', bytes('one'), { ifAbsent: true })).toBe('exists');
      expect(text(await bucket.read({ key: 'a', maxBytes: 9 }))).toBe('one');
    });

    test('with ifAbsent over an object needs no right to read it', async () => {
      const { bucket } = await create();
      await bucket.write('a', bytes('one'));
      const from = storage.calls.length;

      expect(await bucket.write('a', bytes('two'), { ifAbsent: true })).toBe('exists');
      expect(storage.calls.slice(from).map(({ id }) => id)).toEqual(['blob:PutBlob']);
    });

    test('carries its MD5, by which Blob Storage refuses what arrives damaged', async () => {
      const { bucket } = await create();
      await bucket.write('a', bytes('hello'));

      const sent = storage.calls.at(-1)?.headers['content-md5'];
      expect(sent).toBe(createHash('md5').update('hello').digest('base64'));
    });

    test.each([
      ['that somebody leases', new StorageRefusal(412, 'LeaseIdMissing', 'There is currently a lease on the blob.')],
      ['that its writer may not replace', new StorageRefusal(403, 'AuthorizationPermissionMismatch', 'not authorized')],
      ['that a policy keeps', new StorageRefusal(409, 'BlobImmutableDueToPolicy', 'immutable')],
    ])('with ifAbsent over an object %s keeps the object', async (_, refusal) => {
      const { bucket } = await create();
      await bucket.write('a', bytes('one'));
      storage.mood('blob:PutBlob', refusal, refusal);

      expect(await bucket.write('a', bytes('two'), { ifAbsent: true })).toBe('exists');
      await expect(bucket.write('b', bytes('two'), { ifAbsent: true })).rejects.toMatchObject({
        message: expect.stringContaining('writing "b"'),
      });
    });

    test('over a blob that somebody leases waits', async () => {
      const { bucket } = await create();
      storage.mood(
        'blob:PutBlob',
        new StorageRefusal(412, 'LeaseIdMissing', 'There is currently a lease on the blob.'),
      );

      await expect(bucket.write('a', bytes('one'))).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
    });

    test('while Blob Storage is busy waits', async () => {
      const { bucket } = await create();
      storage.mood('blob:PutBlob', new StorageRefusal(503, 'ServerBusy', 'The server is busy.'));

      expect(await bucket.write('a', bytes('one'))).toBe('written');
    });
  });

  describe('a list', () => {
    test('leaves directories of a hierarchical namespace out, and a read finds nothing there', async () => {
      const { place, bucket } = await create();
      await put(place, 'raw', new Uint8Array(), { 'x-ms-meta-hdi_isfolder': 'true' });
      await put(place, 'raw/a', bytes('x'), { 'x-ms-meta-etag': 'x', 'x-ms-meta-name': 'y' });

      expect(await bucket.list('')).toEqual({
        items: [{ key: 'raw/a', bytes: 1, version: expect.stringMatching(/^0x[0-9A-F]+$/) }],
      });
      expect(await bucket.read({ key: 'raw', maxBytes: 9 })).toBeUndefined();
      storage.mood('blob:GetBlob', withHeaders({ 'x-ms-resource-type': 'directory' }));
      expect(await bucket.read({ key: 'raw/a', maxBytes: 9 })).toBeUndefined();
    });

    test('is ascending by bytes over its pages, whatever the order of Blob Storage is', async () => {
      const { place, bucket } = await create();
      const number = (at: number) => String(at).padStart(4, '0');
      // By UTF-16, as Azurite has it, each emoji is before U+FF01; by bytes it is behind.
      const keys = Array.from({ length: 1010 }, (_, at) => `x${at < 1005 ? '\u{1f600}' : '\uff01'}${number(at)}`);
      const all = ['a', ...keys, 'y'];
      for (let at = 0; at < all.length; at += 100)
        await Promise.all(all.slice(at, at + 100).map((key) => put(place, key, bytes('x'))));

      const pages = [await bucket.list('')];
      for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next)
        pages.push(await bucket.list('', next));

      const listed = pages.flatMap(({ items }) => items.map(({ key }) => key));
      expect(listed).toEqual(all.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      expect(pages.map(({ items }) => items.length)).toEqual([1000, 12]);
    });

    test('goes on behind a page that is empty', async () => {
      const { bucket } = await create();
      for (const key of ['a', 'b']) await bucket.write(key, bytes('x'));
      const empty = '<EnumerationResults><Blobs /><NextMarker>a</NextMarker></EnumerationResults>';
      storage.mood('blob:ListBlobs', (answer) => ({ ...answer, content: bytes(empty) }));

      expect((await bucket.list('')).items.map(({ key }) => key)).toEqual(['b']);
    });

    test.each(['x', Buffer.from('["a"]').toString('base64url'), Buffer.from('[1,"a"]').toString('base64url')])(
      'refuses the cursor %j, which is of no list',
      async (cursor) => {
        const { bucket } = await create();

        await expect(bucket.list('', cursor)).rejects.toMatchObject({ code: 'invalid' });
      },
    );
  });

  test.each(['.', '..', 'a\\b', 'x/'.repeat(254)])('the key %j is invalid, and nobody is asked', async (key) => {
    const { bucket } = await create();
    const from = storage.calls.length;

    for (const call of [bucket.write(key, bytes('x')), bucket.read({ key, maxBytes: 1 })])
      await expect(call).rejects.toMatchObject({ code: 'invalid' });
    expect(storage.calls.slice(from)).toEqual([]);
  });
}, ['azurite']);
