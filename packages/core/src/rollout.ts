import type { ModelPlan } from './config.ts';
import type { Effect } from './effect.ts';
import { defined } from './intake.ts';
import { type Evidence, judge, noEvidence } from './judge.ts';
import type { InnerSignal, ModelSignal, SignalOf } from './signal.ts';
import { type Refusal, refuse, type Table } from './table.ts';
import { durationText, minute } from './time.ts';

/** Why traffic goes back, and whether a person wanted it. */
export interface Because {
  readonly kind: 'limit' | 'ready' | 'alert' | 'hold' | 'inconclusive' | 'abort' | 'rollback' | 'retired';
  readonly text: string;
}

interface Base {
  readonly id: string;
  /** `rollback`: back to an earlier version, without a gate and without steps. */
  readonly kind: 'release' | 'rollback';
  readonly candidate: number;
  /** The champion when it began: what a revert restores. Absent: a first version, whose revert serves nothing. */
  readonly stable?: number;
  readonly plan: ModelPlan['rollout'];
  /** Weights of the candidate in percent, in order; then all traffic. */
  readonly steps: readonly number[];
  readonly guardMs: number;
  readonly startedAt: number;
  readonly by: string;
  readonly evidence: Evidence;
  /** What was decided on the way, for a person: the last 20 lines. */
  readonly story: readonly { readonly at: number; readonly text: string }[];
}

/** A step under way: since when it bakes, and until when. */
interface AtStep {
  readonly step: number;
  readonly since: number;
  readonly until: number;
}

/** How a judged candidate gets the traffic. A status names what is waited for. */
export type Rollout =
  /** `ready`: it waits for the end of a freeze alone. */
  | (Base & { readonly status: 'deploying'; readonly deadline: number; readonly ready?: true })
  | (Base & { readonly status: 'shifting'; readonly step: number; readonly deadline: number })
  | (Base & AtStep & { readonly status: 'baking' })
  | (Base & AtStep & { readonly status: 'paused'; readonly endsAt: number })
  | (Base & AtStep & { readonly status: 'held'; readonly endsAt: number; readonly because: string })
  | (Base & { readonly status: 'promoting'; readonly deadline: number })
  | (Base & { readonly status: 'guarding'; readonly since: number; readonly until: number })
  | (Base & { readonly status: 'reverting'; readonly since: number; readonly because: Because })
  | (Base & { readonly status: 'promoted'; readonly endedAt: number; readonly because: string })
  | (Base & { readonly status: 'rolledBack' | 'aborted'; readonly endedAt: number; readonly because: Because });

export interface RolloutContext {
  readonly frozen: boolean;
}

type Signals = ModelSignal | (InnerSignal & { readonly at: number });
type Waiting = Exclude<Rollout, { endedAt: number }>;

export const rolloutEnded = (rollout: Rollout | undefined): boolean => rollout === undefined || 'endedAt' in rollout;

/** The weights of the candidate that a strategy goes through before it gets all traffic. */
export function stepsOf(plan: ModelPlan['rollout']): readonly number[] {
  switch (plan.strategy) {
    case 'canary':
      return plan.steps;
    case 'linear':
      return Array.from({ length: Math.ceil(100 / plan.increment) - 1 }, (_, index) => (index + 1) * plan.increment);
    default:
      return [];
  }
}

