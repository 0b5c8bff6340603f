import { gzipSync } from 'node:zlib';
import { countRows } from '@serin/core/drift/cells';
import { freeze } from '@serin/core/drift/freeze';
import type { ColumnProfile, DatasetProfile } from '@serin/core/drift/profile';
import type { ObjectSource, Place } from '@serin/core/drift/profiler';
import type { Reference, ReferenceColumn, WindowCounts } from '@serin/core/drift/reference';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeStates, profiler } from './profiler.ts';
import { asGiven, objectOf } from './testing.ts';

/** The state of a dataset, read in parts of a size. */
async function stateOf(objects: readonly ObjectSource[], atMostBytes = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
  let state: Uint8Array | undefined;
  for (const object of objects) {
    let from: Place | undefined;
    do {
      const part = await profiler.profile(object, {
        ...(state !== undefined && { state: asGiven(state) }),
        ...(from !== undefined && { from }),
        atMostBytes,
      });
      [state, from] = [part.state, part.next];
    } while (from !== undefined);
  }
  return state ?? new Uint8Array(0);
}
const profileOf = async (objects: readonly ObjectSource[], atMostBytes?: number) =>
  profiler.finish(asGiven(await stateOf(objects, atMostBytes)));
const csv = (text: string) => objectOf('a.csv', text);

