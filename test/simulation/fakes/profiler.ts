import { decodeText, encodeText, sha256Hex } from '@serin/core/base/json';
import { countRows } from '@serin/core/drift/cells';
import type { ColumnProfile, DatasetProfile, ValueType } from '@serin/core/drift/profile';
import type { ObjectSource, Place, Profiler } from '@serin/core/drift/profiler';

/** What was seen: all of it. */
interface Seen {
  readonly objects: number;
  readonly bytes: number;
  readonly rows: readonly Readonly<Record<string, string>>[];
}

const none: Seen = { objects: 0, bytes: 0, rows: [] };

/** Of a test in which no dataset is read. */
export const noProfiler = (): Promise<Profiler> => Promise.reject(new Error('no dataset is read in this test'));

/** Reads fields between commas, without quotes: a part has few rows, so that small objects have many. Of records all at once. */
export function memoryProfiler(rowsPerPart = 3): Profiler {
  return {
    version: 1,
    reads: (key) => /\.(csv|ndjson)$/.test(key),
    async profile(object, { state, from }) {
      const seen = state === undefined ? none : (JSON.parse(decodeText(state)) as Seen); // encoded below
      const { rows, next } = await rowsIn(object, from, rowsPerPart);
      const begun = from === undefined ? { objects: seen.objects + 1, bytes: seen.bytes + object.bytes } : {};
      const all = { ...seen, ...begun, rows: [...seen.rows, ...rows] };
      return { state: encodeText(JSON.stringify(all)), ...(next === undefined ? {} : { next }) };
    },
    finish: (state) => profileOf(JSON.parse(decodeText(state)) as Seen), // encoded above
    async count(object, { reference, state, from }) {
      const { rows, next } = await rowsIn(object, from, rowsPerPart);
      const fields = reference.columns.map(({ name }) => name);
      return { state: countRows(reference, rows, fields, state), ...(next === undefined ? {} : { next }) };
    },
  };
}

async function rowsIn(object: ObjectSource, from: Place | undefined, rowsPerPart: number) {
  const lines = decodeText(await object.read(0, object.bytes)).split('\n');
  const first = Number(from?.row ?? 0);
  const isCsv = object.key.endsWith('.csv');
  const most = isCsv ? rowsPerPart : lines.length;
  const names = isCsv ? (lines.shift() ?? '').split(',') : [];
  const rows = lines.filter((line) => line !== '');
  return {
    rows: rows.slice(first, first + most).map((line) => (isCsv ? csvRow(names, line) : recordIn(line))),
    ...(first + most < rows.length ? { next: { row: first + most } } : {}),
  };
}

function csvRow(names: readonly string[], line: string): Readonly<Record<string, string>> {
  const fields = line.split(',');
  return Object.fromEntries(names.map((name, index) => [name, fields[index] ?? '']));
}

const recordIn = (line: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(JSON.parse(line) as Readonly<Record<string, unknown>>).map(([name, value]) => [
      name,
      String(value ?? ''),
    ]),
  );

function profileOf({ objects, bytes, rows }: Seen): DatasetProfile {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const hashes = countsOf(rows.map((row) => sha256Hex(JSON.stringify(row)).slice(0, 16))).sort();
  return {
    ...{ version: 1, objects, passedOver: 0, bytes, rows: rows.length, badRows: { rows: 0 } },
    rowSample: { below: 'f'.repeat(16), rows: hashes.slice(0, 4096) },
    columns: names.map((name) =>
      columnOf(
        name,
        rows.map((row) => row[name] ?? ''),
      ),
    ),
  };
}

function columnOf(name: string, all: readonly string[]): ColumnProfile {
  const values = all.filter((value) => value !== '');
  const numbers = values
    .map(Number)
    .filter((value) => Number.isFinite(value))
    .sort((a, b) => a - b);
  const counts = countsOf(values).sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  const typeOf = (value: string): ValueType =>
    value.trim() === '' || Number.isNaN(Number(value)) ? 'text' : 'decimal';
  const types = { boolean: 0, integer: 0, decimal: 0, timestamp: 0, text: 0, nested: 0 };
  for (const value of values) types[typeOf(value)] += 1;
  return {
    ...{ name, rows: all.length, missing: all.length - values.length, types },
    ...{ empty: 0, nan: 0, plusInfinity: 0, minusInfinity: 0 },
    ...(numbers.length === 0 ? {} : { numbers: numbersOf(numbers) }),
    ...{ distinct: counts.length, distinctIsExact: true, singletons: counts.filter(([, count]) => count === 1).length },
    ...{ frequent: counts.slice(0, 128), frequentAbout: 0 },
  };
}

function numbersOf(ascending: readonly number[]) {
  const count = ascending.length;
  const mean = ascending.reduce((sum, value) => sum + value, 0) / count;
  const squares = ascending.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const at = (share: number): number => ascending[Math.round(share * (count - 1))] ?? 0;
  return {
    ...{ count, min: at(0), max: at(1), mean, deviation: Math.sqrt(squares / count) },
    quantiles: Array.from({ length: 257 }, (_, index) => at(index / 256)),
  };
}

function countsOf(values: readonly string[]): (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts];
}
