import { slowerThan } from '../../packages/core/src/base/measures.ts';
import { type History, historyMs, historyOf, historyTickMs } from '../../packages/core/src/judge/history.ts';
import type { Tick } from '../../packages/core/src/ports/telemetry.ts';
import type { Random } from './random.ts';
import { type ArmCounts, champion, countsOf, follow, minuteMs, planFor, type Source, start } from './rollout.ts';
import { thresholds } from './stream.ts';
import { type Case, note } from './tally.ts';

/**
 * Both arms get worse together. A service with a week behind it: up and down by half between day and night, and
 * incidents that hit whatever serves. The candidate is as good as its champion, or it makes both fail from the 25 % step
 * on.
 */
export interface Service {
  readonly rpm: number;
  /** Incidents a day, each as bad as this for as many minutes. */
  readonly incidents: number;
  readonly minutes: (random: Random) => number;
  readonly times: (random: Random) => number;
}

/** How many times as often everything fails while the candidate has this weight, or once it has had it. */
export interface Interference {
  readonly times: number;
  readonly from: number;
  readonly lasts: boolean;
}

const errorShare = 0.005;
const slowShares = [0.5, 0.1, 0.01] as const;
const day = 24 * 60;
const week = historyMs / minuteMs;
const perTick = historyTickMs / minuteMs;
const measures = ['errors', ...thresholds.map(slowerThan)];

/** How many times as often requests fail, minute by minute from a week before the start on. */
function weather(random: Random, { incidents, minutes, times }: Service, until: number): Float64Array {
  const phase = 2 * Math.PI * random.next();
  const factors = Float64Array.from(
    { length: week + until },
    (_, minute) => 1 + 0.5 * Math.sin((2 * Math.PI * minute) / day + phase),
  );
  for (let left = random.poisson((incidents * factors.length) / day); left > 0; left -= 1) {
    const from = Math.floor(random.next() * factors.length);
    const factor = times(random);
    factors.subarray(from, from + minutes(random)).forEach((_, index) => {
      factors[from + index] = (factors[from + index] ?? 1) * factor;
    });
  }
  return factors;
}

/** Slow requests move with the failing ones, by a third of the logarithm. */
function drawn(random: Random, requests: number, factor: number): ArmCounts {
  const errors = random.binomial(requests, Math.min(1, errorShare * factor));
  const odds = Math.cbrt(factor);
  let [left, of] = [requests, 1];
  const slow: ArmCounts['slow'] = [0, 0, 0];
  slowShares.forEach((usual, index) => {
    const share = (usual * odds) / (1 - usual + usual * odds);
    left = random.binomial(left, share / of);
    of = share;
    slow[index] = left;
  });
  return { requests, errors, slow };
}

/** The mean of these minutes. */
const meanOf = (factors: Float64Array): number => factors.reduce((sum, factor) => sum + factor, 0) / factors.length;

function pastOf(random: Random, { rpm }: Service, factors: Float64Array): History | undefined {
  const ticks = (minutes: number, from: number): readonly Tick[] =>
    Array.from({ length: (week - from) / minutes }, (_, index) => {
      const at = from + index * minutes;
      const counts = drawn(random, random.poisson(rpm * minutes), meanOf(factors.subarray(at, at + minutes)));
      return { start: start + (at - week) * minuteMs, counts: { [champion]: countsOf(counts) } };
    });
  const [recent, long] = [ticks(1, week - day), ticks(perTick, 0)];
  return historyOf({ deployment: champion, measures, tickMs: minuteMs, start, recent, long });
}

function sourceOf(random: Random, { rpm }: Service, factors: Float64Array, harm: Interference | undefined): Source {
  let minute = week;
  let had = 0;
  return {
    next(weight) {
      had = harm?.lasts ? Math.max(had, weight) : weight;
      const factor = (factors[minute] ?? 1) * (harm !== undefined && had >= harm.from ? harm.times : 1);
      minute += 1;
      const arm = (share: number) => drawn(random, random.poisson((rpm * share) / 100), factor);
      return { candidate: arm(weight), champion: arm(100 - weight) };
    },
  };
}

/** To the end of the guard behind a last step that took all of its time, and a hold on the way. */
const until = 200;

const inShort = new Set(['innocent, an incident a day', 'x10 from 25 % on, an incident a day']);

const caseOf = (name: string, service: Service, harm?: Interference): Case => ({
  name: `both arms: ${name}, ${service.rpm} rpm`,
  runs: { short: service.rpm === 600 && inShort.has(name) ? 60 : 0, full: harm === undefined ? 1000 : 300 },
  begin() {
    const plan = planFor();
    return (random, tallies) => {
      const factors = weather(random, service, until);
      const history = pastOf(random, service, factors);
      const { end, minutes, exposed, wasHeldTogether } = follow(plan, sourceOf(random, service, factors, harm), {
        until,
        history,
      });
      note(tallies, 'taken back', end === 'together' ? minutes : undefined, exposed);
      note(tallies, 'held', wasHeldTogether);
      note(tallies, `ended: ${end}`, minutes);
    };
  },
});

const daily = { incidents: 1, minutes: () => 8, times: () => 6 };
/** Twenty minutes in the mean, twice as bad at least, and one in ten twenty times. */
const long = {
  incidents: 1,
  minutes: (random: Random) => Math.ceil(-20 * Math.log(random.next())),
  times: (random: Random) => Math.min(50, 2 / random.next()),
};
const tenfold: Interference = { times: 10, from: 25, lasts: true };
const harms: readonly Interference[] = [2, 3, 10].flatMap((times) => [
  { ...tenfold, times },
  { ...tenfold, times, lasts: false },
]);

const rpms = [60, 600, 6000] as const;
const casesOf = (name: string, service: Omit<Service, 'rpm'>, found: readonly Interference[]): readonly Case[] =>
  rpms.flatMap((rpm) => [
    caseOf(`innocent, ${name}`, { ...service, rpm }),
    ...found.map((harm) =>
      caseOf(`x${harm.times} from 25 % on${harm.lasts ? '' : ', not below'}, ${name}`, { ...service, rpm }, harm),
    ),
  ]);

export const togetherCases: readonly Case[] = [
  ...casesOf('an incident a day', daily, harms),
  ...casesOf('five incidents a day', { ...daily, incidents: 5 }, [tenfold]),
  ...casesOf('a long incident a day', long, [tenfold]),
];
