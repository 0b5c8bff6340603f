import type { Bucket, ObjectInfo } from '@serin/core/ports/bucket';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AdapterOf, gapsOf } from './adapters.ts';
import { partsOf } from './parts.ts';

export interface OpenBucket {
  readonly port: Bucket;
  /** Another bucket of the same store, empty. */
  readonly other: Bucket;
  /** A bucket of that store that was never created. */
  readonly absent: Bucket;
  close(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const fault = (code: string) => expect.objectContaining({ name: 'Fault', code });
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The segments of a path that a URL may not keep. */
const dots: readonly string[] = ['.', '..'];

/** Keys that a careless store would take for paths, or mix up. */
export const hostileKeys: readonly string[] = [
  '/',
  '//',
  '../../../etc/passwd',
  'a/../b',
  'a/./b',
  'a//b',
  '/absolute',
  'trailing/',
  '%2e%2e/x',
  'nul\u0000byte',
  'tab\t',
  'back\\slash\\..\\..\\x',
  'C:\\x',
  'con',
  'NUL.txt',
  'com1',
  'question?mark#hash&amp=1',
  ' leading space',
  'trailing space ',
  'trailing.dot.',
  '.hidden',
  '.serin-objects/x',
  '.serin-objects',
  'a',
  'A',
  'a/b/c',
  'a/b',
  'é',
  'e\u0301',
  '\uffff',
  '\u{10000}',
  '😀/ü',
  '__proto__',
  'constructor',
  'x'.repeat(255),
  'y'.repeat(1024),
  'ü'.repeat(512),
  `${'z'.repeat(201)}/v`,
  `${'deep/'.repeat(150)}x`,
  '*"<>|:',
  '~',
  '-rf',
  'NaN',
];

const keys = fc
  .oneof(
    fc.constantFrom(...hostileKeys),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((key) => key.isWellFormed()),
    fc
      .array(fc.constantFrom('a', 'b', '..', '.', '', 'day.csv', '2024', 'con', ' '), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join('/')),
  )
  .filter((key) => key !== '' && Buffer.byteLength(key) <= 1024 && !/[\r\n]/.test(key) && !dots.includes(key));

async function listAll(bucket: Bucket, prefix = ''): Promise<readonly ObjectInfo[]> {
  const items: ObjectInfo[] = [];
  for (let page = await bucket.list(prefix); ; page = await bucket.list(prefix, page.next)) {
    items.push(...page.items);
    if (page.next === undefined) return items;
  }
}

/** The promises of `Bucket`, over a fresh, empty bucket for each case. */
export function bucketContract(name: AdapterOf<'bucket'>, open: () => Promise<OpenBucket>): void {
  describe(`bucket: ${name}`, () => {
    const { lineBreaks, dots: ofDots, backslashes } = partsOf('bucket', name);
    const isTaken = (key: string) => !(key.includes('\\') && 'backslashes' in gapsOf('bucket', name));
    let opened: OpenBucket;
    let bucket: Bucket;
    beforeEach(async () => {
      opened = await open();
      bucket = opened.port;
    });
    afterEach(() => opened.close());
    const textOf = async (key: string, version?: string) => {
      const found = await bucket.read({ key, maxBytes: 1e6, ...(version === undefined ? {} : { version }) });
      return found === undefined ? undefined : Buffer.from(found.content).toString();
    };
    const holdsEach = async (names: readonly string[]) => {
      for (const key of names) await bucket.write(key, bytes(`content of ${key}`));

      for (const key of names) expect(await textOf(key)).toBe(`content of ${key}`);
      expect(await keysOf()).toEqual([...names].sort(byBytes));
    };
    const keysOf = async (prefix = '') => (await listAll(bucket, prefix)).map((info) => info.key);

    test('an empty bucket lists nothing and has no object', async () => {
      expect(await bucket.list('')).toEqual({ items: [] });
      expect(await bucket.read({ key: 'day.csv', maxBytes: 10 })).toBeUndefined();
    });

    test('a written object is read and listed at once, with one version and size', async () => {
      expect(await bucket.write('fraud/day.csv', bytes('day,n\n'))).toBe('written');

      const found = await bucket.read({ key: 'fraud/day.csv', maxBytes: 100 });
      expect(found).toMatchObject({ key: 'fraud/day.csv', bytes: 6, truncated: false });
      expect(Buffer.from(found?.content ?? []).toString()).toBe('day,n\n');
      expect(await listAll(bucket)).toMatchObject([{ key: 'fraud/day.csv', version: found?.version, bytes: 6 }]);
    });

    test('another content is another version; the old one is not served under the new name', async () => {
      await bucket.write('day.csv', bytes('one'));
      const [first] = await listAll(bucket);
      await bucket.write('day.csv', bytes('two'));
      const [second] = await listAll(bucket);

      expect(second?.version).not.toBe(first?.version);
      expect(await textOf('day.csv', second?.version)).toBe('two');
      expect([undefined, 'one']).toContain(await textOf('day.csv', first?.version));
      expect(await textOf('day.csv')).toBe('two');
    });

    test('writing the same content twice is the same as once', async () => {
      await bucket.write('day.csv', bytes('one'));
      await bucket.write('day.csv', bytes('one'));

      expect(await keysOf()).toEqual(['day.csv']);
      expect(await textOf('day.csv')).toBe('one');
    });

    test('a version that never was is no object', async () => {
      await bucket.write('day.csv', bytes('one'));

      expect(await bucket.read({ key: 'day.csv', version: 'f'.repeat(64), maxBytes: 10 })).toBeUndefined();
    });

    test('over maxBytes only the beginning comes, and says so', async () => {
      await bucket.write('day.csv', bytes('0123456789'));

      const part = await bucket.read({ key: 'day.csv', maxBytes: 4 });
      expect(part).toMatchObject({ bytes: 10, truncated: true });
      expect(Buffer.from(part?.content ?? []).toString()).toBe('0123');
      expect(await bucket.read({ key: 'day.csv', maxBytes: 10 })).toMatchObject({ bytes: 10, truncated: false });
    });

    test('a part from a byte on is read, and says whether there is more behind it', async () => {
      await bucket.write('day.csv', bytes('0123456789'));
      const [{ version = '' } = {}] = await listAll(bucket);
      const part = async (from: number, maxBytes: number) => {
        const found = await bucket.read({ key: 'day.csv', version, from, maxBytes });
        expect(found).toMatchObject({ key: 'day.csv', version, bytes: 10 });
        return [Buffer.from(found?.content ?? []).toString(), found?.truncated];
      };

      expect(await part(0, 4)).toEqual(['0123', true]);
      expect(await part(4, 4)).toEqual(['4567', true]);
      expect(await part(8, 2)).toEqual(['89', false]);
      expect(await part(8, 100)).toEqual(['89', false]);
      expect(await part(3, 0)).toEqual(['', true]);
    });

    test('at the end of an object and beyond it there is nothing to read, and it is no error', async () => {
      await bucket.write('day.csv', bytes('0123456789'));
      await bucket.write('_SUCCESS', new Uint8Array(0));

      for (const from of [10, 11, 1e9])
        expect(await bucket.read({ key: 'day.csv', from, maxBytes: 4 })).toMatchObject({ bytes: 10, truncated: false });
      const behind = await bucket.read({ key: 'day.csv', from: 10, maxBytes: 4 });
      expect(behind?.content).toHaveLength(0);
      expect(await bucket.read({ key: '_SUCCESS', from: 1, maxBytes: 4 })).toMatchObject({
        bytes: 0,
        truncated: false,
      });
      expect(await bucket.read({ key: 'other.csv', from: 10, maxBytes: 4 })).toBeUndefined();
    });

    test('a part of a version that was overwritten is not a part of the new one', async () => {
      await bucket.write('day.csv', bytes('0123456789'));
      const [first] = await listAll(bucket);
      await bucket.write('day.csv', bytes('abcdefghij'));

      for (const from of [4, 10]) {
        const found = await bucket.read({ key: 'day.csv', version: first?.version ?? '', from, maxBytes: 4 });
        // A store that keeps versions has it still; all others have none.
        expect([undefined, '4567', '']).toContain(found && Buffer.from(found.content).toString());
      }
    });

    test('an empty object is an object', async () => {
      await bucket.write('_SUCCESS', new Uint8Array(0));

      expect(await bucket.read({ key: '_SUCCESS', maxBytes: 10 })).toMatchObject({ bytes: 0, truncated: false });
      expect(await keysOf()).toEqual(['_SUCCESS']);
    });

    test('an object of 5 MB comes back byte for byte', async () => {
      const content = Buffer.from(Array.from({ length: 5 * 1024 * 1024 }, (_, at) => (at * 31 + (at >> 8)) & 255));

      await bucket.write('big.bin', content);

      const found = await bucket.read({ key: 'big.bin', maxBytes: 1e8 });
      expect(Buffer.compare(Buffer.from(found?.content ?? []), content)).toBe(0);
    }, 30_000);

    test('ifAbsent keeps an object that exists', async () => {
      expect(await bucket.write('lock', bytes('ana'), { ifAbsent: true })).toBe('written');
      expect(await bucket.write('lock', bytes('ben'), { ifAbsent: true })).toBe('exists');
      expect(await textOf('lock')).toBe('ana');

      expect(await bucket.write('lock', bytes('eva'), { ifAbsent: false })).toBe('written');
      expect(await textOf('lock')).toBe('eva');
    });

    test.each(['manifests/1.json', '../manifests'])(
      'of writers with ifAbsent at the same time one writes %j',
      async (key) => {
        const writers = Array.from({ length: 12 }, (_, at) => `writer ${at}`);

        const answers = await Promise.all(writers.map((text) => bucket.write(key, bytes(text), { ifAbsent: true })));

        expect(answers.filter((answer) => answer === 'written')).toHaveLength(1);
        expect(await textOf(key)).toBe(writers[answers.indexOf('written')]);
      },
    );

    test('a reader sees the old content or the new, never a part', async () => {
      const versions = Array.from({ length: 30 }, (_, at) => String.fromCharCode(97 + (at % 26)).repeat(50_000));
      await bucket.write('day.csv', bytes(versions[0] ?? ''));

      let writing = true;
      async function readOn(): Promise<readonly (string | undefined)[]> {
        const seen: (string | undefined)[] = [];
        while (writing) seen.push(await textOf('day.csv'));
        return seen;
      }
      async function writeAll(): Promise<void> {
        for (const version of versions) await bucket.write('day.csv', bytes(version));
        writing = false;
      }
      const [seen] = await Promise.all([readOn(), writeAll()]);

      expect(seen.length).toBeGreaterThan(0);
      for (const text of seen) expect(versions.includes(text ?? '')).toBe(true);
    }, 30_000);

    test('writers of many keys at the same time lose nothing', async () => {
      const names = Array.from({ length: 60 }, (_, at) => `fraud/${at % 7}/${at}.csv`);

      await Promise.all(names.map((key) => bucket.write(key, bytes(key))));

      expect(await keysOf()).toEqual([...names].sort(byBytes));
    });

    test('a prefix is text, not a folder', async () => {
      const names = ['fraud', 'fraud/', 'fraud/a', 'fraud/b/c', 'fraud2/a', 'frau', 'Fraud/a', 'x/fraud/a'];
      for (const key of names) await bucket.write(key, bytes(key));

      for (const prefix of [
        '',
        'f',
        'fraud',
        'fraud/',
        'fraud/b',
        'fraud/b/',
        'fraud/b/c',
        'fraud/b/cd',
        '/',
        '..',
        'x',
      ]) {
        expect([prefix, await keysOf(prefix)]).toEqual([
          prefix,
          names.filter((key) => key.startsWith(prefix)).sort(byBytes),
        ]);
      }
    });

    test('a listing is ascending by UTF-8 bytes', async () => {
      const names = ['b', 'a', 'B', 'a/', 'a-b', 'a/b', 'a.b', 'ä', '\uffff', '\u{10000}', '0', '~', ' '];
      for (const key of names) await bucket.write(key, bytes('x'));

      expect(await keysOf()).toEqual([...names].sort(byBytes));
    });

    test('a listing over several pages is complete, also when objects come in between', async () => {
      const names = Array.from({ length: 1200 }, (_, at) => `drop/${String(at).padStart(5, '0')}`);
      for (let at = 0; at < names.length; at += 100) {
        await Promise.all(names.slice(at, at + 100).map((key) => bucket.write(key, bytes(key))));
      }

      const first = await bucket.list('drop/');
      await bucket.write('drop/99999', bytes('late'));
      await bucket.write('drop/', bytes('before the cursor'));
      const second = await bucket.list('drop/', first.next);

      expect(first.items.length).toBeLessThanOrEqual(1000);
      expect(first.next).toBeDefined();
      const seen = [...first.items, ...second.items].map((info) => info.key);
      expect(seen).toEqual([...names, 'drop/99999']);
    }, 30_000);

    test('every hostile key is its own object', async () => {
      await holdsEach(hostileKeys.filter((key) => !key.includes('\\')));

      expect(await listAll(opened.other)).toEqual([]);
    }, 30_000);

    lineBreaks('a key with a line break is its own object', () =>
      holdsEach(['new\nline', 'new\r\nline', '\n', 'a\n/b']),
    );

    backslashes('a key with a backslash is its own object', () =>
      holdsEach(hostileKeys.filter((key) => key.includes('\\'))),
    );

    ofDots('a key of one dot or of two is its own object', () => holdsEach(dots));

    test('any keys in any order: what was written last is read, and the listing has each once', async () => {
      const written = new Map<string, string>();
      const writes = fc.array(
        fc.tuple(
          keys.filter(isTaken),
          fc.string({ maxLength: 20 }).filter((text) => text.isWellFormed()),
        ),
        {
          minLength: 1,
          maxLength: 6,
        },
      );
      const property = fc.asyncProperty(writes, async (batch) => {
        for (const [key, text] of batch) {
          expect(await bucket.write(key, bytes(text))).toBe('written');
          written.set(key, text);
        }
        for (const [key] of batch) expect([key, await textOf(key)]).toEqual([key, written.get(key)]);
        expect(await keysOf()).toEqual([...written.keys()].sort(byBytes));
        const prefix = batch[0]?.[0].slice(0, 3) ?? '';
        if (prefix.isWellFormed()) {
          expect(await keysOf(prefix)).toEqual(
            [...written.keys()].filter((key) => key.startsWith(prefix)).sort(byBytes),
          );
        }
      });

      await fc.assert(property, { numRuns: 60, seed: 20261120 });
    }, 30_000);

    test.each([
      ['an empty key', ''],
      ['1,025 bytes', 'x'.repeat(1025)],
      ['1,026 bytes of two-byte letters', 'ü'.repeat(513)],
      ['half a surrogate pair', 'a\ud800'],
    ])('%s is invalid', async (_, key) => {
      await expect(bucket.write(key, bytes('x'))).rejects.toEqual(fault('invalid'));
      await expect(bucket.read({ key, maxBytes: 1 })).rejects.toEqual(fault('invalid'));
      expect(await listAll(bucket)).toEqual([]);
    });

    test('a prefix that no key can begin with finds nothing, also where a key looks like it', async () => {
      await bucket.write('a\ufffd', bytes('x'));

      expect(await listAll(bucket, 'a\ud800')).toEqual([]);
    });

    test('a bucket that was not created is not found, by any method', async () => {
      await expect(opened.absent.list('')).rejects.toEqual(fault('notFound'));
      await expect(opened.absent.read({ key: 'x', maxBytes: 1 })).rejects.toEqual(fault('notFound'));
      await expect(opened.absent.write('x', bytes('x'))).rejects.toEqual(fault('notFound'));
    });

    test('a cursor that is not its own is invalid', async () => {
      await expect(bucket.list('', '%%%')).rejects.toEqual(fault('invalid'));
    });
  });
}