export function beginRollout(
  given: Pick<Base, 'id' | 'kind' | 'candidate' | 'plan' | 'by'> & { readonly stable?: number },
  at: number,
): Rollout {
  const stepwise = given.kind === 'release' && given.stable !== undefined;
  return {
    ...given,
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
      if (!frozen || rollout.kind === 'rollback') return shift(rollout, 0, at);
      return rollout.ready ? rollout : { ...rollout, ready: true };
    },
    clockTicked: (rollout, { at }) =>
      at < rollout.deadline || rollout.ready
        ? rollout
        : revert(rollout, at, {
            kind: 'ready',
            text: `v${rollout.candidate} was not ready within ${durationText(rollout.plan.readyWithin)}`,
          }),
    promoteRequested: refuse('the candidate is not ready yet; promote it once it bakes'),
    pauseRequested: refuse('the candidate has no traffic yet; abort it, or pause it once it bakes'),
    resumeRequested: 'ignore',
    ticksRead: 'ignore',
  },
  shifting: {
    ...stoppable<'shifting'>(),
    endpointConverged: (rollout, { at }) => bake(rollout, rollout.step, at),
    clockTicked: (rollout, { at }) =>
      at < rollout.deadline
        ? rollout
        : revert(rollout, at, {
            kind: 'ready',
            text: `the endpoint did not take the weight of step ${rollout.step + 1} in time`,
          }),
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ?? promote(rollout, signal.at, `promoted by ${signal.actor.subject}`),
    pauseRequested: refuse('the weight is being shifted; pause it once it bakes'),
    resumeRequested: 'ignore',
    ticksRead: 'ignore', // of the step before, delivered late
  },
  baking: {
    ...stoppable<'baking'>(),
    endpointConverged: 'ignore',
    ticksRead: (rollout, signal, { frozen }) =>
      judged(rollout, signal, (counted) => afterTicks(counted, signal.at, frozen)),
    clockTicked: 'ignore', // the bake ends on the ticks that cover it
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ?? promote(rollout, signal.at, `promoted by ${signal.actor.subject}`),
    pauseRequested: (rollout, signal) =>
      ours(rollout, signal) ??
      tell(
        { ...rollout, status: 'paused' as const, endsAt: signal.at + rollout.plan.maxHold },
        signal.at,
        `paused by ${signal.actor.subject}`,
      ),
    resumeRequested: 'ignore',
  },
  paused: {
    ...stoppable<'paused'>(),
    endpointConverged: 'ignore',
    ticksRead: (rollout, signal) => judged(rollout, signal, (counted) => counted),
    clockTicked: (rollout, { at }) =>
      at < rollout.endsAt
        ? rollout
        : revert(rollout, at, {
            kind: 'hold',
            text: `paused longer than maxHold (${durationText(rollout.plan.maxHold)})`,
          }),
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ?? promote(rollout, signal.at, `promoted by ${signal.actor.subject}`),
    pauseRequested: 'ignore',
    resumeRequested: (rollout, signal) =>
      ours(rollout, signal) ??
      bake(tell(rollout, signal.at, `resumed by ${signal.actor.subject}`), rollout.step, signal.at),
  },
  held: {
    ...stoppable<'held'>(),
    endpointConverged: 'ignore',
    ticksRead: (rollout, signal) => judged(rollout, signal, (counted) => counted),
    clockTicked: (rollout, { at }) =>
      at < rollout.endsAt
        ? rollout
        : revert(rollout, at, {
            kind: 'hold',
            text: `${rollout.because}, and held longer than maxHold (${durationText(rollout.plan.maxHold)})`,
          }),
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ?? promote(rollout, signal.at, `promoted by ${signal.actor.subject}`),
    pauseRequested: 'ignore',
    resumeRequested: (rollout, signal) =>
      ours(rollout, signal) ??
      bake(tell(rollout, signal.at, `resumed by ${signal.actor.subject}`), rollout.step, signal.at),
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
  },
  guarding: {
    ...stoppable<'guarding'>(),
    endpointConverged: 'ignore',
    ticksRead: (rollout, signal) =>
      judged(rollout, signal, (counted) => (signal.to >= counted.until ? promoted(counted, signal.at) : counted)),
    clockTicked: (rollout, { at }) =>
      at >= rollout.until && rollout.until === rollout.since ? promoted(rollout, at) : rollout,
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ??
      promoted(tell(rollout, signal.at, `the guard was ended by ${signal.actor.subject}`), signal.at),
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
    effectRefused: (rollout: Here, { at, because }: SignalOf<'effectRefused'>) =>
      revert(rollout, at, { kind: 'ready', text: because }),
    alertRaised: (rollout: Here, { at, sender, title }: SignalOf<'alertRaised'>) =>
      // A rollback goes to the last good version: there is nowhere better to go.
      rollout.kind === 'rollback'
        ? rollout
        : revert(rollout, at, { kind: 'alert', text: `alert from ${sender}: ${title}` }),
    abortRequested: (rollout: Here, signal: SignalOf<'abortRequested'>) =>
      ours(rollout, signal) ??
      revert(rollout, signal.at, {
        kind: 'abort',
        text: `aborted by ${signal.actor.subject}${signal.because === undefined ? '' : `: ${signal.because}`}`,
      }),
    rollbackRequested: (rollout: Here, { at, actor, because }: SignalOf<'rollbackRequested'>) =>
      rollout.kind === 'rollback'
        ? refuse('a rollback is under way already')
        : revert(rollout, at, {
            kind: 'rollback',
            text: `rolled back by ${actor.subject}${because === undefined ? '' : `: ${because}`}`,
          }),
  } as const;
}

