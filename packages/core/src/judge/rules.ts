import { errors } from '../base/measures.ts';
import { spanText } from '../base/time.ts';
import type { ModelPlan } from '../config/config.ts';
import type { GuardrailKind, Thresholds, Watch } from '../guardrails/guardrail.ts';
import type { Bounds } from '../guardrails/kit.ts';
import { guardrailKinds } from '../guardrails/list.ts';
import { climatesOf } from './climate.ts';
import type { History } from './history.ts';
import { type TogetherRule, togetherRule, windowMs } from './together.ts';
import type { Climate } from './weather.ts';

/** What is watched, and the bounds that the config sets it. */
export interface Guardrail extends Pick<GuardrailKind, 'name' | 'clock' | 'warmsUp'>, Watch {
  readonly toleratedRatio: number;
  readonly margin: number;
  readonly floor: number;
  readonly maxBurst: number;
  /** Its part of alpha; those of the guardrails that decide add up to 1. 0: a dry run, which decides nothing. */
  readonly alphaShare: number;
  /** What is expected of each stream, by its id. */
  readonly climates: Readonly<Record<string, Climate>>;
}

/** How a rollout is judged: fixed before its first tick, and part of its certificate. */
export interface Rules {
  readonly alpha: number;
  readonly beta: number;
  readonly routing: 'configured' | 'realised';
  readonly unit: 'request' | 'user';
  readonly mirrored: boolean;
  readonly guardrails: readonly Guardrail[];
  /** Guardrails of the config that cannot be judged in this rollout, and why. */
  readonly off: readonly { readonly name: string; readonly because: string }[];
  readonly limits: ModelPlan['rollout']['limits'];
  /** What both arms together may reach. Absent: as if it were off. */
  readonly together?: TogetherRule;
  /** What the champion did before the start. Absent: not known, and the careful defaults hold. */
  readonly history?: History;
}

/** Changes with every change of a formula or of a text of a certificate. */
export const ruleVersion = 'serin-judge/3';

/**
 * Of what is evidence, and of what a hold does. A rollout keeps the edition under which it began; one of an older edition
 * is neither judged nor verified by this code.
 */
export const edition = 3;

export interface RulesOf {
  readonly plan: ModelPlan['rollout'];
  /** Users stay with their model: the unit of the evidence is the user. */
  readonly sticky: boolean;
  /** `none`: nobody could say them. Absent: nobody asked. */
  readonly thresholds?: Thresholds | 'none' | undefined;
  readonly history?: History | 'none' | undefined;
  /** A person saw that both arms got worse together, and let it go on. */
  readonly accepted?: boolean;
}

export function rulesOf({ plan, sticky, thresholds, history, accepted }: RulesOf): Rules {
  const segments = sticky ? undefined : plan.segments;
  const setting = { sticky, routing: plan.routing, segments, thresholds };
  const given: Readonly<Record<string, Bounds | false | undefined>> = plan.guardrails;
  const unit = sticky ? 'user' : 'request';
  const known = history === 'none' ? undefined : history;
  const found: Found[] = [];
  const off: { readonly name: string; readonly because: string }[] = [];
  for (const kind of guardrailKinds) {
    const rule = given[kind.name];
    const watch = rule === undefined || rule === false ? undefined : kind.watch(rule, setting);
    if (rule === undefined || rule === false || watch === undefined) continue;
    const { name, clock, warmsUp } = kind;
    if ('off' in watch) off.push({ name, because: watch.off });
    else {
      const climates = climatesOf({ clock, unit, streams: watch.streams, maxBurst: rule.maxBurst }, known);
      found.push({ rule, guardrail: { ...boundsOf(rule), name, clock, warmsUp, ...watch, climates } });
    }
  }
  if (sticky && plan.segments !== undefined)
    off.push({ name: 'segments', because: 'users are not counted by segment' });
  const guardrails = withShares(found);
  return {
    alpha: plan.alpha,
    beta: plan.beta,
    routing: plan.routing,
    unit,
    mirrored: plan.strategy === 'shadow',
    guardrails,
    off,
    limits: plan.limits,
    together: whole(guardrails, known, whyNotTogether(plan, accepted)),
    ...(known === undefined ? {} : { history: known }),
  };
}

function whyNotTogether(plan: RulesOf['plan'], accepted: boolean | undefined): string | undefined {
  if (plan.limits.together === false) return 'the config says so';
  if (windowMs % plan.tick !== 0)
    return `windows of ${spanText(windowMs)} cannot be filled by ticks of ${spanText(plan.tick)}`;
  return accepted === true ? 'a person let the rollout go on after it had held it' : undefined;
}

/** What both arms together may reach in each measure that decides. A segment is part of the whole. */
function whole(guardrails: readonly Guardrail[], history: History | undefined, off: string | undefined): TogetherRule {
  if (off !== undefined) return { off };
  const deciding = guardrails.filter(({ clock, alphaShare }) => clock === 'ticks' && alphaShare > 0);
  const watched = deciding.flatMap(({ streams, floor, toleratedRatio }) =>
    streams
      .filter(({ segment }) => segment === undefined)
      .map(({ measure, events }) => ({ measure, events, floor, toleratedRatio })),
  );
  return togetherRule(history?.together, watched);
}

interface Found {
  readonly rule: Bounds;
  readonly guardrail: Omit<Guardrail, 'alphaShare'>;
}

/** The parts of alpha that are given. The others share the rest evenly. */
function withShares(found: readonly Found[]): readonly Guardrail[] {
  const live = found.filter(({ rule }) => !rule.dryRun);
  const taken = live.reduce((sum, { rule }) => sum + (rule.alphaShare ?? 0), 0);
  const open = live.filter(({ rule }) => rule.alphaShare === undefined).length;
  return found.map(({ rule, guardrail }) => ({
    ...guardrail,
    alphaShare: rule.dryRun ? 0 : (rule.alphaShare ?? (1 - taken) / open),
  }));
}

const boundsOf = ({ toleratedRatio, margin, floor, maxBurst }: Bounds) => ({
  toleratedRatio,
  margin,
  floor,
  maxBurst,
});

/** The measures that the ticks need: errors, which the hard limit uses, and those that the guardrails watch. */
export const measuresOf = ({ guardrails }: Pick<Rules, 'guardrails'>): readonly string[] => {
  const measures = [errors];
  for (const { clock, streams } of guardrails)
    if (clock === 'ticks')
      for (const { measure, segment } of streams)
        if (segment === undefined && measure !== errors) measures.push(measure);
  return measures;
};
