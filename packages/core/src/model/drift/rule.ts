import { defined, without } from '../../base/objects.ts';
import { instant } from '../../base/time.ts';
import type { Incident } from '../../drift/incident.ts';
import { type OwnAlert, tellMonitor } from '../monitor/own.ts';
import type { Model, Moment } from '../state.ts';
import { versionOf } from '../version.ts';
import { beginDrift } from './drift.ts';
import { titleOf } from './text.ts';

/** Live requests are compared with the data of the champion, and what fires in the monitor is the incident. */
export function obeyDrift(model: Model, moment: Moment): Model {
  return tellOfDrift(followChampion(model, moment), moment);
}

/** A new champion was trained on other data: from now on that is the reference. */
function followChampion(model: Model, { at }: Moment): Model {
  const { plan, champion, drift, versions } = model;
  const reference = versionOf(versions, champion)?.data?.reference;
  if (plan.monitor.drift === undefined || champion === undefined || reference === undefined || model.retired)
    return drift === undefined ? model : without(model, 'drift');
  if (drift?.version === champion && drift.reference === reference) return model;
  return { ...model, drift: beginDrift(drift, { version: champion, reference }, at, plan) };
}

function tellOfDrift(model: Model, moment: Moment): Model {
  const { incident, turn = 0 } = model.drift ?? {};
  const alert = incident && alertOf(incident);
  return tellMonitor(model, moment, { fingerprint: 'drift', id: `drift/${turn}`, ...defined({ alert }) });
}

/** What is news about an incident is another firing: it may be acted on again. */
const alertOf = (incident: Incident): OwnAlert => ({
  ...{ kind: 'drift', fingerprint: 'drift', startedAt: instant(incident.newsAt), title: titleOf(incident) },
  ...(incident.level === 'notice' ? { isNotice: true } : {}),
});
