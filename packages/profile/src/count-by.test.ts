import { readFileSync } from 'node:fs';
import { day, hour } from '@serin/core/base/time';
import type { Label } from '@serin/core/drift/by-label';
import { daysKept } from '@serin/core/drift/by-time';
import { countRows } from '@serin/core/drift/cells';
import { addDatasets, type CountedBy, type DatasetCounts } from '@serin/core/drift/dataset-counts';
import { timesOf } from '@serin/core/drift/drift.fixture';
import type { ObjectSource, Place } from '@serin/core/drift/profiler';
import type { Reference, ReferenceColumn } from '@serin/core/drift/reference';
import { expect, test } from 'vitest';
import { countingSink } from './count.ts';
import type { CountingSink } from './count-by.ts';
import { readParquet } from './parquet/read.ts';
import { profiler } from './profiler.ts';
import { objectOf } from './testing.ts';

const columnOf = (given: Partial<ReferenceColumn>): ReferenceColumn => ({
  ...{ name: 'x', kind: 'plain', rows: 0, missing: 0, mistyped: 0, outside: 0, cells: [], ...given },
  cells: new Array<number>(given.edges ? given.edges.length + 1 : given.values ? given.values.length + 2 : 0).fill(0),
});
const edges = Array.from({ length: 40 }, (_, at) => 2 * at);
const numbers = { min: 3, max: 75, mean: 40, deviation: 20 };
const reference: Reference = {
  ...{ version: 1, dataset: 'd', rows: 0 },
  columns: [
    columnOf({ name: 'n', kind: 'number', edges, numbers }),
    columnOf({ name: 'c', kind: 'category', values: ['a', 'b', 'true', '1'], isWhole: true }),
    columnOf({ name: 'at' }),
    columnOf({ name: 'y', kind: 'category', values: ['no', 'yes'], isWhole: true }),
  ],
};
const names = ['n', 'c', 'at', 'y'] as const;
const label = { column: 'y', kind: 'classes', classes: ['no', 'yes'] } as const satisfies Label;

interface Row {
  readonly n: number | string | null;
  readonly c: string | boolean | null;
  readonly at: number | null;
  readonly y: string | null;
}

/** Values of all sorts; the time stands behind values that are counted by it. */
const rowAt = (index: number): Row => ({
  n: index % 11 === 0 ? null : index % 13 === 0 ? 'none' : (index * 7) % 83,
  c: ['a', 'b', null, 'q', true][index % 5] ?? null,
  at: index % 17 === 0 ? null : Date.UTC(2026, 0, 1) + ((index * 7919) % 4000) * hour,
  y: [null, 'no', 'yes', 'no', 'maybe', 'no'][index % 6] ?? null,
});
const rows = Array.from({ length: 2600 }, (_, index) => rowAt(index));
const written = ({ at, ...row }: Row) => ({ ...row, at: at === null ? null : new Date(at).toISOString() });
const csv = objectOf(
  'a.csv',
  `n,c,at,y\n${rows.map((row) => names.map((name) => written(row)[name] ?? '').join(',')).join('\n')}`,
);
/** A key is not there where its value is missing. */
const ndjson = objectOf(
  'a.ndjson',
  rows
    .map((row) =>
      JSON.stringify(Object.fromEntries(Object.entries(written(row)).filter(([, value]) => value !== null))),
    )
    .join('\n'),
);

/** By the rule of core, group by group. */
function expected(all: readonly Row[]): Pick<DatasetCounts, 'byTime' | 'byLabel'> {
  const count = (some: readonly Row[]) => countRows(reference, some.map(written), names);
  const groups = Map.groupBy(
    all.flatMap(({ at, ...row }) => (at === null ? [] : [{ ...row, at }])),
    ({ at }) => Math.floor(at / hour),
  );
  const windows = [...groups].map(([at, some]) => ({ day: Math.floor(at / 24), hour: at % 24, counts: count(some) }));
  const classes = label.classes.map((name) => count(all.filter(({ y }) => y === name)));
  return {
    byTime: timesOf(reference, windows, all.filter(({ at }) => at === null).length),
    byLabel: {
      columns: reference.columns.map(({ kind }, at) =>
        classes.map(({ columns }) => {
          const { cells = [], missing = 0, mistyped = 0, rows: of = 0 } = columns[at] ?? {};
          return [...(kind === 'plain' ? [of - missing - mistyped] : cells), missing + mistyped];
        }),
      ),
    },
  };
}

