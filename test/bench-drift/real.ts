import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judging } from './follow.ts';
import { run } from './installed.ts';
import { alarmsOf, prepare } from './rule-cases.ts';
import { countRows, type Day, type Rows, referenceFrom } from './world.ts';

/** The flights that left New York City in 2013: the first eight weeks are the reference, each day after them a window. */
const referenceDays = 56;

/** What was found of a column of real data. */
export interface RealColumn {
  readonly name: string;
  readonly drifted: number;
  readonly first?: number;
  readonly largest: number;
  readonly notCalibrated: boolean;
}
export interface Real {
  readonly windows: number;
  readonly incidents: number;
  readonly columns: readonly RealColumn[];
  /** Windows in which any column alarms, by the rules of others. */
  readonly others: Readonly<Record<string, number>>;
}

export function measureFlights(): Real | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'serin-flights-'));
  try {
    const path = join(folder, 'flights.csv');
    if (run('pandas', ['flights', path]) === undefined) return undefined;
    return judgeDays(daysIn(readFileSync(path, 'utf8')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** No field of the file has a comma or quotes. */
function daysIn(text: string): readonly Day[] {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const names = head.split(',').slice(1);
  const fields = lines.map((line) => line.split(','));
  const byDay = Map.groupBy(fields, ([day]) => Number(day));
  return [...byDay]
    .sort(([one], [other]) => one - other)
    .map(([day, rows]) => ({
      day: day - referenceDays,
      rows: rows.length,
      columns: names.map((name, at) =>
        columnOf(
          name,
          rows.map((row) => row[at + 1] ?? ''),
        ),
      ),
    }));
}

const texts = new Set(['carrier', 'origin', 'dest']);
function columnOf(name: string, fields: readonly string[]): Rows {
  const there = fields.filter((field) => field !== '');
  return texts.has(name) ? { name, texts: there } : { name, numbers: Float64Array.from(there, Number) };
}

/** All rows of some days as one column each. */
const together = (days: readonly Day[]): readonly Rows[] =>
  (days[0]?.columns ?? []).map(({ name }, at): Rows => {
    const columns = days.flatMap(({ columns: of }) => of[at] ?? []);
    const numbers = columns.flatMap((column) => ('numbers' in column ? [...column.numbers] : []));
    const all = columns.flatMap((column) => ('texts' in column ? column.texts : []));
    return texts.has(name) ? { name, texts: all } : { name, numbers: Float64Array.from(numbers) };
  });

function judgeDays(days: readonly Day[]): Real {
  const [before, live] = [days.filter(({ day }) => day < 0), days.filter(({ day }) => day >= 0)];
  const reference = referenceFrom(before, true);
  const judge = judging(reference);
  const prepared = prepare(together(before), Math.round(reference.rows / before.length));
  const columns = new Map<string, RealColumn>(
    reference.columns.map(({ name }) => [name, { name, drifted: 0, largest: 0, notCalibrated: false }]),
  );
  const others: Record<string, number> = {};
  let incidents = 0;
  for (const { day, rows, columns: of } of live) {
    const { verdict, opens } = judge(countRows(reference, of, rows), day);
    incidents += opens ? 1 : 0;
    for (const { name, alarm, size, notCalibrated } of verdict.columns) {
      const known = columns.get(name);
      if (known === undefined) continue;
      columns.set(name, {
        name,
        drifted: known.drifted + (alarm === undefined ? 0 : 1),
        ...(known.first !== undefined ? { first: known.first } : alarm !== undefined ? { first: day + 1 } : {}),
        largest: Math.max(known.largest, size),
        notCalibrated: known.notCalibrated || notCalibrated !== undefined,
      });
    }
    for (const [rule, alarms] of Object.entries(alarmsOf(prepared, of)))
      others[rule] = (others[rule] ?? 0) + (alarms.some((alarm) => alarm) ? 1 : 0);
  }
  return { windows: live.length, incidents, columns: [...columns.values()], others };
}
