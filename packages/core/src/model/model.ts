import { newestFirst } from '../base/ids.ts';
import { canonical, type Json } from '../base/json.ts';
import { defined, withLast, without } from '../base/objects.ts';
import { type Refusal, refuse, type Step, step, type Table } from '../base/table.ts';
import type { ModelPlan } from '../config/config.ts';
import { engineActor } from '../ports/actors.ts';
import type { Actor, EventBody } from '../ports/journal.ts';
import { deploymentOf, heldBy, offerAgain, requestRun, rollBack, settle, withVersion } from './between/between.ts';
import type { Effect } from './effect.ts';
import { type EndpointContext, endpointOwes, endpointTable, endpointWakes, unreadyText } from './endpoint/endpoint.ts';
import { eventsBetween } from './events.ts';
import { intakeNews, intakeOwes, intakeTable, intakeWakes, planned } from './intake/intake.ts';
import { labelsOwes, labelsPlanned, labelsTable, labelsWakes } from './labels/labels.ts';
import { answerPending, type Dispatcher, isStale, reconcile, retrySlowly } from './leases.ts';
import {
  firingId,
  firingName,
  firingText,
  holding,
  isNews,
  monitorTable,
  monitorWakes,
  unheard,
} from './monitor/monitor.ts';
import { followSinks, noticesOwed, notifyAgain, recordNotice } from './notified.ts';
import { rolloutOwes, rolloutWakes } from './rollout/owes.ts';
import { rolloutEnded } from './rollout/state.ts';
import { rolloutTable } from './rollout/table.ts';
import { runEnded, runOwes, runTable, runWakes } from './run/run.ts';
import type { Answer, ModelSignal, SignalOf } from './signal.ts';
import { type Model, modelStart } from './state.ts';
import { triggerProblem } from './trigger.ts';
import { servable, type Version, versionOf } from './version.ts';

export type { Model };

/** What a signal came to. Only `moved` is to be appended. */
export type Decision<State> =
  | {
      readonly moved: State;
      readonly events: readonly EventBody[];
      readonly taken: readonly Effect[];
      readonly because?: string;
    }
  | { readonly ignored: string }
  | { readonly repeated: string }
  | Refusal;

/** Signals of people and tools: each leaves one record, and is known when it comes again. */
const recorded: ReadonlySet<ModelSignal['type']> = new Set([
  'runRequested',
  'cancelRequested',
  'approvalGiven',
  'restoreRequested',
  'pauseRequested',
  'resumeRequested',
  'promoteRequested',
  'abortRequested',
  'rollbackRequested',
  'alertRaised',
  'alertResolved',
]);

/**
 * Decides one signal: pure, and total for every state and signal.
 *
 * The signal moves the machine it is for; then time passes for all machines (`at`, never earlier than the state's own);
 * then the rules between the machines run until they are content; then debts are reconciled with what is owed.
 */
export function decideModel(
  state: Model | undefined,
  signal: ModelSignal,
  stream: { readonly model: string; readonly seq: number },
  dispatcher: Dispatcher,
): Decision<Model> {
  const begun = state ?? born(signal, stream.model);
  if ('refused' in begun) return begun;
  const seen = recorded.has(signal.type) ? begun.seen[signal.id] : undefined;
  const isStillNews = signal.type === 'alertRaised' && isNews(begun.monitor, signal, signal.at);
  if (seen !== undefined && !isStillNews) return { repeated: seen };

  const at = Math.max(begun.at, signal.at);
  const stamped = { ...signal, at };
  const moment = { at, seq: stream.seq, by: signal.actor.subject };
  const answered = settleDebt(begun, stamped);
  if ('ignored' in answered && !late(begun, stamped)) return answered;
  const own = 'ignored' in answered ? { moved: forwardEnded(begun) } : take(answered.moved, stamped, moment);
  if ('refused' in own) return own;

  const moved = 'moved' in own ? own.moved : 'ignored' in answered ? begun : answered.moved;
  const settled = followSinks(settle(afterTime(moved, stamped), moment, state));
  const events = eventsBetween(begun, settled, stamped);
  const because = 'ignored' in own ? own.ignored : undefined;
  const noted = recorded.has(signal.type)
    ? { ...settled, seen: withLast(settled.seen, [signal.id, because ?? 'done'], 200) }
    : settled;
  const told = events.length > 0 ? { ...noted, lastEventSeq: stream.seq } : noted;
  const { debts, taken } = reconcile(told.debts, modelOwes(told, at), at, stream.seq, dispatcher);
  const next: Model = debts === told.debts ? told : { ...told, debts };
  if (next === begun && state !== undefined) return { ignored: because ?? 'nothing changed' };
  return { moved: { ...next, at }, events, taken, ...(because === undefined ? {} : { because }) };
}

