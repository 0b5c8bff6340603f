import { type Refusal, refuse, type Table } from '../../base/table.ts';
import { durationText } from '../../base/time.ts';
import type { Thresholds } from '../../guardrails/guardrail.ts';
import type { ModelSignal, SignalOf } from '../protocol.ts';
import type { InnerSignal } from './protocol.ts';
import {
  type Base,
  isHeldGuard,
  type Rollout,
  type RolloutContext,
  type Waiting,
  wantsHistory,
  wantsLatency,
} from './state.ts';
import { accepted, bake, begin, endPromoted, endReverted, guard, holdText, note, promote, revert } from './steps.ts';
import { endUnread, holdUnreadable, judgeLabels, judgeTicks, resume } from './verdicts.ts';

type Signals = ModelSignal | (InnerSignal & { readonly at: number });

/** Why a rollout of a model that is not served any more is aborted. */
export const leftConfig = 'the model left the config';

/** What a signal of the model means for its rollout; `undefined`: nothing. */
export function meant(rollout: Rollout, signal: ModelSignal): Signals | undefined {
  const { at, id, actor } = signal;
  switch (signal.type) {
    case 'endpointObserved':
      return failureIn(rollout, signal);
    case 'configReleased':
      return signal.plan === undefined ? { type: 'abortRequested', id, at, actor, because: leftConfig } : undefined;
    default:
      return isOfOthers(rollout, signal) ? undefined : signal;
  }
}

/** The answer to an order of another machine; that the endpoint cannot be changed is for the rollout as well. */
function isOfOthers({ id }: Rollout, signal: ModelSignal): boolean {
  if (!('key' in signal)) return false;
  return !signal.key.startsWith(`rollout/${id}/`) && !signal.key.startsWith('endpoint/change/');
}

/** What the provider says of the candidate's deployment. */
function failureIn(
  { status, candidate }: Rollout,
  { observation, at }: SignalOf<'endpointObserved'>,
): Extract<Signals, { type: 'deploymentFailed' }> | undefined {
  if (observation === 'absent') return undefined;
  const broken = observation.deployments.find((each) => each.version === candidate && each.status === 'failed');
  // Before its own deployment is there, what the provider took back was asked for by somebody else.
  const takenBack = status === 'deploying' ? undefined : observation.revertedByProvider;
  if (broken === undefined && takenBack === undefined) return undefined;
  const because = broken?.reason ?? takenBack ?? 'without a reason';
  return { type: 'deploymentFailed', version: candidate, because, at };
}

const takenBack = refuse('the rollout is already being rolled back; wait until it has ended');

