import type { History } from '../../packages/core/src/judge/history.ts';
import { numberOf } from './names.ts';
import { daysBefore, historyAfter, perHistory } from './past.ts';
import { type Random, random } from './random.ts';
import { type Ended, follow, type Plan, planFor } from './rollout.ts';
import { type Case, note } from './tally.ts';
import { type Noise, type Weather, type Worse, weathered } from './weather.ts';

/**
 * What each condition of the judge is worth: the shipped default in weather that breaks it. A candidate as good as its
 * champion must not be taken back by the evidence, and one at the margin must not be promoted.
 */
export interface Condition {
  /** Of the table: what is broken. */
  readonly breaks: string;
  readonly name: string;
  readonly weather: Weather;
  /** Percent at which the candidate is held for all of the time; absent: the steps of the default. */
  readonly held?: number;
  /** What the candidate at the margin has twice as much of. */
  readonly margin: 'errors' | 'p90';
  /** Minutes after which nobody looks any more; absent: the time that the default has for its last step. */
  readonly until?: number;
  /** Nothing is promised here: what happens is shown. */
  readonly isUnprotected?: true;
}

const rpms = [60, 600, 6000] as const;
const errors = 0.005;
const percent = (sd: number): string => `${Math.round(100 * sd)} %`;
const inWeather = (
  breaks: string,
  name: string,
  more: Partial<Weather>,
  margin: Condition['margin'] = 'errors',
  at: readonly number[] = rpms,
): readonly Condition[] =>
  at.map((rpm) => ({
    breaks,
    name: `${name}, ${rpm} rpm`,
    weather: { rpm, errors, ...more },
    margin,
  }));

const noises = [0.05, 0.1, 0.2].flatMap((sd) => [0, 0.5, 0.8].map((ar): Noise => ({ sd, ar })));
const worst: Noise = { sd: 0.2, ar: 0.8 };

const kept = [
  ...inWeather('nothing', 'calm', {}),
  ...inWeather('nothing', 'day and night, and an incident of both arms', {
    shared: true,
  }),
];
const own = [
  ...noises.flatMap((slowNoise) =>
    inWeather(
      "an arm's own latency",
      `latency of an arm's own, sd ${percent(slowNoise.sd)}, AR ${slowNoise.ar}`,
      { slowNoise },
      'p90',
    ),
  ),
  ...inWeather("an arm's own errors", `errors of an arm's own, sd ${percent(worst.sd)}, AR ${worst.ar}`, {
    errorNoise: worst,
  }),
  ...inWeather(
    'a candidate noisier than its champion',
    'latency, candidate sd 20 %, champion sd 5 %, AR 0.5',
    { slowNoise: { sd: 0.05, ar: 0.5 }, candidateNoise: { sd: 0.2, ar: 0.5 } },
    'p90',
  ),
];
const clustered = [
  ...inWeather('requests fail together', 'bursts of 10 to 100, one in 20 minutes and arm', { bursts: [10, 100] }),
  ...inWeather('requests fail together', 'bursts of 10, one in 20 minutes and arm', { bursts: [10, 10] }),
  ...inWeather('requests fail together', 'bursts of 10 to 100 and latency of sd 10 %, AR 0.5', {
    bursts: [10, 100],
    slowNoise: { sd: 0.1, ar: 0.5 },
  }),
  ...inWeather('requests fail together', 'ten bad requests on one connection, once in 5 minutes', { connections: 0.2 }),
  ...inWeather('requests fail together', 'three retries on the same arm', {
    retries: 3,
  }),
];
const others = [...inWeather('warm caches', 'cold caches: slow x2 at each new weight, for 10 min', { cold: 2 }, 'p90')];
const holds = [5, 25, 50].flatMap((held) =>
  [
    ...inWeather('nothing', 'calm', {}, 'errors', [600, 6000]),
    ...inWeather('requests fail together', 'bursts of 10 to 100', { bursts: [10, 100] }, 'errors', [600, 6000]),
    ...inWeather("an arm's own latency", 'latency of sd 20 %, AR 0.8', { slowNoise: worst }, 'p90', [600, 6000]),
  ].map(
    (condition): Condition => ({
      ...condition,
      name: `held at ${held} %: ${condition.name}`,
      held,
    }),
  ),
);

export const conditions: readonly Condition[] = [...kept, ...own, ...clustered, ...others, ...holds];

/** Slow probes count for the champion, beside so little traffic that a certificate takes up to a day. */
const probed = [1, 0.5].flatMap((slowProbes) =>
  inWeather(
    'nobody calls an arm directly',
    `six slow probes a minute to the champion, ${slowProbes === 1 ? 'all' : 'half'} of them slow`,
    { slowProbes },
    'p90',
    [10, 20],
  ).map((condition): Condition => ({ ...condition, until: 26 * 60 })),
);
const lasting: Noise = { sd: 0.2, ar: 0.95 };
const beyond = [
  ...[0.2, 2].flatMap((incidents) =>
    inWeather(
      "an arm's own errors",
      `incidents of one arm: errors x10 for 10 min, ${incidents} a day`,
      { incidents },
      'errors',
      [600, 6000],
    ),
  ),
  ...inWeather("an arm's own latency", 'latency, sd 20 %, AR 0.95', { slowNoise: lasting }, 'p90', [600, 6000]),
  ...inWeather("an arm's own errors", 'errors, sd 20 %, AR 0.95', { errorNoise: lasting }, 'errors', [600, 6000]),
  ...inWeather(
    'as many replicas',
    'latency of 1 replica beside 19, each of sd 20 %, AR 0.8',
    { slowNoise: { sd: 0.2 / Math.sqrt(19), ar: 0.8 }, candidateNoise: worst },
    'p90',
    [600, 6000],
  ),
  ...inWeather(
    'it can serve while it scales up',
    'cold errors: 5 % fail for 2 min at each new weight',
    { coldErrors: 0.05 },
    'errors',
    [60, 600, 6000],
  ),
  ...inWeather(
    'capacity grows with the share',
    'load: no slower at 5 %, x1.5 at 50 %',
    { load: 1.5 },
    'p90',
    [600, 6000],
  ),
  ...inWeather(
    'a fresh coin for each request',
    'a coin for each connection of 10 to 100 requests',
    { perConnection: [10, 100] },
    'errors',
    [600, 6000],
  ),
  ...inWeather('a fresh coin for each request', 'users stay with their model, and nobody says so', { sticky: true }),
].map((condition): Condition => ({ ...condition, isUnprotected: true }));

