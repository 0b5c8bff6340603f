import { canonical } from '../base/json.ts';
import { defined, without } from '../base/objects.ts';
import type { Step } from '../base/table.ts';
import type { ModelPlan } from '../config/config.ts';
import { offerAgain } from './between/offer.ts';
import { machines, underPlan } from './machines.ts';
import type { SignalOf } from './protocol.ts';
import { rolloutEnded } from './rollout/state.ts';
import { leftConfig } from './rollout/table.ts';
import type { Model } from './state.ts';
import { servable, versionOf } from './version.ts';

/** A released plan is the model's own from now on; without one the model has left the config. */
export function releaseConfig(model: Model, signal: SignalOf<'configReleased'>): Step<Model> {
  const { plan, revision, by, freeze, at } = signal;
  if (revision <= model.revision) return { ignored: `revision ${revision} is not newer than ${model.revision}` };
  const { freeze: _, retired: __, ...rest } = model;
  const known: Model = { ...rest, ...defined({ freeze }), revision };
  if (plan === undefined) return { moved: retire({ ...known, ...onItsWay(model) }, signal) };
  const released: Model = { ...without(known, 'releasedBy'), ...releaserOf(model, plan, by), plan };
  return { moved: offerShelved(underPlan(released, model.plan, at), at) };
}

/** What is under way is stopped, and traffic stays where it was before. */
function retire(model: Model, { id, at, actor }: SignalOf<'configReleased'>): Model {
  const retired: Model = { ...without(model, 'queued', 'offered'), retired: true };
  const stop = { id, at, actor };
  const stopped = machines.run.step(retired, { ...stop, type: 'cancelRequested' });
  const idle = 'moved' in stopped ? stopped.moved : retired;
  const reverted = machines.rollout.step(idle, { ...stop, type: 'abortRequested', because: leftConfig });
  return 'moved' in reverted ? reverted.moved : idle;
}

/** The version that a model had on its way when it left the config: nothing was found against it. */
function onItsWay({ offered, rollout, shelved }: Model): Pick<Model, 'shelved'> {
  const underWay = !rolloutEnded(rollout) && rollout?.kind === 'release' && rollout.status !== 'reverting';
  const version = offered?.version ?? (underWay ? rollout.candidate : shelved);
  return version === undefined ? {} : { shelved: version };
}

/** Offered again to a model that came back to the config. */
function offerShelved(model: Model, at: number): Model {
  const version = versionOf(model.versions, model.shelved);
  const rest = without(model, 'shelved');
  const isOpen = servable(version) || version?.approval?.status === 'pending';
  return version === undefined || !isOpen || version.number === model.champion ? rest : offerAgain(rest, version, at);
}

/** A freeze brings the plan again: who released it stays. */
const releaserOf = ({ plan: before, releasedBy, revision }: Model, plan: ModelPlan, by?: readonly string[]) =>
  revision > 0 && canonical(before) === canonical(plan)
    ? defined({ releasedBy })
    : defined({ releasedBy: by === undefined || by.length === 0 ? undefined : by });
