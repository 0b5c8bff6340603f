import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { storageBucket } from '@serin/gcp/ports/bucket';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bucketContract } from '../../contract/bucket.contract.ts';
import { emulatedGcp } from '../emulated.ts';
import { type Emulator, startGcs } from '../installed.ts';
import { Refusal, type Served, serveGoogle } from './discovery.ts';
import { type FakeStorage, fakeStorage } from './fake-storage.ts';

const suite = 'gcp-bucket';
const text = (found: { readonly content: Uint8Array } | undefined) => found && Buffer.from(found.content).toString();
const bytes = (content: string) => new TextEncoder().encode(content);

emulatedGcp('the bucket of Cloud Storage', () => {
  describe('in fake-gcs-server', () => {
    let gcs: Emulator;
    let served: Served;
    beforeAll(async () => {
      gcs = await startGcs();
      served = await serveGoogle(suite, {}, { relays: { storage: { url: gcs.url, who: 'fake-gcs-server' } } });
    });
    afterAll(async () => {
      await served?.stop();
      await gcs?.stop();
    });

    bucketContract('Cloud Storage (fake-gcs-server)', async () => {
      const [drops, others] = [`drops-${randomUUID()}`, `others-${randomUUID()}`];
      for (const name of [drops, others])
        await fetch(`${gcs.url}/storage/v1/b?project=p`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name }),
        });
      const open = (bucket: string) => storageBucket({ google: served.google, bucket });
      const absent = open(`absent-${randomUUID()}`);
      return { port: open(drops), other: open(others), absent, close: async () => served.check() };
    });
  });

  describe('in a fake of ours', () => {
    let storage: FakeStorage;
    let served: Served;
    const open = (bucket = 'drops') => storageBucket({ google: served.google, bucket });
    const callsOf = (method: string) => served.calls.filter(({ id }) => id === `storage.objects.${method}`);
    beforeEach(async () => {
      storage = fakeStorage();
      for (const name of ['drops', 'others']) storage.create(name);
      storage.create('kept', { keepsVersions: true });
      served = await serveGoogle(suite, storage.handlers);
    });
    afterEach(() => served.stop());

    bucketContract('Cloud Storage (fake)', async () => ({
      port: open(),
      other: open('others'),
      absent: open('absent'),
      close: async () => {},
    }));

    describe('an object', () => {
      test('that was overwritten is read as it was where the bucket keeps it, and is not there in any other', async () => {
        for (const name of ['kept', 'drops']) {
          await open(name).write('day.csv', bytes('one'));
          const [first] = (await open(name).list('')).items;
          await open(name).write('day.csv', bytes('two'));

          const old = await open(name).read({ key: 'day.csv', version: first?.version ?? '', maxBytes: 9 });

          expect([name, text(old)]).toEqual([name, name === 'kept' ? 'one' : undefined]);
        }
      });

      test.each(['0', '-1', '9223372036854775808', '17e3', 'abc'])(
        'has no version %j, and nobody is asked',
        async (version) => {
          await open().write('day.csv', bytes('one'));

          expect(await open().read({ key: 'day.csv', version, maxBytes: 9 })).toBeUndefined();
          expect(callsOf('get')).toEqual([]);
        },
      );

      test('with Content-Encoding gzip comes as it is stored, whole and in part', async () => {
        const packed = gzipSync('day,n\n'.repeat(50));
        storage.put('drops', 'day.csv', packed, { contentEncoding: 'gzip' });

        const [whole, part] = await Promise.all(
          [1000, 10].map((maxBytes) => open().read({ key: 'day.csv', maxBytes })),
        );

        expect(Buffer.from(whole?.content ?? [])).toEqual(packed);
        expect(Buffer.from(part?.content ?? [])).toEqual(packed.subarray(0, 10));
        expect(part).toMatchObject({ bytes: packed.length, truncated: true });
        expect((await open().list('')).items).toMatchObject([{ bytes: packed.length }]);
      });

      test('composed of parts has no MD5, and is read', async () => {
        storage.put('drops', 'big.bin', Buffer.from('ab'), { isComposite: true });

        expect(text(await open().read({ key: 'big.bin', maxBytes: 9 }))).toBe('ab');
      });

      test.each([
        ['whose checksum comes with it', () => {}],
        ['whose checksum must be asked for', () => storage.hideChecksums()],
      ])('%s is read, unless other bytes came than were stored', async (_, given) => {
        given();
        await open().write('day.csv', bytes('one'));
        const read = () => open().read({ key: 'day.csv', maxBytes: 9 });
        const before = await read();

        storage.damage('drops', 'day.csv', Buffer.from('0ne'));

        expect(text(before)).toBe('one');
        await expect(read()).rejects.toMatchObject({
          code: 'unavailable',
          message: expect.stringContaining('other bytes'),
        });
      });

      test('of which less came than was asked for and is there is read again later', async () => {
        const headers = new Headers({ 'x-goog-generation': '1', 'content-range': 'bytes 0-8/20' });
        const google = {
          ...served.google,
          bytes: async () => ({ status: 206, headers, content: Buffer.from('day,n') }),
        };

        const reading = storageBucket({ google, bucket: 'drops' }).read({ key: 'day.csv', maxBytes: 9 });

        await expect(reading).rejects.toMatchObject({
          code: 'unavailable',
          message: expect.stringContaining('a part'),
        });
      });

      test('of which only the beginning is read is not compared', async () => {
        await open().write('day.csv', bytes('one'));
        storage.damage('drops', 'day.csv', Buffer.from('0ne'));

        expect(text(await open().read({ key: 'day.csv', maxBytes: 2 }))).toBe('0n');
      });

      test('without a byte that grows while it is read is asked for again later', async () => {
        storage.put('drops', 'log', Buffer.from('now with bytes'));
        const refused = new Refusal('OUT_OF_RANGE', 'The requested range cannot be satisfied.', { status: 416 });
        storage.mood('get', refused);

        await expect(open().read({ key: 'log', maxBytes: 9 })).rejects.toMatchObject({ code: 'unavailable' });
      });

      test('without a byte is read also in an older version', async () => {
        await open('kept').write('log', bytes(''));
        const [first] = (await open('kept').list('')).items;
        await open('kept').write('log', bytes('more'));

        const old = await open('kept').read({ key: 'log', version: first?.version ?? '', maxBytes: 9 });

        expect(old).toMatchObject({ version: first?.version, bytes: 0, truncated: false });
      });

      test('that is not there costs one request, when the answer says so', async () => {
        expect(await open().read({ key: 'none', maxBytes: 9 })).toBeUndefined();
        expect(served.calls).toHaveLength(1);
      });

      test('of a bucket that is named in other words as missing is told from one that is missing', async () => {
        const vague = new Refusal('NOT_FOUND', 'Not Found', { reason: 'notFound' });
        storage.mood('get', vague, vague);

        expect(await open().read({ key: 'none', maxBytes: 9 })).toBeUndefined();
        await expect(open('absent').read({ key: 'none', maxBytes: 9 })).rejects.toMatchObject({ code: 'notFound' });
      });
    });

    describe('a write', () => {
      test('of which the answer was lost is made once more, and is the same', async () => {
        storage.mood('insert', 'lost');

        expect(await open().write('day.csv', bytes('one'))).toBe('written');
        expect(callsOf('insert').map(({ status }) => status)).toEqual([0, 200]);
      });

      test('with ifAbsent of which the answer was lost finds itself, and its content is the one that is kept', async () => {
        storage.mood('insert', 'lost');

        expect(await open().write('day.csv', bytes('one'), { ifAbsent: true })).toBe('exists');
        expect(text(await open().read({ key: 'day.csv', maxBytes: 9 }))).toBe('one');
      });

      test('carries its checksum, by which Cloud Storage refuses what arrives damaged', async () => {
        await open().write('day.csv', bytes('hello'));

        expect(callsOf('insert')[0]?.body).toEqual({ name: 'day.csv', crc32c: 'mnG7TA==' });
      });

      test('that was stored with another checksum is tried again later', async () => {
        storage.mood('insert', (answer) => ({ ...(answer as object), crc32c: 'AAAAAA==' }));

        await expect(open().write('day.csv', bytes('one'))).rejects.toMatchObject({ code: 'unavailable' });
      });

      test('beside another one of the same object is tried again later', async () => {
        storage.mood('insert', new Refusal('ABORTED', 'conflict', { reason: 'conflict' }));

        await expect(open().write('day.csv', bytes('one'))).rejects.toMatchObject({
          code: 'unavailable',
          retry: 'later',
        });
      });

      test('too soon after another one of the same object waits', async () => {
        const rate = 'The object exceeded the rate limit for object mutation operations (create, update, and delete).';
        storage.mood('insert', new Refusal('RESOURCE_EXHAUSTED', rate, { reason: 'rateLimitExceeded' }));

        expect(await open().write('day.csv', bytes('one'))).toBe('written');
      });

      test('with ifAbsent over an object that its writer may not replace keeps the object', async () => {
        const denied = new Refusal('PERMISSION_DENIED', 'no storage.objects.delete access', { reason: 'forbidden' });
        storage.put('drops', 'day.csv', Buffer.from('one'));
        storage.mood('insert', denied, denied);

        expect(await open().write('day.csv', bytes('two'), { ifAbsent: true })).toBe('exists');
        await expect(open().write('day', bytes('two'), { ifAbsent: true })).rejects.toMatchObject({ code: 'invalid' });
      });

      test('with ifAbsent that a policy of the organization refuses is not taken for one of an object that is there', async () => {
        const policy = "Request violates constraint 'constraints/gcp.restrictNonCmekServices'";
        const refused = new Refusal('FAILED_PRECONDITION', policy, {
          status: 412,
          reason: 'orgPolicyConstraintFailed',
        });
        storage.mood('insert', refused, refused);

        const writing = open().write('day.csv', bytes('one'), { ifAbsent: true });

        await expect(writing).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(policy) });
        storage.put('drops', 'day.csv', Buffer.from('zero'));
        expect(await open().write('day.csv', bytes('one'), { ifAbsent: true })).toBe('exists');
      });

      test('without the right is refused, with what to do', async () => {
        const denied = 'serin@p.iam.gserviceaccount.com does not have storage.objects.create access';
        storage.mood('insert', new Refusal('PERMISSION_DENIED', denied, { reason: 'forbidden' }));

        await expect(open().write('day.csv', bytes('one'))).rejects.toMatchObject({
          code: 'invalid',
          message: expect.stringMatching(/writing "day.csv" of the bucket drops failed;.*serin plan.*objects.create/),
        });
      });
    });

    describe('a list', () => {
      test('goes on behind a page that is empty', async () => {
        storage.sendEmptyPages();
        for (let at = 0; at < 1001; at += 1) storage.put('drops', String(at).padStart(4, '0'), Buffer.from('x'));

        const first = await open().list('');
        const second = await open().list('', first.next);

        expect(first.items).toHaveLength(1000);
        expect(second).toMatchObject({ items: [{ key: '1000' }] });
        expect(second.next).toBeUndefined();
      });

      test('goes on where it was, also when the key of its cursor was deleted', async () => {
        for (let at = 0; at < 1002; at += 1) storage.put('drops', String(at).padStart(4, '0'), Buffer.from('x'));
        const { next } = await open().list('');
        storage.create('drops');
        storage.put('drops', '1001', Buffer.from('x'));

        expect((await open().list('', next)).items.map(({ key }) => key)).toEqual(['1001']);
      });

      test('asks for no more than it uses', async () => {
        await open().list('a/');

        expect(Object.fromEntries(callsOf('list')[0]?.query ?? [])).toEqual({
          prefix: 'a/',
          maxResults: '1000',
          fields: 'nextPageToken,items(name,generation,size)',
        });
      });
    });

    test.each(['.', '..', 'a\nb', 'a\r', '.well-known/acme-challenge/x'])(
      'the key %j is invalid, and nobody is asked',
      async (key) => {
        for (const call of [open().write(key, bytes('x')), open().read({ key, maxBytes: 1 })])
          await expect(call).rejects.toMatchObject({
            code: 'invalid',
            message: expect.stringContaining(JSON.stringify(key)),
          });
        expect(served.calls).toEqual([]);
      },
    );
  });
}, ['fake-gcs-server']);
