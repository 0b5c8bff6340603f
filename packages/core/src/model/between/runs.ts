import { derivedId } from '../../base/ids.ts';
import { defined, without } from '../../base/objects.ts';
import { keepForRecord } from '../records.ts';
import type { Trigger } from '../run/protocol.ts';
import { beginRun, runEnded } from '../run/state.ts';
import { inputsOf } from '../run/steps.ts';
import type { Model, Moment } from '../state.ts';
import { triggerProblem } from '../trigger.ts';
import { versionOf } from '../version.ts';

/** A newer trigger waits in a queue of one; the newest wins, and the skipped one is recorded. */
export function requestRun(model: Model, trigger: Trigger, { at, by }: Moment): Model {
  const queued = { trigger, at, by };
  if (model.queued === undefined) return { ...model, queued };
  return { ...model, queued, superseded: { trigger: model.queued.trigger.kind, at, into: trigger.kind } };
}

/** The run that was finished with what a trigger would run now. */
export const finishedWith = ({ intake, plan, finished }: Model, trigger: Trigger): string | undefined =>
  intake.dataset === undefined ? undefined : finished[inputsOf(intake.dataset, plan, trigger)];

/**
 * One active run per model; equal inputs are one run unless the trigger forces another.
 *
 * What ends in one append is replaced in a later one at the earliest: its end has to be seen, announced and recorded.
 */
export function startRun(model: Model, { at, seq }: Moment, before: Model | undefined): Model {
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