async function countAll(object: ObjectSource, by: CountedBy, atMostBytes: number): Promise<DatasetCounts> {
  let [state, from]: [DatasetCounts | undefined, Place | undefined] = [undefined, undefined];
  do {
    const part: Awaited<ReturnType<typeof profiler.count>> = await profiler.count(object, {
      ...{ reference, by, atMostBytes },
      ...(state !== undefined && { state: JSON.parse(JSON.stringify(state)) as DatasetCounts }),
      ...(from !== undefined && { from }),
    });
    [state, from] = [part.state, part.next];
  } while (from !== undefined);
  return state;
}

test.each([
  ['a CSV', csv],
  ['NDJSON without some keys', ndjson],
])('rows of %s are counted by time and by label, in whatever parts they are read', async (_, object) => {
  const by = { time: 'at', label };

  const whole = await countAll(object, by, 1e9);

  expect(whole).toEqual({ ...countRows(reference, rows.map(written), names), ...expected(rows) });
  expect(whole.byTime?.days).toHaveLength(167);
  for (const atMostBytes of [100, 5000, 33_333]) expect(await countAll(object, by, atMostBytes)).toEqual(whole);
});

/** As the columnar reader does: row groups, in them column by column, those that are asked for first. */
function giveColumns(sink: CountingSink, all: readonly Row[], perGroup: number): void {
  for (let from = 0; from < all.length; from += perGroup) {
    const group = all.slice(from, from + perGroup);
    sink.rowsBegin?.(group.length);
    const order = [...(sink.first ?? []), ...names.filter((name) => !sink.first?.includes(name))];
    for (const name of order)
      giveColumn(
        sink.column(name),
        group.map((row) => row[name as keyof Row]),
        name === 'at',
      );
    sink.rowsEnded(new Uint32Array(group.length), new Uint32Array(group.length), group.length);
  }
  sink.end();
}

function giveColumn(
  to: ReturnType<CountingSink['column']>,
  values: readonly Row[keyof Row][],
  areTimes: boolean,
): void {
  for (let at = 0; at < values.length; at += 1) {
    const run: number[] = [];
    for (let next = values[at]; !areTimes && typeof next === 'number'; next = values[at + run.length]) run.push(next);
    if (run.length > 1) {
      to.numbers(Float64Array.from(run), run.length, true);
      at += run.length - 1;
      continue;
    }
    const value = values[at] ?? null;
    const bytes = new TextEncoder().encode(String(value));
    if (value === null) to.missing();
    else if (typeof value === 'number') areTimes ? to.time(value) : to.number(value, true);
    else if (typeof value === 'boolean') to.boolean(value);
    else to.text(bytes, 0, bytes.length);
  }
}

test('rows that come column by column are counted as those that come one by one', () => {
  for (const perGroup of [7, 1024, 1500, 5000]) {
    const sink = countingSink(reference, false, { by: { time: 'at', label } });

    giveColumns(sink, rows, perGroup);

    expect(sink.counts()).toEqual({ ...countRows(reference, rows.map(written), names), ...expected(rows) });
  }
});

test('a Parquet file gives first the columns that are asked for, wherever they stand', async () => {
  const bytes = readFileSync(new URL('parquet/fixtures/duckdb.parquet', import.meta.url));
  const object = objectOf('a.parquet', bytes);
  const met: string[] = [];
  const to = countingSink({ ...reference, columns: [] }, false);
  const sink = { ...to, first: ['at', 'flag'], rowsBegin: (count: number) => met.push(String(count)) };
  const column = (name: string) =>
    new Proxy(to.column(name), {
      get(target, call: 'time') {
        if (met.at(-1) !== name) met.push(name);
        return target[call];
      },
    });

  await readParquet(object, { atMostBytes: 1e9 }, { ...sink, column });

  expect(met.slice(0, 5)).toEqual(['20', 'flag', 'at', 'small', 'double']);
});

test('rows of a Parquet file are counted by a column of time that stands behind others', async () => {
  const bytes = readFileSync(new URL('parquet/fixtures/duckdb.parquet', import.meta.url));
  const edges = Array.from({ length: 10 }, (_, at) => at);
  const its = { ...reference, columns: [columnOf({ name: 'small', kind: 'number', edges, numbers })] };

  const { state } = await profiler.count(objectOf('a.parquet', bytes), {
    ...{ reference: its, by: { time: 'day' }, atMostBytes: 1e9 },
  });

  // Row i is of day i, and its value is i.
  const one = (cell: number) => Array.from({ length: 12 }, (_, at) => (at === Math.min(cell, 10) ? 1 : 0));
  expect(state.byTime?.days.map(({ columns }) => columns[0])).toEqual(Array.from({ length: 20 }, (_, at) => one(at)));
});

