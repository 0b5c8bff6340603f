import { defined, without } from '../base/objects.ts';
import { type Refusal, refuse, type Step } from '../base/table.ts';
import type { Actor } from '../ports/journal.ts';
import { rollBack } from './between/champion.ts';
import { heldBy, offerAgain } from './between/offer.ts';
import { requestRun } from './between/runs.ts';
import { withVersion } from './between/versions.ts';
import { machines } from './machines.ts';
import { firingId, firingName, holding, ownSender, unheard } from './monitor/monitor.ts';
import type { SignalOf } from './protocol.ts';
import { rolloutEnded } from './rollout/state.ts';
import { runEnded } from './run/state.ts';
import type { Model, Moment } from './state.ts';
import { triggerProblem } from './trigger.ts';
import { handIn, hands, type Version, versionOf } from './version.ts';

/** What people and tools may ask for. Each leaves one record, and is known when it comes again. */
export const commands = {
  runRequested: startRun,
  cancelRequested: cancelRun,
  approvalGiven: approve,
  restoreRequested: restoreVersion,
  pauseRequested: machines.rollout.step,
  resumeRequested: machines.rollout.step,
  promoteRequested: promote,
  abortRequested: machines.rollout.step,
  rollbackRequested: takeBack,
  alertRaised: hearAlert,
  alertResolved: hearEnd,
} as const;

function startRun(model: Model, { trigger }: SignalOf<'runRequested'>, moment: Moment): Step<Model> {
  if (model.retired)
    return refuse(`the model '${model.model}' is not in the config any more; release a config that names it`);
  if (model.intake.dataset === undefined)
    return refuse(
      `the model '${model.model}' has no dataset version yet: put data into ${model.plan.data.bucket}/${model.plan.data.prefix} first`,
    );
  const problem = triggerProblem(model.plan, trigger);
  if (problem !== undefined) return refuse(problem);
  return { moved: requestRun(model, trigger, moment) };
}

function cancelRun(model: Model, signal: SignalOf<'cancelRequested'>): Step<Model> {
  if (!runEnded(model.run)) return machines.run.step(model, signal);
  if (model.queued !== undefined && signal.run === undefined) return { moved: without(model, 'queued') };
  return model.run === undefined
    ? refuse('no run of this model is active; look at it with serin runs list')
    : machines.run.step(model, signal);
}

/** Why an approved version does not start, to whoever approves it once more. */
function heldText(model: Model, number: number): string {
  const [first] = model.offered?.version === number ? heldBy(model) : [];
  return first === undefined ? '' : `; ${firingName(first)} fires and holds it: --override lets it start`;
}

/** Approval is a field of the offered version and never blocks the next run. */
function approve(model: Model, signal: SignalOf<'approvalGiven'>): Step<Model> {
  const { version: number, approved, note, override, actor, at } = signal;
  const version = versionOf(model.versions, number);
  if (version === undefined)
    return refuse(`there is no version ${number} of ${model.model}; name one of 'serin versions list ${model.model}'`);
  const { approval } = version;
  if (approval === undefined)
    return refuse(
      `v${number} was never offered: ${version.verdict === undefined ? 'its run has not passed' : 'the gate refused it'}; start a new run`,
    );
  if (override !== undefined && approved && approval.status === 'approved')
    return overrideAlerts(model, signal, override);
  if (approval.status !== 'pending')
    return approval.status === (approved ? 'approved' : 'rejected')
      ? { ignored: `v${number} is already ${approval.status}${heldText(model, number)}` }
      : refuse(`v${number} is already ${approval.status}; leave it, or start a new run`);
  const oneEyed = approved ? notFourEyes(model, version, actor) : undefined;
  if (oneEyed !== undefined) return oneEyed;
  const decided = withVersion(model, {
    ...version,
    approval: {
      status: approved ? 'approved' : 'rejected',
      by: actor.subject,
      at,
      mirrored: approval.mirrored ?? 'pending',
      ...defined({ note }),
    },
  });
  if (approved && override !== undefined) return overrideAlerts(decided, signal, override);
  return { moved: !approved && model.offered?.version === number ? without(decided, 'offered') : decided };
}

function notFourEyes({ plan }: Model, { number, lineage }: Version, { subject, issuer }: Actor): Refusal | undefined {
  // The stricter of the two plans: a release must not free its own author.
  if (!plan.approval?.fourEyes && lineage.fourEyes === undefined) return undefined;
  if (issuer === 'registry') {
    const names = [...new Set(Object.keys(hands).flatMap((field) => lineage[field] ?? []))].join(', ');
    return refuse(
      `four eyes: ${subject} of the cloud's registry may be ${names}; approve v${number} with 'serin versions approve'`,
    );
  }
  const own = handIn({ number, lineage }, subject);
  return own === undefined ? undefined : refuse(`four eyes: ${subject} ${own}; ask somebody else to approve it`);
}

