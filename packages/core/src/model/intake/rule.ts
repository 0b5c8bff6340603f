import { without } from '../../base/objects.ts';
import { engineActor } from '../../ports/actors.ts';
import { finishedWith, requestRun } from '../between/runs.ts';
import { foundNothingNewer } from '../monitor/rule.ts';
import type { Model, Moment } from '../state.ts';

/** Asks for the run that a finished listing wants; where drift did and nothing newer was found, for newer data. */
export function obeyIntake(model: Model, moment: Moment): Model {
  const { wants } = model.intake;
  if (wants === undefined) return model;
  const taken = { ...model, intake: without(model.intake, 'wants') as Model['intake'] };
  const known = wants === 'drift' ? finishedWith(taken, { kind: wants }) : undefined;
  if (known !== undefined) return foundNothingNewer(taken, known, moment);
  // Whoever's signal it is that time passes with, nobody asked for this run.
  return requestRun(taken, { kind: wants }, { ...moment, by: engineActor.subject });
}
