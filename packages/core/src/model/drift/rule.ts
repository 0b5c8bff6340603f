import { without } from '../../base/objects.ts';
import { step } from '../../base/table.ts';
import { instant } from '../../base/time.ts';
import type { Incident } from '../../drift/incident.ts';
import { engineActor } from '../../ports/actors.ts';
import { monitorTable, ownSender } from '../monitor/monitor.ts';
import { monitorContext } from '../monitor/rule.ts';
import type { ModelSignal } from '../protocol.ts';
import type { Model, Moment } from '../state.ts';
import { versionOf } from '../version.ts';
import { beginDrift } from './drift.ts';
import { titleOf } from './text.ts';

/** Live requests are compared with the data of the champion, and what fires in the monitor is the incident. */
export function obeyDrift(model: Model, moment: Moment): Model {
  return tellMonitor(followChampion(model, moment), moment);
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

const fingerprint = 'drift';

function tellMonitor(model: Model, moment: Moment): Model {
  const incident = model.drift?.incident;
  const firing = Object.values(model.monitor.alerts).find(({ sender }) => sender === ownSender);
  const startedAt = incident === undefined ? undefined : startOf(incident);
  if (firing?.startedAt === startedAt) return model;
  const stamp = { id: `drift/${model.drift?.turn ?? 0}`, at: moment.at, actor: engineActor };
  const alert = { sender: ownSender, fingerprint };
  const said: ModelSignal =
    incident === undefined
      ? { ...stamp, ...alert, type: 'alertResolved' }
      : {
          ...stamp,
          ...alert,
          type: 'alertRaised',
          kind: 'drift',
          startedAt: startOf(incident),
          title: titleOf(incident),
          ...(incident.level === 'notice' ? { isNotice: true } : {}),
        };
  const heard = step(monitorTable, model.monitor, said, monitorContext(model));
  return 'moved' in heard ? { ...model, monitor: heard.moved } : model;
}

/** What is news about an incident is another firing: it may be acted on again. */
const startOf = ({ newsAt }: Incident): string => instant(newsAt);
