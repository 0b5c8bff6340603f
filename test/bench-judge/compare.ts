import { argo, flagger, kayenta, kayentaLatency, type Rule, sageMakerAlarm } from './others.ts';
import { type Ended, type Family, rollback, rulesFor, ticksOf } from './ours.ts';
import { exposedUntil, fill, newStream, ramp, type Stream, type Traffic } from './stream.ts';
import { type Case, note, type Tallies } from './tally.ts';
import { rolledBackAt, shapes, statisticsOf } from './tuned.ts';

/** The rules of the others, with the limits of their documents: 1 % of errors. */
export const others: Readonly<Record<string, Rule>> = {
  'Flagger, threshold 1': flagger(1),
  'Flagger, threshold 5': flagger(5),
  'Flagger, threshold 10': flagger(10),
  'Argo Rollouts, failureLimit 0': argo(0),
  'Argo Rollouts, failureLimit 3': argo(3),
  'SageMaker alarm, 2 x 10 min': sageMakerAlarm(),
  'Kayenta, every 15 min': kayenta(15),
  'Kayenta, every 5 min': kayenta(5),
};

/** What a family of guardrails is called in the tables. */
export const oursName: Readonly<Record<Family, string>> = {
  errors: 'this judge, errors alone',
  latency: 'this judge, latency alone',
  default: 'this judge, errors and latency',
  eight: 'this judge, eight guardrails',
};

/** The traffic of the comparison: a base error of 0.5 %. */
export const comparedRpms = [600, 6000] as const;
export const comparedShare = 0.005;
export const comparedAt = ({ rpm, share }: Traffic): boolean =>
  share === comparedShare && comparedRpms.some((compared) => compared === rpm);

/** `safe`: at most 1 % in N1, N2 and N3. `iid`: in N1 alone, where nothing is ever shared. */
export const tunings = ['safe', 'iid'] as const;
export const limitKey = (rpm: number, tuning: string, shape: string): string => `${rpm} ${tuning} ${shape}`;
export const tunedName = (tuning: string, shape: string): string => `tuned ${tuning}: ${shape}`;

interface Compared {
  readonly name: string;
  readonly traffic: Traffic;
  readonly runs: Case['runs'];
  readonly families: readonly Family[];
  /** Tuned rules are for effects: in the nulls they have what they were tuned to. */
  readonly tuned?: boolean;
  readonly weights?: readonly number[];
}

/** All rules on the same streams. */
export function compare({ name, traffic, runs, families: watched, tuned = false, weights = ramp }: Compared): Case {
  return {
    name,
    runs,
    begin({ limits }) {
      const stream = newStream(weights);
      const rules = watched.map((family) => ({ family, rules: rulesFor(family) }));
      const given = tuned ? tunedRules(traffic.rpm, limits) : [];
      return (random, tallies) => {
        fill(stream, random, traffic);
        for (const { family, rules: ours } of rules)
          judged(tallies, oursName[family], rollback(ticksOf(stream, family), weights, ours), stream);
        for (const [rule, decide] of Object.entries(traffic.latency === undefined ? others : latencyOthers))
          noteAt(tallies, rule, decide(stream), stream);
        const statistics = statisticsOf(stream);
        for (const { rule, shape, limit } of given)
          noteAt(tallies, rule, rolledBackAt(statistics(shape), shape, limit), stream);
      };
    },
  };
}

const latencyOthers: Readonly<Record<string, Rule>> = {
  'Kayenta on the mean latency, every 15 min': kayentaLatency(15),
  'Kayenta on the mean latency, every 5 min': kayentaLatency(5),
};

const tunedRules = (rpm: number, limits: Readonly<Record<string, number>>) =>
  tunings.flatMap((tuning) =>
    shapes.flatMap((shape) => {
      const limit = limits[limitKey(rpm, tuning, shape.name)];
      return limit === undefined ? [] : [{ rule: tunedName(tuning, shape.name), shape, limit }];
    }),
  );

/** The judge's end of a rollout; a hold for wrong routing is counted beside it. */
export function judged(tallies: Tallies, rule: string, { rolledBack, misrouted }: Ended, stream: Stream): void {
  noteAt(tallies, rule, rolledBack, stream);
  if (misrouted) note(tallies, `${rule}: held for wrong routing`, 0);
}

function noteAt(tallies: Tallies, rule: string, tick: number | undefined, stream: Stream): void {
  note(tallies, rule, tick === undefined ? undefined : tick + 1, exposedUntil(stream, tick));
}
