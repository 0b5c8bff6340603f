import type { Json } from '@serin/core/base/json';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeAnswer, decodeRequest } from './payloads.ts';

const fields = ['size', 'colour', 'price'];
const json = 'application/json';
const decode = (body: unknown, type = json) =>
  decodeRequest(typeof body === 'string' ? body : JSON.stringify(body), type, fields);

const two = {
  rows: [
    { size: 3, colour: 'red', price: 0.5 },
    { size: 4, colour: 'blue', price: null },
  ],
};
const lists = [
  [3, 'red', 0.5],
  [4, 'blue', null],
];
const tensor = (name: string, datatype: string, data: readonly unknown[], shape = [data.length]) => ({
  ...{ name, datatype, shape, data },
});

describe('the two rows of a request are found', () => {
  test.each([
    ['CSV', '3,red,.5\n4,blue,\n', 'text/csv'],
    [
      'CSV of Windows, with quotes and blank lines',
      '\ufeff"3","red",5e-1\r\n\r\n 4 ,"blue",NaN',
      'Text/CSV; charset=utf-8',
    ],
    ['CSV with a header in another order, and more', 'id,price,colour,size\n1,0.5,red,3\n2,,blue,4', 'text/csv'],
    ['CSV that nobody named', '3,red,0.5\n4,blue,', ''],
    ['a list of lists', lists, json],
    ['a list of objects', [...two.rows], json],
    ['JSON Lines of objects', two.rows.map((row) => JSON.stringify(row)).join('\n'), 'application/jsonlines'],
    ['JSON Lines of lists', `${lists.map((row) => JSON.stringify(row)).join('\r\n')}\n`, 'application/x-ndjson'],
    ['instances', { instances: lists, parameters: { size: 1 } }, json],
    ['instances by name', { instances: two.rows }, json],
    ['records', { dataframe_records: two.rows }, json],
    [
      'a split frame',
      { dataframe_split: { columns: ['x', ...fields], index: [0, 1], data: lists.map((it) => [1, ...it]) } },
      json,
    ],
    ['a split frame without a name', { columns: fields, data: lists }, json],
    ['input_data', { input_data: { columns: fields, index: [7, 8], data: lists } }, json],
    ['data', { data: lists }, json],
    ['inputs as rows', { inputs: two.rows }, json],
    [
      'inputs as columns',
      { inputs: { size: [3, 4], colour: [['red'], ['blue']], price: [0.5, null], x: [1, 2] } },
      json,
    ],
    [
      'a tensor for each feature',
      {
        id: 'a',
        inputs: [
          tensor('colour', 'BYTES', ['red', 'blue']),
          tensor('size', 'INT64', [[3], [4]], [2, 1]),
          tensor('price', 'FP64', [0.5, null]),
          tensor('image', 'FP64', [1, 2, 3, 4], [2, 2]),
        ],
      },
      json,
    ],
    ['one tensor of all features, nested', { inputs: [tensor('x', 'FP64', lists, [2, 3])] }, json],
    ['one tensor of all features, flat', { inputs: [tensor('x', 'FP64', lists.flat(), [2, 3])] }, json],
  ])('in %s', (_, body, type) => {
    expect(decode(body, type)).toEqual(two);
    expect(
      decodeRequest(new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)), type, fields),
    ).toEqual(two);
  });
});

test.each([
  ['a list of values is one row', [3, 'red', 0.5], [{ size: 3, colour: 'red', price: 0.5 }]],
  ['an object is one row', { size: 3, id: 7 }, [{ size: 3 }]],
  ['an object with a field that has the name of a form is one row', { data: 1, size: 2 }, [{ size: 2 }]],
])('%s', (_, body, rows) => {
  expect(decode(body)).toEqual({ rows });
});

test.each([
  ['[1,2]', json],
  ['1\n2', 'text/csv'],
  ['{"instances":[1,2]}', json],
  ['{"inputs":[{"name":"size","shape":[2],"data":[1,2]}]}', json],
  ['{"inputs":[{"name":"x","shape":[2,1],"data":[[1],[2]]}]}', json],
])('with one field, a list of values is a row each: %s', (body, type) => {
  expect(decodeRequest(body, type, ['size'])).toEqual({ rows: [{ size: 1 }, { size: 2 }] });
});

