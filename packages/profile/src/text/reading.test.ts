import { gzipSync } from 'node:zlib';
import type { ObjectSource, Place } from '@serin/core/drift/profiler';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { piecesOf } from '../pieces.ts';
import { objectOf, recordingSink } from '../testing.ts';
import { readCsv } from './csv.ts';
import { CsvScanner } from './csv-scanner.ts';
import { readNdjson } from './ndjson.ts';
import { firstRow } from './read-rows.ts';

async function read(object: ObjectSource, atMostBytes = Number.POSITIVE_INFINITY) {
  const sink = recordingSink();
  const reader = object.key.includes('.csv') ? readCsv : readNdjson;
  let [from, parts]: [Place | undefined, number] = [undefined, 0];
  do {
    const { next } = await reader(object, { from, atMostBytes }, sink);
    from = next === undefined ? undefined : (JSON.parse(JSON.stringify(next)) as Place);
    parts += 1;
  } while (from !== undefined);
  return { rows: sink.rows, bad: sink.bad, parts };
}
const csv = (text: string | Uint8Array) => read(objectOf('a.csv', text));
const ndjson = (text: string | Uint8Array) => read(objectOf('a.ndjson', text));

/** The rows of a text that comes in pieces of a size, as texts. */
function scanned(bytes: Uint8Array, size: number) {
  const scanner = new CsvScanner('a.csv', firstRow);
  const rows: unknown[] = [];
  const take = () => {
    while (scanner.next()) {
      const { window, starts, ends, quotes } = scanner;
      const fields = Array.from({ length: scanner.count }, (_, at) => [
        new TextDecoder().decode(window.bytes.subarray(starts[at], ends[at])),
        quotes[at],
      ]);
      rows.push([window.where(), window.endAt, window.line, scanner.isOdd, fields]);
    }
  };
  for (let at = 0; at < bytes.length; at += size) {
    scanner.push(bytes.subarray(at, at + size));
    take();
  }
  scanner.close();
  take();
  return rows;
}

const odd = [
  'a,b\n1,2\n',
  'a,b\r\n1,2\r\n\r\n3,4',
  'a,b\n"x\ny","say ""hi"""\n"",\n,""',
  'a\n"x"\r\n"y"\n\n"z"\r',
  'a,b\nx"y,2\n"x"y,2\n"a""",b\n1,2,3\n1\n,\n',
  'a,b\n1,',
  'ä,ß\n"ü\r\n""ö""",€\n',
];

test.each(odd)('a CSV has the same rows wherever its pieces end: %j', (text) => {
  const bytes = new TextEncoder().encode(text);

  const whole = scanned(bytes, bytes.length);

  for (const size of [1, 2, 3, 7, 16]) expect(scanned(bytes, size)).toEqual(whole);
});

test('any CSV has the same rows wherever its pieces end, or the same fault', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '""', '\n', '\r\n', '\r', 'ß'), maxLength: 40 });
  const result = (bytes: Uint8Array, size: number) => {
    try {
      return scanned(bytes, size);
    } catch (error) {
      return String(error);
    }
  };

  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 9 }), (given, size) => {
      const bytes = new TextEncoder().encode(given);
      expect(result(bytes, size)).toEqual(result(bytes, 1000));
    }),
    { numRuns: 2000 },
  );
});

test('what was written as CSV is read back, also where it is cut into parts', async () => {
  const field = fc.string({ unit: fc.constantFrom('a', 'b', ',', '"', '\n', ';', 'é', ' '), maxLength: 6 });
  const written = fc.array(fc.tuple(field, field, field), { maxLength: 12 });

  await fc.assert(
    fc.asyncProperty(written, fc.integer({ min: 1, max: 60 }), async (rows, atMostBytes) => {
      const text = ['a,b,c', ...rows.map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(','))].join(
        '\n',
      );

      const parts = await read(objectOf('a.csv', text), atMostBytes);

      expect(parts.bad).toEqual([]);
      expect(parts.rows).toEqual(rows.map(([a, b, c]) => ({ a, b, c })));
    }),
  );
});

test('a CSV has types by field, a byte order mark is none of it, and empty lines are no rows', async () => {
  const { rows } = await csv('\ufeff"id",x,y\r\n\r\n1,2.0,true\r\n"2",,""\r\n3,2026-01-01,"a ""b"", c"\r\n');

  expect(rows).toEqual([
    { id: 1, x: '2.0', y: true },
    { id: 2, x: null, y: '' },
    { id: 3, x: new Date('2026-01-01'), y: 'a "b", c' },
  ]);
});

