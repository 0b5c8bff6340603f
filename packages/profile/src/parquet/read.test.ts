import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type ColumnSalt, RowHash, saltOf, ValueHash } from '../hash.ts';
import { type Recorded, record, sourceOf } from './recording.fixture.ts';
import { inside } from './row-hashes.ts';

/** A value by another implementation: as JSON has it, or an object with its kind as the key. */
type Cell =
  | null
  | boolean
  | number
  | string
  | { readonly time: number }
  | { readonly number: string }
  | { readonly nested: Inner };
type Inner = null | boolean | number | string | readonly Inner[] | { readonly [key: string]: Inner };
type Table = Readonly<Record<string, readonly Cell[]>>;

const folder = new URL('./fixtures/', import.meta.url);
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Readonly<Record<string, Table>>;

const files = [
  ...['types', 'types-v2', 'types-gzip', 'types-brotli', 'types-lz4', 'required', 'empty'],
  ...['encodings-v1', 'encodings-v2', 'fallback', 'groups', 'nested', 'nested-v2'],
  ...['times', 'int96', 'decimals', 'integers', 'duckdb', 'duckdb-v2'],
];

const tableOf = (file: string): Table => expected[file.split('-')[0] ?? ''] ?? {};
const fixture = (file: string) => sourceOf(`${file}.parquet`, readFileSync(new URL(`${file}.parquet`, folder)));

/** How a sink hears of a cell. */
function callOf(cell: Cell): unknown {
  if (cell === null) return 'missing';
  if (typeof cell !== 'object') return cell;
  if ('time' in cell) return { time: cell.time };
  if ('number' in cell) return Number(cell.number.replace('inf', 'Infinity'));
  return 'nested';
}

test.each(files)('reads %s as the library that wrote it does', async (file) => {
  const { columns, rows } = await record(fixture(file));

  const calls = Object.fromEntries(Object.entries(tableOf(file)).map(([name, cells]) => [name, cells.map(callOf)]));
  expect(Object.fromEntries([...columns].map(([name, { calls }]) => [name, calls]))).toEqual(calls);
  expect(rows).toHaveLength(Object.values(calls)[0]?.length ?? 0);
});

const utf8 = new TextEncoder();

function addScalar(row: RowHash, salt: ColumnSalt, value: string | number | boolean): void {
  const hash = new ValueHash();
  if (value === '' || Number.isNaN(value)) return;
  if (typeof value === 'number') hash.number(value);
  else if (typeof value === 'boolean') hash.boolean(value);
  else hash.text(utf8.encode(value), 0, utf8.encode(value).length);
  row.add(salt, hash);
}

function addScalars(row: RowHash, salt: ColumnSalt, value: Inner): void {
  if (Array.isArray(value)) for (const [at, item] of value.entries()) addScalars(row, inside(salt, at), item);
  else if (typeof value !== 'object') addScalar(row, salt, value);
  else for (const [key, item] of Object.entries(value ?? {})) addScalars(row, inside(salt, saltOf(key)), item);
}

function addCell(row: RowHash, salt: ColumnSalt, cell: Cell): void {
  if (cell === null) return;
  if (typeof cell !== 'object') addScalar(row, salt, cell);
  else if ('number' in cell) addScalar(row, salt, Number(cell.number.replace('inf', 'Infinity')));
  else if ('nested' in cell) addScalars(row, salt, cell.nested);
  else {
    const hash = new ValueHash();
    hash.time(cell.time);
    row.add(salt, hash);
  }
}

/** The hash of a row as a reader of rows makes it, of the values that the other implementation has. */
function rowHash(table: Table, at: number): string {
  const row = new RowHash();
  for (const [name, cells] of Object.entries(table)) addCell(row, saltOf(name), cells[at] ?? null);
  row.end();
  return `${row.high >>> 0} ${row.low >>> 0}`;
}

test.each(files)('gives the rows of %s the hashes that the same rows have in any other format', async (file) => {
  const { rows } = await record(fixture(file));

  expect(rows).toEqual(rows.map((_, row) => rowHash(tableOf(file), row)));
});

const kindsOf = (recorded: Recorded, names: readonly string[]) =>
  names.map((name) => recorded.columns.get(name)?.areWhole);

test('says of whole numbers that they are, and of others that they are not', async () => {
  const types = await record(fixture('types'));
  const decimals = await record(fixture('decimals'));

  expect(kindsOf(types, ['int8', 'uint32', 'int64', 'uint64'])).toEqual(Array(4).fill(new Set([true])));
  expect(kindsOf(types, ['half', 'float', 'double'])).toEqual(Array(3).fill(new Set([false])));
  expect(kindsOf(decimals, ['short', 'whole'])).toEqual([new Set([false]), new Set([true])]);
});

test('gives numbers that follow each other at once', async () => {
  const { columns } = await record(fixture('encodings-v1'));

  expect(columns.get('constant')?.batches).toBe(1);
  expect(columns.get('length')?.batches).toBe(0);
});

test('a file is read in parts of whole row groups, and all of them together are the whole', async () => {
  const whole = await record(fixture('groups'));

  const parts: Recorded[] = [];
  let from: Recorded['next'];
  do {
    const part = await record(fixture('groups'), { atMostBytes: 1, ...(from && { from }) });
    parts.push(part);
    from = part.next;
  } while (from);

  expect(parts.map(({ rows }) => rows.length)).toEqual([30, 30, 10]);
  expect(parts.flatMap(({ rows }) => rows)).toEqual(whole.rows);
  for (const [name, { calls }] of whole.columns)
    expect(parts.flatMap((part) => part.columns.get(name)?.calls ?? [])).toEqual(calls);
});

test('a part has as many row groups as fit, and the place of the next', async () => {
  const { rows, next } = await record(fixture('groups'), { atMostBytes: 800 });

  expect(rows).toHaveLength(60);
  expect(next).toEqual({ rowGroup: 2 });
});

test('whoever has the bytes may use the room of an answer again', async () => {
  const { key, bytes, read } = fixture('groups');
  const room = new Uint8Array(bytes);
  const again = async (from: number, length: number) => {
    const answer = await read(from, length);
    room.set(answer);
    return room.subarray(0, answer.length);
  };

  expect(await record({ key, bytes, read: again })).toEqual(await record(fixture('groups')));
});

test('a file without rows has its columns all the same', async () => {
  const { columns, rows, next } = await record(fixture('empty'));

  expect([...columns.keys()]).toEqual(Object.keys(tableOf('types')));
  expect(rows).toEqual([]);
  expect(next).toBeUndefined();
});
