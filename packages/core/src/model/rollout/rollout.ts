import { type Refusal, refuse, type Table } from '../../base/table.ts';
import { day, durationText, minute } from '../../base/time.ts';
import type { ModelPlan } from '../../config/config.ts';
import { stepsOf } from '../../config/steps.ts';
import type { Certificate } from '../../judge/certificate.ts';
import { type Evidence, noEvidence } from '../../judge/evidence.ts';
import { type Edition, edition, type Thresholds, whyNoLabels } from '../../judge/rules.ts';
import type { Effect } from '../effect.ts';
import type { InnerSignal, ModelSignal, SignalOf } from '../signal.ts';
import { ownThresholds } from './judged.ts';
import { bake, guard, holdText, labelsFrom, promote, promoted, revert, reverted, shift, tell } from './steps.ts';
import {
  afterHold,
  afterTicks,
  blindGuard,
  judgedLabels,
  judgedTicks,
  resumed,
  unread,
  unreadable,
} from './verdicts.ts';

/** Why traffic goes back, and whether a person wanted it. */
export interface Because {
  readonly kind:
    | 'evidence'
    | 'limit'
    | 'routing'
    | 'ready'
    | 'alert'
    | 'hold'
    | 'inconclusive'
    | 'abort'
    | 'rollback'
    | 'retired';
  readonly text: string;
}

