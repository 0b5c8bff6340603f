import { percent } from '../base/numbers.ts';
import { defined } from '../base/objects.ts';
import { durationText, minute } from '../base/time.ts';
import type { ModelPlan } from '../config/config.ts';
import { stepsOf } from '../config/steps.ts';
import type { Bounds } from '../guardrails/kit.ts';
import { guardrailKinds } from '../guardrails/list.ts';
import { excessBound } from './budget.ts';
import { expectedShare, idleSteps, idleText, liveStreams, type Traffic } from './idle.ts';
import { historyUnder, type Rehearsal, type Rehearsed, rehearse } from './rehearse.ts';
import { type Rules, rulesOf } from './rules.ts';

/** What a rollout can find out with the traffic that is expected. Times in milliseconds. */
export interface Forecast {
  /** When a candidate that is like the champion is certified, since the first step began; absent: see `certified`. */
  readonly certifies?: { readonly median: number; readonly ofLastStep: number };
  /** The share of such candidates that are certified within `atMost`, and before a hold for want of evidence ends. */
  readonly certified: { readonly inTime: number; readonly atAll: number };
  /** The stream that is mostly waited for; absent: the last step bakes longer than any of them needs. */
  readonly slowest?: string;
  /** Weights that are left out, because they can show nothing. */
  readonly idle: readonly number[];
  /**
   * The smallest bad share, by stream, that is mostly taken back before the last step has baked; absent: none would be.
   */
  readonly finds: readonly { readonly stream: string; readonly from: number; readonly to?: number }[];
  /** The smallest harm budget that does not slow down a candidate that is like the champion. */
  readonly harmBudget?: number;
}

type Plan = ModelPlan['rollout'];

/** Any thresholds do for a forecast, because the shares of slow requests do not depend on them. */
const anyThresholds = { p50: 1, p90: 2, p99: 3, requests: 1000 };

/**
 * Plays rollouts through, with counts as this traffic brings them, beside a champion that had it for a week
 * (rehearse.ts). Latency needs no assumption: a share of 1/2, 1/10 and 1/100 of the champion's requests is slower than
 * its p50, p90 and p99.
 */
export function forecastOf(plan: Plan, rpm: number, errorShare: number): Forecast | undefined {
  const key = `${rpm} ${errorShare}`;
  const known = forecasts.get(plan) ?? new Map<string, Forecast | undefined>();
  if (!known.has(key)) known.set(key, played(plan, { rpm, errorShare }));
  forecasts.set(plan, known);
  return known.get(key);
}

/** A warning, a text and a proposal ask for the same one. */
const forecasts = new WeakMap<Plan, Map<string, Forecast | undefined>>();

function played(plan: Plan, traffic: Traffic): Forecast | undefined {
  const given = rehearsalOf(plan, traffic);
  if (given === undefined) return undefined;
  const { steps } = given;
  const split = steps.filter((weight) => weight > 0);
  const budget = smallestBudget(plan, split, traffic);
  const { certifies, certified, slowest } = certificationOf(given);
  return {
    certified,
    idle: stepsOf(plan).filter((weight) => !steps.includes(weight)),
    finds: findsOf(given),
    ...defined({ certifies, slowest, harmBudget: budget }),
  };
}

/** When candidates that are like the champion are certified under this traffic; `undefined`: nothing certifies them. */
export function certificationUnder(plan: Plan, traffic: Traffic): Certification | undefined {
  const given = rehearsalOf(plan, traffic);
  return given === undefined ? undefined : certificationOf(given);
}

/** `undefined`: the strategy has no steps, or no guardrail decides. */
function rehearsalOf(plan: Plan, traffic: Traffic): Rehearsal | undefined {
  const rules = rulesUnder(plan, traffic);
  const planned = stepsOf(plan);
  if (!planned.some((weight) => weight > 0) || liveStreams(rules).length === 0) return undefined;
  const idle = idleSteps(planned, plan, rules, traffic);
  return { plan, rules, steps: planned.filter((weight) => !idle.includes(weight)), traffic };
}

/** Of what the ticks show: labels come when they come. */
function rulesUnder(plan: Plan, traffic: Traffic): Rules {
  const setting = { plan, sticky: false, thresholds: anyThresholds };
  const history = historyUnder(traffic, rulesOf(setting), plan.tick);
  const rules = rulesOf({ ...setting, history });
  return { ...rules, guardrails: rules.guardrails.filter(({ clock }) => clock === 'ticks') };
}

const rollouts = 51;
/** A forecast of a rollout that lasts for days plays fewer of them. */
const ticksInAll = 12_000;
const fewest = 11;

interface Certification extends Pick<Forecast, 'certifies' | 'certified' | 'slowest'> {
  /** How long the last step lasted in each rollout that was played, shortest first; infinite: it was not certified. */
  readonly lastSteps: readonly number[];
}