/** After a long silence of the bus what waits is published in parts, so that each gets done within its lease. */
const entriesPerPublish = 1000;

/** The orders that the state owes at `now`, each under its key. */
export function modelOwes(model: Model, now: number): readonly Effect[] {
  const { run, rollout, endpoint, intake } = model;
  return [
    ...(model.retired ? [] : intakeOwes(intake, now, model)),
    ...(model.retired ? [] : labelsOwes(model.labels, model)),
    ...(run === undefined ? [] : runOwes(run, now, model)),
    ...(rollout === undefined || rolloutEnded(rollout) ? [] : rolloutOwes(rollout, now, model.model)),
    ...endpointOwes(endpoint, now, endpointContext(model)),
    ...approvalsOwed(model),
    ...Object.entries(model.tells).map(
      ([id, signal]): Effect => ({ key: `tell/${id}`, kind: 'tell', stream: 'project', id, signal }),
    ),
    ...recordsOwed(model),
    ...noticesOwed(model),
    ...(model.lastEventSeq > model.announced
      ? [
          {
            key: `publish/${model.announced}`,
            kind: 'publish',
            from: model.announced,
            to: Math.min(model.lastEventSeq, model.announced + entriesPerPublish),
          } as const,
        ]
      : []),
  ];
}

/** When the model wants `clockTicked`: never later than the next lease ends, `undefined` when it waits for no time. */
export function modelWakesAt(model: Model): number | undefined {
  const { intake, run, rollout, endpoint, monitor, freeze, offered, versions } = model;
  const expiry = versionOf(versions, offered?.version)?.approval;
  const planned = [
    model.retired ? undefined : intakeWakes(intake),
    model.retired ? undefined : labelsWakes(model.labels),
    run === undefined ? undefined : runWakes(run),
    rollout === undefined ? undefined : rolloutWakes(rollout),
    endpointWakes(endpoint),
    monitorWakes(monitor),
    freeze?.until,
    expiry?.status === 'pending' ? expiry.expiresAt : undefined,
  ];
  // What was due when the last signal was decided has become a debt, or a move, by now.
  const times = [
    ...planned.filter((time) => time !== undefined && time > model.at),
    ...Object.values(model.debts).map((debt) => debt.until),
  ];
  const next = Math.min(...times.filter((time) => time !== undefined));
  return Number.isFinite(next) ? next : undefined;
}

/** The row of the model in lists. */
export function modelSummary(model: Model): Json {
  const { run, rollout, champion, offered } = model;
  return JSON.parse(
    JSON.stringify({
      model: model.model,
      at: model.at,
      champion,
      run: run === undefined ? undefined : { id: run.id, status: run.status },
      job: run !== undefined && 'job' in run ? run.job.id : undefined,
      rollout:
        rollout === undefined ? undefined : { id: rollout.id, status: rollout.status, candidate: rollout.candidate },
      endpoint: model.endpoint.status,
      unready: unreadyText(model.endpoint)[0]?.slice(0, 150),
      intake: model.intake.status,
      data: intakeNews(model.intake).join('; ').slice(0, 150) || undefined,
      offered: offered?.version,
      firing: firingText(model.monitor) || undefined,
      holds: heldBy(model).length > 0 ? offered?.version : undefined,
      retired: model.retired,
      frozen: model.freeze === undefined ? undefined : true,
    }),
  );
}

function born(signal: ModelSignal, model: string): Model | Refusal {
  const plan = signal.type === 'configReleased' ? (signal.plan ?? signal.was) : undefined;
  return plan === undefined
    ? refuse(`there is no model '${model}'; release a config that names it`)
    : modelStart(model, plan, 0, signal.at);
}

/** An answer ends its debt, or is stale. */
function settleDebt(model: Model, signal: ModelSignal): { readonly moved: Model } | { readonly ignored: string } {
  if (!isAnswer(signal)) return { moved: model };
  const debts = answerPending(model.debts, signal);
  return isStale(debts) ? debts : { moved: { ...model, debts } };
}

const isAnswer = (signal: ModelSignal): signal is Extract<ModelSignal, Answer> => 'taken' in signal;

