import { type FactOf, idOf } from '@serin/core/inbound/fact';
import { wordOf } from './fields.ts';

/** An alarm of a cloud's monitoring, or its end, as far as it is read. */
export interface CloudAlarm {
  /** Who says it, and what its ids begin with. */
  readonly sender: string;
  readonly prefix: string;
  /** One alarm, or one series of an alarm over many: each fires and ends by itself. */
  readonly fingerprint: string;
  readonly name: string;
  /** As the sender calls it. */
  readonly state: string;
  readonly isOver: boolean;
  readonly at: string;
  readonly reason: unknown;
  /** Names of the endpoints that its metrics are about; what is no text is none. */
  readonly endpoints: readonly unknown[];
  /** What people wrote into it: `serin_model=<environment>/<model>` says whose it is. */
  readonly description: unknown;
}

/** Known by its fingerprint, its state and the time of that, whichever way it came. */
export function alarmFact(said: CloudAlarm): FactOf<'alarm'> {
  const { sender, prefix, fingerprint, name, state, isOver, at, reason, description } = said;
  const why = typeof reason === 'string' && reason !== '' ? `: ${reason}` : '';
  const title = `${name}${why}`.slice(0, 500);
  const written = wordOf(description ?? '').matchAll(/\bserin_model=([a-z0-9/-]{1,200})/g);
  return {
    kind: 'alarm',
    id: idOf(prefix, fingerprint, state, at),
    of: { endpoints: unique(said.endpoints), written: unique([...written].map(([, model]) => model)) },
    says: isOver
      ? { type: 'alertResolved', sender, fingerprint, endedAt: at }
      : { type: 'alertRaised', kind: 'alert', sender, fingerprint, startedAt: at, title },
    saidAt: at,
  };
}

const unique = (values: readonly unknown[]): readonly string[] => [
  ...new Set(values.filter((value) => typeof value === 'string')),
];
