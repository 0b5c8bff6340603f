import type { History } from '../../packages/core/src/judge/history.ts';
import { numberOf } from './names.ts';
import { argo, flagger, kayenta, kayentaLatency, type Rule, sageMakerAlarm } from './others.ts';
import { type Ended, type Family, rollback, rulesFor, ticksOf } from './ours.ts';
import { aloneIn, daysBefore, historyAfter, perHistory } from './past.ts';
import { type Random, random as seeded } from './random.ts';
import { type ArmCounts, follow, type Plan, planFor, type Source } from './rollout.ts';
import { growthBook, mixtureSprt, originOracle, rateOracle } from './sequential.ts';
import { exposedUntil, fill, fillTick, newStream, ramp, type Stream, type Traffic } from './stream.ts';
import { type Case, note, type Tallies } from './tally.ts';
import { rolledBackAt, shapes, statisticsOf } from './tuned.ts';

/** The traffic of the comparison: a base error of 0.5 %. */
export const comparedRpms = [600, 6000] as const;
export const comparedShare = 0.005;
export const comparedAt = ({ rpm, share }: Traffic): boolean =>
  share === comparedShare && comparedRpms.some((compared) => compared === rpm);

/** Limits of errors: an owner does not know how bad the candidate will be. */
export const limits = [0.0075, 0.01, 0.02] as const;
const fixed: Readonly<Record<string, (limit: number) => Rule>> = {
  'Flagger, threshold 5': (limit) => flagger(5, limit),
  'Flagger, threshold 10': (limit) => flagger(10, limit),
  'Argo Rollouts, failureLimit 0': (limit) => argo(0, limit),
  'Argo Rollouts, failureLimit 3': (limit) => argo(3, limit),
  "alarm of AWS's guide, 2 x 10 min": (limit) => sageMakerAlarm(limit),
};
const limitText = (limit: number): string => `limit ${Number((100 * limit).toPrecision(3))} %`;

/** Rules that compare the candidate with its champion, looked at every minute but Kayenta's. */
const comparing: Readonly<Record<string, Rule>> = {
  'Kayenta, every 5 min': kayenta(5),
  'Kayenta, every 15 min': kayenta(15),
  'GrowthBook Safe Rollout, alpha 1 %': growthBook(0.01),
  'GrowthBook Safe Rollout, alpha 5 %, its default': growthBook(0.05),
  'mixture SPRT, alpha 1 %': mixtureSprt(0.01, comparedShare),
};

/** The rules of the others, as their owners would set them. */
export const others: Readonly<Record<string, Rule>> = {
  ...comparing,
  ...Object.fromEntries(
    Object.entries(fixed).flatMap(([name, rule]) =>
      limits.map((limit) => [`${name}, ${limitText(limit)}`, rule(limit)] as const),
    ),
  ),
};
/** Those that keep about 1 % where nothing is wrong, in the order of a plot. */
export const plottedOthers = [
  'Kayenta, every 5 min',
  'GrowthBook Safe Rollout, alpha 1 %',
  'mixture SPRT, alpha 1 %',
  'Flagger, threshold 10, limit 1 %',
  'Argo Rollouts, failureLimit 3, limit 1 %',
  "alarm of AWS's guide, 2 x 10 min, limit 1 %",
] as const;

export const oracleNames = {
  origin: 'oracle SPRT, knows the ratio',
  rate: "oracle SPRT, knows the ratio and the champion's rate",
} as const;
const oraclesOf = (ratio: number): Readonly<Record<string, Rule>> => ({
  [oracleNames.origin]: originOracle(ratio, 0.01),
  [oracleNames.rate]: rateOracle(ratio, comparedShare, 0.01),
});

/** What a family of guardrails is called in the tables. */
export const oursName: Readonly<Record<Family, string>> = {
  errors: 'this judge, errors alone',
  latency: 'this judge, latency alone',
  default: 'this judge, the shipped default',
  eight: 'this judge, eight guardrails',
};
export const settledName = 'this judge, the shipped default, told after 3 min (AWS)';

/** Without the guard: every rule is compared until the candidate gets all traffic. */
const plans: Readonly<Record<Exclude<Family, 'eight'>, () => Plan>> = {
  errors: () => planFor({ guard: '0s', guardrails: { latency: false } }),
  latency: () => planFor({ guard: '0s', guardrails: { errors: false } }),
  default: () => planFor({ guard: '0s' }),
};
/** Until the last step has taken all the time that it may. */
const until = 95;

/** `safe`: at most 1 % in N1, N2 and N3. `iid`: in N1 alone, where nothing is ever shared. */
export const tunings = ['safe', 'iid'] as const;
export const limitKey = (rpm: number, tuning: string, shape: string): string => `${rpm} ${tuning} ${shape}`;
export const tunedName = (tuning: string, shape: string): string => `tuned ${tuning}: ${shape}`;