test('a row keeps only scalars of the fields, and of a long text the beginning', () => {
  const long = '\u{1f600}'.repeat(300);

  expect(decode([{ size: [1], colour: long, price: { a: 1 }, secret: 's' }, [[1], true, { b: 2 }]])).toEqual({
    rows: [{ colour: '\u{1f600}'.repeat(256) }, { colour: true }],
  });
});

test('a line of CSV that has a name twice is no header', () => {
  expect(decode('colour,colour,colour\n1,2,3', 'text/csv')).toEqual({
    rows: [
      { size: 'colour', colour: 'colour', price: 'colour' },
      { size: 1, colour: 2, price: 3 },
    ],
  });
});

test('what JSON or UTF-8 cannot say again is replaced', () => {
  expect(decode('{"size":1e999,"colour":"\\ud800"}')).toEqual({ rows: [{ size: null, colour: '\ufffd' }] });
});

test('a field may have any name, and reaches no prototype', () => {
  const decoded = decodeRequest('{"__proto__":1,"constructor":{"a":1},"toString":"x"}', json, [
    '__proto__',
    'toString',
  ]);

  expect(decoded).toEqual({
    rows: [
      Object.fromEntries([
        ['__proto__', 1],
        ['toString', 'x'],
      ]),
    ],
  });
  expect(({} as { a?: number }).a).toBeUndefined();
});

test('of many rows the first 1,000 are read, with their answers', () => {
  const many = Array.from({ length: 1500 }, (_, index) => [index, 'red', 1]);
  const bodies = [
    [{ instances: many }, json],
    [many.map((row) => row.join()).join('\n'), 'text/csv'],
    [`size,colour,price\n${many.map((row) => row.join()).join('\n')}`, 'text/csv'],
    [many.map((row) => JSON.stringify(row)).join('\n'), json],
    [{ inputs: [tensor('x', 'FP64', many, [1500, 3])] }, json],
    [{ columns: fields, data: many }, json],
  ] as const;

  for (const [body, type] of bodies) {
    const decoded = decode(body, type);
    const rows = 'rows' in decoded ? decoded.rows : [];
    expect(rows.length).toBe(1000);
    expect(rows.at(-1)).toMatchObject({ size: 999 });
  }
  const answers = decodeAnswer(JSON.stringify({ predictions: many.map(([index]) => index) }), json, 1500);
  expect([answers.length, answers.at(-1)]).toEqual([1000, 999]);
});

test.each([
  ['', json, 'it is empty'],
  ['{"secret', json, 'it is neither JSON nor JSON Lines, and its content type is not text/csv'],
  ['"secret,"x"', 'text/csv', 'it is CSV with a quote that does not end, or with text behind one'],
  ['[]', json, 'it has no rows'],
  ['{"instances":[]}', json, 'it has no rows'],
  ['[[1,2],[3,4]]', json, 'a row has 2 values without names, and there are 3 fields'],
  ['1,2,3,secret', 'text/csv', 'a row has 4 values without names, and there are 3 fields'],
  ['size,colour\n1', 'text/csv', 'it has a row that is not as long as its columns'],
  ['{"text":"secret"}', json, 'no row has one of the fields'],
  ['null', json, 'a row has 1 values without names, and there are 3 fields'],
  ['{"dataframe_split":{"columns":["size"],"data":[[1,2]]}}', json, 'it has a row that is not as long as its columns'],
  ['{"inputs":{"size":[1],"price":[1,2]}}', json, 'its columns are not of one length'],
  [
    '{"inputs":[{"name":"size","shape":[1e9,1e9],"data":[1]}]}',
    json,
    'it has a tensor whose data is not as large as its shape',
  ],
  // Made as it says, it would take all memory of the process.
  [
    '{"inputs":[{"name":"size","shape":[1e9,1e-9],"data":[1]}]}',
    json,
    'it has a tensor whose data is not as large as its shape',
  ],
  [
    '{"inputs":[{"name":"size","shape":[1e9,0],"data":[]}]}',
    json,
    'it has a tensor whose data is not as large as its shape',
  ],
  [
    '{"inputs":[{"name":"size","shape":["secret"],"data":[1]}]}',
    json,
    'it has a tensor whose data is not as large as its shape',
  ],
  [`"${'x'.repeat(1024 * 1024)}"`, json, 'it has more than 1048576 bytes'],
])('a request is unread, with the reason and without its values: %s', (body, type, unread) => {
  expect(decode(body, type)).toEqual({ unread });
});