/** The late answer of a write that the endpoint still reckons with: now it cannot land any more. */
const late = (model: Model, signal: ModelSignal): boolean =>
  isAnswer(signal) &&
  signal.type === 'endpointChanged' &&
  model.endpoint.forward?.key === `${signal.key}#${signal.taken}`;
const forwardEnded = (model: Model): Model => ({
  ...model,
  endpoint: without(model.endpoint, 'forward') as Model['endpoint'],
});

type Moment = Parameters<typeof settle>[1];
type Taken = Step<Model>;

/** The signal's own part: which machine it moves. */
function take(model: Model, signal: ModelSignal, moment: Moment): Taken {
  switch (signal.type) {
    case 'dataHinted':
      return model.retired ? { ignored: 'the model is retired' } : hinted(model, signal);
    case 'labelsHinted':
      if (model.retired || model.labels === undefined) return { ignored: 'no labels are taken from files' };
      return machine(model, 'labels', signal);
    case 'labelsFound':
    case 'labelsImported':
      return machine(model, 'labels', signal);
    case 'listingAdvanced':
      return listed(model, signal);
    case 'runRequested':
      return runRequested(model, signal, moment);
    case 'cancelRequested':
      return cancelRequested(model, signal);
    case 'datasetChecked':
    case 'jobStarted':
    case 'jobStopAsked':
    case 'jobDescribed':
    case 'jobHinted':
    case 'versionRegistered':
    case 'slotGranted':
      return machine(model, 'run', signal);
    case 'approvalGiven':
      return approvalGiven(model, signal);
    case 'restoreRequested':
      return restoreRequested(model, signal);
    case 'approvalMirrored':
      return approvalMirrored(model, signal);
    case 'promoteRequested':
      if (model.freeze !== undefined) return refuse(`frozen by ${model.freeze.by}: ${model.freeze.because}`);
      return machine(model, 'rollout', signal);
    case 'pauseRequested':
    case 'resumeRequested':
    case 'abortRequested':
    case 'ticksRead':
    case 'labelsRead':
    case 'latencyRead':
      return machine(model, 'rollout', signal);
    case 'rollbackRequested':
      return rollbackRequested(model, signal, moment);
    case 'alertRaised':
      return alertRaised(model, signal);
    case 'alertResolved':
      return alertResolved(model, signal);
    case 'endpointObserved':
      return endpointObserved(model, signal);
    case 'endpointChanged':
    case 'endpointHinted':
      return machine(model, 'endpoint', signal);
    case 'configReleased':
      return configReleased(model, signal);
    case 'effectRefused':
      return effectRefused(model, signal);
    case 'recorded':
      return { moved: recordWritten(model, signal.key) };
    case 'announced':
      return { moved: { ...model, announced: Math.max(model.announced, signal.upTo) } };
    case 'notified':
      return { moved: recordNotice(model, signal) };
    case 'notifyRequested':
      return notifyAgain(model, signal);
    case 'told':
    case 'effectFailed':
      return { moved: signal.type === 'told' && signal.key.startsWith('tell/') ? delivered(model, signal.key) : model };
    case 'clockTicked':
      return { ignored: 'nothing is due' };
  }
}

/** Time passes for every machine that waits for it. */
function afterTime(model: Model, { at, id, actor }: ModelSignal): Model {
  const tick = { type: 'clockTicked', at, id, actor } as const;
  const machines = ['intake', 'labels', 'run', 'endpoint', 'rollout', 'monitor'] as const;
  const ticked = machines.reduce((state, name) => {
    if ((name === 'intake' || name === 'labels') && state.retired) return state;
    const moved = machine(state, name, tick);
    return 'moved' in moved ? moved.moved : state;
  }, model);
  return ticked.freeze?.until !== undefined && at >= ticked.freeze.until ? without(ticked, 'freeze') : ticked;
}

type MachineName = 'intake' | 'labels' | 'run' | 'endpoint' | 'rollout' | 'monitor';

/** One step of one machine inside the model. */
function machine(model: Model, name: MachineName, signal: ModelSignal): Taken {
  const current = model[name];
  if (current === undefined)
    return signal.type === 'clockTicked'
      ? { ignored: `no ${name}` }
      : refuse(`there is no ${name} to take '${signal.type}'`);
  const { tables, context } = machines(model);
  // Each name is paired with its own table and context; the union of the pairs is not expressible without a cast.
  const result = step(
    tables[name] as Table<{ readonly status: string }, ModelSignal, unknown>,
    current,
    signal,
    context[name],
  );
  return 'moved' in result ? { moved: { ...model, [name]: result.moved } } : result;
}

