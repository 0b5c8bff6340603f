import type { History } from '../../packages/core/src/judge/history.ts';
import { admit, isMisrouted, type Routing } from '../../packages/core/src/judge/routing.ts';
import { type Claim, figure, medianOf, shareOf } from './claims.ts';
import { table } from './markdown.ts';
import { numberOf } from './names.ts';
import type { Part } from './parts.ts';
import { daysBefore, historyAfter, perHistory } from './past.ts';
import { type Random, random } from './random.ts';
import { follow, minuteMs, planFor } from './rollout.ts';
import { type Disturbance, direct, gap, late, lost, pinned, skewed } from './routing.ts';
import { type Case, note } from './tally.ts';
import { type Weather, type Worse, weathered } from './weather.ts';

/**
 * What the numbers of requests do to a rollout, through the table of the product: where requests are few with the week that
 * the champion had before, as every champion has one, and without a history where it is told or they are many.
 */
interface Scene {
  readonly known?: true;
  readonly name: string;
  readonly rpm: number;
  readonly disturb?: Disturbance;
  readonly weather?: Partial<Weather>;
  readonly worse?: Worse;
}

const rpms = [60, 600, 6000] as const;
const errors = 0.005;

/** From the fifth minute on: before it nothing of the candidate may have been counted. */
const when = (rpm: number): readonly [number, number] => [5, rpm === 60 ? 150 : 45];

const harmless: readonly Scene[] = rpms.flatMap((rpm) =>
  (
    [
      ['nothing happens', undefined],
      ['ten minutes without the telemetry of the candidate', gap('candidate', 10, when(rpm))],
      ['ten minutes without the telemetry of the champion', gap('champion', 10, when(rpm))],
      ['each weight lands a minute late', late(1)],
      ['six health checks a minute on the candidate', direct('candidate', 6)],
      ['six health checks a minute on the champion', direct('champion', 6)],
    ] as const
  ).map(
    ([name, disturb]): Scene => ({
      ...{ name, rpm, ...(disturb === undefined ? {} : { disturb }) },
      ...(rpm === 60 ? { known: true } : {}),
    }),
  ),
);

/** By the ratio alone: a check that is never bad makes the champion look better. */
const unknownScene: Scene = {
  ...{ name: 'six health checks a minute on the champion, no history', rpm: 60 },
  disturb: direct('champion', 6),
};

const pinnedScene: Scene = {
  name: 'six real requests a minute are pinned to the candidate',
  rpm: 60,
  disturb: pinned('candidate', 6),
};

const times = (factor: number, worse: number): readonly Scene[] =>
  [600, 6000].map((rpm) => ({
    name: `the candidate gets ${factor} times its share, and fails ${worse} times as often`,
    rpm,
    disturb: skewed(factor),
    worse: { errors: worse },
  }));

const misrouted: readonly Scene[] = [
  ...times(1.5, 20),
  ...times(1.2, 3),
  ...times(1.2, 5),
  ...times(0.7, 5),
  ...times(2, 50),
  ...[600, 6000].flatMap((rpm) =>
    (['candidate', 'champion'] as const).map(
      (arm): Scene => ({ name: `a fifth of the telemetry of the ${arm} is lost`, rpm, disturb: lost(arm, 0.2) }),
    ),
  ),
  {
    name: '300 tests a minute call the candidate directly, and 30 % of them fail',
    rpm: 6000,
    disturb: direct('candidate', 300, 0.3),
  },
  ...[40, 90].map(
    (worse): Scene => ({
      name: `three retries at the same model, and the candidate fails ${(100 * worse * errors).toFixed(0)} %`,
      rpm: 6000,
      weather: { retries: 3 },
      worse: { errors: worse },
    }),
  ),
];

const plan = planFor({ guard: '5m' });
/** So little that no evidence reaches it: the bound of the promotion is measured by itself. */
const unjudged = planFor({ guard: '5m', alpha: 1e-12, maxHold: '1h' });
const untilOf = (rpm: number): number => (rpm === 60 ? 1600 : 400);

const nameOf = ({ name, rpm }: Scene): string => `${name}, ${rpm} rpm`;
const marginName = (scene: Scene): string => `at the margin: ${nameOf(scene)}`;

/** A week of the champion for five rollouts: it takes as long to draw. */
function historiesOf({ known, rpm, weather, name }: Scene): (random: Random) => History | undefined {
  if (known === undefined) return () => undefined;
  const alone = (own: Random) => weathered(own, { rpm, errors, ...weather }).alone;
  const before = daysBefore(alone(random(numberOf(name))));
  let history: History | undefined;
  let count = 0;
  return (own) => {
    if (count % perHistory === 0) history = historyAfter(before, alone(own));
    count += 1;
    return history;
  };
}

function played({ rpm, disturb, weather }: Scene, own: Random, worse?: Worse) {
  const source = weathered(own, { rpm, errors, ...weather }, worse);
  return disturb === undefined ? source : disturb(source, own);
}

const runsOf = ({ rpm }: Scene, short: number) => ({ short: rpm === 60 ? 0 : short, full: rpm === 60 ? 300 : 1000 });

const healthyCase = (scene: Scene): Case => ({
  name: nameOf(scene),
  runs: runsOf(scene, scene.name.startsWith('ten minutes') ? 100 : 0),
  begin: () => {
    const historyOf = historiesOf(scene);
    return (own, tallies) => {
      const given = { until: untilOf(scene.rpm), history: historyOf(own) };
      const { end, promotedAt, exposed } = follow(plan, played(scene, own), given);
      note(tallies, 'judge', end === 'certified' ? promotedAt : undefined, exposed);
      if (end === 'evidence') note(tallies, 'taken back by evidence', 0);
    };
  },
});

