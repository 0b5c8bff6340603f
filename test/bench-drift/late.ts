import { isWorse, lossLimit, noLosses, withLoss, withWindow } from '@serin/core/drift/losses';
import { type Case, note } from '../bench-judge/tally.ts';

/** Labels that come late: 200 a window, of a model that was wrong in 10 % of 5,000 rows of its hold-out. */
const [labels, holdOut, wrong] = [200, 5000, 0.1];

const cases = [
  { name: 'wrong as before', share: wrong, years: 365 },
  { name: 'wrong at the limit', share: undefined, years: 365 },
  { name: '5 points more wrong', share: wrong + 0.05, years: 60 },
  { name: '10 points more wrong', share: wrong + 0.1, years: 60 },
] as const;

/** In the tallies, `exposed` is the number of alarms, and `minutes` the window of the first. */
export const lateCases: readonly Case[] = cases.map(({ name, share, years }) => ({
  name: `labels: ${name}`,
  runs: { short: name === '5 points more wrong' ? 20 : 0, full: 200 },
  begin: () => (random, tallies) => {
    const limit = lossLimit({ sum: random.binomial(holdOut, wrong), labels: holdOut });
    let [evidence, alarms, first]: [typeof noLosses, number, number | undefined] = [noLosses, 0, undefined];
    for (let window = 1; window <= years; window += 1) {
      evidence = withWindow(evidence);
      for (let label = 0; label < labels; label += 1)
        evidence = withLoss(evidence, random.next() < (share ?? limit) ? 1 : 0, limit);
      if (!isWorse(evidence)) continue;
      alarms += 1;
      first ??= window;
      evidence = noLosses;
    }
    note(tallies, 'serin', first, alarms);
  },
}));