const column = (profile: DatasetProfile, name: string): ColumnProfile => {
  const found = profile.columns.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no column ${name}`);
  return found;
};

/** Equal, but for the last digits of means and deviations. */
function expectSame(one: DatasetProfile, other: DatasetProfile): void {
  const exact = (profile: DatasetProfile) =>
    JSON.parse(
      JSON.stringify(profile, (key, value) => (key === 'numbers' ? { ...value, mean: 0, deviation: 0 } : value)),
    );
  expect(exact(one)).toEqual(exact(other));
  for (const [at, { numbers }] of one.columns.entries()) {
    if (numbers === undefined) continue;
    // The smallest double has no digits to round.
    const largest = Math.max(Math.abs(numbers.min), Math.abs(numbers.max));
    const tolerance = 1e-12 * largest + Number.MIN_VALUE;
    const { mean = 0, deviation = 0 } = other.columns[at]?.numbers ?? {};
    expect(Math.abs(numbers.mean - mean)).toBeLessThanOrEqual(tolerance);
    // The squares of larger ones are no doubles any more, or just so: that depends on how they are put together.
    if (largest < 1e150) expect(Math.abs(numbers.deviation - deviation)).toBeLessThanOrEqual(tolerance);
  }
}

test('a profile says of each column what came in it', async () => {
  const text = 'n,b,t,s\n1,true,2026-01-02,x\n2.5,FALSE,2026-01-01,\n,,,""\nnan,1,x,äö\ninf,-inf,,x\n-0,,,\n';

  const profile = await profileOf([csv(text)]);

  expect(profile).toMatchObject({
    version: 1,
    objects: 1,
    passedOver: 0,
    bytes: text.length + 2,
    rows: 6,
    badRows: { rows: 0 },
  });
  expect(column(profile, 'n')).toMatchObject({
    rows: 6,
    missing: 1,
    nan: 1,
    plusInfinity: 1,
    minusInfinity: 0,
    types: { boolean: 0, integer: 2, decimal: 3, timestamp: 0, text: 0, nested: 0 },
    numbers: { count: 3, min: 0, max: 2.5, mean: 3.5 / 3 },
    distinct: 4,
    distinctIsExact: true,
    singletons: 4,
    frequent: [
      ['0', 1],
      ['1', 1],
      ['2.5', 1],
      ['Infinity', 1],
    ],
  });
  expect(column(profile, 'b')).toMatchObject({
    missing: 2,
    minusInfinity: 1,
    distinct: 4,
    types: { boolean: 2, integer: 1, decimal: 1 },
  });
  expect(column(profile, 't')).toMatchObject({
    missing: 3,
    types: { timestamp: 2, text: 1 },
    times: { first: Date.UTC(2026, 0, 1), last: Date.UTC(2026, 0, 2) },
    lengths: { shortest: 1, longest: 1, mean: 1 },
  });
  expect(column(profile, 's')).toMatchObject({
    missing: 2,
    empty: 1,
    types: { text: 4 },
    distinct: 2,
    singletons: 1,
    lengths: { shortest: 1, longest: 2, mean: 4 / 3 },
    frequent: [
      ['x', 2],
      ['äö', 1],
    ],
  });
  expect(column(profile, 's').numbers).toBeUndefined();
});

test('a column of numbers, times, words and infinities counts each as it came, in whatever order', async () => {
  const fields = [
    '1',
    'true',
    '1',
    '2026-01-01',
    'x',
    '2',
    'inf',
    '1',
    'true',
    '2',
    '-inf',
    'x',
    '2026-01-01',
    '1',
    'inf',
  ];

  const { columns } = await profileOf([csv(`a,b\n${fields.map((field) => `${field},7\n`).join('')}`)]);

  expect(columns[0]).toMatchObject({
    distinct: 7,
    plusInfinity: 2,
    minusInfinity: 1,
    numbers: { count: 6, min: 1, max: 2 },
    frequent: [
      ['1', 4],
      ['2', 2],
      ['2026-01-01T00:00:00.000Z', 2],
      ['Infinity', 2],
      ['true', 2],
      ['x', 2],
      ['-Infinity', 1],
    ],
  });
  expect(columns[1]).toMatchObject({ distinct: 1, frequent: [['7', 15]] });
});

test('quantiles begin with the minimum, end with the maximum, and are values that came', async () => {
  const profile = await profileOf([csv(`x\n${Array.from({ length: 3000 }, (_, i) => i).join('\n')}`)]);

  const { quantiles, deviation } = column(profile, 'x').numbers ?? { quantiles: [], deviation: 0 };
  expect(quantiles).toHaveLength(257);
  expect([quantiles[0], quantiles.at(-1)]).toEqual([0, 2999]);
  expect(quantiles.every((value, at) => Number.isInteger(value) && value >= (quantiles[at - 1] ?? 0))).toBe(true);
  expect(deviation).toBeCloseTo(Math.sqrt((3000 ** 2 - 1) / 12), 6);
});

test('a column of ids has as many different values as rows at most', async () => {
  for (const seed of [0, 1, 2]) {
    const profile = await profileOf([csv(`x\n${Array.from({ length: 3000 }, (_, i) => `id${seed}-${i}`).join('\n')}`)]);
    expect(column(profile, 'x').distinct).toBeLessThanOrEqual(3000);
    expect(column(profile, 'x').distinct).toBeGreaterThan(2850);
  }
});

test('a column that not all objects have counts the rows of those that have it; a key that a row lacks is missing', async () => {
  const objects = [
    csv('a,b\n1,2\n'),
    objectOf('b.csv', 'b\n1\n2\n'),
    objectOf('c.ndjson', '{"c":1}\n{"a":1}\n{}\n'),
    objectOf('d.txt', 'whatever'),
  ];

  for (const atMostBytes of [1, 1000]) {
    const profile = await profileOf(objects, atMostBytes);
    expect(profile).toMatchObject({ objects: 3, passedOver: 1, rows: 6 });
    expect(profile.columns.map(({ name, rows, missing }) => [name, rows, missing])).toEqual([
      ['a', 4, 2],
      ['b', 3, 0],
      ['c', 3, 2],
    ]);
  }
});

const cell = fc.oneof(
  fc.integer({ min: -3, max: 3 }).map(String),
  fc.double({ noNaN: true }).map(String),
  fc.constantFrom('', '""', 'x', 'true', 'nan', '2026-01-01', '"a\nb"', 'ü', '1,5"', '-inf'),
);
const rowsOf = (columns: number) =>
  fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { maxLength: 60 });
const written = (rows: readonly (readonly string[])[]) => `a,b,c\n${rows.map((row) => row.join(',')).join('\n')}`;

test('a dataset has one profile, however its objects are cut into parts, and merged states are those of the whole', async () => {
  await fc.assert(
    fc.asyncProperty(rowsOf(3), rowsOf(3), fc.integer({ min: 1, max: 300 }), async (one, other, atMostBytes) => {
      const objects = [csv(written(one)), objectOf('b.csv', written(other))];
      const whole = await profileOf(objects);

      expectSame(await profileOf(objects, atMostBytes), whole);
      const [first, second] = await Promise.all(objects.map((object) => stateOf([object], atMostBytes)));
      const merged = profiler.finish(mergeStates(first ?? new Uint8Array(0), second ?? new Uint8Array(0)));
      expectSame(merged, whole);
      expect(await stateOf(objects, atMostBytes)).toEqual(await stateOf(objects, atMostBytes));
    }),
    { numRuns: 60 },
  );
});

test('the values of a key are sampled as the rows are, in whatever parts and formats they are read', async () => {
  const keys = ['a', '7', '', 'a', '2026-01-02', 'true', 'nan', 'b'];
  const text = `k,n\n${keys.map((key, index) => `${key},${index}`).join('\n')}`;
  const lines = keys.map((key, n) => JSON.stringify(key === '' ? { n } : { n, k: key === '7' ? 7 : key })).join('\n');
  const of = async (object: ObjectSource, atMostBytes: number, key?: string) => {
    let part = await profiler.profile(object, { atMostBytes, ...(key !== undefined && { key }) });
    for (let from = part.next; from !== undefined; from = part.next)
      part = await profiler.profile(object, {
        state: part.state,
        from,
        atMostBytes,
        ...(key !== undefined && { key }),
      });
    return profiler.finish(part.state);
  };

  const whole = await of(csv(text), 1e6, 'k');

  expect(whole.keySample?.rows.map(([, count]) => count).toSorted()).toEqual([1, 1, 1, 1, 2]);
  expect((await of(csv(text), 4, 'k')).keySample).toEqual(whole.keySample);
  expect((await of(objectOf('a.ndjson', lines), 4, 'k')).keySample).toEqual(whole.keySample);
  const { keySample: _, ...rest } = whole;
  expect(await of(csv(text), 1e6)).toEqual(rest);
  expect((await of(csv(text), 1e6, 'n')).keySample?.rows).toHaveLength(8);
});

test('a profile is plain JSON: no NaN, no infinity, the counts of a column are those of its rows', async () => {
  await fc.assert(
    fc.asyncProperty(rowsOf(3), async (rows) => {
      const profile = await profileOf([csv(written(rows))]);

      expect(JSON.parse(JSON.stringify(profile))).toEqual(profile);
      expect(JSON.stringify(profile)).not.toContain('null');
      for (const { rows, missing, types } of profile.columns)
        expect(missing + Object.values(types).reduce((sum, count) => sum + count, 0)).toBe(rows);
    }),
    { numRuns: 60 },
  );
});

test('a zero has no sign in a profile', async () => {
  const profile = await profileOf([objectOf('a.ndjson', '{"a":-0}\n{"a":-0.0}')]);

  expect(column(profile, 'a')).toMatchObject({ distinct: 1, frequent: [['0', 2]] });
  expect(JSON.parse(JSON.stringify(profile))).toEqual(profile);
});

test('the same rows are the same in CSV, NDJSON and gzip, in whatever order their columns are', async () => {
  const rows = Array.from({ length: 500 }, (_, i) => ({
    i,
    x: i / 7,
    s: i % 3 === 0 ? null : `s${i % 5}`,
    ok: i % 2 === 0,
  }));
  const text = ['ok,s,x,i', ...rows.map(({ i, x, s, ok }) => [ok, s, x, i].join(','))].join('\n');
  const lines = rows.map((row) => JSON.stringify(row)).join('\n');

  const profiles = await Promise.all(
    [csv(text), objectOf('a.csv.gz', gzipSync(text)), objectOf('a.ndjson', lines)].map((object) => profileOf([object])),
  );

  const [first, ...others] = profiles.map(({ rowSample, columns }) => ({
    rowSample,
    columns: columns
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map(({ types, numbers, ...rest }) => rest),
  }));
  for (const other of others) expect(other).toEqual(first);
  expect(first?.rowSample.rows).toHaveLength(500);
});

test('a row that came twice is in the sample twice, and one that differs in a nested value is another', async () => {
  const profile = await profileOf([objectOf('a.ndjson', '{"a":[1]}\n{"a":[2]}\n{"a":[1]}')]);

  expect(profile.rowSample.rows.map(([, count]) => count).toSorted()).toEqual([1, 2]);
});

test.each([
  ['a.csv', 's\nG\xf6\nG\xfc\nGo\n'],
  ['a.ndjson', '{"s":"G\xf6"}\n{"s":"G\xfc"}\n{"s":"Go"}\n'],
])('a row of %s that is not UTF-8 is bad, and says so: two letters would be one', async (key, text) => {
  const object = objectOf(key, Uint8Array.from(Buffer.from(text, 'latin1')));
  const profile = await profileOf([object]);

  expect(profile).toMatchObject({ rows: 1, badRows: { rows: 2 } });
  expect(profile.badRows.first).toMatch(/^a\.\w+:\d \(not UTF-8: save the file as UTF-8\)$/);
  expect(column(profile, 's').frequent).toEqual([['Go', 1]]);
  const { state } = await profiler.count(object, {
    reference: referenceOf([{ name: 's', kind: 'category', values: ['Go'] }]),
    atMostBytes: 99,
  });
  expect(state).toMatchObject({ rows: 1, columns: [{ cells: [1, 0, 0] }] });
});

test('a header that is not UTF-8 names no columns', async () => {
  const object = objectOf('a.csv', Uint8Array.from(Buffer.from('Gr\xf6\xdfe,n\n1,2\n', 'latin1')));

  await expect(profileOf([object])).rejects.toThrow('a.csv:1: the header is not UTF-8; save the file as UTF-8');
});

test('letters beyond ASCII, and a replacement character that is in the file, are text', async () => {
  const [csvProfile, ndjsonProfile] = [
    await profileOf([objectOf('a.csv', 's\nGö\n"G\ufffd"\n')]),
    await profileOf([objectOf('a.ndjson', '{"s":"Gö"}\n{"s":"G\ufffd"}\n')]),
  ];

  for (const profile of [csvProfile, ndjsonProfile])
    expect(
      column(profile, 's')
        .frequent.map(([value]) => value)
        .toSorted(),
    ).toEqual(['Gö', 'G\ufffd']);
});

test('a state of another version is refused, and so is one that breaks off', async () => {
  const state = await stateOf([csv('a\n1\n')]);

  expect(() => profiler.finish(Uint8Array.of(99, ...state.slice(1)))).toThrow('has version 99');
  expect(() => profiler.finish(state.slice(0, -3))).toThrow('breaks off');
});

test('more than 10,000 columns, and names that are too long, are refused', async () => {
  const keys = Array.from({ length: 11_000 }, (_, i) => `{"k${i}":1}`).join('\n');
  await expect(stateOf([objectOf('a.ndjson', keys)])).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('10,000 columns'),
  });
  await expect(stateOf([csv(`${'x'.repeat(1001)}\n1`)])).rejects.toMatchObject({ code: 'invalid' });
});

const referenceOf = (columns: readonly Partial<ReferenceColumn>[]): Reference => ({
  version: 1,
  dataset: 'd',
  rows: 0,
  columns: columns.map((given) => ({
    name: 'x',
    kind: 'plain',
    rows: 0,
    missing: 0,
    mistyped: 0,
    outside: 0,
    cells: [],
    ...given,
  })),
});

const edge = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
const jsonValue = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    'true',
    'x',
    'y',
    'zz',
    '',
    '1',
    '1.0',
    '-0',
    'inf',
    'NaN',
    ' 2 ',
    '1,5',
    '٣',
    [1],
    { a: 1 },
  ),
  fc.constantFrom('x'.repeat(200), 'é'.repeat(129), 0),
  fc.constantFrom(
    ...['2026-01-31', '2026-01-31 01:00+01:00', '2026-01-31t00:00:00.0009Z', '2026-01-31T00:00-0000'],
    ...['2026-02-29', '2026-01-31T24:00', '2026-01-31T00:00+19', '2026-01-31x', ' 2026-01-31', '0026-01-31'],
    ...['2026-01-31T00', '2026-01-31T00:00:60', '2026-01-31T00:00+01:', `2026-01-31T00:00:00.${'0'.repeat(16)}`],
  ),
  edge,
  fc.string({ maxLength: 4 }),
);

test('a value is counted in the cell that core finds for it', async () => {
  const rows = fc.array(fc.record({ n: jsonValue, c: jsonValue, p: jsonValue }, { requiredKeys: [] }), {
    maxLength: 30,
  });
  const edges = fc
    .uniqueArray(
      edge.map((value) => value + 0),
      { maxLength: 255 },
    )
    .map((all) => all.toSorted((a, b) => a - b));
  const values = fc.uniqueArray(
    fc.constantFrom(
      ...['x', 'true', '1', '2', 'zz', 'Infinity', '0', 'x'.repeat(128), 'é'.repeat(128), '0026-01-31T00:00:00.000Z'],
      ...['2026-01-31T00:00:00.000Z', '2026-02-29', '2026-01-31T24:00', '2026-01-31T00:00+19', '2026-01-31x'],
    ),
  );

  await fc.assert(
    fc.asyncProperty(rows, edges, values, fc.boolean(), async (given, edges, values, isWhole) => {
      const reference = referenceOf([
        { name: 'n', kind: 'number', edges, numbers: { min: -2, max: 3, mean: 0, deviation: 1 } },
        { name: 'c', kind: 'category', values, isWhole },
        { name: 'p', kind: 'plain' },
      ]);
      const object = objectOf('a.ndjson', given.map((row) => JSON.stringify(row)).join('\n'));

      const counted = await countAll(object, reference, 40);

      expect(counted).toEqual(countRows(reference, given, ['n', 'c', 'p']));
    }),
    { numRuns: 300 },
  );
});

test('a day is the same category in a dataset and in a request', async () => {
  const days = ['2026-01-31', '2026-02-01T12:30:00+01:00'];
  const object = csv(`day\n${days.join('\n')}\n`);
  const reference = freeze(await profileOf([object]), { dataset: 'd', columns: { day: 'category' } });

  const live = countRows(
    reference,
    days.map((day) => ({ day })),
    ['day'],
  );

  expect(live).toEqual(await countAll(object, reference, 1000));
  expect(live.columns[0]?.cells).toEqual([1, 1, 0, 0]);
});

async function countAll(object: ObjectSource, reference: Reference, atMostBytes: number): Promise<WindowCounts> {
  let [state, from]: [WindowCounts | undefined, Place | undefined] = [undefined, undefined];
  do {
    const part: Awaited<ReturnType<typeof profiler.count>> = await profiler.count(object, {
      reference,
      atMostBytes,
      ...(state !== undefined && { state }),
      ...(from !== undefined && { from }),
    });
    [state, from] = [part.state, part.next];
  } while (from !== undefined);
  return state;
}

test('many numbers at once are counted as they are one by one, on as many edges as there may be', async () => {
  const edges = Array.from({ length: 255 }, (_, at) => at);
  const reference = referenceOf([
    { name: 'x', kind: 'number', edges, numbers: { min: 0, max: 254, mean: 0, deviation: 1 } },
  ]);
  const values = Array.from({ length: 5000 }, (_, at) => ((at * 37) % 2600) / 10 - 2);

  const counted = await countAll(csv(`x,other\n${values.map((value) => `${value},1`).join('\n')}`), reference, 1e6);

  expect(counted).toEqual(
    countRows(
      reference,
      values.map((x) => ({ x })),
      ['x'],
    ),
  );
  expect(counted.columns[0]?.cells.reduce((sum, count) => sum + count, 0)).toBe(5000);
});

test('an object that lacks a column is not counted for it, and one that is not read changes nothing', async () => {
  const reference = referenceOf([{ name: 'a', kind: 'number', edges: [] }, { name: 'b' }]);

  const counted = await countAll(csv('b\n1\n'), reference, 99);

  expect(counted).toMatchObject({ rows: 1, columns: [{ rows: 0 }, { rows: 1, missing: 0 }] });
  expect((await profiler.count(objectOf('a.txt', 'x'), { reference, state: counted, atMostBytes: 9 })).state).toEqual(
    counted,
  );
  expect([profiler.reads('x/a.CSV.gz'), profiler.reads('a.jsonl'), profiler.reads('a.txt')]).toEqual([
    true,
    true,
    false,
  ]);
});