/** In a table of their own: at other traffic, or outside of what is promised. */
export const furtherConditions: readonly Condition[] = [...probed, ...beyond];

/** The default; where the weight is held, one step of it for as long as all steps may last. */
export const planIn = ({ held }: Pick<Condition, 'held'>, given: Parameters<typeof planFor>[0] = {}): Plan =>
  planFor({
    ...given,
    ...(held === undefined ? {} : { steps: [held], bake: '105m', atMost: '105m' }),
  });

/** To the end of the guard behind a last step that took all of its time; where nothing happens, much longer. */
const until = 140;
const untilCalm = 600;
const isCalm = ({ name }: Condition): boolean => name.startsWith('calm');
/** To the end of the longest last step. */
const untilPromoted = 108;
/** So little that no evidence reaches it: the bound of the promotion is measured by itself. */
const neverBack = 1e-12;

/** How far the judge knows the champion. */
export const knowledges = ['with history', 'no history'] as const;
export type Knowledge = (typeof knowledges)[number];

export const falseName = ({ name }: Pick<Condition, 'name'>, known: Knowledge): string => `innocent, ${known}: ${name}`;
export const wrongName = ({ name }: Pick<Condition, 'name'>, known: Knowledge): string =>
  `at the margin, ${known}: ${name}`;

interface Given {
  readonly condition: Condition;
  readonly known: Knowledge;
  readonly plan: Plan;
  readonly until: number;
  readonly worse?: Worse;
}

/** Follows one rollout after the other in the same weather. */
export function followerIn({
  condition: { name, weather },
  known,
  plan,
  until,
  worse,
}: Given): (random: Random) => Ended {
  const before = known === 'no history' ? undefined : daysBefore(weathered(random(numberOf(name)), weather).alone);
  let history: History | undefined;
  let count = 0;
  return (own) => {
    if (before !== undefined && count % perHistory === 0) history = historyAfter(before, weathered(own, weather).alone);
    count += 1;
    return follow(plan, weathered(own, weather, worse), { until, history });
  };
}

/** As many as tell whether a target is met. */
function runsOf({ held, until: long, isUnprotected }: Condition, known: Knowledge) {
  if (long !== undefined) return { innocent: 200, margin: 200 };
  if (isUnprotected) return { innocent: 500, margin: 400 };
  return { innocent: known === 'no history' ? 800 : 1500, margin: held === undefined ? 500 : 0 };
}

function casesOf(condition: Condition, known: Knowledge, short: number): readonly Case[] {
  const plan = planIn(condition);
  const unguarded = planIn(condition, { alpha: neverBack, guard: '0s' });
  const isLong = condition.until !== undefined;
  const runs = runsOf(condition, known);
  return [
    {
      name: falseName(condition, known),
      runs: { short: isLong ? 0 : short, full: runs.innocent },
      begin() {
        const next = followerIn({
          condition,
          known,
          plan,
          until: condition.until ?? (isCalm(condition) ? untilCalm : until),
        });
        return (random, tallies) => {
          const { end, minutes, exposed, wasHeld, promotedAt } = next(random);
          note(tallies, 'judge', end === 'evidence' ? minutes : undefined, exposed);
          note(tallies, `ended: ${end}`, minutes);
          note(tallies, 'promoted', promotedAt);
          if (wasHeld) note(tallies, 'was held', 0);
        };
      },
    },
    {
      name: wrongName(condition, known),
      runs: { short: isLong ? short / 5 : short, full: runs.margin },
      begin() {
        const worse: Worse = { [condition.margin]: 2 };
        const next = followerIn({
          condition,
          known,
          plan: unguarded,
          until: condition.until ?? untilPromoted,
          worse,
        });
        return (random, tallies) => {
          const { end, promotedAt } = next(random);
          note(tallies, 'judge', end === 'certified' ? promotedAt : undefined);
        };
      },
    },
  ];
}

/** Those that a judge without reckoning with weather loses so often that few runs tell. */
const inShort = new Set([
  'calm, 600 rpm',
  "latency of an arm's own, sd 20 %, AR 0.8, 6000 rpm",
  'bursts of 10 to 100, one in 20 minutes and arm, 600 rpm',
  'three retries on the same arm, 6000 rpm',
  'cold caches: slow x2 at each new weight, for 10 min, 600 rpm',
  'six slow probes a minute to the champion, all of them slow, 20 rpm',
]);
export const conditionCases: readonly Case[] = [...conditions, ...furtherConditions].flatMap((condition) =>
  knowledges.flatMap((known) => casesOf(condition, known, inShort.has(condition.name) ? 150 : 0)),
);
