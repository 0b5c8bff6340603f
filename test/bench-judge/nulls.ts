import { compare, comparedAt, judged } from './compare.ts';
import { rollback, rulesFor, ticksOf } from './ours.ts';
import { calmAt, historyIn } from './past.ts';
import type { Random } from './random.ts';
import { fallingRamp, fill, newStream, ramp, type Stream, steps, type Traffic } from './stream.ts';
import type { Case } from './tally.ts';
import { n5, n6, n8, n9, n10 } from './unlike.ts';

/** Both arms six times as bad for 8 ticks, from a tick of 5 to 50 on. */
export function incident(random: Random): (tick: number) => number {
  const start = 5 + Math.floor(random.next() * 46);
  return (tick) => (tick >= start && tick < start + 8 ? 6 : 1);
}

/** The baseline goes up and down by half, once an hour, from a random phase on. */
export function sinus(random: Random): (tick: number) => number {
  const phase = random.next() * 2 * Math.PI;
  return (tick) => 1 + 0.5 * Math.sin((2 * Math.PI * tick) / 60 + phase);
}

export const percentText = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
export const cellText = ({ rpm, share }: Traffic): string => `${rpm} rpm, ${percentText(share)}`;

const rpms = [60, 600, 6000, 60_000] as const;
const someShares = [0.0005, 0.005, 0.05, 0.2] as const;
/** Nearly none is rolled back, so that so many show that the bound is kept. */
const usual = 2000;

interface Cell {
  readonly full?: number;
  readonly of: string;
  readonly traffic: Traffic;
  readonly weights?: readonly number[];
  readonly short?: number;
  readonly routing?: 'configured' | 'realised';
}

/** Eight guardrails together; on the traffic of the comparison, the other rules see the same streams. */
function cell({ of, traffic, weights = ramp, short = 0, full = usual, routing = 'configured' }: Cell): Case {
  const kind = [routing === 'realised' ? ', share as it came' : '', weights === fallingRamp ? ', falling ramp' : ''];
  const name = `${of}, ${cellText(traffic)}${kind.join('')}`;
  if (routing === 'configured' && weights === ramp && comparedAt(traffic))
    return compare({
      name,
      traffic,
      runs: { short, full },
      families: ['default', 'errors', 'eight'],
    });
  return {
    name,
    runs: { short, full },
    begin() {
      const stream = newStream(weights);
      const rules = rulesFor('eight', { routing }, historyIn(traffic, name));
      return (random, tallies) => {
        fill(stream, random, traffic);
        judged(tallies, 'judge', rollback(ticksOf(stream, 'eight'), weights, rules), stream);
      };
    },
  };
}

const shortOf = (rpm: number, share: number): number => (rpm === 6000 && share === 0.005 ? 2000 : 0);

const n1 = rpms.flatMap((rpm) =>
  [0, ...someShares].map((share) => cell({ of: 'N1 iid', traffic: { rpm, share }, short: shortOf(rpm, share) })),
);
const n1Others = [
  cell({
    of: 'N1 iid',
    traffic: { rpm: 6000, share: 0.005 },
    weights: fallingRamp,
    short: 1000,
  }),
  cell({
    of: 'N1 iid',
    traffic: { rpm: 600, share: 0.05 },
    weights: fallingRamp,
  }),
  cell({
    of: 'N1 iid',
    traffic: { rpm: 6000, share: 0.005 },
    routing: 'realised',
    short: 1000,
  }),
  cell({ of: 'N1 iid', traffic: { rpm: 60, share: 0.2 }, routing: 'realised' }),
];
const n2 = rpms.flatMap((rpm) =>
  someShares.map((share) =>
    cell({
      of: 'N2 shared incident',
      traffic: { rpm, share, weather: incident },
      short: shortOf(rpm, share),
    }),
  ),
);
const n3 = rpms.flatMap((rpm) =>
  [0.005, 0.05].map((share) =>
    cell({
      of: 'N3 moving baseline',
      traffic: { rpm, share, weather: sinus },
      short: shortOf(rpm, share) / 2,
    }),
  ),
);
const n4 = [
  { rpm: 60_000, share: 0.00001 },
  { rpm: 600, share: 0.0001 },
  { rpm: 6000, share: 0.5 },
  { rpm: 60, share: 0.9 },
].map((traffic, index) => cell({ of: 'N4 rare and common', traffic, short: index === 2 ? 1000 : 0 }));

const n0 = (['', ', as labels are judged'] as const).flatMap((how) =>
  (
    [
      [300, 1],
      [400, 4],
      [800, 40],
    ] as const
  ).map(
    ([ticks, bad]): Case => ({
      name: `N0 saturated${how}, ${ticks} ticks of ${bad}`,
      runs: { short: 0, full: how === '' ? 2000 : 10_000 },
      begin() {
        const stream = saturated(ticks);
        const rules = rulesFor('errors', {}, how === '' ? calmAt(bad) : 'exact');
        return (random, tallies) => {
          fillSaturated(stream, random, bad);
          judged(tallies, 'judge', rollback(ticksOf(stream, 'errors'), stream.weights, rules), stream);
        };
      },
    }),
  ),
);

/** Half of the traffic each: nothing but the origin of the bad requests is left to chance. */
export function saturated(ticks: number): Stream {
  const stream = newStream(steps([50], ticks));
  stream.requests.candidate.fill(1000);
  stream.requests.champion.fill(1000);
  return stream;
}

export function fillSaturated(stream: Stream, random: Random, bad: number): void {
  for (let tick = 0; tick < stream.weights.length; tick += 1) {
    const ours = random.binomial(bad, 0.5);
    stream.errors.candidate[tick] = ours;
    stream.errors.champion[tick] = bad - ours;
  }
}

const n7 = [10, 20].flatMap((rpm) =>
  [0.05, 0.2].map((share) =>
    cell({
      of: 'N7 held at 5 %',
      traffic: { rpm, share },
      weights: steps([5], 240),
      full: 4000,
      short: rpm === 20 && share === 0.2 ? 500 : 0,
    }),
  ),
);

export const nulls: readonly Case[] = [
  ...n0,
  ...n1,
  ...n1Others,
  ...n2,
  ...n3,
  ...n4,
  ...n5,
  ...n6,
  ...n7,
  ...n8,
  ...n9,
  ...n10,
];