const marginCase = (scene: Scene): Case => ({
  name: marginName(scene),
  runs: runsOf(scene, 0),
  begin: () => {
    const historyOf = historiesOf(scene);
    return (own, tallies) => {
      const given = { until: untilOf(scene.rpm), history: historyOf(own) };
      const { end, promotedAt } = follow(unjudged, played(scene, own, { errors: 2 }), given);
      note(tallies, 'judge', end === 'certified' ? promotedAt : undefined);
    };
  },
});

/** Taken back, or held at the weight of the step before until it is. */
const misroutedCase = (scene: Scene): Case => ({
  name: nameOf(scene),
  runs: runsOf(scene, 0),
  begin: () => (random, tallies) => {
    const { end, minutes, exposed, promotedAt } = follow(plan, played(scene, random, scene.worse), { until: 200 });
    const isBack = promotedAt === undefined && end !== 'held' && end !== 'open';
    note(tallies, 'judge', isBack ? minutes : undefined, exposed);
  },
});

const falseName = (rpm: number): string =>
  `held for its routing though every request is routed by its coin, ${rpm} rpm`;

/** The numbers of requests alone, in the steps of the default and an hour more of the last one. */
const falseCases: readonly Case[] = rpms.map((rpm) => ({
  name: falseName(rpm),
  runs: { short: 500, full: 20_000 },
  begin: () => (random, tallies) => {
    let routing: Routing | undefined;
    let held: number | undefined;
    for (let minute = 0; minute < 105 && held === undefined; minute += 1) {
      const share = minute < 15 ? 0.05 : minute < 30 ? 0.25 : 0.5;
      const split = { candidate: random.poisson(rpm * share), champion: random.poisson(rpm * (1 - share)) };
      const at = { start: minute * minuteMs, tickMs: minuteMs, share, period: share, unit: 'request' } as const;
      routing = admit(routing, split, at).routing;
      if (isMisrouted(routing)) held = minute;
    }
    note(tallies, 'judge', held);
  },
}));

const claimOf = (
  results: Parameters<Part['claims']>[0],
  name: string,
  what: string,
  goal: Claim['goal'],
): readonly Claim[] => {
  const tally = results[name]?.judge;
  return tally === undefined ? [] : [{ what: `${what}: ${name}`, estimate: shareOf(tally), goal, unit: 'share' }];
};

export const routingPart: Part = {
  cases: [
    ...[...harmless, unknownScene, pinnedScene].map(healthyCase),
    ...[...harmless, unknownScene].map(marginCase),
    ...misrouted.map(misroutedCase),
    ...falseCases,
  ],
  claims: (results) => [
    ...harmless.flatMap((scene) => claimOf(results, nameOf(scene), 'promoted when healthy', { atLeast: 0.95 })),
    ...harmless.flatMap((scene) => claimOf(results, marginName(scene), 'promoted', { atMost: 0.05 })),
    ...misrouted.flatMap((scene) => claimOf(results, nameOf(scene), 'taken back or held back', { atLeast: 0.95 })),
    ...rpms.flatMap((rpm) => claimOf(results, falseName(rpm), 'false holds', { atMost: 0.001 })),
  ],
  section(results) {
    const shareText = (name: string): string => {
      const tally = results[name]?.judge;
      return tally === undefined ? '' : figure(shareOf(tally).value, 'share');
    };
    const runsText = (name: string): string => (results[name]?.judge?.runs ?? 0).toLocaleString('en-GB');
    const healthyRows = [...harmless, unknownScene, pinnedScene].map((scene) => {
      const tallies = results[nameOf(scene)] ?? {};
      const { judge } = tallies;
      return [
        nameOf(scene),
        shareText(nameOf(scene)),
        judge === undefined ? '' : figure(medianOf(judge).value, 'minutes'),
        figure((tallies['taken back by evidence']?.runs ?? 0) / Math.max(1, judge?.runs ?? 0), 'share'),
        shareText(marginName(scene)),
        runsText(nameOf(scene)),
      ];
    });
    const misroutedRows = misrouted.map((scene) => {
      const judge = results[nameOf(scene)]?.judge;
      const exposed = judge === undefined ? '' : figure(judge.exposed / Math.max(1, judge.runs), 'requests');
      return [nameOf(scene), shareText(nameOf(scene)), exposed, runsText(nameOf(scene))];
    });
    return `## Numbers of requests

Gaps in the telemetry, weights that land late and direct calls say nothing about a candidate. Through the table of the product, with the default config. At 60 requests a minute with the champion's week before, but for the row that says otherwise; at more without it. A health check is never bad here, so by the ratio alone it makes the champion look better, and a certificate takes longer.

${table(['what happens', 'healthy, certified', 'median', 'healthy, taken back by evidence', 'at the margin, certified', 'rollouts'], healthyRows)}

Requests that are not shared out as configured, all of the time. A rollout is taken back, or held at the weight of the step before until it is.

${table(['what happens', 'taken back or held back', 'requests to the candidate', 'rollouts'], misroutedRows)}

Where every request is routed by its coin, a rollout is held for its routing in ${rpms.map((rpm) => `${shareText(falseName(rpm))} (${rpm} rpm)`).join(', ')} of ${runsText(falseName(600))} runs each; the bound is 0.1 %.`;
  },
};
