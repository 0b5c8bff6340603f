import { derivedId } from '../../base/ids.ts';
import { defined, lastOf, without } from '../../base/objects.ts';
import { type Refusal, refuse, step } from '../../base/table.ts';
import { engineActor, gateName, timeName } from '../../ports/actors.ts';
import type { Deployment } from '../../ports/serving.ts';
import { type Endpoint, wishing } from '../endpoint/endpoint.ts';
import { type Desired, nothingDesired } from '../endpoint/wish.ts';
import { didInstead, type Firing, firingId, holding } from '../monitor/monitor.ts';
import { keepForRecord, markRecords } from '../records.ts';
import { type Because, candidateWeight, mirroredShare, rolloutEnded } from '../rollout/state.ts';
import { beginRollout, note } from '../rollout/steps.ts';
import { rolloutTable } from '../rollout/table.ts';
import { comparesWithChampion } from '../run/gate.ts';
import { beginRun, inputsOf, type Run, runEnded } from '../run/state.ts';
import { scoreKey } from '../run/steps.ts';
import type { Trigger } from '../signal.ts';
import type { Model, Moment } from '../state.ts';
import { hyperparametersOf, triggerProblem } from '../trigger.ts';
import { deploymentName, servable, type Version, versionOf } from '../version.ts';

type Rule = (model: Model, moment: Moment, before: Model | undefined) => Model;

/**
 * Between the machines: what one machine's state means for another. Each rule looks at the state alone and answers the
 * same object when it has nothing to say, so the rules run until all are content, in whatever order facts arrived.
 */
const rules: readonly Rule[] = [
  numberTheTrained,
  keepScores,
  endRun,
  endRollout,
  obeyMonitor,
  askedByIntake,
  startRun,
  expireApproval,
  rescoreOffer,
  startRollout,
  wishForEndpoint,
  tellConverged,
];

export function settle(model: Model, moment: Moment, before: Model | undefined): Model {
  let next = model;
  for (let round = 0; round < 20; round += 1) {
    const start = next;
    for (const rule of rules) next = rule(next, moment, before);
    if (next === start) return markRecords(before, next, moment);
  }
  throw new Error(`the rules of ${model.model} do not come to rest`);
}

/** A version's number is given when its training succeeds. */
function numberTheTrained(model: Model, { at }: Moment): Model {
  const { run } = model;
  if (
    run?.trained === undefined ||
    run.trigger.kind === 'rescore' ||
    model.versions[String(run.trained.number)] !== undefined
  )
    return model;
  const { number, artifact, metrics } = run.trained;
  const { evaluate, serve } = run.plan;
  const version: Version = {
    number,
    run: run.id,
    at,
    dataset: run.dataset.digest,
    artifact,
    metrics,
    scores: {},
    serve,
    lineage: lineageOf(run),
    ...defined({ evaluate, holdout: run.holdout }),
  };
  const versions = { ...model.versions, [String(number)]: version };
  return { ...model, nextNumber: number + 1, versions: prune(versions, model, number) };
}

/** The newest twenty, and whatever is still in use. */
function prune(versions: Model['versions'], model: Model, newest: number): Model['versions'] {
  const inUse = new Set([
    newest,
    model.champion,
    model.offered?.version,
    model.rollout?.candidate,
    model.rollout?.stable,
    ...model.lastGood.slice(-2),
  ]);
  return Object.fromEntries(
    Object.entries(versions).filter(([, { number }]) => number > newest - 20 || inUse.has(number)),
  );
}

function lineageOf(run: Run): Version['lineage'] {
  const { trigger, plan, dataset } = run;
  const facts = {
    run: run.id,
    trigger: trigger.kind,
    dataset: dataset.digest,
    manifest: dataset.manifest,
    code: plan.train.code?.digest,
    image: trigger.image ?? plan.train.image,
    startedBy: trigger.by,
    releasedBy: run.releasedBy?.join(', '),
    droppedBy: dataset.by?.join(', '),
    fourEyes: plan.approval?.fourEyes ? 'wanted' : undefined,
    commit: trigger.commit,
    split: run.split?.rule,
    hyperparameters: JSON.stringify(hyperparametersOf(plan, trigger)),
  };
  return defined(facts) as Version['lineage'];
}

