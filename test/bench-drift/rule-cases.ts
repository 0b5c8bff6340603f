import { jensenShannon } from '@serin/core/drift/statistics';
import type { Random } from '../bench-judge/random.ts';
import { type Case, note, type Tallies } from '../bench-judge/tally.ts';
import { judging } from './follow.ts';
import {
  type CategoriesOf,
  chunkStarts,
  limitOf,
  type NumberReference,
  numberReference,
  numbersOf,
  rules,
} from './rules.ts';
import { categoriesOf, countRows, type Rows, referenceOf, type World } from './world.ts';
import { zipf } from './worlds.ts';

/** 24 normal columns and 6 of 10 categories: all rules read the same rows. */
const [numberColumns, categoryColumns, values] = [24, 6, 10];
export const ruleColumns = numberColumns + categoryColumns;
const shares = zipf(values);

export function mixedWorld(shift: (column: number, day: number) => number): World {
  return {
    rows: (count, day, random) => [
      ...Array.from({ length: numberColumns }, (_, column) => {
        const mean = shift(column, day);
        return { name: `n${column}`, numbers: Float64Array.from({ length: count }, () => mean + random.normal()) };
      }),
      ...Array.from({ length: categoryColumns }, (_, column) => ({
        name: `c${column}`,
        texts: categoriesOf(count, shares, random),
      })),
    ],
  };
}

/** What the rules know of a reference, column by column. */
type Prepared = NumberReference | CategoryReference;
interface CategoryReference {
  readonly places: ReadonlyMap<string, number>;
  readonly counts: readonly number[];
  readonly chunkLimit: number;
}

/** The last count is of values that the reference does not have. */
function countsOf(texts: readonly string[], places: ReadonlyMap<string, number>): readonly number[] {
  const counts = new Array<number>(places.size + 1).fill(0);
  for (const text of texts) {
    const place = places.get(text) ?? places.size;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}

/** `chunk`: rows of a live window. */
export const prepare = (rows: readonly Rows[], chunk: number): readonly Prepared[] =>
  rows.map((column) => {
    if ('numbers' in column) return numberReference(column.numbers, chunk);
    const places = new Map([...new Set(column.texts)].map((text, place) => [text, place]));
    const counts = countsOf(column.texts, places);
    const distances = chunkStarts(column.texts.length, chunk).map(
      (from) => jensenShannon(counts, countsOf(column.texts.slice(from, from + chunk), places)).distance,
    );
    return { places, counts, chunkLimit: limitOf(distances) };
  });

/** Which columns alarm, by rule. */
export function alarmsOf(prepared: readonly Prepared[], rows: readonly Rows[]): Readonly<Record<string, boolean[]>> {
  const columns = rows.map((column, index) => {
    const reference = prepared[index];
    if (reference === undefined) return undefined;
    if ('numbers' in column) return 'sorted' in reference ? numbersOf(reference, column.numbers) : undefined;
    if ('sorted' in reference) return undefined;
    const of: CategoriesOf = {
      reference: reference.counts,
      chunkLimit: reference.chunkLimit,
      live: countsOf(column.texts, reference.places),
    };
    return of;
  });
  return Object.fromEntries(
    rules.map((rule) => [
      rule.name,
      columns.map((column) => {
        if (column === undefined) return false;
        return 'moved' in column ? rule.numbers(column, columns.length) : rule.categories(column, columns.length);
      }),
    ]),
  );
}

export const quietSizes = [
  { n: 10_000, m: 1000 },
  { n: 1000, m: 200 },
  { n: 1001, m: 200 },
  { n: 10_000, m: 100 },
] as const;
export const quietName = ({ n, m }: { readonly n: number; readonly m: number }): string =>
  `all rules: nothing, n ${n.toLocaleString('en-GB')}, m ${m.toLocaleString('en-GB')}`;
/** Windows of a run. */
const quietDays = 73;

/** A reference of which both this detector and the rules know the rows. */
function bothReferences(world: World, { n, m }: { readonly n: number; readonly m: number }, random: Random) {
  const rows = world.rows(n, -1, random);
  const made = referenceOf({ rows: () => rows }, { days: 1, rowsPerDay: n, hasTime: false }, random);
  return { made, prepared: prepare(rows, m) };
}

/** In the tallies, a run is a window; `exposed` is the number of columns that alarm. `all`: half of the columns do. */
const quietCases: readonly Case[] = quietSizes.map(({ n, m }) => ({
  name: quietName({ n, m }),
  runs: { short: 0, full: 15 },
  begin: () => (random, tallies) => {
    const world = mixedWorld(() => 0);
    const { made, prepared } = bothReferences(world, { n, m }, random);
    const judge = judging(made);
    for (let day = 0; day < quietDays; day += 1) {
      const rows = world.rows(m, day, random);
      const { verdict } = judge(countRows(made, rows, m), day);
      tell(
        tallies,
        'serin',
        verdict.columns.map(({ alarm }) => alarm !== undefined),
      );
      for (const [rule, alarms] of Object.entries(alarmsOf(prepared, rows))) tell(tallies, rule, alarms);
    }
  },
}));

function tell(tallies: Tallies, rule: string, alarms: readonly boolean[]): void {
  const count = alarms.filter((alarm) => alarm).length;
  note(tallies, rule, count > 0 ? 1 : undefined, count);
  if (rule === 'Evidently') note(tallies, `${rule}, dataset`, 2 * count >= ruleColumns ? 1 : undefined);
}

export const shiftSizes = [0.05, 0.1, 0.2, 0.3, 0.5, 1] as const;
export const shiftName = (size: number): string => `all rules: a shift of ${size}`;
const [cleanDays, driftDays] = [30, 7];

/** In the tallies, `minutes` is the window in which the column alarms first, 1 being the first that has the shift. */
const shiftCases: readonly Case[] = shiftSizes.map((size) => ({
  name: shiftName(size),
  runs: { short: 0, full: 60 },
  begin: () => (random, tallies) => {
    const world = mixedWorld((column, day) => (column === 0 && day >= 0 ? size : 0));
    const { made, prepared } = bothReferences(world, { n: 10_000, m: 1000 }, random);
    const judge = judging(made);
    const found: Record<string, number | undefined> = {};
    for (let day = -cleanDays; day < driftDays; day += 1) {
      const rows = world.rows(1000, day, random);
      const { verdict } = judge(countRows(made, rows, 1000), day);
      if (day < 0) continue;
      if (verdict.columns[0]?.alarm !== undefined) found.serin ??= day + 1;
      for (const [rule, [first]] of Object.entries(alarmsOf(prepared, rows)))
        if (first === true) found[rule] ??= day + 1;
    }
    for (const rule of ['serin', ...rules.map(({ name }) => name)]) note(tallies, rule, found[rule]);
  },
}));

export const ruleCases: readonly Case[] = [...quietCases, ...shiftCases];