/** The offered version may start although these alerts fire: each is named, for the next one was not looked at. */
function overrideAlerts(
  model: Model,
  { version: number, actor }: SignalOf<'approvalGiven'>,
  because: string,
): Step<Model> {
  const { offered } = model;
  const version = versionOf(model.versions, number);
  if (offered?.version !== number || version === undefined)
    return refuse(`v${number} is not waiting for its rollout; leave out the override`);
  const oneEyed = notFourEyes(model, version, actor);
  if (oneEyed !== undefined) return oneEyed;
  const held = heldBy(model);
  if (held.length === 0) return refuse(`no alert holds v${number}; approve it without an override`);
  const alerts = holding(model.monitor, model.plan.alerts);
  const text = `${alerts.map(firingName).join(', ')} fires: ${actor.subject}: ${because}`;
  return { moved: { ...model, offered: { ...offered, override: { alerts: alerts.map(firingId), text } } } };
}

/** A version that was taken back, aborted or put aside is offered again. The record says who asked for it, and why. */
function restoreVersion(
  model: Model,
  { version: number, because, actor, at }: SignalOf<'restoreRequested'>,
): Step<Model> {
  const version = versionOf(model.versions, number);
  const { rollout } = model;
  if (model.retired)
    return refuse(`the model '${model.model}' is not in the config any more; release a config that names it`);
  if (version === undefined)
    return refuse(
      `there is no version ${number} of ${model.model} any more; name one of 'serin versions list ${model.model}'`,
    );
  if (number === model.champion) return refuse(`v${number} is already the champion; name another version`);
  if (!rolloutEnded(rollout) && rollout?.candidate === number)
    return refuse(`v${number} is in a rollout now; wait until it has ended`);
  if (version.approval?.status !== 'approved')
    return refuse(`v${number} was never approved; train it again, or approve the version that is offered`);
  const oneEyed = notFourEyes(model, version, actor);
  if (oneEyed !== undefined) return oneEyed;
  const { quarantined, ...sound } = version;
  const was = quarantined === undefined ? {} : { was: quarantined.because };
  const restored: Version = { ...sound, restored: { at, by: actor.subject, because, ...was } };
  return { moved: offerAgain(withVersion(model, restored), restored, at) };
}

function promote(model: Model, signal: SignalOf<'promoteRequested'>): Step<Model> {
  const { freeze } = model;
  return freeze === undefined
    ? machines.rollout.step(model, signal)
    : refuse(`the project was frozen by ${freeze.by}: ${freeze.because}; end it with 'serin thaw'`);
}

function takeBack(model: Model, signal: SignalOf<'rollbackRequested'>, moment: Moment): Step<Model> {
  if (!rolloutEnded(model.rollout) && model.rollout?.status !== 'reverting') {
    if (signal.to !== undefined && signal.to !== model.rollout?.stable)
      return refuse(`a rollout is under way; abort it first, or roll back without naming a version`);
    return machines.rollout.step(model, signal);
  }
  if (model.rollout?.status === 'reverting') return { ignored: 'the rollout is being taken back already' };
  const back = rollBack(model, signal.to, moment, signal.because);
  return 'refused' in back ? back : { moved: back };
}

/** Nobody from outside speaks in the name of what is found here. */
const ownName = refuse(`an alert cannot have the sender '${ownSender}': name the tool that sends it`);

/** An alert reverts an active release at once; else the monitor's policy speaks (rules between the machines). */
function hearAlert(model: Model, signal: SignalOf<'alertRaised'>): Step<Model> {
  if (signal.sender === ownSender) return ownName;
  const heard = machines.monitor.step(model, signal);
  if ('ignored' in heard) return { ignored: unheard(model.monitor, signal) ?? heard.ignored };
  if (!('moved' in heard) || heard.moved.monitor.wants?.do !== 'revert') return heard;
  const reverted = machines.rollout.step(heard.moved, signal);
  return 'moved' in reverted ? reverted : heard;
}

/** When a sender may give the next firing the id of this one, that id is forgotten. */
function hearEnd(model: Model, signal: SignalOf<'alertResolved'>): Step<Model> {
  if (signal.sender === ownSender) return ownName;
  const heard = machines.monitor.step(model, signal);
  const { raisedAs = '' } = signal;
  if (model.seen[raisedAs] === undefined) return heard;
  const after = 'moved' in heard ? heard.moved : model;
  return { moved: { ...after, seen: without(after.seen, raisedAs) } };
}