function keepScores(model: Model): Model {
  const { run } = model;
  const { evaluate } = run?.plan ?? {};
  if (run?.holdout === undefined || evaluate === undefined || model.settledRun === run.id) return model;
  const holdout = run.holdout;
  const keep = (
    into: Model,
    number: number | undefined,
    metrics: Readonly<Record<string, number>> | undefined,
  ): Model => {
    const version = versionOf(into.versions, number);
    if (version === undefined || metrics === undefined) return into;
    const key = scoreKey(version.artifact, holdout, version.evaluate ?? evaluate);
    if (version.scores[key] !== undefined) return into;
    return withVersion(into, { ...version, scores: lastOf({ ...version.scores, [key]: metrics }, 3) });
  };
  return keep(keep(model, run.trained?.number, run.scored), run.against, run.championScore);
}

/** A passing run offers its version; a newer offer supersedes an older one. */
function endRun(model: Model, moment: Moment): Model {
  const { run } = model;
  if (run === undefined || !runEnded(run) || model.settledRun === run.id) return model;
  const released = { ...model.tells, [`${run.id}/released`]: { type: 'slotReleased', run: run.id } as const };
  const conclusive = run.status === 'succeeded' || run.status === 'refused';
  const settled: Model = {
    ...model,
    settledRun: run.id,
    tells: released,
    finished: conclusive ? lastOf({ ...model.finished, [run.inputs]: run.id }, 50) : model.finished,
  };
  const version = versionOf(model.versions, run.trained?.number);
  if (version === undefined) return settled;
  if (run.status === 'succeeded') return offer(settled, version, run, moment);
  const judged = run.status === 'refused' ? withVersion(settled, { ...version, verdict: run.verdict }) : settled;
  return judged.offered?.version === version.number ? without(judged, 'offered') : judged;
}

function offer(model: Model, version: Version, run: Extract<Run, { status: 'succeeded' }>, { at }: Moment): Model {
  const { approval } = run.plan;
  const rescored = run.trigger.kind === 'rescore';
  const given: NonNullable<Version['approval']> = approval?.required
    ? { status: 'pending', expiresAt: at + approval.expires, mirrored: 'pending' }
    : { status: 'approved', by: gateName, at, mirrored: 'approved' };
  const next = withVersion(model, {
    ...version,
    registered: true,
    ...defined({ verdict: run.verdict }),
    approval: rescored && version.approval !== undefined ? version.approval : given,
  });
  const older = versionOf(next.versions, model.offered?.version);
  const cleared = older !== undefined && older.number !== version.number ? supersede(next, older, version, at) : next;
  // A person who let this version start although alerts fire said so of it, however often it is scored.
  const override = older?.number === version.number ? model.offered?.override : undefined;
  const against = run.against ?? model.champion;
  return { ...cleared, offered: { version: version.number, ...defined({ against, override }) } };
}

/** A version that was offered before, once more: judged against a new champion first, if there is one. */
export function offerAgain(model: Model, version: Version, at: number): Model {
  const older = versionOf(model.versions, model.offered?.version);
  const cleared = older === undefined || older.number === version.number ? model : supersede(model, older, version, at);
  return { ...cleared, offered: { version: version.number, ...defined({ against: version.verdict?.against }) } };
}

/** Another version is offered instead: what still waits for a yes waits no more. */
function supersede(model: Model, version: Version, { number }: Version, at: number): Model {
  const { approval } = version;
  if (approval?.status !== 'pending') return model;
  const by = `superseded by v${number}`;
  return withVersion(model, { ...version, approval: { ...approval, status: 'superseded', by, at } });
}

/** On `promoted` the champion moves; a rollback quarantines. */
function endRollout(model: Model, { at }: Moment): Model {
  const { rollout } = model;
  if (rollout === undefined || !('endedAt' in rollout) || model.settledRollout === rollout.id) return model;
  const settled: Model = { ...model, settledRollout: rollout.id };
  if (rollout.status === 'promoted')
    return rollout.kind === 'rollback'
      ? goneBack(settled, rollout.candidate, at, rollout.by)
      : crown(settled, rollout.candidate, at, `promoted: ${rollout.because}`);
  // A rollback that did not get there says nothing against the version that it went to.
  if (rollout.status === 'aborted' || rollout.kind === 'rollback') return settled;
  const { kind, text } = rollout.because;
  const back = harmful.includes(kind) ? wentBack(settled, rollout.stable, at) : settled;
  return quarantine(back, rollout.candidate, at, text);
}

