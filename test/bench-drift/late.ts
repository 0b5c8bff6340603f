import { isWorse, type LossEvidence, lossLimit, noLosses, withLoss, withWindow } from '@serin/core/drift/losses';
import type { Random } from '../bench-judge/random.ts';
import { type Case, note } from '../bench-judge/tally.ts';

/** A model that is wrong in 10 %, as its first 1,000 labels tell, by labels that come late. */
const [first, wrong] = [1000, 0.1];

/** `share`: of the labels that say wrong from then on; absent: as much as is not yet worse. */
interface Late {
  readonly name: string;
  readonly labels: number;
  readonly windows: number;
  readonly share?: number;
}

/** In a year: as it was, or as bad as may be. */
export const lateYears: readonly Late[] = [200, 1000].flatMap((labels) => [
  { name: `wrong as before, ${labels} labels a window`, labels, windows: 365, share: wrong },
  { name: `wrong at the limit, ${labels} labels a window`, labels, windows: 365 },
]);

export const lateChanges: readonly Late[] = [200, 1000].flatMap((labels) =>
  [5, 10, 20].map((points) => ({
    ...{ name: `${points} points more wrong, ${labels} labels a window`, labels, windows: 90 },
    share: wrong + points / 100,
  })),
);

/** In the tallies, `exposed` is the number of alarms, and `minutes` the window of the first. */
export const lateCases: readonly Case[] = [...lateYears, ...lateChanges].map((late) => ({
  name: `labels: ${late.name}`,
  runs: { short: late.name.startsWith('10 points') ? 20 : 0, full: 1000 },
  begin: () => (random, tallies) => {
    const limit = lossLimit({ sum: random.binomial(first, wrong), labels: first });
    const { alarms, at } = alarmsOf(late, limit, random);
    note(tallies, 'serin', at, alarms);
  },
}));

function alarmsOf({ labels, windows, share }: Late, limit: number, random: Random) {
  let [evidence, alarms, at]: [LossEvidence, number, number | undefined] = [noLosses, 0, undefined];
  for (let window = 1; window <= windows; window += 1) {
    const bad = random.binomial(labels, share ?? limit);
    evidence = withLoss(withLoss(withWindow(evidence), 1, limit, bad), 0, limit, labels - bad);
    if (!isWorse(evidence)) continue;
    alarms += 1;
    at ??= window;
    evidence = noLosses;
  }
  return { alarms, at };
}
