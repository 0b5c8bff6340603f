import { percent } from '../base/numbers.ts';
import { durationText, minute } from '../base/time.ts';
import type { ModelPlan } from '../config/config.ts';
import { stepsOf } from '../config/steps.ts';
import type { Stream } from '../guardrails/guardrail.ts';
import type { Bounds } from '../guardrails/kit.ts';
import { guardrailKinds } from '../guardrails/list.ts';
import { excessBound } from './budget.ts';
import { turningPoint } from './log.ts';
import { type AtShare, logEvidence } from './origin.ts';
import { logFloor, logPromotion, logRatio } from './promotion.ts';
import { type Guardrail, type Rules, rulesOf } from './rules.ts';

/** What a rollout can find out with the traffic that is expected. Times in milliseconds. */
export interface Forecast {
  /**
   * How long the last step lasts until a candidate that is like the champion is certified; absent: never within a week.
   */
  readonly certifiesAfter?: number;
  /** The stream that takes longest. */
  readonly slowest: string;
  /** The smallest bad share, by stream, that is found before the last step has baked; absent: none would be. */
  readonly finds: readonly { readonly stream: string; readonly from: number; readonly to?: number }[];
  /** The smallest harm budget that does not slow down a candidate that is like the champion. */
  readonly harmBudget?: number;
}

const week = 7 * 24 * 60;
/** Any thresholds do for a forecast, because the shares of slow requests do not depend on them. */
const anyThresholds = { p50: 1, p90: 2, p99: 3, requests: 1000 };

/**
 * Uses expected counts. The answer is about the median of what rollouts with these rates would show.
 *
 * `rpm`: requests a minute of both arms; `errorShare`: the champion's share of failed requests. Latency needs no
 * assumption: a share of 1/2, 1/10 and 1/100 of the champion's requests is slower than its p50, p90 and p99.
 */
export function forecastOf(plan: ModelPlan['rollout'], rpm: number, errorShare: number): Forecast | undefined {
  const steps = stepsOf(plan).filter((weight) => weight > 0);
  const last = steps.at(-1);
  if (last === undefined) return undefined;
  const rules = rulesOf({ plan, sticky: false, thresholds: anyThresholds });
  const live = rules.guardrails
    .filter(({ alphaShare, clock }) => alphaShare > 0 && clock === 'ticks')
    .flatMap((guardrail) =>
      guardrail.streams.filter(({ segment }) => segment === undefined).map((stream) => ({ guardrail, stream })),
    );
  if (live.length === 0) return undefined;
  const needed = live
    .filter(({ stream }) => stream.promotes)
    .map(({ guardrail, stream }) => {
      const from = shareOf(stream, errorShare);
      const minutes = minutesToCertify(guardrail, from, (rpm * last) / 100, last / 100, rules.beta);
      return {
        stream: stream.id,
        ...(minutes === undefined ? {} : { minutes: minutes + coldMs(plan, guardrail) / minute }),
      };
    });
  const slowest = needed.reduce((a, b) => ((b.minutes ?? week) > (a.minutes ?? week) ? b : a));
  const finds = live.map(({ guardrail, stream }) => {
    const from = shareOf(stream, errorShare);
    const wanted = Math.log(membersOf(guardrail, rules) / rules.alpha / guardrail.alphaShare);
    const baked = bakedSteps(plan, steps, rpm, coldMs(plan, guardrail));
    return { stream: stream.id, from, ...smallestFound(guardrail, from, baked, wanted) };
  });
  const budget = smallestBudget(plan, steps, rpm, errorShare);
  return {
    ...(slowest.minutes === undefined ? {} : { certifiesAfter: slowest.minutes * 60_000 }),
    slowest: slowest.stream,
    finds,
    ...(budget === undefined ? {} : { harmBudget: budget }),
  };
}

/** Segments, and the pairs of a mirror, have an even part of their guardrail's evidence. */
function membersOf({ streams }: Guardrail, { mirrored }: Rules): number {
  const split = streams.filter(({ harm }) => harm);
  const paired = mirrored ? split.filter(({ segment }) => segment === undefined) : [];
  return split.length + paired.length;
}

/** What is wrong with a rollout's config under the traffic that it expects, one sentence each; empty: nothing. */
export function rolloutWarnings(plan: ModelPlan['rollout'], sticky: boolean): readonly string[] {
  const single = guardrailWarnings(plan, sticky);
  if (plan.expected === undefined) return single;
  const { rpm, errorShare } = plan.expected;
  const forecast = forecastOf(plan, rpm, errorShare);
  if (forecast === undefined) return single;
  const { certifiesAfter, slowest, harmBudget } = forecast;
  const late =
    certifiesAfter === undefined || certifiesAfter > plan.atMost
      ? [
          `with ${rpm} requests a minute a healthy candidate is not certified within atMost (${durationText(plan.atMost)}): ${slowest} would take ${certifiesAfter === undefined ? 'more than a week' : durationText(minutes(certifiesAfter))}; lengthen atMost, raise its margin or floor, make it a dryRun, or use strategy shadow`,
        ]
      : [];
  const costly =
    plan.harmBudget !== undefined && harmBudget !== undefined && plan.harmBudget < harmBudget
      ? [`a harmBudget below ${harmBudget} slows down a healthy candidate`]
      : [];
  return [...single, ...late, ...costly];
}