function over() {
  const ended = refuse('the rollout has ended already');
  return {
    endpointConverged: 'ignore',
    deploymentFailed: 'ignore',
    ticksRead: 'ignore',
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
    case 'held':
      return rollout.steps[rollout.step] ?? 100;
    case 'promoting':
    case 'guarding':
    case 'promoted':
      return 100;
    default:
      return 0;
  }
}

/** What a rollout owes while it waits: the ticks that have closed since the last reading. */
export function rolloutOwes(rollout: Rollout, now: number, endpoint: string): readonly Effect[] {
  const readAt = ticksDueAt(rollout);
  if (readAt === undefined || now < readAt) return [];
  const { tick } = rollout.plan;
  const from = rollout.evidence.readTo;
  const to = Math.min(Math.floor(now / tick), from / tick + maxTicksPerReading) * tick;
  return [{ key: `rollout/${rollout.id}/ticks/${from}`, kind: 'readTicks', endpoint, from, to, tickMs: tick }];
}

export function rolloutWakes(rollout: Rollout): number | undefined {
  switch (rollout.status) {
    case 'deploying':
    case 'shifting':
    case 'promoting':
      return rollout.deadline;
    case 'paused':
    case 'held':
      return Math.min(rollout.endsAt, ticksDueAt(rollout) ?? rollout.endsAt);
    case 'guarding':
      return rollout.until === rollout.since ? rollout.until : ticksDueAt(rollout);
    case 'baking':
      return ticksDueAt(rollout);
    default:
      return undefined;
  }
}

const maxTicksPerReading = 240;

/** When the next tick has closed, for states that read ticks. */
function ticksDueAt(rollout: Rollout): number | undefined {
  if (!('since' in rollout) || rollout.status === 'reverting') return undefined;
  return rollout.evidence.readTo + rollout.plan.tick;
}

function shift(rollout: Waiting, step: number, at: number): Rollout {
  if (step >= rollout.steps.length)
    return promote(rollout, at, rollout.steps.length === 0 ? 'ready' : 'the last step baked without harm');
  return tell(
    { ...base(rollout), status: 'shifting', step, deadline: at + rollout.plan.readyWithin },
    at,
    `step ${step + 1} of ${rollout.steps.length}: ${rollout.steps[step]} % to v${rollout.candidate}`,
  );
}

function bake(rollout: Base, step: number, at: number): Rollout {
  return {
    ...base(rollout),
    evidence: { ...fromNow(rollout, at), stepRequests: 0 },
    status: 'baking',
    step,
    since: at,
    until: firstTick(at, rollout.plan.tick) + rollout.plan.bake,
  };
}

/** Ticks that began before the weight was confirmed are not counted. */
const fromNow = (rollout: Base, at: number): Evidence => ({
  ...rollout.evidence,
  readTo: Math.max(rollout.evidence.readTo, firstTick(at, rollout.plan.tick)),
});
const firstTick = (at: number, tick: number): number => Math.ceil(at / tick) * tick;

/** Ticks go to the judge; harm takes the rollout back from any state that reads them. */
function judged<
  Here extends Extract<Rollout, { since: number }> & { status: 'baking' | 'paused' | 'held' | 'guarding' },
