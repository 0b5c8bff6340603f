/** What the monitor hears from outside. It orders nothing. */
export interface MonitorProtocol {
  readonly signal: AlertRaised | AlertResolved;
  readonly order: never;
  readonly answer: never;
}

export interface AlertRaised {
  readonly type: 'alertRaised';
  /** `performance` is found here only. */
  readonly kind: 'alert' | 'drift' | 'performance';
  readonly sender: string;
  readonly fingerprint: string;
  /** As the sender says it: part of the alert's identity, compared only with other times of the same sender. */
  readonly startedAt: string;
  readonly title: string;
  /** It is only to be told, whatever the policy says. */
  readonly isNotice?: true;
  /** Its end came with it: it is recorded, and does nothing. */
  readonly over?: true;
}

export interface AlertResolved {
  readonly type: 'alertResolved';
  readonly sender: string;
  readonly fingerprint: string;
  /**
   * Of a sender that stamps each firing with a time of its own and keeps no order: what began at or before this is
   * over, however late it is heard.
   */
  readonly endedAt?: string;
  /** Of a sender that may give the next firing the id of this one: then that is not a repeat. */
  readonly raisedAs?: string;
}