export interface Base {
  readonly id: string;
  /** `rollback`: back to an earlier version, without a gate and without steps. */
  readonly kind: 'release' | 'rollback';
  /** Of the judge's rules, since it began; absent: 1. */
  readonly edition?: Edition;
  readonly candidate: number;
  /** The champion when it began: what a revert restores. Absent: a first version, whose revert serves nothing. */
  readonly stable?: number;
  readonly plan: ModelPlan['rollout'];
  /** Users stay with the model that they got first. */
  readonly sticky: boolean;
  /** Since when the champion alone answers: its latency from then on is what the candidate's is compared with. */
  readonly championSince?: number;
  /** The champion's percentiles before the start; `none`: it had hardly any requests. Absent: not read yet. */
  readonly latency?: Thresholds | 'none';
  /** Weights of the candidate in percent, in order, 0 being a mirror; then all traffic. */
  readonly steps: readonly number[];
  readonly guardMs: number;
  readonly startedAt: number;
  readonly by: string;
  readonly evidence: Evidence;
  /** How the last verdict was come to; absent: there was none yet, or it goes back to an earlier version. */
  readonly certificate?: Certificate;
  /** What was decided on the way, for a person: the last 20 lines. */
  readonly story: readonly { readonly at: number; readonly text: string }[];
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
  /** `ready`: it waits for the end of a freeze alone. */
  | (Base & { readonly status: 'deploying'; readonly deadline: number; readonly ready?: true })
  | (Base & { readonly status: 'shifting'; readonly step: number; readonly deadline: number })
  | (Base & AtStep & Unread & { readonly status: 'baking' })
  | (Base & AtStep & { readonly status: 'paused'; readonly endsAt: number })
  /**
   * `gathering`: what is missing is evidence, and a certificate ends the hold. `backTo`: nobody can say what the
   * candidate does with the weight of `step`, and it waits at this one (percent).
   */
  | (Base &
      AtStep & {
        readonly status: 'held';
        readonly endsAt: number;
        readonly because: string;
        readonly gathering?: true;
        readonly backTo?: number;
      })
  | (Base & { readonly status: 'promoting'; readonly deadline: number })
  | (Base & Unread & { readonly status: 'guarding'; readonly since: number; readonly until: number })
  | (Base & { readonly status: 'reverting'; readonly since: number; readonly because: Because })
  | (Base & { readonly status: 'promoted'; readonly endedAt: number; readonly because: string })
  | (Base & { readonly status: 'rolledBack' | 'aborted'; readonly endedAt: number; readonly because: Because });

export interface RolloutContext {
  readonly frozen: boolean;
}

type Signals = ModelSignal | (InnerSignal & { readonly at: number });
export type Waiting = Exclude<Rollout, { endedAt: number }>;

export const rolloutEnded = (rollout: Rollout | undefined): boolean => rollout === undefined || 'endedAt' in rollout;

export function beginRollout(
  given: Pick<Base, 'id' | 'kind' | 'candidate' | 'plan' | 'by' | 'sticky'> &
    Partial<Pick<Base, 'stable' | 'championSince'>>,
  at: number,
): Rollout {
  const stepwise = given.kind === 'release' && given.stable !== undefined;
  return {
    ...given,
    edition,
    steps: stepwise ? stepsOf(given.plan) : [],
    guardMs: given.kind === 'rollback' || given.plan.strategy === 'allAtOnce' ? 0 : given.plan.guard,
    startedAt: at,
    evidence: noEvidence(at),
    story: [],
    status: 'deploying',
    deadline: at + given.plan.readyWithin,
  };
}

/** What moves a rollout. */
export const rolloutTable: Table<Rollout, Signals, RolloutContext> = {
  deploying: {
    ...stoppable<'deploying'>(),
    endpointConverged: (rollout, { at }, { frozen }) => {
      if (wantsLatency(rollout)) return rollout;
      if (!frozen || rollout.kind === 'rollback') return shift(rollout, 0, at);
      return rollout.ready ? rollout : { ...rollout, ready: true };
    },
    clockTicked: (rollout, { at }) => {
      if (at < rollout.deadline || rollout.ready) return rollout;
      // A platform that cannot say how fast the champion is says nothing against a candidate that is ready.
      return wantsLatency(rollout)
        ? { ...rollout, latency: 'none' }
        : revert(rollout, at, {
            kind: 'ready',
            text: `v${rollout.candidate} was not ready within ${durationText(rollout.plan.readyWithin)}`,
          });
    },
    promoteRequested: refuse('the candidate is not ready yet; promote it once it bakes'),
    pauseRequested: refuse('the candidate has no traffic yet; abort it, or pause it once it bakes'),
    resumeRequested: 'ignore',
    ticksRead: 'ignore',
    labelsRead: 'ignore',
    latencyRead: (rollout, { percentiles }) => ({
      ...rollout,
      latency: percentiles !== undefined && isUsable(percentiles) ? percentiles : 'none',
    }),
  },
  shifting: {
    ...stoppable<'shifting'>(),
    endpointConverged: (rollout, { at }) => bake(rollout, rollout.step, at, 'newWeight'),
    clockTicked: (rollout, { at }) =>
      at < rollout.deadline
        ? rollout
        : revert(rollout, at, {
            kind: 'ready',
            text: `the endpoint did not take the weight of step ${rollout.step + 1} in time`,
          }),
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ?? promote(rollout, signal.at, `promoted by ${byWhom(signal)}`),
    pauseRequested: refuse('the weight is being shifted; pause it once it bakes'),
    resumeRequested: 'ignore',
    ticksRead: 'ignore', // of the step before, delivered late
    labelsRead: 'ignore', // read again once it bakes
    latencyRead: 'ignore',
  },
  baking: {
    ...stoppable<'baking'>(),
    endpointConverged: 'ignore',
    ticksRead: (rollout, signal, { frozen }) =>
      judgedTicks(rollout, signal, (counted, verdict) => afterTicks(counted, verdict, signal.at, frozen)),
    labelsRead: (rollout, signal, { frozen }) =>
      judgedLabels(rollout, signal, (counted, verdict) => afterTicks(counted, verdict, signal.at, frozen)),
    latencyRead: 'ignore',
    // The bake ends on the ticks that cover it, if there are any.
    clockTicked: (rollout, { at }) => unread(rollout, at),
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ?? promote(rollout, signal.at, `promoted by ${byWhom(signal)}`),
    pauseRequested: (rollout, signal) =>
      ours(rollout, signal) ??
      tell(
        { ...rollout, status: 'paused' as const, endsAt: signal.at + rollout.plan.maxHold },
        signal.at,
        `paused by ${byWhom(signal)}`,
      ),
    resumeRequested: 'ignore',
  },
  paused: {
    ...stoppable<'paused'>(),
    endpointConverged: 'ignore',
    ticksRead: (rollout, signal) => judgedTicks(rollout, signal, (counted) => counted),
    labelsRead: (rollout, signal) => judgedLabels(rollout, signal, (counted) => counted),
    latencyRead: 'ignore',
    clockTicked: (rollout, { at }) =>
      at < rollout.endsAt
        ? rollout
        : revert(rollout, at, {
            kind: 'hold',
            text: `paused longer than maxHold (${durationText(rollout.plan.maxHold)})`,
          }),
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ?? promote(rollout, signal.at, `promoted by ${byWhom(signal)}`),
    pauseRequested: 'ignore',
    resumeRequested: (rollout, signal) =>
      ours(rollout, signal) ??
      bake(tell(rollout, signal.at, `resumed by ${byWhom(signal)}`), rollout.step, signal.at, 'sameWeight'),
  },
  held: {
    ...stoppable<'held'>(),
    endpointConverged: 'ignore',
    ticksRead: (rollout, signal, { frozen }) =>
      judgedTicks(rollout, signal, (counted, verdict) => afterHold(counted, verdict, signal.at, frozen)),
    labelsRead: (rollout, signal, { frozen }) =>
      judgedLabels(rollout, signal, (counted, verdict) => afterHold(counted, verdict, signal.at, frozen)),
    latencyRead: 'ignore',
    clockTicked: (rollout, { at }) =>
      at < rollout.endsAt
        ? rollout
        : revert(rollout, at, {
            kind: 'hold',
            text: `${rollout.because}, and held longer than ${holdText(rollout)}`,
          }),
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ?? promote(rollout, signal.at, `promoted by ${byWhom(signal)}`),
    pauseRequested: 'ignore',
    resumeRequested: (rollout, signal, { frozen }) =>
      ours(rollout, signal) ?? resumed(rollout, { at: signal.at, by: byWhom(signal) }, frozen),
  },
  promoting: {
    ...stoppable<'promoting'>(),
    endpointConverged: (rollout, { at }) => guard(rollout, at),
    clockTicked: (rollout, { at }) =>
      at < rollout.deadline
        ? rollout
        : revert(rollout, at, { kind: 'ready', text: 'the endpoint did not take the full weight in time' }),
    promoteRequested: 'ignore',
    pauseRequested: refuse('the candidate is being promoted; abort it instead'),
    resumeRequested: 'ignore',
    ticksRead: 'ignore',
    labelsRead: 'ignore',
    latencyRead: 'ignore',
  },
  guarding: {
    ...stoppable<'guarding'>(),
    endpointConverged: 'ignore',
    ticksRead: (rollout, signal) =>
      judgedTicks(rollout, signal, (counted, verdict) => {
        if (verdict.kind === 'misrouted') return blindGuard(counted, signal, verdict.text);
        return signal.to < counted.until ? counted : promoted(counted, signal.at);
      }),
    labelsRead: (rollout, signal) => judgedLabels(rollout, signal, (counted) => counted),
    latencyRead: 'ignore',
    clockTicked: (rollout, { at }) =>
      at >= rollout.until && rollout.until === rollout.since ? promoted(rollout, at) : unread(rollout, at),
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ??
      promoted(tell(rollout, signal.at, `the guard was ended by ${byWhom(signal)}`), signal.at),
    pauseRequested: refuse('the candidate has all traffic already; abort it instead'),
    resumeRequested: 'ignore',
  },
  reverting: {
    // The endpoint machine says so only for an observation begun after the last forward write could have landed.
    endpointConverged: (rollout, { at }) => reverted(rollout, at),
    deploymentFailed: 'ignore',
    alertRaised: 'ignore',
    abortRequested: 'ignore',
    rollbackRequested: 'ignore',
    effectRefused: 'ignore',
    ticksRead: 'ignore',
    labelsRead: 'ignore',
    latencyRead: 'ignore',
    clockTicked: 'ignore',
    promoteRequested: refuse('the rollout is being taken back'),
    pauseRequested: refuse('the rollout is being taken back'),
    resumeRequested: refuse('the rollout is being taken back'),
  },
  promoted: over(),
  rolledBack: over(),
  aborted: over(),
};

/** Rollback is reachable from every waiting state. */
function stoppable<Status extends Waiting['status']>() {
  type Here = Extract<Waiting, { status: Status }>;
  return {
    deploymentFailed: (rollout: Here, { at, version, because }: Extract<Signals, { type: 'deploymentFailed' }>) =>
      version === rollout.candidate
        ? revert(rollout, at, { kind: 'ready', text: `v${version} failed: ${because}` })
        : rollout,
    effectRefused: (rollout: Here, { at, because, key }: SignalOf<'effectRefused'>): Rollout =>
      key.startsWith('rollout/')
        ? unreadable(rollout, at, { because, what: key.includes('/labels/') ? 'labels' : 'ticks' })
        : revert(rollout, at, { kind: 'ready', text: because }),
    alertRaised: (rollout: Here, { at, sender, title }: SignalOf<'alertRaised'>) =>
      // A rollback goes to the last good version: there is nowhere better to go.
      rollout.kind === 'rollback'
        ? rollout
        : revert(rollout, at, { kind: 'alert', text: `alert from ${sender}: ${title}` }),
    abortRequested: (rollout: Here, signal: SignalOf<'abortRequested'>) =>
      ours(rollout, signal) ??
      revert(rollout, signal.at, {
        kind: 'abort',
        text: `aborted by ${byWhom(signal)}`,
      }),
    rollbackRequested: (rollout: Here, signal: SignalOf<'rollbackRequested'>) =>
      rollout.kind === 'rollback'
        ? refuse('a rollback is under way already')
        : revert(rollout, signal.at, { kind: 'rollback', text: `rolled back by ${byWhom(signal)}` }),
  } as const;
}

function over() {
  const ended = refuse('the rollout has ended already');
  return {
    endpointConverged: 'ignore',
    deploymentFailed: 'ignore',
    ticksRead: 'ignore',
    labelsRead: 'ignore',
    latencyRead: 'ignore',
    clockTicked: 'ignore',
    effectRefused: 'ignore',
    abortRequested: ended,
    promoteRequested: ended,
    pauseRequested: ended,
    resumeRequested: ended,
  } as const;
}

/** The candidate's share of the traffic that a rollout wants, in percent. */
export function candidateWeight(rollout: Rollout): number {
  switch (rollout.status) {
    case 'shifting':
    case 'baking':
    case 'paused':
      return rollout.steps[rollout.step] ?? 100;
    case 'held':
      return rollout.backTo ?? rollout.steps[rollout.step] ?? 100;
    case 'promoting':
    case 'guarding':
      return rollout.guardMs > 0 && rollout.stable !== undefined ? 100 - rollout.plan.guardShare : 100;
    case 'promoted':
      return 100;
    default:
      return 0;
  }
}

/** Percent of the requests that the candidate gets a copy of. */
export function mirroredShare(rollout: Rollout): number {
  const atStep = 'step' in rollout && rollout.steps[rollout.step] === 0;
  return atStep ? rollout.plan.mirror : 0;
}

/** What a rollout owes while it waits: the champion's latency, then the ticks and labels that have closed since. */
export function rolloutOwes(rollout: Rollout, now: number, endpoint: string): readonly Effect[] {
  const { id, plan, sticky, evidence, startedAt } = rollout;
  if (rollout.status === 'deploying' && wantsLatency(rollout)) {
    const from = Math.max(rollout.championSince ?? 0, startedAt - day);
    return [{ key: `rollout/${id}/latency`, kind: 'readLatency', endpoint, from, to: startedAt }];
  }
  const { tick } = plan;
  const upTo = (from: number, until: number) =>
    Math.min(Math.floor(until / tick), from / tick + maxTicksPerReading) * tick;
  const owed: Effect[] = [];
  if (now >= (ticksDueAt(rollout) ?? Number.POSITIVE_INFINITY)) {
    const from = evidence.readTo;
    owed.push({
      key: `rollout/${id}/ticks/${from}`,
      kind: 'readTicks',
      endpoint,
      from,
      to: upTo(from, now),
      tickMs: tick,
      slowerThan: ownThresholds(rollout),
      ...(sticky ? { usersSince: evidence.usersSince ?? evidence.from ?? startedAt } : {}),
    });
  }
  const maturityMs = plan.guardrails.labels?.maturity ?? 0;
  if (now >= (labelsDueAt(rollout) ?? Number.POSITIVE_INFINITY)) {
    const from = labelsFrom(rollout);
    owed.push({
      key: `rollout/${id}/labels/${from}`,
      kind: 'readLabels',
      endpoint,
      from,
      to: upTo(from, now - maturityMs),
      tickMs: tick,
      maturityMs,
    });
  }
  return owed;
}

export function rolloutWakes(rollout: Rollout): number | undefined {
  switch (rollout.status) {
    case 'deploying':
    case 'shifting':
    case 'promoting':
      return rollout.deadline;
    case 'paused':
    case 'held':
      return earliest(rollout.endsAt, ticksDueAt(rollout), labelsDueAt(rollout));
    case 'guarding':
      return rollout.until === rollout.since ? rollout.until : earliest(ticksDueAt(rollout), labelsDueAt(rollout));
    case 'baking':
      return earliest(ticksDueAt(rollout), labelsDueAt(rollout));
    default:
      return undefined;
  }
}

const earliest = (...times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};

const maxTicksPerReading = 240;
/** Percentiles of fewer requests are not worth freezing. */
const fewestRequests = 20;
const isUsable = ({ p50, p90, p99, requests }: Thresholds): boolean =>
  requests >= fewestRequests && [p50, p90, p99].every((value) => Number.isFinite(value) && value >= 0);

/** The thresholds of the latency guardrail are frozen before the candidate has any traffic. */
const wantsLatency = ({ kind, stable, plan, latency }: Base): boolean =>
  kind === 'release' &&
  stable !== undefined &&
  plan.guardrails.latency !== false &&
  plan.strategy !== 'allAtOnce' &&
  latency === undefined;

/** When the next tick has closed, for states that read ticks. */
function ticksDueAt(rollout: Rollout): number | undefined {
  if (!('since' in rollout) || rollout.status === 'reverting') return undefined;
  return rollout.evidence.readTo + rollout.plan.tick;
}

/** When the labels of the next tick have matured. */
function labelsDueAt(rollout: Rollout): number | undefined {
  const { plan, sticky, stable } = rollout;
  const { labels } = plan.guardrails;
  if (labels === undefined || whyNoLabels(plan, sticky) !== undefined) return undefined;
  if (stable === undefined || ticksDueAt(rollout) === undefined) return undefined;
  return labelsFrom(rollout) + plan.tick + labels.maturity;
}

const byWhom = ({ actor, because }: Pick<ModelSignal, 'actor'> & { readonly because?: string }): string =>
  because === undefined ? actor.subject : `${actor.subject}: ${because}`;

function ours(rollout: Base, signal: { readonly rollout?: string }): Refusal | undefined {
  return signal.rollout === undefined || signal.rollout === rollout.id
    ? undefined
    : refuse(`rollout ${signal.rollout} is not active; ${rollout.id} is`);
}

export const maxRevertMs = 15 * minute;
