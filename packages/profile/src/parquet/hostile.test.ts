import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { Fault } from '@serin/core/base/fault';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowHash, saltOf, ValueHash } from '../hash.ts';
import { ended, type ForgedColumn, forged, page, plain, varint } from './forged.fixture.ts';
import { record, sourceOf } from './recording.fixture.ts';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}.parquet`, import.meta.url));
const whole = fixture('types');

async function refusalOf(bytes: Uint8Array, claimed = bytes.length): Promise<string> {
  try {
    await record(sourceOf('data/x.parquet', bytes, claimed));
  } catch (error) {
    if (error instanceof Fault && error.code === 'invalid') return error.message;
    throw error;
  }
  return 'read';
}

const column = (given: Partial<ForgedColumn>): ForgedColumn => ({ name: 'x', ...given });
/** A column of three values that go by a dictionary of two. */
const byDictionary = (...places: readonly number[]) =>
  column({
    pages: [
      page({ type: 2, values: 2 }, plain(10, 20)),
      page({ values: 3, encoding: 8 }, [2, ...places.flatMap((place) => [2, place])]),
    ],
  });
const bomb = new Uint8Array(1_000_000);
const compressed = (codec: number, bytes: Uint8Array) =>
  column({ codec, pages: [page({ values: 3, inflated: 12 }, [...bytes])] });
const deep = Array.from({ length: 100 }, () => ({ name: 'x', children: 1 }));

const deltasOf = (first: number) => [0x80, 1, 4, 1, 2 * first];

test('columns are read in whatever order they stand, and behind long headers', async () => {
  const columns = [1, 2, 3].map((value) =>
    column({ name: `x${value}`, pages: [page({ values: 1, statistics: 20_000 }, plain(value))] }),
  );

  const read = await record(sourceOf('x', forged(1, columns)));

  expect([...read.columns.values()].map(({ calls }) => calls)).toEqual([[1], [2], [3]]);
});

const textBytes = (text: string) => [text.length, 0, 0, 0, ...new TextEncoder().encode(text)];

/** The hash of a row that has one value, in the column x. */
function rowOf(give: (hash: ValueHash) => void): string {
  const [hash, row] = [new ValueHash(), new RowHash()];
  give(hash);
  row.add(saltOf('x'), hash);
  row.end();
  return `${row.high >>> 0} ${row.low >>> 0}`;
}

test('a text that says a number, a boolean or a time is one, as in a CSV', async () => {
  const texts = ['12', '1.5', 'true', '2026-01-31', '', 'x', 'nan'].flatMap(textBytes);
  const plainly = page({ values: 7 }, texts);
  const places = [6, ...[0, 1, 2, 3, 4, 5, 6].flatMap((at) => [2, at])];
  const coded = [page({ type: 2, values: 7 }, texts), page({ values: 7, encoding: 8 }, places)];

  for (const pages of [[plainly], coded]) {
    const { columns, rows } = await record(sourceOf('x', forged(7, [column({ type: 6, pages })])));
    expect(columns.get('x')?.calls).toEqual([12, 1.5, true, { time: Date.UTC(2026, 0, 31) }, '', 'x', Number.NaN]);
    expect(columns.get('x')?.areWhole).toEqual(new Set([true, false]));
    expect(rows[0]).toBe(rowOf((hash) => hash.number(12)));
    expect(rows[3]).toBe(rowOf((hash) => hash.time(Date.UTC(2026, 0, 31))));
    expect(rows[6]).toBe(rows[4]);
  }
});

test('a page may have more values than are taken at once', async () => {
  const numbers = Array.from({ length: 20_000 }, (_, index) => index);
  const file = forged(20_000, [column({ pages: [page({ values: 20_000 }, plain(...numbers))] })]);

  expect((await record(sourceOf('x', file))).columns.get('x')?.calls).toEqual(numbers);
});

test('what is not needed of a block of differences may be anything', async () => {
  const block = [0x80, 1, 4, 2, 10, 0, 8, 200, 200, 200, 3, ...Array<number>(31).fill(0)];
  const file = forged(2, [column({ pages: [page({ values: 2, encoding: 5 }, block)] })]);

  expect((await record(sourceOf('x', file))).columns.get('x')?.calls).toEqual([5, 8]);
});

test('a file that is written by hand is read', async () => {
  const flat = await record(sourceOf('x', forged(3, [column({ pages: [page({ values: 3 }, plain(1, 2, 3))] })])));
  const coded = await record(sourceOf('x', forged(3, [byDictionary(1, 0, 1)])));

  expect(flat.columns.get('x')?.calls).toEqual([1, 2, 3]);
  expect(coded.columns.get('x')?.calls).toEqual([20, 10, 20]);
});

const files: Readonly<Record<string, readonly [file: Uint8Array, says: RegExp]>> = {
  'is empty': [new Uint8Array(0), /has 0 bytes, and the shortest file has 12/],
  'was cut off at its end': [whole.subarray(0, -1), /does not end as a Parquet file does: it was cut off, or is of/],
  'was cut off at its beginning': [whole.subarray(500), /row group 0, column flag cannot be read/],
  'is a CSV': [new TextEncoder().encode('a,b\n1,2\n3,4\n5,6\n'), /does not end as a Parquet file/],
  'is encrypted': [ended([], [0, 0, 0, 0], 'PARE'), /is encrypted, .* write it without encryption/],
  'has a footer larger than itself': [ended([], [0, 0, 0, 0], 'PAR1', 1 << 30), /says a footer of 1073741824/],
  'has a footer of nothing': [ended([], [0, 0, 0, 0]), /its footer has no schema/],
  'has a number without an end': [
    ended([], [0x36, ...Array<number>(100_000).fill(255)]),
    /a number of more than 64 bits/,
  ],
  'has a list longer than its footer': [
    ended([], [0x29, 0xfc, ...varint(2 ** 31)]),
    /list of 2147483648 elements runs over/,
  ],
  'has structures without an end': [ended([], Array<number>(10_000).fill(0x1c)), /nested too deeply/],
  'has no columns': [forged(3, []), /has no columns/],
  'has 100,000 columns': [
    forged(0, Array<ForgedColumn>(100_000).fill(column({}))),
    /columns and groups of columns of 100001, and from 1 to 40000 is read/,
  ],
  'has 10,001 columns': [
    forged(
      0,
      Array.from({ length: 10_001 }, (_, index) => column({ name: `x${index}` })),
    ),
    /has 10001 columns, and at most 10000 are read/,
  ],
  'has two columns of one name': [forged(0, [column({}), column({})]), /two columns named x/],
  'has a column of no known type': [forged(0, [column({ type: 8 })]), /column x has no type that is known/],
  'has records that never end': [forged(0, [column({})], [...deep, column({})]), /its schema .* is too deep/],
  'has children that are not there': [
    forged(0, [column({})], [{ name: 'x', children: 3 }]),
    /columns that are not there/,
  ],
  'has billions of rows in a run': [
    forged(2 ** 31, [column({})]),
    /has 2147483648 rows with 2147483648 values, .* write smaller row groups/,
  ],
  'has a column without pages': [forged(3, [column({})]), /says 3 values, and its pages have 0/],
  'has a page with more values than rows': [
    forged(3, [column({ pages: [page({ values: 4 }, plain(1, 2, 3, 4))] })]),
    /says 3 values, and its pages have more/,
  ],
  'has fewer values than rows': [
    forged(3, [column({ values: 2, pages: [page({ values: 2 }, plain(1, 2))] })]),
    /column x has 2 values, and there are 3 rows/,
  ],
  'has a page without its last value': [
    forged(3, [column({ pages: [page({ values: 3 }, plain(1, 2))] })]),
    /a page ends before its last value/,
  ],
  'has a place that is not in the dictionary': [forged(3, [byDictionary(0, 2, 1)]), /number 2 of a dictionary of 2/],
  'has a dictionary longer than its page': [
    forged(3, [column({ pages: [page({ type: 2, values: 1_000_000 }, plain(1))] })]),
    /a dictionary of 1000000 values has 4 bytes/,
  ],
  'needs a dictionary that is not there': [
    forged(3, [column({ pages: [page({ values: 3, encoding: 8 }, [1, 6, 0])] })]),
    /needs a dictionary, and there is none/,
  ],
  'has an encoding that is not known': [
    forged(3, [column({ pages: [page({ values: 3, encoding: 77 }, plain(1, 2, 3))] })]),
    /its encoding 77 is not read for int32/,
  ],
  'says that texts are numbers': [
    forged(3, [column({ type: 6, pages: [page({ values: 3, encoding: 5 }, plain(1, 2, 3))] })]),
    /its encoding 5 is not read for bytes/,
  ],
  'has an inflated page of gigabytes': [
    forged(3, [column({ codec: 1, pages: [page({ values: 3, inflated: 2 ** 31 - 1 }, plain(1))] })]),
    /says an inflated page of 2147483647/,
  ],
  'inflates to more than it says (gzip)': [forged(3, [compressed(2, gzipSync(bomb))]), /cannot be inflated \(gzip\)/],
  'inflates to more than it says (Brotli)': [
    forged(3, [compressed(4, brotliCompressSync(bomb))]),
    /inflated \(Brotli\)/,
  ],
  'inflates to more than it says (Zstandard)': [forged(3, [compressed(6, zstdCompressSync(bomb))]), /\(Zstandard\)/],
  'inflates to more than it says (Snappy)': [
    forged(3, [compressed(1, Uint8Array.of(12, 0, 65, 0xfe, 1, 0))]),
    /a copy reaches out of its page/,
  ],
  'says two sizes of a page (Snappy)': [
    forged(3, [compressed(1, Uint8Array.of(13, 0, 65))]),
    /says 13 bytes, and its page 12/,
  ],
  'inflates to less than it says (Snappy)': [
    forged(3, [compressed(1, Uint8Array.of(12, 0, 65))]),
    /ends before its page/,
  ],
  'inflates to more than it says (LZ4)': [
    forged(3, [compressed(7, Uint8Array.of(0x1f, 65, 1, 0, 255, 255, 0))]),
    /a copy reaches out of its page/,
  ],
  'has a page of another length than it says': [
    forged(3, [column({ pages: [page({ values: 3, inflated: 13 }, plain(1, 2, 3))] })]),
    /a page of 13 bytes has 12/,
  ],
  'copies bytes from before the page (Snappy)': [
    forged(3, [compressed(1, Uint8Array.of(12, 0, 65, 0x1d, 5))]),
    /a copy reaches out of its page/,
  ],
  'copies what it has not written (Snappy)': [
    forged(3, [compressed(1, Uint8Array.of(12, 0, 65, 0x1d, 0))]),
    /a copy reaches out of its page/,
  ],
  'has a text that is longer than its page': [
    forged(1, [column({ type: 6, pages: [page({ values: 1 }, [200, 0, 0, 0, 65])] })]),
    /a page ends before its last value/,
  ],
  'has a text that shares more than there is': [
    forged(1, [column({ type: 6, pages: [page({ values: 1, encoding: 7 }, [...deltasOf(5), ...deltasOf(1), 65])] })]),
    /a text shares more than the one before it has/,
  ],
  'has levels that are packed in the old way': [
    forged(1, [column({ repetition: 1, pages: [page({ values: 1, levels: 4 }, [2, 0, 0, 0, 2, 1, ...plain(7)])] })]),
    /levels are packed in a way that is out of use/,
  ],
  'has lists in fewer rows than there are': [
    forged(2, [
      column({ repetition: 2, pages: [page({ values: 2 }, [2, 0, 0, 0, 3, 2, 2, 0, 0, 0, 4, 1, ...plain(7, 8)])] }),
    ]),
    /has 1 rows, and its row group 2/,
  ],
  'has columns that belong to nothing': [
    forged(0, [column({})], [column({}), column({ name: 'y' })]),
    /columns that belong to nothing/,
  ],
  'is compressed in a way that nobody uses': [
    forged(3, [compressed(3, bomb.subarray(0, 9))]),
    /\(LZO\) is not read; write/,
  ],
  'is compressed as LZ4 in the older framing': [forged(3, [compressed(5, bomb.subarray(0, 9))]), /LZ4_RAW/],
  'goes on with a list that never began': [
    forged(1, [
      column({ repetition: 2, pages: [page({ values: 1 }, [2, 0, 0, 0, 2, 1, 2, 0, 0, 0, 2, 1, ...plain(7)])] }),
    ]),
    /a list goes on before it begins/,
  ],
  'has a list in more rows than there are': [
    forged(1, [
      column({
        repetition: 2,
        values: 2,
        pages: [page({ values: 2 }, [2, 0, 0, 0, 4, 0, 2, 0, 0, 0, 4, 1, ...plain(7, 8)])],
      }),
    ]),
    /more rows than its row group/,
  ],
  'has levels longer than their page': [
    forged(1, [column({ repetition: 1, pages: [page({ values: 1 }, [200, 0, 0, 0, 2, 1, ...plain(7)])] })]),
    /a length of levels of 200/,
  ],
  'has levels that end too early': [
    forged(3, [column({ repetition: 1, pages: [page({ values: 3 }, [2, 0, 0, 0, 4, 1, ...plain(7, 8, 9)])] })]),
    /levels or places in a dictionary end too early/,
  ],
};

test.each(Object.entries(files))(
  'refuses a file that %s, and says which one it is and what to do',
  async (_, [file, says]) => {
    const refusal = await refusalOf(file);

    expect(refusal).toMatch(says);
    expect(refusal).toMatch(/^data\/x\.parquet.* cannot be read: /);
    expect(refusal).toMatch(/Write the object again, or leave it out of the dataset$/);
  },
);

test('refuses an object that has become shorter since it was listed', async () => {
  expect(await refusalOf(whole, whole.length + 100)).toMatch(/and fewer came/);
});

test('refuses an object of which a part does not come', async () => {
  const file = forged(1, [column({ pages: [page({ values: 1 }, plain(1))] })]);
  let reads = 0;
  const read = async (from: number, length: number) => file.slice(from, from + (reads++ === 0 ? length : 3));

  await expect(record({ key: 'x', bytes: file.length, read })).rejects.toThrow(/bytes were asked for at 4, and 3 came/);
});

test('refuses a place in a file that has fewer row groups by now, and one that it never gave', async () => {
  for (const from of [{ rowGroup: 1 }, { rowGroup: -1 }, { rowGroup: 'x' }, {}])
    await expect(record(sourceOf('x', whole), { from, atMostBytes: 1 })).rejects.toThrow(
      /read it again from its beginning/,
    );
});

test('errors of whoever has the bytes go through as they are', async () => {
  const gone = new Fault('notFound', 'x is gone');
  const object = { key: 'x', bytes: whole.length, read: () => Promise.reject(gone) };

  await expect(record(object)).rejects.toBe(gone);
});

const names = [
  'types',
  'types-v2',
  'types-lz4',
  'encodings-v1',
  'encodings-v2',
  'nested',
  'nested-v2',
  'times',
  'decimals',
];
const originals = names.map(fixture);
const damage = fc.record({
  file: fc.constantFrom(...originals),
  flips: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { maxLength: 6 }),
  cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 4 }),
});

test('no damage to a file ends in anything but a part or a refusal', async () => {
  await fc.assert(
    fc.asyncProperty(damage, async ({ file, flips, cut }) => {
      const bytes = Uint8Array.from(file);
      for (const [at, value] of flips) bytes[Math.floor(at * bytes.length)] = value;
      // A cut in the middle keeps the footer, so that more than the last eight bytes are read.
      const from = cut === null ? bytes.length : Math.floor(cut * bytes.length);
      const kept = Uint8Array.from([...bytes.subarray(0, from), ...bytes.subarray(from + (cut === null ? 0 : 7))]);

      expect(await refusalOf(kept)).toMatch(/^(read$|data\/x\.parquet)/);
    }),
    { numRuns: 400 },
  );
});

test('any bytes between the right beginning and end are read or refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      expect(await refusalOf(ended([], [...bytes]))).toMatch(/^(read$|data\/x\.parquet)/);
    }),
    { numRuns: 1000 },
  );
});
