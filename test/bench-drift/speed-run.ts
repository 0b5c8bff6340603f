import type { ReferenceColumn } from '@serin/core/drift/reference';
import { countingSink } from '../../packages/profile/src/count.ts';
import { random } from '../bench-judge/random.ts';
import { judging } from './follow.ts';
import { referenceOf, windowOf } from './world.ts';
import { steady } from './worlds.ts';

/** A process of its own: 1,000 columns counted and judged. Times are of the processor, so other work plays no part. */
const columns = 1000;
const draws = random(1);
const empty = process.memoryUsage().rss / 1e6;
const thirty = referenceOf(steady(), { days: 1, rowsPerDay: 10_000, hasTime: false }, draws);
const many = {
  ...thirty,
  columns: Array.from({ length: columns }, (_, index) => ({
    ...(thirty.columns[index % thirty.columns.length] as ReferenceColumn),
    name: `c${index}`,
  })),
};

function cpuMs(work: () => void): number {
  const begun = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(begun);
  return (user + system) / 1000;
}

const batch = Float64Array.from({ length: 1024 }, () => draws.normal());
const sink = countingSink(many, false);
const sinks = many.columns.map(({ name }) => sink.column(name));
const rounds = 60;
const count = () => {
  for (let round = 0; round < rounds; round += 1)
    for (const column of sinks) column.numbers(batch, batch.length, false);
};
const best = Math.min(...[1, 2, 3].map(() => cpuMs(count)));
const counted = (rounds * columns * batch.length) / best / 1000;
const rss = process.resourceUsage().maxRSS / 1000;

const judge = judging(many);
const times = Array.from({ length: 30 }, (_, day) => {
  const thirtyCounts = windowOf(steady(), thirty, { rows: 1000, day }, draws).columns;
  const counts = {
    version: 1,
    rows: 1000,
    columns: many.columns.map((_, index) => thirtyCounts[index % thirtyCounts.length] ?? sink.counts().columns[0]),
  } as Parameters<typeof judge>[0];
  return cpuMs(() => judge(counts, day));
});
const judged = times.toSorted((one, other) => one - other)[times.length >> 1];
console.log(JSON.stringify({ counted, rss, empty, judged }));
