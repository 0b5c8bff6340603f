import { derivedId } from '../../base/ids.ts';
import { defined, without } from '../../base/objects.ts';
import { gateName, timeName } from '../../ports/actors.ts';
import { type Firing, firingId, holding } from '../monitor/monitor.ts';
import { keepForRecord } from '../records.ts';
import { rolloutEnded } from '../rollout/state.ts';
import { beginRollout, note } from '../rollout/steps.ts';
import { comparesWithChampion } from '../run/gate.ts';
import { type Run, runEnded } from '../run/state.ts';
import type { Model, Moment } from '../state.ts';
import { servable, type Version, versionOf } from '../version.ts';
import { isSticky, promoteChampion, servingChampion } from './champion.ts';
import { requestRun } from './runs.ts';
import { withVersion } from './versions.ts';

export function offerPassed(
  model: Model,
  version: Version,
  run: Extract<Run, { status: 'succeeded' }>,
  { at }: Moment,
): Model {
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

export function expireApproval(model: Model, { at }: Moment): Model {
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
export function rescoreOffer(model: Model, moment: Moment): Model {
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

/** The alerts that hold the offered version back: none that somebody overrode for it. */
export function heldBy(model: Model): readonly Firing[] {
  const overridden = model.offered?.override?.alerts ?? [];
  return holding(model.monitor, model.plan.alerts).filter((firing) => !overridden.includes(firingId(firing)));
}

/** An approved offer starts its rollout; without an endpoint only the gate moves the champion. */
export function startRollout(model: Model, { at, seq }: Moment, before: Model | undefined): Model {
  const version = approvedOffer(model);
  const { offered, champion, plan, endpoint } = model;
  if (version === undefined || offered === undefined || offered.rescoring || offered.against !== champion) return model;
  if (model.freeze !== undefined || model.retired || !rolloutEnded(model.rollout)) return model;
  if (model.settledRollout !== before?.settledRollout) return model;
  if (version.number === champion) return without(model, 'offered');
  if (heldBy(model).length > 0) return model;
  if (version.serve === 'none')
    return promoteChampion(without(model, 'offered'), version.number, at, 'passed the gate');
  if (endpoint.status === 'converging') return model;
  const given = {
    id: derivedId('ro', at, model.model, seq),
    kind: 'release',
    model: model.model,
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