>(rollout: Here, { at, from, ticks, to }: SignalOf<'ticksRead'>, next: (rollout: Here) => Rollout): Rollout {
  if (from !== rollout.evidence.readTo) return rollout;
  const arms = {
    candidate: deploymentName(rollout.candidate),
    ...(rollout.stable === undefined ? {} : { stable: deploymentName(rollout.stable) }),
  };
  const { evidence, harm } = judge(rollout.evidence, ticks, to, arms, rollout.plan);
  if (harm !== undefined) return revert({ ...rollout, evidence }, at, { kind: 'limit', text: harm });
  return next({ ...rollout, evidence });
}

function afterTicks(rollout: Extract<Rollout, { status: 'baking' }>, at: number, frozen: boolean): Rollout {
  const { evidence, until, step, plan } = rollout;
  if (evidence.readTo < until || frozen) return rollout;
  const last = step === rollout.steps.length - 1;
  if (!last || evidence.stepRequests >= plan.minRequests) return shift(rollout, step + 1, at);
  // No data is its own state: the last step waits for it, up to atMost.
  if (evidence.readTo < until - plan.bake + plan.atMost) return rollout;
  const because = `no data: ${evidence.stepRequests} requests to the candidate within ${durationText(plan.atMost)}, of at least ${plan.minRequests}`;
  if (plan.onInconclusive === 'promote')
    return promote(rollout, at, `${because}; promoted by policy, without evidence`);
  if (plan.onInconclusive === 'rollBack')
    return revert(rollout, at, { kind: 'inconclusive', text: `${because}; rolled back by policy` });
  return tell(
    { ...base(rollout), status: 'held', step, since: rollout.since, until, endsAt: at + plan.maxHold, because },
    at,
    `held: ${because}`,
  );
}

const promote = (rollout: Waiting, at: number, because: string): Rollout =>
  tell(
    { ...base(rollout), status: 'promoting', deadline: at + rollout.plan.readyWithin },
    at,
    `all traffic to v${rollout.candidate}: ${because}`,
  );

function guard(rollout: Waiting, at: number): Rollout {
  if (rollout.guardMs === 0) return promoted(rollout, at);
  return {
    ...base(rollout),
    evidence: fromNow(rollout, at),
    status: 'guarding',
    since: at,
    until: firstTick(at, rollout.plan.tick) + rollout.guardMs,
  };
}

function promoted(rollout: Waiting, at: number): Rollout {
  const { candidate } = rollout.evidence;
  const because =
    rollout.kind === 'rollback'
      ? `v${rollout.candidate} serves again`
      : `${candidate.requests} requests, ${candidate.errors} failed`;
  return tell({ ...base(rollout), status: 'promoted', endedAt: at, because }, at, `promoted: ${because}`);
}

function revert(rollout: Waiting, at: number, because: Because): Rollout {
  const back = rollout.stable === undefined ? 'nothing is served' : `all traffic back to v${rollout.stable}`;
  return tell({ ...base(rollout), status: 'reverting', since: at, because }, at, `${because.text}; ${back}`);
}

const reverted = (rollout: Extract<Rollout, { status: 'reverting' }>, at: number): Rollout => ({
  ...base(rollout),
  status: rollout.because.kind === 'abort' || rollout.because.kind === 'retired' ? 'aborted' : 'rolledBack',
  endedAt: at,
  because: rollout.because,
});

const tell = <Kind extends Base>(rollout: Kind, at: number, text: string): Kind => ({
  ...rollout,
  story: [...rollout.story, { at, text }].slice(-20),
});

export const deploymentName = (version: number): string => `v${version}`;

/** Only what every state has. */
function base(rollout: Base): Base {
  const { id, kind, candidate, stable, plan, steps, guardMs, startedAt, by, evidence, story } = rollout;
  return { id, kind, candidate, plan, steps, guardMs, startedAt, by, evidence, story, ...defined({ stable }) };
}

function ours(rollout: Base, signal: { readonly rollout?: string }): Refusal | undefined {
  return signal.rollout === undefined || signal.rollout === rollout.id
    ? undefined
    : refuse(`rollout ${signal.rollout} is not active; ${rollout.id} is`);
}

export const maxRevertMs = 15 * minute;
