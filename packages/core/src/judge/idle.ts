import { numberText } from '../base/numbers.ts';
import { minute } from '../base/time.ts';
import type { ModelPlan } from '../config/config.ts';
import type { Stream } from '../guardrails/guardrail.ts';
import type { History } from './history.ts';
import { type AtShare, logEvidence } from './origin.ts';
import type { Guardrail, Rules } from './rules.ts';

/** What an endpoint gets: requests a minute of both arms, and the champion's share of those that fail. */
export interface Traffic {
  readonly rpm: number;
  readonly errorShare: number;
}

/** Of the busiest quarter of the champion's day; `undefined`: it served for less than a day, or nobody counted it. */
export function trafficOf({ from, to, measures }: History): Traffic | undefined {
  const known = measures.errors;
  const byQuarter = known?.parts?.slice(0, 4).map(({ requests }) => requests) ?? [];
  if (known === undefined || known.requests === 0 || byQuarter.length === 0 || byQuarter.includes(0)) return undefined;
  return { rpm: (4 * minute * Math.max(...byQuarter)) / (to - from), errorShare: known.bad / known.requests };
}

/** A step that would not show a candidate so many times as bad shows nothing. */
const worst = 5;
/**
 * A step is only left out for one that brings the candidate so few requests a minute: the hard limit, which needs 20 by
 * default, has then seen them after a minute or two. What a rollout risks by it is two minutes of 20 requests.
 */
const fewest = 20;

type Plan = Pick<ModelPlan['rollout'], 'bake' | 'warmUp' | 'tick' | 'harmBudget'>;

/**
 * Weights that can show nothing within their bake, because the candidate gets too few requests. A rollout goes on without
 * them: it would only be longer. The last step and a mirror are never among them, and no step under a harm budget.
 */
export function idleSteps(steps: readonly number[], plan: Plan, rules: Rules, traffic: Traffic): readonly number[] {
  if (plan.harmBudget !== undefined) return [];
  return steps.filter((weight, index) => {
    const next = steps[index + 1];
    const isSmall = next !== undefined && weight > 0 && (traffic.rpm * next) / 100 <= fewest;
    return isSmall && !finds(weight / 100, plan, rules, traffic);
  });
}

/** Which steps are left out, and why, for a person. */
export function idleText(idle: readonly number[], { rpm }: Traffic): string {
  const which = `${idle.join(' and ')} %`;
  return `${idle.length === 1 ? 'the step' : 'the steps'} of ${which} ${idle.length === 1 ? 'is' : 'are'} left out: with ${numberText(Math.round(rpm))} requests a minute even a candidate that is ${worst} times as bad would not show there`;
}

/** By expected counts, and by the whole likelihood ratio: what cuts and divides it in a rollout finds even less. */
function finds(share: number, { bake, warmUp, tick }: Plan, rules: Rules, { rpm, errorShare }: Traffic): boolean {
  return liveStreams(rules).some(({ guardrail, stream, needed }) => {
    const counted = Math.max(0, bake - (guardrail.warmsUp ? warmUp * tick : 0)) / minute;
    const from = expectedShare(stream, errorShare);
    const candidate = rpm * counted * share * Math.min(1, worst * from);
    const at: AtShare = { share, candidate, champion: rpm * counted * (1 - share) * from };
    return logEvidence([at], guardrail.toleratedRatio) >= needed;
  });
}

interface Live {
  readonly guardrail: Guardrail;
  readonly stream: Stream;
  /** The log of E that the stream has to reach by itself. */
  readonly needed: number;
}

/** What may bring a candidate down, without segments. */
export function liveStreams({ guardrails, alpha, mirrored }: Rules): readonly Live[] {
  return guardrails
    .filter(({ alphaShare, clock }) => alphaShare > 0 && clock === 'ticks')
    .flatMap((guardrail) => {
      const harmful = guardrail.streams.filter(({ harm }) => harm);
      const whole = harmful.filter(({ segment }) => segment === undefined);
      // Segments, and the pairs of a mirror, have an even part of their guardrail's evidence.
      const members = harmful.length + (mirrored ? whole.length : 0);
      const needed = Math.log(members / alpha / guardrail.alphaShare);
      return whole.map((stream) => ({ guardrail, stream, needed }));
    });
}

/** Of the champion's requests. */
export const expectedShare = ({ expectedShare: fixed }: Stream, errorShare: number): number => fixed ?? errorShare;
