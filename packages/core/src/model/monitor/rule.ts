import { without } from '../../base/objects.ts';
import { rollBack } from '../between/champion.ts';
import { requestRun } from '../between/runs.ts';
import { rolloutEnded } from '../rollout/state.ts';
import type { Model, Moment } from '../state.ts';
import { didInstead, type MonitorContext } from './monitor.ts';

/** Does what an alert asked for. */
export function obeyMonitor(model: Model, moment: Moment): Model {
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

/** What the monitor may know of the rest of the model. */
export function monitorContext(model: Model): MonitorContext {
  const { plan, rollout, champion } = model;
  const releasing = !rolloutEnded(rollout) && rollout?.kind === 'release' && rollout.status !== 'reverting';
  return {
    plan,
    releasing,
    goingBack: !rolloutEnded(rollout) && !releasing,
    ...(champion === undefined ? {} : { champion }),
  };
}
