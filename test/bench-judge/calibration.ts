import { comparedRpms, comparedShare, limitKey } from './compare.ts';
import { incident, sinus } from './nulls.ts';
import { fill, newStream, ramp, type Traffic } from './stream.ts';
import { type Case, note, type Tallies } from './tally.ts';
import { crossed, limitFor, shapes, statisticsOf } from './tuned.ts';

/** How high the statistic of every tuned shape comes in the nulls: its limits are read off from that. */
const weathers = [
  { name: 'N1', weather: {} },
  { name: 'N2', weather: { weather: incident } },
  { name: 'N3', weather: { weather: sinus } },
] as const;

const nameOf = (rpm: number, weather: string): string => `tuning ${weather}, ${rpm} rpm`;
const falseRollback = 0.01;

export const calibrations: readonly Case[] = comparedRpms.flatMap((rpm) =>
  weathers.map(
    ({ name, weather }): Case => ({
      name: nameOf(rpm, name),
      // The short form compares with them at 6,000 rpm alone.
      runs: { short: rpm === 6000 ? 4000 : 0, full: 10_000 },
      begin() {
        const stream = newStream(ramp);
        const traffic: Traffic = { rpm, share: comparedShare, ...weather };
        return (random, tallies) => {
          fill(stream, random, traffic);
          const statistics = statisticsOf(stream);
          for (const shape of shapes) note(tallies, shape.name, crossed(statistics(shape), shape));
        };
      },
    }),
  ),
);

/** How often a limit would roll back in each null. */
export function falseShares(tallies: Readonly<Record<string, Tallies>>, rpm: number, shape: string, limit: number) {
  return weathers.map(({ name }) => {
    const highest = tallies[nameOf(rpm, name)]?.[shape]?.minutes ?? [];
    return highest.length === 0 ? 0 : highest.filter((value) => value > limit).length / highest.length;
  });
}

/** The limit of each shape: `iid` from N1 alone, `safe` the highest of the three nulls. */
export function limitsFrom(tallies: Readonly<Record<string, Tallies>>): Readonly<Record<string, number>> {
  const limits: Record<string, number> = {};
  for (const rpm of comparedRpms)
    for (const { name } of shapes) {
      const each = weathers.map((weather) =>
        limitFor(tallies[nameOf(rpm, weather.name)]?.[name]?.minutes ?? [], falseRollback),
      );
      limits[limitKey(rpm, 'iid', name)] = each[0] ?? Number.POSITIVE_INFINITY;
      limits[limitKey(rpm, 'safe', name)] = Math.max(...each);
    }
  return limits;
}
