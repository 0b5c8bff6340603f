import type { Random } from '../bench-judge/random.ts';
import { type Case, note } from '../bench-judge/tally.ts';
import { evidenceAlone, judging } from './follow.ts';
import { referenceOf, type World, windowOf } from './world.ts';
import { alikeColumns, categories, daysOf, followingRows, normals, steady, wholeNumbers, zipf } from './worlds.ts';

/** A year without a change that anybody would call one. */
export interface Null {
  readonly name: string;
  readonly world: (random: Random) => World;
  readonly runs: number;
  /** Rows of a window; 1,000 where it is not said. */
  readonly rows?: number;
  /** The reference: days, rows a day, and whether it has a column of time. One day of 10,000 rows where it is not said. */
  readonly reference?: { readonly days: number; readonly rowsPerDay: number; readonly hasTime: boolean };
  /** Days of a window: 1 where it is not said. */
  readonly length?: number;
  /** Nothing changes, rows are independent and numbers continuous: the theorem's conditions. */
  readonly isProved?: boolean;
}

const reference = { days: 1, rowsPerDay: 10_000, hasTime: false };
/** Eight weeks, as many rows a day as a live window has. */
const eightWeeks = { days: 56, rowsPerDay: 1000, hasTime: false };
const eightWeeksOfTime = { ...eightWeeks, hasTime: true };
const sizes = [1000, 10_000, 100_000].flatMap((n) => [100, 1000, 10_000].map((m) => ({ n, m })));

export const plain: Null = { name: 'nothing', world: steady, runs: 200, isProved: true };
export const bySize: readonly Null[] = sizes
  .filter(({ n, m }) => n !== 10_000 || m !== 1000)
  .map(({ n, m }) => ({
    name: `nothing, n ${n.toLocaleString('en-GB')}, m ${m.toLocaleString('en-GB')}`,
    world: steady,
    runs: n === 100_000 ? 10 : 20,
    rows: m,
    reference: { ...reference, rowsPerDay: n },
    isProved: true,
  }));

const weekdays = (size: number) => (): World =>
  normals((_, day) => ({ shift: size * Math.sin((2 * Math.PI * (((day % 7) + 7) % 7)) / 7) }));
/** The hour of a day, as its fraction. */
const hours = (): World => normals((_, day) => ({ shift: 0.3 * Math.sin(2 * Math.PI * day) }));
const days =
  (next: (before: number, random: Random) => number, from = -56) =>
  (random: Random): World =>
    normals(daysOf({ from, to: 366, next: (before) => next(before, random) }));
const following = (size: number) => days((before, random) => 0.5 * before + size * Math.sqrt(0.75) * random.normal());
const wandering = days((before, random) => before + 0.02 * random.normal());

export const otherShapes: readonly Null[] = [
  { name: 'columns that correlate by 0.5', world: () => alikeColumns(0.5), runs: 20, isProved: true },
  { name: '1 % of the values missing', world: () => normals(() => ({ shift: 0, missing: 0.01 })), runs: 20 },
  { name: 'whole numbers, 0 to 99', world: () => wholeNumbers(100), runs: 20 },
  { name: 'Zipf, 100 categories', world: () => categories(zipf(100)), runs: 20 },
  { name: 'Zipf, 100,000 categories', world: () => categories(zipf(100_000)), runs: 20 },
  {
    name: '5,000 categories, each as frequent',
    world: () => categories(new Float64Array(5000).fill(1 / 5000)),
    runs: 20,
  },
];

export const dependent: readonly Null[] = [
  { name: 'weekly season of 0.3', world: weekdays(0.3), runs: 10, reference: eightWeeks },
  { name: 'weekly season of 0.3, with time', world: weekdays(0.3), runs: 20, reference: eightWeeksOfTime },
  {
    name: 'weekly season of 0.3, windows of 7 days',
    world: weekdays(0.3),
    runs: 20,
    reference: eightWeeks,
    rows: 7000,
    length: 7,
  },
  { name: 'day and night of 0.3, windows of 6 hours', world: hours, runs: 5, rows: 250, length: 0.25 },
  { name: 'rows that follow each other by 0.5', world: () => followingRows(0.5), runs: 10 },
  {
    name: 'rows that follow each other by 0.5, with time',
    world: () => followingRows(0.5),
    runs: 20,
    reference: eightWeeksOfTime,
  },
  { name: 'days of 0.05 that follow each other by 0.5', world: following(0.05), runs: 10, reference: eightWeeks },
  {
    name: 'days of 0.05 that follow each other by 0.5, with time',
    world: following(0.05),
    runs: 20,
    reference: eightWeeksOfTime,
  },
  { name: 'days of 0.1 that follow each other by 0.5', world: following(0.1), runs: 10, reference: eightWeeks },
  {
    name: 'days of 0.1 that follow each other by 0.5, with time',
    world: following(0.1),
    runs: 20,
    reference: eightWeeksOfTime,
  },
  { name: 'days that wander by 0.02', world: wandering, runs: 10, reference: eightWeeks },
  { name: 'days that wander by 0.02, with time', world: wandering, runs: 20, reference: eightWeeksOfTime },
];

export const nulls: readonly Null[] = [plain, ...bySize, ...otherShapes, ...dependent];

/** In the tallies, `exposed` is the number of incidents in the year, and of `alarmed` the share of windows with an alarm. */
export const nullCases: readonly Case[] = nulls.map((given) => ({
  name: given.name,
  runs: { short: given === plain ? 2 : given.name === 'weekly season of 0.3, with time' ? 1 : 0, full: given.runs },
  begin: () => (random, tallies) => {
    const { rows = 1000, length = 1 } = given;
    const world = given.world(random);
    const made = referenceOf(world, given.reference ?? reference, random);
    const gates = {
      'both gates': judging(made, undefined, length),
      ...(given === plain ? { evidence: judging(made, evidenceAlone, length) } : {}),
    };
    const opened: Record<string, number> = {};
    let [calibrated, alarmed] = [true, 0];
    for (let window = 0; window < Math.floor(365 / length); window += 1) {
      const counts = windowOf(world, made, { rows, day: window * length }, random);
      for (const [gate, judge] of Object.entries(gates)) {
        const { verdict, opens } = judge(counts, window * length);
        opened[gate] = (opened[gate] ?? 0) + (opens ? 1 : 0);
        calibrated &&= verdict.calibrated;
        if (gate === 'both gates' && !verdict.clean) alarmed += 1;
      }
    }
    for (const [gate, count] of Object.entries(opened)) note(tallies, gate, count > 0 ? 1 : undefined, count);
    note(tallies, 'alarmed', alarmed > 0 ? 1 : undefined, alarmed / Math.floor(365 / length));
    note(tallies, 'not calibrated', calibrated ? undefined : 1);
  },
}));