test('a column of time that is not compared still tells the time, and an object without one has rows of no day', async () => {
  const [n] = reference.columns;
  const its = { ...reference, columns: n === undefined ? [] : [n] };
  const count = async (text: string, state?: DatasetCounts) =>
    (
      await profiler.count(objectOf('a.csv', text), {
        ...{ reference: its, by: { time: 'at' }, atMostBytes: 1e6 },
        ...(state !== undefined && { state }),
      })
    ).state;

  const timed = await count('n,at\n1,2026-01-01\n2,2026-01-02T23:30:00-02:00\n');
  const both = await count('n\n5\n6\n7\n', timed);

  expect(timed.byTime?.days.map(({ day: its, rows }) => [its * day, rows])).toEqual([
    [Date.UTC(2026, 0, 1), 1],
    [Date.UTC(2026, 0, 3), 1],
  ]);
  expect([timed.byTime?.untimed, both.byTime?.untimed, both.rows]).toEqual([0, 3, 5]);
  expect(both.byTime?.weekdays.map(({ columns }) => columns[0]?.rows)).toEqual([0, 0, 0, 0, 1, 0, 1]);
});

test('rows that come column by column without a time or a label are of no day and no class', () => {
  const sink = countingSink(reference, false, { by: { time: 'at', label } });
  const others = { ...sink, first: [] };
  const without = rows.map((row) => row.n);

  others.rowsBegin?.(without.length);
  giveColumn(others.column('n'), without, false);
  others.rowsEnded(new Uint32Array(0), new Uint32Array(0), without.length);
  others.end();

  const { byTime, byLabel, columns } = sink.counts();
  expect([byTime?.untimed, byTime?.days]).toEqual([rows.length, []]);
  expect(byLabel?.columns.flat(2).every((count) => count === 0)).toBe(true);
  expect(columns.map((column) => column.rows)).toEqual([rows.length, 0, 0, 0]);
});

test('the newest days are kept, whatever the order of rows and parts, and all are in the weekdays', () => {
  const most = daysKept(reference) ?? 0;
  const shuffled = Array.from({ length: 4 * most }, (_, index) => ({
    ...rowAt(1),
    at: ((index * 7919) % (2 * most)) * day,
  }));
  const count = (some: readonly Row[], perGroup: number) => {
    const sink = countingSink(reference, false, { by: { time: 'at' } });
    giveColumns(sink, some, perGroup);
    return sink.counts();
  };
  const half = shuffled.length / 2;

  const whole = count(shuffled, 5000);
  const [one, other] = [count(shuffled.slice(0, half), 100), count(shuffled.slice(half), 100)];
  const isOld = ({ at }: { readonly at: number }) => at < (most + 5) * day;
  const [old, young] = [
    count(shuffled.filter(isOld), 100),
    count(
      shuffled.filter((row) => !isOld(row)),
      100,
    ),
  ];

  expect(whole.byTime?.days.map((its) => its.day)).toEqual(Array.from({ length: most }, (_, at) => most + at));
  for (const its of whole.byTime?.days ?? []) expect([its.rows, its.columns[0]?.at(7)]).toEqual([2, expect.anything()]);
  expect(whole.byTime?.days.every((its) => its.columns[1]?.[1] === 2)).toBe(true);
  expect(addDatasets(reference, one, other)).toEqual(whole);
  expect(addDatasets(reference, other, one)).toEqual(whole);
  expect(addDatasets(reference, old, young)).toEqual(whole);
  expect(addDatasets(reference, young, old)).toEqual(whole);
  expect(whole.byTime?.weekdays.reduce((sum, counts) => sum + counts.rows, 0)).toBe(4 * most);
});

test('labels that are numbers are summed by cell', async () => {
  const its: Reference = { ...reference, columns: reference.columns.slice(0, 2) };
  const by = { label: { column: 'n', kind: 'number', about: 40 } } as const;

  const { state } = await profiler.count(objectOf('a.csv', 'c,n\na,41\na,37\nb,\n,44\nq,x\n'), {
    ...{ reference: its, by, atMostBytes: 1e6 },
  });

  // Of the categories: a, b, true, 1, known, unseen, and none.
  expect(state.byLabel?.columns[1]).toEqual([
    [2, 0, 0, 0, 0, 0, 1],
    [-2, 0, 0, 0, 0, 0, 4],
    [10, 0, 0, 0, 0, 0, 16],
  ]);
});
