import { valuesOf } from './kind.ts';
import type { ColumnProfile, DatasetProfile } from './profile.ts';
import { listed, named } from './report.ts';

/** A share of the rows: a column that tells the time of a row tells it of nearly all. */
const nearlyAll = 0.95;

/**
 * The column that tells the day of a row: the one that the config names; or else the only one whose values are times. Of
 * two, such as a day of birth and that of a visit, nobody knows which is meant.
 */
export function timeColumnOf(
  { columns, rows }: DatasetProfile,
  said: string | false | undefined,
): { readonly column: string } | { readonly because: string } {
  if (said === false) return { because: 'monitor.drift.time is false' };
  if (said !== undefined) return saidColumn(columns, said);
  const times = columns.filter((column) => isOfTimes(column) && valuesOf(column) >= nearlyAll * rows);
  const [first, ...others] = times.map(({ name }) => name);
  if (first === undefined) return { because: 'no column has a time in nearly every row' };
  return others.length === 0
    ? { column: first }
    : {
        because: `several columns have times (${listed([first, ...others].map(named))}): name one in monitor.drift.time`,
      };
}

const isOfTimes = (column: ColumnProfile): boolean =>
  column.types.timestamp > 0 && column.types.timestamp >= nearlyAll * valuesOf(column);

function saidColumn(columns: readonly ColumnProfile[], name: string) {
  const column = columns.find((each) => each.name === name);
  if (column === undefined) return { because: `there is no column ${named(name)}` };
  return isOfTimes(column)
    ? { column: name }
    : { because: `${named(name)} has values that are no times such as 2026-01-31 or 2026-01-31T10:20:00Z` };
}