function machines(model: Model) {
  const { plan } = model;
  return {
    tables: {
      intake: intakeTable,
      labels: labelsTable,
      run: runTable,
      endpoint: endpointTable,
      rollout: rolloutTable,
      monitor: monitorTable,
    },
    context: {
      intake: { model: model.model, plan },
      labels: { model: model.model, plan },
      run: model,
      endpoint: endpointContext(model),
      rollout: { frozen: model.freeze !== undefined },
      monitor: {
        plan,
        releasing: releasing(model),
        goingBack: !rolloutEnded(model.rollout) && !releasing(model),
        champion: model.champion,
      },
    },
  };
}

const releasing = ({ rollout }: Model): boolean =>
  rollout !== undefined && !('endedAt' in rollout) && rollout.kind === 'release' && rollout.status !== 'reverting';
const endpointContext = (model: Model): EndpointContext => ({
  model: model.model,
  deployment: (version) => deploymentOf(model, version),
});

/** Most names that are kept of those who told of new data; a person more is as if unknown. */
const mostDroppers = 50;

/** A hint of somebody who is known by name leaves that name for the dataset version that comes of it. */
function hinted(model: Model, signal: SignalOf<'dataHinted'>): Taken {
  const step = machine(model, 'intake', signal);
  const { droppers = [] } = model;
  const { issuer, subject } = signal.actor;
  if (issuer === engineActor.issuer || droppers.includes(subject) || droppers.length >= mostDroppers) return step;
  return { moved: { ...('moved' in step ? step.moved : model), droppers: [...droppers, subject] } };
}

/** A new dataset version says who told of its data; what was told of meanwhile may be in the next one as well. */
function listed(model: Model, signal: SignalOf<'listingAdvanced'>): Taken {
  const step = machine(model, 'intake', signal);
  if (!('moved' in step)) return step;
  const { intake, droppers } = step.moved;
  if (droppers === undefined || intake.dataset === undefined || intake.dataset === model.intake.dataset) return step;
  const named: Model = { ...step.moved, intake: { ...intake, dataset: { ...intake.dataset, by: droppers } } };
  return { moved: intake.status === 'settling' ? named : without(named, 'droppers') };
}

function runRequested(model: Model, { trigger }: SignalOf<'runRequested'>, moment: Moment): Taken {
  if (model.retired) return refuse(`the model '${model.model}' left the config`);
  if (model.intake.dataset === undefined)
    return refuse(
      `'${model.model}' has no dataset version yet: drop data into ${model.plan.data.bucket}/${model.plan.data.prefix} first`,
    );
  const problem = triggerProblem(model.plan, trigger);
  if (problem !== undefined) return refuse(problem);
  return { moved: requestRun(model, trigger, moment) };
}

function cancelRequested(model: Model, signal: SignalOf<'cancelRequested'>): Taken {
  if (!runEnded(model.run)) return machine(model, 'run', signal);
  if (model.queued !== undefined && signal.run === undefined) return { moved: without(model, 'queued') };
  return model.run === undefined ? refuse('there is no run to cancel') : machine(model, 'run', signal);
}

/** Approval is a field of the offered version and never blocks the next run. With four eyes somebody else had a hand in it. */
/** Why an approved version does not start, to whoever approves it once more. */
function heldText(model: Model, number: number): string {
  const [first] = model.offered?.version === number ? heldBy(model) : [];
  return first === undefined ? '' : `; ${firingName(first)} fires and holds it: --override lets it start`;
}

function approvalGiven(model: Model, signal: SignalOf<'approvalGiven'>): Taken {
  const { version: number, approved, override, actor, at } = signal;
  const version = versionOf(model.versions, number);
  if (version === undefined) return refuse(`there is no version ${number} of ${model.model}`);
  const { approval } = version;
  if (approval === undefined)
    return refuse(
      `v${number} was never offered: ${version.verdict === undefined ? 'its run has not passed' : 'the gate refused it'}`,
    );
  if (override !== undefined && approved && approval.status === 'approved') return overridden(model, signal, override);
  if (approval.status !== 'pending')
    return approval.status === (approved ? 'approved' : 'rejected')
      ? { ignored: `v${number} is ${approval.status} already${heldText(model, number)}` }
      : refuse(`v${number} is ${approval.status} already`);
  const oneEyed = approved ? notFourEyes(model, version, actor) : undefined;
  if (oneEyed !== undefined) return oneEyed;
  const decided = withVersion(model, {
    ...version,
    approval: {
      status: approved ? 'approved' : 'rejected',
      by: actor.subject,
      at,
      mirrored: approval.mirrored ?? 'pending',
    },
  });
  if (approved && override !== undefined) return overridden(decided, signal, override);
  return { moved: !approved && model.offered?.version === number ? without(decided, 'offered') : decided };
}