test('a row of another length than the header is bad, as is one with a quote inside a field; each is told by its line', async () => {
  const { rows, bad } = await csv('a,b\n1,2\n"x\n\ny",2\n3\n4,5,6\n5" pipe,7\n"5"x,7\n8,9\n');

  expect(rows).toEqual([
    { a: 1, b: 2 },
    { a: 'x\n\ny', b: 2 },
    { a: 8, b: 9 },
  ]);
  expect(bad).toEqual(['a.csv:6', 'a.csv:7', 'a.csv:8', 'a.csv:9']);
});

test('bad rows have the same places in a part that begins later', async () => {
  const object = objectOf('a.csv', 'a,b\n1,2\n"x\n\ny",2\n3\n4,5,6\n8,9\n');

  const parts = await read(object, 1);

  expect(parts).toEqual({ ...(await read(object)), parts: 6 });
});

test.each([
  ['a;b\n1;2,5\n', { a: 1, b: '2,5' }],
  ['"a";"b"\n"1";2\n', { a: 1, b: 2 }],
  ['a\tb\n1\t2\n', { a: 1, b: 2 }],
  ['a;b,c\n1;2,3\n', { 'a;b': '1;2', c: 3 }],
  ['a;b\tc\n1\n', { 'a;b\tc': 1 }],
  ['a\n1;2\n', { a: '1;2' }],
])('the delimiter is the comma, unless the header says clearly that it is another: %j', async (text, row) => {
  const { rows } = await read(objectOf('a.csv', text), 1);

  expect(rows).toEqual([row]);
});

test('a file with a header only, or with nothing at all, has no rows', async () => {
  for (const text of ['a,b', 'a,b\n', '', '\n\n', '\ufeff']) expect((await csv(text)).rows).toEqual([]);
});

test('an NDJSON file has its rows whatever the order of their keys; what is no object is bad', async () => {
  const text =
    '\ufeff{"a":1,"b":"x"}\r\n\n{"b":null,"a":2.5}\n[1]\n{"a":\n7\nnull\n{"a":[1],"b":{"c":1}}\n{"t":"2026-01-01T00:00:00Z","n":"5","__proto__":1}';

  const { rows, bad } = await ndjson(text);

  expect(rows.slice(0, 3)).toEqual([
    { a: 1, b: 'x' },
    { a: 2.5, b: null },
    { a: 'nested', b: 'nested' },
  ]);
  expect(rows[3]).toMatchObject({ t: new Date('2026-01-01'), n: 5 });
  expect(bad).toEqual(['a.ndjson:4', 'a.ndjson:5', 'a.ndjson:6', 'a.ndjson:7']);
});

test('an object that is nested a million times is a row like others', async () => {
  const { rows, bad } = await ndjson(`{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}\n{"a":1}`);

  expect([rows, bad]).toEqual([[{ a: 'nested' }, { a: 1 }], []]);
});

test('a file is read in parts of any size: each row once, each bad row once', async () => {
  const lines = Array.from({ length: 40 }, (_, i) => (i % 7 === 0 ? 'oops' : `{"i":${i}}`));
  const object = objectOf('a.jsonl', lines.join('\n'));
  const whole = await read(object);

  for (const atMostBytes of [1, 5, 17, 100]) {
    const { parts, ...rest } = await read(object, atMostBytes);
    expect(parts).toBeGreaterThan(2);
    expect({ ...rest, parts: 1 }).toEqual(whole);
  }
});

test('a gzip is one part with the rows of what is in it', async () => {
  const text = `a,b\n${Array.from({ length: 50_000 }, (_, i) => `${i},x${i}`).join('\n')}`;

  const packed = await read(objectOf('a.csv.gz', gzipSync(text)), 10);

  expect(packed).toEqual({ ...(await csv(text)), parts: 1 });
});

test('a part ends with the row that reaches its limit, and not one later', async () => {
  const object = objectOf('a.csv', 'a\n10\n20\n30\n');

  expect((await read(object, 5)).parts).toBe(2);
  expect((await read(object, 6)).parts).toBe(2);
  expect((await read(object, 2)).parts).toBe(4);
});

test('a byte order mark is known where a bucket gives one byte after another, as UTF-16 is', async () => {
  const byOne = (bytes: readonly number[]) => ({
    ...objectOf('a.csv', Uint8Array.from(bytes)),
    read: async (from: number) => Uint8Array.from(bytes.slice(from, from + 1)),
  });

  expect((await read(byOne([0xef, 0xbb, 0xbf, 0x61, 10, 0x31]))).rows).toEqual([{ a: 1 }]);
  await expect(read(byOne([0xff, 0xfe, 0x61, 0x62, 10]))).rejects.toMatchObject({ code: 'invalid' });
});

