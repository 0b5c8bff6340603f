import { slowerThan } from '../../packages/core/src/base/measures.ts';
import type { Stream as Watched } from '../../packages/core/src/guardrails/guardrail.ts';
import { climatesOf } from '../../packages/core/src/judge/climate.ts';
import { type Evidence, noEvidence, type Place, withTick } from '../../packages/core/src/judge/evidence.ts';
import type { History } from '../../packages/core/src/judge/history.ts';
import { judge, logHarm, shortfalls, type Verdict } from '../../packages/core/src/judge/judge.ts';
import type { Guardrail, Rules } from '../../packages/core/src/judge/rules.ts';
import type { Counts, Tick } from '../../packages/core/src/ports/telemetry.ts';
import { type Arms, type Stream, thresholds } from './stream.ts';

/**
 * The judge of the product over a stream: its own functions, fed with the ticks that a platform's telemetry answers.
 * Nothing of its mathematics is repeated here.
 */
export const tickMs = 60_000;
export const alpha = 0.01;
export const beta = 0.05;

/** The defaults of the config. */
const bounds = { toleratedRatio: 1, margin: 2, floor: 0.001, maxBurst: 1 };
const whole = (id: string, measure: string, promotes = true): Watched => ({
  ...{ id, measure, harm: true, promotes },
  events: 'bad requests',
});

const slower = thresholds.map(slowerThan);
const [p50 = '', p90 = '', p99 = ''] = slower;
/** Of each request: errors first, then what is slower than each threshold. */
export const measures = ['errors', ...slower];

type Watching = Omit<Guardrail, 'alphaShare' | 'climates'>;
const errors: Watching = {
  ...bounds,
  name: 'errors',
  clock: 'ticks',
  warmsUp: false,
  streams: [whole('errors', 'errors')],
};
const latency: Watching = {
  ...bounds,
  name: 'latency',
  clock: 'ticks',
  warmsUp: true,
  streams: [whole('latency.p50', p50, false), whole('latency.p90', p90), whole('latency.p99', p99)],
};
/** The six signals come to the judge as segments, each a guardrail with its own part of alpha. */
const others = Array.from({ length: 6 }, (_, index): Watching => {
  const segment = `signal${index}`;
  return {
    ...errors,
    streams: [{ ...whole(`errors@${segment}`, 'errors'), segment }],
  };
});

/** What is watched: the errors alone, the default of the config, or eight guardrails together. */
export const families = {
  errors: [errors],
  latency: [latency],
  default: [errors, latency],
  eight: [errors, latency, ...others],
} as const satisfies Record<string, readonly Watching[]>;
export type Family = keyof typeof families;

/**
 * Hard limits are off: they are policy, and would speak for a rule that has no bound. Without a history the judge is
 * careful. `exact`: as labels are judged, where each request counts by itself.
 */
export function rulesFor(family: Family, changed: Partial<Rules> = {}, known?: History | 'exact'): Rules {
  const guardrails = families[family];
  const unit = changed.unit ?? 'request';
  const climates = (guardrail: Watching) => (known === 'exact' ? {} : climatesOf({ ...guardrail, unit }, known));
  return {
    alpha,
    beta,
    routing: 'configured',
    unit: 'request',
    mirrored: false,
    guardrails: guardrails.map((guardrail) => ({
      ...guardrail,
      climates: climates(guardrail),
      alphaShare: 1 / guardrails.length,
    })),
    off: [],
    limits: { errors: { share: 1, minRequests: 20 } },
    ...changed,
  };
}

/** A guardrail of requests, as one of wrong predictions. */
export const ofLabels = (guardrail: Guardrail): Guardrail => ({
  ...guardrail,
  name: 'labels',
  clock: 'labels',
  streams: [{ id: 'labels', measure: 'labels', harm: true, promotes: true, events: 'wrong predictions' }],
});

export const candidate = 'candidate';
export const champion = 'champion';
export const placeAt = (weight: number): Place => ({
  weight,
  lastWeight: weight,
  candidate,
  champion,
});

/** The ticks of a stream as telemetry gives them. */
export function ticksOf(stream: Stream, family: Family): readonly Tick[] {
  return stream.weights.map((_, index) => tickOf(stream, index, family));
}

export function tickOf(stream: Stream, index: number, family: Family): Tick {
  const start = index * tickMs;
  const counts = {
    [candidate]: countsOf(stream, index, candidate),
    [champion]: countsOf(stream, index, champion),
  };
  if (family !== 'eight') return { start, counts };
  const segments: Record<string, Readonly<Record<string, Counts>>> = {};
  stream.others.forEach((signal, number) => {
    segments[`signal${number}`] = {
      [candidate]: segmentOf(stream, signal, index, candidate),
      [champion]: segmentOf(stream, signal, index, champion),
    };
  });
  return { start, counts, segments };
}