interface Compared {
  readonly name: string;
  readonly traffic: Traffic;
  readonly runs: Case['runs'];
  readonly families: readonly Family[];
  /** The candidate's errors, as a multiple of the champion's: what the oracles are told. */
  readonly ratio?: number;
  /** Tuned rules are for effects: in the nulls they have what they were tuned to. */
  readonly tuned?: boolean;
}

/** All rules on the same streams. The product's rollouts go by their own table. */
export function compare({ name, traffic, runs, families: watched, ratio = 2, tuned = false }: Compared): Case {
  return {
    name,
    runs,
    begin({ limits: known }) {
      const stream = newStream(ramp);
      const before = daysBefore(aloneIn(traffic, seeded(numberOf(name))));
      let history: History | undefined;
      let eight = rulesFor('eight');
      let count = 0;
      const ours = watched.filter((family) => family !== 'eight').map((family) => ({ family, plan: plans[family]() }));
      const isLatency = traffic.latency !== undefined;
      const rules = Object.entries(isLatency ? latencyOthers : { ...others, ...oraclesOf(ratio) });
      const given = tuned ? tunedRules(traffic.rpm, known) : [];
      return (random, tallies) => {
        if (count % perHistory === 0) {
          history = historyAfter(before, aloneIn(traffic, random));
          eight = rulesFor('eight', {}, history);
        }
        count += 1;
        fill(stream, random, traffic);
        for (const { family, plan } of ours)
          followed(tallies, oursName[family], {
            plan,
            stream,
            random,
            traffic,
            history,
          });
        if (watched.includes('default'))
          followed(tallies, settledName, {
            plan: plans.default(),
            stream,
            random,
            traffic,
            history,
            settle: 3,
          });
        if (watched.includes('eight'))
          judged(tallies, oursName.eight, rollback(ticksOf(stream, 'eight'), ramp, eight, warmUp), stream);
        for (const [rule, decide] of rules) noteAt(tallies, rule, decide(stream), stream);
        const statistics = statisticsOf(stream);
        for (const { rule, shape, limit } of given)
          noteAt(tallies, rule, rolledBackAt(statistics(shape), shape, limit), stream);
      };
    },
  };
}

/** Minutes after each change of weight in which latency is no evidence: the default of the config. */
export const warmUp = planFor().warmUp;

const latencyOthers: Readonly<Record<string, Rule>> = {
  'Kayenta on the mean latency, every 5 min': kayentaLatency(5),
  [`Kayenta on the mean latency, every 5 min, ${warmUp} min of warm-up`]: kayentaLatency(5, warmUp),
  'Kayenta on the mean latency, every 15 min': kayentaLatency(15),
};

const tunedRules = (rpm: number, known: Readonly<Record<string, number>>) =>
  tunings.flatMap((tuning) =>
    shapes.flatMap((shape) => {
      const limit = known[limitKey(rpm, tuning, shape.name)];
      return limit === undefined ? [] : [{ rule: tunedName(tuning, shape.name), shape, limit }];
    }),
  );

interface Given {
  readonly plan: Plan;
  readonly stream: Stream;
  readonly random: Random;
  readonly traffic: Traffic;
  readonly history: History | undefined;
  readonly settle?: number;
}

function followed(tallies: Tallies, rule: string, { plan, history, settle = 0, ...given }: Given): void {
  const { end, minutes, exposed } = follow(plan, sourceOf(given), {
    until,
    history,
    settle,
  });
  note(tallies, rule, end === 'evidence' || end === 'limit' ? minutes : undefined, exposed);
}

/** The minutes of a stream, as long as a rollout has its weights; what it needs beyond them is drawn for it. */
export function sourceOf({ stream, random, traffic }: Pick<Given, 'stream' | 'random' | 'traffic'>): Source {
  const more = newStream([0]);
  const empty = (): ArmCounts => ({ requests: 0, errors: 0, slow: [0, 0, 0] });
  const answer = { candidate: empty(), champion: empty() };
  let minute = -1;
  return {
    next(weight) {
      minute += 1;
      const known = stream.weights[minute] === weight;
      if (!known)
        fillTick(more, random, traffic, {
          tick: 0,
          minute,
          weight,
          weather: undefined,
        });
      const [from, at] = known ? [stream, minute] : [more, 0];
      for (const arm of ['candidate', 'champion'] as const) {
        const counts = answer[arm];
        counts.requests = from.requests[arm][at] ?? 0;
        counts.errors = from.errors[arm][at] ?? 0;
        for (let index = 0; index < 3; index += 1) counts.slow[index] = from.slow[index]?.[arm][at] ?? 0;
      }
      return answer;
    },
  };
}

/** The judge's end of a rollout; a hold for wrong routing is counted beside it. */
export function judged(tallies: Tallies, rule: string, { rolledBack, misrouted }: Ended, stream: Stream): void {
  noteAt(tallies, rule, rolledBack, stream);
  if (misrouted) note(tallies, `${rule}: held for wrong routing`, 0);
}

function noteAt(tallies: Tallies, rule: string, tick: number | undefined, stream: Stream): void {
  note(tallies, rule, tick === undefined ? undefined : tick + 1, exposedUntil(stream, tick));
}