/** An incident took traffic back: its other alerts are not about the version that traffic went back to. */
const harmful: readonly Because['kind'][] = ['evidence', 'limit', 'routing', 'alert', 'rollback'];
const wentBack = (model: Model, to: number | undefined, at: number): Model =>
  to === undefined ? model : { ...model, monitor: { ...model.monitor, wentBack: { at, to } } };

/** A rollback has arrived: an earlier version serves again, and the one that it replaced is not to. */
function goneBack(model: Model, to: number, at: number, by: string): Model {
  const old = model.champion;
  const back = wentBack(crown(model, to, at, `serves again: rolled back by ${by}`), to, at);
  if (old === undefined) return back;
  const lastGood = back.lastGood.filter((number) => number !== old);
  return quarantine({ ...back, lastGood }, old, at, `taken back by ${by}`);
}

/** The champion alias moves; the old champion is where a rollback goes. */
function crown(model: Model, number: number, at: number, because: string): Model {
  const old = model.champion;
  const others = model.lastGood.filter((known) => known !== number && known !== old);
  return {
    ...model,
    champion: number,
    lastGood: [...others, ...(old === undefined ? [] : [old])].slice(-10),
    served: [...model.served, { at, version: number, because }].slice(-50),
  };
}

function quarantine(model: Model, number: number, at: number, because: string): Model {
  const version = versionOf(model.versions, number);
  return version === undefined ? model : withVersion(model, { ...version, quarantined: { at, because } });
}

/** Does what an alert asked for. */
function obeyMonitor(model: Model, moment: Moment): Model {
  const { wants } = model.monitor;
  if (wants === undefined) return model;
  const { of: _, ...asked } = wants;
  const heard: Model = { ...model, monitor: without(model.monitor, 'wants') as Model['monitor'], did: asked };
  if (wants.do === 'run') return requestRun(heard, { kind: 'drift' }, moment);
  if (wants.do !== 'rollback') return heard;
  const instead = (what: 'notify' | 'escalate', why: string): Model => ({
    ...heard,
    monitor: didInstead(heard.monitor, wants, what),
    did: { do: what, because: `${wants.because}; ${why}` },
  });
  if (!rolloutEnded(model.rollout)) return instead('notify', 'traffic is going back already');
  const back = rollBack(heard, undefined, { ...moment, by: `an ${wants.because}` }, undefined);
  return 'refused' in back ? instead('escalate', back.refused) : back;
}

function askedByIntake(model: Model, moment: Moment): Model {
  const { wants } = model.intake;
  if (wants === undefined) return model;
  const taken = { ...model, intake: without(model.intake, 'wants') as Model['intake'] };
  // Whoever's signal it is that time passes with, nobody asked for this run.
  return requestRun(taken, { kind: wants }, { ...moment, by: engineActor.subject });
}

/** A newer trigger waits in a queue of one; the newest wins, and the skipped one is recorded. */
export function requestRun(model: Model, trigger: Trigger, { at, by }: Moment): Model {
  const queued = { trigger, at, by };
  if (model.queued === undefined) return { ...model, queued };
  return { ...model, queued, superseded: { trigger: model.queued.trigger.kind, at, into: trigger.kind } };
}

/**
 * One active run per model; equal inputs are one run unless the trigger forces another.
 *
 * What ends in one append is replaced in a later one at the earliest: its end has to be seen, told and recorded.
 */
function startRun(model: Model, { at, seq }: Moment, before: Model | undefined): Model {
  const { queued, plan, intake, releasedBy } = model;
  if (
    queued === undefined ||
    model.settledRun !== before?.settledRun ||
    model.retired ||
    model.freeze !== undefined ||
    !runEnded(model.run) ||
    intake.dataset === undefined
  )
    return model;
  const { trigger } = queued;
  const inputs = inputsOf(intake.dataset, plan, trigger);
  const rest = without(model, 'queued');
  const skipped = (because: string): Model => ({ ...rest, skipped: { trigger: trigger.kind, at, because } });
  // The config may have changed since the trigger was taken.
  const problem = triggerProblem(plan, trigger);
  if (problem !== undefined) return skipped(problem);
  const known = model.finished[inputs];
  if (known !== undefined && !trigger.force)
    return skipped(`equal inputs: the same dataset, code and parameters as ${known}`);
  const id = derivedId('run', at, model.model, seq);
  const rescored = trigger.kind === 'rescore' ? versionOf(model.versions, trigger.version) : undefined;
  return {
    ...keepForRecord(rest, 'run'),
    run: beginRun(
      { id, trigger: { ...trigger, by: queued.by }, plan, ...defined({ releasedBy }), dataset: intake.dataset, inputs },
      at,
      rescored,
    ),
  };
}