/** What moves a rollout. */
export const rolloutTable: Table<Rollout, Signals, RolloutContext> = {
  deploying: {
    ...stoppable<'deploying'>(),
    endpointConverged: (rollout, { at }, { frozen }) => {
      if (wantsLatency(rollout) || wantsHistory(rollout)) return rollout;
      if (!frozen || rollout.kind === 'rollback') return begin(rollout, at);
      return rollout.ready ? rollout : { ...rollout, ready: true };
    },
    clockTicked: (rollout, { at }) => {
      if (at < rollout.deadline || rollout.ready) return rollout;
      // A platform that cannot say how fast the champion is, or what it did, says nothing against a candidate that is ready.
      return wantsLatency(rollout) || wantsHistory(rollout)
        ? { ...rollout, latency: rollout.latency ?? 'none', history: 'none' }
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
    historyRead: (rollout, { history }) => ({ ...rollout, history: history ?? 'none' }),
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
    historyRead: 'ignore',
  },
  baking: {
    ...stoppable<'baking'>(),
    endpointConverged: 'ignore',
    ticksRead: judgeTicks,
    labelsRead: judgeLabels,
    latencyRead: 'ignore',
    historyRead: 'ignore',
    // The bake ends on the ticks that cover it, if there are any.
    clockTicked: (rollout, { at }) => endUnread(rollout, at),
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ?? promote(rollout, signal.at, `promoted by ${byWhom(signal)}`),
    pauseRequested: (rollout, signal) =>
      ours(rollout, signal) ??
      note(
        { ...rollout, status: 'paused' as const, endsAt: signal.at + rollout.plan.maxHold },
        signal.at,
        `paused by ${byWhom(signal)}`,
      ),
    resumeRequested: 'ignore',
  },
  paused: {
    ...stoppable<'paused'>(),
    endpointConverged: 'ignore',
    ticksRead: judgeTicks,
    labelsRead: judgeLabels,
    latencyRead: 'ignore',
    historyRead: 'ignore',
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
      bake(note(rollout, signal.at, `resumed by ${byWhom(signal)}`), rollout.step, signal.at, 'sameWeight'),
  },
  held: {
    ...stoppable<'held'>(),
    endpointConverged: 'ignore',
    ticksRead: judgeTicks,
    labelsRead: judgeLabels,
    latencyRead: 'ignore',
    historyRead: 'ignore',
    clockTicked: (rollout, { at }) =>
      at < rollout.endsAt
        ? rollout
        : revert(
            rollout,
            at,
            rollout.passing === 'byItself' && !rollout.frozen
              ? {
                  kind: 'together',
                  text: `${rollout.because}; it did not end in ${holdText(rollout)} at ${rollout.backTo} %`,
                }
              : { kind: 'hold', text: `${rollout.because}, and held longer than ${holdText(rollout)}` },
          ),
    promoteRequested: (rollout, signal) =>
      ours(rollout, signal) ??
      (isHeldGuard(rollout)
        ? endGuard(rollout, signal)
        : promote(accepted(rollout), signal.at, `promoted by ${byWhom(signal)}`)),
    pauseRequested: 'ignore',
    resumeRequested: (rollout, signal, { frozen }) =>
      ours(rollout, signal) ?? resume(rollout, { at: signal.at, by: byWhom(signal) }, frozen),
  },
  promoting: {
    ...stoppable<'promoting'>(),
    endpointConverged: (rollout, { at }) => guard(rollout, at, 'newWeight'),
    clockTicked: (rollout, { at }) =>
      at < rollout.deadline
        ? rollout
        : revert(rollout, at, { kind: 'ready', text: 'the endpoint did not take the full weight in time' }),
    promoteRequested: 'ignore',
    pauseRequested: refuse('the candidate is being promoted and cannot be paused; abort it instead'),
    resumeRequested: 'ignore',
    ticksRead: 'ignore',
    labelsRead: 'ignore',
    latencyRead: 'ignore',
    historyRead: 'ignore',
  },
  guarding: {
    ...stoppable<'guarding'>(),
    endpointConverged: 'ignore',
    ticksRead: judgeTicks,
    labelsRead: judgeLabels,
    latencyRead: 'ignore',
    historyRead: 'ignore',
    clockTicked: (rollout, { at }) =>
      at >= rollout.until && rollout.until === rollout.since ? endPromoted(rollout, at) : endUnread(rollout, at),
    promoteRequested: (rollout, signal) => ours(rollout, signal) ?? endGuard(rollout, signal),
    pauseRequested: refuse('the candidate already has all traffic and cannot be paused; abort it instead'),
    resumeRequested: 'ignore',
  },
  reverting: {
    // The endpoint machine says so only for an observation begun after the last forward write could have landed.
    endpointConverged: (rollout, { at }) => endReverted(rollout, at),
    deploymentFailed: 'ignore',
    alertRaised: 'ignore',
    abortRequested: 'ignore',
    rollbackRequested: 'ignore',
    effectRefused: 'ignore',
    ticksRead: 'ignore',
    labelsRead: 'ignore',
    latencyRead: 'ignore',
    historyRead: 'ignore',
    clockTicked: 'ignore',
    promoteRequested: takenBack,
    pauseRequested: takenBack,
    resumeRequested: takenBack,
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
        ? holdUnreadable(rollout, at, { because, what: key.includes('/labels/') ? 'labels' : 'ticks' })
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
        ? refuse('a rollback is already under way; wait until it has ended')
        : revert(rollout, signal.at, { kind: 'rollback', text: `rolled back by ${byWhom(signal)}` }),
  } as const;
}

function over() {
  const ended = refuse('the rollout has already ended; start another one, or roll back');
  return {
    endpointConverged: 'ignore',
    deploymentFailed: 'ignore',
    ticksRead: 'ignore',
    labelsRead: 'ignore',
    latencyRead: 'ignore',
    historyRead: 'ignore',
    clockTicked: 'ignore',
    effectRefused: 'ignore',
    abortRequested: ended,
    promoteRequested: ended,
    pauseRequested: ended,
    resumeRequested: ended,
  } as const;
}

/** Percentiles of fewer requests are not worth freezing. */
const fewestRequests = 20;
const isUsable = ({ p50, p90, p99, requests }: Thresholds): boolean =>
  requests >= fewestRequests && [p50, p90, p99].every((value) => Number.isFinite(value) && value >= 0);

const byWhom = ({ actor, because }: Pick<ModelSignal, 'actor'> & { readonly because?: string }): string =>
  because === undefined ? actor.subject : `${actor.subject}: ${because}`;

const endGuard = (rollout: Waiting, signal: SignalOf<'promoteRequested'>): Rollout =>
  endPromoted(note(rollout, signal.at, `the guard was ended by ${byWhom(signal)}`), signal.at);

function ours(rollout: Base, signal: { readonly rollout?: string }): Refusal | undefined {
  return signal.rollout === undefined || signal.rollout === rollout.id
    ? undefined
    : refuse(`rollout ${signal.rollout} is not active; name ${rollout.id}, which is`);
}
