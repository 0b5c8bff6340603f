import { proposalFor } from '../../packages/core/src/judge/proposal.ts';
import { type Condition, followerIn, type Knowledge, knowledges } from './conditions.ts';
import { type Plan, planFor } from './rollout.ts';
import { type Case, note } from './tally.ts';
import type { Weather, Worse } from './weather.ts';

/**
 * Small traffic: 60 requests a minute, of which 0.5 % fail. How long a healthy candidate takes, whether one that fails
 * five times as often is taken back in time, and whether one at the margin is promoted; under the shipped default, and
 * under what `serin validate` proposes for this traffic.
 */
const few = { rpm: 60, errors: 0.005 };
type Given = NonNullable<Parameters<typeof planFor>[0]>;

const proposal = proposalFor(planFor({ expected: { rpm: few.rpm, errorShare: few.errors } }));

/** The bounds that are proposed, in the config as a user writes them. */
function proposed(): Given {
  if (proposal === undefined) return {};
  const { margin, floor, atMost } = proposal;
  return { atMost: `${atMost / 60_000}m`, guardrails: { errors: { margin, floor }, latency: { margin, floor } } };
}

const configs = { 'the default': {}, 'as proposed': proposed() } as const satisfies Record<string, Given>;
const marginOf = (plan: Plan): number => (plan.guardrails.errors === false ? 2 : plan.guardrails.errors.margin);

export type SmallConfig = keyof typeof configs;
export const smallConfigs = Object.keys(configs) as readonly SmallConfig[];
export const smallKnowledges = knowledges;
/** What a config is called in a table. */
export const configText = (config: SmallConfig): string =>
  config === 'as proposed' && proposal !== undefined
    ? `\`margin: ${proposal.margin}\` and \`floor: ${proposal.floor}\` for errors and latency, and \`atMost: '${proposal.atMost / 60_000}m'\`, as \`serin validate\` proposes`
    : config;

/** Past the hold that follows a last step without a certificate. */
const untilAllEnd = 26 * 60;
/** As far as the longest last step that is proposed. */
const untilPromoted = 5 * 60;
const neverBack = 1e-12;

const weathers: Readonly<Record<string, Partial<Weather>>> = {
  calm: {},
  "errors of an arm's own, sd 20 %, AR 0.8": { errorNoise: { sd: 0.2, ar: 0.8 } },
  'bursts of 10 to 100, one in 20 minutes and arm': { bursts: [10, 100] },
  'bursts of 10, one in 20 minutes and arm': { bursts: [10, 10] },
  'an hourly wave, and incidents of both arms': { shared: true },
};

const nameOf = (config: SmallConfig, known: Knowledge): string => `60 rpm, ${config}, ${known}`;
export const healthyName = (config: SmallConfig, known: Knowledge): string =>
  `small, healthy: ${nameOf(config, known)}`;
export const fiveName = (config: SmallConfig, known: Knowledge): string =>
  `small, five times the errors: ${nameOf(config, known)}`;
export const marginName = (config: SmallConfig, known: Knowledge, weather: string): string =>
  `small, at the margin: ${nameOf(config, known)}, ${weather}`;

const conditionIn = (weather: string): Condition => ({
  ...{ breaks: '', name: `small, ${weather}`, weather: { ...few, ...weathers[weather] }, margin: 'errors' },
});

/** Exactly one request a minute: no minute has requests of both models. */
const one: Weather = { rpm: 1, evenly: true, errors: 0.005 };
export const deadName = (known: Knowledge): string =>
  `small, one request in each minute, all of the candidate's fail, ${known}`;

/** What is told of each rollout: when it was certified, or when it was taken back, and by what. */
interface Followed {
  readonly name: string;
  readonly known: Knowledge;
  readonly plan: Plan;
  readonly full: number;
  readonly short?: number;
  readonly condition?: Condition;
  readonly worse?: Worse;
}

function followed({ name, known, plan, full, short = 0, condition = conditionIn('calm'), worse = {} }: Followed): Case {
  return {
    name,
    runs: { short, full },
    begin() {
      const next = followerIn({ condition, known, plan, until: untilAllEnd, worse });
      return (random, tallies) => {
        const { end, minutes, exposed, promotedAt } = next(random);
        const isBack = end === 'evidence' || end === 'limit' || end === 'together';
        note(tallies, 'certified', end === 'certified' ? promotedAt : undefined, exposed);
        note(tallies, 'taken back', isBack ? minutes : undefined, exposed);
        note(tallies, 'no evidence', end === 'hold' || end === 'inconclusive' || end === 'held' ? minutes : undefined);
      };
    },
  };
}

function atTheMargin(config: SmallConfig, known: Knowledge, weather: string): Case {
  const plan = planFor({ ...configs[config], alpha: neverBack, guard: '0s' });
  return {
    name: marginName(config, known, weather),
    runs: { short: 0, full: 2000 },
    begin() {
      const worse = { errors: marginOf(plan) };
      const next = followerIn({ condition: conditionIn(weather), known, plan, until: untilPromoted, worse });
      return (random, tallies) => {
        const { end, promotedAt } = next(random);
        note(tallies, 'judge', end === 'certified' ? promotedAt : undefined);
      };
    },
  };
}

const dead = knowledges.map((known): Case => {
  const condition: Condition = { breaks: '', name: 'small, 1 rpm', weather: one, margin: 'errors' };
  return followed({ name: deadName(known), known, plan: planFor(), full: 200, condition, worse: { errors: 200 } });
});

export const smallCases: readonly Case[] = [
  ...smallConfigs.flatMap((config) =>
    knowledges.flatMap((known) => {
      const isAsked = config === 'as proposed' && known === 'with history';
      const of = { known, plan: planFor(configs[config]), full: 1000, short: isAsked ? 60 : 0 };
      return [
        followed({ ...of, name: healthyName(config, known) }),
        followed({ ...of, name: fiveName(config, known), worse: { errors: 5 } }),
        ...Object.keys(weathers).map((weather) => atTheMargin(config, known, weather)),
      ];
    }),
  ),
  ...dead,
];

export const marginNames: readonly string[] = smallCases
  .map(({ name }) => name)
  .filter((name) => name.startsWith('small, at the margin'));