function expireApproval(model: Model, { at }: Moment): Model {
  const version = versionOf(model.versions, model.offered?.version);
  const { approval } = version ?? {};
  if (version === undefined || approval?.status !== 'pending' || at < (approval.expiresAt ?? Number.POSITIVE_INFINITY))
    return model;
  return {
    ...without(
      withVersion(model, { ...version, approval: { ...approval, status: 'expired', at, by: timeName } }),
      'offered',
    ),
  };
}

const approvedOffer = (model: Model): Version | undefined => {
  const version = versionOf(model.versions, model.offered?.version);
  return version !== undefined && version.approval?.status === 'approved' && servable(version) ? version : undefined;
};

/** When the champion changed between the gate and the rollout, the offer is scored again. */
function rescoreOffer(model: Model, moment: Moment): Model {
  const version = approvedOffer(model);
  const { offered, plan } = model;
  if (
    version === undefined ||
    offered === undefined ||
    offered.against === model.champion ||
    !rolloutEnded(model.rollout)
  )
    return model;
  if (!comparesWithChampion(plan.gate ?? {}) || model.champion === undefined)
    return { ...model, offered: { ...offered, ...defined({ against: model.champion }) } };
  if (offered.rescoring) {
    if (!runEnded(model.run) || model.queued !== undefined) return model;
    // Another trigger may have taken its place in the queue: then it asks again.
    const tried = model.run?.trigger.kind === 'rescore' && model.run.trigger.version === version.number;
    return tried ? without(model, 'offered') : { ...model, offered: without(offered, 'rescoring') };
  }
  if (model.queued !== undefined || !runEnded(model.run) || model.freeze !== undefined) return model;
  return requestRun(
    { ...model, offered: { ...offered, rescoring: true } },
    { kind: 'rescore', version: version.number, force: true },
    moment,
  );
}

/** What a revert restores: a champion that was released without an endpoint has never served there. */
const servingChampion = ({ versions, champion }: Model): number | undefined =>
  versionOf(versions, champion)?.serve === 'none' ? undefined : champion;

/** The alerts that hold the offered version back: none that somebody overrode for it. */
export function heldBy(model: Model): readonly Firing[] {
  const overridden = model.offered?.override?.alerts ?? [];
  return holding(model.monitor, model.plan.alerts).filter((firing) => !overridden.includes(firingId(firing)));
}

/** An approved offer starts its rollout; without an endpoint the gate alone moves the champion. */
function startRollout(model: Model, { at, seq }: Moment, before: Model | undefined): Model {
  const version = approvedOffer(model);
  const { offered, champion, plan, endpoint } = model;
  if (version === undefined || offered === undefined || offered.rescoring || offered.against !== champion) return model;
  if (model.freeze !== undefined || model.retired || !rolloutEnded(model.rollout)) return model;
  if (model.settledRollout !== before?.settledRollout) return model;
  if (version.number === champion) return without(model, 'offered');
  if (heldBy(model).length > 0) return model;
  if (version.serve === 'none') return crown(without(model, 'offered'), version.number, at, 'passed the gate');
  if (endpoint.status === 'converging') return model;
  const given = {
    id: derivedId('ro', at, model.model, seq),
    kind: 'release',
    candidate: version.number,
    plan: plan.rollout,
    by: version.approval?.by ?? 'gate',
    sticky: isSticky(version),
    ...defined({ stable: servingChampion(model), championSince: model.served.at(-1)?.at }),
  } as const;
  const begun = beginRollout(given, at);
  const { override } = offered;
  const rollout = override === undefined ? begun : note(begun, at, `starts although ${override.text}`);
  return { ...keepForRecord(without(model, 'offered'), 'rollout'), rollout };
}

