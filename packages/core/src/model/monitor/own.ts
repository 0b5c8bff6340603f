import { step } from '../../base/table.ts';
import { engineActor } from '../../ports/actors.ts';
import { didText } from '../../sinks/sentence.ts';
import type { Model, Moment } from '../state.ts';
import { type Firing, type Monitor, monitorTable, ownSender } from './monitor.ts';
import type { AlertRaised } from './protocol.ts';
import { monitorContext, waitsText } from './rule.ts';

/** What fires of Serin's own, by what was found. */
export const ownFiring = ({ alerts }: Monitor, fingerprint: string): Firing | undefined =>
  Object.values(alerts).find((firing) => firing.sender === ownSender && firing.fingerprint === fingerprint);

/** What an incident that was found here says to the monitor. Another `startedAt` is another firing. */
export type OwnAlert = Pick<AlertRaised, 'kind' | 'fingerprint' | 'startedAt' | 'title' | 'isNotice'>;

/** The monitor hears of an incident once, and of its end, which is `undefined`. `id` is that of the signal it hears. */
export function tellMonitor(
  model: Model,
  { at }: Moment,
  { fingerprint, id, alert }: { readonly fingerprint: string; readonly id: string; readonly alert?: OwnAlert },
): Model {
  const firing = ownFiring(model.monitor, fingerprint);
  if (firing?.startedAt === alert?.startedAt) return model;
  const stamp = { id, at, actor: engineActor, sender: ownSender };
  const said =
    alert === undefined
      ? ({ ...stamp, type: 'alertResolved', fingerprint } as const)
      : ({ ...stamp, type: 'alertRaised', ...alert } as const);
  const heard = step(monitorTable, model.monitor, said, monitorContext(model));
  return 'moved' in heard ? { ...model, monitor: heard.moved } : model;
}

/** What is done about an incident that was found here, in words after a `; `; '' where none is open. */
export function ownNext(model: Model, fingerprint: string, now: number): string {
  const firing = ownFiring(model.monitor, fingerprint);
  if (firing === undefined) return '';
  return `; ${waitsText(model, firing, now) ?? { ...didText, notify: 'it is only told' }[firing.did]}`;
}