describe('the answers of a model', () => {
  test.each<[string, readonly Json[]]>([
    ['{"predictions":[0.2,0.7]}', [0.2, 0.7]],
    ['{"predictions":[[0.2],[0.7]]}', [0.2, 0.7]],
    [
      '{"predictions":[{"label":"a","p":[0.2,0.8]},{"label":"b","p":[1,0]}]}',
      [
        { label: 'a', p: [0.2, 0.8] },
        { label: 'b', p: [1, 0] },
      ],
    ],
    [
      '{"predictions":{"label":["a","b"],"score":[1,2]}}',
      [
        { label: 'a', score: 1 },
        { label: 'b', score: 2 },
      ],
    ],
    ['{"prediction":0.5,"pid":7}', [0.5]],
    ['{"prediction":["a","b"]}', ['a', 'b']],
    ['{"outputs":[{"name":"y","datatype":"FP64","shape":[2],"data":[0.2,0.7]}]}', [0.2, 0.7]],
    [
      '{"outputs":[{"name":"y","shape":[2,2],"data":[1,2,3,4]}]}',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      '{"outputs":[{"name":"a","shape":[2],"data":[1,2]},{"name":"b","shape":[2,1],"data":[3,4]}]}',
      [
        { a: 1, b: 3 },
        { a: 2, b: 4 },
      ],
    ],
    ['{"outputs":[{"name":"a","shape":[3],"data":[1,2]}]}', []],
    ['[0.2,0.7]', [0.2, 0.7]],
    ['{"score":0.5}', [{ score: 0.5 }]],
    ['{"score":0.5}\n{"score":0.7}', [{ score: 0.5 }, { score: 0.7 }]],
    ['0.5', [0.5]],
    ['"yes"', ['yes']],
    ['<html>', []],
    ['[[[[1]]]]', [[[null]]]],
  ])('%s', (body, answers) => {
    expect(decodeAnswer(body, json)).toEqual(answers);
  });

  test('stand one on a line of CSV', () => {
    expect(decodeAnswer('0.2\r\n0.7\r\n', 'text/csv; charset=utf-8')).toEqual([0.2, 0.7]);
    expect(decodeAnswer('a,0.2\nb,0.7', 'text/csv')).toEqual([
      ['a', 0.2],
      ['b', 0.7],
    ]);
  });

  test.each<[string, string, number, readonly Json[]]>([
    ['0.2,0.7', 'text/csv', 2, [0.2, 0.7]],
    ['0.2,0.7', 'text/csv', 1, [[0.2, 0.7]]],
    ['[0.2,0.7]', json, 1, [[0.2, 0.7]]],
    ['[0.2,0.7]', json, 2, [0.2, 0.7]],
    ['[0.2,0.7]', json, 3, []],
    ['{"predictions":[[0.2,0.7]]}', json, 1, [[0.2, 0.7]]],
  ])('belong to rows, or to nobody: %s', (body, type, rows, answers) => {
    expect(decodeAnswer(body, type, rows)).toEqual(answers);
  });
});