const countsOf = ({ requests, errors: failed, slow }: Stream, index: number, arm: keyof Arms): Counts => ({
  requests: requests[arm][index] ?? 0,
  bad: {
    errors: failed[arm][index] ?? 0,
    ...Object.fromEntries(slower.map((measure, column) => [measure, slow[column]?.[arm][index] ?? 0])),
  },
});

const segmentOf = ({ requests }: Stream, signal: Arms, index: number, arm: keyof Arms): Counts => ({
  requests: requests[arm][index] ?? 0,
  bad: { errors: signal[arm][index] ?? 0 },
});

/** How a rollout ended for the judge. */
export interface Ended {
  /** The tick after which it rolled back. */
  readonly rolledBack?: number;
  /** It held, for the requests were not shared out as configured. */
  readonly misrouted?: true;
}

/**
 * Follows a rollout to its rollback, or to its end. `weights` are what the judge is told; `warmUp` ticks begin each
 * weight, or the first alone.
 */
export function rollback(
  ticks: readonly Tick[],
  weights: readonly number[],
  rules: Rules,
  warmUp = 0,
  warms: 'each' | 'once' = 'each',
): Ended {
  let evidence: Evidence = noEvidence(0);
  for (let from = 0; from < ticks.length; ) {
    const to = endOfStep(weights, from);
    if (from === 0 || warms === 'each') evidence = { ...evidence, from: (from + warmUp) * tickMs };
    const step = { ticks: ticks.slice(from, to), to: to * tickMs, tickMs };
    const judged = judge(evidence, step, placeAt(weights[from] ?? 0), rules);
    if (judged.verdict.kind === 'harm') return { rolledBack: judged.evidence.readTo / tickMs - 1 };
    if (isMisrouted(judged.verdict)) return { misrouted: true };
    evidence = judged.evidence;
    from = to;
  }
  return {};
}

/**
 * By the evidence alone, which the sample ratio cannot suspend: that notices wrong weights and missing ticks as well,
 * and would hide what they do to the evidence. `before`: what a mutant does to the evidence before a tick.
 */
export function rollbackByEvidence(
  ticks: readonly Tick[],
  weights: readonly number[],
  rules: Rules,
  before: (evidence: Evidence, tick: Tick) => Evidence = (evidence) => evidence,
): Ended {
  let evidence: Evidence = noEvidence(0);
  for (const [index, tick] of ticks.entries()) {
    evidence = withTick(before(evidence, tick), tick, tickMs, placeAt(weights[index] ?? 0), rules);
    if (logHarm(evidence, rules) >= Math.log(1 / rules.alpha)) return { rolledBack: index };
  }
  return {};
}

/** Routed otherwise than configured: held, or taken back by policy. */
export const isMisrouted = ({ kind }: Verdict): boolean => kind === 'misrouted' || kind === 'harmAsCame';

function endOfStep(weights: readonly number[], from: number): number {
  let to = from + 1;
  while (to < weights.length && weights[to] === weights[from]) to += 1;
  return to;
}

/** How the evidence of a rollout becomes "promote now". */
export type Promotes = (evidence: Evidence, weight: number, rules: Rules) => boolean;
export const certified: Promotes = (evidence, weight, rules) => shortfalls(evidence, weight, rules)?.length === 0;

interface Promoting {
  readonly promotes?: Promotes;
  /** What is taken for the weight of the last step in a tick of this weight. */
  readonly lastWeightAt?: (weight: number) => number;
}

/**
 * After how many ticks of the last step the promotion certificate is there; `undefined`: not within the stream. The
 * rollback is left out, so that the bound is measured by itself.
 */
export function promotion(
  ticks: readonly Tick[],
  weights: readonly number[],
  rules: Rules,
  { promotes = certified, lastWeightAt }: Promoting = {},
): number | undefined {
  const last = weights[weights.length - 1] ?? 0;
  const lastStep = weights.indexOf(last);
  let evidence: Evidence = noEvidence(0);
  for (const [index, tick] of ticks.entries()) {
    const weight = weights[index] ?? 0;
    const place = {
      ...placeAt(weight),
      lastWeight: lastWeightAt?.(weight) ?? last,
    };
    evidence = withTick(evidence, tick, tickMs, place, rules);
    if (index >= lastStep && promotes(evidence, last, rules)) return index - lastStep + 1;
  }
  return undefined;
}
