import { without } from '../../base/objects.ts';
import { engineActor } from '../../ports/actors.ts';
import { requestRun } from '../between/runs.ts';
import type { Model, Moment } from '../state.ts';

/** Asks for the run that a finished listing wants. */
export function obeyIntake(model: Model, moment: Moment): Model {
  const { wants } = model.intake;
  if (wants === undefined) return model;
  const taken = { ...model, intake: without(model.intake, 'wants') as Model['intake'] };
  // Whoever's signal it is that time passes with, nobody asked for this run.
  return requestRun(taken, { kind: wants }, { ...moment, by: engineActor.subject });
}