/** What one person does to a version, and another has to look at: by the field of its lineage. */
const hands = {
  startedBy: (number: number) => `started the run of v${number}`,
  releasedBy: (number: number) => `released the config and code of v${number}`,
  droppedBy: (number: number) => `brought data of v${number}`,
} as const;

function notFourEyes({ plan }: Model, { number, lineage }: Version, { subject, issuer }: Actor): Refusal | undefined {
  // The stricter of the two plans: a release must not free its own author.
  if (!plan.approval?.fourEyes && lineage.fourEyes === undefined) return undefined;
  const found = Object.entries(hands).filter(([field]) => lineage[field] !== undefined);
  if (issuer === 'registry') {
    const names = [...new Set(found.map(([field]) => lineage[field]))].join(', ');
    return refuse(
      `approval wants four eyes: whether ${subject} of the cloud's registry is not ${names} is not known; approve v${number} through Serin`,
    );
  }
  const own = found.find(([field]) => lineage[field]?.split(', ').includes(subject));
  return own === undefined
    ? undefined
    : refuse(`four eyes: ${subject} ${own[1](number)}, somebody else has to approve it`);
}

/** The offered version may start although these alerts fire: each is named, for the next one was not looked at. */
function overridden(model: Model, { version: number, actor }: SignalOf<'approvalGiven'>, because: string): Taken {
  const { offered } = model;
  const version = versionOf(model.versions, number);
  if (offered?.version !== number || version === undefined)
    return refuse(`v${number} does not wait for its rollout, so there is nothing to override`);
  const oneEyed = notFourEyes(model, version, actor);
  if (oneEyed !== undefined) return oneEyed;
  const held = heldBy(model);
  if (held.length === 0) return refuse(`no alert holds v${number}: approve it without an override`);
  const alerts = holding(model.monitor, model.plan.alerts);
  const text = `${alerts.map(firingName).join(', ')} fires: ${actor.subject}: ${because}`;
  return { moved: { ...model, offered: { ...offered, override: { alerts: alerts.map(firingId), text } } } };
}

/** A version that was taken back, aborted or put aside is offered again, with whoever wants it and why on record. */
function restoreRequested(model: Model, { version: number, because, actor, at }: SignalOf<'restoreRequested'>): Taken {
  const version = versionOf(model.versions, number);
  const { rollout } = model;
  if (model.retired) return refuse(`the model '${model.model}' left the config`);
  if (version === undefined)
    return refuse(`there is no version ${number} of ${model.model}, or it is not kept any more`);
  if (number === model.champion) return refuse(`v${number} is the champion already`);
  if (!rolloutEnded(rollout) && rollout?.candidate === number) return refuse(`v${number} is being rolled out, or back`);
  if (version.approval?.status !== 'approved')
    return refuse(`v${number} was never approved: train it again, or approve the version that is offered`);
  const oneEyed = notFourEyes(model, version, actor);
  if (oneEyed !== undefined) return oneEyed;
  const { quarantined, ...sound } = version;
  const was = quarantined === undefined ? {} : { was: quarantined.because };
  const restored: Version = { ...sound, restored: { at, by: actor.subject, because, ...was } };
  return { moved: offerAgain(withVersion(model, restored), restored, at) };
}

function approvalMirrored(model: Model, { key }: SignalOf<'approvalMirrored'>): Taken {
  const [, number, status] = key.split('/');
  const version = versionOf(model.versions, Number(number));
  if (version?.approval === undefined || version.approval.status !== status)
    return { ignored: 'the approval has changed since' };
  return {
    moved: withVersion(model, { ...version, approval: { ...version.approval, mirrored: version.approval.status } }),
  };
}

