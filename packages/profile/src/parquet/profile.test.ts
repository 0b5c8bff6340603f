import { readFileSync } from 'node:fs';
import type { ColumnProfile } from '@serin/core/drift/profile';
import type { ObjectSource, Place } from '@serin/core/drift/profiler';
import { expect, test } from 'vitest';
import { profiler } from '../profiler.ts';
import { sourceOf } from './recording.fixture.ts';

const folder = new URL('./fixtures/', import.meta.url);
const file = (name: string) => readFileSync(new URL(name, folder));
const parquet = sourceOf('data/rows.parquet', file('groups.parquet'));

type Cell = number | string | null;
const { groups } = JSON.parse(file('expected.json').toString()) as {
  groups: Readonly<Record<string, readonly Cell[]>>;
};

/** The rows of the Parquet file, as a CSV has them. */
function csvOf(columns: Readonly<Record<string, readonly Cell[]>>): ObjectSource {
  const names = Object.keys(columns);
  const rows = (columns[names[0] ?? ''] ?? []).map((_, row) =>
    names.map((name) => columns[name]?.[row] ?? '').join(','),
  );
  return sourceOf('data/rows.csv', new TextEncoder().encode([names.join(','), ...rows, ''].join('\n')));
}

async function profileOf(object: ObjectSource, atMostBytes: number) {
  let part = await profiler.profile(object, { atMostBytes });
  let parts = 1;
  for (let from: Place | undefined = part.next; from; from = part.next, parts += 1)
    part = await profiler.profile(object, { state: part.state, from, atMostBytes });
  return { parts, profile: profiler.finish(part.state) };
}

/** Sums of doubles differ in their last digits by how many were added at once. */
function rounded({ numbers, ...column }: ColumnProfile) {
  if (!numbers) return column;
  const [mean, deviation] = [numbers.mean.toPrecision(12), numbers.deviation.toPrecision(12)];
  return { ...column, numbers: { ...numbers, mean, deviation } };
}

test('equal rows of a CSV and of a Parquet file have one hash, and equal columns one profile', async () => {
  const { profile } = await profileOf(parquet, 1 << 20);
  const { profile: other } = await profileOf(csvOf(groups), 1 << 20);

  expect(profile.rows).toBe(70);
  expect(profile.rowSample).toEqual(other.rowSample);
  expect(profile.columns.map(rounded)).toEqual(other.columns.map(rounded));
});

test('a Parquet file that is profiled in parts has the profile of the whole', async () => {
  const whole = await profileOf(parquet, 1 << 20);
  const parts = await profileOf(parquet, 1);

  expect([whole.parts, parts.parts]).toEqual([1, 3]);
  expect(parts.profile).toEqual(whole.profile);
});

test('the endings of Parquet files are known, in any letters, and a part of a name is no ending', () => {
  expect(['a.parquet', 'a.PARQUET', 'a.snappy.parquet', 'a.pq'].map(profiler.reads)).toEqual([true, true, true, true]);
  expect(['a.parquet.crc', 'parquet', 'a.parquet/_SUCCESS'].map(profiler.reads)).toEqual([false, false, false]);
});
