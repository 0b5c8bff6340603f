import { shareOf, shareWithin } from '../bench-judge/claims.ts';
import { type Chart, dots, type Point, type Row } from '../bench-judge/plot.ts';
import { random } from '../bench-judge/random.ts';
import type { Tally } from '../bench-judge/tally.ts';
import { type Results, tallyOf } from './figures.ts';
import { judging, shipped } from './follow.ts';
import { quietName, quietSizes, shiftName, shiftSizes } from './rule-cases.ts';
import { rules } from './rules.ts';
import { referenceOf, windowOf } from './world.ts';
import { normals } from './worlds.ts';

const tools = ['serin', ...rules.map(({ name }) => name)];
const marks = (...values: readonly number[]) => values.map((value) => ({ value, text: value.toLocaleString('en-GB') }));

const rowsOf = (pointsOf: (tool: string) => readonly (Point | undefined)[]): readonly Row[] =>
  tools.map((tool) => ({
    name: tool === 'serin' ? 'Serin' : tool,
    points: pointsOf(tool),
    ...(tool === 'serin' ? { look: 'ours' as const } : {}),
  }));

/** A share of the windows, as windows of a year. */
function daysAYear(tally: Tally): Point | undefined {
  if (tally.runs === 0) return undefined;
  const { value, low, high } = shareOf(tally);
  return { value: 365 * value, low: 365 * low, high: 365 * high };
}

export const quietPlot = (results: Results): string =>
  dots({
    title: 'Windows of a year in which a column alarms, and nothing has changed',
    note: [
      '24 columns of numbers and 6 of categories; n rows of the reference, m of a window. Left edge: 0.1 or fewer.',
      'Bars are 95 % limits. The red line is one a year.',
    ],
    panels: quietSizes.map(({ n, m }) => ({
      title: `n ${n.toLocaleString('en-GB')}, m ${m.toLocaleString('en-GB')}`,
      marks: marks(0.1, 1, 10, 365),
      bound: 1,
    })),
    rows: rowsOf((tool) => quietSizes.map((size) => daysAYear(tallyOf(results, quietName(size), tool)))),
  });

export const shiftPlot = (results: Results): string =>
  dots({
    title: 'Found within 7 windows, in percent, by the size of the shift',
    note: [
      'One of 24 normal columns shifts by so many standard deviations; n 10,000, m 1,000. Left edge: 3 % or less.',
      'A rule that alarms without a change finds this as well: read it beside the false alarms.',
    ],
    panels: shiftSizes.map((size) => ({ title: `${size}`, marks: marks(3, 10, 30, 100) })),
    rows: rowsOf((tool) =>
      shiftSizes.map((size) => {
        const tally = tallyOf(results, shiftName(size), tool);
        if (tally.runs === 0) return undefined;
        const { value, low, high } = shareWithin(tally, 7);
        return { value: 100 * value, low: 100 * low, high: 100 * high };
      }),
    ),
  });

/** One of 30 columns shifts by 0.1 in the 11th window. */
export function examplePlot(seed: number): string {
  const draws = random(seed);
  const world = normals((column, day) => ({ shift: column === 0 && day >= 0 ? 0.1 : 0 }));
  const reference = referenceOf(world, { days: 1, rowsPerDay: 10_000, hasTime: false }, draws);
  const judge = judging(reference);
  const rows = Array.from({ length: 16 }, (_, index): Row => {
    const day = index - 10;
    const { verdict } = judge(windowOf(world, reference, { rows: 1000, day }, draws), day);
    const [column] = verdict.columns;
    const alarm = column?.alarm;
    return {
      name: `window ${index + 1}${day === 0 ? ', the shift begins' : ''}${alarm === undefined ? '' : `: ${alarm}`}`,
      look: alarm === undefined ? 'reference' : 'ours',
      points: [{ value: verdict.evidence }, { value: column?.evidence ?? 0 }, { value: column?.size ?? 0 }],
    };
  });
  const chart: Chart = {
    title: 'One example: a column of 30 shifts by 0.1 standard deviations in window 11',
    note: [
      'Red: what has to be reached. All three are needed. While an incident is open its column is judged window by window',
      'and adds nothing to the evidence of the model.',
    ],
    panels: [
      { title: 'evidence, all columns', marks: marks(0.1, 10, 1000, 100_000), bound: shipped.quietFor },
      { title: 'evidence of the column', marks: marks(0.1, 10, 1000, 100_000), bound: shipped.quietFor },
      { title: 'size of its change', marks: marks(0.01, 0.03, 0.1), bound: shipped.notice },
    ],
    rows,
  };
  return dots(chart);
}