function rollbackRequested(model: Model, signal: SignalOf<'rollbackRequested'>, moment: Moment): Taken {
  if (!rolloutEnded(model.rollout) && model.rollout?.status !== 'reverting') {
    if (signal.to !== undefined && signal.to !== model.rollout?.stable)
      return refuse(`a rollout is under way: abort it first, or roll back without naming a version`);
    return machine(model, 'rollout', signal);
  }
  if (model.rollout?.status === 'reverting') return { ignored: 'the rollout is being taken back already' };
  const back = rollBack(model, signal.to, moment, signal.because);
  return 'refused' in back ? back : { moved: back };
}

/** An alert reverts an active release at once; else the monitor's policy speaks (rules between the machines). */
function alertRaised(model: Model, signal: SignalOf<'alertRaised'>): Taken {
  const heard = machine(model, 'monitor', signal);
  if ('ignored' in heard) return { ignored: unheard(model.monitor, signal) ?? heard.ignored };
  if (!('moved' in heard) || heard.moved.monitor.wants?.do !== 'revert') return heard;
  const reverted = machine(heard.moved, 'rollout', signal);
  return 'moved' in reverted ? reverted : heard;
}

/** When a sender may give the next firing the id of this one, that id is forgotten. */
function alertResolved(model: Model, signal: SignalOf<'alertResolved'>): Taken {
  const heard = machine(model, 'monitor', signal);
  const { raisedAs = '' } = signal;
  if (model.seen[raisedAs] === undefined) return heard;
  const after = 'moved' in heard ? heard.moved : model;
  return { moved: { ...after, seen: without(after.seen, raisedAs) } };
}

function endpointObserved(model: Model, signal: SignalOf<'endpointObserved'>): Taken {
  const seen = machine(model, 'endpoint', signal);
  if (!('moved' in seen) || model.rollout === undefined || signal.observation === 'absent') return seen;
  const { rollout } = model;
  const broken = signal.observation.deployments.find(
    ({ version, status }) => version === rollout.candidate && status === 'failed',
  );
  // Before its own deployment is there, what the provider took back was asked for by somebody else.
  const takenBack = rollout.status === 'deploying' ? undefined : signal.observation.revertedByProvider;
  const because = broken?.reason ?? takenBack;
  if (broken === undefined && takenBack === undefined) return seen;
  const failed = step(
    rolloutTable,
    rollout,
    { type: 'deploymentFailed', version: rollout.candidate, because: because ?? 'without a reason', at: signal.at },
    { frozen: false },
  );
  return 'moved' in failed ? { moved: { ...seen.moved, rollout: failed.moved } } : seen;
}

function configReleased(
  model: Model,
  { plan, revision, by, freeze, at, id, actor }: SignalOf<'configReleased'>,
): Taken {
  if (revision <= model.revision) return { ignored: `revision ${revision} is not newer than ${model.revision}` };
  const { freeze: _, retired: __, releasedBy, labels, ...rest } = model;
  const frozen = freeze === undefined ? {} : { freeze };
  if (plan !== undefined) {
    const back: Model = {
      ...rest,
      ...frozen,
      revision,
      plan,
      ...releaserOf(model, plan, by),
      intake: planned(model.intake, at, plan),
      ...labelsPlanned(labels, model.plan, plan, at),
    };
    return { moved: takenUp(back, at) };
  }
  const kept = { ...rest, ...defined({ labels, releasedBy }), ...frozen, revision, ...onItsWay(model) };
  const retired: Model = { ...without(kept, 'queued', 'offered'), retired: true };
  const stop = { id, at, actor };
  const stopped = machine(retired, 'run', { ...stop, type: 'cancelRequested' });
  const idle = 'moved' in stopped ? stopped.moved : retired;
  const reverted = machine(idle, 'rollout', { ...stop, type: 'abortRequested', because: 'the model left the config' });
  return { moved: 'moved' in reverted ? reverted.moved : idle };
}

/** The version that a model had on its way when it left the config: nothing was found against it. */
function onItsWay({ offered, rollout, shelved }: Model): Pick<Model, 'shelved'> {
  const underWay = !rolloutEnded(rollout) && rollout?.kind === 'release' && rollout.status !== 'reverting';
  const version = offered?.version ?? (underWay ? rollout.candidate : shelved);
  return version === undefined ? {} : { shelved: version };
}

/** Offered again to a model that came back to the config. */
function takenUp(model: Model, at: number): Model {
  const version = versionOf(model.versions, model.shelved);
  const rest = without(model, 'shelved');
  const isOpen = servable(version) || version?.approval?.status === 'pending';
  return version === undefined || !isOpen || version.number === model.champion ? rest : offerAgain(rest, version, at);
}