/** What is wrong with single guardrails under this plan. */
function guardrailWarnings(plan: ModelPlan['rollout'], sticky: boolean): readonly string[] {
  const { off } = rulesOf({ plan, sticky, thresholds: anyThresholds });
  const given: Readonly<Record<string, Bounds | false | undefined>> = plan.guardrails;
  return guardrailKinds.flatMap((kind) => {
    const rule = given[kind.name];
    if (rule === undefined || rule === false) return [];
    const because = off.find(({ name }) => name === kind.name)?.because;
    return because === undefined
      ? (kind.warnings?.(rule, plan) ?? [])
      : [`guardrails.${kind.name} decides nothing: ${because}`];
  });
}

/** What the rollout can find out, in one line for a person. */
export function forecastText(plan: ModelPlan['rollout']): string {
  if (plan.expected === undefined)
    return 'give rollout.expected.rpm, and this says when a healthy candidate is certified and what a bake finds';
  const { rpm, errorShare } = plan.expected;
  const forecast = forecastOf(plan, rpm, errorShare);
  if (forecast === undefined) return `strategy ${plan.strategy} is not judged step by step`;
  const { certifiesAfter, slowest, finds, harmBudget } = forecast;
  const found = finds.flatMap(({ stream, from, to }) =>
    to === undefined ? [] : [`${stream} of ${percent(to)} instead of ${percent(from)}`],
  );
  const when =
    certifiesAfter === undefined
      ? 'never within a week'
      : `after ${durationText(minutes(certifiesAfter))} of the last step`;
  const budget = harmBudget === undefined ? '' : `; a harmBudget of ${harmBudget} would not slow it down`;
  return `${rpm} requests a minute: a healthy candidate is certified ${when} (${slowest} is the slowest); until then it finds ${found.length === 0 ? 'no regression' : found.join(', ')}${budget}`;
}

const minutes = (ms: number): number => Math.ceil(ms / 60_000) * 60_000;

/** Of the champion's requests. */
const shareOf = ({ expectedShare }: Stream, errorShare: number): number => expectedShare ?? errorShare;

function minutesToCertify(
  { margin, floor, maxBurst }: Guardrail,
  share: number,
  perMinute: number,
  weight: number,
  beta: number,
): number | undefined {
  const lacks = (minutes: number) => {
    const requests = perMinute * minutes;
    const candidate = (requests * share) / maxBurst;
    const champion = (candidate * (1 - weight)) / weight;
    const ratio = logRatio([{ candidate, champion, share: weight }], margin);
    return Math.log(1 / beta) - logPromotion(ratio, logFloor(requests * share, requests, floor, maxBurst));
  };
  return lacks(week) >= 0 ? undefined : turningPoint(0, week, lacks);
}

interface Baked {
  readonly share: number;
  readonly candidate: number;
  readonly champion: number;
}

/** How long each step says nothing about a guardrail. */
const coldMs = ({ warmUp, tick }: ModelPlan['rollout'], { warmsUp }: Guardrail): number =>
  warmsUp ? warmUp * tick : 0;

/** Requests of both arms in each step, without the time in which it is cold. */
function bakedSteps(plan: ModelPlan['rollout'], steps: readonly number[], rpm: number, cold: number): readonly Baked[] {
  return steps.map((weight) => {
    const counted = Math.max(0, plan.bake - cold);
    const requests = (rpm * counted) / 60_000;
    const share = weight / 100;
    return { share, candidate: requests * share, champion: requests * (1 - share) };
  });
}

function smallestFound(
  { toleratedRatio, maxBurst }: Guardrail,
  from: number,
  baked: readonly Baked[],
  wanted: number,
): { readonly to?: number } {
  const lacks = (to: number) => {
    const ticks = baked.map(
      ({ share, candidate, champion }): AtShare => ({
        share,
        candidate: (candidate * to) / maxBurst,
        champion: (champion * from) / maxBurst,
      }),
    );
    return wanted - logEvidence(ticks, toleratedRatio);
  };
  return lacks(1) >= 0 ? {} : { to: turningPoint(from, 1, lacks) };
}

function smallestBudget(
  plan: ModelPlan['rollout'],
  steps: readonly number[],
  rpm: number,
  errorShare: number,
): number | undefined {
  let [candidate, champion, needed] = [0, 0, 0];
  for (const [index, weight] of steps.entries()) {
    const share = weight / 100;
    const requests = (rpm * plan.bake) / 60_000;
    if (index > 0) {
      const arm = (sum: number) => ({ requests: Math.round(sum), errors: Math.round(sum * errorShare) });
      const ahead = (rpm * (index === steps.length - 1 ? plan.atMost : plan.bake)) / 60_000;
      const excess = excessBound(arm(candidate), arm(champion), plan.alpha);
      needed = Math.max(needed, excess * (candidate + share * ahead));
    }
    candidate += requests * share;
    champion += requests * (1 - share);
  }
  return steps.length > 1 ? Math.ceil(needed) : undefined;
}
