import { without } from '../base/objects.ts';
import { type Step, step } from '../base/table.ts';
import { engineActor } from '../ports/actors.ts';
import { commands } from './commands.ts';
import { type MachineName, type MachineSignal, machines, ownerOf, takerOf } from './machines.ts';
import { notifyAgain } from './notified.ts';
import { ownAnswers, tryAgainSlowly } from './owed.ts';
import type { ModelSignal, SignalOf } from './protocol.ts';
import { releaseConfig } from './release.ts';
import { rolloutEnded } from './rollout/state.ts';
import { meant, rolloutTable } from './rollout/table.ts';
import type { Model, Moment } from './state.ts';

type Handler<Type extends ModelSignal['type']> = (model: Model, signal: SignalOf<Type>, moment: Moment) => Step<Model>;

/** Signals that mean more than a step of one machine. All others go to the machine they are for. */
const handlers: { readonly [Type in Exclude<ModelSignal['type'], MachineSignal>]: Handler<Type> } & {
  readonly [Type in MachineSignal]?: Handler<Type>;
} = {
  ...commands,
  ...ownAnswers,
  notifyRequested: notifyAgain,
  dataHinted: keepDropper,
  listingAdvanced: nameDroppers,
  endpointObserved: observeEndpoint,
  configReleased: releaseConfig,
  effectRefused: refuseEffect,
  ticksRead: takeReading,
  labelsRead: takeReading,
  clockTicked: () => ({ ignored: 'nothing is due' }),
};

/** The signal's own part: what it moves. */
export function take(model: Model, signal: ModelSignal, moment: Moment): Step<Model> {
  const handle = handlers[signal.type];
  // The handler was chosen by the signal's own type.
  if (handle !== undefined) return (handle as Handler<typeof signal.type>)(model, signal as never, moment);
  return takerOf(signal.type)?.step(model, signal) ?? { ignored: `nothing takes '${signal.type}'` };
}

/** Most names that are kept of those who brought new data; one more person is as if unknown. */
const mostDroppers = 50;

/** A hint of somebody who is known by name leaves that name for the dataset version that comes of it. */
function keepDropper(model: Model, signal: SignalOf<'dataHinted'>): Step<Model> {
  const taken = machines.intake.step(model, signal);
  const { droppers = [] } = model;
  const { issuer, subject } = signal.actor;
  if (model.retired || issuer === engineActor.issuer || droppers.includes(subject) || droppers.length >= mostDroppers)
    return taken;
  return { moved: { ...('moved' in taken ? taken.moved : model), droppers: [...droppers, subject] } };
}

/** A new dataset version says who brought its data; what came meanwhile may be in the next one as well. */
function nameDroppers(model: Model, signal: SignalOf<'listingAdvanced'>): Step<Model> {
  const listed = machines.intake.step(model, signal);
  if (!('moved' in listed)) return listed;
  const { intake, droppers } = listed.moved;
  if (droppers === undefined || intake.dataset === undefined || intake.dataset === model.intake.dataset) return listed;
  const named: Model = { ...listed.moved, intake: { ...intake, dataset: { ...intake.dataset, by: droppers } } };
  return { moved: intake.status === 'settling' ? named : without(named, 'droppers') };
}

/** What the provider says of the candidate's deployment is for the rollout as well. */
function observeEndpoint(model: Model, signal: SignalOf<'endpointObserved'>): Step<Model> {
  const seen = machines.endpoint.step(model, signal);
  const said = model.rollout && meant(model.rollout, signal);
  if (!('moved' in seen) || model.rollout === undefined || said === undefined) return seen;
  const failed = step(rolloutTable, model.rollout, said, { frozen: false });
  return 'moved' in failed ? { moved: { ...seen.moved, rollout: failed.moved } } : seen;
}

/** Counts that cannot be are owed as before, so they are read again more slowly. */
function takeReading(model: Model, signal: SignalOf<'ticksRead' | 'labelsRead'>): Step<Model> {
  const heard = machines.rollout.step(model, signal);
  const next = 'moved' in heard ? heard.moved : model;
  const isOwed = machines.rollout.owes(next, signal.at).some(({ key }) => key === signal.key);
  return isOwed ? { moved: tryAgainSlowly(next, { ...signal, because: 'its counts cannot be read' }) } : heard;
}

/** "Never" from a provider goes to the machine whose effect it was. */
function refuseEffect(model: Model, signal: SignalOf<'effectRefused'>): Step<Model> {
  const owner = ownerOf(signal.key);
  // Publishing, recording and mirroring must happen: they are kept, and tried again with growing pauses.
  if (owner === undefined) return { moved: tryAgainSlowly(model, signal) };
  return refusals[owner]?.(model, signal) ?? machines[owner].step(model, signal);
}

/** What a refusal means beside the step of its machine. */
const refusals: { readonly [Name in MachineName]?: (model: Model, signal: SignalOf<'effectRefused'>) => Step<Model> } =
  {
    /** An endpoint that cannot be changed ends the rollout that wanted it. */
    endpoint(model, signal) {
      const blocked = machines.endpoint.step(model, signal);
      const state = 'moved' in blocked ? blocked.moved : model;
      if (!signal.key.startsWith('endpoint/change/') || rolloutEnded(model.rollout)) return { moved: state };
      const reverted = machines.rollout.step(state, signal);
      return { moved: 'moved' in reverted ? reverted.moved : state };
    },
    /** What cannot be read is read again, more slowly. */
    rollout(model, signal) {
      const [, id] = signal.key.split('/');
      const heard = id === model.rollout?.id ? machines.rollout.step(model, signal) : { ignored: '' };
      return { moved: tryAgainSlowly('moved' in heard ? heard.moved : model, signal) };
    },
  };
