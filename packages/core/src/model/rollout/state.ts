import type { ModelPlan } from '../../config/config.ts';
import type { Thresholds } from '../../guardrails/guardrail.ts';
import type { Certificate } from '../../judge/certificate.ts';
import type { Evidence } from '../../judge/evidence.ts';
import type { History } from '../../judge/history.ts';

/** What a rollout is, and what others ask of it. */

/** Why traffic goes back, and whether a person wanted it. */
export interface Because {
  readonly kind:
    | 'evidence'
    | 'limit'
    | 'routing'
    | 'together'
    | 'ready'
    | 'alert'
    | 'hold'
    | 'inconclusive'
    | 'abort'
    | 'rollback';
  readonly text: string;
}

export interface Base {
  readonly id: string;
  /** `rollback`: back to an earlier version, without a gate and without steps. */
  readonly kind: 'release' | 'rollback';
  /** Whose version it is, for commands that a person is told. Absent in records from before. */
  readonly model?: string;
  /** Of the judge's rules, since it began; absent: 1. */
  readonly edition?: number;
  readonly candidate: number;
  /** The champion when it began: what a revert restores. Absent: a first version, whose revert serves nothing. */
  readonly stable?: number;
  readonly plan: ModelPlan['rollout'];
  /** Users stay with the model that they got first. */
  readonly sticky: boolean;
  /** Since when only the champion answers. The candidate's latency is compared with the champion's from then on. */
  readonly championSince?: number;
  /** The champion's percentiles before the start; `none`: it had hardly any requests. Absent: not read yet. */
  readonly latency?: Thresholds | 'none';
  /** What the champion did before the start; `none`: nobody knows. Absent: not read yet. */
  readonly history?: History | 'none';
  /**
   * Both arms got worse together. `held`: that held it once, and then passed. `accepted`: a person let it go on, and it is
   * not looked at any more.
   */
  readonly together?: 'held' | 'accepted';
  /** Weights of the candidate in percent, in order, 0 being a mirror; then all traffic. */
  readonly steps: readonly number[];
  readonly guardMs: number;
  readonly startedAt: number;
  readonly by: string;
  readonly evidence: Evidence;
  /** How the last verdict was come to; absent: there was none yet, or it goes back to an earlier version. */
  readonly certificate?: Certificate;
  /** When the candidate surely had which weight, for labels of a platform that does not record it: the last 50. */
  readonly weighed?: readonly Weighed[];
  /** What was decided on the way, for a person: the last 20 lines. */
  readonly story: readonly { readonly at: number; readonly text: string }[];
}

/** A weight of the candidate in percent: from a confirmation of it until another one was asked for. */
export interface Weighed {
  readonly weight: number;
  readonly from: number;
  readonly until?: number;
}

/** A step under way: since when it bakes, and until when. */
interface AtStep {
  readonly step: number;
  readonly since: number;
  readonly until: number;
}

interface Unread {
  /** When it was seen that no tick could be read for too long. */
  readonly unreadSince?: number;
}

/** How a judged candidate gets the traffic. A status names what is waited for. */
export type Rollout =
  /** `ready`: it waits only for the end of a freeze. */
  | (Base & { readonly status: 'deploying'; readonly deadline: number; readonly ready?: true })
  | (Base & { readonly status: 'shifting'; readonly step: number; readonly deadline: number })
  | (Base & AtStep & Unread & { readonly status: 'baking' })
  | (Base & AtStep & { readonly status: 'paused'; readonly endsAt: number })
  /**
   * `gathering`: what is missing is evidence, and a certificate ends the hold. `backTo`: nobody can say what the
   * candidate does with the weight of `step`, and it waits at this one (percent). `passing`: what both arms did together
   * is waited for, and who lets it go on once that is over. `frozen`: it is over, and only a freeze is waited for.
   */
  | (Base &
      AtStep & {
        readonly status: 'held';
        readonly endsAt: number;
        readonly because: string;
        readonly gathering?: true;
        readonly backTo?: number;
        readonly passing?: 'byItself' | 'byPerson';
        readonly frozen?: true;
      })
  | (Base & { readonly status: 'promoting'; readonly deadline: number })
  | (Base & Unread & { readonly status: 'guarding'; readonly since: number; readonly until: number })
  | (Base & { readonly status: 'reverting'; readonly since: number; readonly because: Because })
  | (Base & { readonly status: 'promoted'; readonly endedAt: number; readonly because: string })
  | (Base & { readonly status: 'rolledBack' | 'aborted'; readonly endedAt: number; readonly because: Because });

export interface RolloutContext {
  readonly frozen: boolean;
}

export type Waiting = Exclude<Rollout, { endedAt: number }>;

export const rolloutEnded = (rollout: Rollout | undefined): boolean => rollout === undefined || 'endedAt' in rollout;

/** The candidate's share of the traffic that a rollout wants, in percent. */
export function candidateWeight(rollout: Rollout): number {
  switch (rollout.status) {
    case 'shifting':
    case 'baking':
    case 'paused':
      return rollout.steps[rollout.step] ?? 100;
    case 'held':
      return rollout.backTo ?? rollout.steps[rollout.step] ?? guardedWeight(rollout);
    case 'promoting':
    case 'guarding':
      return guardedWeight(rollout);
    case 'promoted':
      return 100;
    default:
      return 0;
  }
}

/** What the champion does not keep while a promoted candidate is guarded. */
const guardedWeight = ({ guardMs, stable, plan }: Base): number =>
  guardMs > 0 && stable !== undefined ? 100 - plan.guardShare : 100;

/** Held when the guard had no time left: the candidate has the traffic of the guard. */
export const isHeldGuard = ({ step, steps, backTo }: Extract<Rollout, { status: 'held' }>): boolean =>
  step >= steps.length && backTo === undefined;

/** Percent of the requests that the candidate gets a copy of. */
export function mirroredShare(rollout: Rollout): number {
  const atStep = 'step' in rollout && rollout.steps[rollout.step] === 0;
  return atStep ? rollout.plan.mirror : 0;
}

/** The weight of the last step: only its ticks speak for a promotion. */
export const lastWeight = ({ steps }: Rollout): number => steps.at(-1) ?? 0;

/** The first tick whose labels are not read yet. */
export const labelsFrom = ({ evidence, startedAt, plan }: Base): number =>
  evidence.labels?.readTo ?? Math.ceil(startedAt / plan.tick) * plan.tick;

/** The thresholds of the latency guardrail are frozen before the candidate has any traffic. */
export const wantsLatency = (rollout: Base): boolean =>
  isCompared(rollout) && rollout.plan.guardrails.latency !== false && rollout.latency === undefined;

/** What the champion did is known before the candidate has any traffic. */
export const wantsHistory = (rollout: Base): boolean => isCompared(rollout) && rollout.history === undefined;

/** A candidate that is judged against a champion. */
const isCompared = ({ kind, stable, plan }: Base): boolean =>
  kind === 'release' && stable !== undefined && plan.strategy !== 'allAtOnce';