/** A freeze tells the plan again: who released it stays. */
const releaserOf = ({ plan: before, releasedBy, revision }: Model, plan: ModelPlan, by?: readonly string[]) =>
  revision > 0 && canonical(before) === canonical(plan)
    ? defined({ releasedBy })
    : defined({ releasedBy: by === undefined || by.length === 0 ? undefined : by });

/** "Never" from a provider goes to the machine whose effect it was. */
function effectRefused(model: Model, signal: SignalOf<'effectRefused'>): Taken {
  const [owner, id] = signal.key.split('/');
  if (owner === 'endpoint') {
    const blocked = machine(model, 'endpoint', signal);
    const state = 'moved' in blocked ? blocked.moved : model;
    if (!signal.key.startsWith('endpoint/change/') || rolloutEnded(model.rollout)) return { moved: state };
    const reverted = machine(state, 'rollout', signal);
    return { moved: 'moved' in reverted ? reverted.moved : state };
  }
  if (owner === 'intake') return machine(model, 'intake', signal);
  if (owner === 'labels') return machine(model, 'labels', signal);
  if (owner === 'run') return machine(model, 'run', signal);
  if (owner === 'rollout' && id === model.rollout?.id) {
    const told = machine(model, 'rollout', signal);
    const state = 'moved' in told ? told.moved : model;
    return {
      moved: { ...state, debts: { ...state.debts, [signal.key]: retrySlowly(signal.key, signal.at, signal.because) } },
    };
  }
  // Publishing, recording and mirroring have no other way: kept, and tried again ever more slowly.
  return {
    moved: { ...model, debts: { ...model.debts, [signal.key]: retrySlowly(signal.key, signal.at, signal.because) } },
  };
}

function approvalsOwed(model: Model): readonly Effect[] {
  return Object.values(model.versions).flatMap(({ number, registered, approval }): Effect[] =>
    registered && approval !== undefined && approval.mirrored !== approval.status
      ? [
          {
            key: `approval/${number}/${approval.status}`,
            kind: 'mirrorApproval',
            model: model.model,
            number,
            approval: approval.status,
          },
        ]
      : [],
  );
}

function recordsOwed(model: Model): readonly Effect[] {
  return Object.entries(model.records).flatMap(([stream, revision]): Effect[] => {
    const live = [model.run, model.rollout].find(
      (item) => item !== undefined && (stream === `run/${item.id}` || stream === `rollout/${item.id}`),
    );
    const record = (model.past[stream] ?? live) as Model['run'] | Model['rollout'] | undefined;
    if (record === undefined) return [];
    const [kind = '', id = ''] = stream.split('/');
    const summary = {
      model: model.model,
      id,
      status: record.status,
      startedAt: record.startedAt,
      ...('endedAt' in record ? { endedAt: record.endedAt } : {}),
      ...numbersOf(record),
    };
    return [
      {
        key: `record/${stream}/${revision}`,
        kind: 'record',
        stream,
        revision,
        record: { ...record, model: model.model } as unknown as Json,
        name: { key: `${kind}/${newestFirst(id)}`, summary },
      },
    ];
  });
}

function numbersOf(record: NonNullable<Model['run'] | Model['rollout']>): { readonly [key: string]: Json } {
  const because =
    'because' in record ? (typeof record.because === 'string' ? record.because : record.because.text) : '';
  const text = because.length > 300 ? `${because.slice(0, 299)}…` : because;
  if ('candidate' in record)
    return {
      version: record.candidate,
      because: text,
      ...(record.stable === undefined ? {} : { stable: record.stable }),
    };
  return {
    trigger: record.trigger.kind,
    dataset: record.dataset.digest,
    because: text,
    ...(record.trained === undefined ? {} : { version: record.trained.number }),
  };
}

function recordWritten(model: Model, key: string): Model {
  const [, kind, id, revision] = key.split('/');
  const stream = `${kind}/${id}`;
  const { [stream]: __, ...past } = model.past;
  if (model.records[stream] !== Number(revision)) return model;
  const { [stream]: _, ...records } = model.records;
  return { ...model, records, past };
}

function delivered(model: Model, key: string): Model {
  const { [key.slice('tell/'.length)]: _, ...tells } = model.tells;
  return { ...model, tells };
}
