import type { Config } from '@serin/core/config/config';
import type { CapturedRow } from '@serin/core/ports/captured';
import { random } from '../simulation/random.ts';

/** Rules of a model whose requests are judged each day. */
export const judgedDaily: Partial<Config['models'][string]> = {
  rollout: { steps: [10, 50], bake: '2m', guard: '2m', warmUp: 0 },
  monitor: { capture: { share: '10%', fields: ['amount', 'colour'] }, drift: { columns: { amount: 'number' } } },
};

const colours = ['red', 'green', 'blue'] as const;
const rowOf = (draw: number, isLate: boolean) => ({
  amount: (draw % 97) + (isLate ? 40 : 0),
  colour: colours[draw % 3] ?? 'red',
});

/** A file of rows as requests are before they turn. */
export const trainingRows = `amount,colour\n${Array.from({ length: 291 }, (_, at) => Object.values(rowOf(at, false)).join()).join('\n')}\n`;

/** Who asks: 600 rows a day, whose amounts are higher from a time on. */
export const askedUntil = (turnsAt: number) => () => ({
  ...{ everyMs: 720_000, rows: 5, perPage: 1000, lateMs: 0 },
  answer: (row: CapturedRow) => ('amount' in row && Number(row.amount) > 60 ? 'high' : 'low'),
  row: (at: number, index: number) => rowOf(random(at / 1000 + index * 7919).between(0, 290), at >= turnsAt),
});