const scalar = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
/** As JSON has it. */
const folded = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('a table comes out as it went in, in every form of JSON', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 6 });
  const table = names.chain((columns) =>
    fc.tuple(fc.constant(columns), fc.array(fc.tuple(...columns.map(() => scalar)), { minLength: 1, maxLength: 5 })),
  );
  fc.assert(
    fc.property(table, ([columns, data]) => {
      const records = data.map((row) => Object.fromEntries(row.map((value, index) => [columns[index] ?? '', value])));
      const byColumn = Object.fromEntries(columns.map((name, index) => [name, data.map((row) => row[index])]));
      const tensors = Object.entries(byColumn).map(([name, list]) => tensor(name, 'BYTES', list));
      const forms = [
        data,
        { instances: data },
        { instances: records },
        { dataframe_records: records },
        { dataframe_split: { columns, data } },
        { inputs: data },
        { inputs: byColumn },
        { inputs: tensors },
        { inputs: [tensor('\0', 'BYTES', data, [data.length, columns.length])] },
      ];
      for (const form of forms)
        expect(decodeRequest(JSON.stringify(form), json, columns)).toEqual({ rows: folded(records) });
    }),
  );
});

test('texts come out of CSV as they went in, whatever is in them', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', ';') });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1 }), (rows) => {
      const csv = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join()).join('\n');

      expect(decode(csv, 'text/csv')).toEqual({
        rows: rows.map(([size, colour, price]) => ({ size, colour, price })),
      });
    }),
  );
});

test('lines of CSV say the same beside one with quotes as without it', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', ' ', '1', '.', '-', 'é', 'e') });
  const end = fc.constantFrom('\n', '\r\n', '\r', '\n\n', '\n \n');
  const row = fc.tuple(cell, cell, cell, end).map(([one, two, three, by]) => `${one},${two},${three}${by}`);
  fc.assert(
    fc.property(fc.array(row, { minLength: 1 }), (rows) => {
      const [plain, quoted] = [rows.join(''), `${rows.join('')}"","",""`].map((csv) => decode(csv, 'text/csv'));

      expect(quoted).toEqual({
        rows: [...('rows' in Object(plain) ? Object(plain).rows : []), { size: '', colour: '', price: '' }],
      });
    }),
  );
});

test('any bytes of any type are read or unread, never thrown, and leave nothing but the fields', () => {
  const types = fc.constantFrom(json, 'text/csv', 'text/plain', '', undefined, 'application/x-npy');
  const wrapped = fc
    .tuple(
      fc.constantFrom('instances', 'inputs', 'data', 'dataframe_split', 'columns', 'predictions', 'outputs'),
      fc.jsonValue(),
    )
    .map(([name, value]) => JSON.stringify({ [name]: value, data: value }));
  const bodies = fc.oneof(fc.uint8Array(), fc.string(), fc.json(), wrapped);
  fc.assert(
    fc.property(bodies, types, (body, type) => {
      const decoded = decodeRequest(body, type, fields);
      const rows = 'rows' in decoded ? decoded.rows : [];
      for (const row of rows)
        for (const [name, value] of Object.entries(row)) {
          expect(fields).toContain(name);
          expect(value === null || ['string', 'number', 'boolean'].includes(typeof value)).toBe(true);
        }
      const answers = decodeAnswer(body, type);
      expect(folded(answers)).toEqual(answers.map((answer) => folded(answer)));
    }),
  );
});

test.each([
  ['lists inside of lists', '['.repeat(500_000) + ']'.repeat(500_000)],
  ['objects inside of objects', '{"a":'.repeat(150_000) + 1 + '}'.repeat(150_000)],
  [
    'a tensor of lists inside of lists',
    `{"inputs":[{"name":"x","shape":[1],"data":${'['.repeat(400_000)}${']'.repeat(400_000)}}]}`,
  ],
  ['quotes that do not end', '""'.repeat(500_000)],
  ['blanks before a quote', `${' '.repeat(1_000_000)}"x`],
  ['a row of commas', ','.repeat(1_000_000)],
  ['lines of nothing', '\n'.repeat(1_000_000)],
  ['a million numbers', `[${'1,'.repeat(500_000)}1]`],
  ['numbers that are too large', `[${'1e999,'.repeat(2)}1e999]`],
])('hostile input is soon done with: %s', (_, body) => {
  for (const type of [json, 'text/csv']) {
    const decoded = decodeRequest(body, type, fields);

    expect('unread' in decoded || decoded.rows.length < 2).toBe(true);
    expect(decodeAnswer(body, type).length).toBeLessThanOrEqual(1000);
  }
});
