import type { ModelPlan } from '../config/config.ts';

/** One row of counts that is judged by itself. */
export interface Stream {
  /** `errors`, `latency.p90`, `labels`, `labels.worst`, `errors@de`. */
  readonly id: string;
  readonly of: 'errors' | 'labels' | { readonly slowerThan: number };
  readonly segment?: string;
  /** May bring the candidate down. */
  readonly harm: boolean;
  /** Has to be certified before the candidate is promoted. */
  readonly promotes: boolean;
}

/** What is watched, and the bounds that the config sets it. */
export interface Guardrail {
  readonly name: 'errors' | 'latency' | 'labels';
  /** Evidence on another clock than the ticks has to reach 1/alpha by itself. */
  readonly clock: 'ticks' | 'labels';
  readonly toleratedRatio: number;
  readonly margin: number;
  readonly floor: number;
  readonly maxBurst: number;
  /** Its part of alpha; those of the guardrails that decide add up to 1. 0: a dry run, which decides nothing. */
  readonly alphaShare: number;
  readonly streams: readonly Stream[];
  /** Labels that are losses: how much more is tolerated, and how much is excluded by a promotion. */
  readonly loss?: { readonly tolerated: number; readonly margin: number };
}

/** How a rollout is judged: fixed before its first tick, and part of its certificate. */
export interface Rules {
  readonly edition: Edition;
  readonly alpha: number;
  readonly beta: number;
  readonly routing: 'configured' | 'realised';
  readonly unit: 'request' | 'user';
  readonly mirrored: boolean;
  readonly guardrails: readonly Guardrail[];
  /** Guardrails of the config that cannot be judged in this rollout, and why. */
  readonly off: readonly { readonly name: string; readonly because: string }[];
  readonly limits: ModelPlan['rollout']['limits'];
}

/** Moves with every formula, and with every text of a certificate. */
export const ruleVersion = 'serin-judge/2';

/**
 * What is evidence, and what a hold does. A rollout keeps the edition under which it began, so that its record can be
 * judged again. 1: each of its first `warmUp` ticks is no evidence at all, the hard limit does not look at the champion,
 * and a rollout that is routed otherwise than configured waits where it is. 2: see `withTick`, `beyondLimit`, `holdBack`.
 */
export type Edition = 1 | 2;
export const edition: Edition = 2;

/** The champion's p50, p90 and p99 in milliseconds, frozen before the start; what is slower is an event. */
export interface Thresholds {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly requests: number;
}

export interface RulesOf {
  /** Absent: the newest. */
  readonly edition?: Edition;
  readonly plan: ModelPlan['rollout'];
  /** Users stay with their model: the unit of the evidence is the user. */
  readonly sticky: boolean;
  /** `none`: they were asked for in vain; absent: nobody asked. */
  readonly thresholds?: Thresholds | 'none' | undefined;
}

const percentiles = ['p50', 'p90', 'p99'] as const;

export function rulesOf({ plan, sticky, thresholds, edition: began = edition }: RulesOf): Rules {
  const { errors, latency, labels } = plan.guardrails;
  const segments = sticky ? [] : (plan.segments?.values ?? []);
  const found: Guardrail[] = [];
  if (errors !== false)
    found.push({
      ...boundsOf(errors),
      name: 'errors',
      clock: 'ticks',
      streams: streamsOf('errors', 'errors', true, segments),
    });
  if (latency !== false && thresholds !== undefined && thresholds !== 'none')
    found.push({
      ...boundsOf(latency),
      name: 'latency',
      clock: 'ticks',
      // At p50 a margin of 2 is the whole of the requests: nothing could be certified, and nothing is asked.
      streams: percentiles.flatMap((name, index) =>
        // A heavy user has a slow request within a tick or two whatever the model: nothing to certify by first ones.
        streamsOf(`latency.${name}`, { slowerThan: index }, name !== 'p50' && !sticky, segments),
      ),
    });
  const labelsOff = whyNoLabels(plan, sticky);
  if (labels !== undefined && labelsOff === undefined)
    found.push({
      ...boundsOf(labels),
      name: 'labels',
      clock: 'labels',
      streams:
        labels.missing === 'leftOut'
          ? [{ id: 'labels', of: 'labels', harm: true, promotes: true }]
          : [
              { id: 'labels', of: 'labels', harm: true, promotes: false },
              { id: 'labels.worst', of: 'labels', harm: false, promotes: true },
            ],
      ...(labels.kind === 'loss' ? { loss: { tolerated: labels.tolerated, margin: labels.marginLoss } } : {}),
    });
  return {
    edition: began,
    alpha: plan.alpha,
    beta: plan.beta,
    routing: plan.routing,
    unit: sticky ? 'user' : 'request',
    mirrored: plan.strategy === 'shadow',
    guardrails: withShares(found, { errors, latency, labels }),
    off: [
      ...(latency !== false && thresholds === 'none'
        ? [
            {
              name: 'latency',
              because:
                'the champion had too few requests before the rollout to freeze its percentiles, or they could not be read',
            },
          ]
        : []),
      ...(labels === undefined || labelsOff === undefined ? [] : [{ name: 'labels', because: labelsOff }]),
      ...(sticky && plan.segments !== undefined
        ? [{ name: 'segments', because: 'users are not counted by segment' }]
        : []),
    ],
    limits: plan.limits,
  };
}

/** Why labels cannot be judged under this plan; `undefined`: they can. */
export function whyNoLabels({ guardrails, routing }: ModelPlan['rollout'], sticky: boolean): string | undefined {
  if (sticky) return 'labels are of single requests, and users stay with their model';
  if (guardrails.labels?.kind !== 'loss') return undefined;
  if (routing === 'realised') return 'a bet on losses wants requests that are routed by a fresh coin';
  return guardrails.labels.missing === 'worst' ? 'a loss that is missing cannot be taken at its worst' : undefined;
}

type Given = { readonly alphaShare?: number | undefined; readonly dryRun: boolean } | false | undefined;

/** Parts of alpha as given; what is left is split evenly over the others. */
function withShares(
  found: readonly Guardrail[],
  given: Readonly<Record<Guardrail['name'], Given>>,
): readonly Guardrail[] {
  const wanted = (name: Guardrail['name']) => {
    const rule = given[name];
    return rule === undefined || rule === false ? undefined : rule.alphaShare;
  };
  const dry = ({ name }: Guardrail) => {
    const rule = given[name];
    return rule !== undefined && rule !== false && rule.dryRun;
  };
  const live = found.filter((guardrail) => !dry(guardrail));
  const taken = live.reduce((sum, { name }) => sum + (wanted(name) ?? 0), 0);
  const open = live.filter(({ name }) => wanted(name) === undefined).length;
  return found.map((guardrail) => ({
    ...guardrail,
    alphaShare: dry(guardrail) ? 0 : (wanted(guardrail.name) ?? (1 - taken) / open),
  }));
}

const boundsOf = (rule: { toleratedRatio: number; margin: number; floor: number; maxBurst: number }) => ({
  toleratedRatio: rule.toleratedRatio,
  margin: rule.margin,
  floor: rule.floor,
  maxBurst: rule.maxBurst,
  alphaShare: 0,
});

/** The whole, and each segment by itself: a segment may bring the candidate down, and need not be certified. */
const streamsOf = (id: string, of: Stream['of'], promotes: boolean, segments: readonly string[]): readonly Stream[] => [
  { id, of, harm: true, promotes },
  ...segments.map((segment) => ({ id: `${id}@${segment}`, of, segment, harm: true, promotes: false })),
];