test('a row that is not UTF-8 is bad, and a letter is whole, where a bucket gives one byte after another', async () => {
  const bytes = [...Buffer.from('a,b\nG'), 0xfc, ...Buffer.from(',1\nGü,2\n')];
  const byOne = {
    ...objectOf('a.csv', Uint8Array.from(bytes)),
    read: async (from: number) => Uint8Array.from(bytes.slice(from, from + 1)),
  };

  expect(await read(byOne)).toMatchObject({
    rows: [{ a: 'Gü', b: 2 }],
    bad: ['a.csv:2 (not UTF-8: save the file as UTF-8)'],
  });
});

const many = (count: number, name: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => name(at)).join(',');

test.each([
  ['a.csv', 'a\n1\n"2,3\n', 'a.csv:3: a quote that is opened in this row is never closed; close it'],
  [
    'a.csv',
    `${many(1_000_000, String)}\n`,
    'a.csv:1: the header names 1000000 columns, and 10,000 are the most; leave some out',
  ],
  [
    'a.csv',
    `a\n${'x'.repeat(2 ** 20 + 1)}`,
    'a.csv:2: a field has more than 1 MB; look for a quote that is not closed, or leave the column out',
  ],
  [
    'a.csv',
    `a\n"${'x'.repeat(5 * 2 ** 20)}"`,
    'a.csv:2: a field has more than 1 MB; look for a quote that is not closed, or leave the column out',
  ],
  [
    'a.csv',
    `a\n${','.repeat(20 * 2 ** 20)}`,
    'a.csv:2: the row has more than 16 MB; look for a quote that is not closed, or leave columns out',
  ],
  [
    'a.ndjson',
    `{"a":"${'x'.repeat(20 * 2 ** 20)}"}`,
    'a.ndjson:1: the row has more than 16 MB; look for a quote that is not closed, or leave columns out',
  ],
  ['a.ndjson', `{"a":"${'x'.repeat(2 ** 20 + 1)}"}`, 'a.ndjson:1: a value has more than 1 MB; leave the column out'],
  [
    'a.csv',
    'secret,b,secret\n',
    'a.csv:1: the columns 1 and 3 have the same name; give each its own, in the first row',
  ],
  ['a.csv', 'a,b\r1,2\r3,4', 'a.csv:1: the lines end with CR only, or it is not a text; write lines that end with LF'],
  ['a.csv', 'a"b,c\n', 'a.csv:1: the header has a quote inside a name; quote whole names and double the quotes'],
  [
    'a.csv',
    Uint8Array.from([0xff, 0xfe, 0x61, 0, 0x2c, 0]),
    'a.csv is not UTF-8 but UTF-16, or not a text; save it as UTF-8',
  ],
  ['a.csv', Buffer.from('a,b\n1,2\n', 'utf16le'), 'a.csv is not UTF-8 but UTF-16, or not a text; save it as UTF-8'],
  ['a.ndjson', new Uint8Array(5_000_000), 'a.ndjson is not UTF-8 but UTF-16, or not a text; save it as UTF-8'],
  ['a.csv.gz', gzipSync('a\n1\n').subarray(0, 20), 'a.csv.gz breaks off as a gzip after'],
  ['a.csv.gz', 'a\n1\n', 'a.csv.gz breaks off as a gzip after 0 bytes, or is not one; write it again'],
])('%s that is hostile or broken is refused in words, without a value of it (%#)', async (key, content, message) => {
  const object = objectOf(key, content);

  await expect(read(object)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(message) });
});

test('a gzip that inflates to more than is read in one part is refused', async () => {
  const bomb = gzipSync(new Uint8Array(2 ** 24).fill(10));
  const object = objectOf('a.csv.gz', Buffer.concat(Array.from({ length: 33 }, () => bomb)));

  const drain = async () => {
    for await (const piece of piecesOf(object, 0)) expect(piece.length).toBeLessThan(2 ** 20);
  };

  await expect(drain()).rejects.toMatchObject({
    code: 'invalid',
    message: 'a.csv.gz inflates to more than 512 MB; write smaller files, or without gzip',
  });
});

test('a fault of the bucket comes through a gzip as it is', async () => {
  const object = { ...objectOf('a.csv.gz', 'x'), read: () => Promise.reject(new Error('the bucket is away')) };

  await expect(read(object)).rejects.toThrow('the bucket is away');
});
