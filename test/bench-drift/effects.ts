import { type Case, note } from '../bench-judge/tally.ts';
import { judging } from './follow.ts';
import { referenceOf, type World, windowOf } from './world.ts';
import { normals, oneOfCategories } from './worlds.ts';

/** A change of the first of 30 columns, from day 0 on. */
export interface Effect {
  readonly name: string;
  readonly world: () => World;
}

const shifted = (by: number): Effect => ({
  name: `a shift of ${by}`,
  world: () => normals((column, day) => ({ shift: column === 0 && day >= 0 ? by : 0 })),
});

/** Six categories, of which the first gives 5 points to the second; 21, of which the first gives them to all others. */
const six = Float64Array.from({ length: 6 }, () => 1 / 6);
const oneToOne = six.with(0, 1 / 6 - 0.05).with(1, 1 / 6 + 0.05);
const many = Float64Array.from({ length: 21 }, (_, index) => (index === 0 ? 0.2 : 0.04));
const spread = many.map((share, index) => share + (index === 0 ? -0.05 : 0.0025));

export const effects: readonly Effect[] = [
  shifted(0.05),
  shifted(0.1),
  shifted(0.2),
  shifted(0.5),
  {
    name: 'a deviation of 1.2',
    world: () => normals((column, day) => ({ shift: 0, scale: column === 0 && day >= 0 ? 1.2 : 1 })),
  },
  { name: '5 points to one other category', world: () => oneOfCategories((day) => (day >= 0 ? oneToOne : six)) },
  { name: '5 points to 20 other categories', world: () => oneOfCategories((day) => (day >= 0 ? spread : many)) },
  {
    name: 'missing values from 1 to 5 %',
    world: () => normals((column, day) => ({ shift: 0, missing: column === 0 && day >= 0 ? 0.05 : 0.01 })),
  },
];

/** So many windows are clean before the change. */
export const histories = [60, 0] as const;
/** Nobody looks any longer. */
const mostWindows = 30;

export const effectName = (effect: string, history: number): string =>
  `${effect}, ${history === 0 ? 'no history' : `${history} windows before`}`;

/** In the tallies, `minutes` are windows from the change to the incident of the column, 1 being the first. */
export const effectCases: readonly Case[] = effects.flatMap(({ name, world: made }) =>
  histories.map((history) => ({
    name: effectName(name, history),
    runs: {
      short: ['a shift of 0.2', 'missing values from 1 to 5 %'].includes(name) && history === 0 ? 20 : 0,
      full: 200,
    },
    begin: () => (random, tallies) => {
      const world = made();
      const reference = referenceOf(world, { days: 1, rowsPerDay: 10_000, hasTime: false }, random);
      const judge = judging(reference);
      const first = reference.columns[0]?.name ?? '';
      let found: number | undefined;
      for (let day = -history; day < mostWindows && found === undefined; day += 1) {
        const { verdict } = judge(windowOf(world, reference, { rows: 1000, day }, random), day);
        if (day >= 0 && verdict.columns.some(({ name, alarm }) => name === first && alarm !== undefined))
          found = day + 1;
      }
      note(tallies, 'serin', found);
    },
  })),
);
