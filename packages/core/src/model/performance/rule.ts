import { defined, without } from '../../base/objects.ts';
import { instant } from '../../base/time.ts';
import { type OwnAlert, ownFiring, tellMonitor } from '../monitor/own.ts';
import type { Model, Moment } from '../state.ts';
import type { LossIncident } from './incident.ts';
import { beginPerformance } from './performance.ts';
import { lossTitle } from './text.ts';

/** The labels of the champion are judged, and what fires in the monitor is the incident. */
export const obeyPerformance = (model: Model, moment: Moment): Model =>
  tellOfPerformance(followChampion(model, moment), moment);

function followChampion(model: Model, { at }: Moment): Model {
  const { plan, champion, performance } = model;
  if (plan.monitor.performance === undefined || champion === undefined || model.retired)
    return performance === undefined ? model : without(model, 'performance');
  if (performance?.version === champion) return model;
  return { ...model, performance: beginPerformance(performance, champion, at, plan) };
}

const fingerprint = 'performance';

function tellOfPerformance(model: Model, moment: Moment): Model {
  const { incident, turn = 0 } = model.performance ?? {};
  const alert = incident && alertOf(incident, model);
  return tellMonitor(model, moment, { fingerprint, id: `performance/${turn}`, ...defined({ alert }) });
}

/**
 * One incident acts once. That another version is no better is told: what it was to mend did not come of the model. Of one
 * that still waits to act this is the version that it acts for.
 */
function alertOf(incident: LossIncident, { monitor }: Model): OwnAlert {
  const hasActed = incident.newsAt !== incident.at && ownFiring(monitor, fingerprint)?.until === undefined;
  return {
    ...{ kind: 'performance', fingerprint, startedAt: instant(incident.newsAt), title: lossTitle(incident) },
    ...(hasActed ? { isNotice: true } : {}),
  };
}