function certificationOf(given: Rehearsal): Certification {
  const { plan, steps } = given;
  const before = (steps.length - 1) * Math.ceil(plan.bake / plan.tick);
  const most = before + Math.ceil((plan.atMost + plan.maxHold) / plan.tick);
  const rehearsals: Rehearsed[] = [];
  for (let seed = 1, spent = 0; seed <= rollouts && (spent < ticksInAll || seed <= fewest); seed += 1) {
    const one = rehearse(given, seed, most);
    spent += one.ticks;
    rehearsals.push(one);
  }
  const certified = rehearsals.flatMap(({ ticks, certified: found }) =>
    found === undefined ? [] : [{ ticks, ...found }],
  );
  const lastSteps = rehearsals
    .map(({ certified: found }) => (found === undefined ? Number.POSITIVE_INFINITY : found.ofLast * plan.tick))
    .sort((a, b) => a - b);
  const middle = certified.sort((a, b) => a.ticks - b.ticks)[Math.floor(rehearsals.length / 2)];
  return {
    ...(middle === undefined
      ? {}
      : { certifies: { median: middle.ticks * plan.tick, ofLastStep: middle.ofLast * plan.tick } }),
    certified: { inTime: shareWithin(lastSteps, plan.atMost), atAll: certified.length / rehearsals.length },
    lastSteps,
    ...defined({ slowest: mostOften(rehearsals.flatMap(({ last }) => last ?? [])) }),
  };
}

/** The share of these last steps that end within a time. */
export const shareWithin = (lastSteps: readonly number[], ms: number): number =>
  lastSteps.filter((last) => last <= ms).length / lastSteps.length;

function mostOften(names: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** How many times as bad, in steps of 10 %. */
const growths = Array.from({ length: 48 }, (_, index) => 1.1 ** (index + 1));
const probes = 7;

function findsOf(given: Rehearsal): Forecast['finds'] {
  const { plan, steps, rules, traffic } = given;
  const most = steps.length * Math.ceil(plan.bake / plan.tick);
  return liveStreams(rules).map(({ stream }) => {
    const { id } = stream;
    const from = expectedShare(stream, traffic.errorShare);
    const isFound = (growth: number) => {
      const isBack = (_: unknown, seed: number) =>
        rehearse({ ...given, worse: { [id]: growth } }, seed + 1, most).takenBack !== undefined;
      return 2 * Array.from({ length: probes }).filter(isBack).length > probes;
    };
    const possible = growths.filter((growth) => growth * from <= 1);
    const smallest = firstOf(possible, isFound);
    return { stream: id, from, ...(smallest === undefined ? {} : { to: from * smallest }) };
  });
}

/** The first of them for which it holds, if it holds for all that follow. */
function firstOf(sorted: readonly number[], holds: (value: number) => boolean): number | undefined {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(sorted[middle] ?? 1)) to = middle;
    else from = middle + 1;
  }
  return sorted[from];
}

/** A config is good for its traffic if so many healthy candidates are certified within `atMost`. */
export const mostly = 0.8;

/** What is wrong with a rollout's config under the traffic that it expects, one sentence each; empty: nothing. */
export function rolloutWarnings(plan: Plan, sticky: boolean): readonly string[] {
  const single = guardrailWarnings(plan, sticky);
  if (plan.expected === undefined) return single;
  const { rpm, errorShare } = plan.expected;
  const forecast = forecastOf(plan, rpm, errorShare);
  if (forecast === undefined) return single;
  const { certified, certifies, slowest, harmBudget } = forecast;
  const late =
    certified.inTime < mostly
      ? [
          `with ${rpm} requests a minute atMost (${durationText(plan.atMost)}) is too short: ${percent(certified.inTime)} of the healthy candidates are certified by then, and half of them ${certifies === undefined ? `not before a hold ends (${durationText(plan.maxHold)})` : `after ${durationText(minutes(certifies.ofLastStep))} of the last step`}${slowest === undefined ? '' : ` (${slowest} is the slowest)`}; lengthen atMost, raise margin or floor, or use strategy shadow`,
        ]
      : [];
  const costly =
    plan.harmBudget !== undefined && harmBudget !== undefined && plan.harmBudget < harmBudget
      ? [`a harmBudget below ${harmBudget} slows down a healthy candidate`]
      : [];
  return [...single, ...late, ...costly];
}

/** What is wrong with single guardrails under this plan. */
function guardrailWarnings(plan: Plan, sticky: boolean): readonly string[] {
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
export function forecastText(plan: Plan): string {
  if (plan.expected === undefined)
    return 'give rollout.expected.rpm, and this says when a healthy candidate is certified and what a bake finds';
  const { rpm, errorShare } = plan.expected;
  const forecast = forecastOf(plan, rpm, errorShare);
  if (forecast === undefined) return `strategy ${plan.strategy} is not judged step by step`;
  const { certifies, slowest, finds, harmBudget, idle } = forecast;
  const found = finds.flatMap(({ stream, from, to }) =>
    to === undefined ? [] : [`${stream} of ${percent(to)} instead of ${percent(from)}`],
  );
  const when =
    certifies === undefined
      ? `not before a hold of ${durationText(plan.maxHold)} ends`
      : `${durationText(minutes(certifies.median))} after its first step began, ${durationText(minutes(certifies.ofLastStep))} of them in the last`;
  const leftOut = idle.length === 0 ? '' : `; ${idleText(idle, { rpm, errorShare })}`;
  const budget = harmBudget === undefined ? '' : `; a harmBudget of ${harmBudget} would not slow it down`;
  return `${rpm} requests a minute: a healthy candidate is certified ${when} ${slowest === undefined ? '' : ` (${slowest} is the slowest)`}; until then it finds ${found.length === 0 ? 'no regression' : found.join(', ')}${budget}${leftOut}`;
}

const minutes = (ms: number): number => Math.ceil(ms / minute) * minute;

function smallestBudget(plan: Plan, steps: readonly number[], { rpm, errorShare }: Traffic): number | undefined {
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