/** Back to the last champion that does no harm: a rollout of its own, without a gate. */
export function rollBack(
  model: Model,
  to: number | undefined,
  { at, seq, by }: Moment,
  because: string | undefined,
): Model | Refusal {
  const good = [...model.lastGood]
    .reverse()
    .filter((number) => number !== model.champion && servable(versionOf(model.versions, number)));
  const target = to ?? good[0];
  if (target === undefined) return refuse('there is no earlier version to go back to that is not quarantined');
  const version = versionOf(model.versions, target);
  if (version === undefined) return refuse(`version ${target} is not known any more`);
  if (target === model.champion) return refuse(`v${target} is the champion already`);
  if (!servable(version))
    return refuse(
      `v${target} may not serve: ${version.quarantined === undefined ? 'it was never registered or approved' : `quarantined, ${version.quarantined.because}; 'serin versions restore ${model.model} ${target}' lifts that`}`,
    );
  const said = because === undefined ? by : `${by}: ${because}`;
  if (version.serve === 'none') return goneBack(model, target, at, said);
  const given = {
    id: derivedId('ro', at, model.model, seq, 'rollback'),
    kind: 'rollback',
    candidate: target,
    plan: model.plan.rollout,
    by: said,
    sticky: isSticky(version),
    ...defined({ stable: servingChampion(model) }),
  } as const;
  return { ...keepForRecord(model, 'rollout'), rollout: beginRollout(given, at) };
}

const isSticky = ({ serve }: Version): boolean => serve !== 'none' && serve.stickyBy !== undefined;

/** What the endpoint should be, from the rollout and the champion. */
export function desiredOf(model: Model): Desired {
  const { rollout, champion } = model;
  if (rollout !== undefined && !('endedAt' in rollout)) {
    const { stable, candidate } = rollout;
    const home = stable === undefined ? {} : { [String(stable)]: 100 };
    if (rollout.status === 'reverting')
      return { versions: stable === undefined ? [] : [stable], weights: home, extras: 'keep', urgent: true, needs: [] };
    // A first version is routed as soon as it is ready: a platform whose only deployment is served at once does so by itself.
    const weight = stable === undefined ? 100 : candidateWeight(rollout);
    const rest = stable === undefined || weight === 100 ? {} : { [String(stable)]: 100 - weight };
    const weights = { ...rest, ...(weight === 0 ? {} : { [String(candidate)]: weight }) };
    const mirrored = mirroredShare(rollout);
    return {
      ...(mirrored === 0 ? {} : { mirror: { version: candidate, percent: mirrored } }),
      versions: [...(stable === undefined ? [] : [stable]), candidate],
      weights,
      extras: 'keep',
      urgent: false,
      needs: [candidate],
    };
  }
  const version = versionOf(model.versions, champion);
  if (version === undefined || version.serve === 'none') return nothingDesired;
  return {
    versions: [version.number],
    weights: { [String(version.number)]: 100 },
    extras: 'retire',
    urgent: false,
    needs: [version.number],
  };
}

/** A rollout only sets what the endpoint should be. A write that is still under way may land late: that is remembered. */
function wishForEndpoint(model: Model, { at }: Moment): Model {
  const open = Object.entries(model.debts).find(
    ([key, debt]) => key.startsWith('endpoint/change/') && debt.by !== undefined,
  );
  const forward =
    open === undefined ? undefined : { key: `${open[0]}#${open[1].taken}`, until: open[1].until + 30_000 };
  const desired = desiredOf(model);
  if (model.endpoint.status === 'absent' && desired.versions.length === 0 && model.endpoint.desired === desired)
    return model;
  const endpoint = wishing(model.endpoint, desired, at, forward);
  return endpoint === model.endpoint ? model : { ...model, endpoint };
}

function tellConverged(model: Model, { at }: Moment): Model {
  const { rollout, endpoint } = model;
  if (
    rollout === undefined ||
    !isThere(endpoint) ||
    !['deploying', 'shifting', 'promoting', 'reverting'].includes(rollout.status)
  )
    return model;
  const moved = step(rolloutTable, rollout, { type: 'endpointConverged', at }, { frozen: model.freeze !== undefined });
  return 'moved' in moved ? { ...model, rollout: moved.moved } : model;
}

const isThere = (endpoint: Endpoint): boolean => endpoint.status === 'converged' || endpoint.status === 'absent';

/** The deployment of a version, as its rollout's plan and its own frozen program say. */
export function deploymentOf(model: Model, number: number): Deployment | undefined {
  const version = versionOf(model.versions, number);
  if (version === undefined || version.serve === 'none') return undefined;
  const { code, image, command, environment, compute } = version.serve;
  return {
    name: deploymentName(number),
    version: number,
    artifact: version.artifact,
    command,
    environment,
    ...defined({ code, image }),
    instances: compute.instances,
    compute: { nodes: 1, spot: false, ...defined({ accelerator: compute.accelerator }) },
    readyTimeoutMs: model.plan.rollout.readyWithin,
  };
}

export const withVersion = (model: Model, version: Version): Model => ({
  ...model,
  versions: { ...model.versions, [String(version.number)]: version },
});
